//! `sluse receipt`: receipts as files in one's hand.

mod show;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::model::Language;

/// What to do with a receipt.
#[derive(Debug, Subcommand)]
pub enum ReceiptCommand {
    /// Tell what an XML receipt says, in words: exit 0, or 2 when the file is no receipt
    Show(show::ShowArgs),
    /// Hold a receipt against the ledger and its signature: exit 0 when everything holds, 1 when not, 2 when it cannot be told
    Verify(verify::VerifyArgs),
}

/// Does it.
pub(super) fn run(command: &ReceiptCommand) -> anyhow::Result<ExitCode> {
    match command {
        ReceiptCommand::Show(args) => show::run(args),
        ReceiptCommand::Verify(args) => super::block_on(verify::run(args)),
    }
}

/// Reads a language.
fn language(word: &str) -> Result<Language, String> {
    let found = Language::ALL.into_iter().find(|language| language.as_str() == word);
    found.ok_or_else(|| "must be nb, nn or en".to_owned())
}
