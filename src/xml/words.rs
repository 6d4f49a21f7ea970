//! Eight bytes at a time: the ends of short texts are found without a call for each.

use memchr::{memchr_iter, memchr3};

const ONES: u64 = 0x0101_0101_0101_0101;
const LOWS: u64 = 0x7F7F_7F7F_7F7F_7F7F;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const BYTES: usize = 8;
/// Beyond it, a call that looks at more bytes at once is worth its price.
const SHORT: usize = 64;
/// `<![CDATA[` and `]]>`.
const CDATA_EDGES: usize = 12;

/// The eight bytes at a place, the first one lowest; none where fewer are left.
#[inline(always)]
pub fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Skips white space; none where the bytes end before something else is sure to come.
#[inline(always)]
pub fn skip_space(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let word = word(bytes, at)?;
        // Of the characters up to the blank, XML allows white space only.
        let beyond = ((word & LOWS) + (LOWS - u64::from(b' ') * ONES) | word) & HIGHS;
        if beyond != 0 {
            return Some(at + first(beyond));
        }
        at += BYTES;
    }
}

/// Where the first `<`, `&` or `]` stands from `from` on.
#[inline(always)]
pub fn text_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at - from < SHORT {
        let Some(word) = word(bytes, at) else { break };
        let found = marks(word, b'<') | marks(word, b'&') | marks(word, b']');
        if found != 0 {
            return Some(at + first(found));
        }
        at += BYTES;
    }
    far_text_end(bytes, at)
}

#[cold]
fn far_text_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr3(b'<', b'&', b']', bytes.get(from..)?).map(|at| from + at)
}

/// Goes through any text from `from` on, CDATA sections and references to predefined entities in it: up to other markup,
/// to the end of the bytes, or to what must be looked at more closely.
#[inline]
pub fn skip_text(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        let Some(end) = text_end(bytes, at) else {
            // What is cut off may begin a `]]>`.
            let kept = bytes.iter().rev().take(2).take_while(|byte| **byte == b']').count();
            return bytes.len() - kept;
        };
        let taken = match bytes.get(end..).unwrap_or_default() {
            [b'<', b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', section @ ..] => {
                section_end(section).map_or(0, |len| CDATA_EDGES + len)
            }
            [b'&', b'l' | b'g', b't', b';', ..] => 4,
            [b'&', b'a', b'm', b'p', b';', ..] => 5,
            [b'&', b'q', b'u', b'o', b't', b';', ..] | [b'&', b'a', b'p', b'o', b's', b';', ..] => 6,
            [b']', other, ..] if *other != b']' => 1,
            _ => 0,
        };
        if taken == 0 {
            return end;
        }
        at = end + taken;
    }
}

/// Where the `]]>` of a CDATA section begins.
fn section_end(section: &[u8]) -> Option<usize> {
    memchr_iter(b']', section).find(|at| section.get(*at + 1..*at + 3) == Some(b"]>"))
}

/// Marks a byte in a word; only the lowest mark is to be trusted.
#[inline(always)]
fn marks(word: u64, byte: u8) -> u64 {
    let differs = word ^ (u64::from(byte) * ONES);
    differs.wrapping_sub(ONES) & !differs & HIGHS
}

#[inline(always)]
fn first(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::is_space;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn space_ends_where_it_does_bytewise(text in "[ \t\n\r]{0,20}[a-zæ<]{8,12}") {
            let bytes = text.as_bytes();
            prop_assert_eq!(skip_space(bytes, 0), bytes.iter().position(|byte| !is_space(*byte)));
        }

        #[test]
        fn text_ends_where_it_does_bytewise(text in "[ -~æ\u{1F600}]{0,40}") {
            let whole = format!("{text}12345678");
            let bytewise = text.bytes().position(|byte| matches!(byte, b'<' | b'&' | b']'));
            prop_assert_eq!(text_end(whole.as_bytes(), 0), bytewise);
        }
    }

    #[test]
    fn nothing_is_found_past_the_end() {
        assert_eq!(skip_space(b"       x", 0), Some(7));
        assert_eq!(skip_space(b"       x", 1), None);
        assert_eq!(text_end(&[b'x'; 100], 0), None);
        assert_eq!(text_end(&[&[b'x'; 100][..], b"<"].concat(), 0), Some(100));
    }

    #[test]
    fn text_is_skipped_up_to_what_needs_a_closer_look() {
        for (text, rest) in [
            ("a&lt;b]c<![CDATA[<x>]]]]>&amp;&quot;&apos;", "</a>"),
            ("<![CDATA[]]>", "<!-- -->"),
            ("a", "&#32;"),
            ("a", "&l"),
            ("a", "]]>"),
            ("a", "]]"),
            ("a", "]"),
            ("", "<![CDATA[ ]]"),
            ("", ""),
        ] {
            assert_eq!(skip_text(format!("{text}{rest}").as_bytes(), 0), text.len(), "{text}{rest}");
        }
    }
}
