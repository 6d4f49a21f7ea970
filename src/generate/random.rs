//! Numbers that are the same for the same seed on every machine and in every version of sluse.

/// SplitMix64 (Steele, Lea and Flood 2014): tiny, quick, and fixed for ever, which a library's generator is not.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for one purpose and number, so that items do not depend on those before them.
    pub(super) fn fork(&self, purpose: u64, number: u64) -> Self {
        let mut mixed = Self(self.0 ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03));
        Self(mixed.next() ^ number.wrapping_mul(0x9e6c_63d0_876a_3f35))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // Multiply and shift: no division, and the bias of 2^-64 per step matters to nobody here.
        u64::try_from((u128::from(self.next()) * u128::from(limit)) >> 64).unwrap_or_default()
    }

    /// One of a list that is not empty.
    pub(super) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(list.len() as u64)).unwrap_or_default();
        list.get(index).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn below_stays_below() {
        let mut random = Random::new(1);
        assert!((0..1_000).all(|_| random.below(7) < 7));
    }
}
