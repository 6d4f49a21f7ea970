//! `sluse partner test`.

use std::fs;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};

use super::Office;
use super::key::keys;
use crate::adapters::key_file::PublicKey;
use crate::adapters::ledger::Record;
use crate::adapters::sftp_client::{Peer, PeerWaits, Proof, SftpClient};
use crate::adapters::sftp_server::{Attempt, Login, Shown, read_host_keys, refusal};
use crate::app::partners::{Standing, admitted};
use crate::cli::{ConfigArgs, print};
use crate::model::PartnerId;
use crate::ports::{Clock as _, StoreError, SystemClock};

/// Whose login to try, and how.
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// The partner
    #[arg(value_name = "PARTNER")]
    pub partner: PartnerId,
    /// One of its logins, instead of all
    #[arg(long)]
    pub user: Option<String>,
    /// A file with the public key that the login shows, instead of each that it has
    #[arg(long, value_name = "FILE", requires = "user")]
    pub key: Option<PathBuf>,
    /// Where the login comes from
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<IpAddr>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Lines of what was looked at, and whether something is wrong.
#[derive(Default)]
struct Report {
    text: String,
    is_wrong: bool,
}

impl Report {
    fn say(&mut self, wrong: Option<&str>, what: &str) {
        self.is_wrong |= wrong.is_some();
        let line = match wrong {
            None => format!("ok     {what}\n"),
            Some(wrong) => format!("wrong  {what}: {wrong}\n"),
        };
        self.text.push_str(&line);
    }
}

/// Tries it and tells.
pub(super) async fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.config).await?;
    let partner = office.partner(&args.partner)?;
    let mut report = Report::default();
    report.say(partner.disabled.then_some("it is disabled"), &format!("partner {}", args.partner));
    routes(&mut report, &office, partner);
    quota(&mut report, &office, partner).await?;
    let logins = logins(args, partner)?;
    if logins.is_empty() {
        report.say(Some("it has no login"), "nobody can log in");
    }
    for login in logins {
        try_login(&mut report, args, &office, login)?;
    }
    gateway(&office, &mut report).await;
    print(&report.text)?;
    Ok(if report.is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn logins<'p>(args: &TestArgs, partner: &'p Standing) -> anyhow::Result<Vec<&'p Login>> {
    let wanted = |login: &&Login| args.user.as_ref().is_none_or(|user| login.user == *user);
    let logins: Vec<_> = partner.access.logins.iter().filter(wanted).collect();
    match &args.user {
        Some(user) if logins.is_empty() => bail!("{} has no login {user}", args.partner),
        _ => Ok(logins),
    }
}

fn routes(report: &mut Report, office: &Office, partner: &Standing) {
    let pattern = partner.like.as_ref().unwrap_or(&partner.access.partner);
    let routes: Vec<_> = office.config.routes.iter().filter(|route| route.route.partner == *pattern).collect();
    if routes.is_empty() {
        report.say(Some("every file would be refused"), "no route");
    }
    for route in routes {
        let route = &route.route;
        report.say(None, &format!("route {}: {} files in /{}", route.name, route.format.as_str(), route.inbox));
    }
}

async fn quota(report: &mut Report, office: &Office, partner: &Standing) -> anyhow::Result<()> {
    let mut record = Record::open(&office.ledger).await?;
    let used = record.usage(&partner.access.partner).await?;
    record.close().await?;
    let quota = partner.access.quota;
    let full = used.bytes >= quota.bytes || used.files >= quota.files;
    let what = format!("{} of {} bytes and {} of {} files used", used.bytes, quota.bytes, used.files, quota.files);
    report.say(full.then_some("the area is full"), &what);
    Ok(())
}

fn try_login(report: &mut Report, args: &TestArgs, office: &Office, login: &Login) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let admitted = admitted(&office.partners);
    let mut attempt = |key: Option<&str>, what: &str| -> anyhow::Result<()> {
        let attempt = Attempt { user: &login.user, key, from: args.from, now };
        let refused = refusal(&admitted, &office.config.sftp.revoked, &attempt)?;
        report.say(refused.as_deref(), what);
        Ok(())
    };
    if let Some(path) = &args.key {
        let line = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        return attempt(Some(&line), &format!("{} with the key in {}", login.user, path.display()));
    }
    let (has_password, mut has_key) = (login.password_hash.is_some(), !login.authorities.is_empty());
    for (key, fingerprint) in keys(login) {
        // A key that was ended is no fault of the login.
        if key.until.is_none_or(|until| until > now) {
            has_key = true;
            attempt(Some(&key.key), &format!("{} with {fingerprint}{}", login.user, ends(key.until, now)))?;
        }
    }
    if login.password_hash.is_some() {
        attempt(None, &format!("{} with its password", login.user))?;
    }
    match (has_key, has_password) {
        (false, false) => report.say(Some("nothing opens it: no key that has not ended, no password"), &login.user),
        (false, true) | (true, false) if login.needs_both => {
            report.say(Some("it needs a key and a password, and has one of them"), &login.user);
        }
        _ => {}
    }
    Ok(())
}

fn ends(until: Option<Timestamp>, now: Timestamp) -> String {
    match until {
        Some(until) if until.duration_since(now) < SOON => format!(", which ends soon: {until:.0}"),
        Some(until) => format!(", which ends {until:.0}"),
        None => String::new(),
    }
}

/// Where this machine finds what listens everywhere.
fn address(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Looks whether the gateway answers: nobody else has a key of its directory. Nothing is offered for a login.
async fn gateway(office: &Office, report: &mut Report) {
    let listens = address(office.config.sftp.listen);
    let dir = &office.config.sftp.host_key_dir;
    let host_keys = match pinned(dir) {
        Ok(host_keys) => host_keys,
        Err(error) => {
            let what = format!("something that speaks SSH answers at {listens}; its key is not compared: {error}");
            return report.say(greeting(listens).err().as_deref(), &what);
        }
    };
    let (host, port) = (listens.ip().to_string(), listens.port());
    let waits = PeerWaits { connect: PATIENCE, answer: PATIENCE, ..PeerWaits::default() };
    let peer = Peer { host, port, host_keys, user: "test".to_owned(), proof: Proof::default(), waits };
    let wrong = match SftpClient::connect(&peer).await {
        // That far it comes with a right key alone.
        Ok(_) | Err(StoreError::Login) => None,
        Err(StoreError::HostKey { fingerprint }) => Some(format!(
            "it shows {fingerprint}, which is no key in {}: another program, or a gateway to be restarted after \
             `host-key retire`",
            dir.display()
        )),
        Err(error) => Some(error.to_string()),
    };
    report.say(wrong.as_deref(), &format!("the gateway answers at {listens}"));
}

/// The keys that the gateway may show.
fn pinned(dir: &Path) -> anyhow::Result<Vec<PublicKey>> {
    let shown = read_host_keys(dir)?.into_iter().filter(|key| key.shown() != Shown::Nobody);
    Ok(shown.map(|key| key.public().parse()).collect::<Result<_, _>>()?)
}

/// Looks whether an SSH server answers.
fn greeting(address: SocketAddr) -> Result<(), String> {
    let answer = || -> std::io::Result<[u8; 4]> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut start = [0; 4];
        stream.read_exact(&mut start)?;
        Ok(start)
    };
    match answer() {
        Ok(start) if start == *b"SSH-" => Ok(()),
        Ok(_) => Err("what answers is no SSH server".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A gateway that is at work on much answers late; one that is down refuses at once.
const PATIENCE: Duration = Duration::from_secs(30);
