//! The composition root: a checked configuration becomes a running gateway.

pub(crate) mod partners;
pub(crate) mod settings;
mod sources;
mod tasks;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::adapters::blobs::{LocalBlobs, TieredBlobs};
use crate::adapters::key_file::PublicKey;
use crate::adapters::ledger::SqliteLedger;
use crate::adapters::sftp_server::{Backing, SftpServer};
use crate::blocking::Blocking;
use crate::config::{Config, FlowConfig, JobConfig, ReceiverConfig, RouteConfig};
use crate::forward::{Patience, Queue};
use crate::intake::Routes;
use crate::measures;
use crate::model::{RouteName, WorkerId};
use crate::pipeline::{
    Ahead, Destination, Forecaster, House, Pace, Pipeline, Watchdog, follow, forecast, measure, retain, sweep, watch,
};
use crate::ports::{Blobs, Clock, Held, Ledger as _, Partners as _, Run, SystemClock, Timetable};

use self::partners::{Following, Standing};
use self::settings::{Asked, Memory};
use self::tasks::Tasks;

/// A running gateway.
pub struct Gateway {
    sftp_address: SocketAddr,
    host_keys: Vec<PublicKey>,
    tasks: Tasks,
    drain: Duration,
    ledger: Arc<SqliteLedger>,
    _lock: fs::File,
}

/// Runs a gateway until SIGTERM or Ctrl-C, then stops it gracefully; also when its ledger or another part of it is lost, which
/// is an error.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    keep_out_of_dumps();
    let gateway = Gateway::start(config).await?;
    let lost = tokio::select! {
        interrupted = interrupted() => interrupted.map(|()| None)?,
        () = gateway.ledger.ended() => Some("the ledger's writer"),
        () = gateway.tasks.lost() => Some("a part of the gateway"),
    };
    if let Some(lost) = lost {
        // What it did nobody does any more: ending is what lets the service manager start it anew.
        tracing::error!("{lost} has died; the gateway ends so that it can be restarted");
        gateway.stop().await;
        anyhow::bail!("{lost} has died; everything recorded goes on after a restart");
    }
    tracing::info!("stopping: no new connections, running requests finish");
    gateway.stop().await;
    Ok(())
}

/// Keys and passwords are in memory: a crash leaves none of it in a file.
fn keep_out_of_dumps() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "a crash may leave secrets in a core dump");
    }
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
        let stores = Stores::open(&config).await?;
        let stores = stores.with_context(|| format!("another sluse works in {}", config.data_dir.display()))?;
        let swept = sweep(stores.ledger.as_ref(), stores.blobs.as_ref()).await?;
        let (amended, amendments) = (stores.ledger.amended().await?, stores.ledger.amendments().await?);
        let partners = partners::standing(&config, &amendments);
        let house = stores.house(&config, &partners)?;
        let (ledger, claimed) = (Arc::clone(&stores.ledger), Arc::new(Notify::new()));
        let held: Arc<dyn Held> = ledger.clone();
        let prefilling = settings::prefilling(&config, &house, Arc::clone(&held));
        let keeper = settings::timekeeper(&config, &prefilling, ledger.clone())?;
        let server = SftpServer::bind(
            settings::sftp(&config, partners::admitted(&partners)),
            Backing {
                area: ledger.clone(),
                blobs: stores.blobs,
                bans: ledger.clone(),
                arrivals: Arc::new(house.ahead.clone()),
                clock: Arc::clone(&house.clock),
                claimed: Arc::clone(&claimed),
            },
        )
        .await?;
        let tasks = Tasks::default();
        let sftp_address = server.local_addr();
        let host_keys = server.host_keys();
        let following = Following {
            ledger: ledger.clone(),
            door: server.doorkeeper(),
            routes: Arc::clone(&house.routes),
            amended,
            look: house.pace.look,
            config: config.clone(),
        };
        tasks.spawn("partners", following.run(tasks.stop()));
        tasks.spawn("sftp", server.run(tasks.stop()));
        if !config.schedules.iter().any(|schedule| schedule.job == JobConfig::Retention) {
            tasks.spawn("retention", retain(house.clone(), tasks.stop()));
        }
        if config.metrics.is_some() {
            for subject in ledger.open_alarms().await? {
                measures::alarm(&subject, true);
            }
            tasks.spawn("measures", measure(house.clone(), tasks.stop()));
        }
        tasks.spawn("schedules", keeper.run(tasks.stop()));
        let alarms: Arc<dyn Timetable> = ledger.clone();
        let channels = config.alarms.iter().map(|(name, _)| name.clone()).collect();
        let watchdog = Watchdog { house: house.clone(), alarms: Arc::clone(&alarms), channels };
        tasks.spawn("watchdog", watch(watchdog, tasks.stop()));
        let forecaster = Forecaster {
            house: house.clone(),
            progress: ledger.clone(),
            alarms: Arc::clone(&alarms),
            deadlines: settings::deadlines(&config),
        };
        tasks.spawn("forecast", forecast(forecaster, tasks.stop()));
        sources::start(&config, &house, (&alarms, &claimed), &tasks)?;
        tasks.spawn("news", follow(house.clone(), ledger.clone(), ledger.clone(), tasks.stop()));
        tasks.spawn("prefill", prefilling.run(tasks.stop()));
        if let Some(service) = settings::prefill_service(&config, &house, &held).await? {
            tasks.spawn("prefill-service", service.run(tasks.stop()));
        }
        tasks.spawn("pipeline", Pipeline::new(house, claimed).run(tasks.stop()));
        tracing::info!(address = %sftp_address, swept, "listening for SFTP");
        let drain = Duration::from_millis(config.worker.stop_ms);
        Ok(Self { sftp_address, host_keys, tasks, drain, ledger, _lock: stores.lock })
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
        if tokio::time::timeout(self.drain, self.tasks.end()).await.is_err() {
            tracing::warn!("not everything finished in time; what is left goes on after the next start");
        }
        SqliteLedger::close(&self.ledger).await;
    }
}

/// Runs a schedule once while no gateway works in the data directory; `None` when one does.
pub async fn run_schedule(config: &Config, name: &str, by: &str) -> anyhow::Result<Option<Run>> {
    let Some(stores) = Stores::open(config).await? else { return Ok(None) };
    let partners = partners::standing(config, &stores.ledger.amendments().await?);
    let house = stores.house(config, &partners)?;
    let prefilling = settings::prefilling(config, &house, stores.ledger.clone());
    let keeper = settings::timekeeper(config, &prefilling, stores.ledger.clone())?;
    let asked = stores.ledger.ask(name, by, house.clock.now()).await?;
    keeper.run_now(name, asked, CancellationToken::new()).await?;
    let run = stores.ledger.run_asked(asked).await?;
    stores.ledger.close().await;
    run.map(Some).context("the run left no trace")
}

/// The ledger and the bytes, held by this process alone.
struct Stores {
    lock: fs::File,
    ledger: Arc<SqliteLedger>,
    blobs: Arc<TieredBlobs>,
    worker: WorkerId,
}

impl Stores {
    /// Opens them; `None` when another process holds them.
    async fn open(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(lock) = lock_data_dir(&config.data_dir)? else { return Ok(None) };
        let ledger = Arc::new(SqliteLedger::open(&config.ledger_file()).await?);
        let files = LocalBlobs::open(&config.data_dir.join("blobs"))?;
        let blobs = Arc::new(TieredBlobs::new(files, ledger.clone()));
        let worker = WorkerId::new();
        // The lock says that no other process works here: whoever held leases is gone.
        ledger.release_all(Some(worker)).await?;
        Ok(Some(Self { lock, ledger, blobs, worker }))
    }

    fn house(&self, config: &Config, partners: &[Standing]) -> anyhow::Result<House> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let held: Arc<dyn Held> = self.ledger.clone();
        let blobs: Arc<dyn Blobs> = self.blobs.clone();
        let disk = Blocking::new(DISK_JOBS);
        let memory = Memory {
            uploads: self.ledger.clone(),
            transfers: self.ledger.clone(),
            held,
            blobs: Arc::clone(&blobs),
            disk: disk.clone(),
        };
        let windows = |route: &RouteConfig| Some((route.route.name.clone(), route.windows.clone()?));
        let routes = Arc::new(Routes::new(partners::routes(config, partners)));
        let cores = available_parallelism().map_or(1, usize::from);
        Ok(House {
            ledger: self.ledger.clone(),
            sources: self.ledger.clone(),
            receivers: Arc::new(receivers(config, &memory, &clock)?),
            blobs,
            ahead: Ahead::new(Arc::clone(&routes), cores.min(MOST_AHEAD), AHEAD_FROM_BYTES, AHEAD_PATIENCE),
            routes,
            windows: Arc::new(config.routes.iter().filter_map(windows).collect()),
            archives: Arc::new(config.broker.clone()),
            signers: Arc::new(settings::signers(config)),
            cores: Blocking::per_core(),
            disk,
            started: clock.now(),
            clock,
            worker: self.worker,
            pace: pace(config),
        })
    }
}

fn receivers(
    config: &Config,
    memory: &Memory,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<HashMap<RouteName, Destination>> {
    let (mut receivers, mut shared) = (HashMap::new(), Shared::default());
    for route in &config.routes {
        let mut all = route.leads().map(|lead| {
            let destination = destination((config, route), lead, &mut shared, (memory, clock));
            destination.with_context(|| format!("receiver {} of route {}", lead.0, route.route.name))
        });
        let Some(first) = all.next().transpose()? else { continue };
        let destination = all.try_fold(first, |first, other| anyhow::Ok(first.beside(other?)))?;
        receivers.insert(route.route.name.clone(), destination);
    }
    Ok(receivers)
}

/// What is one to the world outside, by a receiver's name: what it can take does not depend on the route.
#[derive(Default)]
struct Shared {
    patience: HashMap<String, Arc<Patience>>,
    queues: HashMap<String, Arc<Queue>>,
    asked: Asked,
}

/// One of the receivers a route leads to.
fn destination(
    (config, route): (&Config, &RouteConfig),
    (name, receiver, flow): (&String, &ReceiverConfig, &FlowConfig),
    shared: &mut Shared,
    (memory, clock): (&Memory, &Arc<dyn Clock>),
) -> anyhow::Result<Destination> {
    let new = || Arc::new(Patience::new(settings::allowance(flow)));
    let patience = Arc::clone(shared.patience.entry(name.clone()).or_insert_with(new));
    let made = settings::receiver((&route.route, receiver), (memory, &mut shared.asked), clock)?;
    let destination = Destination::new(made, patience).named(name);
    let destination = match receiver.batches() {
        Some(limits) => destination.in_batches(limits),
        None => destination,
    };
    Ok(match receiver {
        ReceiverConfig::Soap(_) => {
            let queue = shared.queues.entry(name.clone()).or_insert_with(|| queue(config, name));
            destination.in_order(Arc::clone(queue))
        }
        ReceiverConfig::AltinnApp(_)
        | ReceiverConfig::AltinnMessages(_)
        | ReceiverConfig::AltinnBroker(_)
        | ReceiverConfig::Http(_)
        | ReceiverConfig::Directory(_)
        | ReceiverConfig::Sftp(_) => destination,
    })
}

/// The queue of a receiver that takes one thing after the other, by whatever route it comes.
fn queue(config: &Config, receiver: &String) -> Arc<Queue> {
    let names = |leads: &dyn Fn(&RouteConfig) -> bool| -> Vec<RouteName> {
        config.routes.iter().filter(|route| leads(route)).map(|route| route.route.name.clone()).collect()
    };
    let first = names(&|route| route.receiver_name == *receiver);
    let among = names(&|route| route.leads().any(|(name, ..)| name == receiver));
    Arc::new(Queue::new(first).shared(receiver.clone(), among))
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

/// Makes the data directory, for its owner only, and sees to it that one process works in it; `None` when another does.
fn lock_data_dir(dir: &Path) -> anyhow::Result<Option<fs::File>> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.with_context(|| format!("cannot make the data directory {}", dir.display()))?;
    let path = dir.join("lock");
    let lock = fs::File::options().write(true).create(true).truncate(false).open(&path);
    let lock = lock.with_context(|| format!("cannot open {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// Uploads judged while they arrive; each takes some megabytes, and a core as fast as it comes.
const MOST_AHEAD: usize = 4;

/// How much of an upload must have come: less is judged in no time.
const AHEAD_FROM_BYTES: u64 = 8 << 20;

/// How long such an upload may stand still until it is judged when it is there instead.
const AHEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long one shipment is forwarded while others wait.
const TURN: Duration = Duration::from_secs(5);

/// Short reads and writes at once.
const DISK_JOBS: usize = 32;
