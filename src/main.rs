//! The thin binary: everything is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use sluse::cli::{self, Cli};

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sluse: {error:#}");
            ExitCode::FAILURE
        }
    }
}
