//! Items that repeat, in memory that does not grow with the file.
//!
//! Fingerprints go into a table of a fixed size, each into a bucket of its own choice; what finds itself there repeats
//! another. A bucket that is full takes no more: what then belongs there goes to files without names, and at the end through
//! the same table again, file by file and as often as something is left over. So each item meets every one that could be its
//! equal, and of equal ones all but the first are told, once.

use std::collections::BinaryHeap;
use std::io;

use super::fingerprint::{Fingerprint, Fingerprints};
use super::overflow::{Overflow, Seen};
use crate::validate::{Items, Sight};

/// The items seen so far.
pub(super) struct Repeats {
    prints: Fingerprints,
    /// Of the items at hand.
    of_chunk: Vec<Fingerprint>,
    table: Table,
    overflow: Overflow,
}

/// Where an item stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stand {
    pub(super) number: u64,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) offset: u64,
}

/// Items that repeat others, found at the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) count: u64,
    /// The first of them, in the order of the file.
    pub(super) first: Vec<Stand>,
}

/// Tags of fingerprints in buckets.
struct Table {
    /// None before there is a fingerprint.
    buckets: Vec<Bucket>,
    size: usize,
}

/// As large as what the machine fetches from memory at once, and aligned like it.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket([u64; BUCKET]);

/// What the table says of a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It is there already.
    Known,
    /// It was not there, and is now.
    New,
    /// Its bucket is full of others.
    Full,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self::with_buckets(BUCKETS)
    }

    fn with_buckets(buckets: usize) -> Self {
        let (prints, table) = (Fingerprints::new(), Table::new(buckets));
        Self { prints, of_chunk: Vec::new(), table, overflow: Overflow::new(PARTS) }
    }

    /// Takes note of items, but for those that are refused; tells of those that are known by now to repeat another.
    pub(super) fn see(&mut self, items: &Items, mut repeated: impl FnMut(Stand)) -> io::Result<()> {
        let Self { prints, of_chunk, table, .. } = self;
        of_chunk.clear();
        let print = |item: Sight<'_>| if item.refused.is_none() { prints.of(&item) } else { Fingerprint::NONE };
        of_chunk.extend(items.sights().map(print));
        // Less is waited for memory when it is fetched for all of them at once.
        let fetched = of_chunk.iter().fold(NONE, |all, print| all ^ table.first(*print));
        std::hint::black_box(fetched);
        for nth in 0..self.of_chunk.len() {
            let print = self.of_chunk.get(nth).copied().unwrap_or(Fingerprint::NONE);
            let stand = || items.sight(nth).map(|item| Stand::of(&item)).unwrap_or_default();
            if print != Fingerprint::NONE && self.note(print, stand)? {
                repeated(stand());
            }
        }
        Ok(())
    }

    /// Takes note of an item; tells whether it is known by now to repeat another.
    #[inline]
    fn note(&mut self, print: Fingerprint, stand: impl FnOnce() -> Stand) -> io::Result<bool> {
        match self.table.tell(print) {
            Told::Known => Ok(true),
            Told::New => Ok(false),
            Told::Full => self.overflow.add(&Seen { print, stand: stand() }).map(|()| false),
        }
    }

    /// The items that repeat another and were not told before, with the first so many of them.
    pub(super) fn late(mut self, most: usize) -> io::Result<Late> {
        let (mut count, mut first) = (0, BinaryHeap::new());
        let (mut waiting, mut room) = (self.overflow.into_parts()?, 0);
        while let Some(part) = waiting.pop() {
            if part.items() > room {
                room = self.table.clear();
            }
            room = room.saturating_sub(part.items());
            let mut left = Overflow::new(1);
            part.for_each(|seen| match self.table.tell(seen.print) {
                Told::Known => {
                    count += 1;
                    first.push(seen.stand);
                    if first.len() > most {
                        first.pop();
                    }
                    Ok(())
                }
                Told::New => Ok(()),
                Told::Full => left.add(&seen),
            })?;
            let left = left.into_parts()?;
            // They would find the same buckets full.
            room = if left.is_empty() { room } else { 0 };
            waiting.extend(left);
        }
        Ok(Late { count, first: first.into_sorted_vec() })
    }
}

impl Table {
    /// Of so many buckets, at least one.
    fn new(buckets: usize) -> Self {
        Self { buckets: Vec::new(), size: buckets }
    }

    /// Empties it, and tells how many fingerprints it has room for in all likelihood.
    fn clear(&mut self) -> u64 {
        self.buckets.fill(Bucket([NONE; BUCKET]));
        self.size as u64
    }

    /// Looks for a fingerprint, and adds it where there is room.
    #[inline]
    fn tell(&mut self, print: Fingerprint) -> Told {
        if self.buckets.is_empty() {
            self.buckets.resize(self.size, Bucket([NONE; BUCKET]));
        }
        let (tag, bucket) = (print.tag, self.bucket(print));
        let Some(Bucket(tags)) = self.buckets.get_mut(bucket) else { return Told::Full };
        // All of them are looked at: where one stands cannot be foreseen.
        let (known, taken) = tags
            .iter()
            .fold((false, 0), |(known, taken), there| (known | (*there == tag), taken + usize::from(*there != NONE)));
        match tags.get_mut(taken) {
            _ if known => Told::Known,
            None => Told::Full,
            Some(free) => {
                *free = tag;
                Told::New
            }
        }
    }

    fn bucket(&self, print: Fingerprint) -> usize {
        print.place as usize % self.size
    }

    /// What stands first in the bucket of a fingerprint.
    fn first(&self, print: Fingerprint) -> u64 {
        self.buckets.get(self.bucket(print)).map_or(NONE, |Bucket([first, ..])| *first)
    }
}

impl Stand {
    pub(super) fn of(item: &Sight<'_>) -> Self {
        Self { number: item.number, line: item.line, column: item.column, offset: item.offset }
    }
}

const NONE: u64 = Fingerprint::NONE.tag;
const BUCKET: usize = 8;
/// 1.25 MiB.
const BUCKETS: usize = 20 << 10;
/// Files for what finds no room at first: more of them are each sooner gone through.
const PARTS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(buckets: usize, most: usize, prints: &[u128]) -> (Vec<u64>, u64, Vec<u64>) {
        let mut repeats = Repeats::with_buckets(buckets);
        let mut at_once = Vec::new();
        for (number, print) in (1..).zip(prints) {
            let stand = Stand { number, line: number * 2, column: 3, offset: number << 40 };
            let print = Fingerprint { place: (print >> 64) as u32, tag: (*print as u64).max(1) };
            if repeats.note(print, || stand).unwrap() {
                at_once.push(number);
            }
        }
        let late = repeats.late(most).unwrap();
        assert!(late.first.iter().all(|stand| stand.line == stand.number * 2 && stand.offset == stand.number << 40));
        (at_once, late.count, late.first.iter().map(|stand| stand.number).collect())
    }

    #[test]
    fn repeats_are_told_once_wherever_they_stand() {
        // The first fill half of a bucket.
        let prints = [11, 12, 13, 14, 1, 2, 1, 3, 4, 2, 5, 5, 1, 6, 5, 6, 7, 8, 9, 9, 6];
        assert_eq!(told(1, 9, &prints), (vec![7, 10, 13], 5, vec![12, 15, 16, 20, 21]));
        assert_eq!(told(1, 2, &prints), (vec![7, 10, 13], 5, vec![12, 15]));
        assert_eq!(told(1, 0, &prints), (vec![7, 10, 13], 5, vec![]));
        assert_eq!(told(1, 9, &[1, 2, 3, 4, 5, 6]), (vec![], 0, vec![]));
        assert_eq!(told(1, 9, &[]), (vec![], 0, vec![]));
    }

    #[test]
    fn buckets_and_files_of_many_items_are_gone_through_to_the_end() {
        // Spread over buckets and files as fingerprints are.
        let print = |number: u128| number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        let prints: Vec<u128> = (0..5_000).chain(4_000..9_000).chain(0..100).map(print).collect();
        let expected: Vec<u64> = (5_001..=6_000).chain(10_001..=10_100).collect();
        for buckets in [1, 16, 64, 4_096] {
            let (mut all, late, first) = told(buckets, 9_999, &prints);
            assert_eq!(late, first.len() as u64);
            all.extend(first);
            all.sort_unstable();
            assert_eq!(all, expected, "{buckets}");
        }
    }

    #[test]
    fn a_million_equal_items_take_no_more_than_one() {
        let prints: Vec<u128> = (1..=8).chain(vec![9; 200_000]).collect();
        let (at_once, late, first) = told(1, 3, &prints);
        assert_eq!((at_once.len(), late, first), (0, 199_999, vec![10, 11, 12]));
        assert_eq!(told(2, 3, &vec![6; 1_000_000]).0.len(), 999_999);
    }
}
