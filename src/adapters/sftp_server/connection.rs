//! One SSH connection: login, then SFTP channels and nothing else.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use russh::keys::{Algorithm, Certificate};
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::model::WeekHours;

use super::bandwidth::Bandwidth;
use super::channel;
use super::defender::Defender;
use super::login::{Entrance, Logins};
use super::offers::Age;
use super::premises::Premises;
use super::scp::{self, Scp};
use super::session::Session as SftpSession;
use super::settings::{Network, SftpLimits};
use super::strangers::{Stranger, Strangers};
use super::tree::Tree;

/// What all connections share.
pub(super) struct Shared {
    pub(super) premises: Arc<Premises>,
    pub(super) logins: Logins,
    pub(super) defender: Defender,
    pub(super) strangers: Arc<Strangers>,
    pub(super) proxies: Vec<Network>,
    /// By number of partner.
    pub(super) partners: Vec<PartnerSeat>,
    pub(super) limits: SftpLimits,
    pub(super) stop: CancellationToken,
}

/// A partner and what more it may have.
pub(super) struct PartnerSeat {
    pub(super) tree: Tree,
    /// Where its logins may come from; empty means anywhere.
    pub(super) addresses: Vec<Network>,
    pub(super) older_algorithms: bool,
    /// When its logins are taken; empty means always.
    pub(super) hours: Vec<WeekHours>,
    pub(super) time_zone: TimeZone,
    /// Connections.
    pub(super) seats: Arc<Semaphore>,
    /// Channels and open handles of all its connections together: each takes memory or open files of ours.
    pub(super) channels: Arc<Semaphore>,
    pub(super) handles: Arc<Semaphore>,
    pub(super) bandwidth: Option<Arc<Bandwidth>>,
}

/// One connection.
pub(super) struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    age: Age,
    /// Its place among those that have not logged in.
    stranger: Option<Stranger>,
    /// Told once when the login has succeeded.
    logged_in: Option<oneshot::Sender<()>>,
    /// Which of key and password was right, of a user who needs both.
    first: Option<(String, Method)>,
    granted: Option<Granted>,
    /// Channels that are open and have no subsystem yet.
    waiting: HashMap<ChannelId, (Channel<Msg>, ChannelRoom)>,
    room_for_channels: Arc<Semaphore>,
    channels: TaskTracker,
}

/// Room for one channel: of its connection, and of the partner.
type ChannelRoom = (OwnedSemaphorePermit, OwnedSemaphorePermit);

struct Granted {
    tree: Arc<Tree>,
    channels: Arc<Semaphore>,
    handles: Arc<Semaphore>,
    bandwidth: Option<Arc<Bandwidth>>,
    _seat: OwnedSemaphorePermit,
}

impl Connection {
    /// A connection before its login. `channels` tracks the work of its channels.
    pub(super) fn new(
        shared: Arc<Shared>,
        peer: SocketAddr,
        age: Age,
        stranger: Stranger,
        logged_in: oneshot::Sender<()>,
        channels: TaskTracker,
    ) -> Self {
        Self {
            shared,
            peer,
            age,
            stranger: Some(stranger),
            logged_in: Some(logged_in),
            first: None,
            granted: None,
            waiting: HashMap::new(),
            room_for_channels: Arc::new(Semaphore::new(MAX_CHANNELS)),
            channels,
        }
    }

    async fn grant(&mut self, user: &str, entrance: Option<Entrance>, method: Method) -> Auth {
        let opened = entrance.and_then(|entrance| Some((self.shared.partners.get(entrance.partner)?, entrance)));
        let Some((seat, entrance)) = opened else { return self.refuse_login(user, method).await };
        let partner = &seat.tree.partner;
        if let Some(reason) = self.barred(seat) {
            tracing::warn!(peer = %self.peer, user = %printable(user), %partner, reason, "login refused");
            return self.refuse_login(user, method).await;
        }
        if entrance.needs_both && !self.is_second(user, method) {
            self.first = Some((user.to_owned(), method));
            let others = if method.is_password() { &[MethodKind::PublicKey][..] } else { &PASSWORDS };
            return Auth::Reject { proceed_with_methods: Some(MethodSet::from(others)), partial_success: true };
        }
        self.shared.defender.welcomed(self.peer.ip(), user);
        warn_of_end(user, entrance.expires, self.shared.premises.now());
        let Ok(taken) = Arc::clone(&seat.seats).try_acquire_owned() else {
            tracing::warn!(peer = %self.peer, %partner, "login refused: the partner has too many connections");
            return Auth::reject();
        };
        tracing::info!(peer = %self.peer, user = %printable(user), %partner, %method, "logged in");
        self.granted = Some(Granted {
            tree: Arc::new(seat.tree.seen_by(user)),
            channels: Arc::clone(&seat.channels),
            handles: Arc::clone(&seat.handles),
            bandwidth: seat.bandwidth.clone(),
            _seat: taken,
        });
        Auth::Accept
    }

    /// Refuses a login, the later the more have been refused; the same whatever was wrong with it.
    async fn refuse_login(&self, user: &str, method: Method) -> Auth {
        tracing::warn!(peer = %self.peer, user = %printable(user), %method, "login refused");
        tokio::time::sleep(self.shared.defender.refused(self.peer.ip(), user).await).await;
        Auth::reject()
    }

    /// Whether the other of key and password was right before, for the same user.
    fn is_second(&self, user: &str, method: Method) -> bool {
        self.first.as_ref().is_some_and(|(name, first)| name == user && first.is_password() != method.is_password())
    }

    /// Why a login that is right in itself is not taken on this connection.
    fn barred(&self, seat: &PartnerSeat) -> Option<&'static str> {
        let address = self.peer.ip().to_canonical();
        if !seat.addresses.is_empty() && !seat.addresses.iter().any(|network| network.contains(&address)) {
            return Some("the address is not one of the partner's");
        }
        let now = self.shared.premises.now();
        if !seat.hours.is_empty() && !seat.hours.iter().any(|hours| hours.contain(now, &seat.time_zone)) {
            return Some("it is outside the partner's hours");
        }
        // The address is one of another partner that asked for older algorithms.
        (self.age == Age::Older && !seat.older_algorithms).then_some("the partner takes no older algorithms")
    }

    fn channel_room(&self) -> Option<ChannelRoom> {
        let own = Arc::clone(&self.room_for_channels).try_acquire_owned().ok()?;
        let partners = Arc::clone(&self.granted.as_ref()?.channels).try_acquire_owned().ok()?;
        Some((own, partners))
    }

    fn start_sftp(&mut self, id: ChannelId, session: &Session) -> bool {
        let Some((channel, room)) = self.waiting.remove(&id) else { return false };
        let Some(granted) = &self.granted else { return false };
        let sftp = SftpSession::new(
            Arc::clone(&self.shared.premises),
            Arc::clone(&granted.tree),
            self.shared.limits.max_handles,
            Arc::clone(&granted.handles),
        );
        let span = tracing::info_span!("sftp", partner = %granted.tree.partner, peer = %self.peer);
        let bandwidth = granted.bandwidth.clone();
        let work = channel::serve(channel, session.handle(), sftp, bandwidth, self.shared.stop.clone());
        let work = async move {
            work.await;
            drop(room);
        };
        self.channels.spawn(Box::pin(work.instrument(span)));
        true
    }

    fn start_scp(&mut self, id: ChannelId, target: String) -> bool {
        let Some((channel, room)) = self.waiting.remove(&id) else { return false };
        let Some(granted) = &self.granted else { return false };
        let scp = Scp {
            premises: Arc::clone(&self.shared.premises),
            tree: Arc::clone(&granted.tree),
            handles: Arc::clone(&granted.handles),
            target,
            bandwidth: granted.bandwidth.clone(),
            stop: self.shared.stop.clone(),
        };
        let span = tracing::info_span!("scp", partner = %granted.tree.partner, peer = %self.peer);
        let work = async move {
            scp::serve(channel, scp).await;
            drop(room);
        };
        self.channels.spawn(Box::pin(work.instrument(span)));
        true
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        // Whether the user or the key is unknown looks the same from outside.
        let now = self.shared.premises.now();
        let known = modern(offer.algorithm) && self.shared.logins.may_open(user, offer.public_key, now);
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let opened = self.shared.logins.by_key(user, key.public_key, self.shared.premises.now());
        let opened = opened.filter(|_| modern(key.algorithm));
        Ok(self.grant(user, opened, Method::Key).await)
    }

    async fn auth_openssh_certificate(&mut self, user: &str, certificate: &Certificate) -> Result<Auth, Self::Error> {
        let opened = self.shared.logins.by_certificate(user, certificate, self.peer.ip());
        Ok(self.grant(user, opened, Method::Certificate).await)
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut answers) = response else { return Ok(ask_for_password()) };
        let answer = answers.next().unwrap_or_default();
        let password = SecretString::from(String::from_utf8_lossy(&answer).into_owned());
        let opened = self.shared.logins.by_password(user, password.expose_secret()).await;
        Ok(self.grant(user, opened, Method::Keyboard).await)
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let opened = self.shared.logins.by_password(user, password).await;
        Ok(self.grant(user, opened, Method::Password).await)
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Self::Error> {
        self.stranger = None;
        if let Some(logged_in) = self.logged_in.take() {
            // Nobody listens when the connection is being ended.
            let _ = logged_in.send(());
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.channel_room() {
            Some(room) => {
                self.waiting.insert(channel.id(), (channel, room));
                reply.accept().await;
            }
            None => reply.reject(ChannelOpenFailure::ResourceShortage).await,
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.waiting.remove(&channel);
        Ok(())
    }

    async fn subsystem_request(&mut self, id: ChannelId, name: &str, session: &mut Session) -> Result<(), Self::Error> {
        if name == "sftp" && self.start_sftp(id, session) {
            session.channel_success(id)
        } else {
            session.channel_failure(id)
        }
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        self.refuse(id, "a shell", session)
    }

    async fn exec_request(&mut self, id: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let target = scp::target(data).filter(|_| self.shared.limits.scp);
        if target.is_some_and(|target| self.start_scp(id, target)) {
            session.channel_success(id)
        } else {
            self.refuse(id, "a command", session)
        }
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(id)
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(id)
    }

    async fn x11_request(
        &mut self,
        id: ChannelId,
        _single: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(id)
    }
}

impl Connection {
    fn refuse(&self, id: ChannelId, what: &str, session: &mut Session) -> Result<(), russh::Error> {
        tracing::info!(peer = %self.peer, what, "refused: only SFTP is served");
        session.channel_failure(id)
    }
}

/// How a login was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Key,
    Certificate,
    Password,
    Keyboard,
}

impl Method {
    fn is_password(self) -> bool {
        matches!(self, Self::Password | Self::Keyboard)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "public key",
            Self::Certificate => "certificate",
            Self::Password => "password",
            Self::Keyboard => "keyboard-interactive",
        })
    }
}

/// Tells the log of a key whose last day is near.
fn warn_of_end(user: &str, expires: Option<Timestamp>, now: Timestamp) {
    if let Some(expires) = expires.filter(|expires| expires.duration_since(now) < WARN_BEFORE) {
        tracing::warn!(user = %printable(user), %expires, "the key of this login ends soon; agree on the next one");
    }
}

/// A signature with SHA-1, which RSA keys had once, opens nothing.
fn modern(algorithm: &Algorithm) -> bool {
    *algorithm != Algorithm::Rsa { hash: None }
}

/// Keyboard-interactive is the password by another name: some clients are set to it and to nothing else.
fn ask_for_password() -> Auth {
    let prompts = vec![("Password: ".into(), false)];
    Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() }
}

/// What comes from outside before any login must not break a log line or fill one.
pub(super) fn printable(text: &str) -> String {
    text.chars().take(MAX_PRINTED).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Ways to give the password.
const PASSWORDS: [MethodKind; 2] = [MethodKind::Password, MethodKind::KeyboardInteractive];
const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);
const MAX_PRINTED: usize = 256;
/// Channels of one connection at a time.
const MAX_CHANNELS: usize = 8;
