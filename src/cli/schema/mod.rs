//! `sluse schema`: what schemas are worth, without a document.

mod diff;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::EXIT_UNUSABLE;
use crate::xsd::{Files, Schema, SchemaError, SchemaLimits};

/// What to do with schemas.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Check the documents of one schema: exit 0 when it can be used, 2 with all that is wrong when it cannot
    Check(CheckArgs),
    /// Tell whether two schemas accept the same documents: exit 0 when they do, 1 with every difference when they do not
    Diff(diff::DiffArgs),
}

/// Which schema to check.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Its documents, in any order; what they include and import is read too
    #[arg(required = true, value_name = "A.xsd")]
    pub documents: Vec<PathBuf>,
}

/// Does what the command asks.
pub(super) fn run(command: &SchemaCommand) -> anyhow::Result<ExitCode> {
    match command {
        SchemaCommand::Check(args) => check(args),
        SchemaCommand::Diff(args) => diff::run(args),
    }
}

/// Names what is wrong with a schema; the exit code that goes with it.
pub(super) fn refuse(error: &SchemaError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(EXIT_UNUSABLE)
}

/// Loads the documents of one schema, and those they name.
pub(super) fn load(paths: &[PathBuf]) -> Result<Schema, SchemaError> {
    named(paths, |names| Schema::load(names, &Files, &SchemaLimits::default()))
}

fn named<R>(paths: &[PathBuf], run: impl FnOnce(&[&str]) -> R) -> R {
    let names: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    run(&names)
}

fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let faults = named(&args.documents, |names| Schema::faults(names, &Files, &SchemaLimits::default(), MOST_FAULTS));
    for fault in &faults {
        eprintln!("{fault}");
    }
    if faults.len() >= MOST_FAULTS {
        eprintln!("There may be more: no more than {MOST_FAULTS} are named.");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_UNUSABLE) })
}

/// Who has mended so many can ask again.
const MOST_FAULTS: usize = 100;
