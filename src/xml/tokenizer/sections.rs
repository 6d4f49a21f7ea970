//! Text, CDATA sections, comments, processing instructions, and what stands outside the root element.

use memchr::memchr3;

use super::super::chars::name_end_from;
use super::super::locator::Locator;
use super::super::references::{self, Reference};
use super::super::{FaultKind, Mistake, is_space};
use super::{Mode, Sink, Stage, Step, Stepped, TagScan, Tokenizer};

impl Tokenizer {
    pub(super) fn reference<S: Sink>(
        &mut self,
        rest: &[u8],
        offset: u64,
        locator: &mut Locator<'_>,
        sink: &mut S,
    ) -> Stepped {
        match references::read(rest, self.scan.at, self.limits.name_bytes)? {
            Reference::Character(c, len) => {
                self.scan = TagScan::default();
                sink.character(c, offset, locator);
                Ok(Step::Took(len))
            }
            Reference::Unfinished => {
                self.scan.at = rest.len();
                Ok(Step::More)
            }
        }
    }

    pub(super) fn declaration(&mut self, rest: &[u8]) -> Stepped {
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

    pub(super) fn instruction_start(&mut self, rest: &[u8]) -> Stepped {
        let end = name_end_from(rest, 2, self.scan.at.max(2));
        if end - 2 > self.limits.name_bytes {
            return Err(Mistake::new(FaultKind::NameTooLong, 2, "a name is too long"));
        }
        let Some(after) = rest.get(end) else {
            self.scan.at = end;
            return Ok(Step::More);
        };
        self.scan = TagScan::default();
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

    pub(super) fn instruction(&mut self, rest: &[u8]) -> Step {
        match self.pi_end.find(rest) {
            Some(at) => {
                self.mode = Mode::Plain;
                Step::Took(at + 2)
            }
            None => keep_last(rest, rest.ends_with(b"?").into()),
        }
    }

    pub(super) fn comment(&mut self, rest: &[u8]) -> Stepped {
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

    pub(super) fn cdata<S: Sink>(&mut self, rest: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) -> Step {
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

    pub(super) fn outside(&mut self, rest: &[u8]) -> Stepped {
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
pub(super) fn plain_text<S: Sink>(rest: &[u8], offset: u64, locator: &mut Locator<'_>, sink: &mut S) -> Stepped {
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
