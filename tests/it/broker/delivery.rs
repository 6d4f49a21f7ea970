//! What a receiver gets: the same archive with a list of one recipient.

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
    assert!(for_recipient(&other, &judged.judgement.contents.unwrap(), SENDER).is_err());
}
