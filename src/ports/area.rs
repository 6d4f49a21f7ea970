//! The area: a partner's directories as a tree in the ledger.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::{AreaPath, BlobId, Fetch, Node, PartnerId, ScratchId, ShipmentId};

/// A partner's files. Every change is on disk before the call returns, but for [`Area::begin`], which a crash of the machine
/// may undo until a later change is on disk.
#[async_trait]
pub trait Area: Send + Sync {
    /// Files of a directory in order of name, after a given name, at most `limit` of them.
    async fn list(
        &self,
        partner: &PartnerId,
        dir: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Node>, AreaError>;

    /// One file.
    async fn stat(&self, partner: &PartnerId, path: &AreaPath) -> Result<Option<Node>, AreaError>;

    /// One file, and what the partner's area holds: what is asked before an upload.
    async fn look(&self, partner: &PartnerId, path: &AreaPath) -> Result<Look, AreaError>;

    /// Bytes and files a partner's area holds.
    async fn usage(&self, partner: &PartnerId) -> Result<Usage, AreaError>;

    /// Records that an upload into `scratch` begins. A whole file of the same name stays as it is until CLOSE;
    /// a claimed one leaves the tree (its shipment keeps the bytes); a partial's old scratch is returned to discard.
    async fn begin(&self, upload: &NewUpload) -> Result<Begun, AreaError>;

    /// Records how far an upload came when its connection dropped, so that it can be resumed.
    async fn pause(
        &self,
        partner: &PartnerId,
        path: &AreaPath,
        scratch: ScratchId,
        size_bytes: u64,
    ) -> Result<(), AreaError>;

    /// Records that an upload is complete: its scratch is now `blob`. With `claim` the file becomes a shipment in the
    /// same transaction. Returns a blob that nothing refers to any more.
    async fn close(&self, close: &Close) -> Result<Option<BlobId>, AreaError>;

    /// The same for a small file, whose bytes the ledger keeps: those given, or those it was last given to safeguard.
    /// With `begins` the upload is recorded in the same transaction, as by [`Area::begin`].
    async fn close_small(
        &self,
        close: &Close,
        bytes: Option<Vec<u8>>,
        begins: Option<&NewUpload>,
    ) -> Result<Option<BlobId>, AreaError>;

    /// Keeps what a small upload has so far, as the blob it becomes, so that it is not lost in a crash. With `begins` the
    /// upload is recorded in the same transaction, as by [`Area::begin`].
    async fn safeguard(&self, small: &SmallUpload, bytes: Vec<u8>, begins: Option<&NewUpload>)
    -> Result<(), AreaError>;

    /// Renames within one area; never overwrites unless `replace`. With `claim` the file becomes a shipment in the same
    /// transaction. Refused for claimed files. Returns what nothing refers to any more.
    async fn rename(
        &self,
        partner: &PartnerId,
        from: &AreaPath,
        to: &AreaPath,
        replace: bool,
        claim: Option<(ShipmentId, bool)>,
        now: Timestamp,
    ) -> Result<Replaced, AreaError>;

    /// Removes a file that is not claimed; returns it, so that its bytes can be discarded.
    async fn remove(&self, partner: &PartnerId, path: &AreaPath) -> Result<Node, AreaError>;

    /// Records that a login has fetched a whole file.
    async fn fetched(&self, partner: &PartnerId, path: &AreaPath, user: &str, now: Timestamp) -> Result<(), AreaError>;

    /// Who has fetched a file, also one that is gone since, in order of user.
    async fn fetches(&self, partner: &PartnerId, path: &AreaPath) -> Result<Vec<Fetch>, AreaError>;

    /// Sets the modification time shown for a file; one that is gone or claimed is left as it is, without error.
    async fn touch(&self, partner: &PartnerId, path: &AreaPath, modified: Timestamp) -> Result<(), AreaError>;
}

/// An upload that begins.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// Whose area.
    pub partner: PartnerId,
    /// Which file.
    pub path: AreaPath,
    /// The login that uploads, whose file it is then.
    pub owner: Option<String>,
    /// Where its bytes go.
    pub scratch: ScratchId,
    /// Refuses when any file of the name is there (exclusive create).
    pub exclusive: bool,
    /// What the partner may hold.
    pub quota: Quota,
    /// When.
    pub now: Timestamp,
}

/// An upload that is complete.
#[derive(Debug, Clone)]
pub struct Close {
    /// Whose area.
    pub partner: PartnerId,
    /// Which file.
    pub path: AreaPath,
    /// The scratch that became the blob; the row must still name it.
    pub scratch: ScratchId,
    /// The blob, already sealed.
    pub blob: BlobId,
    /// Its size.
    pub size_bytes: u64,
    /// The shipment the file becomes, and whether it is a rehearsal; `None` leaves the file whole and unclaimed.
    pub claim: Option<(ShipmentId, bool)>,
    /// When.
    pub now: Timestamp,
}

/// A small upload in progress.
#[derive(Debug, Clone)]
pub struct SmallUpload {
    /// Whose area.
    pub partner: PartnerId,
    /// Which file.
    pub path: AreaPath,
    /// The scratch its bytes go to; the row must name it.
    pub scratch: ScratchId,
    /// The blob they become.
    pub blob: BlobId,
}

/// What a partner may hold in their area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes in all.
    pub bytes: u64,
    /// Files in all.
    pub files: u64,
}

impl Quota {
    /// Whether an upload of one more file may begin beside what is held.
    pub fn admit(self, held: Usage) -> Result<(), AreaError> {
        if held.files >= self.files {
            return Err(AreaError::QuotaFiles(self.files));
        }
        if held.bytes >= self.bytes {
            return Err(AreaError::QuotaBytes(self.bytes));
        }
        Ok(())
    }
}

/// An upload that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The scratch of an upload that this one took the place of.
    pub former: Option<ScratchId>,
    /// Bytes the partner holds now, partials included as last recorded.
    pub held_bytes: u64,
}

/// What a rename took the place of, to be thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replaced {
    /// The bytes of a whole file.
    pub blob: Option<BlobId>,
    /// The scratch of an upload in progress or cut off.
    pub scratch: Option<ScratchId>,
}

/// What is asked before an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The file of that name.
    pub node: Option<Node>,
    /// What the partner holds, that file included.
    pub usage: Usage,
}

/// What a partner holds in their area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes in all, partials included as last recorded.
    pub bytes: u64,
    /// Files in all.
    pub files: u64,
}

/// Why the area did not do it; the texts are shown to the partner.
#[derive(Debug, thiserror::Error)]
pub enum AreaError {
    /// Nothing of that name.
    #[error("no such file")]
    NotFound,
    /// The name is taken.
    #[error("a file of that name is already there")]
    Exists,
    /// The file is being processed.
    #[error("the file has been received and is being processed; it can no longer be changed")]
    Claimed,
    /// Another connection is uploading to this name.
    #[error("another upload has taken over this file name")]
    Superseded,
    /// The file cannot be claimed: its upload is in progress or was cut off.
    #[error("the upload of this file is not finished; send the rest of it first")]
    Incomplete,
    /// The quota of bytes is reached.
    #[error("quota of {} reached", human_bytes(*.0))]
    QuotaBytes(u64),
    /// The quota of files is reached.
    #[error("quota of {0} files reached")]
    QuotaFiles(u64),
    /// The ledger failed; the text is for our log, not for the partner.
    #[error("the server could not store this just now; try again later")]
    Ledger(#[from] super::LedgerError),
}

/// Bytes as people write them: `10 GB`, `1.5 MB`.
fn human_bytes(bytes: u64) -> String {
    let units = [("TB", 1_000_000_000_000_u64), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (name, size) in units {
        if bytes >= size {
            let tenths = bytes / (size / 10);
            let (whole, tenth) = (tenths / 10, tenths % 10);
            return if tenth == 0 { format!("{whole} {name}") } else { format!("{whole}.{tenth} {name}") };
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_read_as_people_write_them() {
        assert_eq!(AreaError::QuotaBytes(10_000_000_000).to_string(), "quota of 10 GB reached");
        assert_eq!(AreaError::QuotaBytes(1_500_000).to_string(), "quota of 1.5 MB reached");
        assert_eq!(AreaError::QuotaBytes(512).to_string(), "quota of 512 bytes reached");
    }
}
