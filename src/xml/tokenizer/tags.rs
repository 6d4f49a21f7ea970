//! Start tags and end tags.

use memchr::memchr3;

use super::super::locator::Locator;
use super::super::namespaces::Namespace;
use super::super::tag::{self, Tag};
use super::super::{FaultKind, Mistake, is_space, shown};
use super::{Sink, Stage, Step, Stepped, TagScan, Tokenizer};

impl Tokenizer {
    /// Goes through the plainest of content as long as it lasts: start tags the sink expects, text, end tags without
    /// frills. Everything else, faults among it, is left to [`Tokenizer::step`], which knows these three too.
    pub(super) fn run<S: Sink>(&mut self, bytes: &[u8], from: usize, locator: &mut Locator<'_>, sink: &mut S) -> usize {
        let base = self.at.offset;
        let mut at = from;
        loop {
            at = sink.glide(bytes, at, base, &mut self.nesting, locator);
            let rest = bytes.get(at..).unwrap_or_default();
            let offset = base + at as u64;
            let taken = match rest {
                [b'<', b'/', after @ ..] => {
                    let len = self.plain_end(after);
                    if len > 0 {
                        self.pop(offset, offset + len as u64, locator, sink);
                    }
                    len
                }
                [b'<', after @ ..] if self.nesting.has_room() => {
                    let len = sink.predict(after);
                    if len == 0 || after.get(len) != Some(&b'>') {
                        return at;
                    }
                    self.plain_start(after.get(..len).unwrap_or_default(), offset, locator, sink);
                    len + 2
                }
                [] | [b'<' | b'&', ..] => 0,
                _ => {
                    let len = memchr3(b'<', b'&', b']', rest).unwrap_or(rest.len());
                    if len > 0 {
                        sink.text(rest.get(..len).unwrap_or_default(), offset, locator);
                    }
                    len
                }
            };
            at += taken;
            if taken == 0 || self.stage != Stage::Root {
                return at;
            }
        }
    }

    /// The length of an end tag that is just `</name>`, for the element that is open; 0 for any other.
    #[inline]
    fn plain_end(&self, after: &[u8]) -> usize {
        let Some(name) = self.nesting.name() else { return 0 };
        let same = after.get(name.len()) == Some(&b'>') && after.get(..name.len()) == Some(name);
        if same { name.len() + 3 } else { 0 }
    }

    /// A start tag that is just `<name>`.
    #[inline]
    fn plain_start<S: Sink>(&mut self, name: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) {
        self.nesting.push(name);
        let end = offset + name.len() as u64 + 2;
        let namespace = self.nesting.scope.default_namespace();
        sink.start(&self.tag(&[], name, 0, (offset, end, false), namespace), locator);
    }

    pub(super) fn start_tag<S: Sink>(
        &mut self,
        rest: &[u8],
        offset: u64,
        locator: &mut Locator<'_>,
        sink: &mut S,
    ) -> Stepped {
        let predicted = if self.scan.at == 0 { sink.predict(rest.get(1..).unwrap_or_default()) } else { 0 };
        if predicted > 0 && rest.get(predicted + 1) == Some(&b'>') {
            self.admit()?;
            self.plain_start(rest.get(1..=predicted).unwrap_or_default(), offset, locator, sink);
            return Ok(Step::Took(predicted + 2));
        }
        let Some(len) = self.tag_end(rest)? else { return Ok(Step::More) };
        let token = rest.get(..len).unwrap_or_default();
        let outline = self.reader.read(token, &self.limits)?;
        self.admit()?;
        let mark = self.nesting.scope.mark();
        self.reader.resolve(token, &mut self.nesting.scope)?;
        let name = token.get(1..outline.name_end).unwrap_or_default();
        let namespace = match outline.local {
            1 => self.nesting.scope.default_namespace(),
            local => tag::namespace_of(token.get(1..local - 1).unwrap_or_default(), &self.nesting.scope, 1)?.0,
        };
        self.nesting.push_from(name, mark);
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
        namespace: Namespace,
    ) -> Tag<'a> {
        let attributes = if token.is_empty() { &[][..] } else { &self.reader.attributes[..] };
        let local = name.get(local..).unwrap_or_default();
        let decoded = &self.reader.decoded;
        Tag { name, local, namespace, offset, end, empty, scope: &self.nesting.scope, token, attributes, decoded }
    }

    /// Tells whether one more element may begin here.
    #[inline]
    fn admit(&mut self) -> Result<(), Mistake> {
        match self.stage {
            Stage::Root => {}
            Stage::Epilog => return Err(Mistake::malformed(0, "an element behind the root element")),
            Stage::Start | Stage::Prolog => self.stage = Stage::Root,
        }
        if !self.nesting.has_room() {
            return Err(Mistake::new(FaultKind::TooDeep, 0, "elements are nested too deeply"));
        }
        Ok(())
    }

    #[inline]
    fn pop<S: Sink>(&mut self, from: u64, to: u64, locator: &mut Locator<'_>, sink: &mut S) {
        sink.end(from, to, &self.nesting.scope, locator);
        self.nesting.pop();
        if self.nesting.depth() == 0 {
            self.stage = Stage::Epilog;
        }
    }

    pub(super) fn end_tag<S: Sink>(
        &mut self,
        rest: &[u8],
        offset: u64,
        locator: &mut Locator<'_>,
        sink: &mut S,
    ) -> Stepped {
        let name = self.nesting.name();
        let expected = name.unwrap_or_default();
        let after = 2 + expected.len();
        let same = || name.is_some() && rest.get(2..after) == Some(expected);
        let len = if rest.get(after) == Some(&b'>') && same() {
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
        let Some(expected) = self.nesting.name() else {
            return Err(Mistake::malformed(0, "an end tag where no element is open"));
        };
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
}

fn too_long() -> Mistake {
    Mistake::new(FaultKind::TagTooLong, 0, "a tag is too long")
}
