//! Which bytes of an archive its entries take: each byte once, and all of them.

use std::collections::BTreeMap;

use crate::model::ByteRange;

/// Ranges seen so far, those that touch joined: one, as long as entries come in the order they lie in.
#[derive(Debug, Default)]
pub(super) struct Extents {
    ends: BTreeMap<u64, u64>,
}

/// Why a range cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It shares bytes with another.
    Overlap,
    /// There are more separate ranges than are kept.
    Scattered,
}

impl Extents {
    /// Adds a range that is not empty.
    pub(super) fn add(&mut self, range: ByteRange) -> Result<(), Trouble> {
        let before = self.ends.range(..=range.start).next_back().map(|(start, end)| (*start, *end));
        let after = self.ends.range(range.start..).next().map(|(start, end)| (*start, *end));
        if before.is_some_and(|(_, end)| end > range.start) || after.is_some_and(|(start, _)| start < range.end) {
            return Err(Trouble::Overlap);
        }
        let mut joined = range;
        if let Some((start, _)) = before.filter(|(_, end)| *end == range.start) {
            joined.start = start;
        }
        if let Some((start, end)) = after.filter(|(start, _)| *start == range.end) {
            self.ends.remove(&start);
            joined.end = end;
        }
        self.ends.insert(joined.start, joined.end);
        if self.ends.len() > MOST_RANGES { Err(Trouble::Scattered) } else { Ok(()) }
    }

    /// Tells whether the ranges are all bytes before `end`.
    pub(super) fn fill(&self, end: u64) -> bool {
        match self.ends.first_key_value() {
            None => end == 0,
            Some(only) => self.ends.len() == 1 && only == (&0, &end),
        }
    }
}

/// Two megabytes of memory, or thereabouts.
const MOST_RANGES: usize = 65_536;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: u64, end: u64) -> ByteRange {
        ByteRange { start, end }
    }

    #[test]
    fn in_order_or_backwards_they_are_one() {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut extents = Extents::default();
            for nth in order {
                extents.add(range(nth * 10, nth * 10 + 10)).unwrap();
            }
            assert!(extents.fill(40) && extents.ends.len() == 1, "{order:?}");
            assert!(!extents.fill(41));
        }
        assert!(Extents::default().fill(0));
    }

    #[test]
    fn what_lies_far_apart_is_given_up() {
        let mut extents = Extents::default();
        let mut add = |nth: u64| extents.add(range(nth * 10, nth * 10 + 1));
        assert!((0..MOST_RANGES as u64).all(|nth| add(nth).is_ok()));
        assert_eq!(add(MOST_RANGES as u64), Err(Trouble::Scattered));
    }

    proptest! {
        #[test]
        fn it_knows_what_a_table_of_bytes_knows(ranges in prop::collection::vec((0_u64..40, 1_u64..8), 0..12)) {
            let mut extents = Extents::default();
            let mut table = [false; 64];
            for (start, length) in ranges {
                let taken = &mut table[start as usize..(start + length) as usize];
                let free = taken.iter().all(|taken| !*taken);
                prop_assert_eq!(extents.add(range(start, start + length)).is_ok(), free);
                if free {
                    taken.fill(true);
                }
            }
            let used = table.iter().filter(|taken| **taken).count();
            prop_assert_eq!(extents.fill(used as u64), table[..used].iter().all(|taken| *taken));
        }
    }
}
