//! `sluse hash-password`.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use secrecy::{ExposeSecret as _, SecretString};

use super::print;
use crate::config;

/// Reads a line, prints its hash.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    if io::stdin().is_terminal() {
        eprintln!("Type the password and press Enter. It is shown; to avoid that, use a pipe.");
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let password = SecretString::from(line.trim_end_matches(['\r', '\n']));
    let hash = config::hash_password(&password)?;
    print(&format!("{}\n", hash.expose_secret()))
}
