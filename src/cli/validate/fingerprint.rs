//! Fingerprints of what identifies an item: equal for equal identities, and as good as never for others.
//!
//! An identity's words are the coefficients of a polynomial, of whose values at two secret places, modulo a prime of 61 bits,
//! the fingerprint is made. Two polynomials of n words agree at n places at most: so two identities of n words, whoever has
//! chosen them, are taken for one in fewer than one of 2⁷⁴ / n² cases, of the 78 bits that are compared. The keys by which the
//! gateway tells items apart for ever have 122; within one file these do, and take half the room.

use std::hash::{BuildHasher as _, RandomState};

use crate::model::ItemKey;
use crate::validate::Sight;

/// What stands for an item: where it is to be looked for, and what tells it apart there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint {
    pub(super) place: u32,
    /// Never zero.
    pub(super) tag: u64,
}

impl Fingerprint {
    /// Of no item.
    pub(super) const NONE: Self = Self { place: 0, tag: 0 };

    /// Of two values below the prime.
    fn of([one, other]: [u64; 2]) -> Self {
        let (high, middle) = (one >> (PRIME_BITS - SPARE_BITS), one >> (PRIME_BITS - SPARE_BITS - u32::BITS));
        Self { place: middle as u32, tag: ((other << SPARE_BITS) | high).max(1) }
    }
}

/// What all fingerprints of a run are made with.
pub(super) struct Fingerprints {
    places: [u64; 2],
    /// The scope seen last, and the values it leads to: most items are of one.
    scope: (ItemKey, [u64; 2]),
}

impl Fingerprints {
    /// With secrets of their own, so that no file can be made for them to agree.
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self::at([0_u8, 1].map(|which| (random.hash_one(which) & MOST_PLACE).max(2)))
    }

    fn at(places: [u64; 2]) -> Self {
        let mut prints = Self { places, scope: (ItemKey::NONE, [0; 2]) };
        prints.scope.1 = prints.of_scope(ItemKey::NONE);
        prints
    }

    /// The fingerprint of an item's scope and its identity.
    pub(super) fn of(&mut self, item: &Sight<'_>) -> Fingerprint {
        if self.scope.0 != item.scope {
            self.scope = (item.scope, self.of_scope(item.scope));
        }
        let values = self.words(self.scope.1, item.identity);
        // Identities of which one ends in zeros are told apart by their lengths.
        Fingerprint::of(self.add(values, item.identity.len() as u64).map(|value| value % PRIME))
    }

    fn of_scope(&self, scope: ItemKey) -> [u64; 2] {
        self.words([0; 2], scope.0.as_bytes())
    }

    #[inline]
    fn words(&self, mut values: [u64; 2], bytes: &[u8]) -> [u64; 2] {
        let mut rest = bytes;
        while let Some(word) = rest.first_chunk() {
            values = self.add(values, u64::from_le_bytes(*word) & WORD);
            rest = rest.get(WORD_BYTES..).unwrap_or_default();
        }
        let last = match bytes.last_chunk() {
            Some(last) => u64::from_le_bytes(*last).checked_shr(u64::BITS - 8 * rest.len() as u32).unwrap_or_default(),
            None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        self.add(values, last)
    }

    #[inline(always)]
    fn add(&self, [one, other]: [u64; 2], word: u64) -> [u64; 2] {
        let [place, other_place] = self.places;
        [times(one + word, place), times(other + word, other_place)]
    }
}

/// A product modulo the prime, or up to twice that: the place is less than half of the prime, so of any number of such steps
/// no value has more than 63 bits.
#[inline(always)]
fn times(value: u64, place: u64) -> u64 {
    let product = u128::from(value) * u128::from(place);
    (product as u64 & PRIME) + (product >> PRIME_BITS) as u64
}

const PRIME_BITS: u32 = 61;
/// A Mersenne prime: what is beyond its bits is added to them.
const PRIME: u64 = (1 << PRIME_BITS) - 1;
const MOST_PLACE: u64 = PRIME >> 1;
/// Bits of a word that a value leaves.
const SPARE_BITS: u32 = u64::BITS - PRIME_BITS;
/// As many as surely are less than the prime.
const WORD_BYTES: usize = 7;
const WORD: u64 = (1 << (8 * WORD_BYTES)) - 1;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::ItemKey;

    #[test]
    fn a_fingerprint_depends_on_every_byte_and_on_the_scope() {
        let mut prints = Fingerprints::new();
        let mut of = |scope: ItemKey, identity: &[u8]| {
            prints.of(&Sight { number: 1, line: 1, column: 1, offset: 0, refused: None, scope, identity })
        };
        let (one, other) = (ItemKey::derive(&["a"]), ItemKey::derive(&["b"]));
        let mut identities: Vec<Vec<u8>> = (0..40).map(|len| vec![0; len]).collect();
        for at in 0..40 {
            for byte in [1, 128, 255] {
                let mut identity = vec![0; 40];
                identity[at] = byte;
                identities.push(identity);
            }
        }
        let all = identities.iter().flat_map(|identity| [of(one, identity), of(other, identity)]);
        assert_eq!(all.collect::<HashSet<_>>().len(), 2 * identities.len());
        // Also when another scope has come in between.
        assert!(identities.iter().all(|identity| of(one, identity) == {
            of(other, identity);
            of(one, identity)
        }));
        let other = Fingerprints::new();
        assert!(prints.places != other.places && prints.places.iter().all(|place| *place <= MOST_PLACE));
    }

    #[test]
    fn a_fingerprint_is_the_value_of_the_polynomial() {
        let mut prints = Fingerprints::at([MOST_PLACE, 3]);
        let sight = Sight {
            number: 1,
            line: 1,
            column: 1,
            offset: 0,
            refused: None,
            scope: ItemKey::NONE,
            identity: b"\x01\x00\x00\x00\x00\x00\x00\x02",
        };
        // Three words of the scope, then 1 and 2, which end the identity, and its length.
        let words = [0_u128, 0, 0, 1, 2, 8];
        let value = |at: u128| words.iter().fold(0, |value, word| (value + word) * at % u128::from(PRIME));
        let [one, other] = [value(u128::from(MOST_PLACE)), value(3)].map(|value| value as u64);
        let Fingerprint { place, tag } = prints.of(&sight);
        assert_eq!(tag, (other << 3) | (one >> 58));
        assert_eq!(u64::from(place), (one >> 26) & 0xFFFF_FFFF);
    }
}
