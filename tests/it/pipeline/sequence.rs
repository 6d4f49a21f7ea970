//! Batches with numbers, control counts and attachments of their own, from the drop to the receipt.

use std::collections::BTreeSet;

use sluse::codes;
use sluse::model::{
    Code, FormatName, FormatRules, ReceiptKind, Route, SequencePolicy, SequenceRules, ShipmentId, Standing, Strictness,
    VerdictKind,
};

use sluse::ports::Clock;

use super::{Rig, route, until};
use crate::support::judged::judged;
use crate::support::receipts::assert_valid;

const BATCH: &str = include_str!("../../../fixtures/databatch/valid/two-units-with-attachments.xml");

fn numbered(sequence: SequenceRules) -> Route {
    let rules = FormatRules { sequence: SequenceRules { hold_ms: 3_600_000, ..sequence }, ..FormatRules::default() };
    Route { format: FormatName::DataBatch, rules, ..route() }
}

/// A batch with the number; its units have references of their own.
fn batch(number: u64) -> String {
    BATCH
        .replace("batchReference=\"7\"", &format!("batchReference=\"{number}\""))
        .replace("previousReference=\"6\"", &format!("previousReference=\"{}\"", number - 1))
        .replace("\"AR", &format!("\"AR{number}-"))
}

impl Rig {
    async fn drop_number(&self, number: u64, name: &str) -> ShipmentId {
        self.drop_file(&format!("/inbox/{name}.xml"), batch(number).as_bytes()).await
    }

    async fn outcome(&self, id: ShipmentId) -> (VerdictKind, Option<Code>) {
        self.final_receipt(id).await;
        let verdict = self.house.ledger.shipment(id).await.unwrap().unwrap().verdict.unwrap();
        (verdict.kind, verdict.code)
    }

    async fn findings(&self, id: ShipmentId) -> Vec<(Code, String)> {
        let findings = self.house.ledger.findings(id, 0, 100).await.unwrap();
        findings.into_iter().map(|finding| (finding.code, finding.text)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_out_of_its_turn_is_refused_and_told_whose_it_is() {
    let rig = Rig::with(numbered(SequenceRules::default())).await;
    let running = rig.run();
    let pass = (VerdictKind::Pass, None);
    let refused = |code| (VerdictKind::Refuse, Some(code));
    let first = rig.drop_number(7, "first").await;
    assert_eq!(rig.outcome(first).await, pass, "the first number is right whatever it is");
    let gap = rig.drop_number(9, "gap").await;
    assert_eq!(rig.outcome(gap).await, refused(codes::SEQUENCE_GAP));
    assert_eq!(rig.findings(gap).await, [(codes::SEQUENCE_GAP, "the number is 9, 8 is expected".to_owned())]);
    let again = rig.drop_number(7, "again").await;
    assert_eq!(rig.outcome(again).await, refused(codes::SEQUENCE_REPEATED));
    let late = rig.drop_number(3, "late").await;
    assert_eq!(rig.outcome(late).await, refused(codes::SEQUENCE_REPEATED));
    let contradiction = batch(8).replace("previousReference=\"7\"", "previousReference=\"6\"");
    let contradiction = rig.drop_file("/inbox/contradiction.xml", contradiction.as_bytes()).await;
    assert_eq!(rig.outcome(contradiction).await, refused(codes::BAD_SEQUENCE));
    for number in [8, 9] {
        let next = rig.drop_number(number, &format!("next-{number}")).await;
        assert_eq!(rig.outcome(next).await, pass, "{number}: what was refused took no number");
    }
    let uncounted = batch(1).replace("batchReference=\"1\"", "batchReference=\"0\"");
    let uncounted = rig.drop_file("/inbox/uncounted.xml", uncounted.as_bytes()).await;
    assert_eq!(rig.outcome(uncounted).await, pass, "0 after 0 is not counted");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_held_until_the_missing_one_comes() {
    let rig = Rig::with(numbered(SequenceRules { gap: SequencePolicy::Hold, ..SequenceRules::default() })).await;
    let running = rig.run();
    let first = rig.drop_number(7, "first").await;
    assert_eq!(rig.outcome(first).await, (VerdictKind::Pass, None));
    let (tenth, ninth) = (rig.drop_number(10, "tenth").await, rig.drop_number(9, "ninth").await);
    for id in [tenth, ninth] {
        until(async || rig.house.ledger.held_until(id, rig.clock.now()).await.unwrap().is_some()).await;
        assert!(rig.has(id, ReceiptKind::Accepted).await && !rig.has(id, ReceiptKind::Final).await);
    }
    let eighth = rig.drop_number(8, "eighth").await;
    for id in [eighth, ninth, tenth] {
        assert_eq!(rig.outcome(id).await, (VerdictKind::Pass, None));
    }
    // What never comes is not waited for for ever.
    let lonely = rig.drop_number(20, "lonely").await;
    until(async || rig.house.ledger.held_until(lonely, rig.clock.now()).await.unwrap().is_some()).await;
    rig.wait_hours(2);
    assert_eq!(rig.outcome(lonely).await, (VerdictKind::Refuse, Some(codes::SEQUENCE_GAP)));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_held_for_its_number_can_be_cancelled() {
    let rig = Rig::with(numbered(SequenceRules { gap: SequencePolicy::Hold, ..SequenceRules::default() })).await;
    let running = rig.run();
    let first = rig.drop_number(7, "first").await;
    assert_eq!(rig.outcome(first).await, (VerdictKind::Pass, None));
    let ninth = rig.drop_number(9, "ninth").await;
    until(async || rig.house.ledger.held_until(ninth, rig.clock.now()).await.unwrap().is_some()).await;
    rig.order(ninth, Standing::Cancelled).await;
    assert_eq!(rig.outcome(ninth).await, (VerdictKind::Refuse, Some(codes::CANCELLED)));
    // Its number is as free as if it had not come.
    for number in [8, 9] {
        let next = rig.drop_number(number, &format!("next-{number}")).await;
        assert_eq!(rig.outcome(next).await, (VerdictKind::Pass, None), "{number}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_may_take_numbers_as_they_come() {
    let sequence = SequenceRules {
        gap: SequencePolicy::Accept,
        late: Strictness::Warn,
        repeat: Strictness::Off,
        ..SequenceRules::default()
    };
    let rig = Rig::with(numbered(sequence)).await;
    let running = rig.run();
    for (number, told) in [(7, None), (9, Some(codes::SEQUENCE_GAP)), (8, Some(codes::SEQUENCE_REPEATED)), (9, None)] {
        let id = rig.drop_number(number, &format!("{number}-{told:?}")).await;
        assert_eq!(rig.outcome(id).await, (VerdictKind::Pass, None), "{number}");
        let codes: Vec<_> = rig.findings(id).await.into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, Vec::from_iter(told), "{number}");
        assert_eq!(rig.tally(id).await.delivered, 2);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_behind_all_units_go_where_their_unit_goes() {
    let rig = Rig::with(numbered(SequenceRules::default())).await;
    let running = rig.run();
    let wrong = batch(7).replacen("910000004", "910000005", 1);
    let id = rig.drop_file("/inbox/wrong.xml", wrong.as_bytes()).await;
    assert_eq!(rig.outcome(id).await, (VerdictKind::Pass, None));
    let (tally, rest) = (rig.tally(id).await, rig.receipt(".rest.xml").await);
    assert_eq!((tally.delivered, tally.refused), (1, 1));
    let again = judged(rest.as_bytes(), &[]);
    assert_eq!(again.judgement.refusal, None, "{rest}");
    assert_eq!(again.items.iter().map(|item| item.refused).collect::<Vec<_>>(), [Some(codes::BAD_ORGANISATION_NUMBER)]);
    assert!(rest.contains("formTasksInBatch=\"1\"") && rest.contains("formsInBatch=\"1\""), "{rest}");
    assert_eq!(again.attachments.iter().map(|found| found.reference.as_str()).collect::<Vec<_>>(), ["AR7-1"; 2]);
    assert_valid(&rig.receipt(".final.xml").await);
    let loose = batch(8).replacen("<Attachment archiveReference=\"AR8-1\"", "<Attachment archiveReference=\"AR9\"", 1);
    let id = rig.drop_file("/inbox/loose.xml", loose.as_bytes()).await;
    assert_eq!(rig.outcome(id).await, (VerdictKind::Refuse, Some(codes::LOOSE_ATTACHMENT)));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_is_used_again_after_its_time_does_not_bring_back_old_keys() {
    let mut once = route();
    once.rules.reference_days = Some(90);
    let rig = Rig::with(once).await;
    let running = rig.run();
    let first = rig.drop_batch(3, 1).await;
    rig.final_receipt(first).await;
    rig.wait_hours(24 * 89);
    let early = rig.drop_batch(3, 1).await;
    rig.final_receipt(early).await;
    let verdict = rig.house.ledger.shipment(early).await.unwrap().unwrap().verdict.unwrap();
    assert_eq!(verdict.code, Some(codes::REPEATED_SHIPMENT));
    rig.wait_hours(48);
    let second = rig.drop_batch(3, 1).await;
    rig.final_receipt(second).await;
    assert_eq!(rig.tally(second).await.delivered, 3);
    let items = rig.receiver.items.lock().unwrap().clone();
    let keys: BTreeSet<_> = items.iter().map(|(_, key)| *key).collect();
    assert_eq!((items.len(), keys.len()), (6, 6), "no receiver may take one for the other");
    running.stop().await;
}
