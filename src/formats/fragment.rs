//! Reads the elements of a small part of a staged file again: tags and where they lie, nothing else.
//!
//! The part has been judged, so this reader only finds its way: it checks nothing twice.

use std::io;

use super::excerpt::Excerpt;
use super::{Encoding, ReadItemError};
use crate::model::ByteRange;
use crate::ports::Blob;

/// A tag of the fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// A start tag; `range` is the whole tag.
    Start {
        /// From `<` to past `>`.
        range: ByteRange,
        /// Its name as written, with the prefix.
        name: ByteRange,
        /// It is `<name/>`.
        empty: bool,
    },
    /// An end tag.
    End {
        /// From `<` to past `>`.
        range: ByteRange,
    },
}

/// Walks over the tags of a range; memory is one buffer.
pub(crate) struct Fragment<'a> {
    blob: &'a dyn Blob,
    encoding: Encoding,
    excerpt: Excerpt,
    /// Offset in the file of the first byte not yet read from `buffer`.
    at: u64,
    buffer: Vec<u8>,
    used: usize,
    name: Vec<u8>,
    attributes: Vec<(String, ByteRange)>,
}

impl<'a> Fragment<'a> {
    /// Begins at the start of the range.
    pub(crate) fn new(blob: &'a dyn Blob, encoding: Encoding, range: ByteRange) -> Self {
        let excerpt = Excerpt::new(range, encoding);
        Self {
            blob,
            encoding,
            excerpt,
            at: range.start,
            buffer: Vec::new(),
            used: 0,
            name: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// The local name of the last start tag.
    pub(crate) fn local_name(&self) -> &[u8] {
        let name = self.name.as_slice();
        memchr::memchr(b':', name).and_then(|colon| name.get(colon + 1..)).unwrap_or(name)
    }

    /// The attributes of the last start tag: names as written, and where the values lie.
    pub(crate) fn attributes(&self) -> &[(String, ByteRange)] {
        &self.attributes
    }

    /// The next tag; `None` at the end of the range.
    pub(crate) fn next(&mut self) -> Result<Option<Tag>, ReadItemError> {
        loop {
            self.skip_to(b'<')?;
            let start = self.at;
            let Some(_) = self.take()? else { return Ok(None) };
            match self.peek()?.ok_or(CUT_OFF)? {
                b'?' => self.skip_past(b"?>")?,
                b'!' => self.skip_declared()?,
                b'/' => {
                    self.skip_past(b">")?;
                    return Ok(Some(Tag::End { range: ByteRange { start, end: self.at } }));
                }
                _ => return self.start_tag(start).map(Some),
            }
        }
    }

    /// A comment or a CDATA section.
    fn skip_declared(&mut self) -> Result<(), ReadItemError> {
        self.take()?;
        if self.peek()? == Some(b'[') {
            return self.skip_past(b"]]>");
        }
        // Past both opening dashes, so that `<!-->` is not taken for a whole comment.
        self.take()?;
        self.take()?;
        self.skip_past(b"-->")
    }

    fn start_tag(&mut self, start: u64) -> Result<Tag, ReadItemError> {
        let name_start = self.at;
        self.name.clear();
        while let Some(byte) = self.peek()?.filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>')) {
            self.name.push(byte);
            self.take()?;
        }
        let name = ByteRange { start: name_start, end: self.at };
        let empty = self.read_attributes()?;
        Ok(Tag::Start { range: ByteRange { start, end: self.at }, name, empty })
    }

    /// Reads on past the tag's `>`; tells whether a `/` stands before it.
    fn read_attributes(&mut self) -> Result<bool, ReadItemError> {
        self.attributes.clear();
        let mut name = Vec::new();
        let mut last = b' ';
        loop {
            let byte = self.take()?.ok_or(CUT_OFF)?;
            last = match byte {
                b'>' => return Ok(last == b'/'),
                b'"' | b'\'' => {
                    let start = self.at;
                    self.skip_past(&[byte])?;
                    let end = self.at - self.encoding.sent_bytes(&[byte]);
                    let named = String::from_utf8(std::mem::take(&mut name));
                    let named = named.map_err(|_| ReadItemError::Changed("a name is not UTF-8"))?;
                    self.attributes.push((named, ByteRange { start, end }));
                    byte
                }
                b' ' | b'\t' | b'\r' | b'\n' | b'=' | b'/' => byte,
                _ => {
                    name.push(byte);
                    byte
                }
            };
        }
    }

    fn skip_to(&mut self, byte: u8) -> io::Result<()> {
        loop {
            let ahead = self.ahead()?;
            let (skipped, found) = match memchr::memchr(byte, ahead) {
                Some(index) => (index, true),
                None => (ahead.len(), ahead.is_empty()),
            };
            self.advance(skipped);
            if found {
                return Ok(());
            }
        }
    }

    /// Moves past the next occurrence of a short pattern that begins with a byte of its own.
    fn skip_past(&mut self, pattern: &[u8]) -> Result<(), ReadItemError> {
        let Some(last) = pattern.last() else { return Ok(()) };
        let mut seen: Vec<u8> = Vec::with_capacity(pattern.len());
        loop {
            let ahead = self.ahead()?;
            if ahead.is_empty() {
                return Err(CUT_OFF);
            }
            let found = memchr::memchr(*last, ahead);
            let taken = found.map_or(ahead.len(), |index| index + 1);
            let (run, _) = ahead.split_at(taken);
            let (_, tail) = run.split_at(run.len().saturating_sub(pattern.len()));
            seen.extend_from_slice(tail);
            let excess = seen.len().saturating_sub(pattern.len());
            seen.drain(..excess);
            self.advance(taken);
            if found.is_some() && seen == pattern {
                return Ok(());
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.ahead()?.first().copied())
    }

    fn take(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        self.advance(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn advance(&mut self, by: usize) {
        let passed = self.buffer.get(self.used..self.used + by).unwrap_or_default();
        self.at += self.encoding.sent_bytes(passed);
        self.used += by;
    }

    /// The bytes in the buffer, read anew when none is left; empty at the end of the range.
    fn ahead(&mut self) -> io::Result<&[u8]> {
        if self.used == self.buffer.len() {
            self.buffer = self.excerpt.read(self.blob)?;
            self.used = 0;
        }
        let (_, ahead) = self.buffer.split_at(self.used);
        Ok(ahead)
    }
}

/// Reads a range that is known to be short.
pub(crate) fn read(blob: &dyn Blob, range: ByteRange) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(range.len()).map_err(io::Error::other)?];
    let mut rest = bytes.as_mut_slice();
    let mut at = range.start;
    while !rest.is_empty() {
        match blob.read_at(at, rest)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                at += count as u64;
                rest = rest.split_at_mut(count).1;
            }
        }
    }
    Ok(bytes)
}

const CUT_OFF: ReadItemError = ReadItemError::Changed("an item is cut off");

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A staged file in memory that gives a few bytes at a time.
    pub(crate) struct InMemory(pub(crate) Vec<u8>);

    impl Blob for InMemory {
        fn size_bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            let rest = self.0.get(offset as usize..).unwrap_or_default();
            let count = rest.len().min(into.len()).min(7);
            into[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }
    }

    impl InMemory {
        pub(crate) fn all(&self) -> ByteRange {
            ByteRange { start: 0, end: self.size_bytes() }
        }

        pub(crate) fn slice(&self, range: ByteRange) -> &str {
            std::str::from_utf8(&self.0[range.start as usize..range.end as usize]).unwrap()
        }
    }

    fn tags(text: &str) -> Result<Vec<String>, ReadItemError> {
        let blob = InMemory(text.as_bytes().to_vec());
        let mut fragment = Fragment::new(&blob, Encoding::Utf8, blob.all());
        let mut found = Vec::new();
        while let Some(tag) = fragment.next()? {
            found.push(match tag {
                Tag::Start { range, name, empty } => {
                    let local = String::from_utf8_lossy(fragment.local_name()).into_owned();
                    format!("{} {} {local}{}", blob.slice(range), blob.slice(name), if empty { " empty" } else { "" })
                }
                Tag::End { range } => blob.slice(range).to_owned(),
            });
        }
        Ok(found)
    }

    #[test]
    fn tags_are_found_among_everything_else() {
        let text = "<?x <a>?><p:å b='>' c=\"/\"><!--<b>--><!----><![CDATA[<c>]]]]>]]]]]><d\n/>>></p:å ><e/>";
        let expected = ["<p:å b='>' c=\"/\"> p:å å", "<d\n/> d d empty", "</p:å >", "<e/> e e empty"];
        assert_eq!(tags(text).unwrap(), expected);
    }

    #[test]
    fn offsets_are_those_of_the_file_in_another_encoding() {
        let text = "å<b ø='>'>\u{1F600}</b>";
        for (encoding, bytes) in [
            (Encoding::Utf16Le, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
            (Encoding::Latin1, "å<b ø='>'>--</b>".chars().map(|c| c as u8).collect()),
        ] {
            let unit = bytes.len() as u64 / 16;
            let range = |start: u64, end: u64| ByteRange { start: start * unit, end: end * unit };
            let blob = InMemory(bytes);
            let mut fragment = Fragment::new(&blob, encoding, blob.all());
            let start = Tag::Start { range: range(1, 10), name: range(2, 3), empty: false };
            assert_eq!(fragment.next().unwrap(), Some(start), "{encoding:?}");
            assert_eq!(fragment.next().unwrap(), Some(Tag::End { range: range(12, 16) }), "{encoding:?}");
            assert_eq!(fragment.next().unwrap(), None);
        }
    }

    #[test]
    fn a_fragment_that_is_cut_off_is_an_error() {
        for text in ["<", "<a", "<a b='", "<!-- ", "<![CDATA[ ]]", "</a", "<?x"] {
            assert!(tags(text).is_err(), "{text}");
        }
        assert!(tags("text only").unwrap().is_empty());
    }
}
