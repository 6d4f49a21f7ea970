//! From the configuration to the tasks that take files from sources.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::settings;
use super::tasks::Tasks;
use crate::adapters::local_store::{LocalStore, Watcher};
use crate::adapters::sftp_client::{Peer, PeerWaits, SftpStore};
use crate::config::{Config, PlaceConfig, SourceConfig, WatchedConfig};
use crate::pipeline::{House, Source, Taker};
use crate::ports::{FileStore, Timetable};

/// Starts a task for each source.
pub(super) fn start(
    config: &Config,
    house: &House,
    (alarms, claimed): (&Arc<dyn Timetable>, &Arc<Notify>),
    tasks: &Tasks,
) -> anyhow::Result<()> {
    for source in &config.sources {
        let bell = Arc::new(Notify::new());
        let told = told(source, &bell).with_context(|| format!("source {}", source.name))?;
        let taker = Taker::new(house.clone(), Arc::clone(alarms), told, Arc::clone(claimed));
        tasks.spawn("source", taker.run(tasks.stop()));
        if let PlaceConfig::Watched(WatchedConfig { path, events: true }) = &source.place {
            let watching = keep_watch(source.name.clone(), path.clone(), source.rules.depth > 0, bell, tasks.stop());
            tasks.spawn("watch", watching);
        }
    }
    Ok(())
}

fn told(source: &SourceConfig, bell: &Arc<Notify>) -> anyhow::Result<Source> {
    let answer = Duration::from_millis(source.timeout_ms);
    let (store, timeout): (Arc<dyn FileStore>, _) = match &source.place {
        PlaceConfig::Watched(place) => (Arc::new(LocalStore::new(&place.path)), answer),
        PlaceConfig::Polled(place) => {
            let peer = settings::peer(&place.peer)?;
            // Every wait of a source is its own setting.
            let peer = Peer { waits: PeerWaits { answer, ..peer.waits }, ..peer };
            // A call may find the line gone, and make one first: its steps have ends of their own.
            let timeout = peer.waits.connect + answer * STEPS_OF_A_CALL;
            let writable = source.rules.receipts.clone();
            (Arc::new(SftpStore::new(peer, &place.path, writable)), timeout)
        }
    };
    Ok(Source {
        name: source.name.clone(),
        partner: source.partner.clone(),
        dir: source.dir.clone(),
        preflight: source.preflight,
        store,
        rules: source.rules.clone(),
        times: source.times.clone(),
        bell: Arc::clone(bell),
        most_bytes: source.most_bytes,
        timeout,
        alarm_after: source.alarm_after,
        channels: source.channels.clone(),
    })
}

/// Watches a directory, anew when it was not there or was exchanged. Without a watch there are still the looks.
async fn keep_watch(source: String, path: PathBuf, deep: bool, bell: Arc<Notify>, stop: CancellationToken) {
    let mut is_told = false;
    loop {
        let (dir, ring) = (path.clone(), Arc::clone(&bell));
        let started = tokio::task::spawn_blocking(move || Watcher::start(&dir, deep, ring));
        // On a mount that is dead it never comes back.
        let Some(started) = stop.run_until_cancelled(started).await else { return };
        let watcher = match started {
            Ok(Ok(watcher)) => Some(watcher),
            Ok(Err(error)) => {
                if !is_told {
                    tracing::warn!(source, %error, "only regular looks find what is new");
                }
                is_told = true;
                None
            }
            Err(_lost) => None,
        };
        if stop.run_until_cancelled(tokio::time::sleep(WATCHED_ANEW)).await.is_none() {
            return;
        }
        drop(watcher);
    }
}

/// Key exchange, login, opening, the request.
const STEPS_OF_A_CALL: u32 = 4;

/// How often a watch is set anew: a directory may be exchanged for another of its name, and new ones come below it.
const WATCHED_ANEW: Duration = Duration::from_secs(300);
