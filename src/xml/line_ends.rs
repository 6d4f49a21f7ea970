//! Line ends in text: however they are written, they mean a line feed (XML 1.0, 2.11).

use memchr::memchr;

/// Makes every line end one line feed, also where a piece ends inside it.
#[derive(Debug, Default, Clone)]
pub struct LineEnds {
    /// Past a carriage return that has been given on as a line feed.
    return_end: Option<u64>,
}

impl LineEnds {
    /// Gives on the text that `raw`, which stands at `offset`, means.
    pub fn settle(&mut self, raw: &[u8], offset: u64, mut take: impl FnMut(&[u8])) {
        let mut rest = raw;
        if rest.is_empty() {
            return;
        }
        if self.return_end.take() == Some(offset) {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(at) = memchr(b'\r', rest) {
            take(rest.get(..at).unwrap_or_default());
            take(b"\n");
            rest = rest.get(at + 1..).unwrap_or_default();
            if rest.is_empty() {
                self.return_end = Some(offset + raw.len() as u64);
            }
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        if !rest.is_empty() {
            take(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settled(pieces: [&[u8]; 3]) -> String {
        let (mut ends, mut offset, mut text) = (LineEnds::default(), 0, Vec::new());
        for piece in pieces {
            ends.settle(piece, offset, |bytes| text.extend_from_slice(bytes));
            offset += piece.len() as u64;
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn markup_parts_a_carriage_return_from_a_line_feed() {
        let (mut ends, mut text) = (LineEnds::default(), Vec::new());
        ends.settle(b"a\r", 10, |bytes| text.extend_from_slice(bytes));
        ends.settle(b"\nb", 20, |bytes| text.extend_from_slice(bytes));
        assert_eq!(text, b"a\n\nb");
    }

    proptest! {
        #[test]
        fn any_cutting_means_the_same(text in "[a\r\n]{0,12}", cut in 0_usize..13, other in 0_usize..13) {
            let (cut, other) = (cut.min(text.len()), other.min(text.len()));
            let (begin, end) = text.as_bytes().split_at(cut.max(other));
            let (begin, middle) = begin.split_at(cut.min(other));
            let expected = text.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(settled([begin, middle, end]), expected);
        }
    }
}
