//! Places where a test may kill the process, to prove that a restart loses nothing.
//!
//! In a debug build `SLUSE_KILL_AT=n` ends the process with SIGKILL at the n-th place it passes; a release build has none.

/// Marks a place before or after something durable or visible happens.
#[inline]
pub fn kill_point(_place: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass();
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static LEFT: OnceLock<Option<AtomicU64>> = OnceLock::new();

    pub(super) fn pass() {
        let left = LEFT.get_or_init(|| std::env::var("SLUSE_KILL_AT").ok()?.parse().ok().map(AtomicU64::new));
        let Some(left) = left else { return };
        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            // The signal may be handled on another thread; nothing may happen after this place.
            loop {
                std::thread::park();
            }
        }
    }
}
