//! XML as receipts write it: escaped, indented, appended to a buffer the caller empties.

/// Appends an escaped attribute, with the space before it.
pub(super) fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    escape(out, value);
    out.push(b'"');
}

/// Appends a line break and the indentation of a depth.
pub(super) fn line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.extend(std::iter::repeat_n(b' ', depth * 2));
}

/// Appends an element with text on a line of its own.
pub(super) fn element(out: &mut Vec<u8>, depth: usize, name: &str, text: &str) {
    line(out, depth);
    open(out, name);
    escape(out, text);
    close(out, name);
}

/// Appends a start tag without attributes.
pub(super) fn open(out: &mut Vec<u8>, name: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Appends an end tag.
pub(super) fn close(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Appends text so that an XML 1.0 reader gets the same characters back, in an element or an attribute.
///
/// A character that XML 1.0 cannot carry at all (file names and references may hold one) becomes U+FFFD: a receipt
/// that nobody can parse would be worse than a name with a mark in it.
pub(super) fn escape(out: &mut Vec<u8>, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            // As references, because readers turn the bare characters into blanks or other line ends.
            '\t' => out.extend_from_slice(b"&#9;"),
            '\n' => out.extend_from_slice(b"&#10;"),
            '\r' => out.extend_from_slice(b"&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.extend_from_slice("\u{fffd}".as_bytes()),
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn markup_and_white_space_come_back_as_they_were() {
        assert_eq!(escaped("a<b>&\"c'\t\r\n"), "a&lt;b&gt;&amp;&quot;c'&#9;&#13;&#10;");
        assert_eq!(escaped("æøå ]]> 😀"), "æøå ]]&gt; 😀");
    }

    #[test]
    fn what_xml_cannot_carry_becomes_a_mark() {
        assert_eq!(escaped("a\0b\u{1b}c\u{ffff}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
    }
}
