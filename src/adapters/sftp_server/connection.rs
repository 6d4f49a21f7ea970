//! One SSH connection: login, then SFTP channels and nothing else.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use russh::keys::{Algorithm, EcdsaCurve};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Preferred, Pty, SshId, cipher, kex, mac};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::channel;
use super::login::Logins;
use super::premises::Premises;
use super::session::Session as SftpSession;
use super::settings::SftpLimits;
use super::strangers::Stranger;
use super::tree::Tree;

/// What all connections share.
pub(super) struct Shared {
    pub(super) premises: Arc<Premises>,
    pub(super) logins: Logins,
    /// By number of partner.
    pub(super) partners: Vec<PartnerSeat>,
    pub(super) limits: SftpLimits,
    pub(super) stop: CancellationToken,
}

/// A partner and what more it may have.
pub(super) struct PartnerSeat {
    pub(super) tree: Arc<Tree>,
    /// Connections.
    pub(super) seats: Arc<Semaphore>,
    /// Channels and open handles of all its connections together: each takes memory or open files of ours.
    pub(super) channels: Arc<Semaphore>,
    pub(super) handles: Arc<Semaphore>,
}

/// One connection.
pub(super) struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    /// Its place among those that have not logged in.
    stranger: Option<Stranger>,
    /// Told once when the login has succeeded.
    logged_in: Option<oneshot::Sender<()>>,
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
    _seat: OwnedSemaphorePermit,
}

impl Connection {
    /// A connection before its login. `channels` tracks the work of its channels.
    pub(super) fn new(
        shared: Arc<Shared>,
        peer: SocketAddr,
        stranger: Stranger,
        logged_in: oneshot::Sender<()>,
        channels: TaskTracker,
    ) -> Self {
        Self {
            shared,
            peer,
            stranger: Some(stranger),
            logged_in: Some(logged_in),
            granted: None,
            waiting: HashMap::new(),
            room_for_channels: Arc::new(Semaphore::new(MAX_CHANNELS)),
            channels,
        }
    }

    fn grant(&mut self, user: &str, partner: Option<usize>, method: &'static str) -> Auth {
        let Some(seat) = partner.and_then(|number| self.shared.partners.get(number)) else {
            tracing::warn!(peer = %self.peer, user = %printable(user), method, "login refused");
            return Auth::reject();
        };
        let partner = &seat.tree.partner;
        let Ok(taken) = Arc::clone(&seat.seats).try_acquire_owned() else {
            tracing::warn!(peer = %self.peer, %partner, "login refused: the partner has too many connections");
            return Auth::reject();
        };
        tracing::info!(peer = %self.peer, user = %printable(user), %partner, method, "logged in");
        self.granted = Some(Granted {
            tree: Arc::clone(&seat.tree),
            channels: Arc::clone(&seat.channels),
            handles: Arc::clone(&seat.handles),
            _seat: taken,
        });
        Auth::Accept
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
        let work = channel::serve(channel, session.handle(), sftp, self.shared.stop.clone());
        let work = async move {
            work.await;
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
        let known = self.shared.logins.by_key(user, offer.public_key).is_some();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let partner = self.shared.logins.by_key(user, key.public_key);
        Ok(self.grant(user, partner, "public key"))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let partner = self.shared.logins.by_password(user, password).await;
        Ok(self.grant(user, partner, "password"))
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

    async fn exec_request(&mut self, id: ChannelId, _data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        self.refuse(id, "a command", session)
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

/// What russh is told: modern algorithms only, the post-quantum key exchange first.
pub(super) fn ssh_config(limits: &SftpLimits, keys: Vec<russh::keys::PrivateKey>) -> Config {
    Config {
        server_id: SshId::Standard(concat!("SSH-2.0-sluse_", env!("CARGO_PKG_VERSION")).into()),
        methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..]),
        auth_rejection_time: limits.rejection_time,
        // OpenSSH begins by asking which methods there are; that is no guess.
        auth_rejection_time_initial: Some(std::time::Duration::ZERO),
        keys,
        window_size: WINDOW_BYTES,
        maximum_packet_size: 65_535,
        channel_buffer_size: 16,
        event_buffer_size: 8,
        preferred: preferred(),
        max_auth_attempts: limits.max_login_attempts,
        inactivity_timeout: Some(limits.idle_time),
        nodelay: true,
        ..Config::default()
    }
}

fn preferred() -> Preferred {
    Preferred {
        kex: vec![
            kex::MLKEM768X25519_SHA256,
            kex::CURVE25519,
            kex::CURVE25519_PRE_RFC_8731,
            // Strict key exchange: no packet can be dropped or added before the keys are in use (Terrapin).
            kex::EXTENSION_SUPPORT_AS_SERVER,
            kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
        ]
        .into(),
        key: vec![
            Algorithm::Ed25519,
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        ]
        .into(),
        cipher: vec![cipher::CHACHA20_POLY1305, cipher::AES_256_GCM, cipher::AES_256_CTR, cipher::AES_128_CTR].into(),
        mac: vec![mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM].into(),
        compression: vec![russh::compression::NONE].into(),
        host_key_certificates: Preferred::DEFAULT.host_key_certificates,
    }
}

/// A user name comes from outside before any login: it must not break a log line or fill one.
fn printable(user: &str) -> String {
    user.chars().take(64).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Channels of one connection at a time.
const MAX_CHANNELS: usize = 8;
/// What a client may have on its way to us; enough for 100 ms at 80 MB/s.
const WINDOW_BYTES: u32 = 8 * 1024 * 1024;
