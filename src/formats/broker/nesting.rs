//! Archives inside of archives, as far as that can be told from their first bytes.
//!
//! An archive that lies in an archive is known by its name or by how it begins. How deep it goes on is told by the first
//! entry of each: its beginning is unpacked in a few kilobytes, whatever its size. So an archive that holds itself is
//! found to have no end after as many steps as the limit has.

use flate2::{Decompress, FlushDecompress};

use super::end::u16_at;

/// Looks into entries; kept for its memory.
pub(super) struct Nesting {
    inflate: Decompress,
    /// The beginnings of two levels, in turn.
    outer: Vec<u8>,
    inner: Vec<u8>,
}

impl Nesting {
    pub(super) fn new() -> Self {
        Self { inflate: Decompress::new(false), outer: Vec::new(), inner: Vec::new() }
    }

    /// Levels of archives that begin with an entry of which the name and the beginning of the packed data are given;
    /// never more than one past the limit.
    pub(super) fn levels(&mut self, name: &str, packed: &[u8], deflated: bool, limit: u32) -> u32 {
        self.unpack(packed, deflated);
        let mut levels = 0;
        while levels <= limit {
            std::mem::swap(&mut self.outer, &mut self.inner);
            let begins = MAGIC.iter().any(|magic| self.outer.starts_with(magic));
            if !begins {
                break;
            }
            levels += 1;
            let outer = std::mem::take(&mut self.outer);
            match first_entry(&outer) {
                Some((packed, deflated)) => self.unpack(packed, deflated),
                None => self.inner.clear(),
            }
            self.outer = outer;
        }
        levels.max(u32::from(is_archive_name(name)))
    }

    /// Unpacks a beginning into `inner`.
    fn unpack(&mut self, packed: &[u8], deflated: bool) {
        self.inner.clear();
        if !deflated {
            self.inner.extend_from_slice(packed.get(..BEGINNING_BYTES).unwrap_or(packed));
            return;
        }
        self.inflate.reset(false);
        self.inner.reserve(BEGINNING_BYTES);
        // Cut off as it is, it may end in the middle or be no deflate at all: what came out counts.
        let _ = self.inflate.decompress_vec(packed, &mut self.inner, FlushDecompress::None);
    }
}

/// Where the packed data of an archive's first entry begins, when it can be unpacked.
fn first_entry(archive: &[u8]) -> Option<(&[u8], bool)> {
    if !archive.starts_with(ZIP) {
        return None;
    }
    let is_encrypted = u16_at(archive, 6)? & 1 != 0;
    let deflated = match u16_at(archive, 8)? {
        0 => false,
        8 => true,
        _ => return None,
    };
    let data_at = HEADER_BYTES + usize::from(u16_at(archive, 26)?) + usize::from(u16_at(archive, 28)?);
    archive.get(data_at..).filter(|_| !is_encrypted).map(|packed| (packed, deflated))
}

fn is_archive_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.contains(&extension)
}

/// What is looked at of each level.
pub(super) const BEGINNING_BYTES: usize = 4 << 10;
const HEADER_BYTES: usize = 30;
const ZIP: &[u8] = b"PK\x03\x04";
/// How archives and packed files begin: ZIP, gzip, bzip2, xz, zstd, 7-Zip, RAR.
const MAGIC: [&[u8]; 7] =
    [ZIP, b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"];
/// In lower case, as folded names are.
const EXTENSIONS: [&str; 14] =
    ["zip", "zipx", "jar", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar", "cab", "lzh", "arj"];
