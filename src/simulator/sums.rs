//! What is kept of a content: its size and its hashes, and whether a scanner would find something.

use aws_lc_rs::digest::{Context, SHA256};

/// A content as far as it has come.
pub(super) struct Sums {
    sha256: Context,
    md5: md5::Context,
    size_bytes: u64,
    tail: Vec<u8>,
    has_malware: bool,
}

/// What was found of a whole content.
pub(super) struct Summed {
    pub(super) sha256: String,
    pub(super) md5: String,
    pub(super) size_bytes: u64,
    pub(super) has_malware: bool,
}

impl Sums {
    pub(super) fn new() -> Self {
        let (sha256, md5) = (Context::new(&SHA256), md5::Context::new());
        Self { sha256, md5, size_bytes: 0, tail: Vec::new(), has_malware: false }
    }

    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.sha256.update(chunk);
        self.md5.consume(chunk);
        self.size_bytes += chunk.len() as u64;
        self.tail.extend_from_slice(chunk);
        self.has_malware |= memchr::memmem::find(&self.tail, MALWARE).is_some();
        self.tail.drain(..self.tail.len().saturating_sub(MALWARE.len()));
    }

    /// How much of it there is.
    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(super) fn finish(self) -> Summed {
        let sha256 = self.sha256.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let md5 = format!("{:x}", self.md5.finalize());
        Summed { sha256, md5, size_bytes: self.size_bytes, has_malware: self.has_malware }
    }
}

/// What a scanner finds in a file that is meant for trying it out; the stand-in takes its middle for all of it.
const MALWARE: &[u8] = b"STANDARD-ANTIVIRUS-TEST-FILE";
