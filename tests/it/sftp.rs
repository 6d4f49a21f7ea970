//! The SFTP server with real clients.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first thing that is not as it should be")]

mod areas;
mod faults;
mod logins;
mod openssh;
mod protocol;
mod uploads;
