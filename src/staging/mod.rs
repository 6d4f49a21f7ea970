//! Our durable copy before judgement: the blob is opened and its size is held against the routes' limits.
//!
//! A large one can be read while it arrives, by who follows its upload. Never looks at the content. What is refused here
//! still gets its receipt.

mod following;

use std::io::{self, Read};
use std::sync::Arc;

use crate::codes;
use crate::intake::Claim;
use crate::model::Finding;
use crate::ports::{Blob, Blobs};

pub use following::{Course, Follower};

/// Whether a claimed file is fit to be read.
pub enum Staging {
    /// It may be judged.
    Staged(Box<Staged>),
    /// It is refused unread.
    Refused(Finding),
}

/// A claimed file whose bytes lie ready.
pub struct Staged {
    claim: Claim,
    blob: Arc<dyn Blob>,
}

impl Staged {
    /// The claim it came from.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Its bytes.
    pub fn blob(&self) -> &Arc<dyn Blob> {
        &self.blob
    }

    /// Reads it from the beginning.
    pub fn reader(&self) -> BlobReader {
        BlobReader { blob: Arc::clone(&self.blob), offset: 0 }
    }
}

/// Opens a claim's bytes.
pub async fn stage(claim: Claim, blobs: &dyn Blobs) -> io::Result<Staging> {
    if claim.routes().is_empty() {
        return Ok(Staging::Refused(Finding::whole(codes::NO_ROUTE, "no route reads this directory")));
    }
    let size_bytes = claim.shipment().size_bytes;
    if size_bytes == 0 {
        return Ok(Staging::Refused(Finding::whole(codes::EMPTY_FILE, "the file has no bytes")));
    }
    let limit = claim.routes().iter().map(|route| route.max_file_bytes).max();
    if let Some(limit) = limit.filter(|limit| size_bytes > *limit) {
        let text = format!("the file has {size_bytes} bytes, the route takes {limit}");
        return Ok(Staging::Refused(Finding::whole(codes::FILE_TOO_LARGE, text)));
    }
    let blob = blobs.open(claim.shipment().blob).await?;
    Ok(Staging::Staged(Box::new(Staged { claim, blob })))
}

/// Reads a blob in order. Blocks.
pub struct BlobReader {
    blob: Arc<dyn Blob>,
    offset: u64,
}

impl Read for BlobReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.blob.read_at(self.offset, into)?;
        self.offset += read as u64;
        Ok(read)
    }
}
