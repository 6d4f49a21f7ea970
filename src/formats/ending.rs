//! Whether a file breaks off: its XML before the root element's end, its ZIP before the directory.
//!
//! What else may be wrong with it is not looked at, since only an end that is missing may still come.

use std::io;

use crate::formats::broker;
use crate::ports::Blob;
use crate::xml::{FaultKind, Limits, Locator, Scope, Sink, Tag, Tokenizer};

/// A file that is read through for its end.
pub struct Ending {
    /// Its first bytes.
    head: Vec<u8>,
    /// `None` when what was read is no XML, which more of it does not mend.
    tokenizer: Option<Tokenizer>,
}

impl Default for Ending {
    fn default() -> Self {
        Self { head: Vec::new(), tokenizer: Some(Tokenizer::new(Limits::default(), &[""; 0])) }
    }
}

impl Ending {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.head.extend(bytes.iter().take(HEAD_BYTES.saturating_sub(self.head.len())));
        if self.head.starts_with(MAGIC) {
            self.tokenizer = None;
        }
        if self.tokenizer.as_mut().is_some_and(|tokenizer| tokenizer.feed(bytes, &mut Deaf).is_err()) {
            self.tokenizer = None;
        }
    }

    /// Tells whether the file, all of which was read, breaks off.
    pub fn breaks_off(self, blob: &dyn Blob) -> io::Result<bool> {
        if self.head.starts_with(MAGIC) {
            return Ok(!broker::has_end(blob)?);
        }
        let Some(mut tokenizer) = self.tokenizer else { return Ok(false) };
        let Err(fault) = tokenizer.finish(&mut Deaf) else { return Ok(false) };
        // A short file is looked at here for the first time.
        Ok(match fault.kind {
            FaultKind::Truncated | FaultKind::BadEncoding => true,
            FaultKind::NotXml => self.head.iter().find(|byte| !BLANK.contains(byte)).is_none_or(|byte| *byte == b'<'),
            FaultKind::NotWellFormed
            | FaultKind::EncodingContradicted
            | FaultKind::UnsupportedEncoding
            | FaultKind::Dtd
            | FaultKind::UndeclaredPrefix
            | FaultKind::TooDeep
            | FaultKind::TagTooLong
            | FaultKind::NameTooLong
            | FaultKind::AttributeTooLong
            | FaultKind::DeclarationTooLong
            | FaultKind::TooManyAttributes
            | FaultKind::TooManyNamespaces => false,
        })
    }
}

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn start(&mut self, _: &Tag<'_>, _: &mut Locator<'_>) {}
    fn end(&mut self, _: u64, _: u64, _: &Scope, _: &mut Locator<'_>) {}
    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}
    fn character(&mut self, _: char, _: u64, _: &mut Locator<'_>) {}
}

const HEAD_BYTES: usize = 64;

/// Byte order marks, blanks, and what stands between them in UTF-16.
const BLANK: &[u8] = b"\xEF\xBB\xBF\xFE\xFF\0 \t\r\n";

/// How archives begin.
const MAGIC: &[u8; 2] = b"PK";

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(Vec<u8>);

    impl Blob for Bytes {
        fn size_bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            let rest = self.0.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
            let count = rest.len().min(into.len());
            into[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }
    }

    fn breaks_off(bytes: &[u8], piece: usize) -> bool {
        let mut ending = Ending::default();
        bytes.chunks(piece).for_each(|piece| ending.feed(piece));
        ending.breaks_off(&Bytes(bytes.to_vec())).unwrap()
    }

    #[test]
    fn a_document_breaks_off_wherever_it_is_cut() {
        let document = "<?xml version='1.0'?>\n<!-- æ --><a b='c'><d>text</d><![CDATA[x]]></a>\n".as_bytes();
        let end = document.len() - 1;
        for cut in 0..end {
            assert!(breaks_off(&document[..cut], 3), "{cut}");
        }
        for piece in [1, 2, 1_000] {
            assert!(!breaks_off(document, piece) && !breaks_off(&document[..end], piece));
        }
    }

    #[test]
    fn what_more_bytes_do_not_mend_does_not_break_off() {
        for text in ["no XML", "<a></b>", "<!DOCTYPE a><a>", "\u{0}\u{1}"] {
            assert!(!breaks_off(text.as_bytes(), 4), "{text}");
        }
        assert!(breaks_off(b"", 1), "an empty file may still be filled");
    }

    #[test]
    fn an_archive_breaks_off_without_its_directory() {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        zip.start_file("a.xml", zip::write::SimpleFileOptions::default()).unwrap();
        io::Write::write_all(&mut zip, &[b'a'; 500]).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        for piece in [1, 2, 1_000] {
            assert!(!breaks_off(&bytes, piece));
            assert!((2..bytes.len()).step_by(7).all(|cut| breaks_off(&bytes[..cut], piece)));
        }
    }
}
