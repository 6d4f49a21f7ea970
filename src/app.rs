//! The composition root: a checked configuration becomes a running gateway.

pub(crate) mod settings;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::adapters::blobs::LocalBlobs;
use crate::adapters::key_file::PublicKey;
use crate::adapters::ledger::SqliteLedger;
use crate::adapters::sftp_server::SftpServer;
use crate::blocking::Blocking;
use crate::config::Config;
use crate::intake::Routes;
use crate::model::{RouteName, WorkerId};
use crate::pipeline::{Destination, House, Pace, Pipeline, retain, sweep, watch};
use crate::ports::{Clock, Ledger as _, SystemClock};

/// A running gateway.
pub struct Gateway {
    sftp_address: SocketAddr,
    host_keys: Vec<PublicKey>,
    stop: CancellationToken,
    tasks: TaskTracker,
    drain: Duration,
    ledger: Arc<SqliteLedger>,
    _lock: fs::File,
}

/// Runs a gateway until SIGTERM or Ctrl-C, then stops it gracefully; also when its ledger is lost, which is an error.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let gateway = Gateway::start(config).await?;
    let lost = tokio::select! {
        interrupted = interrupted() => interrupted.map(|()| false)?,
        () = gateway.ledger.ended() => true,
    };
    if lost {
        // Nothing can be taken or forwarded: ending is what lets the service manager start it anew.
        tracing::error!("the ledger's writer has died; the gateway ends so that it can be restarted");
        gateway.stop().await;
        anyhow::bail!("the ledger's writer has died; everything recorded goes on after a restart");
    }
    tracing::info!("stopping: no new connections, running requests finish");
    gateway.stop().await;
    Ok(())
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn interrupted() -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

impl Gateway {
    /// Opens the stores, clears out what a crash left, and starts every part.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let lock = lock_data_dir(&config.data_dir)?;
        let ledger = Arc::new(SqliteLedger::open(&config.data_dir.join("ledger.sqlite")).await?);
        let blobs = Arc::new(LocalBlobs::open(&config.data_dir.join("blobs"))?);
        let (clock, worker) = (Arc::new(SystemClock), WorkerId::new());
        // The lock says that no other process works here: whoever held leases is gone.
        ledger.release_all(Some(worker)).await?;
        let swept = sweep(ledger.as_ref(), blobs.as_ref()).await?;
        let receivers = receivers(&config, &(clock.clone() as _))?;
        let claimed = Arc::new(Notify::new());
        let sftp = settings::sftp(&config);
        let server = SftpServer::bind(sftp, ledger.clone(), blobs.clone(), clock.clone(), Arc::clone(&claimed)).await?;
        let house = House {
            ledger: ledger.clone(),
            blobs,
            routes: Arc::new(Routes::new(config.routes.iter().map(|route| route.route.clone()))),
            receivers: Arc::new(receivers),
            windows: Arc::default(),
            archives: Arc::new(config.broker.clone()),
            signers: Arc::new(settings::signers(&config)),
            cores: Blocking::per_core(),
            disk: Blocking::new(DISK_JOBS),
            started: clock.now(),
            clock,
            worker,
            pace: pace(&config),
        };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let sftp_address = server.local_addr();
        let host_keys = server.host_keys();
        tasks.spawn(server.run(stop.clone()));
        tasks.spawn(retain(house.clone(), stop.clone()));
        tasks.spawn(watch(house.clone(), stop.clone()));
        tasks.spawn(Pipeline::new(house, claimed).run(stop.clone()));
        tasks.close();
        tracing::info!(address = %sftp_address, swept, "listening for SFTP");
        let drain = Duration::from_millis(config.worker.stop_ms);
        Ok(Self { sftp_address, host_keys, stop, tasks, drain, ledger, _lock: lock })
    }

    /// Where the SFTP server listens.
    pub fn sftp_address(&self) -> SocketAddr {
        self.sftp_address
    }

    /// The keys the SFTP server shows.
    pub fn host_keys(&self) -> &[PublicKey] {
        &self.host_keys
    }

    /// Takes no new connection, lets running requests and deliveries finish for the configured time, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(self.drain, self.tasks.wait()).await.is_err() {
            tracing::warn!("not everything finished in time; what is left goes on after the next start");
        }
        SqliteLedger::close(&self.ledger).await;
    }
}

fn receivers(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<HashMap<RouteName, Destination>> {
    let mut receivers = HashMap::new();
    for route in &config.routes {
        let receiver =
            settings::receiver(route, clock).with_context(|| format!("receiver of route {}", route.route.name))?;
        let destination = Destination::new(receiver);
        let destination = match route.receiver.batches() {
            Some(limits) => destination.in_batches(limits),
            None => destination,
        };
        receivers.insert(route.route.name.clone(), destination);
    }
    Ok(receivers)
}

fn pace(config: &Config) -> Pace {
    Pace {
        shipments: config.worker.shipments,
        turn: TURN,
        lease: Duration::from_millis(config.worker.lease_ms),
        look: Duration::from_millis(config.worker.poll_ms),
        overdue: Duration::from_millis(config.worker.overdue_ms),
        keep: Duration::from_millis(config.worker.keep_ms),
    }
}

/// Makes the data directory, for its owner only, and sees to it that one process works in it.
fn lock_data_dir(dir: &Path) -> anyhow::Result<fs::File> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.with_context(|| format!("cannot make the data directory {}", dir.display()))?;
    let path = dir.join("lock");
    let lock = fs::File::options().write(true).create(true).truncate(false).open(&path);
    let lock = lock.with_context(|| format!("cannot open {}", path.display()))?;
    lock.try_lock().with_context(|| format!("another sluse works in {}", dir.display()))?;
    Ok(lock)
}

/// How long one shipment is forwarded while others wait.
const TURN: Duration = Duration::from_secs(5);

/// Short reads and writes at once.
const DISK_JOBS: usize = 32;
