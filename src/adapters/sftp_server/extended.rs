//! Extended requests: those of OpenSSH that a drop box has use for.

use bytes::{Buf as _, BufMut as _, Bytes};
use russh_sftp::extensions::{LimitsExtension, Statvfs};
use russh_sftp::ser;

use super::failure::Failure;
use super::packets::{MAX_PACKET_BYTES, string};
use super::premises::Premises;
use super::spelling;
use super::tree::Tree;

/// What VERSION announces.
pub(super) const ANNOUNCED: [(&str, &str); 6] =
    [(POSIX_RENAME, "1"), (STATVFS, "2"), (FSYNC, "1"), (LIMITS, "1"), (COPY_DATA, "1"), (CHECK_FILE, "1")];

/// Renames and replaces what is there.
pub(super) const POSIX_RENAME: &str = "posix-rename@openssh.com";
/// Brings an upload to disk.
pub(super) const FSYNC: &str = "fsync@openssh.com";
/// Tells sizes of requests.
pub(super) const LIMITS: &str = "limits@openssh.com";
/// Tells how much room is left.
pub(super) const STATVFS: &str = "statvfs@openssh.com";
/// Makes a second name for a file; refused, since a name here is a file.
pub(super) const HARDLINK: &str = "hardlink@openssh.com";
/// Copies bytes between two handles.
pub(super) const COPY_DATA: &str = "copy-data";
/// Hashes a file: this name is announced, and asks by handle as `check-file-handle` does.
pub(super) const CHECK_FILE: &str = "check-file";
/// Hashes what a handle stands for.
pub(super) const CHECK_HANDLE: &str = "check-file-handle";
/// Hashes what a path names.
pub(super) const CHECK_NAME: &str = "check-file-name";

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

/// Adds a length and so many bytes.
pub(super) fn put_string(into: &mut Vec<u8>, bytes: &[u8]) {
    // Answers are bounded far below 4 GiB.
    into.put_u32(bytes.len() as u32);
    into.put_slice(bytes);
}

/// The fields an extended request carries.
pub(super) struct Fields(Bytes);

impl Fields {
    /// The fields in the bytes behind the request's name.
    pub(super) fn new(data: Vec<u8>) -> Self {
        Self(Bytes::from(data))
    }

    /// A path, as we spell it.
    pub(super) fn path(&mut self) -> Result<String, Failure> {
        Ok(spelling::text(&self.bytes()?))
    }

    /// A length and so many bytes.
    pub(super) fn bytes(&mut self) -> Result<Bytes, Failure> {
        string(&mut self.0).ok_or(SHORT)
    }

    /// A number of 32 bits.
    pub(super) fn u32(&mut self) -> Result<u32, Failure> {
        self.0.try_get_u32().map_err(|_short| SHORT)
    }

    /// A number of 64 bits.
    pub(super) fn u64(&mut self) -> Result<u64, Failure> {
        self.0.try_get_u64().map_err(|_short| SHORT)
    }
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    ser::to_bytes(value).map(|bytes| bytes.to_vec()).map_err(|_never| Failure::Unsupported("this request"))
}

const SHORT: Failure = Failure::BadMessage("an extended request is too short");
const BLOCK_BYTES: u64 = 4096;
const NO_SETUID: u64 = 2;
