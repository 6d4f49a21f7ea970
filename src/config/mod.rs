//! Raw TOML to a checked configuration, all faults reported at once, each with its place.
//!
//! Scalar settings can be overridden from the environment (`SLUSE_SFTP__LISTEN`), secrets stand in files of their own.
//! Nothing here opens a port or creates a file: a configuration is checked before anything happens.

mod altinn;
mod app;
mod broker;
mod fault;
mod files;
mod flow;
mod format;
mod http;
mod lead;
mod maskinporten;
mod message;
mod partner;
mod password;
mod peer;
mod place;
mod prefill;
mod reader;
mod receipts;
mod receiver;
mod route;
mod rules;
mod schedule;
mod sftp;
mod soap;
mod source;
mod times;
mod transfer;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

pub use altinn::{AltinnConfig, BrokerConfig, MessagesConfig, NewsConfig};
pub use fault::{ConfigError, Fault, Faults};
pub use flow::FlowConfig;
pub use http::{HttpConfig, HttpCredential};
pub use lead::Lead;
pub use maskinporten::{KeyName, MaskinportenConfig};
pub use partner::{Login, Partner};
pub use password::{PasswordError, hash_password};
pub use peer::PeerConfig;
pub use place::{PlaceConfig, PolledConfig, WatchedConfig};
pub use prefill::{PrefillConfig, PrefillService};
pub use receiver::{DirectoryConfig, ReceiverConfig, SftpReceiverConfig};
pub use route::RouteConfig;
pub use schedule::{AlarmConfig, EmailConfig, ExpectedConfig, JobConfig, MailTls, ScheduleConfig, WebhookConfig};
pub use sftp::{DefenderConfig, SftpConfig};
pub use soap::SoapConfig;
pub use source::SourceConfig;

use crate::formats::broker::Rules;
use crate::receipt::Signer;
use reader::{Section, Source};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the ledger and the blobs lie.
    pub data_dir: PathBuf,
    /// The SFTP server.
    pub sftp: SftpConfig,
    /// The conductor.
    pub worker: WorkerConfig,
    /// Logs.
    pub log: LogConfig,
    /// Where measures are served; `None` serves none.
    pub metrics: Option<SocketAddr>,
    /// What is kept until it is wanted.
    pub prefill: PrefillConfig,
    /// Who has an area.
    pub partners: Vec<Partner>,
    /// Where files go.
    pub routes: Vec<RouteConfig>,
    /// The key that signs the receipts of routes without one of their own.
    pub signer: Option<Arc<Signer>>,
    /// How broker ZIPs are judged.
    pub broker: Rules,
    /// What runs when.
    pub schedules: Vec<ScheduleConfig>,
    /// Files that are expected.
    pub expected: Vec<ExpectedConfig>,
    /// Where files are taken from.
    pub sources: Vec<SourceConfig>,
    /// How people are told of alarms, by name.
    pub alarms: Vec<(String, AlarmConfig)>,
    /// What an operator should know and that is no fault.
    pub warnings: Vec<String>,
}

/// The conductor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerConfig {
    /// Shipments judged at once, and as many others forwarded at once.
    pub shipments: usize,
    /// A lease not renewed for so long may be taken by another worker.
    pub lease_ms: u64,
    /// Pause between looks for work that nobody announced.
    pub poll_ms: u64,
    /// A shipment without a final receipt for so long raises an alarm.
    pub overdue_ms: u64,
    /// The bytes of a shipment are kept for so long after its final receipt.
    pub keep_ms: u64,
    /// A graceful stop waits so long for running requests.
    pub stop_ms: u64,
}

/// Logs, on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// One line of text or one JSON object per event.
    pub format: LogFormat,
    /// Which events, as `info` or `sluse=debug,info`.
    pub filter: String,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Config {
    /// The ledger's file.
    pub fn ledger_file(&self) -> PathBuf {
        self.data_dir.join("ledger.sqlite")
    }

    /// Reads and checks a file; relative paths in it start at its directory.
    pub fn load(path: &Path, overrides: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let absolute = std::path::absolute(path).map_err(unreadable)?;
        Self::parse(&text, absolute.parent().unwrap_or(Path::new("/")), overrides)
    }

    /// Checks a text; relative paths in it start at `base`.
    pub fn parse(
        text: &str,
        base: &Path,
        overrides: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let source = Source::new(text, base, overrides);
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            source.fault(error.span().map(|span| source.line(span.start)), "", error.message());
        }
        // What could not be parsed would only be reported again as missing.
        let config = if errors.is_empty() { read(&source.root(document.get_ref())) } else { None };
        let (faults, warnings) = source.finish();
        match config {
            Some(config) if faults.is_empty() => Ok(Self { warnings, ..config }),
            _ => Err(ConfigError::Faulty(Faults(faults))),
        }
    }
}

fn read(root: &Section<'_>) -> Option<Config> {
    root.required("data_dir");
    let data_dir = root.path("data_dir");
    let defender = sftp::defender(&root.section("defender"));
    let sftp = sftp::read(&root.section("sftp"), data_dir.as_deref(), defender);
    let worker = worker(&root.section("worker"));
    let log = log(&root.section("log"));
    let metrics = metrics(&root.section("metrics"));
    let partners = partner::read(root);
    let receivers = receiver::read(root, &partners);
    let calendars = times::calendars(root);
    let formats = format::read(root);
    let alarms = schedule::alarms(root);
    let routes = route::read(root, &partners, &receivers, (&formats, &calendars, &alarms));
    let serves = routes.iter().any(|route| route.route.services.serves());
    let prefill = prefill::read(&root.section("prefill"), serves);
    let schedules = schedule::schedules(root, &calendars, &alarms);
    let expected = schedule::expected(root, &partners, &routes, &calendars, &alarms);
    let sources = source::read(root, &partners, (&routes, &receivers), &calendars, &alarms);
    let alarms = alarms.into_iter().filter_map(|(name, alarm)| Some((name, alarm?))).collect();
    let signer = receipts::signer(&root.section("signing"), "key_file");
    let broker = broker::read(root);
    check_logins(root, &partners);
    let warnings = Vec::new();
    Some(Config {
        data_dir: data_dir?,
        sftp: sftp?,
        worker,
        log: log?,
        metrics,
        prefill,
        partners,
        routes,
        signer,
        broker,
        schedules,
        expected,
        sources,
        alarms,
        warnings,
    })
}

fn worker(section: &Section<'_>) -> WorkerConfig {
    let shipments = section.number("shipments", 4, 1..=256);
    WorkerConfig {
        shipments: usize::try_from(shipments).unwrap_or(1),
        lease_ms: section.number("lease_ms", 60_000, 1_000..=3_600_000),
        poll_ms: section.number("poll_ms", 1_000, 10..=3_600_000),
        keep_ms: section.number("keep_ms", 2_592_000_000, 60_000..=315_360_000_000),
        overdue_ms: section.number("overdue_ms", 3_600_000, 1_000..=2_592_000_000),
        stop_ms: section.number("stop_ms", 30_000, 0..=3_600_000),
    }
}

/// `[metrics]`. They tell who sends how much: what is not loopback is pointed out.
fn metrics(section: &Section<'_>) -> Option<SocketAddr> {
    let listen: SocketAddr = section.parsed("listen")?;
    if !listen.ip().is_loopback() {
        section.source().warn(format!("{}: metrics can be read from other machines", section.place("listen")));
    }
    Some(listen)
}

fn log(section: &Section<'_>) -> Option<LogConfig> {
    let filter = section.text("filter").unwrap_or_else(|| "info".to_owned());
    if let Err(error) = filter.parse::<tracing_subscriber::EnvFilter>() {
        section.fault("filter", format!("is not a log filter such as \"info\" or \"sluse=debug,info\": {error}"));
    }
    let format = match section.text("format").as_deref() {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(_) => {
            section.fault("format", "must be \"text\" or \"json\"");
            return None;
        }
    };
    Some(LogConfig { format, filter })
}

/// A user name leads to one area only.
fn check_logins(root: &Section<'_>, partners: &[Partner]) {
    let mut areas = BTreeMap::new();
    for partner in partners {
        for login in &partner.logins {
            let Some(other) = areas.insert(&login.user, &partner.id) else { continue };
            let place = format!("partner.{}.login.{}", partner.id, login.user);
            root.source().fault(None, place, format!("the user is already a login of partner {other}"));
        }
    }
}

#[cfg(test)]
mod tests;
