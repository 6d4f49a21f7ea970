//! The encodings that are read, by their names and by what their first bytes look like.

use super::locator::characters;

/// How the characters of a document are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// US-ASCII.
    Ascii,
    /// ISO-8859-1: every byte is the character of its number, the controls from 80 to 9F among them.
    Latin1,
    /// ISO-8859-15.
    Latin9,
    /// windows-1252, in which five bytes are nothing.
    Windows1252,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// Tells whether the bytes are UTF-8 as they stand.
    #[inline]
    pub fn is_utf8(self) -> bool {
        matches!(self, Self::Utf8 | Self::Ascii)
    }

    /// How many bytes a text in UTF-8 takes in this encoding.
    pub fn sent_bytes(self, text: &[u8]) -> u64 {
        match self {
            Self::Utf8 | Self::Ascii => text.len() as u64,
            Self::Latin1 | Self::Latin9 | Self::Windows1252 => characters(text),
            // Characters of four bytes are surrogate pairs.
            Self::Utf16Le | Self::Utf16Be => {
                2 * (characters(text) + text.iter().filter(|b| **b >= 0xF0).count() as u64)
            }
        }
    }

    /// Adds a text of US-ASCII characters as this encoding writes it.
    pub fn write_ascii(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Utf16Le => out.extend(text.bytes().flat_map(|byte| [byte, 0])),
            Self::Utf16Be => out.extend(text.bytes().flat_map(|byte| [0, byte])),
            Self::Utf8 | Self::Ascii | Self::Latin1 | Self::Latin9 | Self::Windows1252 => {
                out.extend_from_slice(text.as_bytes());
            }
        }
    }

    /// The name it is declared by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Ascii => "US-ASCII",
            Self::Latin1 => "ISO-8859-1",
            Self::Latin9 => "ISO-8859-15",
            Self::Windows1252 => "windows-1252",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
        }
    }

    /// Bytes of the smallest unit.
    pub(super) fn unit(self) -> usize {
        if matches!(self, Self::Utf16Le | Self::Utf16Be) { 2 } else { 1 }
    }
}

/// What the first bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniffed {
    /// UTF-16 in one of its orders, or UTF-8 as long as no declaration says otherwise; with the bytes of the mark.
    Like(Encoding, usize),
    /// An encoding that is not read.
    Foreign(&'static str),
}

/// Looks at the first four bytes, or fewer when there are no more (XML 1.0, Appendix F).
///
/// UTF-16 with neither mark nor declaration is taken for what it looks like, as if it had been agreed with the sender.
pub(super) fn sniff(head: &[u8]) -> Sniffed {
    match head {
        [0, 0, 0xFE, 0xFF, ..] | [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0, b'<', ..] | [b'<', 0, 0, 0, ..] => {
            Sniffed::Foreign("UTF-32")
        }
        [0x4C, 0x6F, 0xA7, 0x94, ..] => Sniffed::Foreign("EBCDIC"),
        [0xFE, 0xFF, ..] => Sniffed::Like(Encoding::Utf16Be, 2),
        [0xFF, 0xFE, ..] => Sniffed::Like(Encoding::Utf16Le, 2),
        [0, b'<', ..] => Sniffed::Like(Encoding::Utf16Be, 0),
        [b'<', 0, ..] => Sniffed::Like(Encoding::Utf16Le, 0),
        [0xEF, 0xBB, 0xBF, ..] => Sniffed::Like(Encoding::Utf8, 3),
        _ => Sniffed::Like(Encoding::Utf8, 0),
    }
}

/// What a name in a declaration means for bytes that look as they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    /// It fits them, and they are in this encoding.
    Fits(Encoding),
    /// The bytes are certainly not in the encoding named.
    Contradicts,
    /// It names an encoding that is not read.
    Unknown,
}

/// Holds the name declared against what the first bytes look like; with a mark they are certain.
pub(super) fn declared(name: &[u8], like: Encoding, marked: bool) -> Declared {
    let named = NAMES.iter().find(|(names, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())));
    match (named.map(|(_, named)| *named), like) {
        (Some(Named::Utf16), Encoding::Utf16Le | Encoding::Utf16Be) => Declared::Fits(like),
        (Some(Named::One(encoding)), _) if encoding == like => Declared::Fits(like),
        (_, Encoding::Utf16Le | Encoding::Utf16Be) => Declared::Contradicts,
        _ if marked => Declared::Contradicts,
        (Some(Named::One(encoding)), _) if encoding.unit() == 1 => Declared::Fits(encoding),
        (Some(Named::One(_) | Named::Utf16 | Named::Utf32), _) => Declared::Contradicts,
        (None, _) => Declared::Unknown,
    }
}

#[derive(Debug, Clone, Copy)]
enum Named {
    One(Encoding),
    /// Either order; the bytes tell which.
    Utf16,
    /// Four bytes to a character, which the first bytes would show.
    Utf32,
}

/// Names registered for the encodings, and those that are often written instead.
const NAMES: [(&[&str], Named); 9] = [
    (&["UTF-8", "UTF8", "csUTF8"], Named::One(Encoding::Utf8)),
    (
        &["US-ASCII", "ASCII", "ISO646-US", "ANSI_X3.4-1968", "iso-ir-6", "us", "IBM367", "cp367", "csASCII"],
        Named::One(Encoding::Ascii),
    ),
    (
        &[
            "ISO-8859-1",
            "ISO_8859-1",
            "ISO8859-1",
            "ISO88591",
            "latin1",
            "latin-1",
            "l1",
            "IBM819",
            "cp819",
            "iso-ir-100",
            "csISOLatin1",
        ],
        Named::One(Encoding::Latin1),
    ),
    (
        &[
            "ISO-8859-15",
            "ISO_8859-15",
            "ISO8859-15",
            "ISO885915",
            "Latin-9",
            "latin9",
            "l9",
            "csISO885915",
            "csISOLatin9",
        ],
        Named::One(Encoding::Latin9),
    ),
    (&["windows-1252", "cp1252", "cp-1252", "x-cp1252", "cswindows1252"], Named::One(Encoding::Windows1252)),
    (&["UTF-16LE", "csUTF16LE"], Named::One(Encoding::Utf16Le)),
    (&["UTF-16BE", "csUTF16BE"], Named::One(Encoding::Utf16Be)),
    (&["UTF-16", "UTF16", "csUTF16", "ISO-10646-UCS-2", "UCS-2", "UCS2", "csUnicode"], Named::Utf16),
    (
        &["UTF-32", "UTF32", "UTF-32LE", "UTF-32BE", "csUTF32", "ISO-10646-UCS-4", "UCS-4", "UCS4", "csUCS4"],
        Named::Utf32,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_family() {
        use Encoding::*;
        for (head, like) in [
            (&b"\xFF\xFE<\0"[..], Sniffed::Like(Utf16Le, 2)),
            (b"\xFE\xFF\0<", Sniffed::Like(Utf16Be, 2)),
            (b"<\0a\0", Sniffed::Like(Utf16Le, 0)),
            // Not UTF-32: the second unit is a letter whose low byte is nothing.
            (b"<\0\0\x01", Sniffed::Like(Utf16Le, 0)),
            (b"\0<\0?", Sniffed::Like(Utf16Be, 0)),
            (b"\xEF\xBB\xBF<", Sniffed::Like(Utf8, 3)),
            (b"<?xm", Sniffed::Like(Utf8, 0)),
            (b"", Sniffed::Like(Utf8, 0)),
            (b"\xFF\xFE\0\0", Sniffed::Foreign("UTF-32")),
            (b"\0\0\xFE\xFF", Sniffed::Foreign("UTF-32")),
            (b"<\0\0\0", Sniffed::Foreign("UTF-32")),
            (b"\0\0\0<", Sniffed::Foreign("UTF-32")),
            (b"\x4C\x6F\xA7\x94", Sniffed::Foreign("EBCDIC")),
        ] {
            assert_eq!(sniff(head), like, "{head:?}");
        }
    }

    #[test]
    fn names_are_held_against_the_bytes() {
        use Declared::*;
        use Encoding::*;
        for (name, like, marked, meaning) in [
            ("utf-8", Utf8, false, Fits(Utf8)),
            ("Utf8", Utf8, true, Fits(Utf8)),
            ("us-ascii", Utf8, false, Fits(Ascii)),
            ("us-ascii", Utf8, true, Contradicts),
            ("iso-8859-1", Utf8, false, Fits(Latin1)),
            ("LATIN1", Utf8, false, Fits(Latin1)),
            ("ISO-8859-1", Utf8, true, Contradicts),
            ("ISO-8859-1", Utf16Le, false, Contradicts),
            ("iso-8859-15", Utf8, false, Fits(Latin9)),
            ("Windows-1252", Utf8, false, Fits(Windows1252)),
            ("UTF-16", Utf16Le, true, Fits(Utf16Le)),
            ("utf-16", Utf16Be, false, Fits(Utf16Be)),
            ("UTF-16LE", Utf16Le, true, Fits(Utf16Le)),
            ("UTF-16LE", Utf16Be, true, Contradicts),
            ("UTF-16", Utf8, false, Contradicts),
            ("UTF-16BE", Utf8, false, Contradicts),
            ("UTF-32", Utf8, false, Contradicts),
            ("utf-8", Utf16Le, true, Contradicts),
            ("Shift_JIS", Utf8, false, Unknown),
            ("Shift_JIS", Utf8, true, Contradicts),
            ("Shift_JIS", Utf16Le, true, Contradicts),
        ] {
            assert_eq!(declared(name.as_bytes(), like, marked), meaning, "{name} {like:?}");
        }
    }

    #[test]
    fn sent_bytes_are_counted_from_characters() {
        let text = "aæ€\u{1F600}";
        for (encoding, bytes) in [
            (Encoding::Utf8, text.len() as u64),
            (Encoding::Utf16Le, text.encode_utf16().count() as u64 * 2),
            (Encoding::Utf16Be, text.encode_utf16().count() as u64 * 2),
            (Encoding::Windows1252, 4),
        ] {
            assert_eq!(encoding.sent_bytes(text.as_bytes()), bytes, "{encoding:?}");
        }
    }
}
