//! Bad files dropped into the real gateway: one final receipt each, with the code of what is wrong.

use sluse::generate::Profile;

use super::huge::{MOST_GROWTH_KIB, peak_kib};
use crate::support::batch::{Batch, contents, generated};
use crate::support::gateway::{Gateway, Home, simulator};
use crate::support::receipts::{Receipts, assert_valid, code, count, item_codes};

/// A file to drop and what must become of it.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    end: End,
}

/// What must become of a file.
enum End {
    /// Refused as a whole with this code, and nothing of it is sent.
    Refused(&'static str),
    /// One item is refused with this code, the others are sent.
    Item(&'static str),
    /// Everything is sent.
    Sent,
}

/// Items in each file that is read.
const ITEMS: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_file_has_its_code_on_one_final_receipt() {
    let cases = cases();
    let (home, mut gateway) = served().await;
    let client = home.connect().await.unwrap();
    let at_start_kib = peak_kib(gateway.pid());
    for case in &cases {
        client.put(&format!("/inbox/{}.xml", case.name), &mut &*case.bytes).await.unwrap();
    }
    let names: Vec<String> = cases.iter().map(|case| format!("{}.xml", case.name)).collect();
    let receipts = Receipts::wait(&home, &names).await;
    receipts.assert_one_final_each();
    assert_eq!(receipts.shipments.len(), cases.len());

    let mut sent = 0;
    for case in &cases {
        let receipt = receipts.final_of(&client, &format!("{}.xml", case.name)).await;
        assert_valid(&receipt);
        sent += check(case, &receipt);
    }
    let effects = home.simulator.effects();
    assert_eq!((effects.total, effects.repeated.len()), (sent, 0));
    assert!(gateway.ended().is_none(), "{}", home.log());
    let grown_kib = peak_kib(gateway.pid()) - at_start_kib;
    assert!(grown_kib < MOST_GROWTH_KIB, "{grown_kib} KiB");
}

/// Compares with what must be; returns how many items were sent.
fn check(case: &Case, receipt: &str) -> u64 {
    let (whole, refused, delivered) = (code(receipt), count(receipt, "refused"), count(receipt, "delivered"));
    let context = format!("{}\n{receipt}", case.name);
    // What stands where a service code or an encoding should be may be anything.
    assert!(!receipt.contains("50010000") && !receipt.contains("ebcdic-cp-no"), "{context}");
    match case.end {
        End::Refused(wanted) => {
            assert_eq!((whole, delivered), (wanted, 0), "{context}");
            assert!(receipt.contains(&format!("<Finding code=\"{wanted}\"")), "{context}");
        }
        End::Item(wanted) => {
            assert_eq!(whole, "", "{context}");
            assert_eq!(item_codes(receipt), [("FW-000", ITEMS - 1), (wanted, 1)].into(), "{context}");
        }
        End::Sent => assert_eq!((whole, refused, delivered), ("FW-000", 0, ITEMS), "{context}"),
    }
    delivered
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_items_refuse_items_and_not_the_shipment() {
    let (home, _gateway) = served().await;
    let client = home.connect().await.unwrap();
    // Each of the eight mistakes an item can have, three times, among twice as many items that are right.
    let batch = generated(72, Profile::Small, "33.3333%", 7);
    assert_eq!(batch.items - batch.right, 24);
    client.put("/inbox/many.xml", &mut &*batch.bytes).await.unwrap();
    let receipts = Receipts::wait(&home, &["many.xml".into()]).await;
    let receipt = receipts.final_of(&client, "many.xml").await;
    assert_valid(&receipt);
    let codes = item_codes(&receipt);
    let of = |names: &[&str]| names.iter().filter_map(|name| codes.get(name)).sum::<u64>();
    assert_eq!(of(&["FW-000"]), batch.right, "{receipt}");
    assert_eq!(of(&["FM-102", "FM-103"]), 3, "check digits: {codes:?}");
    assert_eq!(of(&["XS-102", "XS-103"]), 6, "missing elements and wrong order: {codes:?}");
    for single in ["XS-107", "XS-108", "RT-102", "FM-105", "FM-106"] {
        assert_eq!(of(&[single]), 3, "{single}: {codes:?}");
    }
    assert_eq!((code(&receipt), count(&receipt, "refused")), ("", 24), "{receipt}");
    assert_eq!(home.simulator.effects().total, batch.right);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_one_name_and_files_dropped_twice_are_all_receipted() {
    let (home, _gateway) = served().await;
    let client = home.connect().await.unwrap();
    let (first, second) = (batch(1), batch(2));
    // The second comes while the first is at work, the third is the first one again.
    for batch in [&first, &second, &first] {
        client.put("/inbox/same.xml", &mut &*batch.bytes).await.unwrap();
    }
    client.put("/inbox/other.xml", &mut &*second.bytes).await.unwrap();
    let receipts = Receipts::wait_for(&home, &["same.xml".into(), "other.xml".into()], 4).await;
    receipts.assert_one_final_each();
    assert_eq!(receipts.shipments.len(), 4, "{receipts:?}");
    let finals = receipts.finals(&client).await;
    let mut codes: Vec<&str> = finals.iter().map(|receipt| code(receipt)).collect();
    codes.sort_unstable();
    // Which of two files with one reference is the later one is settled by which was judged first.
    assert_eq!(codes, ["FM-201", "FM-201", "FW-000", "FW-000"], "{finals:?}");
    assert_eq!(home.simulator.effects().total, 2 * ITEMS);

    // A fault of the file itself goes before its being a repetition.
    let cut_off = first.bytes.split_at(first.bytes.len() / 2).0;
    client.put("/inbox/cut-off.xml", &mut &*cut_off).await.unwrap();
    let receipts = Receipts::wait(&home, &["cut-off.xml".into()]).await;
    assert_eq!(code(&receipts.final_of(&client, "cut-off.xml").await), "XM-103");
}

/// A gateway that takes what the generator writes, up to five million bytes.
async fn served() -> (Home, Gateway) {
    let home = Home::new(simulator().await, "sender_name = \"TTD\"\nmax_file_bytes = 5_000_000");
    let gateway = home.start(None);
    (home, gateway)
}

fn batch(seed: u64) -> Batch {
    generated(ITEMS, Profile::Small, "0", seed)
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (name, bytes, code) in not_xml().into_iter().chain(not_a_batch()) {
        cases.push(Case { name, bytes, end: End::Refused(code) });
    }
    for (index, (name, from, to, code)) in ITEM_FAULTS.iter().enumerate() {
        cases.push(Case { name, bytes: edited(200 + index as u64, from, to), end: End::Item(code) });
    }
    for (name, digits, code) in [("person-number", 11, "FM-102"), ("organisation-number", 9, "FM-103")] {
        cases.push(Case { name, bytes: misprinted(digits), end: End::Item(code) });
    }
    for (name, from, to) in [("byte-order-mark", "<?xml", "\u{feff}<?xml"), ("no-declaration", DECLARATION, "")] {
        cases.push(Case { name, bytes: edited(300 + name.len() as u64, from, to), end: End::Sent });
    }
    cases
}

/// A batch with its first occurrence of a text replaced.
fn edited(seed: u64, from: &str, to: &str) -> Vec<u8> {
    let batch = batch(seed);
    assert!(batch.text().contains(from), "{from}");
    batch.text().replacen(from, to, 1).into_bytes()
}

/// A batch with a wrong check digit in its first number of so many digits.
fn misprinted(digits: usize) -> Vec<u8> {
    let batches = (400 + digits as u64 * 100..).map(batch);
    let with_one = batches.filter_map(|batch| {
        let id = contents(batch.text(), "Id").into_iter().find(|id| id.len() == digits)?.to_owned();
        Some((batch, id))
    });
    let (batch, id) = with_one.into_iter().next().expect("one in four is an organisation's");
    let (rest, last) = id.split_at(digits - 1);
    let wrong = (last.parse::<u8>().unwrap() + 1) % 10;
    batch.text().replacen(&id, &format!("{rest}{wrong}"), 1).into_bytes()
}

type Bad = (&'static str, Vec<u8>, &'static str);

/// Files that are no XML document, or one that asks too much.
fn not_xml() -> Vec<Bad> {
    let whole = batch(101).bytes;
    let mut latin = whole.clone();
    let at = latin.windows(2).position(|pair| pair == "ø".as_bytes()).unwrap();
    latin.splice(at..at + 2, [0xf8]);
    let bomb: String = (1..20).map(|n| format!("<!ENTITY e{n} \"&e{};&e{};\">", n - 1, n - 1)).collect();
    let bomb = format!("<!DOCTYPE ServiceOwner [<!ENTITY e0 \"ha\">{bomb}]>\n<ServiceOwner");
    let attribute = format!("<ServiceOwner huge=\"{}\"", "x".repeat(4_000_000));
    let nested = format!("<Prefill>{}", "<a>".repeat(100_000));
    vec![
        ("empty", Vec::new(), "IN-101"),
        ("too-large", [whole.as_slice(), &vec![b' '; 5_000_000]].concat(), "IN-102"),
        ("a-zip", b"PK\x03\x04\x14\x00\x08\x00nightly.xml".to_vec(), "XM-101"),
        ("words", b"Se vedlagt fil.\n".to_vec(), "XM-101"),
        ("crossed-tags", edited(102, "</FormTask>", "</Reportee>"), "XM-102"),
        ("truncated", whole.split_at(whole.len() * 2 / 3).0.to_vec(), "XM-103"),
        ("other-encoding", edited(103, "encoding=\"utf-8\"", "encoding=\"utf-16\""), "XM-108"),
        ("invalid-utf-8", latin, "XM-104"),
        ("odd-encoding", edited(104, "encoding=\"utf-8\"", "encoding=\"ebcdic-cp-no\""), "XM-105"),
        ("doctype", edited(105, "<ServiceOwner", "<!DOCTYPE ServiceOwner>\n<ServiceOwner"), "XM-106"),
        ("entity-bomb", edited(106, "<ServiceOwner", &bomb), "XM-106"),
        ("undeclared-prefix", edited(107, "<FormTask>", "<pre:FormTask>"), "XM-107"),
        ("deep", edited(108, "<Prefill>", &nested), "XM-201"),
        ("huge-attribute", edited(109, "<ServiceOwner", &attribute), "XM-202"),
    ]
}

/// XML that is no batch of the route.
fn not_a_batch() -> Vec<Bad> {
    let text = batch(121);
    let (begin, end) = (text.text().find("<Reportee>").unwrap(), text.text().find("</Prefill>").unwrap());
    let around = [text.text().split_at(begin).0, text.text().split_at(end).1];
    let reference = text.text().lines().find(|line| line.contains("<ExternalShipmentReference>")).unwrap();
    vec![
        ("html", b"<html><body/></html>".to_vec(), "XS-101"),
        ("no-namespace", edited(122, " xmlns=", " data=").to_vec(), "XS-101"),
        ("no-reference", text.text().replacen(reference, "", 1).into_bytes(), "XS-103"),
        ("other-sender", edited(123, "Name>TTD<", "Name>SKD<"), "FM-202"),
        ("no-reportees", around.concat().into_bytes(), "XS-103"),
        ("no-items", around.join("<Reportee><Id>310000000</Id></Reportee>").into_bytes(), "FM-203"),
    ]
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// Name, a text and what it becomes in one item, the code.
const ITEM_FAULTS: [(&str, &str, &str, &str); 7] = [
    ("wrong-order", "<ExternalServiceCode>", "<ValidTo>2035-12-31</ValidTo><ExternalServiceCode>", "XS-102"),
    ("bad-date", "<ValidFrom>2026-01-01<", "<ValidFrom>2026-02-29<", "XS-107"),
    ("long-code", "<ExternalServiceCode>5001<", "<ExternalServiceCode>50010000<", "XS-108"),
    ("unknown-service", "<ExternalServiceCode>5001<", "<ExternalServiceCode>5003<", "RT-102"),
    ("no-such-number", "<Id>", "<Id>0", "FM-101"),
    ("validity-reversed", "<ValidTo>2035-12-31<", "<ValidTo>2025-12-31<", "FM-106"),
    ("missing-element", "<ValidTo>2035-12-31</ValidTo>", "", "XS-103"),
];
