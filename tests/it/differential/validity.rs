//! Documents with elements, attributes and texts changed, judged by several schemas.

use super::chance::Chance;
use super::known::{Case, Peer, Said};
use super::ours::Ours;
use super::tally::Tally;
use super::{SEEDS, fixture, mutated_bytes, mutated_elements, rounds, seed};
use crate::peers::{Libxml2, Opinion, Xerces};

/// Mutants of each schema's document in a bounded run.
const MUTANTS: usize = 600;

#[test]
fn mutants_are_valid_to_us_as_to_others() {
    let (Some(mut xerces), Some(libxml2)) = (Xerces::start(), Libxml2::find()) else { return };
    let mut tally = Tally::default();
    let named = SEEDS.iter().map(|name| {
        let file = |end| fixture(&format!("differential/{name}.{end}"));
        (*name, file("xsd"), file("xml"))
    });
    let prefill = (
        "prefill",
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/prefill/service-owner-2009-10.xsd")).unwrap(),
        fixture("prefill/valid/both-parts.xml"),
    );
    for (name, schema, document) in named.chain([prefill]) {
        let ours = Ours::schema(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(xerces.schema(&schema), Opinion::Accepted, "{name}");
        let mut chance = Chance::new(seed());
        let document = String::from_utf8(document).expect("seeds are UTF-8");
        assert_eq!(ours.document(document.as_bytes(), &[]), Opinion::Accepted, "{name}");
        let mutants = (0..rounds(MUTANTS))
            .map(|_| mutated_elements::mutant(&document, &mutated_elements::DOCUMENT, &mut chance).into_bytes());
        let mutants: Vec<_> = mutants.collect();
        let by_libxml2 = libxml2.documents(&schema, &mutants);
        for (mutant, by_libxml2) in mutants.iter().zip(&by_libxml2) {
            let by_us = ours.document(mutant, &[]);
            let by_xerces = xerces.document(mutant);
            tally.take(&Case {
                about: name,
                input: &mutated_bytes::difference(document.as_bytes(), mutant),
                ours_accepts: by_us.accepts(),
                ours: by_us.message(),
                peers: &[
                    (Peer::Xerces, Said { accepts: by_xerces.accepts(), message: by_xerces.message() }),
                    (Peer::Libxml2, Said { accepts: by_libxml2.accepts(), message: by_libxml2.message() }),
                ],
            });
        }
    }
    tally.close("validity");
}
