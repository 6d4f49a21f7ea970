//! Items that repeat: keys seen before, in memory that does not grow with the file.
//!
//! A run of items is held, and repeats within it are told at once. A run that is full is sorted and written to a file
//! without a name; at the end the runs are read side by side, and what more than one of them has is told then.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use uuid::Uuid;

use crate::model::NewItem;

/// The items seen so far.
pub(super) struct Repeats {
    run_items: usize,
    keys: HashSet<Key, Mixing>,
    run: Vec<Seen>,
    spilled: Option<Spilled>,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stand {
    pub(super) number: u64,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) offset: u64,
}

/// Items that repeat others far before them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) count: u64,
    /// The first of them, in the order of the file.
    pub(super) first: Vec<Stand>,
}

type Key = u128;

/// By key first: this is the order of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    key: Key,
    stand: Stand,
}

/// Runs on disk, each sorted.
struct Spilled {
    file: File,
    /// Where each run ends; it begins where the one before ends.
    ends: Vec<u64>,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self::with_run(RUN_ITEMS)
    }

    fn with_run(run_items: usize) -> Self {
        Self { run_items, keys: HashSet::with_hasher(Mixing::new()), run: Vec::new(), spilled: None }
    }

    /// Takes note of an item; tells whether it repeats one of its run.
    pub(super) fn see(&mut self, item: &NewItem) -> io::Result<bool> {
        self.note(Seen { key: item.key.0.as_u128(), stand: Stand::of(item) })
    }

    fn note(&mut self, seen: Seen) -> io::Result<bool> {
        if self.run.capacity() == 0 {
            // At once: memory that grows leaves holes behind, which count as memory too.
            self.run.reserve_exact(self.run_items);
            self.keys.reserve(self.run_items);
        }
        if !self.keys.insert(seen.key) {
            return Ok(true);
        }
        self.run.push(seen);
        if self.run.len() == self.run_items {
            self.spill()?;
        }
        Ok(false)
    }

    /// The items that repeat one of another run, with the first so many of them.
    pub(super) fn late(mut self, most: usize) -> io::Result<Late> {
        if self.spilled.is_none() {
            return Ok(Late::default());
        }
        self.spill()?;
        self.keys = HashSet::with_hasher(Mixing::new());
        self.run = Vec::new();
        self.spilled.map_or_else(|| Ok(Late::default()), |spilled| spilled.late(most))
    }

    fn spill(&mut self) -> io::Result<()> {
        self.run.sort_unstable_by_key(|seen| seen.key);
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled { file: nameless()?, ends: Vec::new() }),
        };
        let mut out = BufWriter::new(&spilled.file);
        self.run.iter().try_for_each(|seen| out.write_all(&seen.to_bytes()))?;
        out.flush()?;
        drop(out);
        let begin = spilled.ends.last().copied().unwrap_or_default();
        spilled.ends.push(begin + (self.run.len() * SEEN_BYTES) as u64);
        self.run.clear();
        self.keys.clear();
        Ok(())
    }
}

impl Spilled {
    fn late(&self, most: usize) -> io::Result<Late> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        let at_once = (READ_BYTES / self.ends.len().max(1) / SEEN_BYTES).max(1) * SEEN_BYTES;
        let mut runs: Vec<Run<'_>> =
            begins.zip(&self.ends).map(|(at, end)| Run::new(&self.file, at, *end, at_once)).collect();
        let mut next = BinaryHeap::new();
        for (index, run) in runs.iter_mut().enumerate() {
            next.extend(run.take()?.map(|seen| Reverse((seen, index))));
        }
        let (mut count, mut first, mut last) = (0, BinaryHeap::new(), None);
        while let Some(Reverse((seen, index))) = next.pop() {
            // Of one key they come in the order of the file: all but the first of them repeat it.
            if last.replace(seen.key) == Some(seen.key) {
                count += 1;
                first.push(seen.stand);
                if first.len() > most {
                    first.pop();
                }
            }
            if let Some(run) = runs.get_mut(index) {
                next.extend(run.take()?.map(|seen| Reverse((seen, index))));
            }
        }
        Ok(Late { count, first: first.into_sorted_vec() })
    }
}

/// A run being read.
struct Run<'f> {
    file: &'f File,
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    taken: usize,
    at_once: usize,
}

impl<'f> Run<'f> {
    fn new(file: &'f File, at: u64, end: u64, at_once: usize) -> Self {
        Self { file, at, end, buffer: Vec::new(), taken: 0, at_once }
    }

    fn take(&mut self) -> io::Result<Option<Seen>> {
        if self.taken == self.buffer.len() {
            let count = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(self.at_once);
            self.buffer.resize(count, 0);
            self.file.read_exact_at(&mut self.buffer, self.at)?;
            self.at += count as u64;
            self.taken = 0;
        }
        let bytes = self.buffer.get(self.taken..).and_then(<[u8]>::first_chunk);
        self.taken += bytes.map_or(0, |bytes: &[u8; SEEN_BYTES]| bytes.len());
        Ok(bytes.map(Seen::from_bytes))
    }
}

impl Stand {
    pub(super) fn of(item: &NewItem) -> Self {
        Self { number: item.number, line: item.line, column: item.column, offset: item.range.start }
    }
}

impl Seen {
    fn to_bytes(self) -> [u8; SEEN_BYTES] {
        let Stand { number, line, column, offset } = self.stand;
        let mut bytes = [0; SEEN_BYTES];
        let key = self.key.to_le_bytes();
        let (place, stand) = bytes.split_at_mut(key.len());
        place.copy_from_slice(&key);
        for (place, number) in stand.chunks_exact_mut(8).zip([number, line, column, offset]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; SEEN_BYTES]) -> Self {
        let (key, stand) = bytes.split_first_chunk().expect("a key is shorter");
        let mut numbers = stand.chunks_exact(8).map(|chunk| chunk.try_into().map_or(0, u64::from_le_bytes));
        let mut number = || numbers.next().unwrap_or_default();
        let stand = Stand { number: number(), line: number(), column: number(), offset: number() };
        Self { key: Key::from_le_bytes(*key), stand }
    }
}

/// Keys are hashes already; what is mixed in keeps a file from being made for them to collide.
#[derive(Clone, Copy)]
struct Mixing {
    secret: [u64; 2],
    mixed: u64,
}

impl Mixing {
    fn new() -> Self {
        let random = RandomState::new();
        Self { secret: [random.hash_one(0), random.hash_one(1)], mixed: 0 }
    }
}

impl BuildHasher for Mixing {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Mixing {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u128(Key::from(*byte)));
    }

    fn write_u128(&mut self, key: u128) {
        let [one, other] = self.secret;
        let halves = (key as u64 ^ one ^ self.mixed, (key >> 64) as u64 ^ other);
        let product = u128::from(halves.0) * u128::from(halves.1);
        self.mixed = product as u64 ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.mixed
    }
}

/// A file that is gone when it is closed.
fn nameless() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("sluse-{}", Uuid::new_v4().simple()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

/// Items of one run.
const RUN_ITEMS: usize = 32 << 10;
const SEEN_BYTES: usize = 48;
/// What the buffers of all runs take while they are read side by side.
const READ_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(run: usize, most: usize, keys: &[u8]) -> (Vec<u64>, u64, Vec<u64>) {
        let mut repeats = Repeats::with_run(run);
        let mut at_once = Vec::new();
        for (number, key) in (1..).zip(keys) {
            let stand = Stand { number, line: number * 2, column: 3, offset: number << 40 };
            if repeats.note(Seen { key: Key::from(*key), stand }).unwrap() {
                at_once.push(number);
            }
        }
        let late = repeats.late(most).unwrap();
        assert!(late.first.iter().all(|stand| stand.line == stand.number * 2 && stand.offset == stand.number << 40));
        (at_once, late.count, late.first.iter().map(|stand| stand.number).collect())
    }

    #[test]
    fn repeats_are_told_once_wherever_they_stand() {
        let keys = [1, 2, 1, 3, 4, 2, 2, 5, 1, 6, 2];
        assert_eq!(told(100, 9, &keys), (vec![3, 6, 7, 9, 11], 0, vec![]));
        assert_eq!(told(3, 9, &keys), (vec![3, 7], 3, vec![6, 9, 11]));
        assert_eq!(told(1, 9, &keys), (vec![], 5, vec![3, 6, 7, 9, 11]));
        assert_eq!(told(1, 2, &keys), (vec![], 5, vec![3, 6]));
        assert_eq!(told(1, 9, &[1, 2, 3]), (vec![], 0, vec![]));
    }

    #[test]
    fn many_runs_are_read_in_small_pieces() {
        let keys: Vec<u8> = (0..=255).chain(0..=255).collect();
        let (at_once, late, first) = told(1, 1_000, &keys);
        assert_eq!((at_once.len(), late), (0, 256));
        assert_eq!(first, (257..=512).collect::<Vec<_>>());
    }
}
