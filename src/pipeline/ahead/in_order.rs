//! How far an upload has come without a gap.

use std::collections::BTreeMap;

/// The bytes from the beginning that have come, and pieces beyond them.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    reached: u64,
    /// Ends by beginnings. What finds no room is forgotten: then it goes no further than the gap before it.
    beyond: BTreeMap<u64, u64>,
}

impl InOrder {
    /// That of a file which has so many bytes.
    pub(super) fn new(size_bytes: u64) -> Self {
        Self { reached: size_bytes, beyond: BTreeMap::new() }
    }

    /// All bytes before this offset have come.
    pub(super) fn reached(&self) -> u64 {
        self.reached
    }

    /// Takes a write; `true` when it changed bytes that had been reached.
    pub(super) fn wrote(&mut self, offset: u64, bytes: u64) -> bool {
        let end = offset.saturating_add(bytes);
        if end == offset {
            return false;
        }
        let changed = offset < self.reached;
        if offset <= self.reached {
            self.reached = self.reached.max(end);
            self.join();
        } else if let Some(known) = self.beyond.get_mut(&offset) {
            *known = end.max(*known);
        } else if self.beyond.len() < MOST_PIECES {
            self.beyond.insert(offset, end);
        }
        changed
    }

    /// Takes a cut or an extension; `true` when bytes that had been reached are gone.
    pub(super) fn resized(&mut self, size_bytes: u64) -> bool {
        let changed = size_bytes < self.reached;
        self.reached = self.reached.min(size_bytes);
        self.beyond.retain(|offset, _| *offset < size_bytes);
        self.beyond.values_mut().for_each(|end| *end = size_bytes.min(*end));
        changed
    }

    fn join(&mut self) {
        while let Some(next) = self.beyond.first_entry().filter(|next| *next.key() <= self.reached) {
            self.reached = self.reached.max(next.remove());
        }
    }
}

/// Pieces remembered: clients send some dozens of requests without waiting for answers.
const MOST_PIECES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reaches_as_far_as_there_is_no_gap_whatever_the_order() {
        let mut chance = fastrand::Rng::with_seed(1);
        for _ in 0..500 {
            let (mut course, mut there) = (InOrder::default(), [false; 64]);
            for _ in 0..40 {
                let reached = there.iter().take_while(|there| **there).count();
                if chance.u8(..8) == 0 {
                    let size = chance.usize(..64);
                    there[size..].fill(false);
                    assert_eq!(course.resized(size as u64), size < reached);
                } else {
                    let (offset, bytes) = (chance.usize(..60), chance.usize(..5));
                    there[offset..offset + bytes].fill(true);
                    assert_eq!(course.wrote(offset as u64, bytes as u64), bytes > 0 && offset < reached);
                }
                let reached = there.iter().take_while(|there| **there).count();
                assert_eq!(course.reached(), reached as u64);
            }
        }
    }

    #[test]
    fn pieces_without_room_are_forgotten_and_numbers_do_not_run_over() {
        let mut course = InOrder::default();
        (1..=300).for_each(|piece| assert!(!course.wrote(piece * 10, 5)));
        assert_eq!(course.beyond.len(), MOST_PIECES);
        assert!(!course.wrote(0, 12));
        assert_eq!(course.reached(), 15);
        assert!(!course.wrote(u64::MAX, 9));
        assert!(course.wrote(3, u64::MAX));
        assert_eq!(course.reached(), u64::MAX);
    }
}
