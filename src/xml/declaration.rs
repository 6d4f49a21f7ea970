//! The first bytes: byte order marks, foreign encodings, the XML declaration.

use super::chars::is_space;
use super::{FaultKind, Mistake};

/// The byte order mark in UTF-8.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";
// What a declaration may at most take; the longest sensible one has under a hundred bytes.
const LONGEST: usize = 1_024;

/// What the first bytes turn out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// More bytes are needed to tell.
    Unknown,
    /// A document without a declaration; the mark's length.
    Bare(usize),
    /// A document with one.
    Declared {
        /// Bytes of mark and declaration.
        end: usize,
        /// Only US-ASCII may follow.
        ascii: bool,
    },
}

/// Looks at the first bytes of a document; `last` when no more will come.
pub(super) fn look(head: &[u8], last: bool) -> Result<Beginning, Mistake> {
    refuse_foreign(head)?;
    if !last && (head.len() < 4 || BOM.starts_with(head)) {
        return Ok(Beginning::Unknown);
    }
    let mark = if head.starts_with(BOM) { BOM.len() } else { 0 };
    let text = head.get(mark..).unwrap_or_default();
    match text.get(..6) {
        None if b"<?xml".starts_with(text) || text == b"<?xml" => {
            return Ok(if last { Beginning::Bare(mark) } else { Beginning::Unknown });
        }
        Some([b'<', b'?', b'x', b'm', b'l', space]) if is_space(*space) => {}
        _ => return Ok(Beginning::Bare(mark)),
    }
    // A declaration holds no `>` but its last; one that does is wrong anyway.
    let Some(close) = memchr::memchr(b'>', text.get(..LONGEST.min(text.len())).unwrap_or_default()) else {
        if text.len() >= LONGEST {
            return Err(Mistake::malformed(mark, "the XML declaration does not end"));
        }
        return Ok(if last { Beginning::Bare(mark) } else { Beginning::Unknown });
    };
    let declaration = text.get(..=close).unwrap_or_default();
    let encoding = Parser { bytes: declaration, at: 5 }
        .declaration()
        .map_err(|at| Mistake::malformed(mark + at, "the XML declaration is not as it should be"))?;
    let ascii = supported(encoding, mark)?;
    Ok(Beginning::Declared { end: mark + close + 1, ascii })
}

fn refuse_foreign(head: &[u8]) -> Result<(), Mistake> {
    let name = match head {
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, b'<', ..] | [b'<', 0, ..] => "UTF-16 or UTF-32",
        [0, 0, 0, b'<', ..] | [0, 0, 0xFE, 0xFF, ..] => "UTF-32",
        [0x4C, 0x6F, 0xA7, 0x94, ..] => "EBCDIC",
        _ => return Ok(()),
    };
    Err(Mistake::new(FaultKind::UnsupportedEncoding, 0, format!("the file is in {name}; UTF-8 is read")))
}

/// Tells whether the encoding declared is US-ASCII; no name means UTF-8.
fn supported(encoding: Option<(&[u8], usize)>, mark: usize) -> Result<bool, Mistake> {
    let Some((name, at)) = encoding else { return Ok(false) };
    let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    if is(&["UTF-8", "UTF8"]) {
        return Ok(false);
    }
    let wide =
        ["UTF-16", "UTF-16LE", "UTF-16BE", "ISO-10646-UCS-2", "UCS-2", "UTF-32", "UTF-32LE", "UTF-32BE", "UCS-4"];
    if mark > 0 || is(&wide) {
        return Err(Mistake::new(FaultKind::BadEncoding, mark + at, "the bytes are not in the encoding declared"));
    }
    if is(&["US-ASCII", "ASCII"]) {
        return Ok(true);
    }
    Err(Mistake::new(FaultKind::UnsupportedEncoding, mark + at, "the encoding declared is not read; UTF-8 is"))
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
        let mut spaced = self.skip_spaces();
        let encoding = self.pair(b"encoding")?;
        if let Some((name, at)) = encoding {
            self.need(spaced)?;
            let shaped = name.first().is_some_and(u8::is_ascii_alphabetic)
                && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
            if !shaped {
                return Err(at);
            }
            spaced = self.skip_spaces();
        }
        if let Some((answer, at)) = self.pair(b"standalone")? {
            self.need(spaced)?;
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

    fn skip_spaces(&mut self) -> bool {
        let spaces = self.spaces();
        self.at += spaces;
        spaces > 0
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

    #[test]
    fn declarations_are_read() {
        for (text, ascii) in [
            ("<?xml version=\"1.0\"?>", false),
            ("<?xml version = '1.0' encoding='utf-8' standalone=\"yes\" ?>", false),
            ("<?xml version='1.0' encoding='US-ASCII'?>", true),
            ("<?xml\n version='1.1' standalone='no'?>", false),
        ] {
            let beginning = look(text.as_bytes(), false).unwrap();
            assert_eq!(beginning, Beginning::Declared { end: text.len(), ascii }, "{text}");
        }
        assert_eq!(look(b"<?xml-stylesheet", false).unwrap(), Beginning::Bare(0));
        assert_eq!(look(b"\xEF\xBB\xBF<a/>", false).unwrap(), Beginning::Bare(3));
        assert_eq!(look(b"\xEF\xBB", false).unwrap(), Beginning::Unknown);
        assert_eq!(look(b"<?xm", false).unwrap(), Beginning::Unknown);
    }

    #[test]
    fn bad_declarations_are_refused() {
        for (text, kind) in [
            ("<?xml encoding='utf-8'?>", FaultKind::NotWellFormed),
            ("<?xml version='2.0'?>", FaultKind::NotWellFormed),
            ("<?xml version='1.0'encoding='utf-8'?>", FaultKind::NotWellFormed),
            ("<?xml version='1.0' standalone='maybe'?>", FaultKind::NotWellFormed),
            ("<?xml version='1.0' standalone='no' encoding='utf-8'?>", FaultKind::NotWellFormed),
            ("<?xml version='1.0' x='1'?>", FaultKind::NotWellFormed),
            ("<?xml version='1.0' >", FaultKind::NotWellFormed),
            ("<?xml version='1.0' encoding='-x'?>", FaultKind::NotWellFormed),
            ("<?xml version='1.0' encoding='ISO-8859-1'?>", FaultKind::UnsupportedEncoding),
            ("<?xml version='1.0' encoding='UTF-16'?>", FaultKind::BadEncoding),
            ("\u{FEFF}<?xml version='1.0' encoding='US-ASCII'?>", FaultKind::BadEncoding),
        ] {
            assert_eq!(look(text.as_bytes(), true).unwrap_err().kind, kind, "{text}");
        }
        for head in [&b"\xFF\xFE<\0"[..], b"\0<\0?", b"<\0?\0", b"\x4C\x6F\xA7\x94"] {
            assert_eq!(look(head, false).unwrap_err().kind, FaultKind::UnsupportedEncoding);
        }
    }
}
