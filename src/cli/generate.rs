//! `sluse generate`.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::pipe;
use crate::generate::{self, Options, Profile, Share};
use crate::model::FormatName;

/// What to write.
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    /// Format of the batch
    #[arg(long, value_parser = format, default_value = "prefill")]
    pub format: FormatName,
    /// How many items
    #[arg(long, default_value_t = 1_000)]
    pub items: u64,
    /// What items look like: small, medium, attachment, field or escaped
    #[arg(long, default_value = "small")]
    pub profile: Profile,
    /// How many items are wrong, in per cent
    #[arg(long, value_name = "SHARE%", default_value = "0")]
    pub errors: Share,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// ExternalShipmentReference; made of the other options when left out
    #[arg(long)]
    pub reference: Option<String>,
    /// Write what the batch holds, right and wrong, to this file instead of standard error
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

/// Writes the batch, then its summary.
pub(super) fn run(args: &GenerateArgs) -> anyhow::Result<ExitCode> {
    let options = Options {
        format: args.format,
        items: args.items,
        profile: args.profile,
        errors: args.errors,
        seed: args.seed,
        reference: args.reference.clone(),
    };
    let summary = match generate::write(&options, &mut io::stdout().lock()) {
        Ok(summary) => summary,
        Err(error) => return pipe(Err(error)),
    };
    match &args.summary {
        Some(path) => fs::write(path, summary.to_string()).with_context(|| path.display().to_string())?,
        None => eprint!("{summary}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a format's name.
pub(super) fn format(text: &str) -> Result<FormatName, String> {
    let known = || FormatName::ALL.map(FormatName::as_str).join(", ");
    let found = FormatName::ALL.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| format!("the formats are: {}", known()))
}
