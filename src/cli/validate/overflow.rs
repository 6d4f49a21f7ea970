//! Items that wait on disk, in files that are gone when they are closed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
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
}

impl Overflow {
    /// None yet, to be kept in so many files.
    pub(super) fn new(files: usize) -> Self {
        Self { files, parts: Vec::new() }
    }

    /// Adds an item.
    pub(super) fn add(&mut self, seen: &Seen) -> io::Result<()> {
        while self.parts.len() < self.files {
            self.parts.push(Part { out: BufWriter::with_capacity(WRITE_BYTES, nameless()?), items: 0 });
        }
        // The other half chooses the bucket.
        let file = (seen.print as u64 % self.files as u64) as usize;
        let Some(part) = self.parts.get_mut(file) else { return Ok(()) };
        part.items += 1;
        part.out.write_all(&seen.to_bytes())
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
    /// How many there are, one at least.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Goes through the items.
    pub(super) fn for_each(self, mut f: impl FnMut(Seen) -> io::Result<()>) -> io::Result<()> {
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut bytes = BufReader::with_capacity(READ_BYTES, file);
        let mut seen = [0; SEEN_BYTES];
        for _ in 0..self.items {
            bytes.read_exact(&mut seen)?;
            f(Seen::from_bytes(&seen))?;
        }
        Ok(())
    }
}

impl Seen {
    fn to_bytes(self) -> [u8; SEEN_BYTES] {
        let Stand { number, line, column, offset } = self.stand;
        let mut bytes = [0; SEEN_BYTES];
        let (print, stand) = bytes.split_at_mut(size_of::<Fingerprint>());
        print.copy_from_slice(&self.print.to_le_bytes());
        for (place, number) in stand.chunks_exact_mut(8).zip([number, line, column, offset]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; SEEN_BYTES]) -> Self {
        let (print, stand) = bytes.split_first_chunk().expect("a fingerprint is shorter");
        let mut numbers = stand.chunks_exact(8).map(|chunk| chunk.try_into().map_or(0, u64::from_le_bytes));
        let mut number = || numbers.next().unwrap_or_default();
        let stand = Stand { number: number(), line: number(), column: number(), offset: number() };
        Self { print: Fingerprint::from_le_bytes(*print), stand }
    }
}

fn nameless() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("sluse-{}", Uuid::new_v4().simple()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

const SEEN_BYTES: usize = 48;
const WRITE_BYTES: usize = 8 << 10;
const READ_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_order_from_the_file_of_their_fingerprints() {
        let seen = |number: u64| {
            let stand = Stand { number, line: number << 8, column: 7, offset: number << 40 };
            Seen { print: Fingerprint::from(number % 7) << 3 | 1 << 100, stand }
        };
        let mut overflow = Overflow::new(4);
        (1..=2_000).for_each(|number| overflow.add(&seen(number)).unwrap());
        let (mut all, parts) = (Vec::new(), overflow.into_parts().unwrap());
        assert_eq!(parts.len(), 1, "eight divides by the number of files");
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
}
