//! What a test's own thread logs.

use std::io::{Result, Write};
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was logged since somebody listened.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Takes all that this thread logs, until the guard is dropped.
    pub(crate) fn listen(&self) -> DefaultGuard {
        let to_here = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(self.clone());
        let guard = tracing::subscriber::set_default(to_here.with_ansi(false).finish());
        // Another test may have come to a place that logs just when nobody listened yet.
        tracing::callsite::rebuild_interest_cache();
        guard
    }

    /// What was logged so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
