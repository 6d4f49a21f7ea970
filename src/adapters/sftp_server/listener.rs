//! The listening socket: connections in, within limits, until told to stop.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use russh::Disconnect;
use russh::keys::PublicKey;
use russh::server::{RunningSession, run_stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::measures::Connected;

use super::connection::{Connection, Shared, printable};
use super::defender::Defender;
use super::deferred::Deferred;
use super::host_keys;
use super::line::{Ends, Line};
use super::offers::{GREETING, Offers};
use super::ongoing::Ongoing;
use super::premises::{Backing, Premises};
use super::proxy;
use super::roster::Roster;
use super::settings::{PartnerAccess, SetupError, SftpSettings};
use super::strangers::{Stranger, Strangers};

/// The SFTP server, listening.
pub struct SftpServer {
    listener: TcpListener,
    address: SocketAddr,
    offers: Arc<Offers>,
    shared: Arc<Shared>,
}

impl SftpServer {
    /// Checks the settings, reads or makes the host keys and listens.
    pub async fn bind(settings: SftpSettings, backing: Backing) -> Result<Self, SetupError> {
        let Backing { area, blobs, bans, arrivals, clock, claimed } = backing;
        let SftpSettings { listen, host_key_dir, partners, limits, defence, proxies, revoked } = settings;
        let roster = Roster::new(&partners, &revoked, &limits, None)?;
        let defender = Defender::new(defence, bans, Arc::clone(&clock)).await?;
        let keys = host_keys::load_or_make(&host_key_dir, clock.now())?;
        let refused = |source| SetupError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let offers = Arc::new(Offers::new(&limits, keys, &partners));
        let premises = Arc::new(Premises {
            area: Deferred::new(area),
            blobs,
            arrivals,
            clock,
            claimed,
            ongoing: Ongoing::default(),
        });
        let stop = CancellationToken::new();
        let strangers = Strangers::new(limits.max_strangers_per_address);
        let roster = RwLock::new(Arc::new(roster));
        let shared = Arc::new(Shared { premises, roster, revoked, defender, strangers, proxies, limits, stop });
        tracing::info!(%address, "SFTP server listens");
        Ok(Self { listener, address, offers, shared })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The keys it shows, for those who pin them.
    pub fn host_keys(&self) -> Vec<PublicKey> {
        self.offers.modern().keys.iter().map(|key| key.public_key().clone()).collect()
    }

    /// Who tells it of changes while it runs.
    pub fn doorkeeper(&self) -> Doorkeeper {
        Doorkeeper(Arc::clone(&self.shared))
    }

    /// Serves until `shutdown`; then takes no more connections, lets running requests end and leaves uploads as partials.
    pub async fn run(self, shutdown: CancellationToken) {
        let connections = TaskTracker::new();
        let seats = Arc::new(Semaphore::new(self.shared.limits.max_connections));
        loop {
            let accepted = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file handles, or a connection gone before it was taken: others may end or come.
                    tracing::warn!(%error, "a connection could not be taken");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Some(seat) = self.seat(&seats, peer.ip()).await else {
                tracing::warn!(%peer, "connection refused: there are too many");
                continue;
            };
            let serving = receive(Arc::clone(&self.offers), Arc::clone(&self.shared), stream, peer);
            connections.spawn(async move {
                let _connected = Connected::new();
                Box::pin(serving).await;
                drop(seat);
            });
        }
        drop(self.listener);
        self.shared.stop.cancel();
        connections.close();
        if timeout(self.shared.limits.drain_time + FAREWELL, connections.wait()).await.is_err() {
            tracing::warn!(open = connections.len(), "SFTP connections did not end in time");
        }
    }

    /// A seat for who comes. When all are taken, somebody who has not logged in gives way, or many addresses that say
    /// nothing would keep everybody out.
    async fn seat(&self, seats: &Arc<Semaphore>, from: IpAddr) -> Option<OwnedSemaphorePermit> {
        if let Ok(seat) = Arc::clone(seats).try_acquire_owned() {
            return Some(seat);
        }
        let comes_in = is_proxy(&self.shared, from)
            || (!self.shared.defender.keeps_out(from) && self.shared.strangers.has_room(from));
        if !comes_in || !self.shared.strangers.show_one_out() {
            return None;
        }
        timeout(GIVING_WAY, Arc::clone(seats).acquire_owned()).await.ok()?.ok()
    }
}

/// Tells a running server who may log in.
#[derive(Clone)]
pub struct Doorkeeper(Arc<Shared>);

impl Doorkeeper {
    /// Lets these partners in and nobody else; connections of others are ended, those of these go on.
    pub fn admit(&self, partners: &[PartnerAccess]) -> Result<(), SetupError> {
        let before = self.0.roster();
        self.0.replace_roster(Roster::new(partners, &self.0.revoked, &self.0.limits, Some(&before))?);
        Ok(())
    }
}

fn is_proxy(shared: &Shared, address: IpAddr) -> bool {
    shared.proxies.iter().any(|network| network.contains(&address.to_canonical()))
}

/// Finds out who a connection is from, and whether it may come in.
async fn receive(offers: Arc<Offers>, shared: Arc<Shared>, mut stream: TcpStream, socket: SocketAddr) {
    let peer = if is_proxy(&shared, socket.ip()) {
        match timeout(shared.limits.login_time, proxy::origin(&mut stream, socket)).await {
            Ok(Ok(peer)) => peer,
            // A health check that only connects.
            Ok(Err(error)) => return tracing::debug!(%socket, %error, "no PROXY header"),
            Err(_late) => return tracing::debug!(%socket, "no PROXY header came"),
        }
    } else {
        socket
    };
    if shared.defender.keeps_out(peer.ip()) {
        return tracing::debug!(%peer, "connection refused: its address is banned");
    }
    let Some(stranger) = shared.strangers.admit(peer.ip()) else {
        // At debug: whoever fills its own room must not fill our log, too.
        return tracing::debug!(%peer, "connection refused: its address has too many that did not log in");
    };
    let shown_out = stranger.shown_out();
    tokio::select! {
        biased;
        () = shown_out.cancelled() => tracing::debug!(%peer, "connection ended before its login: others wait"),
        () = Box::pin(serve(offers, shared, stream, peer, stranger)) => {}
    }
}

async fn serve(offers: Arc<Offers>, shared: Arc<Shared>, mut stream: TcpStream, peer: SocketAddr, stranger: Stranger) {
    tracing::debug!(%peer, "connected");
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "Nagle's algorithm stays on");
    }
    let until = Instant::now() + shared.limits.login_time;
    let (age, ssh) = match timeout_at(until, offers.choose(&mut stream, peer.ip())).await {
        Ok(Ok(chosen)) => chosen,
        Ok(Err(error)) => return log_end(peer, Err(error.into())),
        Err(_late) => return tracing::debug!(%peer, "nothing was said"),
    };
    let channels = TaskTracker::new();
    // Whatever way this function ends, the socket ends with it, and so does a login that is worked on.
    let ends = Ends { stop: shared.stop.child_token(), cut: CancellationToken::new() };
    let _cut = ends.cut.clone().drop_guard();
    let line = Line::new(stream, ends.cut.clone(), GREETING.len());
    let (logged_in, login) = oneshot::channel();
    let work = (channels.clone(), ends.clone());
    let connection = Connection::new(Arc::clone(&shared), peer, age, stranger, logged_in, work);
    let mut running = match timeout_at(until, run_stream(ssh, line, connection)).await {
        Ok(Ok(running)) => running,
        // Load balancers look in and go again all day.
        Ok(Err(error)) => return log_end(peer, Err(error)),
        Err(_late) => return tracing::debug!(%peer, "nothing was said"),
    };
    if let Some(reason) = attend(&shared, &mut running, login, peer).await {
        ends.stop.cancel();
        channels.close();
        // Longer than a request needs; the ledger knows the partials then.
        let _ = timeout(shared.limits.drain_time, channels.wait()).await;
        let _ = running.handle().disconnect(Disconnect::ByApplication, reason.to_owned(), "en".to_owned()).await;
        let _ = timeout(FAREWELL, &mut running).await;
    }
    // Channels whose replies nobody will read give back what they have.
    ends.cut.cancel();
    channels.close();
    channels.wait().await;
}

/// Waits for the end of a connection; the reason when it is we who must end it.
async fn attend(
    shared: &Shared,
    running: &mut RunningSession<Connection>,
    login: oneshot::Receiver<CancellationToken>,
    peer: SocketAddr,
) -> Option<&'static str> {
    let over = async {
        tokio::select! {
            Ok(shown_out) = login => {
                shown_out.cancelled().await;
                "the login is no longer valid"
            }
            () = sleep(shared.limits.login_time) => {
                tracing::warn!(%peer, "no login in time");
                "no login in time"
            }
        }
    };
    tokio::select! {
        ended = running => {
            log_end(peer, ended);
            None
        }
        () = shared.stop.cancelled() => Some("the server is stopping"),
        reason = over => Some(reason),
    }
}

fn log_end(peer: SocketAddr, ended: Result<(), russh::Error>) {
    match ended {
        Ok(()) => tracing::debug!(%peer, "disconnected"),
        Err(russh::Error::NoCommonAlgo { kind, ours, theirs }) => {
            let (kind, ours, theirs) = (format!("{kind:?}"), ours.join(","), printable(&theirs.join(",")));
            tracing::warn!(%peer, kind, ours, theirs, "{NO_COMMON}");
        }
        Err(error) => tracing::debug!(%peer, %error, "connection lost"),
    }
}

/// What an operator reads when a client is too old.
const NO_COMMON: &str = "the client and we have no such algorithm in common: it must be updated, or its partner gets \
    `older_algorithms = true` and its `addresses`, if what it offers is among those";
/// How long to wait before the next try when no connection can be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a connection that must give way may take to end.
const GIVING_WAY: Duration = Duration::from_secs(1);
/// How long a client may take to hear that we end the connection.
const FAREWELL: Duration = Duration::from_secs(2);
