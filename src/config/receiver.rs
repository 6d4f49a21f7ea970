//! Receivers: where routes send items.

use std::path::PathBuf;

use super::altinn::{self, AltinnConfig, BrokerConfig, MessagesConfig};
use super::flow::{self, FlowConfig};
use super::http::{self, HttpConfig, is_private};
use super::maskinporten::MaskinportenConfig;
use super::partner::Partner;
use super::peer::{self, PeerConfig};
use super::reader::Section;
use super::soap::{self, SoapConfig};
use crate::model::{BatchLimits, PartnerId};

/// Where a route's items go.
#[derive(Debug, Clone)]
pub enum ReceiverConfig {
    /// Altinn 3 apps, as instances.
    AltinnApp(Box<AltinnConfig>),
    /// Altinn 3 messages.
    AltinnMessages(Box<MessagesConfig>),
    /// Altinn 3 Broker.
    AltinnBroker(Box<BrokerConfig>),
    /// An HTTP service that takes one item, or one batch of items, per POST.
    Http(Box<HttpConfig>),
    /// A SOAP service that takes a batch of items per call.
    Soap(Box<SoapConfig>),
    /// A local directory.
    Directory(DirectoryConfig),
    /// A directory of an SFTP server.
    Sftp(Box<SftpReceiverConfig>),
}

impl ReceiverConfig {
    /// How large batches may be, where the receiver takes them.
    pub fn batches(&self) -> Option<BatchLimits> {
        match self {
            Self::AltinnApp(_) | Self::AltinnMessages(_) | Self::AltinnBroker(_) => None,
            Self::Http(config) => config.batches,
            Self::Soap(config) => config.service.batches,
            Self::Directory(config) => config.batches,
            Self::Sftp(config) => config.batches,
        }
    }

    /// The Maskinporten client that is a partner's own, where there is one.
    pub fn client_of(&self, partner: &PartnerId) -> Option<&MaskinportenConfig> {
        match self {
            Self::AltinnApp(config) => config.client_of(partner),
            Self::AltinnMessages(config) => config.altinn.client_of(partner),
            Self::AltinnBroker(config) => config.altinn.client_of(partner),
            Self::Http(_) | Self::Soap(_) | Self::Directory(_) | Self::Sftp(_) => None,
        }
    }

    /// How long an answer may take from another machine; `None` when nothing leaves this one.
    pub(super) fn distant_timeout_ms(&self) -> Option<u64> {
        let (url, timeout_ms) = match self {
            Self::AltinnApp(config) => (&config.apps_url, config.timeout_ms),
            Self::AltinnMessages(config) => (&config.altinn.platform_url, config.altinn.timeout_ms),
            Self::AltinnBroker(config) => (&config.altinn.platform_url, config.altinn.timeout_ms),
            Self::Http(config) => (&config.url, config.timeout_ms),
            Self::Soap(config) => (&config.service.url, config.service.timeout_ms),
            Self::Directory(_) => return None,
            Self::Sftp(config) => return Some(config.peer.timeout_ms),
        };
        let distant = !url.starts_with("http://") || !is_private(url);
        distant.then_some(timeout_ms)
    }
}

/// A local directory.
#[derive(Debug, Clone)]
pub struct DirectoryConfig {
    /// Which.
    pub path: PathBuf,
    /// How large batches may be, where it takes them.
    pub batches: Option<BatchLimits>,
}

/// A directory of an SFTP server.
#[derive(Debug, Clone)]
pub struct SftpReceiverConfig {
    /// Which server, and how to get in.
    pub peer: PeerConfig,
    /// The directory, absolute or below the login's own.
    pub path: String,
    /// The name a file has until it is whole, below the directory, with `{name}` in it.
    pub temporary: String,
    /// Whether a file of the same name is replaced.
    pub replace: bool,
    /// How large batches may be, where it takes them.
    pub batches: Option<BatchLimits>,
}

/// A receiver by its name; one with faults is there by name only, so that routes to it are not reported too.
pub(super) type Named = (String, Option<(ReceiverConfig, FlowConfig)>);

/// Reads `[receiver.<name>]`.
pub(super) fn read(root: &Section<'_>, partners: &[Partner]) -> Vec<Named> {
    let read_one = |(name, section): (String, Section<'_>)| {
        let (flow, receiver) = (flow::read(&section), receiver(&section, partners));
        (name, receiver.map(|receiver| (receiver, flow)))
    };
    root.named("receiver").into_iter().map(read_one).collect()
}

fn receiver(section: &Section<'_>, partners: &[Partner]) -> Option<ReceiverConfig> {
    let kind = section.required("kind");
    match kind.as_deref().unwrap_or_default() {
        "altinn-app" => altinn::apps(section, partners).map(|config| ReceiverConfig::AltinnApp(Box::new(config))),
        "altinn-correspondence" => {
            altinn::messages(section, partners).map(|config| ReceiverConfig::AltinnMessages(Box::new(config)))
        }
        "altinn-broker" => {
            altinn::broker(section, partners).map(|config| ReceiverConfig::AltinnBroker(Box::new(config)))
        }
        "http" => http::read(section).map(|config| ReceiverConfig::Http(Box::new(config))),
        "soap" => soap::read(section).map(|config| ReceiverConfig::Soap(Box::new(config))),
        "directory" => {
            section.required("path");
            let (path, batches) = (section.path("path"), batches(section));
            Some(ReceiverConfig::Directory(DirectoryConfig { path: path?, batches }))
        }
        "sftp" => sftp(section).map(|config| ReceiverConfig::Sftp(Box::new(config))),
        _ => {
            if kind.is_some() {
                section.fault(
                    "kind",
                    "must be \"altinn-app\", \"altinn-correspondence\", \"altinn-broker\", \"http\", \"soap\", \"sftp\" or \
                     \"directory\"",
                );
            }
            section.leave();
            None
        }
    }
}

fn sftp(section: &Section<'_>) -> Option<SftpReceiverConfig> {
    let peer = peer::read(section, http::waits(section));
    let path = section.text("path").unwrap_or_default();
    let temporary = section.text("temporary").unwrap_or_else(|| TEMPORARY.to_owned());
    let names = temporary.split('/').all(|name| !matches!(name, "" | "." | ".."));
    if !names || temporary.matches("{name}").count() != 1 || temporary == "{name}" {
        section
            .fault("temporary", "must be a name below the directory other than {name} alone, with {name} in it once");
    }
    let (replace, batches) = (section.flag("replace", false), batches(section));
    Some(SftpReceiverConfig { peer: peer?, path, temporary, replace, batches })
}

/// The name a file has until it is whole: most servers' jobs pass over names that begin with a dot.
const TEMPORARY: &str = ".{name}.part";

/// Whether the receiver takes batches, and how large ones.
pub(super) fn batches(section: &Section<'_>) -> Option<BatchLimits> {
    let given = section.has("batch_items") || section.has("batch_bytes");
    let limits = batch_limits(section);
    match section.text("take").as_deref().unwrap_or("items") {
        "batches" => return Some(limits),
        "items" if given => section.fault("take", "must be \"batches\" where batch_items or batch_bytes are given"),
        "items" => {}
        _ => section.fault("take", "must be \"items\" or \"batches\""),
    }
    None
}

/// How large batches may be.
pub(super) fn batch_limits(section: &Section<'_>) -> BatchLimits {
    BatchLimits {
        items: section.number("batch_items", BatchLimits::DEFAULT.items, 1..=10_000),
        bytes: section.number("batch_bytes", BatchLimits::DEFAULT.bytes, 1..=u64::MAX >> 1),
    }
}
