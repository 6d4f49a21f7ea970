//! Logs to standard error, as text for people or JSON for machines.
//!
//! Whatever the operator's filter asks for, other crates log from `info` on at most: their finer levels show bytes of
//! requests and statements, and personal data never reaches the log.

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

use crate::config::{LogConfig, LogFormat};

/// Starts logging; a second call in one process changes nothing.
pub fn start(config: &LogConfig) {
    // Refused only where a test has installed a subscriber of its own, which then gets the events.
    let _ = subscriber(config, io::stderr).try_init();
}

fn subscriber<W>(config: &LogConfig, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // The configuration has been checked, so the filter is one; should it not be, everything from `info` is logged.
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Colours are for eyes; in a file or a journal their codes would hide what one searches for.
    let lines = fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(writer);
    let lines = match config.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    registry().with(lines.with_filter(filter.and(filter_fn(may_be_logged))))
}

fn may_be_logged(about: &Metadata<'_>) -> bool {
    let target = about.target();
    let is_own = target == OWN || target.strip_prefix(OWN).is_some_and(|rest| rest.starts_with("::"));
    is_own || *about.level() <= LevelFilter::INFO
}

const OWN: &str = env!("CARGO_CRATE_NAME");

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: LogFormat) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let config = LogConfig { format, filter: filter.to_owned() };
        tracing::subscriber::with_default(subscriber(&config, move || writer.clone()), || {
            tracing::trace!("own trace");
            tracing::info!(target: "hyper::client", "theirs to know");
            tracing::debug!(target: "russh::session", "bytes of a form");
            tracing::trace!(target: "hyper", "bytes of a request");
            tracing::trace!(target: "slusen", "of somebody else");
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn no_filter_lets_other_crates_show_bytes() {
        for filter in ["trace", "russh=trace,hyper=trace,slusen=trace,sluse=trace", "info,sluse=trace,russh=debug"] {
            for format in [LogFormat::Text, LogFormat::Json] {
                let log = logged(filter, format);
                assert!(log.contains("own trace"), "{filter}: {log}");
                assert!(!log.contains("bytes of") && !log.contains("somebody"), "{filter}: {log}");
            }
        }
        assert!(logged("trace", LogFormat::Json).contains("theirs to know"));
        assert_eq!(logged("off", LogFormat::Text), "");
    }
}
