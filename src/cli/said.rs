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
    /// Who says so; kept in the ledger [default: $SUDO_USER, $USER or the user of the process]
    #[arg(long, env = "SUDO_USER", value_name = "NAME")]
    pub by: Option<String>,
}

impl SaidArgs {
    /// Who, why, and that it is now.
    pub(super) fn said(&self) -> anyhow::Result<Said> {
        let user = || std::env::var("USER").ok().filter(|user| !user.trim().is_empty());
        let who = self.by.clone().filter(|by| !by.trim().is_empty()).or_else(user).unwrap_or_else(caller);
        let who: String = who.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        let reason = self.reason.chars().map(|c| if c.is_control() { ' ' } else { c });
        let reason: String = reason.take(LONGEST_REASON).collect();
        if reason.trim().is_empty() {
            bail!("say why: the reason is empty");
        }
        Ok(Said { who, reason: reason.trim().to_owned(), now: SystemClock.now() })
    }
}

/// The user of the process, for who calls without an environment (cron, a unit): by name where the machine lists it.
fn caller() -> String {
    let id = rustix::process::getuid().as_raw();
    let listed = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(id, &listed).unwrap_or_else(|| format!("uid {id}"))
}

fn name_of(id: u32, listed: &str) -> Option<String> {
    listed.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    })
}

const LONGEST_NAME: usize = 64;
const LONGEST_REASON: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_calls_without_an_environment_has_the_name_the_machine_lists() {
        let listed = "root:x:0:0:root:/root:/bin/sh\nbroken\nkari:x:1001:1001::/home/kari:/bin/sh\n";
        assert_eq!(name_of(1001, listed).as_deref(), Some("kari"));
        assert_eq!(name_of(100, listed), None);
        assert!(!caller().is_empty());
    }
}
