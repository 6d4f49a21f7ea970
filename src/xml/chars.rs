//! Which characters XML allows, and where.

use memchr::memchr_iter;

use super::wide::widely;

/// Tells whether a byte is XML white space.
#[inline]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Tells whether a character may begin a name (a colon may not here: names are judged part by part).
pub fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Tells whether a character may stand in a name after its first.
pub fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Tells whether a text is a name; colons are allowed if asked for.
pub fn is_name(text: &str, colons: bool) -> bool {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(|c| is_name_start(c) || (colons && c == ':'));
    first && chars.all(|c| is_name_char(c) || (colons && c == ':'))
}

/// Tells whether a text is a name token.
pub fn is_nmtoken(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_name_char(c) || c == ':')
}

/// Tells whether a character may stand in a document at all.
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The end of the name that begins at `from`, colons included; `from` itself where none begins.
pub(super) fn name_end(bytes: &[u8], from: usize) -> usize {
    name_end_from(bytes, from, from)
}

/// The same for a name that has been looked through to `at`.
pub(super) fn name_end_from(bytes: &[u8], from: usize, mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        let len = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b':' => 1,
            b'0'..=b'9' | b'-' | b'.' if at > from => 1,
            0x80.. => match char_at(bytes, at) {
                Some(c) if is_name_start(c) || (at > from && is_name_char(c)) => c.len_utf8(),
                _ => break,
            },
            _ => break,
        };
        at += len;
    }
    at
}

/// The character that begins at `at` in bytes known to be UTF-8.
pub(super) fn char_at(bytes: &[u8], at: usize) -> Option<char> {
    let first = *bytes.get(at)?;
    let len = match first {
        0x00..=0x7F => return Some(char::from(first)),
        0x80..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0.. => 4,
    };
    std::str::from_utf8(bytes.get(at..at + len)?).ok()?.chars().next()
}

/// What one look at UTF-8 text tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// XML allows all of it; how many lines end in it.
    Sound(u64),
    /// Where the first character stands that XML does not allow.
    Forbidden(usize),
}

/// Looks at all characters of UTF-8 text.
pub(super) fn look(bytes: &[u8]) -> Look {
    let mut lines = 0;
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        let (is_odd, ends) = widely(
            #[inline(always)]
            || look_at_block(block),
        );
        lines += ends;
        if let Some(at) = is_odd.then(|| first_forbidden(bytes, index * BLOCK, block.len())).flatten() {
            return Look::Forbidden(at);
        }
    }
    Look::Sound(lines)
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

// Two registers, so that counting the turns of the loop costs less.
const LANES: usize = 32;
/// Such that what is counted in each lane fits a byte.
const BLOCK: usize = 255 * LANES;

/// Tells whether a control character stands in a block, or one at the end of a plane may; and counts its lines.
// Without a branch for a byte, so that the compiler can look at many at once; and with counts that must agree, which
// takes fewer instructions than to keep whether any byte was wrong.
#[inline(always)]
fn look_at_block(block: &[u8]) -> (bool, u64) {
    let (mut others, mut planes, mut lines) = ([0_u8; LANES], [u8::MAX; LANES], [0_u8; LANES]);
    let (chunks, rest) = block.as_chunks::<LANES>();
    for chunk in chunks {
        for (((byte, others), plane), lines) in chunk.iter().zip(&mut others).zip(&mut planes).zip(&mut lines) {
            // What is left of the control characters are the line feeds, if all is well.
            *others = others.wrapping_add(u8::from(*byte < b' ')).wrapping_sub(u8::from(is_tab_or_return(*byte)));
            *plane = (*byte ^ PLANE_END).min(*plane);
            *lines = lines.wrapping_add(u8::from(*byte == b'\n'));
        }
    }
    let is_odd = |byte: &u8| *byte == PLANE_END || (*byte < b' ' && *byte != b'\n' && !is_tab_or_return(*byte));
    let ends = lines.iter().map(|ends| u64::from(*ends)).sum::<u64>() + line_ends(rest);
    (others != lines || planes.contains(&0) || rest.iter().any(is_odd), ends)
}

/// The first byte of a character at the end of a plane.
const PLANE_END: u8 = 0xEF;

#[inline(always)]
fn is_tab_or_return(byte: u8) -> bool {
    // They differ in one bit.
    byte & !(b'\t' ^ b'\r') == b'\t'
}

/// The first character that XML does not allow and that begins in a part of the text.
fn first_forbidden(bytes: &[u8], from: usize, len: usize) -> Option<usize> {
    let is_forbidden = |at: usize| match bytes.get(at..).unwrap_or_default() {
        [0xEF, 0xBF, 0xBE | 0xBF, ..] => true,
        [b'\t' | b'\n' | b'\r', ..] => false,
        [byte, ..] => *byte < b' ',
        [] => false,
    };
    (from..from + len).find(|at| is_forbidden(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_found_at_their_first_byte() {
        assert_eq!(look("a\tb\r\nå".as_bytes()), Look::Sound(1));
        assert_eq!(look(b"ab\x01"), Look::Forbidden(2));
        assert_eq!(look("å\u{FFFE}\u{1}".as_bytes()), Look::Forbidden(2));
        assert_eq!(look("å\u{1}\u{FFFF}".as_bytes()), Look::Forbidden(2));
        let mut long = vec![b'x'; 9000];
        long[8999] = 0;
        assert_eq!(look(&long), Look::Forbidden(8999));
    }

    #[test]
    fn each_byte_is_seen_the_same_in_any_block() {
        for byte in 0..=u8::MAX {
            for len in [1, LANES, BLOCK - 1, BLOCK + LANES] {
                let mut text = vec![b'x'; len];
                text[len / 2] = byte;
                let is_forbidden = byte < b' ' && !is_space(byte);
                let sound = Look::Sound((byte == b'\n').into());
                let expected = if is_forbidden { Look::Forbidden(len / 2) } else { sound };
                assert_eq!(look(&text), expected, "{byte} among {len}");
            }
            // As many as a lane can count.
            let full = Look::Sound(if byte == b'\n' { BLOCK as u64 } else { 0 });
            let expected = if byte < b' ' && !is_space(byte) { Look::Forbidden(0) } else { full };
            assert_eq!(look(&[byte; BLOCK]), expected, "{byte}");
        }
    }

    #[test]
    fn names_end_where_they_should() {
        assert_eq!(name_end(b"<a:b-c.1 x", 1), 8);
        assert_eq!(name_end(b"<1a", 1), 1);
        assert_eq!(name_end("<Tjenesteær>".as_bytes(), 1), 12);
        assert!(is_name("a:b", true) && !is_name("a:b", false) && !is_name("", true) && is_nmtoken("1-a"));
    }
}
