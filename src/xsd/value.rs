//! One value at a time, judged as its text streams by.

use std::borrow::Cow;

use super::datatypes::{Base64, Broken, Hex, Prefixes, SimpleType, Space, Stream, Value};
use super::finding::Kind;
use crate::xml::{LineEnds, characters, is_space};

/// A value in progress; its memory is used again for the next.
#[derive(Debug)]
pub(super) struct Reader {
    reading: Stream,
    space: Space,
    /// Somebody asks for the value itself.
    keep: bool,
    ends: LineEnds,
    /// Characters so far, where they are counted.
    length: u64,
    /// White space that counts only if more text follows.
    gap: bool,
    /// Anything but white space has come.
    begun: bool,
    base64: Base64,
    hex: Hex,
    text: String,
    most_bytes: usize,
    overflowed: bool,
}

impl Reader {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            reading: Stream::Nothing,
            space: Space::Preserve,
            keep: false,
            ends: LineEnds::default(),
            length: 0,
            gap: false,
            begun: false,
            base64: Base64::default(),
            hex: Hex::default(),
            text: String::new(),
            most_bytes,
            overflowed: false,
        }
    }

    /// Begins a value of a type; it is kept if asked for, even where the type alone does not need it.
    #[inline]
    pub(super) fn begin(&mut self, simple: &SimpleType, keep: bool) {
        self.reading = if keep { Stream::Whole } else { simple.stream() };
        self.space = simple.space();
        self.keep = keep;
        match self.reading {
            Stream::Nothing => return,
            Stream::Base64 => self.base64 = Base64::default(),
            Stream::Hex => self.hex = Hex::default(),
            Stream::Length | Stream::Whole => {}
        }
        self.clear();
    }

    /// Begins a text of no type, which is kept as it is.
    pub(super) fn begin_text(&mut self) {
        (self.reading, self.space, self.keep) = (Stream::Whole, Space::Preserve, true);
        self.clear();
    }

    fn clear(&mut self) {
        self.ends = LineEnds::default();
        self.length = 0;
        (self.gap, self.begun) = (false, false);
        self.text.clear();
        self.overflowed = false;
    }

    /// Takes a piece of text as the document has it.
    #[inline]
    pub(super) fn raw(&mut self, raw: &[u8], offset: u64) {
        match self.reading {
            Stream::Nothing => {}
            Stream::Base64 => self.base64.push(raw),
            Stream::Hex => self.hex.push(raw),
            Stream::Length | Stream::Whole => {
                let mut ends = std::mem::take(&mut self.ends);
                ends.settle(raw, offset, |text| self.settled(text));
                self.ends = ends;
            }
        }
    }

    /// Takes text that is what it says.
    pub(super) fn text(&mut self, text: &[u8]) {
        match self.reading {
            Stream::Nothing => {}
            Stream::Base64 => self.base64.push(text),
            Stream::Hex => self.hex.push(text),
            Stream::Length | Stream::Whole => self.settled(text),
        }
    }

    fn settled(&mut self, text: &[u8]) {
        let plain = || !self.gap && text.iter().all(|byte| *byte > b' ');
        if self.space != Space::Collapse || plain() {
            self.take(text);
            return;
        }
        for (index, word) in text.split(|byte| is_space(*byte)).enumerate() {
            self.gap |= index > 0;
            if word.is_empty() {
                continue;
            }
            if std::mem::take(&mut self.gap) && self.begun {
                self.take(b" ");
            }
            self.take(word);
        }
    }

    fn take(&mut self, text: &[u8]) {
        self.begun |= !text.is_empty();
        if self.reading == Stream::Length {
            self.length += characters(text);
            return;
        }
        if self.overflowed || self.text.len() + text.len() > self.most_bytes {
            self.overflowed = true;
            return;
        }
        // Always so: the tokenizer lets nothing but whole characters pass.
        self.text.push_str(std::str::from_utf8(text).unwrap_or_default());
    }

    /// Judges the value now that its text is whole; it is told where somebody asked for it or it says something of the
    /// document.
    #[inline]
    pub(super) fn judge(&mut self, simple: &SimpleType, prefixes: &dyn Prefixes) -> Result<Option<Value>, Broken> {
        match self.reading {
            Stream::Nothing => Ok(None),
            Stream::Length => simple.judge_length(self.length).map(|()| None),
            Stream::Base64 => octets(simple, self.base64.octets(), "base64Binary"),
            Stream::Hex => octets(simple, self.hex.octets(), "hexBinary"),
            Stream::Whole if self.overflowed => {
                let text = format!("the value has more than {} bytes, too many to be judged", self.most_bytes);
                Err(Broken::new(Kind::BadLength, "", text))
            }
            Stream::Whole if !self.keep && !simple.names() && simple.surely(self.text.as_bytes()) => Ok(None),
            Stream::Whole => simple.value(&self.text, prefixes).map(Some),
        }
    }

    /// Tells whether the text that was kept is this one.
    pub(super) fn is_text(&self, text: &str) -> bool {
        !self.overflowed && self.text == text
    }
}

impl Reader {
    /// Tells whether any text at all will do.
    #[inline]
    pub(super) fn takes_anything(&self) -> bool {
        matches!(self.reading, Stream::Nothing)
    }

    /// Judges a text that is whole and has no references, of a type that asks nothing of the document; no value must be
    /// in progress.
    pub(super) fn takes(&mut self, simple: &SimpleType, raw: &[u8]) -> bool {
        self.begin(simple, false);
        self.raw(raw, 0);
        self.judge(simple, &NoPrefixes).is_ok()
    }
}

/// What a type that names nothing has no use for.
pub(super) struct NoPrefixes;

impl Prefixes for NoPrefixes {
    fn namespace(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

fn octets(simple: &SimpleType, octets: Option<u64>, name: &str) -> Result<Option<Value>, Broken> {
    let broken = || Broken::new(Kind::BadValue, "cvc-datatype-valid.1.2.1", format!("the value is not of type {name}"));
    simple.judge_length(octets.ok_or_else(broken)?).map(|()| None)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::xsd::datatypes::{FacetKind, FacetSource};

    struct None;

    impl Prefixes for None {
        fn namespace(&self, _: &str) -> Option<std::borrow::Cow<'_, str>> {
            Option::None
        }
    }

    fn builtin(name: &str) -> Arc<SimpleType> {
        SimpleType::builtins().into_iter().find(|(known, ..)| *known == name).unwrap().2
    }

    fn judge(simple: &SimpleType, pieces: &[&str]) -> Result<(), Broken> {
        let mut reader = Reader::new(100);
        reader.begin(simple, false);
        let mut offset = 0;
        for piece in pieces {
            reader.raw(piece.as_bytes(), offset);
            offset += piece.len() as u64;
        }
        reader.judge(simple, &None).map(|_| ())
    }

    #[test]
    fn lengths_are_of_characters_with_line_ends_as_one() {
        let three = |name: &str| {
            let length = FacetSource { kind: FacetKind::Length, value: "3", fixed: false };
            SimpleType::restrict(&builtin(name), "three", &[length], &None).unwrap()
        };
        for (name, pieces) in [
            ("string", &["åæø"][..]),
            ("string", &["a\r\nb"]),
            ("string", &["a\r", "\nb"]),
            ("string", &["\r", "\r", "\n\n"]),
            ("token", &["  a \r\n", " b  "]),
            ("token", &[" ", "abc", " "]),
        ] {
            assert_eq!(judge(&three(name), pieces), Ok(()), "{name} {pieces:?}");
        }
        assert_eq!(judge(&three("string"), &["a\r", "\r\nb"]).unwrap_err().rule, "cvc-length-valid");
    }

    #[test]
    fn values_are_judged_whole() {
        let [date, int, decimal] = ["date", "int", "decimal"].map(builtin);
        assert_eq!(judge(&date, &[" \n2024-0", "2-29 "]), Ok(()));
        assert_eq!(judge(&int, &["1", " ", "2"]).unwrap_err().rule, "cvc-datatype-valid.1.2.1");
        assert_eq!(judge(&int, &[" ".repeat(500).as_str(), "2"]), Ok(()));
        assert_eq!(judge(&decimal, &["1".repeat(200).as_str()]).unwrap_err().kind, Kind::BadLength);
    }
}
