//! FileList: every file it names is in the archive, and has the checksum it gives.

use rawzip::{MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipFileHeaderRecord};

use super::checksum::Checksum;
use super::entry::{self, Archive};
use super::manifest::{Given, Listed, document, file_path};
use super::name::Name;
use super::report::{Report, Stop};
use super::survey::{each_record, member};
use super::unpack::{UnpackError, Unpacker};
use super::{Judging, UnknownChecksums};
use crate::codes;
use crate::model::{Code, Finding};

/// Goes through the directory once more, unpacks the files whose checksum is known, and tells what does not fit.
pub(super) fn verify(
    archive: &Archive<'_, '_>,
    listed: Vec<Listed>,
    judging: &Judging<'_>,
    report: &mut Report<'_>,
) -> Result<(), Stop> {
    if listed.is_empty() {
        return Ok(());
    }
    let listed = each_once(listed, report)?;
    let mut found = vec![false; listed.len()];
    let mut checker = Checker { archive, judging, buffer: vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE] };
    each_record(archive, |_, record| {
        let Ok(name) = Name::read(record.file_path().as_bytes(), &judging.limits) else { return Ok(()) };
        let Ok(nth) = listed.binary_search_by_key(&name.key(), |listed| listed.key) else { return Ok(()) };
        let Some(file) = listed.get(nth) else { return Ok(()) };
        if let Some(found) = found.get_mut(nth) {
            *found = true;
        }
        checker.check(file, record, report)
    })?;
    let mut missing: Vec<&Listed> =
        listed.iter().zip(found).filter(|(_, found)| !found).map(|(listed, _)| listed).collect();
    missing.sort_unstable_by_key(|listed| listed.nth);
    missing.into_iter().try_for_each(|listed| report.refuse(about(listed, codes::LISTED_FILE_MISSING, "FileName", "")))
}

/// Sorts the list by names. A file named twice would be read twice, so it is refused.
fn each_once(mut listed: Vec<Listed>, report: &mut Report<'_>) -> Result<Vec<Listed>, Stop> {
    listed.sort_unstable_by_key(|listed| (listed.key, listed.nth));
    let is_again = |two: &[Listed]| matches!(two, [first, second] if first.key == second.key && first.key != NO_NAME);
    let mut again: Vec<&Listed> = listed.windows(2).filter(|two| is_again(two)).filter_map(<[_]>::last).collect();
    again.sort_unstable_by_key(|listed| listed.nth);
    for listed in again {
        report.refuse(about(listed, codes::LISTED_TWICE, "FileName", ""))?;
    }
    listed.dedup_by(|second, first| second.key == first.key && first.key != NO_NAME);
    Ok(listed)
}

struct Checker<'c, 'w, 'a> {
    archive: &'c Archive<'w, 'a>,
    judging: &'c Judging<'c>,
    buffer: Vec<u8>,
}

impl Checker<'_, '_, '_> {
    fn check(&mut self, file: &Listed, record: &ZipFileHeaderRecord<'_>, report: &mut Report<'_>) -> Result<(), Stop> {
        let checksum = match &file.checksum {
            Given::Nothing => return Ok(()),
            Given::Unknown => return self.unchecked(file, "its form is not known", report),
            Given::Known(checksum) => checksum,
        };
        if record.flags().is_encrypted() {
            return self.unchecked(file, "the file is encrypted", report);
        }
        if !entry::is_stored(record) && !entry::is_deflated(record) {
            return self.unchecked(file, "the file is compressed in a way that is not supported", report);
        }
        match self.is_right(checksum, record)? {
            Ok(true) => Ok(()),
            Ok(false) => report.refuse(about(file, codes::CHECKSUM_WRONG, "CheckSum", "")),
            Err(text) => report.refuse(about(file, codes::ZIP_CONTENT_DAMAGED, "FileName", text)),
        }
    }

    fn unchecked(&self, file: &Listed, text: &str, report: &mut Report<'_>) -> Result<(), Stop> {
        match self.judging.unknown_checksums {
            UnknownChecksums::Tell => report.note(about(file, codes::CHECKSUM_NOT_CHECKED, "CheckSum", text)),
            UnknownChecksums::Refuse => report.refuse(about(file, codes::CHECKSUM_UNKNOWN, "CheckSum", text)),
        }
    }

    fn is_right(
        &mut self,
        checksum: &Checksum,
        record: &ZipFileHeaderRecord<'_>,
    ) -> Result<Result<bool, &'static str>, Stop> {
        let extent = match entry::locate(self.archive, record, &mut self.buffer)? {
            Ok(extent) => extent,
            Err(text) => return Ok(Err(text)),
        };
        let (blob, mut unpacker) = (self.archive.get_ref().blob(), Unpacker::new(&member(record, extent)));
        let mut hash = checksum.hash();
        loop {
            match unpacker.next(blob, &mut self.buffer) {
                Ok(0) => return Ok(Ok(checksum.is_of(hash))),
                Ok(count) => hash.update(self.buffer.get(..count).unwrap_or_default()),
                Err(UnpackError::Damaged(text)) => return Ok(Err(text)),
                Err(UnpackError::Unreadable(error)) => return Err(Stop::Unreadable(error)),
            }
        }
    }
}

/// A finding about a listed file: by its position, since its name may say too much.
fn about(listed: &Listed, code: Code, child: &str, text: &str) -> Finding {
    let place = Some(document().place(listed.at, &file_path(listed.nth, child)));
    let text = match text {
        "" => format!("file {} of FileList", listed.nth),
        text => format!("file {} of FileList: {text}", listed.nth),
    };
    Finding { code, place, item: None, rule: String::new(), text }
}

/// The key of a name that no entry can have.
const NO_NAME: [u8; 16] = [0; 16];
