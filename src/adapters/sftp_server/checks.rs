//! `check-file`: SHA-256 of a file or of its blocks, so that a sender can compare without reading anything back.

use std::io;

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use super::extended::{CHECK_FILE, Fields, put_string};
use super::failure::Failure;
use super::handles::Source;

/// Which bytes to hash.
pub(super) struct Check {
    start: u64,
    /// Bytes in all; `None` means to the end.
    length: Option<u64>,
    /// Bytes of one block; `None` means one hash of all.
    block: Option<u64>,
}

impl Check {
    /// Reads what follows the handle or the name.
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Failure> {
        let algorithms = fields.bytes()?;
        if !algorithms.split(|byte| *byte == b',').any(|name| name == ALGORITHM.as_bytes()) {
            return Err(Failure::Unsupported("any hash but sha256"));
        }
        let (start, length, block) = (fields.u64()?, fields.u64()?, fields.u32()?);
        if (1..MIN_BLOCK_BYTES).contains(&block) {
            return Err(Failure::Refused(format!("a block has at least {MIN_BLOCK_BYTES} bytes")));
        }
        Ok(Self {
            start,
            length: Some(length).filter(|length| *length > 0),
            block: Some(u64::from(block)).filter(|block| *block > 0),
        })
    }

    /// Whether it asks for one hash of the whole file.
    pub(super) fn is_of_all(&self) -> bool {
        self.start == 0 && self.length.is_none() && self.block.is_none()
    }
}

/// The hashes, one behind the other; `None` when they are too many. Blocks.
pub(super) fn hashes(source: &Source, check: &Check) -> io::Result<Option<Vec<u8>>> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut hashes, mut offset) = (Vec::new(), check.start);
    let mut left = check.length.unwrap_or(u64::MAX);
    loop {
        let wanted = check.block.unwrap_or(u64::MAX).min(left);
        let (hash, count) = hash(source, offset, wanted, &mut chunk)?;
        // Nothing at all has one hash, too; behind whole blocks nothing is no block.
        if count > 0 || hashes.is_empty() {
            if hashes.len() == MAX_HASHES * SHA256_OUTPUT_LEN {
                return Ok(None);
            }
            hashes.extend_from_slice(hash.as_ref());
        }
        (offset, left) = (offset.saturating_add(count), left.saturating_sub(count));
        if count < wanted || left == 0 {
            return Ok(Some(hashes));
        }
    }
}

fn hash(source: &Source, start: u64, length: u64, chunk: &mut [u8]) -> io::Result<(aws_lc_rs::digest::Digest, u64)> {
    let (mut context, mut hashed) = (Context::new(&SHA256), 0);
    while hashed < length {
        let wanted = (length - hashed).min(chunk.len() as u64) as usize;
        let Some(space) = chunk.get_mut(..wanted) else { break };
        let count = source.read_at(start.saturating_add(hashed), space)?;
        let Some(bytes) = space.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        context.update(bytes);
        hashed += bytes.len() as u64;
    }
    Ok((context.finish(), hashed))
}

/// The answer that carries the hashes.
pub(super) fn answer(hashes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::with_capacity(hashes.len() + 32);
    put_string(&mut answer, CHECK_FILE.as_bytes());
    put_string(&mut answer, ALGORITHM.as_bytes());
    answer.extend_from_slice(hashes);
    answer
}

/// Why so many hashes are not told.
pub(super) fn too_many() -> Failure {
    Failure::Refused(format!("at most {MAX_HASHES} blocks are hashed at once; ask for larger blocks or fewer bytes"))
}

const ALGORITHM: &str = "sha256";
/// The smallest block the extension's draft lets a client ask for.
const MIN_BLOCK_BYTES: u32 = 256;
/// Half a packet of hashes.
const MAX_HASHES: usize = 4096;
const CHUNK_BYTES: usize = 256 * 1024;
