//! Fingerprints of what identifies an item: equal for equal identities, and as good as never for others.
//!
//! An identity's words are the coefficients of a polynomial, whose values at two secret places are the fingerprint, modulo a
//! prime of 61 bits. Two polynomials of n words agree at n places at most: so two identities of n words, whoever has
//! chosen them, have one fingerprint in fewer than one of (2⁶⁰ / n)² cases. Keys are hashes of 122 bits; this is as good,
//! and takes a fraction of the time.

use std::hash::{BuildHasher as _, RandomState};

use crate::validate::Sight;

/// Of so many bits that equal ones are of one item.
pub(super) type Fingerprint = u128;

/// What all fingerprints of a run are made with.
pub(super) struct Fingerprints {
    places: [u64; 2],
}

impl Fingerprints {
    /// With secrets of their own, so that no file can be made for them to agree.
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self { places: [0_u8, 1].map(|which| (random.hash_one(which) & PRIME).max(2)) }
    }

    /// The fingerprint of an item's identity and its scope.
    pub(super) fn of(&self, item: &Sight<'_>) -> Fingerprint {
        let mut values = [0; 2];
        self.add(&mut values, item.identity.len() as u64);
        self.words(&mut values, item.scope.0.as_bytes());
        self.words(&mut values, item.identity);
        let [one, other] = values.map(|value| u128::from(value % PRIME));
        one << u64::BITS | other
    }

    #[inline]
    fn words(&self, values: &mut [u64; 2], bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(word) = rest.first_chunk() {
            self.add(values, u64::from_le_bytes(*word) & WORD);
            rest = rest.get(WORD_BYTES..).unwrap_or_default();
        }
        self.add(values, rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }

    #[inline(always)]
    fn add(&self, values: &mut [u64; 2], word: u64) {
        let ([one, other], [place, other_place]) = (values, self.places);
        *one = times(*one + word, place);
        *other = times(*other + word, other_place);
    }
}

/// A product modulo the prime, or a little more than that.
#[inline(always)]
fn times(value: u64, place: u64) -> u64 {
    let product = u128::from(value) * u128::from(place);
    let folded = (product as u64 & PRIME) + (product >> PRIME_BITS) as u64;
    (folded & PRIME) + (folded >> PRIME_BITS)
}

const PRIME_BITS: u32 = 61;
/// A Mersenne prime: what is beyond its bits is added to them.
const PRIME: u64 = (1 << PRIME_BITS) - 1;
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
        let prints = Fingerprints::new();
        let of = |scope: ItemKey, identity: &[u8]| {
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
        assert!(identities.iter().all(|identity| of(one, identity) == of(one, identity)));
        let other = Fingerprints::new();
        assert!(prints.places != other.places && prints.places.iter().all(|place| *place <= PRIME));
    }

    #[test]
    fn a_fingerprint_is_the_value_of_the_polynomial() {
        let prints = Fingerprints { places: [PRIME - 1, 3] };
        let sight = Sight {
            number: 1,
            line: 1,
            column: 1,
            offset: 0,
            refused: None,
            scope: ItemKey::NONE,
            identity: b"\x01\x00\x00\x00\x00\x00\x00\x02",
        };
        // Length 8, three words of the scope, then 1 and 2, which end the identity.
        let words = [8_u128, 0, 0, 0, 1, 2];
        let value = |at: u128| words.iter().fold(0, |value, word| (value + word) * at % u128::from(PRIME));
        assert_eq!(prints.of(&sight), value(u128::from(PRIME - 1)) << 64 | value(3));
    }
}
