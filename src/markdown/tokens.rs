//! HTML cut into tags and text, from pieces of any size.

use super::entities;
use super::tag::{Tag, end_name, is_element, is_name};

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Some text, its references undone; a text may come in several.
    Text(String),
    /// A start tag.
    Start(Tag),
    /// The name in an end tag.
    End(String),
}

/// The cutter.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    state: State,
    /// What belongs to the token that is not complete: of a tag at most [`MOST_TAG_BYTES`].
    held: String,
    /// The last character of that tag that is no white space.
    before: char,
    /// Text of what was no tag is missing: it was too long to be held.
    has_lost: bool,
    /// Bytes of a character that is cut.
    cut: Vec<u8>,
    out: Vec<Token>,
    /// What has the name of no element is text.
    only_elements: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After `&`; the name is held.
    Reference,
    /// After `<`.
    Opening,
    /// In a tag, and in which quotes.
    Tag(Option<char>),
    /// After `<!`; what follows is held until it is clear what it is.
    Declaration,
    /// In a comment, after so many of its closing dashes.
    Comment(u8),
    /// In a CDATA section, after so many of its closing brackets.
    CData(u8),
    /// In what means nothing here, up to `>`.
    Nothing,
    /// In the content of a script or a style, which ends at its end tag only; the last characters are held.
    Raw(&'static str),
}

impl Tokens {
    /// For text that was hardly meant as HTML: of what looks like a tag, what names no element is text.
    pub(super) fn of_elements() -> Self {
        Self { only_elements: true, ..Self::default() }
    }

    /// The tokens that are complete with the next piece.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Token> {
        self.cut.extend_from_slice(bytes);
        let bytes = std::mem::take(&mut self.cut);
        let mut rest = bytes.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    text.chars().for_each(|c| self.step(c));
                    break;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    String::from_utf8_lossy(good).chars().for_each(|c| self.step(c));
                    let Some(length) = error.error_len() else {
                        self.cut = bad.to_vec();
                        break;
                    };
                    self.step(char::REPLACEMENT_CHARACTER);
                    rest = bad.get(length..).unwrap_or_default();
                }
            }
        }
        std::mem::take(&mut self.out)
    }

    /// Tells whether text was passed by that is none, or an end here is in the middle of something that does so.
    pub(super) fn is_cut(&self) -> bool {
        self.has_lost
            || match self.state {
                State::Tag(_) => self.held.len() >= MOST_TAG_BYTES,
                State::Comment(_) | State::Nothing | State::Raw(_) => true,
                State::Text | State::Reference | State::Opening | State::Declaration | State::CData(_) => false,
            }
    }

    /// What is left at the end.
    pub(super) fn finish(&mut self) -> Vec<Token> {
        match self.state {
            State::Reference => self.end_reference(),
            State::Opening => self.text('<'),
            State::Tag(_) => self.give_back(),
            State::Text | State::Declaration | State::Comment(_) | State::CData(_) | State::Nothing | State::Raw(_) => {
            }
        }
        std::mem::take(&mut self.out)
    }

    fn step(&mut self, c: char) {
        self.state = match (self.state, c) {
            (State::Text, '<') => State::Opening,
            (State::Text, '&') => self.hold(State::Reference),
            (State::Text, c) => self.stay(c, State::Text),
            (State::Reference, c) => self.reference(c),
            (State::Opening, '!') if !self.only_elements => self.hold(State::Declaration),
            (State::Opening, '?') if !self.only_elements => State::Nothing,
            (State::Opening, c) if c == '/' || c.is_ascii_alphabetic() => {
                self.hold(State::Text);
                self.held.push(c);
                self.before = c;
                State::Tag(None)
            }
            (State::Opening, c) => {
                self.text('<');
                self.state = State::Text;
                return self.step(c);
            }
            (State::Tag(None), '>') => self.end_tag(),
            (State::Tag(None), '<') if self.only_elements => {
                self.give_back();
                State::Opening
            }
            (State::Tag(quote), c) => self.in_tag(quote, c),
            (State::Declaration, c) => self.declaration(c),
            (State::Comment(dashes), c) => match (dashes, c) {
                (2, '>') => State::Text,
                (dashes, '-') => State::Comment((dashes + 1).min(2)),
                (_, _) => State::Comment(0),
            },
            (State::CData(brackets), c) => self.cdata(brackets, c),
            (State::Nothing, '>') => State::Text,
            (State::Nothing, _) => State::Nothing,
            (State::Raw(end), c) => self.raw(end, c),
        };
    }

    fn hold(&mut self, state: State) -> State {
        self.held.clear();
        state
    }

    fn stay(&mut self, c: char, state: State) -> State {
        self.text(c);
        state
    }

    fn text(&mut self, c: char) {
        match self.out.last_mut() {
            Some(Token::Text(text)) => text.push(c),
            Some(Token::Start(_) | Token::End(_)) | None => self.out.push(Token::Text(c.to_string())),
        }
    }

    fn reference(&mut self, c: char) -> State {
        if c.is_ascii_alphanumeric() || (c == '#' && self.held.is_empty()) {
            if self.held.len() < LONGEST_REFERENCE {
                self.held.push(c);
                return State::Reference;
            }
        } else if c == ';' && entities::character(&self.held).is_some() {
            self.end_reference();
            return State::Text;
        }
        self.end_reference();
        self.state = State::Text;
        self.step(c);
        self.state
    }

    /// Writes the character, or what was no reference.
    fn end_reference(&mut self) {
        let held = std::mem::take(&mut self.held);
        match entities::character(&held) {
            Some(c) => self.text(c),
            None => {
                self.text('&');
                held.chars().for_each(|c| self.text(c));
            }
        }
    }

    fn in_tag(&mut self, quote: Option<char>, c: char) -> State {
        // A picture may stand in an attribute; what it is called and where it leads comes first.
        if self.held.len() < MOST_TAG_BYTES {
            self.held.push(c);
        }
        // A quote begins a value only.
        let begins = quote.is_none() && matches!(c, '"' | '\'') && self.before == '=';
        if !c.is_whitespace() {
            self.before = c;
        }
        State::Tag(if begins { Some(c) } else { quote.filter(|quote| *quote != c) })
    }

    fn end_tag(&mut self) -> State {
        let end = self.held.strip_prefix('/').map(end_name);
        let tag = if end.is_none() { Tag::read(&self.held) } else { Tag::default() };
        if !self.is_tag(end.as_ref().unwrap_or(&tag.name)) {
            self.give_back();
            return self.stay('>', State::Text);
        }
        self.held.clear();
        if let Some(name) = end {
            self.out.push(Token::End(name));
            return State::Text;
        }
        let raw = RAW.iter().find(|(name, _)| *name == tag.name && !tag.is_empty && !self.only_elements);
        self.out.push(Token::Start(tag));
        raw.map_or(State::Text, |(_, end)| State::Raw(end))
    }

    /// Tells whether what bears the name is a tag: in a body that may be any name, and not an address in brackets.
    fn is_tag(&self, name: &str) -> bool {
        if self.only_elements { is_element(name) } else { is_name(name) }
    }

    /// What was no tag is text.
    fn give_back(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.has_lost |= held.len() >= MOST_TAG_BYTES;
        self.text('<');
        entities::undo(&held).chars().for_each(|c| self.text(c));
    }

    fn declaration(&mut self, c: char) -> State {
        self.held.push(c);
        match self.held.as_str() {
            // `<!-->` is one already.
            "--" => State::Comment(2),
            "[CDATA[" => State::CData(0),
            held if "--".starts_with(held) || "[CDATA[".starts_with(held) => State::Declaration,
            _ if c == '>' => State::Text,
            _ => State::Nothing,
        }
    }

    fn cdata(&mut self, brackets: u8, c: char) -> State {
        match (brackets, c) {
            (2, '>') => return State::Text,
            (2, ']') => self.text(']'),
            (_, ']') => return State::CData(brackets + 1),
            (_, c) => {
                (0..brackets).for_each(|_| self.text(']'));
                return self.stay(c, State::CData(0));
            }
        }
        State::CData(2)
    }

    fn raw(&mut self, end: &'static str, c: char) -> State {
        self.held.push(c.to_ascii_lowercase());
        if !end.starts_with(self.held.as_str()) {
            self.held.clear();
            if c == '<' {
                self.held.push(c);
            }
            return State::Raw(end);
        }
        if self.held == end {
            self.before = c;
            self.held = end.trim_start_matches('<').to_owned();
            return State::Tag(None);
        }
        State::Raw(end)
    }
}

/// Elements whose content is no HTML, and where it ends.
const RAW: [(&str, &str); 4] =
    [("script", "</script"), ("style", "</style"), ("textarea", "</textarea"), ("title", "</title")];
/// A longer name is none.
const LONGEST_REFERENCE: usize = 10;
/// What is kept of a tag.
const MOST_TAG_BYTES: usize = 8 * 1024;
