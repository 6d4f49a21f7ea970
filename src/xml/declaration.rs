//! The first bytes: byte order marks, the XML declaration, and what they say of the encoding.

use std::borrow::Cow;

use super::chars::is_space;
use super::encoding::{self, Declared, Encoding, Sniffed};
use super::locator::{Point, Position};
use super::{Fault, FaultKind, Limits, shown};

/// What stands before the text of a document: a byte order mark and an XML declaration, where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preamble {
    /// The encoding of the document.
    pub encoding: Encoding,
    /// Bytes of mark and declaration.
    pub bytes: u64,
}

/// Reads the preamble of a document from its first bytes, by the limits every document has unless others are set; `None`
/// when more of them are needed. [`PREAMBLE_BYTES`] are always enough.
pub fn preamble(head: &[u8]) -> Result<Option<Preamble>, Box<Fault>> {
    Ok(match look(head, head.len() >= PREAMBLE_BYTES, Limits::default().declaration_bytes)? {
        Beginning::Unknown => None,
        Beginning::Known { at, .. } => Some(Preamble { encoding: at.encoding, bytes: at.sent.offset }),
    })
}

/// The most that [`preamble`] looks at.
pub const PREAMBLE_BYTES: usize = 4 + 2 * 1_024;

/// The characters that tell whether there is a declaration: `<?xml` and white space.
pub(super) const SHORTEST: usize = 6;

/// What the first bytes turn out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// More bytes are needed to tell.
    Unknown,
    /// The document's encoding is known.
    Known {
        /// The place past mark and declaration; its encoding is the document's.
        at: Point,
        /// There was a declaration.
        declared: bool,
    },
}

/// Looks at the first bytes of a document; `last` when no more will come. A declaration may take so many characters.
pub(super) fn look(head: &[u8], last: bool, most: usize) -> Result<Beginning, Box<Fault>> {
    if !last && head.len() < 4 {
        return Ok(Beginning::Unknown);
    }
    let (like, mark) = match encoding::sniff(head) {
        Sniffed::Like(encoding, mark) => (encoding, mark),
        Sniffed::Foreign(name) => {
            let text = format!("the file is in {name}, which is not read");
            return Err(fault(FaultKind::UnsupportedEncoding, Position::START, text));
        }
    };
    let text = narrow(head.get(mark..).unwrap_or_default(), like, most);
    let start =
        Point { offset: mark as u64, sent: Position { offset: mark as u64, ..Position::START }, encoding: like };
    let at = |at: usize| start.after(text.get(..at).unwrap_or_default()).sent;
    match text.get(..SHORTEST) {
        None if b"<?xml".starts_with(&text) && !last => return Ok(Beginning::Unknown),
        Some([b'<', b'?', b'x', b'm', b'l', after]) if is_space(*after) || *after == b'?' => {}
        _ => return Ok(Beginning::Known { at: start, declared: false }),
    }
    // A declaration holds no `>` but its last; one that does is wrong anyway.
    let Some(close) = memchr::memchr(b'>', &text) else {
        return match (text.len() >= most, last) {
            (true, _) => Err(fault(FaultKind::DeclarationTooLong, at(0), "the XML declaration is too long")),
            (false, true) => Err(fault(FaultKind::Truncated, at(text.len()), "the file ends in its XML declaration")),
            (false, false) => Ok(Beginning::Unknown),
        };
    };
    let named = Parser { bytes: text.get(..=close).unwrap_or_default(), at: 5 }
        .declaration()
        .map_err(|wrong| fault(FaultKind::NotWellFormed, at(wrong), "the XML declaration is not as it should be"))?;
    let encoding = match named {
        None => like,
        Some((name, from)) => match encoding::declared(name, like, mark > 0) {
            Declared::Fits(encoding) => encoding,
            Declared::Contradicts => {
                let text = format!("the XML declaration names {}, but the bytes are in {}", shown(name), like.name());
                return Err(fault(FaultKind::EncodingContradicted, at(from), text));
            }
            Declared::Unknown => {
                // What stands there may be anything: only names that are known are repeated.
                let text = "the encoding that the XML declaration names is not read";
                return Err(fault(FaultKind::UnsupportedEncoding, at(from), text));
            }
        },
    };
    let past = start.after(text.get(..=close).unwrap_or_default());
    Ok(Beginning::Known { at: Point { encoding, ..past }, declared: true })
}

fn fault(kind: FaultKind, at: Position, text: impl Into<String>) -> Box<Fault> {
    Box::new(Fault { kind, at, text: text.into() })
}

/// As many characters, one byte each: those of US-ASCII are themselves, and there are no others in a declaration.
fn narrow(bytes: &[u8], encoding: Encoding, most: usize) -> Cow<'_, [u8]> {
    // One byte in UTF-8, so that places are counted as they are.
    const OTHER: u8 = 1;
    let unit = |pair: &[u8]| match (pair, encoding) {
        ([byte, 0], Encoding::Utf16Le) | ([0, byte], Encoding::Utf16Be) if byte.is_ascii() => *byte,
        _ => OTHER,
    };
    match encoding {
        Encoding::Utf16Le | Encoding::Utf16Be => bytes.chunks_exact(2).take(most).map(unit).collect(),
        Encoding::Utf8 | Encoding::Ascii | Encoding::Latin1 | Encoding::Latin9 | Encoding::Windows1252 => {
            Cow::Borrowed(bytes.get(..most).unwrap_or(bytes))
        }
    }
}

/// Reads a declaration from left to right; an error is the place where it goes wrong.
struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    fn declaration(mut self) -> Result<Option<(&'a [u8], usize)>, usize> {
        self.need(self.spaces() > 0)?;
        let (version, at) = self.pair(b"version")?.ok_or(self.at)?;
        let minor = version.strip_prefix(b"1.").ok_or(at)?;
        if minor.is_empty() || !minor.iter().all(u8::is_ascii_digit) {
            return Err(at);
        }
        self.parted()?;
        let encoding = self.pair(b"encoding")?;
        if let Some((name, at)) = encoding {
            let shaped = name.first().is_some_and(u8::is_ascii_alphabetic)
                && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
            if !shaped {
                return Err(at);
            }
            self.parted()?;
        }
        if let Some((answer, at)) = self.pair(b"standalone")? {
            if !matches!(answer, b"yes" | b"no") {
                return Err(at);
            }
            self.skip_spaces();
        }
        self.need(self.bytes.get(self.at..) == Some(b"?>"))?;
        Ok(encoding)
    }

    fn need(&self, met: bool) -> Result<(), usize> {
        if met { Ok(()) } else { Err(self.at) }
    }

    fn spaces(&self) -> usize {
        self.rest().iter().take_while(|byte| is_space(**byte)).count()
    }

    /// Nothing but the end may follow without white space.
    fn parted(&self) -> Result<(), usize> {
        self.need(self.spaces() > 0 || self.rest().first() == Some(&b'?'))
    }

    fn skip_spaces(&mut self) {
        self.at += self.spaces();
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// `name = "value"`, with the place of the value; `None` when another name stands here.
    fn pair(&mut self, name: &[u8]) -> Result<Option<(&'a [u8], usize)>, usize> {
        self.skip_spaces();
        if !self.rest().starts_with(name) {
            return Ok(None);
        }
        self.at += name.len();
        self.skip_spaces();
        self.need(self.rest().first() == Some(&b'='))?;
        self.at += 1;
        self.skip_spaces();
        let quote = self.rest().first().copied().filter(|byte| matches!(byte, b'"' | b'\'')).ok_or(self.at)?;
        self.at += 1;
        let start = self.at;
        let len = memchr::memchr(quote, self.rest()).ok_or(start)?;
        self.at += len + 1;
        Ok(Some((self.bytes.get(start..start + len).unwrap_or_default(), start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1_024;

    fn known(text: &[u8]) -> (Encoding, u64, bool) {
        match look(text, false, MOST).unwrap() {
            Beginning::Known { at, declared } => (at.encoding, at.sent.offset, declared),
            Beginning::Unknown => panic!("unknown"),
        }
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn declarations_are_read() {
        for (text, encoding) in [
            ("<?xml version=\"1.0\"?>", Encoding::Utf8),
            ("<?xml version = '1.0' encoding='utf-8' standalone=\"yes\" ?>", Encoding::Utf8),
            ("<?xml version='1.0' encoding='US-ASCII'?>", Encoding::Ascii),
            ("<?xml\n version='1.1' standalone='no'?>", Encoding::Utf8),
            ("<?xml version='1.0' encoding='ISO-8859-1'?>", Encoding::Latin1),
            ("<?xml version='1.0'\tencoding = \"Windows-1252\"\r\n?>", Encoding::Windows1252),
        ] {
            assert_eq!(known(text.as_bytes()), (encoding, text.len() as u64, true), "{text}");
        }
        let text = utf16("\u{FEFF}<?xml version='1.0' encoding='UTF-16'?><a/>");
        assert_eq!(known(&text), (Encoding::Utf16Le, text.len() as u64 - 8, true));
        let text = utf16("<?xml version='1.0'?><a/>");
        assert_eq!(known(&text), (Encoding::Utf16Le, text.len() as u64 - 8, true));
        assert_eq!(known(&utf16("<å/>")), (Encoding::Utf16Le, 0, false));
        assert_eq!(known(b"<?xml-stylesheet"), (Encoding::Utf8, 0, false));
        assert_eq!(known(b"\xEF\xBB\xBF<a/>"), (Encoding::Utf8, 3, false));
        for unknown in [&b""[..], b"\xEF\xBB", b"<?xm", b"<?xml", b"<?xml version='1.0'", b"<\0?\0x\0m"] {
            assert_eq!(look(unknown, false, MOST).unwrap(), Beginning::Unknown, "{unknown:?}");
        }
    }

    #[test]
    fn bad_declarations_are_refused_where_they_go_wrong() {
        use FaultKind::*;
        for (text, kind, column) in [
            ("<?xml?>", NotWellFormed, 6),
            ("<?xml ?>", NotWellFormed, 7),
            ("<?xml encoding='utf-8'?>", NotWellFormed, 7),
            ("<?xml version='2.0'?>", NotWellFormed, 16),
            ("<?xml version='1.'?>", NotWellFormed, 16),
            ("<?xml version='1.0a'?>", NotWellFormed, 16),
            ("<?xml version=''?>", NotWellFormed, 16),
            ("<?xml version=1.0?>", NotWellFormed, 15),
            ("<?xml version='1.0\"?>", NotWellFormed, 16),
            ("<?xml Version='1.0'?>", NotWellFormed, 7),
            ("<?xml version='1.0'encoding='utf-8'?>", NotWellFormed, 20),
            ("<?xml version='1.0' standalone='maybe'?>", NotWellFormed, 33),
            ("<?xml version='1.0' standalone='YES'?>", NotWellFormed, 33),
            ("<?xml version='1.0' standalone='no' encoding='utf-8'?>", NotWellFormed, 37),
            ("<?xml version='1.0' x='1'?>", NotWellFormed, 21),
            ("<?xml version='1.0' >", NotWellFormed, 21),
            ("<?xml version='1.0' encoding='-x'?>", NotWellFormed, 31),
            ("<?xml version='1.0' encoding=''?>", NotWellFormed, 31),
            ("<?xml version='1.0' encoding='u\u{B7}'?>", NotWellFormed, 31),
            ("<?xml version='1.0' encoding='EUC-JP'?>", UnsupportedEncoding, 31),
            ("<?xml version='1.0' encoding='UTF-16'?>", EncodingContradicted, 31),
            ("\u{FEFF}<?xml version='1.0' encoding='US-ASCII'?>", EncodingContradicted, 31),
            ("<?xml version='1.0' encoding='utf-8'", Truncated, 37),
        ] {
            let fault = look(text.as_bytes(), true, MOST).unwrap_err();
            assert_eq!((fault.kind, fault.at.column), (kind, column), "{text}");
        }
        let fault = look(&utf16("\u{FEFF}<?xml version='1.0'\nencoding='utf-8'?>"), true, MOST).unwrap_err();
        let at = Position { line: 2, column: 11, offset: 2 + 2 * 30 };
        assert_eq!((fault.kind, fault.at), (EncodingContradicted, at));
        let fault = look(&utf16("\u{FEFF}<?xml versio\u{8000}='1.0'?>"), true, MOST).unwrap_err();
        assert_eq!((fault.kind, fault.at.offset), (NotWellFormed, 14));
        let fault = look(&utf16("\u{FEFF}<?xml \u{8000}"), true, MOST).unwrap_err();
        assert_eq!((fault.kind, fault.at.offset), (Truncated, 16));
        let long = format!("<?xml version='1.0'{}?>", " ".repeat(MOST));
        assert_eq!(look(long.as_bytes(), false, MOST).unwrap_err().kind, DeclarationTooLong);
        for head in [&b"\xFF\xFE\0\0"[..], b"\0\0\0<", b"\x4C\x6F\xA7\x94"] {
            assert_eq!(look(head, false, MOST).unwrap_err().kind, UnsupportedEncoding);
        }
    }
}
