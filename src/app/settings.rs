//! From the configuration to what each adapter is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::adapters::alarm::{EmailChannel, EmailSettings, MailTls, WebhookChannel, WebhookSettings};
use crate::adapters::altinn::{
    AltinnSettings, AppReceiver, BrokerLimits, BrokerReceiver, BrokerSettings, KeyIdentity, MaskinportenSettings,
    MessageReceiver, NewsSettings, SystemUser,
};
use crate::adapters::directory::DirectoryReceiver;
use crate::adapters::file_receiver::{FileReceiver, FileReceiverSettings};
use crate::adapters::key_file::PublicKey;
use crate::adapters::prefill_service::PrefillService;
use crate::adapters::receiver::{Access, Credential, HttpReceiver, HttpSettings, OauthSettings, Trust, Waits};
use crate::adapters::sftp_client::{Peer, PeerWaits, Proof, SftpStore};
use crate::adapters::sftp_server::{Defence, Login, PartnerAccess, SftpLimits, SftpSettings};
use crate::adapters::soap::{SoapReceiver, SoapSettings, UserPassword};
use crate::blocking::Blocking;
use crate::config::{
    self, AlarmConfig, AltinnConfig, BrokerConfig, Config, DefenderConfig, EmailConfig, FlowConfig, HttpConfig,
    HttpCredential, JobConfig, KeyName, NewsConfig, Partner, PeerConfig, ReceiverConfig, RouteConfig,
    SftpReceiverConfig, SoapConfig, WebhookConfig,
};
use crate::forward::{Allowance, Filler, Keeper, Server};
use crate::model::{AppTarget, PartnerId, PrefillMode, Route, RouteName};
use crate::pipeline::{Expected, House, Prefilling, Report, Retention, RouteDeadline, Schedule, Signers, Timekeeper};
use crate::ports::{Blobs, Channel, Clock, Held, Job, Quota, Receiver, Timetable, Transfers, Uploads};

/// What the SFTP server is told.
pub(super) fn sftp(config: &Config, partners: Vec<PartnerAccess>) -> SftpSettings {
    SftpSettings {
        listen: config.sftp.listen,
        host_key_dir: config.sftp.host_key_dir.clone(),
        partners,
        defence: defence(&config.sftp.defence),
        proxies: config.sftp.proxies.clone(),
        revoked: config.sftp.revoked.clone(),
        limits: SftpLimits {
            max_connections: config.sftp.max_connections,
            max_strangers_per_address: config.sftp.max_strangers_per_address,
            max_connections_per_partner: config.sftp.max_connections_per_partner,
            max_login_attempts: config.sftp.max_login_attempts,
            max_handles: config.sftp.max_handles,
            max_handles_per_partner: config.sftp.max_handles_per_partner,
            max_channels_per_partner: config.sftp.max_channels_per_partner,
            scp: config.sftp.scp,
            login_time: Duration::from_millis(config.sftp.login_ms),
            idle_time: Duration::from_millis(config.sftp.idle_ms),
            rejection_time: Duration::from_millis(config.sftp.rejection_ms),
            drain_time: Duration::from_millis(config.worker.stop_ms),
        },
    }
}

/// What a configured partner has.
pub(super) fn access(partner: &Partner, config: &Config) -> PartnerAccess {
    let routes = || config.routes.iter().map(|route| &route.route).filter(|route| route.partner == partner.id);
    let dirs = |pick: fn(&Route) -> &String| -> Vec<String> {
        routes().map(pick).collect::<BTreeSet<_>>().into_iter().cloned().collect()
    };
    let login = |login: &crate::config::Login| Login {
        user: login.user.clone(),
        public_keys: login.public_keys.iter().cloned().map(Into::into).collect(),
        authorities: login.authorities.clone(),
        principals: login.principals.clone(),
        needs_both: login.needs_both,
        password_hash: login.password_hash.clone(),
    };
    PartnerAccess {
        partner: partner.id.clone(),
        logins: partner.logins.iter().map(login).collect(),
        inboxes: dirs(|route| &route.inbox),
        tests: dirs(|route| &route.test),
        receipts: dirs(|route| &route.receipts),
        outboxes: dirs(|route| &route.outbox),
        removable: removable(partner, config),
        hours: partner.hours.clone(),
        time_zone: partner.time_zone.clone(),
        bytes_per_second: partner.bytes_per_second,
        addresses: partner.addresses.clone(),
        older_algorithms: partner.older_algorithms,
        quota: Quota { bytes: partner.quota_bytes, files: partner.quota_files },
        max_file_bytes: routes().map(|route| route.max_file_bytes).max().unwrap_or(0),
    }
}

/// Directories of receipts and files for the partner from which every route that uses them lets the partner remove.
fn removable(partner: &Partner, config: &Config) -> Vec<String> {
    let routes = config.routes.iter().filter(|route| route.route.partner == partner.id);
    let (mut open, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for route in routes {
        let into = if route.may_remove { &mut open } else { &mut kept };
        into.extend([route.route.receipts.clone(), route.route.outbox.clone()]);
    }
    open.difference(&kept).cloned().collect()
}

fn defence(config: &DefenderConfig) -> Defence {
    Defence {
        ban_score: config.ban_score,
        window: Duration::from_millis(config.window_ms),
        ban_time: Duration::from_millis(config.ban_ms),
        wait: Duration::from_millis(config.wait_ms),
        longest_wait: Duration::from_millis(config.longest_wait_ms),
        allow: config.allow.clone(),
    }
}

/// The keys that sign receipts.
pub(crate) fn signers(config: &Config) -> Signers {
    let own = |route: &RouteConfig| Some((route.route.name.clone(), Arc::clone(route.signer.as_ref()?)));
    Signers { by_route: config.routes.iter().filter_map(own).collect(), other: config.signer.clone() }
}

/// By when the shipments of routes must be through.
pub(super) fn deadlines(config: &Config) -> HashMap<RouteName, RouteDeadline> {
    let deadline = |route: &RouteConfig| {
        let (deadline, channels) = route.deadline.clone()?;
        Some((route.route.name.clone(), RouteDeadline { deadline, channels }))
    };
    config.routes.iter().filter_map(deadline).collect()
}

/// What a receiver may be asked for.
pub(super) fn allowance(config: &FlowConfig) -> Allowance {
    Allowance { at_once: config.concurrency, per_minute: config.deliveries_per_minute }
}

/// What receivers remember over restarts.
pub(super) struct Memory {
    /// Contents that lie at a receiver.
    pub(super) uploads: Arc<dyn Uploads>,
    /// Transfers that were begun.
    pub(super) transfers: Arc<dyn Transfers>,
    /// What is kept until it is wanted.
    pub(super) held: Arc<dyn Held>,
    /// The bytes.
    pub(super) blobs: Arc<dyn Blobs>,
    /// The door to short reads.
    pub(super) disk: Blocking,
}

/// What Maskinporten clients have asked of Broker, by client: Altinn counts them whatever receivers they are.
pub(super) type Asked = HashMap<String, Arc<BrokerLimits>>;

/// A receiver that a route leads to.
pub(super) fn receiver(
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

/// Where apps ask for what is kept for them; `None` where they do not.
pub(super) async fn prefill_service(
    config: &Config,
    house: &House,
    held: &Arc<dyn Held>,
) -> anyhow::Result<Option<PrefillService>> {
    let Some(service) = &config.prefill.service else { return Ok(None) };
    let filler = |route: &Route| Filler {
        held: Arc::clone(held),
        blobs: Arc::clone(&house.blobs),
        disk: house.disk.clone(),
        partner: route.partner.clone(),
    };
    let mut apps: Vec<(Filler, AppTarget)> = Vec::new();
    for route in config.routes.iter().map(|route| &route.route) {
        for app in route.services.rows.iter().filter_map(|row| row.app.as_ref()) {
            let is_known = apps.iter().any(|(filler, known)| filler.partner == route.partner && known.id() == app.id());
            if app.prefill.mode == PrefillMode::Serve && !is_known {
                apps.push((filler(route), app.clone()));
            }
        }
    }
    let forms = Arc::new(Server { ledger: Arc::clone(&house.ledger), apps, clock: Arc::clone(&house.clock) });
    let bound = PrefillService::bind(service.listen, service.token.clone(), forms).await;
    let bound = bound.with_context(|| format!("cannot serve prefill at {}", service.listen))?;
    tracing::info!(listen = %service.listen, "apps can ask for what is kept for them");
    Ok(Some(bound))
}

/// Who looks after what is kept.
pub(super) fn prefilling(config: &Config, house: &House, held: Arc<dyn Held>) -> Prefilling {
    Prefilling {
        house: house.clone(),
        held,
        after_midnight: SignedDuration::from_mins(i64::from(config.prefill.at_minute)),
        by_schedule: config.schedules.iter().any(|schedule| schedule.job == JobConfig::Prefill),
    }
}

fn sftp_receiver(config: &SftpReceiverConfig) -> anyhow::Result<FileReceiver> {
    // Items have their times in the ledger: the server's clock is not asked.
    let store = SftpStore::new(peer(&config.peer)?, &config.path, None);
    let settings = FileReceiverSettings { temporary: config.temporary.clone(), replace: config.replace };
    Ok(FileReceiver::new(Arc::new(store), settings))
}

/// A server of somebody else, and how we get in.
pub(super) fn peer(config: &PeerConfig) -> anyhow::Result<Peer> {
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

fn credential(credential: HttpCredential) -> Credential {
    match credential {
        HttpCredential::Bearer(token) => Credential::Bearer(token),
        HttpCredential::Oauth { token_url, client_id, client_secret, scope } => {
            Credential::Oauth(OauthSettings { token_url, client_id, client_secret, scope })
        }
        HttpCredential::Header { name, value } => Credential::Header { name, value },
    }
}

/// Who keeps the timetable, and how.
pub(crate) fn timekeeper(
    config: &Config,
    prefilling: &Prefilling,
    ledger: Arc<dyn Timetable>,
) -> anyhow::Result<Timekeeper> {
    let house = &prefilling.house;
    let mut channels = HashMap::new();
    for (name, alarm) in &config.alarms {
        channels.insert(name.clone(), channel(alarm).with_context(|| format!("alarm {name}"))?);
    }
    let schedule = |schedule: &config::ScheduleConfig| Schedule {
        name: schedule.name.clone(),
        times: schedule.times.clone(),
        misfire: schedule.misfire,
        job: job(schedule.job, prefilling),
        longest: Duration::from_millis(schedule.timeout_ms),
        channels: schedule.channels.clone(),
    };
    let expected = |expected: &config::ExpectedConfig| Expected {
        expectation: expected.expectation.clone(),
        partner: expected.partner.clone(),
        route: expected.route.clone(),
        channels: expected.channels.clone(),
    };
    Ok(Timekeeper {
        ledger,
        clock: Arc::clone(&house.clock),
        look: house.pace.look,
        schedules: config.schedules.iter().map(schedule).collect(),
        expected: config.expected.iter().map(expected).collect(),
        receivers: receivers(config, house),
        channels,
    })
}

/// Receivers by name; a partner with a client of its own has one of its own.
fn receivers(config: &Config, house: &House) -> Vec<(String, Arc<dyn Receiver>)> {
    let mut receivers = BTreeMap::new();
    for route in &config.routes {
        let Some(destination) = house.receivers.get(&route.route.name) else { continue };
        for ((name, receiver, _), destination) in route.leads().zip(destination.all()) {
            let own = receiver.client_of(&route.route.partner).is_some();
            let name = if own { format!("{name}/{}", route.route.partner) } else { name.clone() };
            receivers.entry(name).or_insert_with(|| Arc::clone(destination.receiver()));
        }
    }
    receivers.into_iter().collect()
}

fn job(job: JobConfig, prefilling: &Prefilling) -> Arc<dyn Job> {
    match job {
        JobConfig::Retention => Arc::new(Retention(prefilling.house.clone())),
        JobConfig::Report => Arc::new(Report(prefilling.house.clone())),
        JobConfig::Prefill => Arc::new(prefilling.clone()),
    }
}

fn channel(alarm: &AlarmConfig) -> anyhow::Result<Arc<dyn Channel>> {
    Ok(match alarm {
        AlarmConfig::Email(config) => Arc::new(EmailChannel::new(email(config))?),
        AlarmConfig::Webhook(config) => Arc::new(WebhookChannel::new(webhook(config))?),
    })
}

fn webhook(config: &WebhookConfig) -> WebhookSettings {
    WebhookSettings {
        url: config.url.clone(),
        credential: config.credential.clone().map(credential),
        waits: Waits { connect_ms: config.connect_ms, answer_ms: config.timeout_ms },
    }
}

fn email(config: &EmailConfig) -> EmailSettings {
    EmailSettings {
        server: config.server.clone(),
        port: config.port,
        tls: match config.tls {
            config::MailTls::StartTls => MailTls::StartTls,
            config::MailTls::Wrapped => MailTls::Wrapped,
            config::MailTls::None => MailTls::None,
        },
        login: config.login.clone(),
        from: config.from.clone(),
        to: config.to.clone(),
    }
}
