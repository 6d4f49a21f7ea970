//! Manifest and list of recipients as XML: unpacked, judged by their schemas, and watched.

use std::io;

use crate::model::{Code, Finding, Place};
use crate::ports::Blob;
use crate::xsd::{self, Observer, Plan, Position, Progress, Validator};

use super::Judging;
use super::Member;
use super::report::{Report, Stop};
use super::unpack::{UnpackError, Unpacker};
use crate::codes;

/// One of the two files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document {
    /// Its name, as places name it.
    pub(super) name: &'static str,
    pub(super) plan: &'static Plan,
}

/// Hears of a document and hands over what it has found after every piece.
pub(super) trait Reader: Observer {
    /// The fault of XML that ended the document, which says more of it than what was found before.
    fn fault(&self) -> Option<Code>;

    fn hand_over(&mut self, report: &mut Report<'_>) -> Result<(), Stop>;
}

/// Reads a document to its end; `false` when that was not reached, which the report has been told.
///
/// It is unpacked twice: nothing is said of a document before all of it is known to be what the archive declares, so that
/// it does not matter how much of a damaged one comes at once.
pub(super) fn read<R: Reader>(
    document: Document,
    (blob, member): (&dyn Blob, &Member),
    judging: &Judging<'_>,
    reader: &mut R,
    report: &mut Report<'_>,
) -> Result<bool, Stop> {
    if let Err(error) = unpack(blob, member, |_| Ok(Progress::Continue))? {
        report.refuse(Finding::whole(codes::ZIP_CONTENT_DAMAGED, format!("{}: {error}", document.name)))?;
        return Ok(false);
    }
    let before = report.refusal;
    let watched_bytes = judging.xml.watched_bytes.max(WATCHED_BYTES);
    let mut validator = Validator::new(document.plan, xsd::Limits { watched_bytes, ..judging.xml.clone() });
    let unpacked = unpack(blob, member, |piece| {
        let progress = validator.feed(piece, reader);
        reader.hand_over(report)?;
        Ok(progress)
    })?;
    unpacked.map_err(|text| Stop::Unreadable(io::Error::new(io::ErrorKind::InvalidData, text)))?;
    let end = validator.finish(reader);
    reader.hand_over(report)?;
    report.refusal = before.or(reader.fault()).or(report.refusal);
    Ok(end.complete)
}

/// Unpacks a file for as long as it is asked for; the text says how it is damaged.
fn unpack(
    blob: &dyn Blob,
    member: &Member,
    mut take: impl FnMut(&[u8]) -> Result<Progress, Stop>,
) -> Result<Result<(), &'static str>, Stop> {
    let mut unpacker = Unpacker::new(member);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = match unpacker.next(blob, &mut piece) {
            Ok(0) => return Ok(Ok(())),
            Ok(count) => count,
            Err(UnpackError::Unreadable(error)) => return Err(Stop::Unreadable(error)),
            Err(UnpackError::Damaged(text)) => return Ok(Err(text)),
        };
        if take(piece.get(..count).unwrap_or_default())? == Progress::Stopped {
            return Ok(Ok(()));
        }
    }
}

impl Document {
    /// A finding of the validator.
    pub(super) fn finding(&self, found: xsd::Finding, judging: &Judging<'_>) -> Finding {
        let place = Some(self.place(found.at, &found.path));
        Finding { code: (judging.code)(found.kind), place, item: None, rule: found.rule.to_owned(), text: found.text }
    }

    /// A place in the document, of which the archive has more than one: lines and bytes are counted in the file itself.
    pub(super) fn place(&self, at: Position, path: &str) -> Place {
        Place { line: at.line, column: at.column, offset: at.offset, path: format!("{}:{path}", self.name) }
    }
}

const PIECE_BYTES: usize = 64 << 10;
/// The longest property that goes anywhere has three thousand characters.
pub(super) const WATCHED_BYTES: usize = 16 << 10;
