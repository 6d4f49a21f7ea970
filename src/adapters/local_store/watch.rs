//! The kernel's word that something changed, so that nobody waits for the next look. Words get lost: it is never all
//! there is.

use std::path::Path;
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// Rings when files of a directory change, until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    _kept: RecommendedWatcher,
}

/// A directory cannot be watched: it is not there, or the machine's limit is reached.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch the directory: {0}")]
pub struct WatchError(String);

impl Watcher {
    /// Watches a directory and, `deep`, those below it; no link is followed.
    pub fn start(dir: &Path, deep: bool, bell: Arc<Notify>) -> Result<Self, WatchError> {
        let ring = move |event: notify::Result<Event>| {
            // An error means that words were lost, which is a reason to look, too.
            if event.is_ok_and(|event| !matters(&event.kind)) {
                return;
            }
            bell.notify_one();
        };
        let kept = RecommendedWatcher::new(ring, Config::default().with_follow_symlinks(false));
        let mut kept = kept.map_err(|error| WatchError(error.to_string()))?;
        let mode = if deep { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        // Without the path: what is logged names no place.
        kept.watch(dir, mode).map_err(|error| WatchError(why(&error.kind)))?;
        Ok(Self { _kept: kept })
    }
}

/// Somebody who reads changes nothing; neither do we when we look.
fn matters(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

fn why(kind: &notify::ErrorKind) -> String {
    match kind {
        notify::ErrorKind::PathNotFound => "it is not there".to_owned(),
        notify::ErrorKind::MaxFilesWatch => "the machine's limit of watches is reached".to_owned(),
        notify::ErrorKind::Io(error) => error.to_string(),
        notify::ErrorKind::Generic(text) => text.clone(),
        notify::ErrorKind::WatchNotFound | notify::ErrorKind::InvalidConfig(_) => "it is not possible".to_owned(),
    }
}
