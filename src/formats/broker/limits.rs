//! What an archive may ask of us and of those who unpack it.

/// Limits against archives that are small packed and endless unpacked, or that take too long to look through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries in the archive; sixteen bytes of memory are taken for each.
    pub entries: u64,
    /// Bytes of all entries unpacked, as they are declared.
    pub unpacked_bytes: u64,
    /// How many times as large as packed one entry may be.
    pub entry_ratio: u64,
    /// How many times as large as the archive all entries together may be.
    pub total_ratio: u64,
    /// Archives inside of archives: `1` lets an archive lie in the archive, but none in that.
    pub nesting: u32,
    /// Bytes of an entry's name.
    pub name_bytes: usize,
    /// Bytes of manifest.xml, and of recipients.xml, unpacked.
    pub control_bytes: u64,
    /// Files that FileList may name, and properties in PropertyList.
    pub listed: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            unpacked_bytes: 1 << 40,
            entry_ratio: 250,
            total_ratio: 100,
            nesting: 3,
            name_bytes: 1_024,
            control_bytes: 256 << 20,
            listed: 100_000,
        }
    }
}

impl Limits {
    /// Tells whether one entry, or all together, grow too much when they are unpacked. The first bytes pack better than
    /// the rest, and cost little.
    pub(super) fn grows_too_much(packed: u64, unpacked: u64, ratio: u64) -> bool {
        unpacked > FREE_BYTES && unpacked > packed.saturating_mul(ratio)
    }
}

/// What may be unpacked whatever the ratio is.
const FREE_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_may_grow_as_they_like() {
        assert!(!Limits::grows_too_much(1, FREE_BYTES, 10));
        assert!(Limits::grows_too_much(1, FREE_BYTES + 1, 10));
        assert!(!Limits::grows_too_much(FREE_BYTES, 10 * FREE_BYTES, 10));
        assert!(Limits::grows_too_much(FREE_BYTES, 10 * FREE_BYTES + 1, 10));
        assert!(!Limits::grows_too_much(u64::MAX, u64::MAX, 10));
    }
}
