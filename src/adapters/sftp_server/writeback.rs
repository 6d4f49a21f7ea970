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
        // What is in memory has no file, and must not get one behind the back of who ends the upload.
        if self.waiting_bytes < STRETCH_BYTES || self.is_running() || scratch.stays_in_memory(0) {
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

    fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.is_finished())
    }
}

const STRETCH_BYTES: u64 = 32 << 20;

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Few bytes, written over and over.
    struct Memory;

    impl Scratch for Memory {
        fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn read_at(&self, _offset: u64, _into: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }

        fn set_len(&self, _size_bytes: u64) -> io::Result<()> {
            Ok(())
        }

        fn size_bytes(&self) -> io::Result<u64> {
            Ok(0)
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn stays_in_memory(&self, _end: u64) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn what_is_in_memory_stays_there() {
        let (mut writeback, scratch) = (Writeback::default(), Arc::new(Memory) as Arc<dyn Scratch>);
        writeback.wrote(STRETCH_BYTES, &scratch);
        assert!(writeback.running.is_none());
    }
}
