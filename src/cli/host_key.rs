//! `sluse host-key`: the keys the SFTP server shows, and the next ones.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::table::{json_lines, table};
use super::{ConfigArgs, overrides, print};
use crate::adapters::sftp_server::{HostKey, HostKeyKind, Shown, make_host_key, read_host_keys, retire_host_key};
use crate::config::Config;

/// What to do with host keys.
#[derive(Debug, Subcommand)]
pub enum HostKeyCommand {
    /// List the keys: which are shown, which wait, and until when their certificates hold
    List(ListArgs),
    /// Write lines for the senders' known_hosts files, also of keys that wait
    KnownHosts(KnownHostsArgs),
    /// Make a key: the first of its algorithm, or the one that is shown next
    Make(KindArgs),
    /// Set the key of an algorithm aside, so that the one that waits is shown from the next start on
    Retire(KindArgs),
}

/// How to list them.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// One JSON object per key
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What senders call the server.
#[derive(Debug, clap::Args)]
pub struct KnownHostsArgs {
    /// The names and addresses senders connect to
    #[arg(value_name = "HOST", required = true)]
    pub hosts: Vec<String>,
    /// The port senders connect to, where it is another than the one listened on
    #[arg(long)]
    pub port: Option<u16>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Which kind of key.
#[derive(Debug, clap::Args)]
pub struct KindArgs {
    /// The algorithm
    #[arg(long, value_enum, default_value_t = Kind::Ed25519)]
    pub algorithm: Kind,
    #[command(flatten)]
    config: ConfigArgs,
}

/// The algorithms of new keys.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// Ed25519
    Ed25519,
    /// ECDSA on the curve P-256
    Ecdsa,
}

impl From<Kind> for HostKeyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Ed25519 => Self::Ed25519,
            Kind::Ecdsa => Self::Ecdsa,
        }
    }
}

/// Does it.
pub(super) fn run(command: &HostKeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        HostKeyCommand::List(args) => list(args),
        HostKeyCommand::KnownHosts(args) => known_hosts(args),
        HostKeyCommand::Make(args) => make(args),
        HostKeyCommand::Retire(args) => retire(args),
    }
}

/// One key; `docs/operating.md` promises its shape.
#[derive(Serialize)]
struct KeyLine {
    file: String,
    algorithm: String,
    fingerprint: String,
    shown: &'static str,
    certificate: Option<String>,
}

fn list(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config.config, overrides())?;
    let lines: Vec<_> = read_host_keys(&config.sftp.host_key_dir)?.iter().map(line).collect();
    if args.json {
        return print(&json_lines(lines)?);
    }
    let rows = lines.into_iter().map(|line| {
        let certificate = line.certificate.unwrap_or_else(|| "-".to_owned());
        [line.algorithm, line.fingerprint, line.shown.to_owned(), certificate, line.file]
    });
    print(&table(["algorithm", "fingerprint", "shown", "certificate", "file"], rows))
}

fn line(key: &HostKey) -> KeyLine {
    let until = |until: Option<_>| until.map_or_else(|| "no end".to_owned(), |until| format!("until {until:.0}"));
    KeyLine {
        file: key.path().display().to_string(),
        algorithm: key.algorithm(),
        fingerprint: key.fingerprint(),
        shown: match key.shown() {
            Shown::Everybody => "everybody",
            Shown::OlderClients => "older clients",
            Shown::Nobody => "waits",
        },
        certificate: key.certified_until().map(until),
    }
}

fn known_hosts(args: &KnownHostsArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config.config, overrides())?;
    let port = args.port.unwrap_or(config.sftp.listen.port());
    let hosts: Vec<_> = args.hosts.iter().map(|host| known_as(host, port)).collect();
    let hosts = hosts.join(",");
    let keys = read_host_keys(&config.sftp.host_key_dir)?;
    if keys.is_empty() {
        bail!("there are no host keys in {} yet", config.sftp.host_key_dir.display());
    }
    let authorities: BTreeSet<_> = keys.iter().filter_map(HostKey::authority).collect();
    let own = keys.iter().map(|key| format!("{hosts} {}\n", key.public()));
    let of_authorities = authorities.iter().map(|authority| format!("@cert-authority {hosts} {authority}\n"));
    print(&own.chain(of_authorities).collect::<String>())
}

/// A host as clients write it: with the port where that is not 22.
fn known_as(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}

fn make(args: &KindArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config.config, overrides())?;
    match make_host_key(&config.sftp.host_key_dir, args.algorithm.into())? {
        Some(path) => print(&format!("{}\n", path.display())),
        None => bail!("a key of this algorithm waits already: tell senders of it, then retire the one that is shown"),
    }
}

fn retire(args: &KindArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config.config, overrides())?;
    match retire_host_key(&config.sftp.host_key_dir, args.algorithm.into())? {
        Some(aside) => print(&format!("{}\n", aside.display())),
        None => bail!("no key of this algorithm waits to take its place: make one and tell senders of it first"),
    }
}
