//! Any text, gone through without a look at what it says.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x64};
use memchr::memchr_iter;

use super::words::text_len;

/// Goes through any text, CDATA sections and references to predefined entities in it: up to other markup,
/// to the end of the bytes, or to what must be looked at more closely.
#[inline]
pub fn skip_text(bytes: &[u8]) -> usize {
    let at = dispatch!(Level::new(), simd => skip_chunks(simd, bytes));
    let mut at = match at {
        Ok(at) => at,
        Err(end) => return end,
    };
    loop {
        let Some(end) = bytes.get(at..).and_then(text_len).map(|len| at + len) else {
            // What is cut off may begin a `]]>`.
            let kept = bytes.iter().rev().take(2).take_while(|byte| **byte == b']').count();
            return bytes.len() - kept;
        };
        match taken(bytes.get(end..).unwrap_or_default()) {
            0 => return end,
            taken => at = end + taken,
        }
    }
}

const WIDTH: usize = 64;
/// How far references of four bytes are looked at past a chunk.
const AHEAD: usize = 3;
/// `<![CDATA[` and `]]>`.
const CDATA_EDGES: usize = 12;

/// Goes through as much as is at hand in whole chunks: where it goes on, or where the text ends.
#[inline(always)]
fn skip_chunks<S: Simd>(simd: S, bytes: &[u8]) -> Result<usize, usize> {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let mut marks = marks(simd, chunk);
        let mut next = at + WIDTH;
        while marks != 0 {
            let mark = at + marks.trailing_zeros() as usize;
            let taken = taken(bytes.get(mark..).unwrap_or_default());
            if taken == 0 {
                return Err(mark);
            }
            if taken >= CDATA_EDGES {
                next = mark + taken;
                break;
            }
            marks &= marks - 1;
        }
        at = next;
    }
    Ok(at)
}

/// The bytes of a chunk that may end its text: all there is of markup, but for `&lt;` and `&gt;`.
#[inline(always)]
fn marks<S: Simd>(simd: S, chunk: &[u8; WIDTH + AHEAD]) -> u64 {
    let (first, second) = (at(simd, chunk, 0), at(simd, chunk, 1));
    let short = (second.simd_eq(b'l') | second.simd_eq(b'g'))
        & at(simd, chunk, 2).simd_eq(b't')
        & at(simd, chunk, 3).simd_eq(b';');
    let marked = first.simd_eq(b'<') | first.simd_eq(b']') | (first.simd_eq(b'&') & !short);
    marked.to_bitmask()
}

#[inline(always)]
fn at<S: Simd>(simd: S, chunk: &[u8; WIDTH + AHEAD], from: usize) -> u8x64<S> {
    let bytes = chunk.get(from..).and_then(|bytes| bytes.first_chunk());
    u8x64::load_array_ref(simd, bytes.unwrap_or(&[0; WIDTH]))
}

/// How much of what begins with a mark is text: a CDATA section, a reference, a bracket.
#[inline]
fn taken(bytes: &[u8]) -> usize {
    match bytes {
        [b'<', b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', section @ ..] => {
            section_end(section).map_or(0, |len| CDATA_EDGES + len)
        }
        [b'&', b'l' | b'g', b't', b';', ..] => 4,
        [b'&', b'a', b'm', b'p', b';', ..] => 5,
        [b'&', b'q', b'u', b'o', b't', b';', ..] | [b'&', b'a', b'p', b'o', b's', b';', ..] => 6,
        [b']', other, ..] if *other != b']' => 1,
        _ => 0,
    }
}

/// Where the `]]>` of a CDATA section begins.
fn section_end(section: &[u8]) -> Option<usize> {
    memchr_iter(b']', section).find(|at| section.get(*at + 1..*at + 3) == Some(b"]>"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Cases, behind text of any length.
    #[test]
    fn text_is_skipped_up_to_what_needs_a_closer_look() {
        for (text, rest) in [
            ("a&lt;b]c<![CDATA[<x>]]]]>&amp;&quot;&apos;", "</a>"),
            ("<![CDATA[]]>", "<!-- -->"),
            ("a", "&#32;"),
            ("a", "&l"),
            ("a", "&gt"),
            ("a", "&lt"),
            ("a", "]]>"),
            ("a", "]]"),
            ("a", "]"),
            ("", "<![CDATA[ ]]"),
            ("", ""),
        ] {
            for before in 0..2 * WIDTH {
                let text = ["x".repeat(before).as_str(), text].concat();
                for after in ["", " ", &"y".repeat(2 * WIDTH)] {
                    let whole = [text.as_str(), rest, if rest.len() > 3 { after } else { "" }].concat();
                    let end = if rest.is_empty() { whole.len() } else { text.len() };
                    assert_eq!(skip_text(whole.as_bytes()), end, "{whole}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn text_is_skipped_as_part_by_part(parts in "(a|;|t|æ|&lt;|&gt;|&amp;|&quot;|&apos;|]|<!\\[CDATA\\[&<]]>){0,150}(<|&|)(/|l|g|t|;){0,70}") {
            let bytes = parts.as_bytes();
            let mut at = 0;
            while let Some(len) = bytes.get(at..).and_then(text_len) {
                match taken(&bytes[at + len..]) {
                    0 => break,
                    taken => at += len + taken,
                }
            }
            let end = bytes.get(at..).and_then(text_len).map(|len| at + len);
            let whole = || bytes.len() - bytes.iter().rev().take(2).take_while(|byte| **byte == b']').count();
            prop_assert_eq!(skip_text(bytes), end.unwrap_or_else(whole));
        }
    }
}
