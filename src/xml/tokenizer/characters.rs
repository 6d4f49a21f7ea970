//! From the sender's bytes to characters that XML allows.

use super::super::declaration::{self, Beginning};
use super::super::encoding::Encoding;
use super::super::look::{Look, cut_len, line_ends, look};
use super::super::transcoder::{BadBytes, Transcoder};
use super::super::{Fault, FaultKind};
use super::{Sink, Stage, Tokenizer, fault};

impl Tokenizer {
    /// Takes the first bytes, and those after them as soon as they have told what they are.
    pub(super) fn begin<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        if self.held.is_empty() {
            return match self.look(bytes, false)? {
                Some(end) => self.body(bytes.get(end..).unwrap_or_default(), sink),
                None => {
                    self.held.extend_from_slice(bytes);
                    Ok(())
                }
            };
        }
        // By then it has told: a mark, and a declaration with two bytes to a character.
        let room = self.limits.declaration_bytes.saturating_mul(2).saturating_add(4).saturating_sub(self.held.len());
        let (more, rest) = bytes.split_at(bytes.len().min(room));
        let mut head = std::mem::take(&mut self.held);
        head.extend_from_slice(more);
        match self.look(&head, false)? {
            Some(end) => {
                self.body(head.get(end..).unwrap_or_default(), sink)?;
                self.body(rest, sink)
            }
            None => {
                self.held = head;
                Ok(())
            }
        }
    }

    /// Takes the first bytes when there are no others.
    pub(super) fn end_in_beginning<S: Sink>(&mut self, sink: &mut S) -> Result<(), Box<Fault>> {
        let head = std::mem::take(&mut self.held);
        let end = self.look(&head, true)?.unwrap_or(head.len());
        self.body(head.get(end..).unwrap_or_default(), sink)
    }

    /// Tells where the document goes on behind mark and declaration, when that is known.
    fn look(&mut self, head: &[u8], last: bool) -> Result<Option<usize>, Box<Fault>> {
        let Beginning::Known { at, declared } = declaration::look(head, last, self.limits.declaration_bytes)? else {
            return Ok(None);
        };
        self.at = at;
        self.begun = declared;
        self.stage = Stage::Prolog;
        if !at.encoding.is_utf8() {
            self.transcoder = Some(Box::new(Transcoder::new(at.encoding)));
        }
        Ok(Some(usize::try_from(at.sent.offset).unwrap_or(usize::MAX)))
    }

    /// Takes the bytes behind the declaration.
    pub(super) fn body<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        match self.transcoder.take() {
            None if self.at.encoding == Encoding::Ascii => self.ascii(bytes, sink),
            None => self.utf8(bytes, sink),
            Some(mut transcoder) => {
                let taken = self.transcoded(bytes, &mut transcoder, sink);
                self.transcoder = Some(transcoder);
                taken
            }
        }
    }

    fn transcoded<S: Sink>(
        &mut self,
        mut bytes: &[u8],
        transcoder: &mut Transcoder,
        sink: &mut S,
    ) -> Result<(), Box<Fault>> {
        while !bytes.is_empty() {
            let (text, ended) = transcoder.next(&mut bytes);
            self.checked(text, sink)?;
            if let Err(BadBytes) = ended {
                return self.bad_bytes();
            }
        }
        Ok(())
    }

    fn ascii<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        let end = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
        self.checked(bytes.get(..end).unwrap_or_default(), sink)?;
        if end < bytes.len() { self.bad_bytes() } else { Ok(()) }
    }

    fn utf8<S: Sink>(&mut self, mut bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
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
        let (whole, cut) = bytes.split_at(bytes.len() - cut_len(bytes));
        self.checked(whole, sink)?;
        self.tail.extend_from_slice(cut);
        Ok(())
    }

    /// Takes whole characters, up to one that may not be.
    fn checked<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Box<Fault>> {
        let seen = look(bytes);
        let at = match seen {
            Look::Sound(lines) => return self.scan(bytes, lines, sink),
            Look::Forbidden(at) | Look::Broken(at) => at,
        };
        let sound = bytes.get(..at).unwrap_or_default();
        self.scan(sound, line_ends(sound), sink)?;
        if matches!(seen, Look::Broken(_)) {
            return self.bad_bytes();
        }
        let kind = if self.begun { FaultKind::NotWellFormed } else { FaultKind::NotXml };
        fault(kind, self.at.sent, "a character that XML does not allow")
    }

    fn bad_bytes(&self) -> Result<(), Box<Fault>> {
        let kind = if self.begun { FaultKind::BadEncoding } else { FaultKind::NotXml };
        fault(kind, self.at.sent, "bytes that are no character in the document's encoding")
    }

    /// The bytes of a character that the last piece ended in.
    pub(super) fn cut_character(&self) -> u64 {
        let bytes = self.transcoder.as_ref().map_or(self.tail.len(), |transcoder| transcoder.cut_bytes());
        bytes as u64
    }
}
