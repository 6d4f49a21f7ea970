//! `sluse schema`: what schemas are worth, without a document.

mod diff;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::EXIT_UNUSABLE;
use crate::xsd::{Schema, SchemaDocument, SchemaError};

/// What to do with schemas.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Check the documents of one schema: exit 0 when it can be used, 2 with every error when it cannot
    Check(CheckArgs),
    /// Tell whether two schemas accept the same documents: exit 0 when they do, 1 with every difference when they do not
    Diff(diff::DiffArgs),
}

/// Which schema to check.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Its documents, in any order
    #[arg(required = true, value_name = "A.xsd")]
    pub documents: Vec<PathBuf>,
}

/// Why a schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SchemaFault {
    #[error("{}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}", lines(.0))]
    Wrong(Vec<SchemaError>),
}

/// Does what the command asks.
pub(super) fn run(command: &SchemaCommand) -> anyhow::Result<ExitCode> {
    match command {
        SchemaCommand::Check(args) => check(args),
        SchemaCommand::Diff(args) => diff::run(args),
    }
}

/// Names what is wrong with a schema, one error on each line; the exit code that goes with it.
pub(super) fn refuse(fault: &SchemaFault) -> ExitCode {
    eprintln!("{fault}");
    ExitCode::from(EXIT_UNUSABLE)
}

/// Loads the documents of one schema.
pub(super) fn load(paths: &[PathBuf]) -> Result<Schema, SchemaFault> {
    let documents = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let documents: Vec<SchemaDocument<'_>> =
        documents.iter().map(|(name, bytes)| SchemaDocument { name, bytes }).collect();
    Schema::compile(&documents).map_err(|error| SchemaFault::Wrong(vec![error]))
}

fn read(path: &Path) -> Result<(String, Vec<u8>), SchemaFault> {
    let bytes = fs::read(path).map_err(|error| SchemaFault::Unreadable { path: path.to_owned(), error })?;
    Ok((path.display().to_string(), bytes))
}

fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    match load(&args.documents) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(fault) => Ok(refuse(&fault)),
    }
}

fn lines(errors: &[SchemaError]) -> String {
    errors.iter().map(SchemaError::to_string).collect::<Vec<_>>().join("\n")
}
