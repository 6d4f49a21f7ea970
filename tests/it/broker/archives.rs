//! How an archive is built: what is taken, and what each fault is called.

use super::*;
use crate::support::archive::Trailer;

fn payload() -> Entry {
    Entry::deflated("vedlegg/brev.txt", b"Hei. Hei. Hei. Hei.")
}

fn assert_taken(archive: &Archive) {
    let judged = judged(&archive.bytes());
    assert_eq!(judged.findings, []);
    assert_eq!((judged.refusal(), judged.judgement.items_total), (None, 3));
    assert_eq!(judged.judgement.contents.unwrap().entries, archive.entries.len() as u64);
}

fn assert_refused(bytes: &[u8], code: &str) {
    let judged = judged(bytes);
    assert_eq!(judged.refusal(), Some(code), "{:?}", judged.findings);
    assert_eq!(judged.items, []);
}

#[test]
fn what_ordinary_programs_write_is_taken() {
    let plain = shipment([payload(), Entry::stored("empty.txt", b""), Entry::stored("folder/", b"")]);
    assert_taken(&plain);
    assert_taken(&Archive { comment: b"made by hand".to_vec(), ..plain.clone() });
    assert_taken(&Archive { wide: true, ..plain.clone() });
    for order in [vec![4, 3, 2, 1, 0], vec![2, 0, 4, 1, 3]] {
        assert_taken(&Archive { order, ..plain.clone() });
    }
    for trailer in [Trailer::Signed, Trailer::Bare] {
        for wide in [false, true] {
            let entries: Vec<_> = plain.entries.iter().cloned().map(|entry| entry.with(trailer)).collect();
            assert_taken(&Archive { wide, ..Archive::of(entries) });
        }
    }
    let file = Entry { attributes: 0o100_644 << 16, ..payload() };
    let folder = Entry { attributes: 0o040_755 << 16 | 0x10, ..Entry::stored("f/", b"") };
    let secret = Entry { flags: 1, ..Entry::stored("secret.bin", b"ciphertext") };
    let odd = Entry { method: 14, size: 99, ..Entry::stored("odd.lzma", b"?????") };
    assert_taken(&shipment([file, folder, secret, odd]));
}

#[test]
fn control_files_are_found_in_any_case() {
    let [manifest, recipients] = <[Entry; 2]>::try_from(control_files()).unwrap();
    let renamed = |entry: &Entry, name: &str| Entry { name: name.into(), ..entry.clone() };
    assert_taken(&Archive::of([renamed(&recipients, "Recipients.xml"), renamed(&manifest, "MANIFEST.XML")]));
    assert_refused(&Archive::of([manifest.clone()]).bytes(), "ZP-302");
    assert_refused(&Archive::of([renamed(&manifest, "a/manifest.xml"), recipients.clone()]).bytes(), "ZP-301");
    let twice = [manifest.clone(), renamed(&manifest, "Manifest.xml"), recipients];
    assert_refused(&Archive::of(twice).bytes(), "ZP-110");
}

#[test]
fn what_is_no_archive_is_told_from_a_damaged_one() {
    assert_refused(b"", "IN-101");
    assert_refused(b"PK", "ZP-101");
    assert_refused(manifest("").as_bytes(), "ZP-101");
    assert_refused(&[0; 100_000], "ZP-101");
    let whole = shipment([payload()]).bytes();
    for cut in [1, 10, 21, 22, 60, 200] {
        let code = judged(&whole[..whole.len() - cut]).refusal();
        assert!(matches!(code, Some("ZP-102" | "ZP-106")), "{cut}: {code:?}");
    }
    assert_refused(&Archive::default().bytes(), "ZP-301");
}

#[test]
fn bytes_that_belong_to_no_entry_are_found() {
    let plain = shipment([payload()]);
    assert_refused(&[plain.bytes(), b"more".to_vec()].concat(), "ZP-106");
    assert_refused(&[b"before".to_vec(), plain.bytes()].concat(), "ZP-106");
    assert_refused(&Archive { gap: b"between".to_vec(), ..plain.clone() }.bytes(), "ZP-106");
    // An entry that the directory does not name.
    let bytes = plain.bytes();
    let record = plain.entries[2].record(false, plain.entries[2].data.len() as u64, 0).len();
    let start = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    let listed = [
        &bytes[..bytes.len() - 22 - record],
        &crate::support::archive::end(2, start as u64, (bytes.len() - 22 - record - start) as u64, false, b""),
    ]
    .concat();
    assert_refused(&listed, "ZP-106");
}

#[test]
fn an_end_that_can_be_read_in_two_ways_is_refused() {
    let inner = shipment([payload()]).bytes();
    // The comment of one end holds another, which also reaches the end of the file.
    let outer = Archive { comment: inner[inner.len() - 22..].to_vec(), ..shipment([payload()]) };
    assert_refused(&outer.bytes(), "ZP-102");
    let mut wide = Archive { wide: true, ..shipment([payload()]) }.bytes();
    let at = wide.len() - 22 + 10;
    wide[at..at + 2].copy_from_slice(&2_u16.to_le_bytes());
    assert_refused(&wide, "ZP-102");
    let mut many = shipment([payload()]).bytes();
    let at = many.len() - 22;
    many[at + 4] = 1;
    assert_refused(&many, "ZP-103");
    let mut count = shipment([payload()]).bytes();
    let at = count.len() - 22;
    (count[at + 8], count[at + 10]) = (2, 2);
    assert_refused(&count, "ZP-102");
}

#[test]
fn headers_that_disagree_are_found() {
    for entry in [
        Entry { local_name: Some(b"vedlegg/brev.exe".to_vec()), ..payload() },
        Entry { local_method: Some(0), ..payload() },
        Entry { local_size: Some(7), ..payload() },
        Entry { size: 3, ..Entry::stored("a.txt", b"abcd") },
        Entry { size: 3, local_size: Some(0), ..payload().with(Trailer::Signed) },
    ] {
        let changed = Entry { flags: entry.flags, ..entry };
        let mut bytes = shipment([changed]).bytes();
        // What follows the data says what the directory says, unless it is made to say something else.
        if let Some(at) = bytes.windows(4).position(|four| four == b"PK\x07\x08") {
            bytes[at + 12] ^= 1;
        }
        assert_refused(&bytes, "ZP-104");
    }
}

#[test]
fn entries_that_share_bytes_are_found() {
    let plain = shipment([payload(), Entry::stored("b.txt", b"b")]);
    let mut bytes = plain.bytes();
    // The last record leads to the entry before.
    let record = bytes.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    let other = bytes[..record].windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    let copy = bytes[other..record].to_vec();
    bytes.splice(record..bytes.len() - 22, copy);
    let size = bytes.len() - 22 - bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    let at = bytes.len() - 22 + 12;
    bytes[at..at + 4].copy_from_slice(&(size as u32).to_le_bytes());
    assert_refused(&bytes, "ZP-105");
}

#[test]
fn names_that_are_not_safe_are_found_wherever_they_stand() {
    for (name, code) in [
        ("../a", "ZP-108"),
        ("/etc/passwd", "ZP-108"),
        ("a\\..\\b", "ZP-108"),
        ("C:\\a", "ZP-108"),
        ("a\u{202e}b", "ZP-108"),
        (&"x".repeat(300), "ZP-111"),
    ] {
        assert_refused(&shipment([payload(), Entry::stored(name, b"a")]).bytes(), code);
    }
    let latin = Entry { name: b"bl\xe5b\xe6r.txt".to_vec(), ..payload() };
    assert_refused(&shipment([latin]).bytes(), "ZP-109");
    let second = Entry { extra: [&[0x75, 0x70, 10, 0, 1, 0, 0, 0, 0][..], b"other"].concat(), ..payload() };
    assert_refused(&shipment([second]).bytes(), "ZP-108");
    let judged =
        judged(&shipment([Entry::stored("Å.txt", b"1"), payload(), Entry::stored("a\u{30a}.TXT", b"2")]).bytes());
    assert_eq!(judged.codes(), ["ZP-110"]);
    assert!(judged.findings[0].text.contains("entry 5"), "{}", judged.findings[0].text);
    for attributes in [0o120_777_u32 << 16, 0o010_644 << 16, 0o060_644 << 16] {
        assert_refused(&shipment([Entry { attributes, ..payload() }]).bytes(), "ZP-107");
    }
}

#[test]
fn findings_name_no_entry() {
    let judged = judged(&shipment([Entry::stored("../01018512345", b"a")]).bytes());
    assert!(!format!("{judged:?}").contains("01018512345"));
}

#[test]
fn control_files_must_be_readable() {
    let [manifest, recipients] = <[Entry; 2]>::try_from(control_files()).unwrap();
    let with = |manifest: Entry| Archive::of([manifest, recipients.clone()]).bytes();
    assert_refused(&with(Entry { flags: 1, ..manifest.clone() }), "ZP-112");
    assert_refused(&with(Entry { method: 12, ..manifest.clone() }), "ZP-113");
    assert_refused(&with(Entry { crc: 1, ..manifest.clone() }), "ZP-114");
    assert_refused(&with(Entry { size: manifest.size - 1, ..manifest.clone() }), "ZP-114");
    assert_refused(&with(Entry { size: manifest.size + 1, ..manifest.clone() }), "ZP-114");
    let mut damaged = manifest.clone();
    damaged.data.truncate(damaged.data.len() - 9);
    assert_refused(&with(damaged), "ZP-114");
    let mut longer = manifest;
    longer.data.extend(b"hidden");
    assert_refused(&with(longer), "ZP-114");
}

#[test]
fn any_read_size_gives_the_same() {
    let damaged = Entry { local_size: Some(7), ..payload() };
    let others = [payload(), damaged, Entry::stored("../x", b"")];
    for archive in [shipment([payload()]), Archive { wide: true, ..shipment([payload()]) }, shipment(others)] {
        let bytes = archive.bytes();
        let whole = judged(&bytes);
        for size in [1, 3, 1_000] {
            assert_eq!(judged_by(&Grudging(bytes.clone(), size), &judging()), whole, "{size}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_no_refusal() {
    struct Failing(Vec<u8>, u64);
    impl Blob for Failing {
        fn size_bytes(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            if (offset..offset + into.len() as u64).contains(&self.1) {
                return Err(io::Error::other("the disk is gone"));
            }
            InMemory(self.0.clone()).read_at(offset, into)
        }
    }
    let bytes = shipment([payload()]).bytes();
    for at in 0..bytes.len() as u64 {
        let error = judge(&Failing(bytes.clone(), at), &judging(), &mut |_| Ok(()));
        // Not every byte is read: the payload is nobody's business.
        if let Ok(judgement) = error {
            assert_eq!(judgement.refusal, None, "byte {at}");
        }
    }
    assert!(judge(&Failing(bytes, 0), &judging(), &mut |_| Ok(())).is_err());
}
