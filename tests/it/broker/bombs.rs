//! The classic bombs, made here: refused by their sizes, their overlaps or their depth, or taken without unpacking them.

use super::*;

const MEGABYTE: usize = 1 << 20;

fn refused(archive: &Archive, code: &str) {
    let judged = judged(&archive.bytes());
    assert_eq!(judged.refusal(), Some(code), "{:?}", judged.findings);
    assert_eq!(judged.items, []);
}

#[test]
fn a_file_that_grows_too_much_is_refused() {
    refused(&shipment([Entry::deflated("zeros", &vec![0; 20 * MEGABYTE])]), "ZP-203");
    // As declared, whatever it really is.
    refused(&shipment([Entry { size: 1 << 34, ..Entry::deflated("lie", b"small") }]).wide(), "ZP-203");
    refused(&shipment([Entry { size: 1 << 41, ..Entry::deflated("lie", b"small") }]).wide(), "ZP-202");
    let many = (0..10).map(|nth| Entry { size: 15 << 20, ..Entry::deflated(&format!("{nth}"), b"small") });
    refused(&shipment(many), "ZP-204");
}

#[test]
fn archives_like_42_zip_are_refused_by_their_depth() {
    let mut inner = Archive::of([Entry::deflated("0.dll", &vec![0; MEGABYTE])]).bytes();
    for level in 0..5 {
        let entries: Vec<_> = (0..4).map(|nth| Entry::deflated(&format!("{level}-{nth}.zip"), &inner)).collect();
        let archive = shipment(entries.clone());
        let judged = judged(&archive.bytes());
        let expected = if level < 3 { None } else { Some("ZP-205") };
        assert_eq!(judged.refusal(), expected, "{level}: {:?}", judged.findings);
        inner = Archive::of(entries).bytes();
    }
}

#[test]
fn an_archive_is_known_by_name_or_by_its_beginning() {
    let inner = Archive::of([Entry::stored("a", b"a")]).bytes();
    let none = Judging { limits: Limits { nesting: 0, ..Limits::default() }, ..judging() };
    for (entry, refused) in [
        (Entry::stored("a.txt", b"a"), false),
        (Entry::stored("a.zip", b"a"), true),
        (Entry::stored("A.7Z", b"a"), true),
        (Entry::stored("a.bin", &inner), true),
        (Entry::deflated("a.bin", &inner), true),
        (Entry::stored("a.bin", b"\x1f\x8b\x08\0"), true),
    ] {
        let blob = InMemory(shipment([entry.clone()]).bytes());
        assert_eq!(judged_by(&blob, &none).refusal(), refused.then_some("ZP-205"), "{entry:?}");
    }
}

#[test]
fn an_archive_that_holds_itself_is_found_to_have_no_end() {
    // Deflate that writes its own archive: the data begins with the archive's header, and copies itself from there on.
    // What it comes to after the beginning does not matter, since only beginnings are looked at.
    let name = b"r/r.zip";
    let header = |data: usize| {
        let entry = Entry { name: name.to_vec(), method: 8, size: 400, data: vec![0; data], ..Entry::default() };
        entry.bytes(false)[..30 + name.len()].to_vec()
    };
    let quine = |data: &[u8]| [header(data.len()), data.to_vec()].concat();
    let mut data = vec![];
    // A stored block that holds the archive's beginning, which holds the block's own: as deep as there is room.
    for _ in 0..6 {
        let whole = quine(&data);
        let length = whole.len() as u16;
        data = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), &whole].concat();
    }
    refused(&shipment([Entry { name: name.to_vec(), method: 8, size: 400, data, ..Entry::default() }]), "ZP-205");
}

#[test]
fn overlapping_files_as_in_the_better_zip_bomb_are_refused() {
    // Every entry's data is the next entry's header, quoted in a stored block, and the one kernel they all share.
    let kernel = Entry::deflated("kernel", &vec![0; MEGABYTE]);
    let names: Vec<String> = (0..20).map(|nth| format!("{nth:02}")).collect();
    let mut files = kernel.bytes(false);
    let mut records = vec![kernel.record(false, kernel.data.len() as u64, 0)];
    let mut data = kernel.data.clone();
    let mut size = kernel.size;
    for name in &names {
        let quoted = files[..files.len() - data.len()].len() as u16;
        let block = [&[0][..], &quoted.to_le_bytes(), &(!quoted).to_le_bytes()].concat();
        data = [block, files.clone()].concat();
        size += u64::from(quoted);
        let entry = Entry { name: name.as_bytes().to_vec(), method: 8, size, data: data.clone(), ..Entry::default() };
        files = entry.bytes(false);
        records.push(entry.record(false, data.len() as u64, 0));
    }
    // Where each of them begins: they all end together.
    let total = files.len();
    let mut bytes = files.clone();
    let mut directory = Vec::new();
    for (record, length) in records.iter().zip(lengths(&kernel, &names)) {
        let mut record = record.clone();
        record[42..46].copy_from_slice(&((total - length) as u32).to_le_bytes());
        directory.extend(record);
    }
    for entry in control_files() {
        directory.extend(entry.record(false, entry.data.len() as u64, bytes.len() as u64));
        bytes.extend(entry.bytes(false));
    }
    let start = bytes.len() as u64;
    bytes.extend(&directory);
    let count = names.len() as u64 + 3;
    bytes.extend(crate::support::archive::end(count, start, directory.len() as u64, false, b""));
    let judged = judged(&bytes);
    assert_eq!(judged.refusal(), Some("ZP-105"), "{:?}", judged.findings);
}

/// How many bytes each file of the chain has, with all that it quotes.
fn lengths(kernel: &Entry, names: &[String]) -> Vec<usize> {
    let mut lengths = vec![kernel.bytes(false).len()];
    for name in names {
        let last = *lengths.last().unwrap();
        lengths.push(30 + name.len() + 5 + last);
    }
    lengths
}

#[test]
fn a_control_file_is_unpacked_no_further_than_it_declares() {
    let text = manifest(&" ".repeat(8 * MEGABYTE));
    let lie = Entry { size: 1_000, ..Entry::deflated("manifest.xml", text.as_bytes()) };
    let [_, recipients] = <[Entry; 2]>::try_from(control_files()).unwrap();
    refused_later(&Archive::of([lie, recipients.clone()]), "ZP-114");
    let limits = Limits { control_bytes: 1_000, ..Limits::default() };
    let honest = Archive::of([Entry::deflated("manifest.xml", text.as_bytes()), recipients]);
    let judged = judged_by(&InMemory(honest.bytes()), &Judging { limits, ..judging() });
    assert_eq!(judged.refusal(), Some("ZP-207"));
}

fn refused_later(archive: &Archive, code: &str) {
    let judged = judged(&archive.bytes());
    assert_eq!(judged.refusal(), Some(code), "{:?}", judged.findings);
}

#[test]
fn too_many_entries_are_refused_unread() {
    let limits = Limits { entries: 3, ..Limits::default() };
    let blob = InMemory(shipment([Entry::stored("a", b""), Entry::stored("b", b"")]).bytes());
    assert_eq!(judged_by(&blob, &Judging { limits, ..judging() }).refusal(), Some("ZP-201"));
}
