//! The control files: what they must say, for whom the shipment is, and who may send it.

use aws_lc_rs::digest;
use sluse::formats::broker::party;
use sluse::formats::person_control_digits;
use sluse::model::{Access, ItemKind, Right, Rights};

use super::*;
use crate::support::judged::prefill_route;

fn with(manifest: &str, recipients: &str) -> Judged {
    judged(&archive(manifest.as_bytes(), recipients.as_bytes()))
}

fn archive(manifest: &[u8], recipients: &[u8]) -> Vec<u8> {
    Archive::of([Entry::deflated("manifest.xml", manifest), Entry::stored("recipients.xml", recipients)]).bytes()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
fn the_manifest_is_told() {
    let more = "<SentDate>2026-11-27T12:00:00</SentDate><PropertyList><Property><PropertyKey>k &amp; l</PropertyKey>\
                <PropertyValue>v</PropertyValue></Property></PropertyList>";
    let judged = with(&manifest(more), &recipients(RECIPIENTS));
    let manifest = judged.judgement.manifest.unwrap();
    assert_eq!((manifest.service.code.as_str(), manifest.service.edition.as_str()), ("4752", "1"));
    assert_eq!((manifest.senders_reference.as_str(), manifest.sender.expose()), ("S-1", SENDER));
    assert_eq!((manifest.properties[0].key.as_str(), manifest.properties[0].value.as_str()), ("k & l", "v"));
    assert!(!format!("{manifest:?}").contains(SENDER) && !format!("{manifest:?}").contains("k & l"));
}

#[test]
fn utf16_is_read_in_both_orders_with_places_of_its_own() {
    let declared = |text: String| text.replace("encoding=\"utf-8\"", "encoding=\"utf-16\"");
    let list = recipients([RECIPIENTS[0], "12345"]);
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let archive = archive(&utf16(&declared(manifest("")), bytes), &utf16(&list, bytes));
        let judged = judged(&archive);
        assert_eq!((judged.refusal(), judged.codes()), (None, vec!["FM-101"]));
        let place = judged.findings[0].place.clone().unwrap();
        assert_eq!(place.path, "recipients.xml:/BrokerServiceRecipientList/Recipient[2]/PartyNumber");
        assert_eq!((place.line, place.column), (6, 14));
        let contents = judged.judgement.contents.unwrap();
        let read = party(&InMemory(archive), &contents.recipients, judged.items[0].range).unwrap();
        assert_eq!(read.expose(), RECIPIENTS[0]);
    }
}

#[test]
fn a_fault_of_the_manifest_refuses_the_shipment() {
    let list = recipients(RECIPIENTS);
    for (from, to, code) in [
        ("<ExternalServiceEditionCode>1<", "<ExternalServiceEditionCode>one<", "XS-107"),
        ("<SendersReference>S-1</SendersReference>", "", "XS-103"),
        ("<SendersReference>S-1<", "<SendersReference> <", "FM-104"),
        ("<SendersReference>S-1<", &format!("<SendersReference>{}<", "x".repeat(257)), "FM-107"),
        (SENDER, "910000005", "FM-103"),
        (SENDER, "", "FM-101"),
        ("<ExternalServiceCode>4752<", "<ExternalServiceCode><", "RT-102"),
        ("Broker/2015/06", "Broker/2015/07", "XS-101"),
        ("</BrokerServiceManifest>", "", "XM-103"),
        ("<?xml", "<!DOCTYPE a>", "XM-106"),
        ("<Reportee>", "<Reportee><!-- & --><b></Reportee>", "XM-102"),
    ] {
        let changed = manifest("").replace(from, to);
        let judged = with(&changed, &list);
        assert_eq!(judged.refusal(), Some(code), "{from} {to}: {:?}", judged.findings);
        let whole = judged.findings.iter().all(|finding| finding.item.is_none());
        assert!(whole && judged.findings[0].place.as_ref().unwrap().path.starts_with("manifest.xml:"));
    }
}

#[test]
fn a_fault_of_one_recipient_refuses_that_one() {
    let person = {
        let first = [0, 1, 8, 1, 8, 5, 1, 0, 0];
        let control = person_control_digits(&first).unwrap();
        first.iter().chain(&control).map(ToString::to_string).collect::<String>()
    };
    let list = recipients([RECIPIENTS[0], "910000013", &person, " 910000020\n", "</PartyNumber><b/><PartyNumber>", ""]);
    let judged = with(&manifest(""), &list);
    assert_eq!(judged.refusal(), None, "{:?}", judged.findings);
    let refused: Vec<_> = judged.items.iter().map(|item| item.refused.map(|code| code.0)).collect();
    assert_eq!(refused, [None, Some("FM-103"), None, None, Some("XS-102"), Some("FM-101")]);
    assert_eq!((judged.judgement.items_total, judged.judgement.items_refused), (6, 3));
    assert!(judged.findings.iter().all(|finding| finding.item.is_some()));
    assert_eq!(judged.items[1].line, 5);
}

#[test]
fn a_fault_outside_of_recipients_refuses_the_shipment() {
    for (list, code) in [
        (recipients([]), "XS-103"),
        (recipients(RECIPIENTS).replace("<Recipient>", "<Mottaker>").replace("</Recipient>", "</Mottaker>"), "XS-102"),
        (recipients(RECIPIENTS).replace("</Recipient>\n</Broker", "</Broker"), "XM-102"),
        (recipients(RECIPIENTS)[..200].to_owned(), "XM-103"),
    ] {
        let judged = with(&manifest(""), &list);
        assert_eq!(judged.refusal(), Some(code), "{list}: {:?}", judged.findings);
    }
}

#[test]
fn keys_depend_on_sender_reference_and_party_only() {
    let keys = |manifest: &str, parties: &[&str]| {
        let judged = with(manifest, &recipients(parties.iter().copied()));
        judged.items.iter().map(|item| item.key).collect::<Vec<_>>()
    };
    let first = keys(&manifest(""), &[RECIPIENTS[0], RECIPIENTS[1]]);
    // They never change: receivers know old items by them.
    assert_eq!(first[0].to_string(), KEY);
    assert_eq!(keys(&manifest(""), &[RECIPIENTS[1], RECIPIENTS[0]]), [first[1], first[0]]);
    assert_eq!(keys(&manifest(""), &[RECIPIENTS[0], RECIPIENTS[0]]), [first[0], first[0]]);
    assert_ne!(keys(&manifest("").replace("S-1", "S-2"), &[RECIPIENTS[0]])[0], first[0]);
    assert_ne!(keys(&manifest("").replace(SENDER, RECIPIENTS[2]), &[RECIPIENTS[0]])[0], first[0]);
}

const KEY: &str = "1a3f4899-3f68-5cfe-8c82-d51d7dad6049";

#[test]
fn every_party_is_read_again_where_it_was_found() {
    let text = recipients(["<!-- a -->91<![CDATA[0000]]>012", RECIPIENTS[1], " &#49;4878510187 "]);
    let archive = archive(manifest("").as_bytes(), text.as_bytes());
    let judged = judged(&archive);
    let contents = judged.judgement.contents.unwrap();
    let blob = InMemory(archive);
    for (item, expected) in judged.items.iter().zip(RECIPIENTS) {
        assert_eq!(party(&blob, &contents.recipients, item.range).unwrap().expose(), expected);
    }
    let item = &judged.items[2];
    assert_eq!((item.number, item.kind, item.senders_reference.as_str()), (3, ItemKind::Recipient, "S-1"));
    assert_eq!(item.service.as_ref().unwrap().code, "4752");
}

fn file(name: &str, checksum: &str) -> String {
    let checksum = if checksum.is_empty() { String::new() } else { format!("<CheckSum>{checksum}</CheckSum>") };
    format!("<File><FileName>{name}</FileName>{checksum}</File>")
}

fn listed(files: &[String], entries: &[Entry], judging: &Judging<'_>) -> Judged {
    let manifest = manifest(&format!("<FileList>{}</FileList>", files.concat()));
    let [_, recipients] = <[Entry; 2]>::try_from(control_files()).unwrap();
    let all = [vec![Entry::deflated("manifest.xml", manifest.as_bytes()), recipients], entries.to_vec()].concat();
    judged_by(&InMemory(Archive::of(all).bytes()), judging)
}

fn sha256(bytes: &[u8]) -> String {
    digest::digest(&digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn listed_files_are_there_and_have_their_checksums() {
    let entries = [Entry::deflated("brev.txt", b"abc"), Entry::stored("mappe/æ.bin", b"abc")];
    let right = [
        file("brev.txt", "900150983CD24FB0D6963F7D28E17F72"),
        file("mappe/a\u{308}.bin", "").replace("a\u{308}", "æ"),
        file("manifest.xml", ""),
    ];
    let judged = listed(&right, &entries, &judging());
    assert_eq!((judged.findings.as_slice(), judged.judgement.manifest.unwrap().files), (&[][..], 3));
    for (files, code) in [
        (vec![file("brev.txt", &sha256(b"abd"))], "ZP-305"),
        (vec![file("mappe/æ.bin", "kAFQmDzST7DWlj99KOF/cQ==")], "ZP-305"),
        (vec![file("borte.txt", "")], "ZP-303"),
        (vec![file("../brev.txt", "")], "ZP-303"),
        (vec![file("brev.txt", ""), file("BREV.TXT", &sha256(b"abc"))], "ZP-304"),
    ] {
        let judged = listed(&files, &entries, &judging());
        assert_eq!((judged.refusal(), judged.codes()), (Some(code), vec![code]), "{files:?}");
        assert_eq!(judged.items.len(), 3, "the recipients are judged all the same");
    }
}

#[test]
fn checksums_that_cannot_be_checked_are_told() {
    let secret = Entry { flags: 1, ..Entry::stored("secret.bin", b"abc") };
    let entries = [Entry::stored("a.txt", b"abc"), secret];
    let files = [file("a.txt", "352441c2"), file("secret.bin", &sha256(b"abc"))];
    let told = listed(&files, &entries, &judging());
    assert_eq!((told.refusal(), told.codes()), (None, vec!["ZP-306", "ZP-306"]));
    let strict = Judging { unknown_checksums: UnknownChecksums::Refuse, ..judging() };
    assert_eq!(listed(&files, &entries, &strict).refusal(), Some("ZP-307"));
    let lie = Entry { crc: 7, ..Entry::stored("a.txt", b"abc") };
    assert_eq!(listed(&[file("a.txt", &sha256(b"abc"))], &[lie], &judging()).refusal(), Some("ZP-114"));
}

#[test]
fn the_manifest_lists_no_more_than_may_be_kept() {
    let limits = Limits { listed: 2, ..Limits::default() };
    let judging = Judging { limits, ..judging() };
    let names = |count: usize| (0..count).map(|nth| file(&format!("{nth}"), "")).collect::<Vec<_>>();
    let entries: Vec<_> = (0..3).map(|nth| Entry::stored(&format!("{nth}"), b"")).collect();
    assert_eq!(listed(&names(2), &entries, &judging).refusal(), None);
    assert_eq!(listed(&names(3), &entries, &judging).refusal(), Some("ZP-208"));
}

#[test]
fn rights_are_asked_of_the_sender_and_of_each_recipient() {
    let right = |party: &str, access| Right {
        code: "4752".into(),
        edition: Some("1".into()),
        party: party.into(),
        access,
        valid_to: None,
    };
    let bytes = shipment([]).bytes();
    let by = |rights: Vec<Right>| {
        let rights = Rights::new(rights);
        judged_by(
            &InMemory(bytes.clone()),
            &Judging { rights: Some((&rights, jiff::civil::date(2026, 11, 27))), ..judging() },
        )
    };
    let refused = |judged: &Judged| judged.items.iter().map(|item| item.refused.map(|code| code.0)).collect::<Vec<_>>();
    assert_eq!(by(vec![]).refusal(), Some("RT-201"));
    let reads = vec![right(RECIPIENTS[0], Access::Read), right(RECIPIENTS[1], Access::ReadFromSender)];
    let free = by([vec![right(SENDER, Access::Write)], reads.clone()].concat());
    assert_eq!((free.refusal(), refused(&free)), (None, vec![None, None, Some("RT-202")]));
    assert_eq!(free.judgement.items_refused, 1);
    let tied = by([vec![right(SENDER, Access::WriteToRecipient)], reads].concat());
    assert_eq!(refused(&tied), [Some("RT-203"), None, Some("RT-202")]);
}

#[test]
fn the_route_takes_or_ignores_the_service() {
    let bytes = shipment([]).bytes();
    let by = |change: fn(&mut sluse::model::Route)| {
        let mut route = prefill_route();
        (route.sender_name, route.max_file_bytes) = (None, 1_000_000);
        route.services.any = true;
        change(&mut route);
        let routes = [route];
        judged_by(&InMemory(bytes.clone()), &Judging { routes: &routes, ..judging() })
    };
    let taken = by(|_| {});
    assert_eq!((taken.refusal(), taken.judgement.route.unwrap().as_str()), (None, "prefill"));
    assert_eq!(by(|route| route.services.any = false).refusal(), Some("RT-102"));
    assert_eq!(by(|route| route.sender_name = Some("14878510187".into())).refusal(), Some("FM-202"));
    assert_eq!(by(|route| route.max_file_bytes = 100).refusal(), Some("IN-102"));
    let ignored = by(|route| route.services.ignored_codes = vec!["4752".into()]);
    assert_eq!((ignored.refusal(), ignored.judgement.items_refused), (None, 0));
    assert!(ignored.items.iter().all(|item| item.refused.is_some_and(|code| code.0 == "RT-103")));
}

#[test]
fn the_whole_file_is_hashed_when_asked() {
    let bytes = shipment([]).bytes();
    let judged = judged_by(&InMemory(bytes.clone()), &Judging { hash: true, ..judging() });
    let hex: String = judged.judgement.sha256.unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, sha256(&bytes));
}

#[test]
fn findings_are_kept_up_to_the_limit_and_all_counted() {
    let parties = vec!["1"; 3_000];
    let bytes = archive(manifest("").as_bytes(), recipients(parties).as_bytes());
    let judged = judged_by(&InMemory(bytes), &Judging { max_findings: 1_500, ..judging() });
    assert_eq!((judged.findings.len(), judged.judgement.findings_total), (1_500, 3_000));
    assert_eq!((judged.items.len(), judged.judgement.items_refused), (3_000, 3_000));
}
