//! One value at a time, judged as its text streams by.

use std::borrow::Cow;

use super::datatypes::{Base64, Broken, Hex, Prefixes, SimpleType, Space, Stream, Value, Words};
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
    /// Of a list, those that have come.
    words: Words,
    /// What is kept: the value, or of a list the word in progress.
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
            words: Words::default(),
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
            Stream::List => self.words = simple.words(),
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
            Stream::Length | Stream::List | Stream::Whole => {
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
            Stream::Length | Stream::List | Stream::Whole => self.settled(text),
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
                match self.reading {
                    Stream::List => self.end_word(),
                    Stream::Nothing | Stream::Length | Stream::Base64 | Stream::Hex | Stream::Whole => self.take(b" "),
                }
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

    /// A word of a list has come to its end.
    fn end_word(&mut self) {
        if std::mem::take(&mut self.overflowed) {
            self.words.refuse(self.too_long());
        } else if self.begun {
            self.words.take(&self.text);
        }
        self.text.clear();
    }

    fn too_long(&self) -> Broken {
        let text = format!("it has more than {} bytes that would have to be kept", self.most_bytes);
        Broken::new(Kind::ValueTooLong, "", text)
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
            Stream::List => {
                self.end_word();
                simple.judge_length(std::mem::take(&mut self.words).finish()?).map(|()| None)
            }
            Stream::Whole if self.overflowed => Err(self.too_long()),
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
        assert_eq!(judge(&decimal, &["1".repeat(200).as_str()]).unwrap_err().kind, Kind::ValueTooLong);
    }

    #[test]
    fn lists_are_judged_word_by_word() {
        let list = |item: &str| Arc::new(SimpleType::list(&builtin(item), "list").unwrap());
        let three = |list: &Arc<SimpleType>| {
            let length = FacetSource { kind: FacetKind::Length, value: "3", fixed: false };
            SimpleType::restrict(list, "three", &[length], &None).unwrap()
        };
        let doubles = list("double");
        assert_eq!(judge(&doubles, &["12.5 -1 1.5E3 \n".repeat(1_000).as_str()]), Ok(()));
        assert_eq!(judge(&doubles, &["1 ".repeat(1_000).as_str(), "x", " 1"]).unwrap_err().kind, Kind::BadValue);
        for pieces in [&["", " \n"][..], &["1", "2"], &[" 1 ", " 2 "], &["1\r", "\n2"]] {
            assert_eq!(judge(&doubles, pieces), Ok(()), "{pieces:?}");
        }
        for pieces in [&["1 2 3"][..], &["1", " ", "2\t", "3", " "], &["\n1 2", "2 3 "], &["1 2\r", "\n3"]] {
            assert_eq!(judge(&three(&doubles), pieces), Ok(()), "{pieces:?}");
        }
        for pieces in [&["1 2"][..], &["1 2 3 4"], &["1", "2", "3"], &[""]] {
            let broken = judge(&three(&doubles), pieces).unwrap_err();
            assert_eq!(broken.rule, "cvc-length-valid", "{pieces:?}");
        }
        let word = "1".repeat(200);
        for pieces in [&[word.as_str()][..], &["1 ", word.as_str(), " 2"]] {
            assert_eq!(judge(&doubles, pieces).unwrap_err().kind, Kind::ValueTooLong);
        }
        assert_eq!(judge(&builtin("NMTOKENS"), &["ab ".repeat(100).as_str()]), Ok(()));
        assert_eq!(judge(&builtin("NMTOKENS"), &[" "]).unwrap_err().rule, "cvc-minLength-valid");
    }

    #[test]
    fn one_word_of_a_list_is_kept() {
        let doubles = SimpleType::list(&builtin("double"), "doubles").unwrap();
        let mut reader = Reader::new(1 << 20);
        reader.begin(&doubles, false);
        (0..1_000_u64).for_each(|piece| reader.raw(b" 12.25 -1.5", piece * 11));
        assert!(reader.text.capacity() < 64);
        // Of a value that is asked for nothing is left out.
        reader.begin(&doubles, true);
        reader.raw(b" 1 2", 0);
        assert_eq!(reader.judge(&doubles, &None).unwrap().map(|value| value.key().len()), Some(9 + 2 * 17));
    }
}
