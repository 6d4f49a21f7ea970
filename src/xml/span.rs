//! Short texts that are expected to come again, compared with raw bytes a word at a time.

const BYTES: usize = 8;

/// A text of at most so many words.
// Not what the bytes say but what was expected tells how long it is, so that nothing waits for them.
#[derive(Debug, Clone, Copy)]
pub struct Span<const WORDS: usize> {
    words: [u64; WORDS],
    /// The bits that count.
    masks: [u64; WORDS],
}

impl<const WORDS: usize> Span<WORDS> {
    /// A span that no bytes begin with.
    pub const NEVER: Self = Self { words: [u64::MAX; WORDS], masks: [0; WORDS] };

    /// The span of a text; none where it is longer.
    #[inline]
    pub fn of(text: &[u8]) -> Option<Self> {
        if text.len() > WORDS * BYTES {
            return None;
        }
        let mut span = Self { words: [0; WORDS], masks: [0; WORDS] };
        for ((word, mask), bytes) in span.words.iter_mut().zip(&mut span.masks).zip(text.chunks(BYTES)) {
            let mut padded = [0; BYTES];
            padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            (*word, *mask) = (u64::from_le_bytes(padded), u64::MAX >> (u64::BITS as usize - BYTES * bytes.len()));
        }
        Some(span)
    }

    /// The first word, and the bits of it that count.
    #[inline]
    pub fn head(&self) -> (u64, u64) {
        (self.words.first().copied().unwrap_or_default(), self.masks.first().copied().unwrap_or_default())
    }

    /// Tells whether bytes begin with it; of fewer bytes than it has room for that is not told.
    #[inline(always)]
    pub fn begins(&self, bytes: &[u8]) -> bool {
        let Some(words) = bytes.as_chunks::<BYTES>().0.first_chunk::<WORDS>() else { return false };
        let each = words.iter().zip(&self.words).zip(&self.masks);
        each.fold(0, |differs, ((found, word), mask)| differs | ((u64::from_le_bytes(*found) & mask) ^ word)) == 0
    }
}

/// White space that has come before a `<`, and is expected to come again.
#[derive(Debug, Clone, Copy)]
pub struct Gap {
    span: Span<GAP_WORDS>,
    len: usize,
}

impl Gap {
    /// No white space.
    pub const NONE: Self = Self { span: Span { words: [b'<' as u64, 0], masks: [0xFF, 0] }, len: 0 };

    /// The white space that bytes begin with; if it is longer than a few characters, none is to be expected.
    #[inline]
    pub fn of(space: &[u8]) -> Self {
        Span::of(&[space, b"<"].concat()).map_or(Self::NONE, |span| Self { span, len: space.len() })
    }

    /// What follows this very white space, if it is a `<`.
    #[inline(always)]
    pub fn strip<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        if self.span.begins(bytes) { bytes.get(self.len..) } else { None }
    }
}

const GAP_WORDS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_apart() {
        for len in 0..=32 {
            let text: Vec<u8> = (b'a'..).take(len).collect();
            let span = Span::<4>::of(&text).unwrap();
            let bytes = [&text[..], &[b'~'; 32]].concat();
            assert!(span.begins(&bytes) && span.begins(&bytes[..32]) && !span.begins(&bytes[..31]));
            for at in 0..len {
                let mut other = bytes.clone();
                other[at] ^= 1;
                assert!(!span.begins(&other), "{len} {at}");
            }
        }
        assert!(Span::<4>::of(&[b'x'; 33]).is_none());
        assert!(!Span::<1>::NEVER.begins(&[0; 8]) && !Span::<1>::NEVER.begins(&[u8::MAX; 8]));
    }
    #[test]
    fn gaps_are_stripped_if_they_are_the_same() {
        for space in ["", "\n", "\n  ", "\r\n\t", "\n              "] {
            let (gap, rest) = (Gap::of(space.as_bytes()), "<abcdefghijklmnop");
            assert_eq!(gap.strip(format!("{space}{rest}").as_bytes()), Some(rest.as_bytes()));
            for other in [format!("{space}x{rest}"), format!("{space} {rest}"), format!("x{space}{rest}")] {
                assert_eq!(gap.strip(other.as_bytes()), None, "{other}");
            }
        }
        assert_eq!(Gap::of(&[b' '; 16]).strip(&[b' '; 32]), None);
    }
}
