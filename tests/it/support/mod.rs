//! What several tests need: temporary folders, free ports, real clients.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

pub(crate) mod openssh;
pub(crate) mod sftp;
