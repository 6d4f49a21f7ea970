//! Broker ZIPs: where the control files of a judged archive lie.

use serde::{Deserialize, Serialize};

use super::ByteRange;

/// Where the control files lie in a judged archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveContents {
    /// Entries in all.
    pub entries: u64,
    /// manifest.xml.
    pub manifest: ArchiveMember,
    /// recipients.xml.
    pub recipients: ArchiveMember,
    /// The only other file, where there is one, not encrypted and packed in a way we unpack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<ArchiveMember>,
}

/// Where a file lies in an archive and how it is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveMember {
    /// All of it: header, data, and what may follow.
    pub extent: ByteRange,
    /// Its data, packed.
    pub data: ByteRange,
    /// Its record in the archive's directory.
    pub record: ByteRange,
    /// It is packed with deflate; otherwise stored.
    pub deflated: bool,
    /// Its size unpacked.
    pub size_bytes: u64,
    /// CRC-32 of it unpacked.
    pub crc32: u32,
}
