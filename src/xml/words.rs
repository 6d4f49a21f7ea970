//! Words of bytes at a time: the ends of short texts are found without a call for each.

use memchr::memchr3;

const BYTES: usize = 8;
const ONES: u64 = u64::from_le_bytes([0x01; BYTES]);
const LOWS: u64 = u64::from_le_bytes([0x7F; BYTES]);
const HIGHS: u64 = u64::from_le_bytes([0x80; BYTES]);
/// Beyond it, a call that looks at more bytes at once is worth its price.
const SHORT: usize = 32;

/// What follows white space; none where the bytes end before something else is sure to come.
#[inline]
pub fn skip_space(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        let word = u64::from_le_bytes(*rest.first_chunk()?);
        // Of the characters up to the blank, XML allows white space only.
        let beyond = (((word & LOWS) + (LOWS - u64::from(b' ') * ONES)) | word) & HIGHS;
        if beyond != 0 {
            return rest.get(first(beyond)..);
        }
        rest = rest.get(BYTES..)?;
    }
}

/// The bytes before the first `<`, `&` or `]`.
#[inline(always)]
pub fn text_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < SHORT
        && let Some(word) = bytes.get(at..)?.first_chunk()
    {
        let word = u64::from_le_bytes(*word);
        let found = marks(word, b'<') | marks(word, b'&') | marks(word, b']');
        if found != 0 {
            return Some(at + first(found));
        }
        at += BYTES;
    }
    far_text_len(bytes, at)
}

#[cold]
fn far_text_len(bytes: &[u8], from: usize) -> Option<usize> {
    memchr3(b'<', b'&', b']', bytes.get(from..)?).map(|at| from + at)
}

/// Tells whether a text is what it says, without references, other markup or line ends to settle.
#[inline]
pub fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks();
    let marked = words.iter().fold(0, |found, word| {
        let word = u64::from_le_bytes(*word);
        found | marks(word, b'<') | marks(word, b'&') | marks(word, b'\r')
    });
    marked == 0 && !rest.iter().any(|byte| matches!(byte, b'<' | b'&' | b'\r'))
}

/// The bytes of an attribute's value before its quote; none where it is not what it says, or is not whole.
#[inline]
pub fn plain_value_len(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        let word = u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        let below = word.wrapping_sub(u64::from(b' ') * ONES) & !word & HIGHS;
        let found = marks(word, quote) | marks(word, b'<') | marks(word, b'&') | below;
        if found != 0 {
            at += first(found);
            return (bytes.get(at) == Some(&quote)).then_some(at);
        }
        at += BYTES;
    }
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

    #[test]
    fn a_mark_anywhere_is_seen() {
        for len in 0..20 {
            assert!(is_plain(&vec![b'a'; len]));
            for (at, mark) in (0..len).flat_map(|at| b"<&\r".map(|mark| (at, mark))) {
                let mut text = vec![b'a'; len];
                text[at] = mark;
                assert!(!is_plain(&text), "{at} of {len}");
            }
        }
    }

    proptest! {
        #[test]
        fn space_ends_where_it_does_bytewise(text in "[ \t\n\r]{0,40}[a-zæ<]{16,20}") {
            let bytes = text.as_bytes();
            let bytewise = bytes.iter().position(|byte| !is_space(*byte)).and_then(|at| bytes.get(at..));
            prop_assert_eq!(skip_space(bytes), bytewise);
        }

        #[test]
        fn text_ends_where_it_does_bytewise(text in "[ -~æ\u{1F600}]{0,100}") {
            let bytewise = text.bytes().position(|byte| matches!(byte, b'<' | b'&' | b']'));
            prop_assert_eq!(text_len(text.as_bytes()), bytewise);
        }
    }

    #[test]
    fn plain_values_end_at_their_quote() {
        for (value, quote, plain) in [
            ("", b'"', true),
            ("it's a long value, æøå", b'"', true),
            ("\"", b'\'', true),
            ("a\tb", b'"', false),
            ("a&lt;", b'\'', false),
            ("a<", b'"', false),
            ("0123456789\n", b'"', false),
        ] {
            let text = format!("{value}{}>12345678", char::from(quote));
            assert_eq!(plain_value_len(text.as_bytes(), quote), plain.then_some(value.len()), "{value}");
        }
        assert_eq!(plain_value_len(&[b'x'; 100], b'"'), None);
    }

    #[test]
    fn nothing_is_found_past_the_end() {
        assert_eq!(skip_space(b"   x"), None);
        assert_eq!(text_len(&[b'x'; 100]), None);
        assert_eq!(text_len(&[&[b'x'; 100][..], b"<"].concat()), Some(100));
    }
}
