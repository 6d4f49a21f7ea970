//! A file read through before it is ours: its hashes, and whether it breaks off.

use std::io;

use aws_lc_rs::digest;

use crate::formats::Ending;
use crate::ports::Blob;

/// What reading a file through showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadThrough {
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// Its MD5, where it was asked for.
    pub md5: Option<[u8; 16]>,
    /// Its end is missing; `false` where that was not asked for.
    pub breaks_off: bool,
}

/// Reads a file through.
pub fn read_through(blob: &dyn Blob, wants_md5: bool, wants_end: bool) -> io::Result<ReadThrough> {
    let mut sha256 = digest::Context::new(&digest::SHA256);
    let mut md5 = wants_md5.then(md5::Context::new);
    let mut ending = wants_end.then(Ending::default);
    let (mut at, mut room) = (0, vec![0; PIECE_BYTES]);
    loop {
        let count = match blob.read_at(at, &mut room) {
            Ok(0) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let bytes = room.get(..count).unwrap_or_default();
        sha256.update(bytes);
        md5.iter_mut().for_each(|md5| md5.consume(bytes));
        ending.iter_mut().for_each(|ending| ending.feed(bytes));
        at += count as u64;
    }
    let breaks_off = ending.map(|ending| ending.breaks_off(blob)).transpose()?.unwrap_or(false);
    let sha256 = sha256.finish().as_ref().try_into().map_err(io::Error::other)?;
    Ok(ReadThrough { sha256, md5: md5.map(|md5| md5.finalize().0), breaks_off })
}

const PIECE_BYTES: usize = 256 * 1024;
