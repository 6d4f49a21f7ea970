//! `sluse partner`: who may log in, told to the ledger beside a running gateway.
//!
//! The configuration's partners stay what the configuration says; the ledger adds partners, logins and keys, gives keys
//! a last moment, replaces passwords, and keeps partners out for a while.

mod add;
mod key;
mod list;
mod rotate;
mod test;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use secrecy::{ExposeSecret as _, SecretString};

use super::said::SaidArgs;
use super::{ConfigArgs, overrides, print};
use crate::adapters::ledger::{Change, Record, amend};
use crate::adapters::sftp_server::{Login, read_key};
use crate::app::partners::{Standing, mark, standing};
use crate::config::{self, Config};
use crate::model::{AmendedLogin, LoginKey, PartnerId, is_user_name};

/// What to do with partners.
#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// List the partners, their logins and keys
    List(list::ListArgs),
    /// Add a partner that has what a configured one has, in an area of its own
    Add(add::AddArgs),
    /// Add or end a public key
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Give a login a new key or password in place of those it has, which go on for a while
    Rotate(rotate::RotateArgs),
    /// Take none of a partner's logins any more and end its connections; its files are worked on all the same
    Disable(OneArgs),
    /// Take a disabled partner's logins again
    Enable(OneArgs),
    /// Tell whether a partner's logins would be taken just now, and what is wrong: exit 0 when nothing is, 1 when something is
    Test(test::TestArgs),
}

/// One partner.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// Which
    #[arg(value_name = "PARTNER")]
    pub partner: PartnerId,
    #[command(flatten)]
    said: SaidArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Does it.
pub(super) async fn run(command: &PartnerCommand) -> anyhow::Result<ExitCode> {
    match command {
        PartnerCommand::List(args) => list::run(args).await,
        PartnerCommand::Add(args) => add::run(args).await,
        PartnerCommand::Key(command) => key::run(command).await,
        PartnerCommand::Rotate(args) => rotate::run(args).await,
        PartnerCommand::Disable(args) => stand(args, Change::Disable).await,
        PartnerCommand::Enable(args) => stand(args, Change::Enable).await,
        PartnerCommand::Test(args) => test::run(args).await,
    }
}

async fn stand(args: &OneArgs, change: Change) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.config).await?;
    let partner = &office.partner(&args.partner)?.access.partner;
    let told = if change == Change::Disable {
        format!("{partner} is disabled; its connections end within seconds\n")
    } else {
        format!("{partner} is enabled\n")
    };
    office.amend(partner, &[change], &args.said, "it stands so already").await?;
    print(&told)
}

/// A configuration and what its ledger says of partners.
struct Office {
    config: Config,
    ledger: PathBuf,
    partners: Vec<Standing>,
    /// As the ledger has them, whosever the configuration says they are.
    logins: Vec<AmendedLogin>,
}

impl Office {
    async fn open(args: &ConfigArgs) -> anyhow::Result<Self> {
        let config = Config::load(&args.config, overrides())?;
        let ledger = config.ledger_file();
        let mut record = Record::open(&ledger).await.with_context(|| ledger.display().to_string())?;
        let amendments = record.amendments().await.context("has a gateway of this version opened the ledger once?")?;
        record.close().await?;
        let partners = standing(&config, &amendments);
        Ok(Self { config, ledger, partners, logins: amendments.logins })
    }

    fn partner(&self, id: &PartnerId) -> anyhow::Result<&Standing> {
        let found = self.partners.iter().find(|partner| partner.access.partner == *id);
        found.with_context(|| format!("there is no partner {id}"))
    }

    /// The login of a user name, and whose it is.
    fn login(&self, user: &str) -> Option<(&Standing, &Login)> {
        let of = |partner: &'_ Standing| partner.access.logins.iter().position(|login| login.user == user);
        self.partners.iter().find_map(|partner| Some((partner, partner.access.logins.get(of(partner)?)?)))
    }

    /// A user that was added to a partner is that one's, also while the configuration gives the name to another or has
    /// no such partner.
    fn check_free(&self, partner: &PartnerId, user: &str) -> anyhow::Result<()> {
        let is_others = |login: &&AmendedLogin| login.is_added && login.user == user && login.partner != *partner;
        match self.logins.iter().find(is_others) {
            Some(login) => bail!("{user} is a login of {} in the ledger: use another name", login.partner),
            None => Ok(()),
        }
    }

    /// Sets a password that is read from standard input, in the place of the one the configuration has just now.
    fn password(&self, partner: &PartnerId, user: &str) -> anyhow::Result<Change> {
        let partner = self.config.partners.iter().find(|configured| configured.id == *partner);
        let login = partner.and_then(|partner| partner.logins.iter().find(|login| login.user == user));
        let in_place_of = mark(login.and_then(|login| login.password_hash.as_ref()));
        Ok(Change::SetPassword { user: user.to_owned(), hash: read_password()?, in_place_of })
    }

    async fn amend(
        &self,
        partner: &PartnerId,
        changes: &[Change],
        said: &SaidArgs,
        refused: &'static str,
    ) -> anyhow::Result<()> {
        let amended = amend(&self.ledger, partner, changes, &said.said()?).await;
        match amended.with_context(|| self.ledger.display().to_string())? {
            true => Ok(()),
            false => bail!(refused),
        }
    }
}

/// The public keys in a file, one a line as `authorized_keys` has them; `-` is standard input.
fn read_keys(user: &str, path: &Path) -> anyhow::Result<Vec<(LoginKey, String)>> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().take(LONGEST_KEYS).read_to_string(&mut text)?;
        text
    } else {
        fs::read_to_string(path).with_context(|| path.display().to_string())?
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(|line| read_key(user, line)).collect::<Result<Vec<_>, _>>();
    let keys = keys.with_context(|| path.display().to_string())?;
    if keys.is_empty() {
        bail!("{}: there is no public key in it", path.display());
    }
    Ok(keys)
}

/// The hash of a password that is read from standard input.
fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let password = SecretString::from(line.trim_end_matches(['\r', '\n']));
    Ok(config::hash_password(&password)?.expose_secret().to_owned())
}

fn check_user(user: &str) -> anyhow::Result<()> {
    if !is_user_name(user) {
        bail!("a user name has 1 to 64 characters and no blanks");
    }
    Ok(())
}

const LONGEST_KEYS: u64 = 1 << 20;
