//! What a receiver gets: the same archive with a list of one recipient, sent at a time.

use std::io::{Cursor, Read as _};

use super::*;
use crate::support::archive::Trailer;

#[test]
fn it_is_the_archive_that_would_have_been_written_without_the_list_and_another_list() {
    let others = [
        Entry::deflated("a.txt", b"aaaa"),
        Entry::stored("b/c.bin", &[7; 70_000]),
        Entry::deflated("d.txt", b"d").with(Trailer::Signed),
    ];
    for place in 0..=3 {
        for wide in [false, true] {
            let [manifest, list] = <[Entry; 2]>::try_from(control_files()).unwrap();
            let mut entries = vec![manifest];
            entries.extend(others.clone());
            let expected = Archive { wide, comment: b"note".to_vec(), ..Archive::of(entries.clone()) };
            entries.insert(place, list);
            let archive = Archive { entries, ..expected.clone() };
            assert_delivery(&delivered(&archive.bytes(), RECIPIENTS[1]), &expected, RECIPIENTS[1]);
        }
    }
}

#[test]
fn a_directory_in_another_order_keeps_it() {
    let [manifest, list] = <[Entry; 2]>::try_from(control_files()).unwrap();
    let payload = Entry::stored("a.txt", b"aaaa");
    let archive = Archive { order: vec![2, 1, 0], ..Archive::of([list, manifest.clone(), payload.clone()]) };
    let expected = Archive { order: vec![1, 0], ..Archive::of([manifest, payload]) };
    assert_delivery(&delivered(&archive.bytes(), RECIPIENTS[2]), &expected, RECIPIENTS[2]);
}

#[test]
fn large_archives_come_in_pieces() {
    let others = (0..20_000).map(|nth| Entry::stored(&format!("{nth:06}.txt"), b"innhold"));
    let archive = shipment(others);
    let mut expected = archive.clone();
    expected.entries.remove(1);
    assert_delivery(&delivered(&archive.bytes(), RECIPIENTS[2]), &expected, RECIPIENTS[2]);
}

#[test]
fn another_archive_than_the_judged_one_is_found_out() {
    let judged = judged(&shipment([Entry::stored("a", b"a")]).bytes());
    let other = InMemory(shipment([]).bytes());
    assert!(for_recipient(&other, &judged.judgement.contents.unwrap(), SENDER, None).is_err());
}

/// The files of the delivered archive, as another reader of archives finds them.
fn files(bytes: &[u8], sent: &str) -> Vec<(String, Vec<u8>)> {
    let judged = judged(bytes);
    let blob = InMemory(bytes.to_vec());
    let contents = judged.judgement.contents.unwrap();
    let delivery = for_recipient(&blob, &contents, RECIPIENTS[0], Some(sent)).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(written(&delivery, &blob))).unwrap();
    let count = archive.len();
    let read = |nth| {
        let mut file = archive.by_index(nth).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        (file.name().unwrap().into_owned(), content)
    };
    (0..count).map(read).collect()
}

#[test]
fn the_manifest_says_when_it_was_sent() {
    const SENT: &str = "2026-11-27T12:00:00Z";
    let others = [
        Entry::deflated("a.txt", b"aaaa"),
        Entry::stored("b/c.bin", &[7; 70_000]),
        Entry::deflated("d.txt", b"d").with(Trailer::Signed),
    ];
    for place in 0..=4 {
        for (wide, trailer) in [(false, Trailer::Nothing), (false, Trailer::Signed), (true, Trailer::Nothing)] {
            let [given, list] = <[Entry; 2]>::try_from(control_files()).unwrap();
            let mut entries = others.to_vec();
            entries.insert(place.min(3), if trailer == Trailer::Nothing { given } else { given.with(trailer) });
            entries.insert(4 - place, list);
            let archive = Archive { wide, comment: b"note".to_vec(), ..Archive::of(entries) };
            let found = files(&archive.bytes(), SENT);
            assert_eq!(found.len(), 5, "{place} {wide}");
            for (name, content) in found {
                match name.as_str() {
                    "manifest.xml" => {
                        let dated = String::from_utf8(content).unwrap();
                        assert!(dated.contains(&format!("<SentDate>{SENT}</SentDate>")), "{dated}");
                    }
                    "recipients.xml" => assert!(String::from_utf8(content).unwrap().contains(RECIPIENTS[0])),
                    "a.txt" => assert_eq!(content, b"aaaa"),
                    "b/c.bin" => assert_eq!(content, [7; 70_000]),
                    "d.txt" => assert_eq!(content, b"d"),
                    other => panic!("{other}"),
                }
            }
        }
    }
}
