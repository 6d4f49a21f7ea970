//! Line and column, counted only when somebody asks.

use memchr::{memchr_iter, memrchr};

/// A place in the sender's own file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Line, from 1; lines end with a line feed.
    pub line: u64,
    /// Column in characters, from 1; a byte order mark is none.
    pub column: u64,
    /// Bytes before it, from 0.
    pub offset: u64,
}

impl Position {
    /// The first place of a file.
    pub const START: Self = Self { line: 1, column: 1, offset: 0 };

    /// The place after `bytes`, which begin here.
    pub fn after(self, bytes: &[u8]) -> Self {
        let offset = self.offset + bytes.len() as u64;
        match memrchr(b'\n', bytes) {
            None => Self { line: self.line, column: self.column + characters(bytes), offset },
            Some(last) => {
                let lines = memchr_iter(b'\n', bytes).count() as u64;
                let rest = bytes.get(last + 1..).unwrap_or_default();
                Self { line: self.line + lines, column: 1 + characters(rest), offset }
            }
        }
    }
}

/// Tells places inside the bytes at hand.
#[derive(Debug)]
pub struct Locator<'a> {
    bytes: &'a [u8],
    base: Position,
    // The last place told: questions mostly go forward, and then each byte is counted once.
    mark: Position,
}

impl<'a> Locator<'a> {
    pub(super) fn new(bytes: &'a [u8], base: Position) -> Self {
        Self { bytes, base, mark: base }
    }

    /// The place of an offset, which must lie in the bytes at hand.
    pub fn position(&mut self, offset: u64) -> Position {
        if offset < self.mark.offset {
            self.mark = self.base;
        }
        let from = (self.mark.offset - self.base.offset) as usize;
        let to = offset.saturating_sub(self.base.offset) as usize;
        self.mark = self.mark.after(self.bytes.get(from..to).unwrap_or_default());
        self.mark
    }
}

/// Characters in UTF-8: the bytes that begin one.
pub fn characters(bytes: &[u8]) -> u64 {
    // In blocks whose count fits one byte, so that the compiler can count many bytes at once.
    const BLOCK: usize = 255;
    let begins = |byte: &u8| u8::from((byte & 0xC0) != 0x80);
    bytes.chunks(BLOCK).map(|block| u64::from(block.iter().map(begins).sum::<u8>())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "æøå\n  å<x>".as_bytes();
        let mut locator = Locator::new(text, Position::START);
        assert_eq!(locator.position(6), Position { line: 1, column: 4, offset: 6 });
        assert_eq!(locator.position(11), Position { line: 2, column: 4, offset: 11 });
        assert_eq!(locator.position(2), Position { line: 1, column: 2, offset: 2 });
    }
}
