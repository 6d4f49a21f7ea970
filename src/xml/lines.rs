//! Lines that end in text, and the characters behind the last of them, many bytes at a time.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x64};

/// How far a text goes on in lines and characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lines {
    /// How many lines end.
    pub(super) ends: u64,
    /// Characters behind the last of them, or all.
    pub(super) behind: u64,
}

impl Lines {
    /// Those of a text.
    pub(super) fn of(text: &[u8]) -> Self {
        // With fewer bytes a call for them does not pay.
        const SHORT: usize = 16;
        if text.len() > SHORT { dispatch!(Level::new(), simd => Self::count(simd, text)) } else { Self::bytewise(text) }
    }

    #[inline(always)]
    fn count<S: Simd>(simd: S, text: &[u8]) -> Self {
        let mut lines = Self::default();
        let (chunks, rest) = text.as_chunks();
        for chunk in chunks {
            let (ends, begins) = marks(simd, chunk);
            lines.add(ends, begins);
        }
        match text.last_chunk() {
            _ if rest.is_empty() => {}
            // What has been counted is shifted out.
            Some(last) => {
                let (ends, begins) = marks(simd, last);
                lines.add(ends >> (WIDTH - rest.len()), begins >> (WIDTH - rest.len()));
            }
            None => {
                let mut last = [INSIDE; WIDTH];
                last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                let (ends, begins) = marks(simd, &last);
                lines.add(ends, begins);
            }
        }
        lines
    }

    /// Goes on by bytes of which bits tell at which of them a line ends and a character begins.
    #[inline(always)]
    fn add(&mut self, ends: u64, begins: u64) {
        match ends.checked_ilog2() {
            None => self.behind += u64::from(begins.count_ones()),
            Some(last) => {
                self.ends += u64::from(ends.count_ones());
                self.behind = u64::from((begins >> last >> 1).count_ones());
            }
        }
    }

    fn bytewise(text: &[u8]) -> Self {
        text.iter().fold(Self::default(), |Self { ends, behind }, byte| match *byte {
            b'\n' => Self { ends: ends + 1, behind: 0 },
            byte => Self { ends, behind: behind + u64::from(byte & 0xC0 != INSIDE) },
        })
    }
}

/// Where lines end and where characters begin.
#[inline(always)]
fn marks<S: Simd>(simd: S, chunk: &[u8; WIDTH]) -> (u64, u64) {
    let bytes = u8x64::load_array_ref(simd, chunk);
    let inside = (bytes & 0xC0).simd_eq(INSIDE).to_bitmask();
    (bytes.simd_eq(b'\n').to_bitmask(), !inside)
}

const WIDTH: usize = 64;
/// A byte inside a character: it begins none, and ends no line.
const INSIDE: u8 = 0x80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_any_length_are_counted() {
        for len in 0..200 {
            for end in 0..len {
                let mut text = vec![b'x'; len];
                text[end] = b'\n';
                assert_eq!(Lines::of(&text), Lines { ends: 1, behind: (len - end - 1) as u64 }, "{end} of {len}");
            }
            assert_eq!(Lines::of(&vec![b'x'; len]), Lines { ends: 0, behind: len as u64 });
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_characters(text in "[a\næ€\u{1F600}]{0,120}") {
            let ends = text.matches('\n').count() as u64;
            let behind = text.rsplit('\n').next().map_or(0, |rest| rest.chars().count() as u64);
            prop_assert_eq!(Lines::of(text.as_bytes()), Lines { ends, behind });
        }
    }
}
