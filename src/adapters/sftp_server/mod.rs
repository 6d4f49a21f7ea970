//! Our own SFTP server: the drop box agencies see.
//!
//! SSH is russh's; the SFTP version 3 loop is ours. A partner sees `/` with their agreed directories and nothing else:
//! inbox and test directories take files, receipts and outbox give them. Names and sizes are rows of the [`Area`],
//! bytes are [`Blobs`]; this room never sees a path of the host's file system.
//!
//! Invariants:
//! - CLOSE answers OK only after the bytes are sealed and the ledger has the row; the claim is part of that row's commit.
//! - An upload without CLOSE stays a partial that its owner can resume and nobody claims.
//! - Requests of one channel take effect in the order they came; replies of one wake-up leave together.
//! - Memory per channel, and per partner, is bounded whatever the client sends or leaves unread.
//! - No shell, no exec, no forwarding. Passwords and file data never reach the log.
//!
//! [`Area`]: crate::ports::Area
//! [`Blobs`]: crate::ports::Blobs

mod attributes;
mod backlog;
mod bandwidth;
mod certificates;
mod channel;
mod checks;
mod connection;
mod defender;
mod deferred;
mod disk;
mod extended;
mod failure;
mod handles;
mod host_keys;
mod line;
mod listener;
mod listing;
mod login;
mod login_key;
mod names;
mod offers;
mod ongoing;
mod opening;
pub(super) mod packets;
mod premises;
mod proxy;
mod recent;
mod replies;
mod revoked;
mod rights;
mod roster;
mod scp;
mod session;
mod settings;
mod spelling;
mod strangers;
mod tree;
mod upload;
mod waiting;
mod window;
pub mod wire;
mod writeback;

pub use self::host_keys::{HostKey, HostKeyKind, Shown, make_host_key, read_host_keys, retire_host_key};
pub use self::listener::{Doorkeeper, SftpServer};
pub use self::login_key::{BadKey, read_key};
pub use self::premises::Backing;
pub use self::roster::{Attempt, refusal};
pub use self::settings::{Defence, Login, Network, PartnerAccess, PublicKeyLine, SetupError, SftpLimits, SftpSettings};
