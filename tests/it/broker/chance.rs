//! Archives made and mutated at random: no panic, little memory, and the same verdict however they are read.

use proptest::prelude::*;

use super::*;
use crate::support::archive::Trailer;

fn any_entry() -> impl Strategy<Value = Entry> {
    let name = prop::sample::select(vec!["a.txt", "b/c.txt", "å.txt", "d.zip", "../e", "A.TXT", "f/", "manifest.xml"]);
    let content = prop::collection::vec(any::<u8>(), 0..200);
    let trailer = prop::sample::select(vec![Trailer::Nothing, Trailer::Signed, Trailer::Bare]);
    (name, content, any::<bool>(), trailer).prop_map(|(name, content, deflated, trailer)| {
        let content = if name.ends_with('/') { Vec::new() } else { content };
        let entry = if deflated { Entry::deflated(name, &content) } else { Entry::stored(name, &content) };
        if trailer == Trailer::Nothing { entry } else { entry.with(trailer) }
    })
}

fn any_archive() -> impl Strategy<Value = (Archive, Vec<usize>)> {
    let entries = prop::collection::vec(any_entry(), 0..6);
    let shuffled = entries.prop_flat_map(|others| {
        let archive = shipment(others);
        let order: Vec<usize> = (0..archive.entries.len()).collect();
        (Just(archive), Just(order).prop_shuffle())
    });
    (shuffled, any::<bool>(), prop::collection::vec(any::<u8>(), 0..8)).prop_map(|((archive, order), wide, comment)| {
        (Archive { wide, comment, order: order.clone(), ..archive }, order)
    })
}

/// What an archive must be refused for, if for anything.
fn expected(archive: &Archive) -> Option<&'static str> {
    let names: Vec<String> =
        archive.entries.iter().map(|entry| String::from_utf8(entry.name.clone()).unwrap().to_lowercase()).collect();
    if names.iter().any(|name| name.starts_with("..")) {
        return Some("ZP-108");
    }
    let repeats = names.iter().enumerate().any(|(nth, name)| names[..nth].contains(name));
    repeats.then_some("ZP-110")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_planted_faults_and_no_others_are_found((archive, _) in any_archive()) {
        let judged = judged(&archive.bytes());
        prop_assert_eq!(judged.refusal(), expected(&archive), "{:?}", judged.findings);
    }

    #[test]
    fn mutants_are_judged_alike_in_any_pieces(
        (archive, _) in any_archive(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        size in 1_usize..600,
    ) {
        let mut bytes = archive.bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        prop_assert_eq!(judged(&bytes), judged_by(&Grudging(bytes.clone(), size), &judging()));
    }

    /// Fields of the records that say where things lie are the ones an attacker would change.
    #[test]
    fn mutated_fields_never_make_it_panic(
        (archive, _) in any_archive(),
        signature in prop::sample::select(vec![b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"]),
        nth in any::<prop::sample::Index>(),
        field in 4_usize..60,
        value in prop::sample::select(vec![0_u64, 1, 45, 0xffff, 0xffff_ffff, u64::MAX, u64::MAX - 30, 1 << 63]),
        width in prop::sample::select(vec![2_usize, 4, 8]),
    ) {
        let mut bytes = archive.bytes();
        let places: Vec<usize> =
            bytes.windows(4).enumerate().filter(|(_, four)| four == signature).map(|(at, _)| at).collect();
        if !places.is_empty() {
            let at = (places[nth.index(places.len())] + field).min(bytes.len());
            let end = (at + width).min(bytes.len());
            bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
        }
        let judged = judged(&bytes);
        // What is taken can be delivered.
        if let (None, Some(contents)) = (judged.judgement.refusal, judged.judgement.contents) {
            let blob = InMemory(bytes);
            let delivery = for_recipient(&blob, &contents, RECIPIENTS[0], None).unwrap();
            let again = self::judged(&written(&delivery, &blob));
            prop_assert_eq!((again.refusal(), again.codes(), again.items.len()), (None, Vec::new(), 1));
        }
    }
}
