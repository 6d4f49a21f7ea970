//! One value at a time, judged as its text streams by.

use memchr::memchr;

use super::datatypes::{Base64, Broken, Hex, Space};
use super::finding::Kind;
use super::tables::{Check, SimpleType};
use crate::xml::{characters, is_space};

/// Makes every line end one line feed, also where a piece ends inside it.
#[derive(Debug, Default)]
pub(super) struct LineEnds {
    /// Past a carriage return that has been given on as a line feed.
    return_end: Option<u64>,
}

impl LineEnds {
    /// Gives on the text that `raw`, which stands at `offset`, means.
    pub(super) fn settle(&mut self, raw: &[u8], offset: u64, mut take: impl FnMut(&[u8])) {
        let mut rest = raw;
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

/// A value in progress; its memory is used again for the next.
#[derive(Debug)]
pub(super) struct Reader {
    check: Option<(Check, Space)>,
    ends: LineEnds,
    /// Characters so far.
    length: u64,
    /// White space that counts only if more text follows.
    gap: bool,
    base64: Base64,
    hex: Hex,
    text: String,
    most_bytes: usize,
    overflowed: bool,
}

impl Reader {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            check: None,
            ends: LineEnds::default(),
            length: 0,
            gap: false,
            base64: Base64::default(),
            hex: Hex::default(),
            text: String::new(),
            most_bytes,
            overflowed: false,
        }
    }

    /// Begins a value of a type; its text is kept if asked for, even where the type alone does not need it.
    #[inline]
    pub(super) fn begin(&mut self, simple: &SimpleType, keep: bool) {
        let streams = matches!(simple.check, Check::Nothing | Check::Length);
        let check = if keep && streams { Check::Whole } else { simple.check };
        self.check = Some((check, simple.space));
        match check {
            Check::Nothing => return,
            Check::Base64 => self.base64 = Base64::default(),
            Check::Hex => self.hex = Hex::default(),
            Check::Length | Check::Whole => {}
        }
        self.ends = LineEnds::default();
        self.length = 0;
        self.gap = false;
        self.text.clear();
        self.overflowed = false;
    }

    /// Takes a piece of text as the document has it.
    #[inline]
    pub(super) fn raw(&mut self, raw: &[u8], offset: u64) {
        match self.check {
            None | Some((Check::Nothing, _)) => {}
            Some((Check::Base64, _)) => self.base64.push(raw),
            Some((Check::Hex, _)) => self.hex.push(raw),
            Some((Check::Length | Check::Whole, space)) => {
                let mut ends = std::mem::take(&mut self.ends);
                ends.settle(raw, offset, |text| self.settled(text, space));
                self.ends = ends;
            }
        }
    }

    /// Takes text that is what it says.
    pub(super) fn text(&mut self, text: &[u8]) {
        match self.check {
            None | Some((Check::Nothing, _)) => {}
            Some((Check::Base64, _)) => self.base64.push(text),
            Some((Check::Hex, _)) => self.hex.push(text),
            Some((Check::Length | Check::Whole, space)) => self.settled(text, space),
        }
    }

    fn settled(&mut self, text: &[u8], space: Space) {
        let keep = self.check.is_some_and(|(check, _)| check == Check::Whole);
        let plain = || !self.gap && text.iter().all(|byte| *byte > b' ');
        if space != Space::Collapse || plain() {
            self.take(text, keep);
            return;
        }
        for (index, word) in text.split(|byte| is_space(*byte)).enumerate() {
            self.gap |= index > 0;
            if word.is_empty() {
                continue;
            }
            if std::mem::take(&mut self.gap) && self.length > 0 {
                self.take(b" ", keep);
            }
            self.take(word, keep);
        }
    }

    fn take(&mut self, text: &[u8], keep: bool) {
        self.length += characters(text);
        if !keep || self.overflowed {
            return;
        }
        if self.text.len() + text.len() > self.most_bytes {
            self.overflowed = true;
            return;
        }
        // Always so: the tokenizer lets nothing but whole characters pass.
        self.text.push_str(std::str::from_utf8(text).unwrap_or_default());
    }

    /// Judges the value now that its text is whole.
    #[inline]
    pub(super) fn judge(&mut self, simple: &SimpleType) -> Result<(), Broken> {
        match self.check.map_or(simple.check, |(check, _)| check) {
            Check::Nothing => Ok(()),
            Check::Length => simple.facets.judge_length(self.length),
            Check::Base64 => self.octets(simple, self.base64.octets()),
            Check::Hex => self.octets(simple, self.hex.octets()),
            Check::Whole => self.whole(simple),
        }
    }

    /// Tells whether any text is sound.
    pub(super) fn takes_anything(&self) -> bool {
        matches!(self.check, Some((Check::Nothing, _)))
    }

    /// Judges a text that is whole and has no references; none must be in progress.
    pub(super) fn judge_raw(&mut self, simple: &SimpleType, raw: &[u8]) -> bool {
        self.begin(simple, false);
        self.raw(raw, 0);
        self.judge(simple).is_ok()
    }

    fn octets(&self, simple: &SimpleType, octets: Option<u64>) -> Result<(), Broken> {
        simple.facets.judge_length(octets.ok_or_else(|| Broken::of_type(simple.builtin))?)
    }

    fn whole(&self, simple: &SimpleType) -> Result<(), Broken> {
        if simple.builtin.is_text() {
            simple.facets.judge_length(self.length)?;
        }
        if self.overflowed {
            let text = format!("the value has more than {} bytes, too many to be judged", self.most_bytes);
            return Err(Broken::new(Kind::BadLength, "", text));
        }
        // What is collapsed has been so since it came.
        let replaced = (simple.space == Space::Replace).then(|| simple.space.apply(&self.text));
        let text = replaced.as_deref().unwrap_or(&self.text);
        if !simple.builtin.accepts(text) {
            return Err(Broken::of_type(simple.builtin));
        }
        simple.facets.judge_value(simple.builtin, text)
    }

    /// The text, if it was kept.
    pub(super) fn kept(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::datatypes::{Builtin, Facets};

    fn judge(name: &str, facets: Facets, pieces: &[&str]) -> Result<(), Broken> {
        let builtin = Builtin::by_name(name).unwrap();
        let simple = SimpleType::new(builtin, builtin.space(), facets);
        let mut reader = Reader::new(100);
        reader.begin(&simple, false);
        let mut offset = 0;
        for piece in pieces {
            reader.raw(piece.as_bytes(), offset);
            offset += piece.len() as u64;
        }
        reader.judge(&simple)
    }

    #[test]
    fn lengths_are_of_characters_with_line_ends_as_one() {
        let three = || Facets { length: Some(3), ..Facets::default() };
        for (name, pieces) in [
            ("string", &["åæø"][..]),
            ("string", &["a\r\nb"]),
            ("string", &["a\r", "\nb"]),
            ("string", &["\r", "\r", "\n\n"]),
            ("token", &["  a \r\n", " b  "]),
            ("token", &[" ", "abc", " "]),
        ] {
            assert_eq!(judge(name, three(), pieces), Ok(()), "{name} {pieces:?}");
        }
        assert_eq!(judge("string", three(), &["a\r", "\r\nb"]).unwrap_err().rule, "cvc-length-valid");
    }

    #[test]
    fn values_are_judged_whole() {
        assert_eq!(judge("date", Facets::default(), &[" \n2024-0", "2-29 "]), Ok(()));
        assert_eq!(judge("int", Facets::default(), &["1", " ", "2"]).unwrap_err().rule, "cvc-datatype-valid.1.2.1");
        assert_eq!(judge("int", Facets::default(), &[" ".repeat(500).as_str(), "2"]), Ok(()));
        assert_eq!(judge("decimal", Facets::default(), &["1".repeat(200).as_str()]).unwrap_err().kind, Kind::BadLength);
    }
}
