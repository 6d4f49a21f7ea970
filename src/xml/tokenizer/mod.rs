//! From bytes, in pieces of any size, to tags and text.

mod branch;
mod characters;
mod sections;
mod tags;

use memchr::memmem::Finder;

use super::declaration;
use super::encoding::Encoding;
use super::locator::{Locator, Point, Position};
use super::namespaces::Scope;
use super::nesting::Nesting;
use super::tag::{Reader, Tag};
use super::transcoder::Transcoder;
use super::{Fault, FaultKind, Limits, Mistake};

/// Hears of a document's parts. Offsets are those of the text in UTF-8; the locator tells the sender's.
pub trait Sink {
    /// The length of a name the sink expects and finds at the beginning of `rest`, which follows a `<`; it saves looking
    /// for the name's end and at its characters. 0 where it has no guess.
    #[inline]
    fn predict(&mut self, rest: &[u8]) -> usize {
        let _ = rest;
        0
    }

    /// Goes on alone from `from`, which stands `base` bytes into the document's own count, through what it knows beforehand;
    /// it tells how far it came. It opens and closes elements only as a pair with those of the nesting, never the root,
    /// and touches nothing of a part that it does not go through to the end.
    #[inline]
    fn glide(
        &mut self,
        bytes: &[u8],
        from: usize,
        base: u64,
        nesting: &mut Nesting,
        locator: &mut Locator<'_>,
    ) -> usize {
        let _ = (bytes, base, nesting, locator);
        from
    }

    /// An element begins. One without content ends at once: [`Sink::end`] follows.
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>);

    /// An element ends; its end tag lies between the offsets (for one without content, past its tag).
    fn end(&mut self, from: u64, to: u64, scope: &Scope, locator: &mut Locator<'_>);

    /// A piece of the text of an element, in UTF-8 and never cut inside a character. Line ends are as written; see
    /// [`LineEnds`](crate::xml::LineEnds).
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
    /// Turns the sender's bytes into UTF-8 where they are not.
    transcoder: Option<Box<Transcoder>>,
    /// Any markup has been seen; what comes before is not XML at all.
    begun: bool,
    nesting: Nesting,
    /// A token the last piece ended in, from its first byte.
    held: Vec<u8>,
    held_at: Point,
    /// A character of UTF-8 the last piece ended in.
    tail: Vec<u8>,
    /// The place of the next byte to be looked at.
    at: Point,
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

/// How far the end of a tag or a reference has been looked for, so that no byte is looked at twice.
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
        // Fewer bytes do not even tell whether there is a declaration.
        let declaration_bytes = limits.declaration_bytes.max(declaration::SHORTEST);
        // Places in a tag are kept in 32 bits.
        let tag_bytes = limits.tag_bytes.min(u32::MAX as usize);
        let limits = Limits { declaration_bytes, tag_bytes, ..limits };
        Self {
            nesting: Nesting::new(Scope::new(known, limits.bindings), limits.depth),
            limits,
            stage: Stage::Start,
            mode: Mode::Plain,
            transcoder: None,
            begun: false,
            held: Vec::new(),
            held_at: Point::START,
            tail: Vec::new(),
            at: Point::START,
            scan: TagScan::default(),
            reader: Reader::default(),
            cdata_end: Finder::new("]]>"),
            comment_end: Finder::new("--"),
            pi_end: Finder::new("?>"),
        }
    }

    /// Takes the next bytes; after a fault there is nothing more to feed.
    pub fn feed<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        if self.stage == Stage::Start { self.begin(bytes, sink) } else { self.body(bytes, sink) }
    }

    /// Tells that no more bytes come, and whether the document is whole.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), Box<Fault>> {
        if self.stage == Stage::Start {
            self.end_in_beginning(sink)?;
        }
        let whole = self.stage == Stage::Epilog && self.mode == Mode::Plain && self.held.is_empty();
        let cut = self.cut_character();
        let at = self.at.sent;
        match (whole, self.begun) {
            (true, _) if cut == 0 => Ok(()),
            (true, _) => fault(FaultKind::BadEncoding, at, "the file ends inside a character"),
            (false, begun) => {
                let end = Position { offset: at.offset + cut, ..at };
                if begun {
                    return fault(FaultKind::Truncated, end, "the file ends before the document does");
                }
                fault(FaultKind::NotXml, end, "the file holds no XML document")
            }
        }
    }

    /// The depth of nesting.
    pub fn depth(&self) -> usize {
        self.nesting.depth()
    }

    /// The place of the next character.
    pub fn position(&self) -> Position {
        self.at.sent
    }

    /// The encoding of the document, once its first bytes have told it.
    pub fn encoding(&self) -> Encoding {
        self.at.encoding
    }

    /// Goes through sound characters token by token; `lines` end in them.
    fn scan<S: Sink>(&mut self, bytes: &[u8], lines: u64, sink: &mut S) -> Result<(), Box<Fault>> {
        let mut taken = if self.held.is_empty() { 0 } else { self.resume(bytes, sink)? };
        let base = self.at;
        let mut locator = Locator::of_lines(bytes, base, lines);
        while taken < bytes.len() {
            if self.mode == Mode::Plain && self.stage == Stage::Root {
                taken = self.run(bytes, taken, &mut locator, sink);
            }
            if taken == bytes.len() {
                break;
            }
            let rest = bytes.get(taken..).unwrap_or_default();
            let offset = base.offset + taken as u64;
            match self.step(rest, offset, &mut locator, sink) {
                Ok(Step::Took(len)) => taken += len,
                Ok(Step::More) => {
                    self.held.extend_from_slice(rest);
                    self.held_at = locator.point(offset);
                    break;
                }
                Err(mistake) => return Err(placed(mistake, offset, &mut locator)),
            }
        }
        sink.suspend(&mut locator);
        self.at = locator.end();
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
                    self.held_at = locator.point(offset + len as u64);
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
                Some(b'&') => self.reference(rest, offset, locator, sink),
                _ => sections::plain_text(rest, offset, locator, sink),
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
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'_' | b':' | 0x80..) => self.start_tag(rest, offset, locator, sink),
            // Told at once: what looks like the end of such a tag may be far away.
            Some(_) => Err(Mistake::malformed(1, "a < that begins no tag")),
        }
    }
}

fn placed(mistake: Mistake, offset: u64, locator: &mut Locator<'_>) -> Box<Fault> {
    let at = locator.position(offset + mistake.at as u64);
    Box::new(Fault { kind: mistake.kind, at, text: mistake.text })
}

fn fault(kind: FaultKind, at: Position, text: &str) -> Result<(), Box<Fault>> {
    Err(Box::new(Fault { kind, at, text: text.to_owned() }))
}

#[cfg(test)]
mod encoding_tests;
#[cfg(test)]
mod tests;
