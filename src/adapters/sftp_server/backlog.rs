//! What a channel may keep of bytes that are not answered yet: a little of its own, and more from a share of all channels
//! of its partner, so that many channels together take no more than that.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room of one channel.
pub(super) struct Backlog {
    share: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Backlog {
    /// Begins with the channel's own room; a byte of the share is a permit.
    pub(super) fn new(share: Arc<Semaphore>) -> Self {
        Self { share, taken: None }
    }

    /// How many bytes the channel may keep just now.
    pub(super) fn room_bytes(&self) -> usize {
        OWN_BYTES + self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Waits for more room; nothing is taken when this is dropped before.
    pub(super) async fn grow(&mut self) {
        // The share is never closed.
        let Ok(more) = Arc::clone(&self.share).acquire_many_owned(STEP_BYTES).await else { return };
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
    }

    /// Gives back what so many bytes do not need; `true` when all of it went back.
    pub(super) fn fit(&mut self, bytes: usize) -> bool {
        let Some(taken) = &mut self.taken else { return false };
        let needed = bytes.saturating_sub(OWN_BYTES);
        if needed == 0 {
            self.taken = None;
            return true;
        }
        drop(taken.split(taken.num_permits().saturating_sub(needed)));
        false
    }
}

/// Bytes taken in and answered at once.
pub(super) const OWN_BYTES: usize = 512 * 1024;
/// What all channels of a partner may keep beyond that together.
pub(super) const SHARED_BYTES: usize = 64 * 1024 * 1024;
const STEP_BYTES: u32 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn channels_share_what_they_keep_beyond_their_own() {
        let share = Arc::new(Semaphore::new(2 * STEP_BYTES as usize));
        let [mut one, mut other] = [Backlog::new(Arc::clone(&share)), Backlog::new(Arc::clone(&share))];
        assert_eq!(one.room_bytes(), OWN_BYTES);
        one.grow().await;
        one.grow().await;
        assert_eq!(one.room_bytes(), OWN_BYTES + 2 * STEP_BYTES as usize);
        {
            let mut waits = std::pin::pin!(other.grow());
            assert!(futures::poll!(&mut waits).is_pending(), "nothing is left");
            assert!(!one.fit(OWN_BYTES + 1000));
            assert!(futures::poll!(&mut waits).is_ready(), "what is not needed goes back");
        }
        assert_eq!((one.room_bytes(), other.room_bytes()), (OWN_BYTES + 1000, OWN_BYTES + STEP_BYTES as usize));
        assert!(one.fit(OWN_BYTES) && !one.fit(0));
        drop(other);
        assert_eq!(share.available_permits(), 2 * STEP_BYTES as usize);
    }
}
