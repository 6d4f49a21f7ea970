//! One entry: its record in the directory, its own header, and what follows its data.

use rawzip::{ZipArchive, ZipFileHeaderRecord, ZipLocalFileHeader};

use super::end::{RECORD_BYTES, u32_at, u64_at};
use super::report::Stop;
use super::window::Window;
use crate::codes;
use crate::model::{ByteRange, Code};

/// The archive as the library has it.
pub(super) type Archive<'w, 'a> = ZipArchive<&'w Window<'a>>;

/// Where an entry lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// All of it.
    pub(super) whole: ByteRange,
    /// Its packed data.
    pub(super) data: ByteRange,
}

/// Where the record of an entry lies in the directory.
pub(super) fn record_range(record: &ZipFileHeaderRecord<'_>) -> ByteRange {
    let start = record.central_directory_offset();
    let name = record.file_path().as_bytes().len();
    let extra = record.extra_fields().remaining_bytes().len();
    let comment = record.comment().as_bytes().len();
    ByteRange { start, end: start + RECORD_BYTES + (name + extra + comment) as u64 }
}

/// What is wrong with an entry by its record alone.
pub(super) fn record_fault(record: &ZipFileHeaderRecord<'_>, is_folder: bool) -> Option<(Code, &'static str)> {
    // Whatever system made it: programs that unpack look at these bits before they look at that.
    let kind = record.external_attributes() >> 16 & TYPE_BITS;
    if !matches!(kind, 0 | FILE | FOLDER) {
        return Some((codes::ZIP_LINK, ""));
    }
    if is_folder && record.uncompressed_size_hint() > 0 {
        return Some((codes::ZIP_DAMAGED, "a folder has content"));
    }
    let (packed, unpacked) = (record.compressed_size_hint(), record.uncompressed_size_hint());
    if is_stored(record) && !record.flags().is_encrypted() && packed != unpacked {
        return Some((codes::ZIP_HEADERS_DISAGREE, "it is stored, and its two sizes differ"));
    }
    let mut fields = record.extra_fields();
    let other_name = fields.find(|(id, _)| id.as_u16() == UNICODE_PATH);
    let name = record.file_path();
    // A version, a CRC-32 of the name it stands for, and the name.
    if other_name.is_some_and(|(_, field)| field.get(5..) != Some(name.as_bytes())) {
        return Some((codes::ZIP_UNSAFE_NAME, "it has a second name"));
    }
    None
}

pub(super) fn is_stored(record: &ZipFileHeaderRecord<'_>) -> bool {
    record.compression_method().as_u16() == 0
}

pub(super) fn is_deflated(record: &ZipFileHeaderRecord<'_>) -> bool {
    record.compression_method().as_u16() == 8
}

/// Tells whether it can be unpacked here.
pub(super) fn is_readable(record: &ZipFileHeaderRecord<'_>) -> bool {
    let is_encrypted = record.flags().is_encrypted() || record.flags().has_strong_encryption();
    !is_encrypted && (is_stored(record) || is_deflated(record))
}

/// Reads an entry's own header and compares it with its record.
pub(super) fn locate(
    archive: &Archive<'_, '_>,
    record: &ZipFileHeaderRecord<'_>,
    buffer: &mut [u8],
) -> Result<Result<Extent, &'static str>, Stop> {
    let window = *archive.get_ref();
    let stop = |error: rawzip::Error| window.stop(&error, "an entry's own header");
    let start = record.local_header_offset();
    // The library adds to it before it looks whether that can be.
    if start >= window.size_bytes() {
        return Ok(Err("it lies past the end"));
    }
    let entry = archive.get_entry(record.wayfinder()).map_err(stop)?;
    let (data_start, data_end) = entry.compressed_data_range();
    let local = entry.local_header(buffer).map_err(stop)?;
    if let Some(text) = difference(record, &local) {
        return Ok(Err(text));
    }
    let data = ByteRange { start: data_start, end: data_end };
    let end = if record.flags().has_data_descriptor() {
        let Some(bytes) = descriptor_bytes(window, record, data_end)? else {
            return Ok(Err("what follows its data says something else"));
        };
        data_end.saturating_add(bytes)
    } else {
        data_end
    };
    Ok(Ok(Extent { whole: ByteRange { start, end }, data }))
}

fn difference(record: &ZipFileHeaderRecord<'_>, local: &ZipLocalFileHeader<'_>) -> Option<&'static str> {
    if record.file_path().as_bytes() != local.file_path().as_bytes() {
        return Some("the names differ");
    }
    if record.compression_method() != local.compression_method() {
        return Some("the methods differ");
    }
    let (flags, local_flags) = (record.flags(), local.flags());
    let later = flags.has_data_descriptor();
    if flags.is_encrypted() != local_flags.is_encrypted() || later != local_flags.has_data_descriptor() {
        return Some("the flags differ");
    }
    // What is written only behind the data may be zero before it.
    let same = |ours: u64, theirs: u64| ours == theirs || later && theirs == 0;
    let sizes = same(record.compressed_size_hint(), local.compressed_size_hint())
        && same(record.uncompressed_size_hint(), local.uncompressed_size_hint());
    let sums = same(u64::from(record.crc32()), u64::from(local.crc32()));
    if sizes && sums { None } else { Some("the sizes or checksums differ") }
}

/// How many bytes follow the data to repeat its sizes: with a signature or not, in four bytes or eight.
fn descriptor_bytes(window: &Window<'_>, record: &ZipFileHeaderRecord<'_>, at: u64) -> Result<Option<u64>, Stop> {
    let mut bytes = [0; 24];
    let filled = rawzip::ReaderAt::read_at(window, &mut bytes, at).map_err(|error| {
        let error = rawzip::ErrorKind::IO(error).into();
        window.stop(&error, "what follows an entry's data")
    })?;
    let bytes = bytes.get(..filled).unwrap_or_default();
    let sizes = [record.compressed_size_hint(), record.uncompressed_size_hint()];
    let is = |skip: usize, width: usize| {
        let size = |nth: usize| match width {
            4 => u32_at(bytes, skip + 4 + nth * 4).map(u64::from),
            _ => u64_at(bytes, skip + 4 + nth * 8),
        };
        u32_at(bytes, skip) == Some(record.crc32()) && [size(0), size(1)] == sizes.map(Some)
    };
    let signed = bytes.starts_with(DESCRIPTOR);
    // The longer first: a short one may be the beginning of it.
    Ok(match () {
        () if signed && is(4, 8) => Some(24),
        () if signed && is(4, 4) => Some(16),
        () if is(0, 8) => Some(20),
        () if is(0, 4) => Some(12),
        () => None,
    })
}

const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const TYPE_BITS: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
/// Info-ZIP's field for a name in UTF-8 beside one in another encoding.
const UNICODE_PATH: u16 = 0x7075;
