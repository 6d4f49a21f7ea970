//! Items that wait on disk, in files that are gone when they are closed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use uuid::Uuid;

use super::fingerprint::Fingerprint;
use super::repeats::Stand;

/// An item and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) print: Fingerprint,
    pub(super) stand: Stand,
}

/// Items in files by their fingerprints; equal ones are in one file. There are no files before there is an item.
pub(super) struct Overflow {
    files: usize,
    parts: Vec<Part>,
}

/// The items of one file, in the order in which they were added.
pub(super) struct Part {
    out: BufWriter<File>,
    items: u64,
    /// Where the last one stands: of the next it is written how much further that is.
    last: Stand,
}

impl Overflow {
    /// None yet, to be kept in so many files.
    pub(super) fn new(files: usize) -> Self {
        Self { files, parts: Vec::new() }
    }

    /// Adds an item.
    pub(super) fn add(&mut self, seen: &Seen) -> io::Result<()> {
        while self.parts.len() < self.files {
            self.parts.push(Part::new(nameless()?));
        }
        // Other bits choose the bucket.
        let file = (seen.print.place >> u16::BITS) as usize % self.files;
        self.parts.get_mut(file).map_or(Ok(()), |part| part.add(seen))
    }

    /// The files, each with its items.
    pub(super) fn into_parts(self) -> io::Result<Vec<Part>> {
        let Self { mut parts, .. } = self;
        parts.retain(|part| part.items > 0);
        parts.iter_mut().try_for_each(|part| part.out.flush())?;
        Ok(parts)
    }
}

impl Part {
    fn new(file: File) -> Self {
        Self { out: BufWriter::with_capacity(WRITE_BYTES, file), items: 0, last: Stand::default() }
    }

    /// How many there are, one at least.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    fn add(&mut self, seen: &Seen) -> io::Result<()> {
        let record = Record::of(seen, &self.last);
        (self.items, self.last) = (self.items + 1, seen.stand);
        self.out.write_all(record.written())
    }

    /// Goes through the items.
    pub(super) fn for_each(self, mut f: impl FnMut(Seen) -> io::Result<()>) -> io::Result<()> {
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let (mut left, mut last) = (self.items, Stand::default());
        let mut bytes = Vec::with_capacity(READ_BYTES + RECORD_BYTES);
        while left > 0 {
            let before = bytes.len();
            (&mut file).take(READ_BYTES as u64).read_to_end(&mut bytes)?;
            if bytes.len() == before {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut rest = &bytes[..];
            while left > 0
                && let Some((seen, behind)) = Seen::read(rest, &last)
            {
                f(seen)?;
                (left, last, rest) = (left - 1, seen.stand, behind);
            }
            bytes.drain(..bytes.len() - rest.len());
        }
        Ok(())
    }
}

impl Seen {
    /// The item that bytes begin with, and what follows it; none where it is cut off.
    fn read<'b>(bytes: &'b [u8], last: &Stand) -> Option<(Self, &'b [u8])> {
        let (place, rest) = bytes.split_first_chunk()?;
        let (tag, mut rest) = rest.split_first_chunk()?;
        let print = Fingerprint { place: u32::from_le_bytes(*place), tag: u64::from_le_bytes(*tag) };
        let mut number = || number(&mut rest);
        let steps = [number()?, number()?, number()?, number()?];
        Some((Self { print, stand: stepped(last, steps) }, rest))
    }
}

/// How much further one item stands than another; its column is told as it is.
fn steps(from: &Stand, to: &Stand) -> [u64; 4] {
    let step = |from: u64, to: u64| to.wrapping_sub(from);
    [step(from.number, to.number), step(from.offset, to.offset), step(from.line, to.line), to.column]
}

fn stepped(from: &Stand, [number, offset, line, column]: [u64; 4]) -> Stand {
    Stand {
        number: from.number.wrapping_add(number),
        offset: from.offset.wrapping_add(offset),
        line: from.line.wrapping_add(line),
        column,
    }
}

/// An item as it is written: the fingerprint, and numbers seven bits at a time, the lowest first, each byte but a number's last
/// with its highest bit set. It takes half of what the numbers would take in full.
struct Record {
    bytes: [u8; RECORD_BYTES],
    len: usize,
}

impl Record {
    fn of(Seen { print, stand }: &Seen, last: &Stand) -> Self {
        let mut record = Self { bytes: [0; RECORD_BYTES], len: 0 };
        record.add(print.place.to_le_bytes());
        record.add(print.tag.to_le_bytes());
        for mut step in steps(last, stand) {
            while step > LOW_BITS {
                record.add([(step & LOW_BITS) as u8 | MORE]);
                step >>= LOW_BITS.count_ones();
            }
            record.add([step as u8]);
        }
        record
    }

    #[inline]
    fn add<const BYTES: usize>(&mut self, bytes: [u8; BYTES]) {
        if let Some(to) = self.bytes.get_mut(self.len..).and_then(|rest| rest.first_chunk_mut()) {
            *to = bytes;
            self.len += BYTES;
        }
    }

    fn written(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Takes a number off the bytes; none where it is cut off.
#[inline]
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(LOW_BITS.count_ones() as usize) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= (u64::from(*byte) & LOW_BITS) << shift;
        if byte & MORE == 0 {
            break;
        }
    }
    Some(number)
}

fn nameless() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("sluse-{}", Uuid::new_v4().simple()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

/// The fingerprint's two parts, and four numbers of ten times seven bits at most.
const RECORD_BYTES: usize = 4 + 8 + 4 * 10;
const LOW_BITS: u64 = 0x7F;
/// More of the number follows.
const MORE: u8 = 0x80;
const WRITE_BYTES: usize = 16 << 10;
const READ_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_order_from_the_file_of_their_fingerprints() {
        let seen = |number: u64| {
            let stand = Stand { number, line: number << 8, column: 7, offset: number << 40 };
            Seen { print: Fingerprint { place: ((number % 7) as u32 * 4) << 16, tag: 1 << 50 }, stand }
        };
        let mut overflow = Overflow::new(4);
        (1..=2_000).for_each(|number| overflow.add(&seen(number)).unwrap());
        let (mut all, parts) = (Vec::new(), overflow.into_parts().unwrap());
        assert_eq!(parts.len(), 1, "four divides by the number of files");
        parts.into_iter().for_each(|part| {
            part.for_each(|seen| {
                all.push(seen);
                Ok(())
            })
            .unwrap();
        });
        assert!(all.into_iter().eq((1..=2_000).map(seen)));
        assert!(Overflow::new(4).into_parts().unwrap().is_empty());
    }

    #[test]
    fn an_item_may_stand_anywhere() {
        let edges = [0, 1, 127, 128, 1 << 35, u64::MAX - 1, u64::MAX];
        let all: Vec<Seen> = (0..edges.len())
            .flat_map(|first| (0..edges.len()).map(move |second| (edges[first], edges[second])))
            .map(|(one, other)| {
                let stand = Stand { number: one, line: other, column: one ^ other, offset: other };
                Seen { print: Fingerprint { place: one as u32, tag: u64::MAX - one }, stand }
            })
            .collect();
        let mut overflow = Overflow::new(1);
        all.iter().for_each(|seen| overflow.add(seen).unwrap());
        let mut back = Vec::new();
        for part in overflow.into_parts().unwrap() {
            part.for_each(|seen| {
                back.push(seen);
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(back, all);
    }
}
