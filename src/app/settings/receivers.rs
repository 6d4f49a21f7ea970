//! Receivers, and how each is reached.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::adapters::altinn::{
    AltinnSettings, AppReceiver, BrokerLimits, BrokerReceiver, BrokerSettings, KeyIdentity, MaskinportenSettings,
    MessageReceiver, NewsSettings, SystemUser,
};
use crate::adapters::directory::DirectoryReceiver;
use crate::adapters::file_receiver::{FileReceiver, FileReceiverSettings};
use crate::adapters::key_file::PublicKey;
use crate::adapters::receiver::{Access, Credential, HttpReceiver, HttpSettings, OauthSettings, Trust, Waits};
use crate::adapters::sftp_client::{Peer, PeerWaits, Proof, SftpStore};
use crate::adapters::soap::{SoapReceiver, SoapSettings, UserPassword};
use crate::blocking::Blocking;
use crate::config::{
    AltinnConfig, BrokerConfig, FlowConfig, HttpConfig, HttpCredential, KeyName, NewsConfig, PeerConfig,
    ReceiverConfig, SftpReceiverConfig, SoapConfig,
};
use crate::forward::{Allowance, Filler, Keeper};
use crate::model::{PartnerId, Route};
use crate::ports::{Blobs, Clock, Held, Receiver, Transfers, Uploads};

/// What a receiver may be asked for.
pub(in crate::app) fn allowance(config: &FlowConfig) -> Allowance {
    Allowance { at_once: config.concurrency, per_minute: config.deliveries_per_minute }
}

/// What receivers remember over restarts.
pub(in crate::app) struct Memory {
    /// Contents that lie at a receiver.
    pub(in crate::app) uploads: Arc<dyn Uploads>,
    /// Transfers that were begun.
    pub(in crate::app) transfers: Arc<dyn Transfers>,
    /// What is kept until it is wanted.
    pub(in crate::app) held: Arc<dyn Held>,
    /// The bytes.
    pub(in crate::app) blobs: Arc<dyn Blobs>,
    /// The door to short reads.
    pub(in crate::app) disk: Blocking,
}

/// What Maskinporten clients have asked of Broker, by client: Altinn counts them whatever receivers they are.
pub(in crate::app) type Asked = HashMap<String, Arc<BrokerLimits>>;

/// A receiver that a route leads to.
pub(in crate::app) fn receiver(
    (route, config): (&Route, &ReceiverConfig),
    (memory, asked): (&Memory, &mut Asked),
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn Receiver>> {
    let partner = &route.partner;
    Ok(match config {
        ReceiverConfig::AltinnApp(config) => {
            let services = &route.services;
            let app = AppReceiver::new(altinn(config, partner), services.clone(), Arc::clone(clock))?;
            let filler = filler(route, memory);
            Arc::new(Keeper::new(Arc::new(app), services.clone(), filler, Arc::clone(clock)))
        }
        ReceiverConfig::AltinnMessages(config) => {
            let stores = (Arc::clone(&memory.uploads), Arc::clone(clock));
            let services = route.services.clone();
            Arc::new(MessageReceiver::new(altinn(&config.altinn, partner), services, news(&config.news), stores)?)
        }
        ReceiverConfig::AltinnBroker(config) => {
            let stores = (Arc::clone(&memory.transfers), Arc::clone(clock));
            let services = route.services.clone();
            let settings = altinn(&config.altinn, partner);
            let client = settings.maskinporten.client_id.clone();
            Arc::new(BrokerReceiver::new(settings, services, broker(config, client, asked), stores)?)
        }
        ReceiverConfig::Http(config) => Arc::new(HttpReceiver::new(http(config), Arc::clone(clock))?),
        ReceiverConfig::Soap(config) => Arc::new(SoapReceiver::new(soap(config), clock)?),
        ReceiverConfig::Directory(config) => Arc::new(DirectoryReceiver::open(&config.path)?),
        ReceiverConfig::Sftp(config) => Arc::new(sftp_receiver(config)?),
    })
}

fn filler(route: &Route, memory: &Memory) -> Filler {
    Filler {
        held: Arc::clone(&memory.held),
        blobs: Arc::clone(&memory.blobs),
        disk: memory.disk.clone(),
        partner: route.partner.clone(),
    }
}

fn sftp_receiver(config: &SftpReceiverConfig) -> anyhow::Result<FileReceiver> {
    // Items have their times in the ledger: the server's clock is not asked.
    let store = SftpStore::new(peer(&config.peer)?, &config.path, None);
    let settings = FileReceiverSettings { temporary: config.temporary.clone(), replace: config.replace };
    Ok(FileReceiver::new(Arc::new(store), settings))
}

/// A server of somebody else, and how we get in.
pub(in crate::app) fn peer(config: &PeerConfig) -> anyhow::Result<Peer> {
    let host_keys: Result<_, _> = config.host_keys.iter().map(|line| PublicKey::from_openssh(line)).collect();
    let (key, certificate) = (config.key_file.as_deref(), config.certificate_file.as_deref());
    Ok(Peer {
        host: config.host.clone(),
        port: config.port,
        host_keys: host_keys.context("a host key cannot be read")?,
        user: config.user.clone(),
        proof: Proof::read(key, certificate, config.password.clone())?,
        waits: PeerWaits {
            connect: Duration::from_millis(config.connect_ms),
            answer: Duration::from_millis(config.timeout_ms),
            ..PeerWaits::default()
        },
    })
}

fn broker(config: &BrokerConfig, client: String, asked: &mut Asked) -> BrokerSettings {
    let new = || Arc::new(BrokerLimits::per_minute(config.calls_per_minute, config.costly_calls_per_minute));
    BrokerSettings {
        resumable_above_bytes: config.resumable_above_bytes,
        part_bytes: config.part_bytes,
        news: news(&config.news),
        limits: Arc::clone(asked.entry(client).or_insert_with(new)),
    }
}

fn news(config: &NewsConfig) -> NewsSettings {
    NewsSettings {
        events: config.events.clone(),
        first_wait: Duration::from_millis(config.first_wait_ms),
        longest_wait: Duration::from_millis(config.max_wait_ms),
        lasts: Duration::from_secs(config.days * 24 * 3_600),
    }
}

/// With the client of the partner's own, where there is one.
fn altinn(config: &AltinnConfig, partner: &PartnerId) -> AltinnSettings {
    let client = config.client_of(partner).unwrap_or(&config.maskinporten);
    let day_end = |day: Date| day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    AltinnSettings {
        maskinporten: MaskinportenSettings {
            token_url: client.token_url.clone(),
            audience: client.issuer.clone(),
            client_id: client.client_id.clone(),
            scope: client.scope.clone(),
            private_key: client.key.clone(),
            identity: match &client.key_name {
                KeyName::Kid(kid) => KeyIdentity::KeyId(kid.clone()),
                KeyName::Chain(pem) => KeyIdentity::Certificates(pem.clone()),
            },
            consumer_org: client.consumer_org.clone(),
            resources: client.resources.clone(),
            well_known_url: client.well_known_url.clone(),
            system_user: client
                .system_user
                .clone()
                .map(|(organisation, reference)| SystemUser { organisation, reference }),
            key_ends_at: client.key_expires.and_then(day_end),
        },
        platform_base: config.platform_url.clone(),
        apps_base: config.apps_url.clone(),
        test_exchange: config.test_org,
        subscription_key: config.subscription_key.clone(),
        waits: Waits { connect_ms: config.connect_ms, answer_ms: config.timeout_ms },
    }
}

fn http(config: &HttpConfig) -> HttpSettings {
    HttpSettings {
        url: config.url.clone(),
        status_url: config.status_url.clone(),
        credential: config.credential.clone().map(credential),
        headers: config.headers.clone(),
        signing_secret: config.signing_secret.clone(),
        trust: Trust { identity: config.client_certificate.clone(), authorities: config.authorities.clone() },
        waits: Waits { connect_ms: config.connect_ms, answer_ms: config.timeout_ms },
    }
}

fn soap(config: &SoapConfig) -> SoapSettings {
    let HttpSettings { url, status_url, credential, trust, waits, .. } = http(&config.service);
    let place = config.credential_place;
    let user = config.user.clone().map(|(name, password)| UserPassword { name, password, place });
    let access = Access { url, status_url, credential, trust, waits };
    SoapSettings { access, version: config.version, mtom: config.mtom, user }
}

pub(super) fn credential(credential: HttpCredential) -> Credential {
    match credential {
        HttpCredential::Bearer(token) => Credential::Bearer(token),
        HttpCredential::Oauth { token_url, client_id, client_secret, scope } => {
            Credential::Oauth(OauthSettings { token_url, client_id, client_secret, scope })
        }
        HttpCredential::Header { name, value } => Credential::Header { name, value },
    }
}
