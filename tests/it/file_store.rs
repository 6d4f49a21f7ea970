//! Directories of others: every `FileStore`, and the SFTP servers behind them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

pub(crate) mod conformance;
mod hostile;
mod local;
mod logins;
mod peers;
mod stubborn;
