//! Brings an upload's bytes to disk while more of them come: left alone, the system keeps a gigabyte in memory and CLOSE
//! waits for all of it.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::ports::Scratch;

/// What brings one upload to disk, a stretch at a time. Nobody waits for it, and CLOSE syncs what it has not.
#[derive(Debug, Default)]
pub(super) struct Writeback {
    waiting_bytes: u64,
    running: Option<JoinHandle<()>>,
}

impl Writeback {
    /// Takes account of a write, and begins when enough has gathered and nothing is under way.
    pub(super) fn wrote(&mut self, bytes: u64, scratch: &Arc<dyn Scratch>) {
        self.waiting_bytes = self.waiting_bytes.saturating_add(bytes);
        if self.waiting_bytes < STRETCH_BYTES || self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            return;
        }
        self.waiting_bytes = 0;
        let scratch = Arc::clone(scratch);
        self.running = Some(tokio::task::spawn_blocking(move || {
            if let Err(error) = scratch.sync() {
                // What did not reach the disk is still to be written, and CLOSE says if it cannot be.
                tracing::warn!(%error, "an upload could not be brought to disk while it arrives");
            }
        }));
    }
}

const STRETCH_BYTES: u64 = 32 << 20;
