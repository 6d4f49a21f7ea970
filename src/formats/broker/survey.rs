//! The archive as a whole: every entry looked at once, in the order of the directory, whatever their number.

use rawzip::{MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipFileHeaderRecord, ZipLocator};

use super::Member;
use super::end::{self, End};
use super::entry::{self, Archive, Extent};
use super::extents::{Extents, Trouble};
use super::limits::Limits;
use super::name::{Name, NameKey};
use super::nesting::{BEGINNING_BYTES, Nesting};
use super::report::{Report, Stop};
use super::window::Window;
use crate::codes;
use crate::model::{Code, Finding};

/// What was found in an archive.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Entries in all.
    pub(super) entries: u64,
    pub(super) manifest: Option<Member>,
    pub(super) recipients: Option<Member>,
    /// Other files.
    pub(super) others: u64,
    /// The first of them, where it can be unpacked.
    pub(super) payload: Option<Member>,
}

/// Opens an archive, whose end must be certain.
pub(super) fn open<'w, 'a>(window: &'w Window<'a>, limits: &Limits) -> Result<(Archive<'w, 'a>, End), Stop> {
    let end = end::find(window)?;
    if end.entries > limits.entries {
        return Err(too_many(limits));
    }
    let mut buffer = vec![0; BUFFER_BYTES];
    let located = ZipLocator::new().locate_in_reader(window, &mut buffer, window.size_bytes());
    let archive = located.map_err(|(_, error)| window.stop(&error, "the archive's end"))?;
    let agree = archive.eocd_offset() == end.record_at
        && archive.directory_offset() == end.directory.start
        && archive.entries_hint() == end.entries;
    // An empty directory is where the library says, whatever that is.
    if agree || end.entries == 0 && archive.eocd_offset() == end.record_at {
        return Ok((archive, end));
    }
    Err(Stop::Refused(codes::ZIP_DAMAGED, "its end can be read in two ways".to_owned()))
}

/// Goes through the directory; what an entry is refused for goes to the report.
pub(super) fn survey(
    archive: &Archive<'_, '_>,
    end: &End,
    limits: &Limits,
    report: &mut Report<'_>,
) -> Result<Survey, Stop> {
    let mut surveyor = Surveyor::new(archive, end, limits);
    let mut directory_end = end.directory.start;
    each_record(archive, |number, record| {
        directory_end = entry::record_range(record).end;
        surveyor.survey.entries = number;
        if number > limits.entries {
            return Err(too_many(limits));
        }
        match surveyor.entry(record) {
            Ok(()) => Ok(()),
            Err(Fault::Stop(stop)) => Err(stop),
            Err(Fault::Entry(code, text)) => report.refuse(about(number, code, text)),
        }
    })?;
    if surveyor.survey.entries != end.entries || directory_end != end.directory.end {
        return Err(Stop::Refused(codes::ZIP_DAMAGED, "its directory is not as long as its end says".to_owned()));
    }
    surveyor.conclude(report)
}

/// Calls for each record of the directory, counted from 1.
pub(super) fn each_record(
    archive: &Archive<'_, '_>,
    mut call: impl FnMut(u64, &ZipFileHeaderRecord<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut records = archive.entries(&mut buffer);
    let mut number = 0;
    loop {
        let record = records.next_entry().map_err(|error| archive.get_ref().stop(&error, "the archive's directory"))?;
        let Some(record) = record else { return Ok(()) };
        number += 1;
        call(number, &record)?;
    }
}

/// A finding about one entry; its name may say too much.
pub(super) fn about(number: u64, code: Code, text: &str) -> Finding {
    let stop = if text.is_empty() { "" } else { ": " };
    Finding::whole(code, format!("entry {number} of the directory{stop}{text}"))
}

fn too_many(limits: &Limits) -> Stop {
    Stop::Refused(codes::ZIP_TOO_MANY_ENTRIES, format!("more than {}", limits.entries))
}

enum Fault {
    /// The entry is not as it should be.
    Entry(Code, &'static str),
    /// There is no point in going on.
    Stop(Stop),
}

impl From<(Code, &'static str)> for Fault {
    fn from((code, text): (Code, &'static str)) -> Self {
        Self::Entry(code, text)
    }
}

struct Surveyor<'s, 'w, 'a> {
    archive: &'s Archive<'w, 'a>,
    end: &'s End,
    limits: &'s Limits,
    survey: Survey,
    extents: Extents,
    names: Vec<NameKey>,
    unpacked_bytes: u64,
    nesting: Nesting,
    /// For headers, and for the beginnings of data.
    buffer: Vec<u8>,
    /// An entry could not be placed, so that what the others leave free says nothing.
    unplaced: bool,
}

impl<'s, 'w, 'a> Surveyor<'s, 'w, 'a> {
    fn new(archive: &'s Archive<'w, 'a>, end: &'s End, limits: &'s Limits) -> Self {
        Self {
            archive,
            end,
            limits,
            survey: Survey::default(),
            extents: Extents::default(),
            names: Vec::with_capacity(usize::try_from(end.entries.min(limits.entries)).unwrap_or(0)),
            unpacked_bytes: 0,
            nesting: Nesting::new(),
            buffer: vec![0; BUFFER_BYTES],
            unplaced: false,
        }
    }

    fn entry(&mut self, record: &ZipFileHeaderRecord<'_>) -> Result<(), Fault> {
        let extent = self.place(record);
        self.unplaced |= extent.is_err();
        let extent = extent?;
        let name = Name::read(record.file_path().as_bytes(), self.limits)?;
        self.names.push(name.key());
        entry::record_fault(record, name.is_folder).map_or(Ok(()), Err)?;
        self.weigh(record)?;
        self.look_inside(record, &name, extent)?;
        if !name.is_folder {
            self.take_control_file(record, &name, extent)?;
        }
        Ok(())
    }

    fn place(&mut self, record: &ZipFileHeaderRecord<'_>) -> Result<Extent, Fault> {
        let located = entry::locate(self.archive, record, &mut self.buffer).map_err(Fault::Stop)?;
        let extent = located.map_err(|text| Fault::Entry(codes::ZIP_HEADERS_DISAGREE, text))?;
        if extent.whole.end > self.end.directory.start {
            return Err((codes::ZIP_OVERLAP, "it reaches into the directory").into());
        }
        match self.extents.add(extent.whole) {
            Ok(()) => Ok(extent),
            Err(Trouble::Overlap) => Err((codes::ZIP_OVERLAP, "").into()),
            Err(Trouble::Scattered) => Err(Fault::Stop(Stop::Refused(codes::ZIP_SCATTERED, String::new()))),
        }
    }

    fn weigh(&mut self, record: &ZipFileHeaderRecord<'_>) -> Result<(), Fault> {
        let (packed, unpacked) = (record.compressed_size_hint(), record.uncompressed_size_hint());
        self.unpacked_bytes = self.unpacked_bytes.saturating_add(unpacked);
        if self.unpacked_bytes > self.limits.unpacked_bytes {
            let text = format!("more than {} bytes", self.limits.unpacked_bytes);
            return Err(Fault::Stop(Stop::Refused(codes::ZIP_TOO_LARGE_UNPACKED, text)));
        }
        if Limits::grows_too_much(packed, unpacked, self.limits.entry_ratio) {
            return Err((codes::ZIP_ENTRY_RATIO, "").into());
        }
        Ok(())
    }

    /// Of the first entries the beginning is looked at, of the others the name only.
    fn look_inside(&mut self, record: &ZipFileHeaderRecord<'_>, name: &Name, extent: Extent) -> Result<(), Fault> {
        let looked_at = entry::is_readable(record) && self.survey.entries <= LOOKED_AT;
        let length = usize::try_from(extent.data.len()).unwrap_or(usize::MAX).min(BEGINNING_BYTES);
        let length = if looked_at { length } else { 0 };
        let beginning = self.buffer.get_mut(..length).unwrap_or_default();
        let read = self.archive.get_ref().read(beginning, extent.data.start).map_err(Fault::Stop)?;
        let beginning = beginning.get(..read).unwrap_or_default();
        let limit = self.limits.nesting;
        let levels = self.nesting.levels(&name.folded, beginning, entry::is_deflated(record), limit);
        if levels > limit { Err((codes::ZIP_NESTED, "").into()) } else { Ok(()) }
    }

    fn take_control_file(
        &mut self,
        record: &ZipFileHeaderRecord<'_>,
        name: &Name,
        extent: Extent,
    ) -> Result<(), Fault> {
        let slot = match name.folded.as_str() {
            "manifest.xml" => &mut self.survey.manifest,
            "recipients.xml" => &mut self.survey.recipients,
            _ => {
                self.survey.others += 1;
                if self.survey.others == 1 && entry::is_readable(record) {
                    self.survey.payload = Some(member(record, extent));
                }
                return Ok(());
            }
        };
        // Of two with the same name the repeated name is told.
        slot.get_or_insert(member(record, extent));
        if record.flags().is_encrypted() || record.flags().has_strong_encryption() {
            return Err((codes::ZIP_ENCRYPTED, "").into());
        }
        if !entry::is_stored(record) && !entry::is_deflated(record) {
            return Err((codes::ZIP_METHOD, "").into());
        }
        if record.uncompressed_size_hint() > self.limits.control_bytes {
            return Err((codes::ZIP_CONTROL_FILE_TOO_LARGE, "").into());
        }
        Ok(())
    }

    fn conclude(mut self, report: &mut Report<'_>) -> Result<Survey, Stop> {
        if Limits::grows_too_much(self.archive.get_ref().size_bytes(), self.unpacked_bytes, self.limits.total_ratio) {
            let text = format!("more than {} times", self.limits.total_ratio);
            report.refuse(Finding::whole(codes::ZIP_TOTAL_RATIO, text))?;
        }
        if !self.unplaced && !self.extents.fill(self.end.directory.start) {
            report.refuse(Finding::whole(codes::ZIP_HIDDEN_BYTES, "between its entries, or before the first"))?;
        }
        self.names.sort_unstable();
        let mut repeated: Vec<NameKey> = self
            .names
            .windows(2)
            .filter_map(|two| two.first().filter(|first| two.last() == Some(first)))
            .copied()
            .collect();
        repeated.dedup();
        if !repeated.is_empty() {
            self.tell_repeated(&repeated, report)?;
        }
        Ok(self.survey)
    }

    /// Goes through the directory again, to say which entries have a name that came before.
    fn tell_repeated(&self, repeated: &[NameKey], report: &mut Report<'_>) -> Result<(), Stop> {
        let mut seen = vec![false; repeated.len()];
        each_record(self.archive, |number, record| {
            let Ok(name) = Name::read(record.file_path().as_bytes(), self.limits) else { return Ok(()) };
            let nth = repeated.binary_search(&name.key()).ok();
            let Some(seen) = nth.and_then(|nth| seen.get_mut(nth)) else { return Ok(()) };
            if std::mem::replace(seen, true) {
                report.refuse(about(number, codes::ZIP_REPEATED_NAME, ""))?;
            }
            Ok(())
        })
    }
}

/// Where a file lies, by its record and its header.
pub(super) fn member(record: &ZipFileHeaderRecord<'_>, extent: Extent) -> Member {
    Member {
        extent: extent.whole,
        data: extent.data,
        record: entry::record_range(record),
        deflated: entry::is_deflated(record),
        size_bytes: record.uncompressed_size_hint(),
        crc32: record.crc32(),
    }
}

/// Holds any record, and any entry's own header.
const BUFFER_BYTES: usize = MAX_CENTRAL_DIRECTORY_RECORD_SIZE;
/// Entries whose beginning is looked at for an archive without an archive's name.
const LOOKED_AT: u64 = 10_000;
