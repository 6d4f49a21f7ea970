//! Extended requests: those of OpenSSH that a drop box has use for.

use bytes::Bytes;
use russh_sftp::extensions::{LimitsExtension, Statvfs};
use russh_sftp::ser;

use super::failure::Failure;
use super::packets::{MAX_PACKET_BYTES, string};
use super::premises::Premises;
use super::tree::Tree;

/// What VERSION announces.
pub(super) const ANNOUNCED: [(&str, &str); 4] = [(POSIX_RENAME, "1"), (STATVFS, "2"), (FSYNC, "1"), (LIMITS, "1")];

/// Renames and replaces what is there.
pub(super) const POSIX_RENAME: &str = "posix-rename@openssh.com";
/// Brings an upload to disk.
pub(super) const FSYNC: &str = "fsync@openssh.com";
/// Tells sizes of requests.
pub(super) const LIMITS: &str = "limits@openssh.com";
/// Tells how much room is left.
pub(super) const STATVFS: &str = "statvfs@openssh.com";

/// The longest read or write, as OpenSSH's server has it: a packet less its head.
pub(super) const MAX_DATA_BYTES: u32 = MAX_PACKET_BYTES - 1024;

/// The answer to `limits@openssh.com`.
pub(super) fn limits(max_handles: usize) -> Result<Vec<u8>, Failure> {
    encode(&LimitsExtension {
        max_packet_len: u64::from(MAX_PACKET_BYTES),
        max_read_len: u64::from(MAX_DATA_BYTES),
        max_write_len: u64::from(MAX_DATA_BYTES),
        max_open_handles: max_handles as u64,
    })
}

/// The answer to `statvfs@openssh.com`: the partner's quota as a file system.
pub(super) async fn room(premises: &Premises, tree: &Tree) -> Result<Vec<u8>, Failure> {
    let used = premises.area.usage(&tree.partner).await?;
    let free_bytes = tree.quota.bytes.saturating_sub(used.bytes);
    let free_files = tree.quota.files.saturating_sub(used.files);
    encode(&Statvfs {
        block_size: BLOCK_BYTES,
        fragment_size: BLOCK_BYTES,
        blocks: tree.quota.bytes / BLOCK_BYTES,
        blocks_free: free_bytes / BLOCK_BYTES,
        blocks_avail: free_bytes / BLOCK_BYTES,
        inodes: tree.quota.files,
        inodes_free: free_files,
        inodes_avail: free_files,
        fs_id: 0,
        flags: NO_SETUID,
        name_max: 255,
    })
}

/// The strings an extended request carries.
pub(super) fn strings<const N: usize>(data: Vec<u8>) -> Result<[String; N], Failure> {
    let mut rest = Bytes::from(data);
    let mut found = Vec::with_capacity(N);
    for _ in 0..N {
        let bytes = string(&mut rest).ok_or(SHORT)?;
        found.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    found.try_into().map_err(|_count| SHORT)
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    ser::to_bytes(value).map(|bytes| bytes.to_vec()).map_err(|_never| Failure::Unsupported("this request"))
}

const SHORT: Failure = Failure::BadMessage("an extended request is too short");
const BLOCK_BYTES: u64 = 4096;
const NO_SETUID: u64 = 2;
