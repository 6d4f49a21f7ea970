//! What the demo tells the person at the terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use super::stage::{Stage, USER};
use crate::generate::Summary;
use crate::model::ReceiptKind;

/// Writes to standard output; progress goes to a terminal only.
#[derive(Debug)]
pub(super) struct Report;

impl Report {
    pub(super) fn started(&self, stage: &Stage) {
        line(&format!("sluse listens on {} (SFTP), everything it keeps lies in", stage.address()));
        line(&format!("  {}", stage.folder().display()));
    }

    pub(super) fn wrote(&self, stage: &Stage, name: &str, summary: &Summary) {
        let (items, wrong) = (summary.items, summary.wrong);
        line(&format!("\nWrote {} ({items} items, {wrong} of them wrong)", stage.path(name).display()));
        for (mistake, count) in &summary.mistakes {
            line(&format!("  {count:>5}  {}", mistake.as_str()));
        }
    }

    pub(super) fn dropped(&self, name: &str, took: Duration) {
        line(&format!("\nDropped it over SFTP as /inbox/{name}; CLOSE answered OK after {} ms", took.as_millis()));
    }

    pub(super) fn progress(&self, effects: u64, elapsed: Duration) {
        if io::stdout().is_terminal() {
            piece(&format!("\r  {effects} instances made, {:.1} s ", elapsed.as_secs_f64()));
        }
    }

    pub(super) fn progress_ends(&self) {
        if io::stdout().is_terminal() {
            line("");
        }
    }

    /// Sums up the final receipt.
    pub(super) fn settled(&self, stage: &Stage, receipts: &[PathBuf], took: Duration) -> anyhow::Result<()> {
        let end = format!(".{}.xml", ReceiptKind::Final.as_str());
        let last = receipts.iter().find(|path| path.to_string_lossy().ends_with(&end)).context("no final receipt")?;
        let text = std::fs::read_to_string(last)?;
        line(&format!("\nFinal receipt after {:.1} s: {}", took.as_secs_f64(), within(&text, "ReceiptStatus")));
        for word in ["items", "delivered", "refused", "ignored", "failed"] {
            line(&format!("  {:>5}  {word}", attribute(&text, word)));
        }
        line(&format!("  {:>5}  instances at the simulator", stage.simulator_effects()));
        line("\nReceipts, fetched from /receipts:");
        for path in receipts {
            line(&format!("  {}", path.display()));
        }
        Ok(())
    }

    pub(super) fn how_to_look_further(&self, stage: &Stage, keep: bool) {
        let (folder, port) = (stage.folder().display(), stage.address().port());
        let options = "-o StrictHostKeyChecking=accept-new";
        let login = format!(
            "sftp -i {folder}/sender_key {options} -o UserKnownHostsFile={folder}/known_hosts -P {port} {USER}@{}",
            stage.address().ip()
        );
        if keep {
            line("\nStill running, until Ctrl-C. Log in as the sender with");
        } else {
            line("\nRun it with --keep to leave it running and log in as the sender with");
        }
        line(&format!("  {login}"));
    }
}

/// The text of the first element of a name.
fn within<'a>(text: &'a str, name: &str) -> &'a str {
    let after = text.split_once(&format!("<{name}>")).map_or("", |(_, after)| after);
    after.split_once("</").map_or("", |(inside, _)| inside)
}

/// A number of the receipt's counts.
fn attribute<'a>(text: &'a str, name: &str) -> &'a str {
    let counts = text.split_once("<Counts").map_or("", |(_, counts)| counts);
    let value = counts.split_once(&format!("{name}=\"")).map_or("", |(_, value)| value);
    value.split_once('"').map_or("", |(value, _)| value)
}

fn line(text: &str) {
    piece(&format!("{text}\n"));
}

/// A reader that went away does not stop the demo.
fn piece(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
