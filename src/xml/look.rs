//! One look at the bytes of a document: whether they are UTF-8, whether XML allows the characters, where lines end.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x16, u8x64};
use memchr::memchr_iter;

use super::is_space;

/// What a look at bytes tells of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// They are UTF-8 and XML allows all of it; how many lines end in it.
    Sound(u64),
    /// Where the first character stands that XML does not allow.
    Forbidden(usize),
    /// Where bytes stand that are no character.
    Broken(usize),
}

/// Looks at bytes that end with a character.
pub(super) fn look(bytes: &[u8]) -> Look {
    let (mut rest, mut lines) = (bytes, 0);
    while !rest.is_empty() {
        let (block, after) = rest.split_at(block_len(rest));
        let before = bytes.len() - rest.len();
        match look_at_block(block) {
            Look::Sound(ends) => lines += ends,
            Look::Forbidden(at) => return Look::Forbidden(before + at),
            Look::Broken(at) => return Look::Broken(before + at),
        }
        rest = after;
    }
    Look::Sound(lines)
}

fn look_at_block(block: &[u8]) -> Look {
    // With fewer bytes it does not pay.
    const SHORT: usize = 16;
    let usual = if block.len() > SHORT { dispatch!(Level::new(), simd => glance(simd, block)) } else { None };
    usual.map_or_else(|| closely(block), Look::Sound)
}

/// How many bytes at the end begin a character that is not whole.
pub(super) fn cut_len(bytes: &[u8]) -> usize {
    const LONGEST: usize = 3;
    let Some(behind) = bytes.iter().rev().take(LONGEST).position(|byte| !is_inside(*byte)) else { return 0 };
    let (_, last) = bytes.split_at(bytes.len() - behind - 1);
    match std::str::from_utf8(last) {
        Err(error) if error.error_len().is_none() => last.len(),
        _ => 0,
    }
}

/// How many lines end in some text.
#[inline]
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    const SHORT: usize = 255;
    match bytes.len() {
        0..=SHORT => u64::from(bytes.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>()),
        _ => memchr_iter(b'\n', bytes).count() as u64,
    }
}

const WIDTH: usize = 64;
/// Where an unusual character stands, so much is looked at twice.
const BLOCK: usize = 256 * WIDTH;

/// The length of a block, which ends with a character too.
fn block_len(bytes: &[u8]) -> usize {
    bytes.get(..BLOCK).map_or(bytes.len(), |block| BLOCK - cut_len(block))
}

/// How many lines end in bytes, if they are nothing but usual characters.
#[inline(always)]
fn glance<S: Simd>(simd: S, bytes: &[u8]) -> Option<u64> {
    let mut seen = Seen::new(simd);
    let (chunks, rest) = bytes.as_chunks();
    for chunk in chunks {
        seen.take(chunk);
    }
    let mut last = [b' '; WIDTH];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    seen.take(&last);
    // Of a character that is not whole the blanks tell, or the next block does.
    seen.is_usual().then_some(seen.lines)
}

/// What has been seen of a block. What must be rare is gathered and asked for once, without a branch for each byte.
struct Seen<S: Simd> {
    high: u8x64<S>,
    low: u8x64<S>,
    /// Not zero where an unusual byte stood.
    odd: u8x64<S>,
    /// Bits that are set where a character ended early or went on too long.
    torn: u64,
    /// Where characters of two bytes and more begin, in the last chunk.
    begins: u64,
    /// Those of three.
    long: u64,
    lines: u64,
}

impl<S: Simd> Seen<S> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        let high = u8x64::block_splat(u8x16::load_array(simd, HIGH));
        let low = u8x64::block_splat(u8x16::load_array(simd, LOW));
        Self { high, low, odd: u8x64::splat(simd, 0), torn: 0, begins: 0, long: 0, lines: 0 }
    }

    #[inline(always)]
    fn take(&mut self, chunk: &[u8; WIDTH]) {
        let bytes = u8x64::load_array_ref(self.odd.token(), chunk);
        self.odd |= self.high.swizzle_dyn_within_blocks(bytes >> 4) & self.low.swizzle_dyn_within_blocks(bytes & 0x0F);
        // One by one: what stands in a closure may be compiled for any machine.
        let (above, begins, long) = (from(bytes, 0x80), from(bytes, 0xC0), from(bytes, 0xE0));
        let inside = (begins << 1 | self.begins >> 63) | (long << 2 | self.long >> 62);
        self.torn |= inside ^ (above & !begins);
        (self.begins, self.long) = (begins, long);
        self.lines += u64::from(bytes.simd_eq(b'\n').to_bitmask().count_ones());
    }

    #[inline(always)]
    fn is_usual(&self) -> bool {
        self.torn == 0 && self.odd.simd_eq(0).all_true()
    }
}

/// Bits for the bytes from one on.
#[inline(always)]
fn from<S: Simd>(bytes: u8x64<S>, least: u8) -> u64 {
    bytes.simd_ge(least).to_bitmask()
}

/// A byte is unusual if what its first half says and what its second half says have a bit in common.
const HIGH: [u8; 16] = [CONTROL, MORE_CONTROLS, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, TWO, 0, THREE, FOUR];
const LOW: [u8; 16] = [
    CONTROL | MORE_CONTROLS | TWO | THREE | FOUR,
    CONTROL | MORE_CONTROLS | TWO | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    MORE_CONTROLS | FOUR,
    MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    MORE_CONTROLS | THREE | FOUR,
    CONTROL | MORE_CONTROLS | FOUR,
    CONTROL | MORE_CONTROLS | THREE | FOUR,
];
/// Those of the first sixteen but white space.
const CONTROL: u8 = 1;
const MORE_CONTROLS: u8 = 2;
/// The first byte of two that would say what one says.
const TWO: u8 = 4;
/// The first byte of three that asks something of the second, or that those have which stand at the end of a plane.
const THREE: u8 = 8;
/// The first byte of four, or of none.
const FOUR: u8 = 16;

/// The same with what is unusual.
fn closely(bytes: &[u8]) -> Look {
    let broken = simdutf8::compat::from_utf8(bytes).err().map(|error| error.valid_up_to());
    let sound = bytes.get(..broken.unwrap_or(bytes.len())).unwrap_or_default();
    let is_control = |byte: &u8| *byte < b' ' && !is_space(*byte);
    let controls = sound.iter().fold(false, |found, byte| found | is_control(byte));
    let control = if controls { sound.iter().position(is_control) } else { None };
    let is_end = |at: &usize| matches!(sound.get(*at..), Some([0xEF, 0xBF, 0xBE | 0xBF, ..]));
    let plane_end = memchr_iter(0xEF, sound).find(is_end);
    match (control.into_iter().chain(plane_end).min(), broken) {
        (Some(at), _) => Look::Forbidden(at),
        (None, Some(at)) => Look::Broken(at),
        (None, None) => Look::Sound(line_ends(bytes)),
    }
}

fn is_inside(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::xml::chars::is_allowed;

    /// The same, byte by byte.
    fn slowly(bytes: &[u8]) -> Look {
        let (text, broken) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => (std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap(), Some(error.valid_up_to())),
        };
        let forbidden = text.char_indices().find(|(_, c)| !is_allowed(*c)).map(|(at, _)| Look::Forbidden(at));
        let lines = text.matches('\n').count() as u64;
        forbidden.or(broken.map(Look::Broken)).unwrap_or(Look::Sound(lines))
    }

    #[test]
    fn forbidden_characters_are_found_at_their_first_byte() {
        assert_eq!(look("a\tb\r\nå".as_bytes()), Look::Sound(1));
        assert_eq!(look(b"ab\x01"), Look::Forbidden(2));
        assert_eq!(look("å\u{FFFE}\u{1}".as_bytes()), Look::Forbidden(2));
        assert_eq!(look("å\u{1}\u{FFFF}".as_bytes()), Look::Forbidden(2));
        assert_eq!(look(b"a\xFF\x01"), Look::Broken(1));
    }

    #[test]
    fn two_bytes_are_seen_the_same_anywhere() {
        for (len, at, step) in [(2, 0, 1), (WIDTH + 1, WIDTH - 1, 1), (WIDTH, 5, 251), (BLOCK + 1, BLOCK - 1, 251)] {
            let mut text = vec![b'x'; len];
            for pair in (0..=u16::MAX).step_by(step) {
                text[at..at + 2].copy_from_slice(&pair.to_be_bytes());
                assert_eq!(look(&text), slowly(&text), "{pair:x} at {at} of {len}");
            }
        }
    }

    #[test]
    fn characters_are_seen_across_chunks_and_blocks() {
        let characters = [
            "\u{E5}",
            "\u{800}",
            "\u{2013}",
            "\u{D7FF}",
            "\u{E000}",
            "\u{FF0C}",
            "\u{FFFD}",
            "\u{1F600}",
            "\u{10FFFF}",
            "\u{FFFF}",
            "\u{1}",
            "\n",
        ];
        for (edge, c) in [WIDTH, BLOCK].into_iter().flat_map(|edge| characters.map(|c| (edge, c))) {
            for before in edge - 5..=edge + 1 {
                let text = ["x".repeat(before), c.to_owned(), "å".repeat(40)].concat();
                assert_eq!(look(text.as_bytes()), slowly(text.as_bytes()), "{c:?} behind {before}");
                for at in before..before + c.len() {
                    let mut bytes = text.clone().into_bytes();
                    bytes.remove(at);
                    assert_eq!(look(&bytes), slowly(&bytes), "{c:?} behind {before} without {at}");
                }
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_no_more_than_a_character_begun() {
        let cases: [(&[u8], usize); 9] = [
            (b"", 0),
            (b"a", 0),
            ("å".as_bytes(), 0),
            (b"a\xC3", 1),
            (b"\xE2\x80", 2),
            (b"\xF0\x9F\x98", 3),
            (b"\xE0\x80", 0),
            (b"\xFF", 0),
            (b"\x80\x80\x80\x80", 0),
        ];
        for (bytes, len) in cases {
            assert_eq!(cut_len(bytes), len, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_are_seen_as_one_by_one(text in "[a-zæ–\n😀\u{800}\u{D7FF}\u{E000}\u{FFFD}]{0,200}", at: usize, byte: Option<u8>) {
            let mut bytes = text.into_bytes();
            if let (Some(byte), false) = (byte, bytes.is_empty()) {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            prop_assert_eq!(look(&bytes), slowly(&bytes));
        }
    }
}
