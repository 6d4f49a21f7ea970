//! `sluse generate`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::pipe;
use crate::generate::{self, Format, Options, Profile, Share};
use crate::model::FormatName;

/// What to write.
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    /// Format of the batch: prefill, databatch, correspondence, confirmations, usagedata, altut, altut-confirmations,
    /// broker (a ZIP, whose recipients are the items) or online-receipt (one item always)
    #[arg(long, default_value = "prefill")]
    pub format: Format,
    /// How many items
    #[arg(long, default_value_t = 1_000)]
    pub items: u64,
    /// What items look like: small, medium, attachment, field or escaped. A format writes small for one that it does not
    /// have: field is of prefill alone; confirmations, usagedata, altut-confirmations and online-receipt have one look
    #[arg(long, default_value = "small")]
    pub profile: Profile,
    /// How many items are wrong, in per cent
    #[arg(long, value_name = "SHARE%", default_value = "0")]
    pub errors: Share,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The batch's own reference (ExternalShipmentReference, ShipmentReference, SendersReference of a manifest), or what
    /// its items' references begin with where it has none; made of the other options when left out
    #[arg(long)]
    pub reference: Option<String>,
    /// Number of the batch in its sequence. Without it a batch has none where the format lets it (a databatch is 0 after
    /// 0), else 1
    #[arg(long, value_name = "NUMBER")]
    pub sequence: Option<u64>,
    /// Give a control count that is one too many
    #[arg(long)]
    pub wrong_count: bool,
    /// Give a number that does not follow the one that the batch says was before it
    #[arg(long)]
    pub wrong_sequence: bool,
    /// Write what the batch holds, right and wrong, to this file instead of standard error
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Write which items are wrong to this file, a line for each: its number, and how
    #[arg(long, value_name = "FILE")]
    pub mistakes: Option<PathBuf>,
}

/// Writes the batch, then its summary.
pub(super) fn run(args: &GenerateArgs) -> anyhow::Result<ExitCode> {
    let options = options(args)?;
    let summary = match generate::write(&options, &mut io::stdout().lock()) {
        Ok(summary) => summary,
        Err(error) => return pipe(Err(error)),
    };
    match &args.summary {
        Some(path) => fs::write(path, summary.to_string()).with_context(|| path.display().to_string())?,
        None => eprint!("{summary}"),
    }
    if let Some(path) = &args.mistakes {
        mistakes(&options, path).with_context(|| path.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn options(args: &GenerateArgs) -> anyhow::Result<Options> {
    let format = args.format;
    if args.wrong_count && !format.is_counted() {
        bail!("a batch of {format} has no control count");
    }
    if args.wrong_sequence && !format.names_the_one_before() {
        bail!("a batch of {format} does not name the one before it");
    }
    if args.sequence.is_some() && !format.is_numbered() {
        bail!("batches of {format} are not numbered");
    }
    Ok(Options {
        errors: args.errors,
        reference: args.reference.clone(),
        sequence: args.sequence,
        wrong_count: args.wrong_count,
        wrong_sequence: args.wrong_sequence,
        ..Options::of(format, args.items, args.profile, args.seed)
    })
}

fn mistakes(options: &Options, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for (item, mistake) in generate::planted(options) {
        writeln!(file, "{item} {}", mistake.as_str())?;
    }
    file.flush()
}

/// Reads a format's name.
pub(super) fn format(text: &str) -> Result<FormatName, String> {
    let known = || FormatName::ALL.map(FormatName::as_str).join(", ");
    let found = FormatName::ALL.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| format!("the formats are: {}", known()))
}
