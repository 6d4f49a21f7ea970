//! Places where a test may kill the process, to prove that a restart loses nothing.
//!
//! In a debug build `SLUSE_KILL_AT=n` ends the process with SIGKILL at the n-th place it passes, `place+n` at the n-th from the
//! first time it passes this one, and `place>place` when it comes from the first of these to the second; `SLUSE_KILL_LOG=FILE`
//! writes each place that is passed to a file. A release build has none.

/// Marks a place before or after something durable or visible happens.
#[inline]
pub fn kill_point(_place: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass(_place);
}

/// Tells whether anybody heeds them.
#[inline]
pub fn is_armed() -> bool {
    #[cfg(debug_assertions)]
    return armed::is_armed();
    #[cfg(not(debug_assertions))]
    return false;
}

#[cfg(debug_assertions)]
mod armed {
    use std::env;
    use std::fs::File;
    use std::io::Write as _;
    use std::sync::{Mutex, OnceLock, PoisonError};

    static ARMED: OnceLock<Option<Mutex<Armed>>> = OnceLock::new();

    struct Armed {
        at: Option<At>,
        log: Option<File>,
        last: &'static str,
    }

    enum At {
        Nth(u64),
        Since(String, u64),
        Step(String, String),
    }

    impl Armed {
        fn read() -> Option<Self> {
            let at = env::var("SLUSE_KILL_AT").ok().and_then(|at| At::read(&at));
            let log = env::var_os("SLUSE_KILL_LOG");
            let log = log.and_then(|path| File::options().create(true).append(true).open(path).ok());
            (at.is_some() || log.is_some()).then_some(Self { at, log, last: "" })
        }

        /// Goes on to a place; tells whether it is the one.
        fn goes_on(&mut self, place: &'static str) -> bool {
            if let Some(log) = &mut self.log {
                // What cannot be written is missing in a test's log, which is the test's to notice.
                let _ = log.write_all(format!("{place}\n").as_bytes());
            }
            let last = std::mem::replace(&mut self.last, place);
            if matches!(&self.at, Some(At::Since(first, _)) if first == place)
                && let Some(At::Since(_, nth)) = self.at.take()
            {
                self.at = Some(At::Nth(nth));
            }
            match &mut self.at {
                Some(At::Nth(left)) => {
                    *left = left.wrapping_sub(1);
                    *left == 0
                }
                Some(At::Step(from, to)) => from == last && to == place,
                Some(At::Since(..)) | None => false,
            }
        }
    }

    impl At {
        fn read(text: &str) -> Option<Self> {
            if let Some((from, to)) = text.split_once('>') {
                return Some(Self::Step(from.to_owned(), to.to_owned()));
            }
            match text.split_once('+') {
                Some((first, nth)) => Some(Self::Since(first.to_owned(), nth.parse().ok()?)),
                None => text.parse().ok().map(Self::Nth),
            }
        }
    }

    fn armed() -> Option<&'static Mutex<Armed>> {
        ARMED.get_or_init(|| Armed::read().map(Mutex::new)).as_ref()
    }

    pub(super) fn is_armed() -> bool {
        armed().is_some()
    }

    pub(super) fn pass(place: &'static str) {
        let Some(armed) = armed() else { return };
        let mut armed = armed.lock().unwrap_or_else(PoisonError::into_inner);
        if armed.goes_on(place) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            // The signal may be handled on another thread; nothing may happen after this place. Nobody else passes one
            // meanwhile, either, since this keeps the lock.
            loop {
                std::thread::park();
            }
        }
    }
}
