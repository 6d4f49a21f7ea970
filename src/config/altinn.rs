//! Receivers of Altinn 3: apps, messages and files, and who we are to them.

use secrecy::SecretString;

use super::http::{is_private, is_url, waits};
use super::maskinporten::{self, MaskinportenConfig, Office};
use super::partner::Partner;
use super::reader::Section;
use super::{files, flow};
use crate::model::{LateEvent, PartnerId};

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

/// Reads a receiver of instances.
pub(super) fn apps(section: &Section<'_>, partners: &[Partner]) -> Option<AltinnConfig> {
    read(section, SCOPE, true, partners)
}

/// Reads a receiver of messages.
pub(super) fn messages(section: &Section<'_>, partners: &[Partner]) -> Option<MessagesConfig> {
    let altinn = read(section, MESSAGES_SCOPE, false, partners);
    let news = news(section, &MESSAGE_NEWS, 30);
    Some(MessagesConfig { altinn: altinn?, news })
}

/// Reads a receiver of files.
pub(super) fn broker(section: &Section<'_>, partners: &[Partner]) -> Option<BrokerConfig> {
    let altinn = read(section, BROKER_SCOPE, false, partners);
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

fn read(section: &Section<'_>, scope: &str, to_apps: bool, partners: &[Partner]) -> Option<AltinnConfig> {
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
