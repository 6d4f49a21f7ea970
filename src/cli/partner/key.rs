//! `sluse partner key`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use super::{Office, check_user, read_keys};
use crate::adapters::ledger::Change;
use crate::adapters::sftp_server::{Login, read_key};
use crate::cli::said::SaidArgs;
use crate::cli::{ConfigArgs, print};
use crate::model::{LoginKey, PartnerId};
use crate::ports::{Clock as _, SystemClock};

/// What to do with keys.
#[derive(Debug, clap::Subcommand)]
pub enum KeyCommand {
    /// Add public keys to a login, which is made where the partner has none of the name
    Add(AddArgs),
    /// End a key: it opens nothing from now on, or from a later moment
    End(EndArgs),
}

/// Which keys for whom.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// The login
    #[arg(value_name = "USER")]
    pub user: String,
    /// A file with public keys, one a line; `-` is standard input
    #[arg(value_name = "FILE")]
    pub key: PathBuf,
    /// Whose login it is; needed for a new login only
    #[arg(long)]
    pub partner: Option<PartnerId>,
    /// When the keys open nothing any more, such as 2027-12-31T23:00Z
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    #[command(flatten)]
    said: SaidArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Which key of whom.
#[derive(Debug, clap::Args)]
pub struct EndArgs {
    /// The login
    #[arg(value_name = "USER")]
    pub user: String,
    /// The key's fingerprint, as `sluse partner list` shows it
    #[arg(value_name = "FINGERPRINT")]
    pub fingerprint: String,
    /// From when on, instead of now
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    #[command(flatten)]
    said: SaidArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Does it.
pub(super) async fn run(command: &KeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::Add(args) => add(args).await,
        KeyCommand::End(args) => end(args).await,
    }
}

async fn add(args: &AddArgs) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.config).await?;
    let user = &args.user;
    let mut changes = Vec::new();
    let partner = match (office.login(user), &args.partner) {
        (Some((owner, _)), Some(named)) if owner.access.partner != *named => {
            bail!("{user} is a login of {}", owner.access.partner)
        }
        (Some((owner, _)), _) => &owner.access.partner,
        (None, Some(named)) => {
            check_user(user)?;
            office.check_free(named, user)?;
            changes.push(Change::AddLogin(user.clone()));
            &office.partner(named)?.access.partner
        }
        (None, None) => bail!("there is no login {user}; for a new one say whose with --partner"),
    };
    let keys = read_keys(user, &args.key)?;
    let count = keys.len();
    for (key, _fingerprint) in keys {
        let until = key.until.into_iter().chain(args.until).min();
        changes.push(Change::SetKey(LoginKey { until, ..key }));
    }
    office.amend(partner, &changes, &args.said, "somebody else added the user just now").await?;
    let keys = if count == 1 { "1 key opens".to_owned() } else { format!("{count} keys open") };
    print(&format!("{keys} {user} of {partner} within seconds\n"))
}

async fn end(args: &EndArgs) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.config).await?;
    let (partner, login) = office.login(&args.user).with_context(|| format!("there is no login {}", args.user))?;
    let known = keys(login).find(|(_, fingerprint)| *fingerprint == args.fingerprint);
    let (key, fingerprint) = known.with_context(|| format!("{} has no such key", args.user))?;
    let until = args.at.unwrap_or_else(|| SystemClock.now());
    let change = Change::SetKey(LoginKey { until: Some(until), ..key });
    office.amend(&partner.access.partner, &[change], &args.said, "the key could not be ended").await?;
    print(&format!("{fingerprint} opens {} until {until:.0}\n", args.user))
}

/// The keys of a login with their fingerprints and last moments.
pub(super) fn keys(login: &Login) -> impl Iterator<Item = (LoginKey, String)> {
    login.public_keys.iter().filter_map(|known| {
        let (key, fingerprint) = read_key(&login.user, &known.line).ok()?;
        let until = key.until.into_iter().chain(known.until).min();
        Some((LoginKey { until, ..key }, fingerprint))
    })
}
