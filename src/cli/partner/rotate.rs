//! `sluse partner rotate`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::SignedDuration;

use super::key::keys;
use super::{Office, read_keys};
use crate::adapters::ledger::Change;
use crate::cli::said::SaidArgs;
use crate::cli::{ConfigArgs, print};
use crate::model::LoginKey;
use crate::ports::{Clock as _, SystemClock};

/// What to put in place of what.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct RotateArgs {
    /// The login
    #[arg(value_name = "USER")]
    pub user: String,
    /// A file with the login's next public keys, one a line; `-` is standard input
    #[arg(long, value_name = "FILE", group = "what")]
    pub key: Option<PathBuf>,
    /// Read the login's next password from standard input; the one before ends at once
    #[arg(long, group = "what")]
    pub password: bool,
    /// How many days the keys before go on
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u16).range(0..=366))]
    pub overlap: u16,
    #[command(flatten)]
    said: SaidArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Puts it there.
pub(super) async fn run(args: &RotateArgs) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.config).await?;
    let user = &args.user;
    let (partner, login) = office.login(user).with_context(|| format!("there is no login {user}"))?;
    let partner = &partner.access.partner;
    let Some(path) = &args.key else {
        let change = office.password(partner, user)?;
        office.amend(partner, &[change], &args.said, "the password could not be set").await?;
        return print(&format!("{user} of {partner} logs in with the new password within seconds\n"));
    };
    let next: Vec<LoginKey> = read_keys(user, path)?.into_iter().map(|(key, _fingerprint)| key).collect();
    let until = SystemClock.now() + SignedDuration::from_hours(i64::from(args.overlap) * 24);
    let ends = |known: LoginKey| {
        let is_next = next.iter().any(|key| key.key == known.key);
        // A key that ends sooner is not given a longer life.
        let until = known.until.map_or(until, |before| before.min(until));
        let is_change = !is_next && known.until != Some(until);
        is_change.then_some(Change::SetKey(LoginKey { until: Some(until), ..known }))
    };
    let mut changes: Vec<Change> = keys(login).filter_map(|(key, _fingerprint)| ends(key)).collect();
    let stands = |next: &LoginKey| keys(login).any(|(known, _)| known.key == next.key && known.until == next.until);
    if changes.is_empty() && next.iter().all(stands) {
        bail!("{user} has these keys already");
    }
    changes.extend(next.iter().cloned().map(Change::SetKey));
    office.amend(partner, &changes, &args.said, "the keys could not be changed").await?;
    print(&format!("{user} of {partner} logs in with the new keys within seconds; those before end at {until:.0}\n"))
}
