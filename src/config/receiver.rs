//! Receivers: where routes send items.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::files;
use super::flow::{self, FlowConfig};
use super::maskinporten::{self, MaskinportenConfig, Office};
use super::partner::Partner;
use super::peer::{self, PeerConfig};
use super::reader::Section;
use super::soap::{self, SoapConfig};
use crate::model::{BatchLimits, HeaderTemplate, LateEvent, PartnerId};

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
}

/// Altinn 3 for messages.
#[derive(Debug, Clone)]
pub struct MessagesConfig {
    /// Where it is, and who we are to it.
    pub altinn: AltinnConfig,
    /// What is asked for after a message was taken.
    pub news: NewsConfig,
}

/// Altinn 3 for transfers of files.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where it is, and who we are to it.
    pub altinn: AltinnConfig,
    /// Files larger than this go in several pieces that can be gone on with.
    pub resumable_above_bytes: u64,
    /// The largest such piece.
    pub part_bytes: u64,
    /// What is asked for after a file was taken.
    pub news: NewsConfig,
    /// Calls of each kind in any minute; `None` for any number.
    pub calls_per_minute: Option<usize>,
    /// The same of lists and details.
    pub costly_calls_per_minute: Option<usize>,
}

/// What is asked for after an item was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsConfig {
    /// Which events.
    pub events: Vec<LateEvent>,
    /// When they are asked for first.
    pub first_wait_ms: u64,
    /// The wait between questions doubles up to this.
    pub max_wait_ms: u64,
    /// For so long.
    pub days: u64,
}

/// Altinn 3, with the credentials of a Maskinporten client.
#[derive(Debug, Clone)]
pub struct AltinnConfig {
    /// Base of the platform APIs, without a slash at the end.
    pub platform_url: String,
    /// Base of the apps, with `{org}` where the owner's name goes, without a slash at the end; empty for messages.
    pub apps_url: String,
    /// Ask the token exchange for Digdir's own test organisation.
    pub test_org: bool,
    /// Sent as Ocp-Apim-Subscription-Key, where the environment asks for one.
    pub subscription_key: Option<SecretString>,
    /// How we prove who we are.
    pub maskinporten: MaskinportenConfig,
    /// How we do so for partners with clients of their own.
    pub clients: Vec<(PartnerId, MaskinportenConfig)>,
    /// Longest wait for a connection.
    pub connect_ms: u64,
    /// Longest wait for a whole answer.
    pub timeout_ms: u64,
}

impl AltinnConfig {
    /// The partner's own client, where there is one.
    pub fn client_of(&self, partner: &PartnerId) -> Option<&MaskinportenConfig> {
        self.clients.iter().find(|(known, _)| known == partner).map(|(_, client)| client)
    }
}

impl ReceiverConfig {
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

/// An HTTP service.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where items are posted.
    pub url: String,
    /// An address with `{key}` in it that tells whether the service has an item.
    pub status_url: Option<String>,
    /// What the service knows us by.
    pub credential: Option<HttpCredential>,
    /// Headers beside our own.
    pub headers: Vec<HeaderTemplate>,
    /// A secret that requests are signed with.
    pub signing_secret: Option<SecretString>,
    /// Our certificate with its chain and private key, PEM.
    pub client_certificate: Option<SecretString>,
    /// Authorities that the service's certificate must come from, PEM, in place of the machine's.
    pub authorities: Option<String>,
    /// Longest wait for a connection.
    pub connect_ms: u64,
    /// Longest wait for a whole answer.
    pub timeout_ms: u64,
    /// How large batches may be, where it takes them.
    pub batches: Option<BatchLimits>,
}

/// What an HTTP service knows us by.
#[derive(Debug, Clone)]
pub enum HttpCredential {
    /// Sent as a bearer token.
    Bearer(SecretString),
    /// A bearer token that an authorization server gives for client credentials.
    Oauth {
        /// Where tokens are asked for.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// The client's secret.
        client_secret: SecretString,
        /// Scopes, with blanks between.
        scope: Option<String>,
    },
    /// Sent in a header of the service's choice.
    Header {
        /// The header's name.
        name: String,
        /// What is sent in it.
        value: SecretString,
    },
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

/// Addresses of one of Altinn's environments.
struct Environment {
    platform_url: &'static str,
    apps_url: &'static str,
    issuer: &'static str,
    token_url: &'static str,
    well_known_url: &'static str,
}

const TT02: Environment = Environment {
    platform_url: "https://platform.tt02.altinn.no",
    apps_url: "https://{org}.apps.tt02.altinn.no",
    issuer: "https://test.maskinporten.no/",
    token_url: "https://test.maskinporten.no/token",
    well_known_url: "https://test.maskinporten.no/.well-known/oauth-authorization-server",
};

const PRODUCTION: Environment = Environment {
    platform_url: "https://platform.altinn.no",
    apps_url: "https://{org}.apps.altinn.no",
    issuer: "https://maskinporten.no/",
    token_url: "https://maskinporten.no/token",
    well_known_url: "https://maskinporten.no/.well-known/oauth-authorization-server",
};

const MESSAGES_SCOPE: &str = "altinn:serviceowner altinn:correspondence.write altinn:correspondence.read";
const BROKER_SCOPE: &str = "altinn:serviceowner altinn:broker.write altinn:broker.read";
const SCOPE: &str = "altinn:serviceowner/instances.read altinn:serviceowner/instances.write";

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
        "altinn-app" => {
            altinn(section, SCOPE, true, partners).map(|config| ReceiverConfig::AltinnApp(Box::new(config)))
        }
        "altinn-correspondence" => {
            messages(section, partners).map(|config| ReceiverConfig::AltinnMessages(Box::new(config)))
        }
        "altinn-broker" => broker(section, partners).map(|config| ReceiverConfig::AltinnBroker(Box::new(config))),
        "http" => http(section).map(|config| ReceiverConfig::Http(Box::new(config))),
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

fn messages(section: &Section<'_>, partners: &[Partner]) -> Option<MessagesConfig> {
    let altinn = altinn(section, MESSAGES_SCOPE, false, partners);
    let news = news(section, &MESSAGE_NEWS, 30);
    Some(MessagesConfig { altinn: altinn?, news })
}

fn broker(section: &Section<'_>, partners: &[Partner]) -> Option<BrokerConfig> {
    let altinn = altinn(section, BROKER_SCOPE, false, partners);
    let resumable_above_bytes = section.number("resumable_above_bytes", 50_000_000, 0..=u64::MAX >> 1);
    let part_bytes = section.number("part_bytes", 50_000_000, 1_024..=u64::MAX >> 1);
    let news = news(section, &TRANSFER_NEWS, 60);
    let calls_per_minute = flow::per_minute(section, "calls_per_minute", 120);
    let costly_calls_per_minute = flow::per_minute(section, "costly_calls_per_minute", 10);
    let altinn = altinn?;
    Some(BrokerConfig { altinn, resumable_above_bytes, part_bytes, news, calls_per_minute, costly_calls_per_minute })
}

fn news(section: &Section<'_>, known: &[(&str, LateEvent)], days: u64) -> NewsConfig {
    let all = || known.iter().map(|(word, _)| (*word).to_owned()).collect();
    let words: Vec<String> = if section.has("news") { section.texts("news") } else { all() };
    let mut events = Vec::new();
    for word in &words {
        match known.iter().find(|(known, _)| known == word) {
            Some((_, event)) => events.push(*event),
            None => {
                let known: Vec<_> = known.iter().map(|(word, _)| format!("{word:?}")).collect();
                section.fault("news", format!("must be some of {}", known.join(", ")));
            }
        }
    }
    let first_wait_ms = section.number("news_first_wait_ms", 60_000, 100..=86_400_000);
    let max_wait_ms = section.number("news_max_wait_ms", 21_600_000, 100..=86_400_000);
    if max_wait_ms < first_wait_ms {
        section.fault("news_max_wait_ms", "is shorter than news_first_wait_ms");
    }
    NewsConfig { events, first_wait_ms, max_wait_ms, days: section.number("news_days", days, 1..=365) }
}

/// What may be asked for of a message.
const MESSAGE_NEWS: [(&str, LateEvent); 5] = [
    ("published", LateEvent::Published),
    ("failed", LateEvent::PublishFailed),
    ("reserved", LateEvent::Reserved),
    ("read", LateEvent::Read),
    ("confirmed", LateEvent::Confirmed),
];
/// What may be asked for of a transfer.
const TRANSFER_NEWS: [(&str, LateEvent); 4] = [
    ("published", LateEvent::Published),
    ("failed", LateEvent::PublishFailed),
    ("downloaded", LateEvent::Downloaded),
    ("expired", LateEvent::Expired),
];

fn altinn(section: &Section<'_>, scope: &str, to_apps: bool, partners: &[Partner]) -> Option<AltinnConfig> {
    let environment = environment(section);
    let preset = |pick: fn(&Environment) -> &'static str| environment.as_ref().map(pick);
    let platform_url = address(section, "platform_url", preset(|e| e.platform_url));
    let apps_url = if to_apps { address(section, "apps_url", preset(|e| e.apps_url)) } else { Some(String::new()) };
    let issuer = address(section, "issuer", preset(|e| e.issuer));
    let token_url = address(section, "token_url", preset(|e| e.token_url));
    let well_known_url = well_known_url(section, environment.as_ref());
    let office = Office { issuer, token_url, well_known_url };
    let maskinporten = maskinporten::read(section, &office, scope, &[]);
    let general = maskinporten.as_ref().map_or((scope, &[][..]), |client| (&client.scope, &client.resources));
    let clients = maskinporten::clients(section, &office, general, partners);
    let subscription_key = files::secret(section, "subscription_key_file");
    let (connect_ms, timeout_ms) = waits(section);
    let test_org = section.flag("test_org", false);
    let bare = |url: String| url.trim_end_matches('/').to_owned();
    Some(AltinnConfig {
        platform_url: bare(platform_url?),
        apps_url: bare(apps_url?),
        test_org,
        subscription_key,
        maskinporten: maskinporten?,
        clients,
        connect_ms,
        timeout_ms,
    })
}

fn environment(section: &Section<'_>) -> Option<Environment> {
    match section.text("environment")?.as_str() {
        "tt02" => Some(TT02),
        "production" => Some(PRODUCTION),
        _ => {
            section.fault("environment", "must be \"tt02\" or \"production\"; leave it out to give every address");
            None
        }
    }
}

/// Where the issuer tells its addresses: asked only for those that were not given.
fn well_known_url(section: &Section<'_>, environment: Option<&Environment>) -> Option<String> {
    let given = section.has("issuer") || section.has("token_url");
    let preset = environment.filter(|_| !given).map(|environment| environment.well_known_url);
    if section.has("well_known_url") {
        address(section, "well_known_url", preset)
    } else {
        preset.map(ToOwned::to_owned)
    }
}

/// An address: the file's own, else the environment's. Credentials travel there, so it must be encrypted or local.
fn address(section: &Section<'_>, key: &'static str, preset: Option<&'static str>) -> Option<String> {
    let Some(url) = section.text(key) else {
        if preset.is_none() {
            section.fault(key, "is missing: give it, or `environment`");
        }
        return preset.map(ToOwned::to_owned);
    };
    if !is_url(&url) {
        section.fault(key, "must be an address that begins with https://");
        return None;
    }
    if !is_private(&url) {
        section.fault(key, "must begin with https://; plain http is taken to this machine only");
        return None;
    }
    Some(url)
}

fn http(section: &Section<'_>) -> Option<HttpConfig> {
    let headers = headers(section);
    let signing_secret = files::secret(section, "signing_secret_file");
    let batches = batches(section);
    Some(HttpConfig { headers, signing_secret, batches, ..service(section, false)? })
}

/// What every service that is reached by HTTP has; what is sent may carry secrets beside the credential.
pub(super) fn service(section: &Section<'_>, sends_secret: bool) -> Option<HttpConfig> {
    section.required("url");
    let oauth = oauth(&section.section("oauth"));
    let credential = credential(section);
    if oauth.is_some() && credential.is_some() {
        section.fault("oauth", "give this or a fixed credential, not both");
    }
    let carries_secret = sends_secret
        || oauth.is_some()
        || ["bearer_token_file", "credential_file"].iter().any(|key| section.text(key).is_some());
    let client_certificate = client_certificate(section);
    let authorities = authorities(section);
    let url = service_address(section, "url", carries_secret);
    let status_url = service_address(section, "status_url", carries_secret);
    if status_url.as_ref().is_some_and(|url| !url.contains("{key}")) {
        section.fault("status_url", "must have {key} where the item's key goes");
    }
    let (connect_ms, timeout_ms) = waits(section);
    Some(HttpConfig {
        url: url?,
        status_url,
        credential: oauth.or(credential),
        headers: Vec::new(),
        signing_secret: None,
        client_certificate,
        authorities,
        connect_ms,
        timeout_ms,
        batches: None,
    })
}

/// `[receiver.<name>.oauth]`: a client of an authorization server.
fn oauth(section: &Section<'_>) -> Option<HttpCredential> {
    if !section.is_written() {
        return None;
    }
    section.required("token_url");
    let token_url = service_address(section, "token_url", true);
    let client_id = section.required("client_id");
    section.required("client_secret_file");
    let client_secret = files::secret(section, "client_secret_file");
    let scope = section.text("scope");
    Some(HttpCredential::Oauth { token_url: token_url?, client_id: client_id?, client_secret: client_secret?, scope })
}

fn headers(section: &Section<'_>) -> Vec<HeaderTemplate> {
    let mut headers = Vec::new();
    for line in section.texts("headers") {
        match line.parse() {
            Ok(header) => headers.push(header),
            Err(error) => section.fault("headers", format!("{error}")),
        }
    }
    headers
}

/// One PEM file with the certificate, its chain and the private key.
fn client_certificate(section: &Section<'_>) -> Option<SecretString> {
    let pem = files::secret(section, "client_certificate_file")?;
    let text = pem.expose_secret();
    if !text.contains("-----BEGIN CERTIFICATE-----") || !text.contains("PRIVATE KEY-----") {
        section.fault("client_certificate_file", "must hold a certificate and its private key, both in PEM form");
        return None;
    }
    Some(pem)
}

fn authorities(section: &Section<'_>) -> Option<String> {
    let pem = files::text(section, "ca_file")?;
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        section.fault("ca_file", "does not hold certificates in PEM form");
        return None;
    }
    Some(pem)
}

fn sftp(section: &Section<'_>) -> Option<SftpReceiverConfig> {
    let peer = peer::read(section);
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
fn batches(section: &Section<'_>) -> Option<BatchLimits> {
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

/// An address of an HTTP service. A secret must not be readable on the way; items alone are the operator's choice.
fn service_address(section: &Section<'_>, key: &'static str, carries_secret: bool) -> Option<String> {
    let url = section.text(key)?;
    if !is_url(&url) {
        section.fault(key, "must be an address that begins with https:// or http://");
        return None;
    }
    if is_private(&url) {
        return Some(url);
    }
    if carries_secret {
        section
            .fault(key, "must begin with https://, since a secret is sent there; plain http is to this machine only");
        return None;
    }
    section.source().warn(format!("{}: items travel unencrypted to another machine", section.place(key)));
    Some(url)
}

pub(super) fn credential(section: &Section<'_>) -> Option<HttpCredential> {
    let bearer = files::secret(section, "bearer_token_file");
    let name = section.text("credential_header");
    let value = files::secret(section, "credential_file");
    let given = |key: &'static str| section.text(key).is_some();
    if given("bearer_token_file") && name.is_some() {
        section.fault("credential_header", "give this or bearer_token_file, not both");
        return None;
    }
    if name.is_some() != given("credential_file") {
        section.fault("credential_header", "credential_header and credential_file go together");
        return None;
    }
    if name.as_ref().is_some_and(|name| name.is_empty() || !name.bytes().all(is_header_byte)) {
        section.fault("credential_header", "must be the name of a header, such as \"X-Api-Key\"");
        return None;
    }
    let secret = bearer.as_ref().map(|secret| ("bearer_token_file", secret));
    if let Some((key, secret)) = secret.or(value.as_ref().map(|secret| ("credential_file", secret)))
        && !secret.expose_secret().bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    {
        section.fault(key, "must hold one line of visible characters");
        return None;
    }
    let header = name.zip(value).map(|(name, value)| HttpCredential::Header { name, value });
    bearer.map(HttpCredential::Bearer).or(header)
}

fn is_header_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

pub(super) fn waits(section: &Section<'_>) -> (u64, u64) {
    (section.number("connect_ms", 10_000, 1..=600_000), section.number("timeout_ms", 100_000, 1..=3_600_000))
}

pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) && !text.contains(char::is_whitespace)
}

/// Tells whether nobody between here and there can read along.
pub(super) fn is_private(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return true };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.strip_prefix(local).is_some_and(|port| port.is_empty() || port.starts_with(':')))
}
