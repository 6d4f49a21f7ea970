//! Logs to standard error, as text for people or JSON for machines.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{LogConfig, LogFormat};

/// Starts logging; a second call in one process changes nothing.
pub fn start(config: &LogConfig) {
    // The configuration has been checked, so the filter is one; should it not be, everything from `info` is logged.
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Colours are for eyes; in a file or a journal their codes would hide what one searches for.
    let builder = fmt().with_env_filter(filter).with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    let started = match config.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Refused only where a test has installed a subscriber of its own, which then gets the events.
    let _ = started;
}
