//! One member of a zip archive, found by its name and unpacked as it is read.

use std::fs::File;
use std::io::Read;

use anyhow::bail;
use flate2::read::DeflateDecoder;
use rawzip::{MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipArchive, ZipArchiveEntryWayfinder, ZipLocator};

use super::progress::Counted;

/// A member whose place is known.
pub(super) struct Member<'p> {
    archive: ZipArchive<Counted<'p, File>>,
    place: ZipArchiveEntryWayfinder,
    name: String,
    method: u16,
    encrypted: bool,
}

impl<'p> Member<'p> {
    /// Looks for a member; the first of several with the name.
    pub(super) fn find(file: Counted<'p, File>, size_bytes: u64, name: &str) -> Result<Option<Self>, rawzip::Error> {
        let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
        let located = ZipLocator::new().locate_in_reader(file, &mut buffer, size_bytes);
        let archive = located.map_err(|(_, error)| error)?;
        let mut records = archive.entries(&mut buffer);
        while let Some(record) = records.next_entry()? {
            if record.file_path().as_bytes() == name.as_bytes() {
                let (place, method) = (record.wayfinder(), record.compression_method().as_u16());
                let encrypted = record.flags().is_encrypted();
                return Ok(Some(Self { archive, place, name: name.to_owned(), method, encrypted }));
            }
        }
        Ok(None)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its size as it is packed.
    pub(super) fn packed_bytes(&self) -> u64 {
        self.place.compressed_size_hint()
    }

    /// Its bytes, unpacked, and held against the size and the checksum that the archive declares.
    pub(super) fn bytes(&self) -> anyhow::Result<Box<dyn Read + '_>> {
        if self.encrypted {
            bail!("the member is encrypted");
        }
        let entry = self.archive.get_entry(self.place)?;
        match self.method {
            STORED => Ok(Box::new(entry.verifying_reader(entry.reader()))),
            DEFLATED => Ok(Box::new(entry.verifying_reader(DeflateDecoder::new(entry.reader())))),
            method => bail!("the member is compressed with method {method}, which is neither stored nor deflated"),
        }
    }
}

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
