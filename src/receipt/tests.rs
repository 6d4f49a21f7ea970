use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::model::{
    AreaPath, BlobId, ByteRange, Envelope, ItemKey, NewItem, Part, PartKind, Service, ShipmentId, Stage, Verdict,
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn shipment(name: &str) -> Shipment {
    Shipment {
        id: ShipmentId(uuid::Uuid::from_u128(0x0190_5d3e_7a00_7000_8000_0a1b_2c3d_4e5f)),
        partner: "ttd".parse().unwrap(),
        path: AreaPath { dir: "inbox".into(), name: name.into() },
        blob: BlobId(uuid::Uuid::nil()),
        size_bytes: 48_213,
        preflight: false,
        claimed_at: time("2026-11-21T02:00:01.25Z"),
        stage: Stage::Judged,
        verdict: None,
    }
}

fn verdict(kind: VerdictKind, code: Option<Code>) -> Verdict {
    let part = |kind, reference: &str| Part {
        kind,
        head: ByteRange::default(),
        reference: reference.into(),
        reference_end: 0,
        sequence_no: None,
        previous_no: None,
    };
    let parts = vec![part(PartKind::Subscription, "SUB-7"), part(PartKind::Prefill, "PRE-2026 & <7>")];
    Verdict {
        kind,
        code,
        route: None,
        sha256: Some([0xab; 32]),
        envelope: Some(Envelope {
            root: ByteRange::default(),
            sender_name: "TTD".into(),
            parts,
            ..Envelope::default()
        }),
        findings_total: 2,
    }
}

fn item(number: u64, state: ItemState, code: Option<Code>) -> Item {
    let service = Service { code: "5001".into(), edition: "1".into() };
    Item {
        found: NewItem {
            number,
            part: 1,
            kind: ItemKind::FormTask,
            key: ItemKey::derive(&["x"]),
            range: ByteRange { start: 900 * number, end: 900 * number + 800 },
            group: ByteRange::default(),
            line: 20 * number,
            column: 7,
            senders_reference: format!("PRE-2026-{number}"),
            service: Some(service),
            forms: 0,
            refused: code.filter(|_| state == ItemState::Refused),
        },
        state,
        code,
        receivers_reference: String::new(),
        attempts: 1,
        first_intent: None,
        last_intent: None,
    }
}

fn finding(item: Option<u64>) -> Finding {
    let path = "/ServiceOwner/Prefill/Reportee[2]/FormTask[1]/ValidFrom".into();
    Finding {
        code: codes::BAD_VALUE,
        place: Some(Place { line: 41, column: 20, offset: 1_810, path }),
        item,
        rule: "cvc-datatype-valid.1.2.1".into(),
        text: "the value is not of type date".into(),
    }
}

fn final_receipt() -> String {
    let mut shipment = shipment("nattkjøring \"7\".xml");
    shipment.verdict = Some(verdict(VerdictKind::Pass, None));
    let tally = Tally { delivered: 1, refused: 1, ignored: 1, failed: 1, ..Tally::default() };
    let mut delivered = item(1, ItemState::Delivered, None);
    delivered.receivers_reference = "50001/5f3c1b7e-0000-4000-8000-000000000001".into();
    let items = [
        delivered,
        item(2, ItemState::Refused, Some(codes::BAD_VALUE)),
        item(3, ItemState::Ignored, None),
        item(4, ItemState::Failed, Some(codes::RECEIVER_REFUSED)),
    ];
    let worst = items.iter().map(item_status).fold(ReceiptStatus::Ok, worse);
    let mut out = Vec::new();
    let mut receipt = Final::begin(&shipment, &tally, worst, time("2026-11-21T02:03:04Z"), &mut out);
    receipt.finding(&Finding::whole(codes::UNEXPECTED_TEXT, ""), &mut out);
    for item in &items {
        let own = [finding(Some(item.found.number))];
        let findings = if item.state == ItemState::Refused { &own[..] } else { &[] };
        receipt.item(item, findings, &mut out);
    }
    receipt.finish(Some("nattkjøring.rest.xml"), &mut out);
    String::from_utf8(out).unwrap()
}

fn refused_receipt() -> String {
    let mut shipment = shipment("tom.xml");
    shipment.preflight = true;
    let refusal = Verdict { envelope: None, ..verdict(VerdictKind::Refuse, Some(codes::TRUNCATED)) };
    shipment.verdict = Some(refusal);
    let mut out = Vec::new();
    let (tally, now) = (Tally::default(), time("2026-11-21T02:03:04Z"));
    let receipt = Final::begin(&shipment, &tally, ReceiptStatus::Ok, now, &mut out);
    receipt.finish(None, &mut out);
    String::from_utf8(out).unwrap()
}

/// Compares with a golden file, which `SLUSE_BLESS=1` writes anew, and validates.
fn assert_golden(name: &str, document: &str) {
    let path = format!("{}/fixtures/receipt/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SLUSE_BLESS").is_some() {
        std::fs::write(&path, document).unwrap();
    }
    assert_eq!(document, std::fs::read_to_string(&path).unwrap(), "{name} differs");
    assert_valid(document);
}

/// Validates a document against our schema with xmllint; says so and passes where the program is absent.
fn assert_valid(document: &str) {
    let dir = tempfile::tempdir().unwrap();
    let schema = dir.path().join("receipt.xsd");
    std::fs::write(&schema, SCHEMA).unwrap();
    let xmllint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(&schema)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match xmllint {
        Ok(child) => child,
        Err(error) => {
            assert!(std::env::var_os("SLUSE_REQUIRE_ALL").is_none(), "xmllint: {error}");
            eprintln!("skipped: xmllint is not installed");
            return;
        }
    };
    child.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{document}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_final_receipt_is_as_the_golden_one_and_valid() {
    assert_golden("final.xml", &final_receipt());
}

#[test]
fn the_accepted_receipt_is_as_the_golden_one_and_valid() {
    let document = accepted(&shipment("a.xml"), time("2026-11-21T02:00:02Z"));
    assert_golden("accepted.xml", std::str::from_utf8(&document).unwrap());
}

#[test]
fn the_receipt_of_a_refused_shipment_is_as_the_golden_one_and_valid() {
    assert_golden("refused.xml", &refused_receipt());
}

#[test]
fn findings_and_items_may_come_in_any_order() {
    let (shipment, now) = (shipment("a.xml"), time("2026-11-21T02:03:04Z"));
    let tally = Tally { delivered: 2, ..Tally::default() };
    let mut out = Vec::new();
    let mut receipt = Final::begin(&shipment, &tally, ReceiptStatus::Ok, now, &mut out);
    receipt.item(&item(1, ItemState::Delivered, None), &[], &mut out);
    receipt.finding(&finding(None), &mut out);
    receipt.item(&item(2, ItemState::Delivered, None), &[], &mut out);
    receipt.finish(None, &mut out);
    assert_valid(std::str::from_utf8(&out).unwrap());
}

#[test]
fn the_whole_is_ok_only_when_nothing_was_refused_or_failed() {
    let mut shipment = shipment("a.xml");
    shipment.verdict = Some(verdict(VerdictKind::Pass, None));
    let of = |tally: Tally, worst| overall(&shipment, &tally, worst).0;
    let well = Tally { delivered: 3, ignored: 1, ..Tally::default() };
    assert_eq!(of(well, ReceiptStatus::Ok), ReceiptStatus::Ok);
    let partly = Tally { delivered: 3, refused: 1, ..Tally::default() };
    assert_eq!(of(partly, ReceiptStatus::ValidationFailed), ReceiptStatus::ValidationFailed);
    // A worst status that does not fit the counts must not turn a refusal into success.
    assert_eq!(of(partly, ReceiptStatus::Ok), ReceiptStatus::UnExpectedError);
}

#[test]
fn an_item_without_a_good_outcome_never_looks_delivered() {
    let status = |state, code| item_status(&item(1, state, code));
    assert_eq!(status(ItemState::Failed, None), ReceiptStatus::UnExpectedError);
    assert_eq!(status(ItemState::Failed, Some(codes::DELIVERED)), ReceiptStatus::UnExpectedError);
    assert_eq!(status(ItemState::Sending, None), ReceiptStatus::UnExpectedError);
    assert_eq!(status(ItemState::Refused, Some(codes::REPEATED_ITEM)), ReceiptStatus::Rejected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_name_and_reference_gives_a_valid_document(name in "\\PC{1,40}|[\\x00-\\xff]{1,40}", reference in any::<String>()) {
        let shipment = shipment(&name);
        let mut odd = item(1, ItemState::Delivered, None);
        odd.found.senders_reference = reference.clone();
        odd.receivers_reference = reference;
        let tally = Tally { delivered: 1, ..Tally::default() };
        let mut out = Vec::new();
        let now = time("2026-11-21T02:03:04Z");
        let mut receipt = Final::begin(&shipment, &tally, ReceiptStatus::Ok, now, &mut out);
        receipt.item(&odd, &[], &mut out);
        receipt.finish(None, &mut out);
        assert_valid(std::str::from_utf8(&out).unwrap());
    }
}
