use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::model::{
    AreaPath, BlobId, ByteRange, Envelope, Fate, ItemKey, ItemKind, LateEvent, NewItem, Part, PartKind, Place, Service,
    ShipmentId, Spot, Stage, Verdict,
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
        receiver: None,
        share_of: None,
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
        is_doubtful: false,
        batch: None,
        fates: Vec::new(),
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

fn outcome(part: u32, item: &Item) -> OutcomeCount {
    OutcomeCount { part, state: item.state, code: item.code, items: 1, with_findings: 0 }
}

fn account(kind: ReceiptKind, shipment: Shipment, items: &[Item]) -> Account {
    let mut tally = Tally::default();
    items.iter().for_each(|item| tally.add(item.state, 1));
    Account {
        kind,
        shipment,
        tally,
        outcomes: items.iter().map(|item| outcome(item.found.part, item)).collect(),
        worst_news: ReceiptStatus::Ok,
        receivers: Vec::new(),
        rest_file: None,
        now: time("2026-11-21T02:03:04Z"),
    }
}

/// A shipment with an item of every outcome, and what was found in it.
fn mixed() -> (Account, Vec<Item>) {
    let mut shipment = shipment("nattkjøring \"7\".xml");
    shipment.verdict = Some(Verdict { findings_total: 2_000_007, ..verdict(VerdictKind::Pass, None) });
    let mut delivered = item(1, ItemState::Delivered, None);
    delivered.receivers_reference = "50001/5f3c1b7e-0000-4000-8000-000000000001".into();
    let items = vec![
        delivered,
        item(2, ItemState::Refused, Some(codes::BAD_VALUE)),
        item(3, ItemState::Ignored, None),
        item(4, ItemState::Failed, Some(codes::RECEIVER_REFUSED)),
    ];
    let rest_file = Some("nattkjøring.rest.xml".to_owned());
    (Account { rest_file, ..account(ReceiptKind::Final, shipment, &items) }, items)
}

fn groups() -> [FindingGroup; 2] {
    let many = FindingGroup {
        count: 2_000_000,
        places: (1..=100).map(|n| Spot { line: n * 20 + 1, column: 20, offset: n * 900, item: Some(n) }).collect(),
        ..FindingGroup::of(&finding(Some(2)))
    };
    [many, FindingGroup::of(&Finding::whole(codes::UNEXPECTED_TEXT, ""))]
}

/// Renders all of it in one form.
fn rendered(mut form: Box<dyn Rendering>, items: &[Item]) -> String {
    let mut out = Vec::new();
    form.begin(&mut out);
    groups().iter().for_each(|group| form.group(group, &mut out));
    form.finding(&Finding::whole(codes::UNEXPECTED_TEXT, ""), &mut out);
    for item in items {
        let own = [finding(Some(item.found.number))];
        let findings = if item.state == ItemState::Refused { &own[..] } else { &[] };
        form.item(item, findings, &mut out);
    }
    form.finish(&mut out);
    String::from_utf8(out).unwrap()
}

/// Renders a receipt without items or findings.
fn bare(mut form: Box<dyn Rendering>) -> String {
    let mut out = Vec::new();
    form.begin(&mut out);
    form.finish(&mut out);
    String::from_utf8(out).unwrap()
}

fn refused() -> Account {
    let mut shipment = shipment("tom.xml");
    shipment.preflight = true;
    let refusal = Verdict { envelope: None, ..verdict(VerdictKind::Refuse, Some(codes::TRUNCATED)) };
    shipment.verdict = Some(refusal);
    account(ReceiptKind::Final, shipment, &[])
}

fn received() -> Account {
    Account::accepted(shipment("a.xml"), time("2026-11-21T02:00:02Z"))
}

/// A supplement in a form.
fn supplement(form: impl FnOnce(Account) -> Box<dyn Rendering>) -> String {
    let (mut account, items) = mixed();
    account = Account { kind: ReceiptKind::Supplement(2), tally: Tally::default(), rest_file: None, ..account };
    account.worst_news = ReceiptStatus::Rejected;
    let mut form = form(account);
    let mut out = Vec::new();
    form.begin(&mut out);
    for event in [LateEvent::MalwareFound, LateEvent::Read] {
        let news = News { item: 1, event, at: time("2026-12-01T07:30:00Z") };
        form.news(&items[0], &news, &mut out);
    }
    form.finish(&mut out);
    String::from_utf8(out).unwrap()
}

fn in_our_own(account: Account) -> Box<dyn Rendering> {
    document(ReceiptFormat::Sluse, account)
}

/// Compares with a golden file, which `SLUSE_BLESS=1` writes anew.
fn assert_golden(name: &str, document: &str) {
    let path = format!("{}/fixtures/receipt/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SLUSE_BLESS").is_some() {
        std::fs::write(&path, document).unwrap();
    }
    assert_eq!(document, std::fs::read_to_string(&path).unwrap(), "{name} differs");
}

fn assert_valid(document: &str) {
    assert_valid_by(SCHEMA, document);
}

fn assert_valid_by(by: &str, document: &str) {
    let dir = tempfile::tempdir().unwrap();
    let schema = dir.path().join("receipt.xsd");
    std::fs::write(&schema, by).unwrap();
    xmllint(&["--schema", schema.to_str().unwrap(), "-"], document);
}

/// Has xmllint read a document; says so and passes where the program is absent.
fn xmllint(how: &[&str], document: &str) {
    let xmllint = Command::new("xmllint")
        .args(["--noout", "--nonet"])
        .args(how)
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
fn documents_are_as_the_golden_ones_and_valid() {
    let (account, items) = mixed();
    let documents = [
        ("final.xml", rendered(in_our_own(account), &items)),
        ("accepted.xml", bare(in_our_own(received()))),
        ("refused.xml", bare(in_our_own(refused()))),
        ("supplement.xml", supplement(in_our_own)),
    ];
    for (name, document) in documents {
        assert_golden(name, &document);
        assert_valid(&document);
    }
}

#[test]
fn summaries_are_as_the_golden_ones_and_valid() {
    let summary = |account| document(ReceiptFormat::Summary, account);
    let (mut account, items) = mixed();
    account.outcomes[0].with_findings = 1;
    let documents = [
        ("final.summary.xml", rendered(summary(account), &items)),
        ("accepted.summary.xml", bare(summary(received()))),
        ("refused.summary.xml", bare(summary(refused()))),
    ];
    for (name, document) in documents {
        assert_golden(name, &document);
        assert_valid_by(SUMMARY_SCHEMA, &document);
    }
}

#[test]
fn lists_and_pages_are_as_the_golden_ones() {
    let (account, items) = mixed();
    assert_golden("final.csv", &rendered(Box::new(List::new(account.clone())), &items));
    for language in Language::ALL {
        let word = language.as_str();
        assert_golden(&format!("final.{word}.html"), &rendered(page(language, account.clone()), &items));
        assert_golden(&format!("supplement.{word}.html"), &supplement(|account| page(language, account)));
    }
    assert_golden("refused.nb.html", &bare(page(Language::Nb, refused())));
}

#[test]
fn pages_are_well_formed_and_ask_for_nothing_else() {
    let (account, items) = mixed();
    for language in Language::ALL {
        let page = rendered(page(language, account.clone()), &items);
        for word in ["<script", "http:", "https:", "src=", "url(", "@import", "<link", "javascript:"] {
            assert!(!page.contains(word), "{word}");
        }
        let as_xml = page.replace("<!DOCTYPE html>\n", "").replace("\">\n<meta", "\"/>\n<meta");
        let as_xml = as_xml
            .replace("initial-scale=1\">", "initial-scale=1\"/>")
            .replace("<meta charset=\"utf-8\">", "<meta charset=\"utf-8\"/>");
        xmllint(&["-"], &as_xml);
    }
}

#[test]
fn a_page_of_very_many_items_shows_those_in_trouble() {
    let of_number = |number| match number {
        1_001..=2_500 => item(number, ItemState::Failed, Some(codes::UNREACHABLE)),
        _ => item(number, ItemState::Delivered, None),
    };
    let items: Vec<Item> = (1..=3_000).map(of_number).collect();
    let (account, _) = mixed();
    let account = account_of(account.shipment, &items);
    let page = rendered(page(Language::En, account), &items);
    assert_eq!(page.matches("<tr><td class=\"n\">").count(), 1_000 + 2);
    assert!(page.contains("PRE-2026-1001<") && !page.contains("PRE-2026-7<") && !page.contains("PRE-2026-2400<"));
    assert!(page.contains("More items than these"));
}

/// The final account of so many items, equal outcomes together.
fn account_of(shipment: Shipment, items: &[Item]) -> Account {
    let mut account = account(ReceiptKind::Final, shipment, items);
    account.outcomes.dedup_by(|two, one| {
        let same = (two.state, two.code) == (one.state, one.code);
        one.items += if same { two.items } else { 0 };
        same
    });
    account
}

#[test]
fn online_results_say_whether_to_send_again() {
    let online = |account| bare(document(ReceiptFormat::OnlineBatchReceipt, account));
    let code = |text: &str| text.split_once("resultCode=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    assert_golden("accepted.online.xml", &online(received()));
    assert_golden("final.online.xml", &online(mixed().0));
    assert_eq!(code(&online(received())), "OK");
    assert_eq!(code(&online(mixed().0)), "FAILED_DO_NOT_RETRY");
    assert_eq!(code(&online(refused())), "FAILED_DO_NOT_RETRY");
    let well = [item(1, ItemState::Delivered, None)];
    assert_eq!(code(&online(account(ReceiptKind::Final, shipment("a.xml"), &well))), "OK");
    let mut unread = shipment("a.xml");
    unread.verdict = Some(verdict(VerdictKind::Refuse, Some(codes::STAGED_UNREADABLE)));
    assert_eq!(code(&online(account(ReceiptKind::Final, unread, &[]))), "FAILED");
    let gone = [item(1, ItemState::Failed, Some(codes::OUTCOME_UNKNOWN))];
    assert_eq!(code(&online(account(ReceiptKind::Final, shipment("a.xml"), &gone))), "FAILED_DO_NOT_RETRY");
}

#[test]
fn findings_and_items_may_come_in_any_order() {
    let items = [item(1, ItemState::Delivered, None), item(2, ItemState::Delivered, None)];
    let mut receipt = in_our_own(account(ReceiptKind::Final, shipment("a.xml"), &items));
    let mut out = Vec::new();
    receipt.begin(&mut out);
    receipt.item(&items[0], &[], &mut out);
    receipt.finding(&finding(None), &mut out);
    receipt.group(&groups()[1], &mut out);
    receipt.item(&items[1], &[], &mut out);
    receipt.finish(&mut out);
    assert_valid(std::str::from_utf8(&out).unwrap());
}

#[test]
fn the_whole_is_ok_only_when_nothing_was_refused_or_failed() {
    let mut shipment = shipment("a.xml");
    shipment.verdict = Some(verdict(VerdictKind::Pass, None));
    let of = |items: &[Item]| account(ReceiptKind::Final, shipment.clone(), items).overall().0;
    let (delivered, ignored) = (item(1, ItemState::Delivered, None), item(2, ItemState::Ignored, None));
    assert_eq!(of(&[delivered.clone(), ignored]), ReceiptStatus::Ok);
    let refused = item(3, ItemState::Refused, Some(codes::BAD_VALUE));
    assert_eq!(of(&[delivered, refused]), ReceiptStatus::ValidationFailed);
    // Outcomes that do not fit the counts must not turn a refusal into success.
    let mut odd = account(ReceiptKind::Final, shipment.clone(), &[item(3, ItemState::Refused, None)]);
    odd.outcomes.clear();
    assert_eq!(odd.overall().0, ReceiptStatus::UnExpectedError);
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
        let mut receipt = in_our_own(account(ReceiptKind::Final, shipment, std::slice::from_ref(&odd)));
        let mut out = Vec::new();
        receipt.begin(&mut out);
        receipt.item(&odd, &[], &mut out);
        receipt.finish(&mut out);
        assert_valid(std::str::from_utf8(&out).unwrap());
    }
}

/// A shipment to two receivers, one of which does not have the second item.
fn shared() -> (Account, Vec<(Item, Vec<Finding>)>) {
    let fate = |receiver: &str, state, code, reference: &str| Fate {
        receiver: receiver.into(),
        state,
        code,
        receivers_reference: reference.into(),
        is_doubtful: false,
    };
    let (delivered, failed) = (ItemState::Delivered, ItemState::Failed);
    let (mut one, mut two) = (item(1, delivered, None), item(2, delivered, None));
    one.join(vec![fate("altinn", delivered, None, "A-1"), fate("archive", delivered, None, "B-1")]);
    let refused = Some(codes::RECEIVER_REFUSED);
    two.join(vec![fate("altinn", delivered, None, "A-2"), fate("archive", failed, refused, "")]);
    let mut shipment = shipment("a.xml");
    shipment.verdict = Some(verdict(VerdictKind::Pass, None));
    let at = |receiver: &str, delivered, failed| ReceiverCount { receiver: receiver.into(), delivered, failed };
    let told = crate::model::Note::new(codes::RECEIVER_REFUSED, "").at("archive").on(2);
    let receivers = vec![at("altinn", 2, 0), at("archive", 1, 1)];
    let account = account(ReceiptKind::Final, shipment, &[one.clone(), two.clone()]);
    (Account { receivers, ..account }, vec![(one, Vec::new()), (two, vec![told])])
}

fn written(mut rendering: Box<dyn Rendering>, items: &[(Item, Vec<Finding>)]) -> String {
    let mut out = Vec::new();
    rendering.begin(&mut out);
    items.iter().for_each(|(item, findings)| rendering.item(item, findings, &mut out));
    rendering.finish(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_form_tells_what_became_of_items_at_each_of_several_receivers() {
    let (account, items) = shared();
    let text = written(document(ReceiptFormat::Sluse, account.clone()), &items);
    for line in [
        "<Counts items=\"2\" delivered=\"1\" refused=\"0\" ignored=\"0\" failed=\"1\"",
        "<Receiver name=\"archive\" delivered=\"1\" failed=\"1\"/>",
        "<Reference type=\"ReceiversReference\" receiver=\"altinn\">A-2</Reference>",
        ">The receiver refused the item: receiver archive</Finding>",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let text = written(document(ReceiptFormat::OnlineBatchReceipt, account.clone()), &items);
    assert!(text.contains("resultCode=\"FAILED_DO_NOT_RETRY\""), "{text}");
    assert!(text.contains(" At altinn: 2 delivered, 0 failed. At archive: 1 delivered, 1 failed. (shipment"), "{text}");
    let text = written(document(ReceiptFormat::Summary, account.clone()), &items);
    assert!(text.contains("approved=\"1\"") && text.contains("refused=\"1\""), "{text}");
    assert!(text.contains("receiver archive"), "{text}");
    let text = written(page(Language::En, account.clone()), &items);
    assert!(text.contains("<h2>Receivers</h2>") && text.contains("altinn: A-1<br>archive: B-1</td>"), "{text}");
    let text = written(Box::new(List::new(account)), &items);
    assert!(text.contains("2,PRE-2026-2,Rejected,FW-201,"), "{text}");
}
