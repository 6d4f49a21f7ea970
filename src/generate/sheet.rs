//! Markup on its way out, a buffer at a time.

use std::io::{self, Write};

use super::content;

/// Written out when so much is there.
const BUFFER_BYTES: usize = 256 * 1024;

/// Where a batch is written.
pub(super) struct Sheet<'a> {
    /// What is not written out yet.
    pub(super) buffer: Vec<u8>,
    out: &'a mut dyn Write,
    bytes: u64,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { buffer: Vec::with_capacity(2 * BUFFER_BYTES), out, bytes: 0 }
    }

    /// Appends markup as it is.
    pub(super) fn put(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Appends a line: an indented element with text in it.
    pub(super) fn element(&mut self, indent: usize, name: &str, text: &str) {
        self.open(indent, name);
        content::escaped(&mut self.buffer, text.as_bytes());
        self.close(name);
    }

    /// Appends an indented start tag, on whose line what follows goes on.
    pub(super) fn open(&mut self, indent: usize, name: &str) {
        self.buffer.extend(std::iter::repeat_n(b' ', indent));
        self.put("<");
        self.put(name);
        self.put(">");
    }

    /// Appends an end tag that ends its line.
    pub(super) fn close(&mut self, name: &str) {
        self.put("</");
        self.put(name);
        self.put(">\n");
    }

    /// Appends an attribute with the space before it.
    pub(super) fn attribute(&mut self, name: &str, value: &str) {
        self.put(" ");
        self.put(name);
        self.put("=\"");
        content::escaped(&mut self.buffer, value.replace('"', "'").as_bytes());
        self.put("\"");
    }

    /// Writes out what is there when it is much.
    pub(super) fn rest(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes out everything and tells how much it was in all.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        Ok(self.bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.bytes += self.buffer.len() as u64;
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
