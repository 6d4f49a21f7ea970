//! Manifest and list of recipients as XML: unpacked, judged by their schemas, and watched.

use crate::model::{Finding, Place};
use crate::ports::Blob;
use crate::xsd::{self, Observer, Plan, Position, Progress, Validator};

use super::Judging;
use super::report::{Report, Stop};
use super::unpack::{Member, UnpackError, Unpacker};
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
    fn hand_over(&mut self, report: &mut Report<'_>) -> Result<(), Stop>;
}

/// Reads a document to its end; `false` when that was not reached, which the report has been told.
pub(super) fn read<R: Reader>(
    document: Document,
    (blob, member): (&dyn Blob, &Member),
    judging: &Judging<'_>,
    reader: &mut R,
    report: &mut Report<'_>,
) -> Result<bool, Stop> {
    let mut validator = Validator::new(document.plan, judging.xml.clone());
    let mut unpacker = Unpacker::new(blob, member);
    let mut piece = vec![0; PIECE_BYTES];
    let mut progress = Progress::Continue;
    while progress == Progress::Continue {
        let count = match unpacker.next(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(UnpackError::Unreadable(error)) => return Err(Stop::Unreadable(error)),
            Err(UnpackError::Damaged(text)) => {
                report.refuse(Finding::whole(codes::ZIP_CONTENT_DAMAGED, format!("{}: {text}", document.name)))?;
                return Ok(false);
            }
        };
        progress = validator.feed(piece.get(..count).unwrap_or_default(), reader);
        reader.hand_over(report)?;
    }
    let end = validator.finish(reader);
    reader.hand_over(report)?;
    Ok(end.complete)
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
