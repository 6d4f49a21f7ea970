//! ZIP archives made field by field, so that any of them can lie.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// An archive to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Archive {
    pub(crate) entries: Vec<Entry>,
    pub(crate) comment: Vec<u8>,
    /// It has zip64's end records, and every entry its zip64 fields.
    pub(crate) wide: bool,
    /// Bytes between the entries and the directory.
    pub(crate) gap: Vec<u8>,
    /// The directory lists the entries in this order; empty for the order they lie in.
    pub(crate) order: Vec<usize>,
}

/// What follows an entry's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Trailer {
    #[default]
    Nothing,
    Signed,
    Bare,
}

/// An entry, of which the directory and its own header may say different things.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) data: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) local_method: Option<u16>,
    pub(crate) flags: u16,
    pub(crate) size: u64,
    pub(crate) local_size: Option<u64>,
    pub(crate) crc: u32,
    pub(crate) attributes: u32,
    pub(crate) trailer: Trailer,
    pub(crate) extra: Vec<u8>,
}

impl Entry {
    /// A file as it is.
    pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let (data, size) = (content.to_vec(), content.len() as u64);
        Self { name: name.into(), data, size, crc: crc.sum(), ..Self::default() }
    }

    /// A file packed with deflate.
    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        Self { data: deflate(content), method: 8, ..Self::stored(name, content) }
    }

    /// The same with its sizes behind the data.
    pub(crate) fn with(self, trailer: Trailer) -> Self {
        Self { trailer, flags: self.flags | 8, ..self }
    }

    fn header(&self, wide: bool) -> Vec<u8> {
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        let later = self.trailer != Trailer::Nothing;
        let (crc, packed) = if later { (0, 0) } else { (self.crc, self.data.len() as u64) };
        let size = self.local_size.unwrap_or(if later { 0 } else { self.size });
        let mut extra = self.extra.clone();
        if wide {
            extra.splice(0..0, [fields(&[1, 16]), size.to_le_bytes().to_vec(), packed.to_le_bytes().to_vec()].concat());
        }
        let narrow = |value: u64| if wide { u32::MAX } else { u32::try_from(value).unwrap() }.to_le_bytes();
        [
            b"PK\x03\x04".as_slice(),
            &fields(&[if wide { 45 } else { 20 }, self.flags, self.local_method.unwrap_or(self.method), 0, 0]),
            &crc.to_le_bytes(),
            &narrow(packed),
            &narrow(size),
            &fields(&[name.len() as u16, extra.len() as u16]),
            name,
            &extra,
        ]
        .concat()
    }

    fn trailer(&self, wide: bool) -> Vec<u8> {
        let signature: &[u8] = match self.trailer {
            Trailer::Nothing => return Vec::new(),
            Trailer::Signed => b"PK\x07\x08",
            Trailer::Bare => b"",
        };
        let size = |value: u64| if wide { value.to_le_bytes().to_vec() } else { (value as u32).to_le_bytes().to_vec() };
        [signature, &self.crc.to_le_bytes(), &size(self.data.len() as u64), &size(self.size)].concat()
    }

    /// The entry's record in the directory.
    pub(crate) fn record(&self, wide: bool, packed: u64, offset: u64) -> Vec<u8> {
        let mut extra = self.extra.clone();
        if wide {
            let sizes = [self.size, packed, offset].map(u64::to_le_bytes).concat();
            extra.splice(0..0, [fields(&[1, 24]), sizes].concat());
        }
        let narrow = |value: u64| if wide { u32::MAX } else { u32::try_from(value).unwrap() }.to_le_bytes();
        [
            b"PK\x01\x02".as_slice(),
            &fields(&[3 << 8 | 45, if wide { 45 } else { 20 }, self.flags, self.method, 0, 0]),
            &self.crc.to_le_bytes(),
            &narrow(packed),
            &narrow(self.size),
            &fields(&[self.name.len() as u16, extra.len() as u16, 0, 0, 0]),
            &self.attributes.to_le_bytes(),
            &narrow(offset),
            &self.name,
            &extra,
        ]
        .concat()
    }

    /// The entry as it lies in the archive.
    pub(crate) fn bytes(&self, wide: bool) -> Vec<u8> {
        [self.header(wide), self.data.clone(), self.trailer(wide)].concat()
    }
}

impl Archive {
    pub(crate) fn of(entries: impl Into<Vec<Entry>>) -> Self {
        Self { entries: entries.into(), ..Self::default() }
    }

    /// The same with zip64's records.
    pub(crate) fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// The archive's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut records = Vec::new();
        for entry in &self.entries {
            records.push(entry.record(self.wide, entry.data.len() as u64, bytes.len() as u64));
            bytes.extend(entry.bytes(self.wide));
        }
        bytes.extend(&self.gap);
        let start = bytes.len() as u64;
        let in_order: Vec<usize> = (0..records.len()).collect();
        for nth in if self.order.is_empty() { &in_order } else { &self.order } {
            bytes.extend(&records[*nth]);
        }
        let size = bytes.len() as u64 - start;
        bytes.extend(end(self.entries.len() as u64, start, size, self.wide, &self.comment));
        bytes
    }
}

/// The records at an archive's end.
pub(crate) fn end(entries: u64, start: u64, size: u64, wide: bool, comment: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if wide {
        bytes.extend(b"PK\x06\x06");
        bytes.extend(44_u64.to_le_bytes());
        bytes.extend(fields(&[45, 45, 0, 0, 0, 0]));
        bytes.extend([entries, entries, size, start].map(u64::to_le_bytes).concat());
        bytes.extend([b"PK\x06\x07".as_slice(), &[0; 4], &(start + size).to_le_bytes(), &1_u32.to_le_bytes()].concat());
    }
    let count = u16::try_from(entries).unwrap_or(u16::MAX);
    let (count, size, start) = if wide { (u16::MAX, u32::MAX, u32::MAX) } else { (count, size as u32, start as u32) };
    bytes.extend(b"PK\x05\x06");
    bytes.extend(fields(&[0, 0, count, count]));
    bytes.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    bytes.extend(fields(&[comment.len() as u16]));
    bytes.extend(comment);
    bytes
}

pub(crate) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn fields(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
