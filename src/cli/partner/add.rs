//! `sluse partner add`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use super::{Office, check_user, read_keys};
use crate::adapters::ledger::Change;
use crate::adapters::sftp_server::Network;
use crate::cli::said::SaidArgs;
use crate::cli::{ConfigArgs, print};
use crate::model::{AddedPartner, PartnerId};

/// Whom to add.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// Its short name
    #[arg(value_name = "PARTNER")]
    pub partner: PartnerId,
    /// The configured partner whose routes, directories and limits it gets, too
    #[arg(long, value_name = "PARTNER")]
    pub like: PartnerId,
    /// Its first login
    #[arg(long)]
    pub user: String,
    /// A file with the login's public keys, one a line; `-` is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "password")]
    pub key: Option<PathBuf>,
    /// Read the login's password from standard input
    #[arg(long)]
    pub password: bool,
    /// Networks its logins may come from, such as 192.0.2.0/24; without any, from anywhere
    #[arg(long, value_name = "NETWORK")]
    pub address: Vec<Network>,
    #[command(flatten)]
    said: SaidArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Adds it.
pub(super) async fn run(args: &AddArgs) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.config).await?;
    let (id, user) = (&args.partner, &args.user);
    if office.partner(id).is_ok() {
        bail!("there is a partner {id} already");
    }
    if office.partner(&args.like)?.like.is_some() {
        bail!("{} is itself an added partner: name one of the configuration", args.like);
    }
    check_user(user)?;
    if office.login(user).is_some() {
        bail!("the user {user} is another partner's");
    }
    office.check_free(id, user)?;
    let addresses = args.address.iter().map(ToString::to_string).collect();
    let added = AddedPartner { id: id.clone(), like: args.like.clone(), addresses };
    let mut changes = vec![Change::AddPartner(added), Change::AddLogin(user.clone())];
    if let Some(path) = &args.key {
        changes.extend(read_keys(user, path)?.into_iter().map(|(key, _fingerprint)| Change::SetKey(key)));
    }
    if args.password {
        changes.push(office.password(id, user)?);
    }
    office.amend(id, &changes, &args.said, "somebody else added the partner or the user just now").await?;
    print(&format!("{id} is added; {user} may log in within seconds\n"))
}
