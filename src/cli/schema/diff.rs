//! `sluse schema diff`.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::refuse;
use crate::cli::print;
use crate::xsd::{Files, SchemaLimits, differences};

/// Exit code when the schemas differ.
const EXIT_DIFFER: u8 = 1;

/// Which schemas to compare.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The one schema; what it includes and imports is read too
    #[arg(value_name = "A.xsd")]
    pub first: String,
    /// The other
    #[arg(value_name = "B.xsd")]
    pub second: String,
}

/// Compares: differences to standard output, one per line.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let (first, second) = ([args.first.as_str()], [args.second.as_str()]);
    let found = match differences(&first, &second, &Files, &SchemaLimits::default()) {
        Ok(found) => found,
        Err(error) => return Ok(refuse(&error)),
    };
    let mut text = String::new();
    for difference in &found {
        let (path, kind) = (&difference.path, difference.kind.as_str());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{path}: {kind}: {} <> {}", difference.first, difference.second);
    }
    let heard = print(&text)?;
    Ok(if found.is_empty() { heard } else { ExitCode::from(EXIT_DIFFER) })
}
