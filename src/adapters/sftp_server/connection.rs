//! One SSH connection: login, then SFTP channels and nothing else.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use russh::keys::{Algorithm, Certificate, HashAlg};
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::measures;

use super::channel;
use super::defender::Defender;
use super::line::Ends;
use super::login::Entrance;
use super::offers::Age;
use super::premises::Premises;
use super::roster::{Roster, Shares};
use super::scp::{self, Scp};
use super::session::Session as SftpSession;
use super::settings::{Network, SftpLimits};
use super::strangers::{Stranger, Strangers};
use super::tree::Tree;
use super::waiting::Waiting;
use super::window::Distance;

/// What all connections share.
pub(super) struct Shared {
    pub(super) premises: Arc<Premises>,
    pub(super) roster: RwLock<Arc<Roster>>,
    /// Keys and certificates that open nothing any more.
    pub(super) revoked: String,
    pub(super) defender: Defender,
    pub(super) strangers: Arc<Strangers>,
    pub(super) proxies: Vec<Network>,
    pub(super) limits: SftpLimits,
    pub(super) stop: CancellationToken,
}

impl Shared {
    /// Who may log in just now.
    pub(super) fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another roster in place.
    pub(super) fn replace_roster(&self, next: Roster) {
        let next = Arc::new(next);
        let before =
            std::mem::replace(&mut *self.roster.write().unwrap_or_else(PoisonError::into_inner), Arc::clone(&next));
        before.give_way_to(&next);
    }
}

/// One connection.
pub(super) struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    age: Age,
    /// Its place among those that have not logged in.
    stranger: Option<Stranger>,
    /// Told once when the login has succeeded, with what ends the connection when the partner must leave.
    logged_in: Option<oneshot::Sender<CancellationToken>>,
    /// Which of key and password was right, of a user who needs both.
    first: Option<(String, Method)>,
    granted: Option<Granted>,
    /// The first user and fingerprint of a key that was offered and opens nothing.
    in_vain: Option<(String, String)>,
    /// Channels that are open and have no subsystem yet.
    waiting: HashMap<ChannelId, Waiting>,
    room_for_channels: Arc<Semaphore>,
    channels: TaskTracker,
    ends: Ends,
    distance: Distance,
}

/// Room for one channel: of its connection, and of the partner.
type ChannelRoom = (OwnedSemaphorePermit, OwnedSemaphorePermit);

struct Granted {
    tree: Arc<Tree>,
    shares: Shares,
    _seat: OwnedSemaphorePermit,
}

impl Connection {
    /// A connection before its login. The tracker is for the work of its channels.
    pub(super) fn new(
        shared: Arc<Shared>,
        peer: SocketAddr,
        age: Age,
        stranger: Stranger,
        logged_in: oneshot::Sender<CancellationToken>,
        (channels, ends): (TaskTracker, Ends),
    ) -> Self {
        Self {
            shared,
            peer,
            age,
            stranger: Some(stranger),
            logged_in: Some(logged_in),
            first: None,
            granted: None,
            in_vain: None,
            waiting: HashMap::new(),
            room_for_channels: Arc::new(Semaphore::new(MAX_CHANNELS)),
            channels,
            ends,
            distance: Distance::default(),
        }
    }

    async fn grant(&mut self, user: &str, entrance: Option<Entrance>, method: Method) -> Result<Auth, russh::Error> {
        let opened = entrance.and_then(|entrance| Some((self.shared.roster().seat(&entrance.partner)?, entrance)));
        let Some((seat, entrance)) = opened else { return self.refuse_login(user, method).await };
        let partner = &seat.tree.partner;
        if let Some(reason) = seat.barred(self.peer.ip(), self.age, self.shared.premises.now()) {
            tracing::warn!(peer = %self.peer, user = %self.named(user), %partner, reason, "login refused");
            return self.refuse_login(user, method).await;
        }
        if entrance.needs_both && !self.is_second(user, method) {
            self.first = Some((user.to_owned(), method));
            let others = if method.is_password() { &[MethodKind::PublicKey][..] } else { &PASSWORDS };
            return Ok(Auth::Reject { proceed_with_methods: Some(MethodSet::from(others)), partial_success: true });
        }
        self.shared.defender.welcomed(self.peer.ip(), user);
        warn_of_end(user, entrance.expires, self.shared.premises.now());
        let Ok(taken) = Arc::clone(&seat.shares.seats).try_acquire_owned() else {
            tracing::warn!(peer = %self.peer, %partner, "login refused: the partner has too many connections");
            return Ok(Auth::reject());
        };
        measures::logged_in(partner);
        tracing::info!(peer = %self.peer, user = %self.named(user), %partner, %method, "logged in");
        self.granted =
            Some(Granted { tree: Arc::new(seat.tree.seen_by(user)), shares: seat.shares.clone(), _seat: taken });
        Ok(Auth::Accept)
    }

    /// Refuses a login, the later the more have been refused; the same whatever was wrong with it.
    async fn refuse_login(&self, user: &str, method: Method) -> Result<Auth, russh::Error> {
        measures::login_refused();
        tracing::warn!(peer = %self.peer, user = %self.named(user), %method, "login refused");
        // Counted also when nobody waits for the answer.
        let wait = self.shared.defender.refused(self.peer.ip(), user).await;
        self.unless_cut(tokio::time::sleep(wait)).await?;
        Ok(Auth::reject())
    }

    /// What a password opens.
    async fn by_password(&self, user: &str, password: &str) -> Result<Option<Entrance>, russh::Error> {
        self.unless_cut(self.shared.roster().logins.by_password(user, password)).await
    }

    /// Waits, but not for a line that was cut: its seat is another's by then, and who waits on takes memory that nobody
    /// counts.
    async fn unless_cut<T>(&self, waited: impl Future<Output = T>) -> Result<T, russh::Error> {
        self.ends.cut.run_until_cancelled(waited).await.ok_or(russh::Error::Disconnect)
    }

    /// The user's name for the log, if there is such a user: what else is typed there may be a password or somebody's id.
    fn named(&self, user: &str) -> String {
        if self.shared.roster().logins.knows(user) { printable(user) } else { "unknown".to_owned() }
    }

    /// Whether the other of key and password was right before, for the same user.
    fn is_second(&self, user: &str, method: Method) -> bool {
        self.first.as_ref().is_some_and(|(name, first)| name == user && first.is_password() != method.is_password())
    }

    fn channel_room(&self) -> Option<ChannelRoom> {
        let own = Arc::clone(&self.room_for_channels).try_acquire_owned().ok()?;
        let partners = Arc::clone(&self.granted.as_ref()?.shares.channels).try_acquire_owned().ok()?;
        Some((own, partners))
    }

    fn start_sftp(&mut self, id: ChannelId, session: &Session) -> bool {
        let Some(waiting) = self.waiting.remove(&id) else { return false };
        let Some(granted) = &self.granted else { return false };
        let sftp = SftpSession::new(
            Arc::clone(&self.shared.premises),
            Arc::clone(&granted.tree),
            self.shared.limits.max_handles,
            Arc::clone(&granted.shares.handles),
        );
        let span = tracing::info_span!("sftp", partner = %granted.tree.partner, peer = %self.peer);
        let shares = granted.shares.clone();
        let (handle, ends) = (session.handle(), self.ends.clone());
        waiting
            .begin(move |channel, first| channel::serve((channel, first), handle, sftp, shares, ends).instrument(span))
    }

    fn start_scp(&mut self, id: ChannelId, target: String) -> bool {
        let Some(waiting) = self.waiting.remove(&id) else { return false };
        let Some(granted) = &self.granted else { return false };
        let scp = Scp {
            premises: Arc::clone(&self.shared.premises),
            tree: Arc::clone(&granted.tree),
            handles: Arc::clone(&granted.shares.handles),
            target,
            bandwidth: granted.shares.bandwidth.clone(),
            ends: self.ends.clone(),
        };
        let span = tracing::info_span!("scp", partner = %granted.tree.partner, peer = %self.peer);
        waiting.begin(move |channel, first| scp::serve((channel, first), scp).instrument(span))
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        // Whether the user or the key is unknown looks the same from outside.
        let now = self.shared.premises.now();
        let known = modern(offer.algorithm) && self.shared.roster().logins.may_open(user, offer.public_key, now);
        if known {
            return Ok(Auth::Accept);
        }
        let fingerprint = offer.public_key.fingerprint(HashAlg::Sha256).to_string();
        self.in_vain.get_or_insert_with(|| (printable(user), fingerprint));
        Ok(Auth::reject())
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let opened = self.shared.roster().logins.by_key(user, key.public_key, self.shared.premises.now());
        let opened = opened.filter(|_| modern(key.algorithm));
        self.grant(user, opened, Method::Key).await
    }

    async fn auth_openssh_certificate(&mut self, user: &str, certificate: &Certificate) -> Result<Auth, Self::Error> {
        let opened = self.shared.roster().logins.by_certificate(user, certificate, self.peer.ip());
        self.grant(user, opened, Method::Certificate).await
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
        let opened = self.by_password(user, password.expose_secret()).await?;
        self.grant(user, opened, Method::Keyboard).await
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let opened = self.by_password(user, password).await?;
        self.grant(user, opened, Method::Password).await
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Self::Error> {
        self.stranger = None;
        if let (Some(logged_in), Some(granted)) = (self.logged_in.take(), &self.granted) {
            // Nobody listens when the connection is being ended.
            let _ = logged_in.send(granted.shares.shown_out.clone());
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
                let id = channel.id();
                let (waiting, serving) = Waiting::new(channel, self.ends.stop.clone());
                self.waiting.insert(id, waiting);
                self.channels.spawn(async move {
                    serving.await;
                    drop(room);
                });
                reply.accept().await;
                self.distance.answered(Instant::now());
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
        self.distance.asked(Instant::now());
        if name == "sftp" && self.start_sftp(id, session) {
            session.channel_success(id)
        } else {
            session.channel_failure(id)
        }
    }

    fn adjust_window(&mut self, _channel: ChannelId, _current: u32) -> u32 {
        self.distance.window()
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        self.refuse(id, "a shell", session)
    }

    async fn exec_request(&mut self, id: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        self.distance.asked(Instant::now());
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

impl Drop for Connection {
    /// Counts a login by keys that none of them opened: once, since an agent may offer many before the right one.
    fn drop(&mut self) {
        let (Some((user, fingerprint)), None) = (self.in_vain.take(), &self.granted) else { return };
        measures::login_refused();
        let (peer, method) = (self.peer, Method::Key);
        tracing::warn!(%peer, user = %self.named(&user), %method, %fingerprint, "login refused");
        let shared = Arc::clone(&self.shared);
        self.channels.spawn(async move { shared.defender.refused(peer.ip(), &user).await });
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
