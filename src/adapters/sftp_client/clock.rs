//! The server's time, which version 3 has no request for: the time it gives to a file that was written just now.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::calls::Open;
use super::packets;
use super::session::Lease;
use crate::ports::StoreError;

/// What is known of a server's time.
#[derive(Default)]
pub(super) struct ServerClock {
    known: Mutex<Option<(Timestamp, Instant)>>,
    /// Asking leaves a file there that we may not remove.
    costs: AtomicBool,
}

impl ServerClock {
    /// Learns from a file that was written at this moment.
    pub(super) fn learn(&self, written: Option<Timestamp>) {
        if let Some(written) = written {
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((written, Instant::now()));
        }
    }

    /// Asks by an empty file in a directory, made for a moment. It is not done again where that file stays.
    pub(super) async fn ask(&self, session: Lease, dir: &str) -> Result<(), StoreError> {
        if self.costs.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Some((written, stays)) = touched(session, dir).await? else { return Ok(()) };
        self.costs.store(stays, Ordering::Relaxed);
        self.learn(written);
        Ok(())
    }

    /// The server's time, from what was learnt lately. It may be a little behind, never ahead: a file looks younger than
    /// it is.
    pub(super) fn now(&self) -> Option<Timestamp> {
        let (written, then) = (*self.known.lock().unwrap_or_else(PoisonError::into_inner))?;
        let passed = then.elapsed();
        (passed < LATELY).then(|| written.checked_add(SignedDuration::try_from(passed).ok()?).ok()).flatten()
    }
}

/// Makes an empty file in a directory for a moment and returns the time the server gave to it, and whether it stays.
async fn touched(session: Lease, dir: &str) -> Result<Option<(Option<Timestamp>, bool)>, StoreError> {
    let path = format!("{dir}/.sluse-clock-{}", Uuid::new_v4().simple());
    let flags = packets::FOR_WRITING | packets::CREATE | packets::EXCLUSIVELY;
    let over = std::sync::Arc::clone(&session);
    let open = match Open::file(session, &path, flags).await {
        Ok(open) => open,
        Err(error @ (StoreError::Denied | StoreError::NotFound | StoreError::Failed(_) | StoreError::Full)) => {
            tracing::warn!(%error, "the server's time cannot be learnt: no file can be made where we may write");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let found = open.attributes().await;
    let closed = open.close().await;
    let stays = match over.remove(&path).await {
        Err(error @ (StoreError::Denied | StoreError::Failed(_))) => {
            tracing::warn!(%error, "the server's time is not asked for again: the file that tells it cannot be removed");
            true
        }
        removed => removed.map(|()| false)?,
    };
    closed?;
    Ok(Some((found?.modified(), stays)))
}

/// How long a time that was learnt is gone by; the server's clock may be set meanwhile.
const LATELY: Duration = Duration::from_secs(300);
