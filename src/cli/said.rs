//! Who orders something, and why.

use anyhow::bail;

use crate::adapters::ledger::Said;
use crate::ports::{Clock as _, SystemClock};

/// Who says so, and why.
#[derive(Debug, clap::Args)]
pub(super) struct SaidArgs {
    /// Why; kept in the ledger
    #[arg(long)]
    pub reason: String,
    /// Who says so; kept in the ledger [default: the user who calls]
    #[arg(long, env = "SUDO_USER", value_name = "NAME")]
    pub by: Option<String>,
}

impl SaidArgs {
    /// Who, why, and that it is now.
    pub(super) fn said(&self) -> anyhow::Result<Said> {
        let user = || std::env::var("USER").ok();
        let who = self.by.clone().or_else(user).unwrap_or_default();
        let who: String = who.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        let reason = self.reason.chars().map(|c| if c.is_control() { ' ' } else { c });
        let reason: String = reason.take(LONGEST_REASON).collect();
        if reason.trim().is_empty() {
            bail!("say why: the reason is empty");
        }
        let who = if who.is_empty() { "unknown".to_owned() } else { who };
        Ok(Said { who, reason: reason.trim().to_owned(), now: SystemClock.now() })
    }
}

const LONGEST_NAME: usize = 64;
const LONGEST_REASON: usize = 500;
