//! Archives as `sluse generate` writes them.

use std::collections::BTreeSet;

use sluse::generate::{Format, Mistake, Options, Profile, planted, write};

use super::judged;

#[test]
fn of_a_generated_archive_the_planted_recipients_are_refused_and_nothing_else() {
    for profile in Profile::ALL {
        for (seed, errors) in [(1, "0"), (2, "0"), (3, "0"), (1, "20%"), (2, "20%"), (3, "20%")] {
            let options = Options { errors: errors.parse().unwrap(), ..Options::of(Format::Broker, 60, profile, seed) };
            let mut archive = Vec::new();
            write(&options, &mut archive).unwrap();
            let judged = judged(&archive);
            let found: BTreeSet<u64> = judged.findings.iter().filter_map(|finding| finding.item).collect();
            // Repeats are for the ledger to find.
            let planted = planted(&options).filter(|(_, mistake)| *mistake != Mistake::RepeatedReference);
            let known: BTreeSet<u64> = planted.map(|(item, _)| item).collect();
            assert_eq!((judged.refusal(), judged.items.len()), (None, 60), "{:?}", judged.findings);
            assert_eq!(found, known, "{profile:?} {seed}");
            assert!(judged.findings.iter().all(|finding| finding.item.is_some()), "{:?}", judged.findings);
        }
    }
}
