//! A million entries, and gigabytes: judged in the memory a small archive needs.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::bad_input::huge::{MOST_KIB, peak_kib};
use crate::support::archive::end;

const ENTRIES: u64 = 1_000_000;
/// Set for the process that judges, so that nobody else's memory is counted.
const ARCHIVE: &str = "SLUSE_TEST_ARCHIVE";

struct OnDisk(File);

impl Blob for OnDisk {
    fn size_bytes(&self) -> u64 {
        self.0.metadata().unwrap().len()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }
}

#[test]
fn a_million_entries_need_little_memory() {
    let Some(judged) = judged_apart("broker::huge::a_million_entries_need_little_memory", write_million) else {
        return;
    };
    assert_eq!(judged, format!("None 3 {ENTRIES}"));
}

#[test]
fn gigabytes_need_little_memory() {
    let Some(judged) = judged_apart("broker::huge::gigabytes_need_little_memory", write_sparse) else { return };
    assert_eq!(judged, "None 3 4");
}

#[test]
fn ten_thousand_recipients_and_more_need_little_memory() {
    let judged = judged_apart("broker::huge::ten_thousand_recipients_and_more_need_little_memory", write_recipients);
    let Some(judged) = judged else { return };
    assert_eq!(judged, "None 300000 2");
}

/// Writes an archive, judges it in a process of its own and holds that one's memory against the limit.
fn judged_apart(test: &str, write: fn(&Path)) -> Option<String> {
    if let Some(path) = std::env::var_os(ARCHIVE) {
        let mut items = 0;
        let judgement = judge(&OnDisk(File::open(path).unwrap()), &judging(), &mut |found| {
            if let Found::Items(chunk) = found {
                items += chunk.len();
            }
            Ok(())
        });
        let judgement = judgement.unwrap();
        let entries = judgement.contents.map_or(0, |contents| contents.entries);
        eprintln!("judged={:?} {items} {entries}", judgement.refusal);
        eprintln!("peak={}", peak_kib(std::process::id()));
        return None;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    write(file.path());
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--nocapture"]).env(ARCHIVE, file.path()).output().unwrap();
    let output = String::from_utf8(output.stderr).unwrap();
    let field = |name: &str| output.lines().find_map(|line| line.split_once(name)).map(|(_, value)| value.to_owned());
    let peak: u64 = field("peak=").unwrap_or_else(|| panic!("{output}")).parse().unwrap();
    assert!(peak < MOST_KIB, "{peak} KiB");
    Some(field("judged=").unwrap_or_else(|| panic!("{output}")))
}

fn write_million(path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let (mut at, mut directory) = (0, Vec::new());
    let others = (2..ENTRIES).map(|nth| Entry::stored(&format!("{:03}/{nth:07}.txt", nth % 1_000), b"innhold"));
    for entry in control_files().into_iter().chain(others) {
        directory.extend(entry.record(false, entry.data.len() as u64, at));
        let bytes = entry.bytes(false);
        file.write_all(&bytes).unwrap();
        at += bytes.len() as u64;
    }
    let size = directory.len() as u64;
    file.write_all(&directory).unwrap();
    // So many entries are told of by zip64's end records only.
    file.write_all(&end(ENTRIES, at, size, true, b"")).unwrap();
    file.flush().unwrap();
}

/// Two files of five gigabytes each, which take no room on disk.
fn write_sparse(path: &Path) {
    const HUGE: u64 = 5_000_000_000;
    let mut file = File::create(path).unwrap();
    let mut directory = Vec::new();
    for name in ["en.bin", "to.bin"] {
        let at = file.stream_position().unwrap();
        let entry = Entry { size: HUGE, ..Entry::stored(name, b"") };
        directory.extend(entry.record(true, HUGE, at));
        let mut header = entry.bytes(true);
        // The packed size, which the writer takes from the data.
        let field = header.len() - 8;
        header[field..].copy_from_slice(&HUGE.to_le_bytes());
        file.write_all(&header).unwrap();
        file.seek(SeekFrom::Current(HUGE as i64)).unwrap();
    }
    for entry in control_files() {
        directory.extend(entry.record(true, entry.data.len() as u64, file.stream_position().unwrap()));
        file.write_all(&entry.bytes(true)).unwrap();
    }
    let at = file.stream_position().unwrap();
    file.write_all(&directory).unwrap();
    file.write_all(&end(4, at, directory.len() as u64, true, b"")).unwrap();
}

fn write_recipients(path: &Path) {
    let parties = RECIPIENTS.iter().copied().cycle().take(300_000);
    let entries = [
        Entry::stored("manifest.xml", manifest("").as_bytes()),
        Entry::stored("recipients.xml", recipients(parties).as_bytes()),
    ];
    std::fs::write(path, Archive::of(entries).bytes()).unwrap();
}
