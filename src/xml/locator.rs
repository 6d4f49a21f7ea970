//! Line, column and the sender's offset, counted only when somebody asks.
//!
//! What is read is UTF-8; inside the tokenizer an offset counts those bytes. In another encoding the sender's bytes are
//! more or fewer, and are counted here from the characters.

use std::ops::Range;

use memchr::memrchr;

use super::encoding::Encoding;
use super::lines::Lines;
use super::look::{cut_len, line_ends};

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
}

/// A place in what is read, with the sender's place of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    /// Bytes of UTF-8 before it.
    pub(super) offset: u64,
    /// Where that is in the sender's file.
    pub(super) sent: Position,
    /// The encoding of the sender's file.
    pub(super) encoding: Encoding,
}

impl Point {
    /// The first place of a file in UTF-8.
    pub(super) const START: Self = Self { offset: 0, sent: Position::START, encoding: Encoding::Utf8 };

    /// The place after `bytes`, which begin here.
    #[inline]
    pub(super) fn after(self, bytes: &[u8]) -> Self {
        self.moved(bytes, Lines::of(bytes))
    }

    /// The place after `bytes`, which begin here, when it is known how many lines end in them.
    fn after_known(self, bytes: &[u8], ends: u64) -> Self {
        let last = if ends > 0 { last_line_end(bytes).map_or(0, |last| last + 1) } else { 0 };
        self.moved(bytes, Lines { ends, behind: characters(bytes.get(last..).unwrap_or_default()) })
    }

    // Inlined, with whoever asks: a place that goes by memory is waited for.
    #[inline]
    fn moved(self, bytes: &[u8], Lines { ends, behind }: Lines) -> Self {
        let Position { line, column, offset } = self.sent;
        let column = if ends > 0 { 1 } else { column } + behind;
        let sent = Position { line: line + ends, column, offset: offset + self.encoding.sent_bytes(bytes) };
        Self { offset: self.offset + bytes.len() as u64, sent, ..self }
    }
}

/// Where the last line ends.
fn last_line_end(bytes: &[u8]) -> Option<usize> {
    // In most documents tags stand near the beginning of a line, and a call would cost more.
    const NEAR: usize = 24;
    let (far, near) = bytes.split_at(bytes.len().saturating_sub(NEAR));
    let found = near.iter().rposition(|byte| *byte == b'\n').map(|at| far.len() + at);
    found.or_else(|| memrchr(b'\n', far))
}

/// Tells places inside the bytes at hand.
#[derive(Debug)]
pub struct Locator<'a> {
    bytes: &'a [u8],
    base: Point,
    /// How many lines end in the bytes, if that is known; they are whole characters then.
    lines: Option<u64>,
    // The last place told: questions mostly go forward, and then each byte is counted once.
    mark: Point,
    /// What of the bytes is known as a string, and where it begins in them.
    string: (usize, &'a str),
    /// The place of the spot at hand, where it cannot be counted from the bytes.
    told: Option<Position>,
}

impl<'a> Locator<'a> {
    pub(super) fn new(bytes: &'a [u8], base: Point) -> Self {
        Self { bytes, base, lines: None, mark: base, string: (0, ""), told: None }
    }

    /// Of text in which so many lines end.
    pub(super) fn of_lines(bytes: &'a [u8], base: Point, lines: u64) -> Self {
        Self { lines: Some(lines), ..Self::new(bytes, base) }
    }

    /// What stands between two offsets, where the bytes at hand are known to be text.
    #[inline]
    pub fn text(&mut self, between: Range<u64>) -> Option<&'a str> {
        let within = |offset: u64| offset.checked_sub(self.base.offset).and_then(|within| usize::try_from(within).ok());
        let (from, end) = (within(between.start)?, within(between.end)?);
        self.string(from, end).or_else(|| self.other_string(from, end))
    }

    #[inline]
    fn string(&self, from: usize, end: usize) -> Option<&'a str> {
        let (begin, string) = self.string;
        string.get(from.checked_sub(begin)?..end.checked_sub(begin)?)
    }

    /// Takes it with what follows: values that are asked for mostly stand close together.
    fn other_string(&mut self, from: usize, end: usize) -> Option<&'a str> {
        self.lines?;
        let most = self.bytes.len().min(end.max(from.saturating_add(STRING_BYTES)));
        let bytes = self.bytes.get(from..most)?;
        let whole = bytes.get(..bytes.len() - cut_len(bytes))?;
        self.string = (from, simdutf8::basic::from_utf8(whole).ok()?);
        self.string(from, end)
    }

    /// The place of an offset, which must lie in the bytes at hand.
    #[inline]
    pub fn position(&mut self, offset: u64) -> Position {
        self.point(offset).sent
    }

    /// The sender's offset of an offset, which must lie in the bytes at hand.
    #[inline]
    pub fn sent(&mut self, offset: u64) -> u64 {
        // The two are one unless the bytes were transcoded.
        if self.base.encoding.is_utf8() { offset } else { self.position(offset).offset }
    }

    /// The place of an offset, if it must be counted for the sender's offset alone. To be asked in the order of the
    /// document, since going back takes long.
    #[inline]
    pub fn counted(&mut self, offset: u64) -> Option<Position> {
        (!self.base.encoding.is_utf8()).then(|| self.position(offset))
    }

    /// The place behind the bytes at hand.
    pub(super) fn end(&mut self) -> Point {
        self.point(self.base.offset + self.bytes.len() as u64)
    }

    #[inline]
    pub(super) fn point(&mut self, offset: u64) -> Point {
        if offset < self.mark.offset {
            self.mark = self.base;
        }
        let [from, to] = [self.mark.offset, offset].map(|offset| offset.saturating_sub(self.base.offset) as usize);
        let (before, behind) = self.bytes.split_at(to.min(self.bytes.len()));
        let point = match self.lines {
            // Lines are counted where fewer bytes are; from a place told before there are few.
            Some(lines) if from == 0 && behind.len() < to => self.base.after_known(before, lines - line_ends(behind)),
            Some(_) | None => self.mark.after(before.get(from..).unwrap_or_default()),
        };
        self.mark = point;
        point
    }
}

/// A place of which line and column are counted only for who asks.
// Two words, so that it is handed on in registers.
#[derive(Debug)]
pub struct Spot<'l, 'a> {
    offset: u64,
    locator: &'l mut Locator<'a>,
}

impl<'l, 'a> Spot<'l, 'a> {
    /// The place of an offset, which must lie in the bytes at hand unless its place has been told.
    #[inline]
    pub fn new(told: Option<Position>, offset: u64, locator: &'l mut Locator<'a>) -> Self {
        locator.told = told.or_else(|| locator.counted(offset));
        Self { offset, locator }
    }

    /// The sender's offset.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.locator.told.map_or(self.offset, |told| told.offset)
    }

    /// Line, column and offset.
    #[inline]
    pub fn position(&mut self) -> Position {
        self.locator.told.unwrap_or_else(|| self.locator.position(self.offset))
    }
}

/// How much is made a string at once.
const STRING_BYTES: usize = 2 << 10;

/// Characters in UTF-8: the bytes that begin one.
#[inline]
pub fn characters(bytes: &[u8]) -> u64 {
    // In blocks whose count fits one byte and which are whole registers, so that the compiler can count many bytes at once.
    const BLOCK: usize = 7 * 32;
    let begins = |byte: &u8| u8::from((byte & 0xC0) != 0x80);
    bytes.chunks(BLOCK).map(|block| u64::from(block.iter().map(begins).sum::<u8>())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "æøå\n  å<x>".as_bytes();
        let mut locator = Locator::new(text, Point::START);
        assert_eq!(locator.position(6), Position { line: 1, column: 4, offset: 6 });
        assert_eq!(locator.position(11), Position { line: 2, column: 4, offset: 11 });
        assert_eq!(locator.position(2), Position { line: 1, column: 2, offset: 2 });
        assert_eq!(locator.sent(11), 11);
    }

    #[test]
    fn places_are_the_same_from_both_sides() {
        for text in [
            "",
            "æ",
            "\n",
            "\n  \t",
            " ",
            "a\næ\n  å<x>",
            "a tag and a value, æøå, in a line of its own\n  <item><a>1</a>\n    <b>2</b>\n  </item>\n  ",
            "a\n this line is longer than what is looked at first: æøå",
        ] {
            let (bytes, lines) = (text.as_bytes(), text.matches('\n').count() as u64);
            let end = Locator::new(bytes, Point::START).end();
            assert_eq!(end.sent.line, 1 + lines);
            for (at, _) in text.char_indices() {
                let mut known = Locator::of_lines(bytes, Point::START, lines);
                assert_eq!(known.point(at as u64), Locator::new(bytes, Point::START).point(at as u64), "{text} {at}");
                assert_eq!(known.end(), end, "{text} {at}");
            }
        }
    }

    #[test]
    fn a_spot_is_the_place_whenever_it_is_asked() {
        let text = "æ\n  ø<x>";
        for encoding in [Encoding::Utf8, Encoding::Latin1] {
            let base = Point { encoding, ..Point::START };
            let told = Locator::new(text.as_bytes(), base).position(7);
            let mut locator = Locator::of_lines(text.as_bytes(), base, 1);
            let mut spot = Spot::new(None, 7, &mut locator);
            assert_eq!((spot.offset(), spot.position()), (told.offset, told), "{encoding:?}");
            let mut spot = Spot::new(Some(Position::START), 7, &mut locator);
            assert_eq!((spot.offset(), spot.position()), (0, Position::START));
        }
    }

    #[test]
    fn text_is_the_same_wherever_the_last_was_asked_for() {
        let text = "aæ€\u{1F600} ".repeat(2 * STRING_BYTES / 11);
        let mut locator = Locator::of_lines(text.as_bytes(), Point::START, 0);
        for at in (0..text.len()).chain((0..text.len()).rev()) {
            for end in [at, at + 1, at + 7, at + 11, at + STRING_BYTES, at + STRING_BYTES + 5] {
                assert_eq!(locator.text(at as u64..end as u64), text.get(at..end), "{at} to {end}");
            }
        }
    }

    #[test]
    fn only_text_at_hand_is_text() {
        let base = Point { offset: 10, ..Point::START };
        let mut locator = Locator::of_lines("aæb".as_bytes(), base, 0);
        assert_eq!(locator.text(11..13), Some("æ"));
        for between in [9..11, 11..12, 12..13, 13..15] {
            assert_eq!(locator.text(between), None);
        }
        assert_eq!(Locator::new(b"ab", base).text(10..11), None);
    }

    #[test]
    fn offsets_are_the_senders() {
        let text = "æ\n\u{1F600}€x".as_bytes();
        for (encoding, at_the_x) in [(Encoding::Latin1, 4), (Encoding::Utf16Le, 10)] {
            let mut locator = Locator::new(text, Point { encoding, ..Point::START });
            assert_eq!(locator.position(10), Position { line: 2, column: 3, offset: at_the_x }, "{encoding:?}");
            assert_eq!(locator.sent(10), at_the_x);
            assert_eq!(locator.point(3).offset, 3);
        }
    }
}
