//! The one connection of a store: shared by who may use it side by side, made again after a break.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::peer::Peer;
use super::session::{Lease, Session};
use super::setback::Setback;
use crate::ports::StoreError;

type Attempt = Shared<BoxFuture<'static, Result<Arc<Session>, Setback>>>;

/// Leads to a server.
pub(super) struct Lane {
    peer: Arc<Peer>,
    current: Mutex<Option<Attempt>>,
}

impl Lane {
    pub(super) fn new(peer: Peer) -> Self {
        Self { peer: Arc::new(peer), current: Mutex::new(None) }
    }

    /// The open session, or a new one. Who comes while it is made waits for the same one, and hears the same if it fails.
    pub(super) async fn session(&self) -> Result<Lease, StoreError> {
        for _ in 0..ATTEMPTS {
            // One that ended just now is not an answer.
            if let Some(lease) = self.attempt().await?.lease() {
                return Ok(lease);
            }
        }
        Err(StoreError::Unreachable("the server ends each session as soon as it has begun".to_owned()))
    }

    fn attempt(&self) -> Attempt {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attempt) = &*current {
            let usable = attempt.peek().is_none_or(|made| made.as_ref().is_ok_and(|session| session.is_open()));
            if usable {
                return attempt.clone();
            }
        }
        let peer = Arc::clone(&self.peer);
        // In a task of its own: it goes on when who asked for it has left.
        let made = tokio::spawn(async move { Session::open(&peer).await.map(Arc::new) });
        let attempt = async move { made.await.unwrap_or_else(|error| Err(Setback::Line(error.to_string()))) };
        let attempt = attempt.boxed().shared();
        *current = Some(attempt.clone());
        attempt
    }
}

/// The first may have been there for long.
const ATTEMPTS: u32 = 2;
