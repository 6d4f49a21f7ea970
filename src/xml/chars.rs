//! Which characters XML allows, and where.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_they_should() {
        assert_eq!(name_end(b"<a:b-c.1 x", 1), 8);
        assert_eq!(name_end(b"<1a", 1), 1);
        assert_eq!(name_end("<Tjenesteær>".as_bytes(), 1), 12);
        assert!(is_name("a:b", true) && !is_name("a:b", false) && !is_name("", true) && is_nmtoken("1-a"));
    }
}
