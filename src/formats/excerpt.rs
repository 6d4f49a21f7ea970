//! A part of a staged file as UTF-8, whatever the file is in.

use std::io;

use crate::model::ByteRange;
use crate::ports::Blob;
use crate::xml::{self, Encoding, PREAMBLE_BYTES, Preamble, Transcoder};

/// Tells again, from the first bytes of a file that has been judged, its encoding and where its text begins.
pub fn preamble(blob: &dyn Blob) -> io::Result<Preamble> {
    let end = blob.size_bytes().min(PREAMBLE_BYTES as u64);
    let head = super::fragment::read(blob, ByteRange { start: 0, end })?;
    match xml::preamble(&head) {
        Ok(Some(preamble)) => Ok(preamble),
        // So short a file has no declaration.
        Ok(None) => Ok(Preamble { encoding: Encoding::Utf8, bytes: 0 }),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the staged file does not begin as it was judged")),
    }
}

/// Reads a range of a staged file piece by piece.
pub struct Excerpt {
    left: ByteRange,
    transcoder: Option<Transcoder>,
}

impl Excerpt {
    /// Begins at the start of the range, which cuts no character.
    pub fn new(range: ByteRange, encoding: Encoding) -> Self {
        Self { left: range, transcoder: (!encoding.is_utf8()).then(|| Transcoder::new(encoding)) }
    }

    /// The next piece; nothing at the end.
    pub fn read(&mut self, blob: &dyn Blob) -> io::Result<Vec<u8>> {
        loop {
            let raw = self.read_raw(blob)?;
            let Some(transcoder) = &mut self.transcoder else { return Ok(raw) };
            let text = transcribed(transcoder, &raw)?;
            if raw.is_empty() {
                return transcoder.finish().map(|()| text).map_err(|_| CHANGED.into());
            }
            // A few bytes may be less than a character.
            if !text.is_empty() {
                return Ok(text);
            }
        }
    }

    /// All of a range that is known to be short.
    pub fn read_whole(mut self, blob: &dyn Blob) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let piece = self.read(blob)?;
            if piece.is_empty() {
                return Ok(text);
            }
            text.extend_from_slice(&piece);
        }
    }

    fn read_raw(&mut self, blob: &dyn Blob) -> io::Result<Vec<u8>> {
        let mut raw = vec![0; usize::try_from(self.left.len()).unwrap_or(PIECE_BYTES).min(PIECE_BYTES)];
        if raw.is_empty() {
            return Ok(raw);
        }
        let read = blob.read_at(self.left.start, &mut raw)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        raw.truncate(read);
        self.left.start += read as u64;
        Ok(raw)
    }
}

fn transcribed(transcoder: &mut Transcoder, mut raw: &[u8]) -> io::Result<Vec<u8>> {
    let mut all = Vec::with_capacity(raw.len());
    while !raw.is_empty() {
        let (text, ended) = transcoder.next(&mut raw);
        all.extend_from_slice(text);
        ended.map_err(|_| io::Error::from(CHANGED))?;
    }
    Ok(all)
}

/// What was judged had no such bytes.
const CHANGED: io::ErrorKind = io::ErrorKind::InvalidData;
/// Bytes read from the staged file at once.
const PIECE_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::fragment::tests::InMemory;

    #[test]
    fn a_range_is_read_in_the_encoding_of_its_file() {
        let text = "<?xml version='1.0' encoding='UTF-16'?><å>\u{1F600}ø</å>";
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let blob = InMemory(bytes);
        let Preamble { encoding, bytes } = preamble(&blob).unwrap();
        assert_eq!((encoding, bytes), (Encoding::Utf16Be, 78));
        let rest = ByteRange { start: bytes, end: blob.size_bytes() };
        assert_eq!(Excerpt::new(rest, encoding).read_whole(&blob).unwrap(), "<å>\u{1F600}ø</å>".as_bytes());
        let cut = ByteRange { start: bytes + 6, end: bytes + 8 };
        assert_eq!(Excerpt::new(cut, encoding).read_whole(&blob).unwrap_err().kind(), CHANGED);
        assert_eq!(preamble(&InMemory(b"<a/".to_vec())).unwrap().encoding, Encoding::Utf8);
        assert!(preamble(&InMemory(b"\0\0\0<".to_vec())).is_err());
    }
}
