//! From bytes, in pieces of any size, to tags and text.

use memchr::memchr3;
use memchr::memmem::Finder;

use super::chars::{first_forbidden, is_space, name_end};
use super::declaration::{self, Beginning};
use super::locator::{Locator, Position};
use super::namespaces::{Mark, Scope};
use super::references::{self, Reference};
use super::tag::{self, Reader, Tag};
use super::{Fault, FaultKind, Limits, Mistake, shown};

/// Hears of a document's parts.
pub trait Sink {
    /// The length of a name the sink expects and finds at the beginning of `rest`, which follows a `<`; it saves looking
    /// for the name's end and at its characters. 0 where it has no guess.
    #[inline]
    fn predict(&mut self, rest: &[u8]) -> usize {
        let _ = rest;
        0
    }

    /// An element begins. One without content ends at once: [`Sink::end`] follows.
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>);

    /// An element ends; its end tag lies between the offsets (for one without content, past its tag).
    fn end(&mut self, from: u64, to: u64, scope: &Scope, locator: &mut Locator<'_>);

    /// A piece of the text of an element, in UTF-8 and never cut inside a character. Line ends are as written.
    fn text(&mut self, raw: &[u8], offset: u64, locator: &mut Locator<'_>);

    /// A character written as a reference.
    fn character(&mut self, c: char, offset: u64, locator: &mut Locator<'_>);

    /// The piece at hand ends; places in it can be told now, and no more later.
    fn suspend(&mut self, locator: &mut Locator<'_>) {
        let _ = locator;
    }
}

/// The push tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    limits: Limits,
    stage: Stage,
    mode: Mode,
    ascii: bool,
    /// Any markup has been seen; what comes before is not XML at all.
    begun: bool,
    scope: Scope,
    open: Vec<Open>,
    /// The names of the open elements, one after the other.
    names: Vec<u8>,
    /// A token the last piece ended in, from its first byte.
    held: Vec<u8>,
    held_at: Position,
    /// A character the last piece ended in.
    tail: Vec<u8>,
    /// The place of the next byte to be looked at.
    at: Position,
    scan: TagScan,
    reader: Reader,
    cdata_end: Finder<'static>,
    comment_end: Finder<'static>,
    pi_end: Finder<'static>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Prolog,
    Root,
    Epilog,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Plain,
    Comment,
    Instruction,
    Cdata,
}

#[derive(Debug)]
struct Open {
    name: u32,
    mark: Mark,
}

/// How far the end of a tag has been looked for, so that no byte is looked at twice.
#[derive(Debug, Default)]
struct TagScan {
    at: usize,
    quote: Option<u8>,
}

enum Step {
    Took(usize),
    /// The bytes at hand end inside a token.
    More,
}

type Stepped = Result<Step, Mistake>;

impl Tokenizer {
    /// A tokenizer that numbers the namespaces it is told of.
    pub fn new<K: AsRef<str>>(limits: Limits, known: &[K]) -> Self {
        Self {
            scope: Scope::new(known, limits.bindings),
            limits,
            stage: Stage::Start,
            mode: Mode::Plain,
            ascii: false,
            begun: false,
            open: Vec::new(),
            names: Vec::new(),
            held: Vec::new(),
            held_at: Position::START,
            tail: Vec::new(),
            at: Position::START,
            scan: TagScan::default(),
            reader: Reader::default(),
            cdata_end: Finder::new("]]>"),
            comment_end: Finder::new("--"),
            pi_end: Finder::new("?>"),
        }
    }

    /// Takes the next bytes; after a fault there is nothing more to feed.
    pub fn feed<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        if self.stage != Stage::Start {
            return self.body(bytes, sink);
        }
        let mut rest = bytes;
        while self.stage == Stage::Start {
            let Some((byte, after)) = rest.split_first() else { return Ok(()) };
            self.held.push(*byte);
            rest = after;
            self.begin(false, sink)?;
        }
        self.body(rest, sink)
    }

    /// Tells that no more bytes come, and whether the document is whole.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), Box<Fault>> {
        if self.stage == Stage::Start {
            self.begin(true, sink)?;
        }
        let end = self.at.after(&self.tail);
        let whole = self.stage == Stage::Epilog && self.mode == Mode::Plain && self.held.is_empty();
        match (whole && self.tail.is_empty(), self.begun) {
            (true, _) => Ok(()),
            (false, true) => fault(FaultKind::Truncated, end, "the file ends before the document does"),
            (false, false) => fault(FaultKind::NotXml, end, "the file holds no XML document"),
        }
    }

    /// The depth of nesting.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The place of the next byte.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Tells what the held first bytes are, as soon as they tell.
    fn begin<S: Sink>(&mut self, last: bool, sink: &mut S) -> Result<(), Box<Fault>> {
        let head = std::mem::take(&mut self.held);
        let beginning = declaration::look(&head, last).map_err(|mistake| {
            // A mark is no column.
            let mark = if head.starts_with(declaration::BOM) { declaration::BOM.len() } else { 0 };
            let mut at = Position::START.after(head.get(mark..mistake.at).unwrap_or_default());
            at.offset = mistake.at as u64;
            Fault { kind: mistake.kind, at, text: mistake.text }
        })?;
        let (mark, end) = match beginning {
            Beginning::Unknown => {
                self.held = head;
                return Ok(());
            }
            Beginning::Bare(mark) => (mark, mark),
            Beginning::Declared { end, ascii } => {
                self.begun = true;
                self.ascii = ascii;
                (if head.starts_with(declaration::BOM) { declaration::BOM.len() } else { 0 }, end)
            }
        };
        self.stage = Stage::Prolog;
        self.at.offset = mark as u64;
        self.at = self.at.after(head.get(mark..end).unwrap_or_default());
        self.body(head.get(end..).unwrap_or_default(), sink)
    }

    /// Looks at the characters of a piece, then at what they say.
    fn body<S: Sink>(&mut self, mut bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        while !self.tail.is_empty() {
            let Some((byte, rest)) = bytes.split_first() else { return Ok(()) };
            self.tail.push(*byte);
            bytes = rest;
            match std::str::from_utf8(&self.tail) {
                Ok(_) => {
                    let tail = std::mem::take(&mut self.tail);
                    self.checked(&tail, sink)?;
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return self.bad_bytes(),
            }
        }
        if simdutf8::basic::from_utf8(bytes).is_ok() {
            return self.checked(bytes, sink);
        }
        let Err(error) = simdutf8::compat::from_utf8(bytes) else { return self.checked(bytes, sink) };
        let (sound, rest) = bytes.split_at(error.valid_up_to());
        self.checked(sound, sink)?;
        if error.error_len().is_some() {
            return self.bad_bytes();
        }
        self.tail.extend_from_slice(rest);
        Ok(())
    }

    /// Takes UTF-8, up to a character that may not be.
    fn checked<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        let foreign = if self.ascii { bytes.iter().position(|byte| !byte.is_ascii()) } else { None };
        let bytes_kept = foreign.and_then(|at| bytes.get(..at)).unwrap_or(bytes);
        if let Some(at) = first_forbidden(bytes_kept) {
            self.scan(bytes_kept.get(..at).unwrap_or_default(), sink)?;
            let kind = if self.begun { FaultKind::NotWellFormed } else { FaultKind::NotXml };
            return fault(kind, self.at, "a character that XML does not allow");
        }
        self.scan(bytes_kept, sink)?;
        if foreign.is_some() { self.bad_bytes() } else { Ok(()) }
    }

    fn bad_bytes(&self) -> Result<(), Box<Fault>> {
        let kind = if self.begun { FaultKind::BadEncoding } else { FaultKind::NotXml };
        fault(kind, self.at, "bytes that are no character in the document's encoding")
    }

    /// Goes through sound characters token by token.
    fn scan<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        let mut taken = if self.held.is_empty() { 0 } else { self.resume(bytes, sink)? };
        let base = self.at;
        let mut locator = Locator::new(bytes, base);
        while taken < bytes.len() {
            let rest = bytes.get(taken..).unwrap_or_default();
            let offset = base.offset + taken as u64;
            match self.step(rest, offset, &mut locator, sink) {
                Ok(Step::Took(len)) => taken += len,
                Ok(Step::More) => {
                    self.held.extend_from_slice(rest);
                    self.held_at = locator.position(offset);
                    break;
                }
                Err(mistake) => return Err(placed(mistake, offset, &mut locator)),
            }
        }
        sink.suspend(&mut locator);
        self.at = locator.position(base.offset + bytes.len() as u64);
        Ok(())
    }

    /// Completes the held token byte by byte; how many bytes that took.
    fn resume<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<usize, Box<Fault>> {
        let mut held = std::mem::take(&mut self.held);
        for (taken, byte) in bytes.iter().enumerate() {
            held.push(*byte);
            // Inside a character nothing is complete.
            let next = bytes.get(taken + 1).copied().unwrap_or_default();
            if (next & 0xC0) == 0x80 {
                continue;
            }
            let offset = self.held_at.offset;
            let mut locator = Locator::new(&held, self.held_at);
            match self.step(&held, offset, &mut locator, sink) {
                Ok(Step::Took(len)) => {
                    sink.suspend(&mut locator);
                    self.held_at = locator.position(offset + len as u64);
                    held.drain(..len);
                }
                Ok(Step::More) => {}
                Err(mistake) => return Err(placed(mistake, offset, &mut locator)),
            }
            if held.is_empty() {
                self.held = held;
                return Ok(taken + 1);
            }
        }
        self.held = held;
        Ok(bytes.len())
    }

    #[inline]
    fn step<S: Sink>(&mut self, rest: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) -> Stepped {
        match self.mode {
            Mode::Plain => match rest.first() {
                Some(b'<') => self.markup(rest, offset, locator, sink),
                _ if self.stage != Stage::Root => self.outside(rest),
                Some(b'&') => match references::read(rest)? {
                    Reference::Character(c, len) => {
                        sink.character(c, offset, locator);
                        Ok(Step::Took(len))
                    }
                    Reference::Unfinished => Ok(Step::More),
                },
                _ => plain_text(rest, offset, locator, sink),
            },
            Mode::Cdata => Ok(self.cdata(rest, offset, locator, sink)),
            Mode::Comment => self.comment(rest),
            Mode::Instruction => Ok(self.instruction(rest)),
        }
    }

    fn markup<S: Sink>(&mut self, rest: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) -> Stepped {
        self.begun = true;
        match rest.get(1) {
            None => Ok(Step::More),
            Some(b'/') => self.end_tag(rest, offset, locator, sink),
            Some(b'!') => self.declaration(rest),
            Some(b'?') => self.instruction_start(rest),
            Some(_) => self.start_tag(rest, offset, locator, sink),
        }
    }

    fn start_tag<S: Sink>(&mut self, rest: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) -> Stepped {
        let predicted = if self.scan.at == 0 { sink.predict(rest.get(1..).unwrap_or_default()) } else { 0 };
        if predicted > 0 && rest.get(predicted + 1) == Some(&b'>') {
            self.admit()?;
            let name = rest.get(1..=predicted).unwrap_or_default();
            let end = offset + predicted as u64 + 2;
            self.push(name, self.scope.mark());
            sink.start(&self.tag(&[], name, 0, (offset, end, false), self.scope.default_namespace()), locator);
            return Ok(Step::Took(predicted + 2));
        }
        let Some(len) = self.tag_end(rest)? else { return Ok(Step::More) };
        let token = rest.get(..len).unwrap_or_default();
        let outline = self.reader.read(token, &self.limits)?;
        self.admit()?;
        let mark = self.scope.mark();
        self.reader.resolve(token, &mut self.scope)?;
        let name = token.get(1..outline.name_end).unwrap_or_default();
        let namespace = match outline.local {
            1 => self.scope.default_namespace(),
            local => tag::namespace_of(token.get(1..local - 1).unwrap_or_default(), &self.scope, 1)?.0,
        };
        self.push(name, mark);
        let end = offset + len as u64;
        let tag = self.tag(token, name, outline.local - 1, (offset, end, outline.empty), namespace);
        sink.start(&tag, locator);
        if outline.empty {
            self.pop(end, end, locator, sink);
        }
        Ok(Step::Took(len))
    }

    fn tag<'a>(
        &'a self,
        token: &'a [u8],
        name: &'a [u8],
        local: usize,
        (offset, end, empty): (u64, u64, bool),
        namespace: super::Namespace,
    ) -> Tag<'a> {
        let attributes = if token.is_empty() { &[][..] } else { &self.reader.attributes[..] };
        let local = name.get(local..).unwrap_or_default();
        let decoded = &self.reader.decoded;
        Tag { name, local, namespace, offset, end, empty, scope: &self.scope, token, attributes, decoded }
    }

    /// Tells whether one more element may begin here.
    #[inline]
    fn admit(&mut self) -> Result<(), Mistake> {
        match self.stage {
            Stage::Root => {}
            Stage::Epilog => return Err(Mistake::malformed(0, "an element behind the root element")),
            Stage::Start | Stage::Prolog => self.stage = Stage::Root,
        }
        if self.open.len() >= self.limits.depth {
            return Err(Mistake::new(FaultKind::TooDeep, 0, "elements are nested too deeply"));
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, name: &[u8], mark: Mark) {
        self.open.push(Open { name: self.names.len() as u32, mark });
        self.names.extend_from_slice(name);
    }

    #[inline]
    fn pop<S: Sink>(&mut self, from: u64, to: u64, locator: &mut Locator<'_>, sink: &mut S) {
        sink.end(from, to, &self.scope, locator);
        if let Some(open) = self.open.pop() {
            self.names.truncate(open.name as usize);
            self.scope.restore(open.mark);
        }
        if self.open.is_empty() {
            self.stage = Stage::Epilog;
        }
    }

    fn end_tag<S: Sink>(&mut self, rest: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) -> Stepped {
        let name = self.open.last().map(|open| open.name as usize).and_then(|from| self.names.get(from..));
        let expected = name.unwrap_or_default();
        let after = 2 + expected.len();
        let same = name.is_some() && rest.get(2..after) == Some(expected);
        let len = if same && rest.get(after) == Some(&b'>') {
            after + 1
        } else {
            let Some(len) = self.tag_end(rest)? else { return Ok(Step::More) };
            self.closing_name(rest.get(..len).unwrap_or_default())?;
            len
        };
        self.scan = TagScan::default();
        self.pop(offset, offset + len as u64, locator, sink);
        Ok(Step::Took(len))
    }

    /// Compares an end tag with the element it should close.
    fn closing_name(&self, token: &[u8]) -> Result<(), Mistake> {
        let (_, end) = tag::qualified_name(token, 2, &self.limits)?;
        let rest = token.get(end..token.len() - 1).unwrap_or_default();
        if let Some(at) = rest.iter().position(|byte| !is_space(*byte)) {
            return Err(Mistake::malformed(end + at, "something stands behind the name in an end tag"));
        }
        let Some(open) = self.open.last() else {
            return Err(Mistake::malformed(0, "an end tag where no element is open"));
        };
        let expected = self.names.get(open.name as usize..).unwrap_or_default();
        let found = token.get(2..end).unwrap_or_default();
        if expected == found {
            return Ok(());
        }
        let text = format!("expected the end of {}, found the end of {}", shown(expected), shown(found));
        Err(Mistake::malformed(0, text))
    }

    /// The length of the tag at hand, once its end is at hand too.
    fn tag_end(&mut self, rest: &[u8]) -> Result<Option<usize>, Mistake> {
        let mut quote = self.scan.quote;
        for (at, &byte) in rest.iter().enumerate().skip(self.scan.at.max(1)) {
            match (byte, quote) {
                // It may stand in no tag, and tells where a forgotten quote or bracket should have been.
                (b'<', _) => return Err(Mistake::malformed(at, "a < stands inside a tag")),
                (b'>', None) => {
                    self.scan = TagScan::default();
                    let fits = at < self.limits.tag_bytes;
                    return if fits { Ok(Some(at + 1)) } else { Err(too_long()) };
                }
                (b'"' | b'\'', None) => quote = Some(byte),
                (_, Some(open)) if open == byte => quote = None,
                _ => {}
            }
            if at >= self.limits.tag_bytes {
                return Err(too_long());
            }
        }
        self.scan = TagScan { at: rest.len(), quote };
        Ok(None)
    }

    fn declaration(&mut self, rest: &[u8]) -> Stepped {
        const COMMENT: &[u8] = b"<!--";
        const CDATA: &[u8] = b"<![CDATA[";
        const DOCTYPE: &[u8] = b"<!DOCTYPE";
        if rest.starts_with(COMMENT) {
            self.mode = Mode::Comment;
            return Ok(Step::Took(COMMENT.len()));
        }
        if self.stage == Stage::Root && rest.starts_with(CDATA) {
            self.mode = Mode::Cdata;
            return Ok(Step::Took(CDATA.len()));
        }
        if rest.starts_with(DOCTYPE) {
            return Err(Mistake::new(FaultKind::Dtd, 0, "a DOCTYPE is never accepted"));
        }
        if [COMMENT, CDATA, DOCTYPE].iter().any(|whole| whole.starts_with(rest)) {
            return Ok(Step::More);
        }
        Err(Mistake::malformed(0, "<! begins nothing that may stand here"))
    }

    fn instruction_start(&mut self, rest: &[u8]) -> Stepped {
        let end = name_end(rest, 2);
        if end - 2 > self.limits.name_bytes {
            return Err(Mistake::new(FaultKind::TooLong, 2, "a name is too long"));
        }
        let Some(after) = rest.get(end) else { return Ok(Step::More) };
        let target = rest.get(2..end).unwrap_or_default();
        if target.is_empty() || target.contains(&b':') {
            return Err(Mistake::malformed(2, "a processing instruction without a proper name"));
        }
        if target.eq_ignore_ascii_case(b"xml") {
            return Err(Mistake::malformed(0, "an XML declaration that is not the first thing in the file"));
        }
        match (after, rest.get(end + 1)) {
            (b'?', None) => Ok(Step::More),
            (b'?', Some(b'>')) => Ok(Step::Took(end + 2)),
            (space, _) if is_space(*space) => {
                self.mode = Mode::Instruction;
                Ok(Step::Took(end + 1))
            }
            _ => Err(Mistake::malformed(end, "white space or ?> is missing in a processing instruction")),
        }
    }

    fn instruction(&mut self, rest: &[u8]) -> Step {
        match self.pi_end.find(rest) {
            Some(at) => {
                self.mode = Mode::Plain;
                Step::Took(at + 2)
            }
            None => keep_last(rest, rest.ends_with(b"?").into()),
        }
    }

    fn comment(&mut self, rest: &[u8]) -> Stepped {
        match self.comment_end.find(rest) {
            Some(0) => match rest.get(2) {
                None => Ok(Step::More),
                Some(b'>') => {
                    self.mode = Mode::Plain;
                    Ok(Step::Took(3))
                }
                Some(_) => Err(Mistake::malformed(0, "-- stands inside a comment")),
            },
            Some(at) => Ok(Step::Took(at)),
            None => Ok(keep_last(rest, rest.ends_with(b"-").into())),
        }
    }

    fn cdata<S: Sink>(&mut self, rest: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) -> Step {
        match self.cdata_end.find(rest) {
            Some(at) => {
                self.mode = Mode::Plain;
                let text = rest.get(..at).unwrap_or_default();
                if !text.is_empty() {
                    sink.text(text, offset, locator);
                }
                Step::Took(at + 3)
            }
            None => {
                let brackets = rest.iter().rev().take(2).take_while(|byte| **byte == b']').count();
                let text = rest.get(..rest.len() - brackets).unwrap_or_default();
                if !text.is_empty() {
                    sink.text(text, offset, locator);
                }
                keep_last(rest, brackets)
            }
        }
    }

    fn outside(&mut self, rest: &[u8]) -> Stepped {
        match rest.iter().position(|byte| !is_space(*byte)) {
            None => Ok(Step::Took(rest.len())),
            Some(0) if self.begun => Err(Mistake::malformed(0, "text outside the root element")),
            Some(0) => Err(Mistake::new(FaultKind::NotXml, 0, "the file does not begin as XML does")),
            Some(at) => Ok(Step::Took(at)),
        }
    }
}

/// Text up to the next markup; `]]>` may not stand in it.
#[inline]
fn plain_text<S: Sink>(rest: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) -> Stepped {
    let mut end = 0;
    loop {
        let Some(found) = memchr3(b'<', b'&', b']', rest.get(end..).unwrap_or_default()) else {
            end = rest.len();
            break;
        };
        end += found;
        if rest.get(end) != Some(&b']') {
            break;
        }
        match rest.get(end..) {
            Some([b']'] | [b']', b']']) if end == 0 => return Ok(Step::More),
            Some([b']'] | [b']', b']']) => break,
            Some([b']', b']', b'>', ..]) if end == 0 => return Err(Mistake::malformed(0, "]]> stands in text")),
            Some([b']', b']', b'>', ..]) => break,
            _ => end += 1,
        }
    }
    sink.text(rest.get(..end).unwrap_or_default(), offset, locator);
    Ok(Step::Took(end))
}

/// Takes all but the last bytes, which may begin an end.
fn keep_last(rest: &[u8], kept: usize) -> Step {
    if kept == rest.len() { Step::More } else { Step::Took(rest.len() - kept) }
}

fn too_long() -> Mistake {
    Mistake::new(FaultKind::TooLong, 0, "a tag is too long")
}

fn placed(mistake: Mistake, offset: u64, locator: &mut Locator<'_>) -> Box<Fault> {
    let at = locator.position(offset + mistake.at as u64);
    Box::new(Fault { kind: mistake.kind, at, text: mistake.text })
}

fn fault(kind: FaultKind, at: Position, text: &str) -> Result<(), Box<Fault>> {
    Err(Box::new(Fault { kind, at, text: text.to_owned() }))
}

#[cfg(test)]
#[path = "tokenizer_tests.rs"]
mod tests;
