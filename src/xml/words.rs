//! Blocks of bytes at a time: the ends of short texts are found without a call for each.

use memchr::{memchr_iter, memchr3};

const BLOCK: usize = 16;
/// `<![CDATA[` and `]]>`.
const CDATA_EDGES: usize = 12;
/// Beyond it, a call that looks at more bytes at once is worth its price.
const SHORT: usize = 64;

/// What follows white space; none where the bytes end before something else is sure to come.
#[inline(always)]
pub fn skip_space(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        // Of the characters up to the blank, XML allows white space only.
        if let Some(at) = first(rest.first_chunk()?, |byte| byte > b' ') {
            return rest.get(at..);
        }
        rest = rest.get(BLOCK..)?;
    }
}

/// The bytes before the first `<`, `&` or `]`.
#[inline(always)]
pub fn text_len(bytes: &[u8]) -> Option<usize> {
    let ends = |byte| (byte == b'<') | (byte == b'&') | (byte == b']');
    let mut at = 0;
    while at < SHORT
        && let Some(block) = bytes.get(at..)?.first_chunk()
    {
        if let Some(found) = first(block, ends) {
            return Some(at + found);
        }
        at += BLOCK;
    }
    far_text_len(bytes, at)
}

#[cold]
fn far_text_len(bytes: &[u8], from: usize) -> Option<usize> {
    memchr3(b'<', b'&', b']', bytes.get(from..)?).map(|at| from + at)
}

/// The first byte of a block that is so, without a branch for each.
#[inline(always)]
fn first(block: &[u8; BLOCK], is_so: impl Fn(u8) -> bool) -> Option<usize> {
    let mut marks = [0_u8; BLOCK];
    for (mark, byte) in marks.iter_mut().zip(block) {
        *mark = if is_so(*byte) { u8::MAX } else { 0 };
    }
    let marks = u128::from_le_bytes(marks);
    (marks != 0).then(|| marks.trailing_zeros() as usize / 8)
}

/// Goes through any text, CDATA sections and references to predefined entities in it: up to other markup,
/// to the end of the bytes, or to what must be looked at more closely.
#[inline]
pub fn skip_text(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let Some(end) = bytes.get(at..).and_then(text_len).map(|len| at + len) else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::is_space;
    use proptest::prelude::*;

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
    fn nothing_is_found_past_the_end() {
        assert_eq!(skip_space(b"   x"), None);
        assert_eq!(text_len(&[b'x'; 100]), None);
        assert_eq!(text_len(&[&[b'x'; 100][..], b"<"].concat()), Some(100));
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
            assert_eq!(skip_text(format!("{text}{rest}").as_bytes()), text.len(), "{text}{rest}");
        }
    }
}
