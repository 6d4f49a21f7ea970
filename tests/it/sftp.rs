//! The SFTP server with real clients.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first thing that is not as it should be")]

mod areas;
mod clock;
mod crowd;
mod doors;
mod drop_box;
mod extensions;
mod faults;
mod host_keys;
mod keys;
mod log;
mod logins;
mod noise;
mod offers;
mod openssh;
mod overtaken;
mod protocol;
mod scp;
mod small;
mod uploads;
mod waiting;

pub(crate) use self::areas::place;
