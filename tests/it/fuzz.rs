//! The bodies of the fuzz targets, on mutants of the fixtures.

#[path = "../../fuzz/bodies.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own for the fuzz targets")]
mod bodies;

use crate::differential::chance::Chance;
use crate::differential::mutated_elements::{DOCUMENT, SCHEMA};
use crate::differential::{SEEDS, fixture, mutated_bytes, mutated_elements, rounds, seed};

/// Mutants of each seed.
const MUTANTS: usize = 150;

#[test]
fn any_bytes_are_heard_alike_in_any_pieces() {
    let mut chance = Chance::new(seed() + 11);
    for (_, document) in seeds() {
        for _ in 0..rounds(MUTANTS) {
            let mut data = vec![u8::try_from(chance.below(256)).unwrap()];
            data.extend(mutated_bytes::mutant(&document, &mut chance));
            bodies::xml_tokenizer(&data);
        }
    }
}

#[test]
fn any_bytes_are_a_schema_or_none() {
    let mut chance = Chance::new(seed() + 12);
    for (schema, _) in seeds() {
        for _ in 0..rounds(MUTANTS) {
            bodies::xsd_compile(&mutated_bytes::mutant(&schema, &mut chance));
            let text = String::from_utf8(schema.clone()).unwrap();
            bodies::xsd_compile(mutated_elements::mutant(&text, &SCHEMA, &mut chance).as_bytes());
        }
    }
}

#[test]
fn any_schema_judges_any_document() {
    let mut chance = Chance::new(seed() + 13);
    for (schema, document) in seeds() {
        let (schema, document) = (String::from_utf8(schema).unwrap(), String::from_utf8(document).unwrap());
        for _ in 0..rounds(MUTANTS) {
            let schema = if chance.once_in(2) {
                schema.clone()
            } else {
                mutated_elements::mutant(&schema, &SCHEMA, &mut chance)
            };
            let document = mutated_elements::mutant(&document, &DOCUMENT, &mut chance);
            bodies::xsd_validate(&[schema.as_bytes(), bodies::BETWEEN, document.as_bytes()].concat());
        }
    }
}

#[test]
fn any_pieces_give_the_same_findings() {
    let mut chance = Chance::new(seed() + 14);
    for (schema, document) in seeds() {
        let text = String::from_utf8(document.clone()).unwrap();
        for _ in 0..rounds(MUTANTS) {
            let cuts: Vec<u8> = (0..3).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
            let mutant = match chance.below(3) {
                0 => mutated_bytes::mutant(&document, &mut chance),
                _ => mutated_elements::mutant(&text, &DOCUMENT, &mut chance).into_bytes(),
            };
            bodies::chunking(&[&cuts, &schema[..], bodies::BETWEEN, &mutant].concat());
        }
    }
}

#[test]
fn any_pattern_is_compiled_or_refused() {
    const SEEDS: &[&str] = &[
        "[a-z-[aeiou]]{2,5}\nbcd",
        "(a|b*){3}\nab",
        "\\p{Lu}\\P{IsGreek}+\nAb",
        "\\i\\c*\nab",
        "((((a?)*)+){0,9})\naaaa",
        "[^\\s\\d-[x]]\ny",
        "a{1000}\na",
        "(a{100}){100}\na",
    ];
    let mut chance = Chance::new(seed() + 15);
    for seed in SEEDS {
        bodies::xsd_pattern(seed.as_bytes());
        for _ in 0..rounds(MUTANTS) {
            bodies::xsd_pattern(&mutated_bytes::mutant(seed.as_bytes(), &mut chance));
        }
    }
}

#[cfg(feature = "gateway")]
#[test]
fn any_archive_is_judged_alike_in_any_pieces() {
    use crate::support::archive::{Archive, Entry, Trailer};

    const NAMESPACE: &str = "http://schema.altinn.no/services/ServiceEngine/Broker/2015/06";
    let manifest = format!(
        "<BrokerServiceManifest xmlns='{NAMESPACE}'><ExternalServiceCode>4752</ExternalServiceCode>\
         <ExternalServiceEditionCode>1</ExternalServiceEditionCode><SendersReference>S</SendersReference>\
         <Reportee>910000004</Reportee><FileList><File><FileName>a.txt</FileName>\
         <CheckSum>900150983cd24fb0d6963f7d28e17f72</CheckSum></File></FileList></BrokerServiceManifest>"
    );
    let recipients = format!(
        "<BrokerServiceRecipientList xmlns='{NAMESPACE}'><Recipient><PartyNumber>910000012</PartyNumber></Recipient>\
         </BrokerServiceRecipientList>"
    );
    let entries = [
        Entry::deflated("manifest.xml", manifest.as_bytes()),
        Entry::stored("a.txt", b"abc").with(Trailer::Signed),
        Entry::stored("recipients.xml", recipients.as_bytes()),
    ];
    let mut chance = Chance::new(seed() + 16);
    for archive in [Archive::of(entries.clone()), Archive::of(entries).wide()] {
        let bytes = archive.bytes();
        bodies::broker_archive(&[&[0], &bytes[..]].concat());
        for _ in 0..rounds(MUTANTS) {
            let size = u8::try_from(chance.below(256)).unwrap();
            let mut mutant = bytes.clone();
            for _ in 0..=chance.below(3) {
                let at = chance.below(mutant.len());
                mutant[at] = u8::try_from(chance.below(256)).unwrap();
            }
            bodies::broker_archive(&[&[size], &mutant[..]].concat());
            bodies::broker_archive(&[&[size], &mutated_bytes::mutant(&bytes, &mut chance)[..]].concat());
        }
    }
}

/// Schemas, each with a document of it.
fn seeds() -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    SEEDS
        .iter()
        .map(|name| (fixture(&format!("differential/{name}.xsd")), fixture(&format!("differential/{name}.xml"))))
}
