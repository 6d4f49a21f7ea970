//! Items, findings, verdicts, references.

use std::time::Duration;

use sluse::codes;
use sluse::model::{
    ByteRange, Envelope, Finding, FindingGroup, ItemKind, ItemState, NewItem, OutcomeCount, Part, PartKind, Place,
    Spot, Stage, Tally, Verdict, VerdictKind, WorkerId,
};
use sluse::ports::{Intent, RecordedVerdict, ReferenceUse, SequenceStand, SequenceUse, Taking};

use super::shipments::pass;
use super::{Store, at, claim, item};

fn reference(text: &str) -> ReferenceUse {
    ReferenceUse { part: PartKind::Prefill, sender_name: "Etaten".into(), reference: text.into() }
}

fn refuse() -> Verdict {
    Verdict { kind: VerdictKind::Refuse, code: Some(codes::TOO_MANY_REFUSED), ..pass() }
}

pub(super) async fn items_come_back_as_they_were_found(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let mut found = vec![item(1, None), item(2, Some(codes::BAD_VALUE)), item(3, Some(codes::IGNORED_SERVICE))];
    found[0].service = None;
    found[1].kind = ItemKind::Subscription;
    found[1].senders_reference = "æ'\"ø".into();
    found[2].kind = ItemKind::Field;
    store.ledger().add_items(id, found.clone()).await.unwrap();
    let items = store.ledger().items(id, &[], 0, 10).await.unwrap();
    assert_eq!(items.iter().map(|item| item.found.clone()).collect::<Vec<_>>(), found);
    let states = [ItemState::Ready, ItemState::Refused, ItemState::Ignored];
    assert_eq!(items.iter().map(|item| item.state).collect::<Vec<_>>(), states);
    let first = &items[0];
    assert_eq!((first.code, first.attempts, first.first_intent, first.last_intent), (None, 0, None, None));
    let some = store.ledger().items(id, &[ItemState::Ready, ItemState::Ignored], 1, 10).await.unwrap();
    assert_eq!(some.iter().map(|item| item.found.number).collect::<Vec<_>>(), [3]);
    assert_eq!(store.ledger().items(id, &[], 0, 2).await.unwrap().len(), 2);
    assert!(store.ledger().add_items(sluse::model::ShipmentId::new(), found).await.is_err());
}

pub(super) async fn adding_again_changes_nothing(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let found: Vec<_> = (1..=200).map(|number| item(number, None)).collect();
    store.ledger().add_items(id, found.clone()).await.unwrap();
    store.ledger().add_items(id, found).await.unwrap();
    assert_eq!(store.ledger().tally(id).await.unwrap(), Tally { ready: 200, ..Tally::default() });
}

pub(super) async fn judging_starts_over(store: Box<dyn Store>) {
    let (id, other) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let ledger = store.ledger();
    for id in [id, other] {
        ledger.add_items(id, (1..=100).map(|number| item(number, None)).collect()).await.unwrap();
        ledger.add_findings(id, vec![Finding::whole(codes::NO_ITEMS, "x")]).await.unwrap();
    }
    ledger.restart_judging(id).await.unwrap();
    assert_eq!((ledger.tally(id).await.unwrap().total(), ledger.tally(other).await.unwrap().total()), (0, 100));
    assert_eq!(ledger.findings(id, 0, 10).await.unwrap(), []);
    ledger.record_verdict(other, &pass(), &Taking::default(), at(2)).await.unwrap();
    assert!(ledger.restart_judging(other).await.is_err(), "a judged shipment keeps its items");
    assert_eq!(ledger.tally(other).await.unwrap().total(), 100);
}

pub(super) async fn repeats_are_refused(store: Box<dyn Store>) {
    let (id, other) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let mut found: Vec<_> = (1..=3_000).map(|number| item(number, None)).collect();
    for repeat in (1_500..3_000).step_by(2) {
        found[repeat].key = found[repeat - 1_500].key;
    }
    found[1_500].refused = Some(codes::BAD_VALUE);
    for id in [id, other] {
        store.ledger().add_items(id, found[..].to_vec()).await.unwrap();
    }
    assert_eq!(store.ledger().refuse_repeats(id, codes::REPEATED_ITEM).await.unwrap(), 749);
    let refused = store.ledger().items(id, &[ItemState::Refused], 0, 5_000).await.unwrap();
    let (own, repeats): (Vec<_>, Vec<_>) = refused.iter().partition(|item| item.code == Some(codes::BAD_VALUE));
    assert_eq!(own.iter().map(|item| item.found.number).collect::<Vec<_>>(), [1_501]);
    assert!(repeats.iter().all(|item| item.found.number > 1_500 && item.found.number % 2 == 1));
    assert_eq!(store.ledger().refuse_repeats(id, codes::REPEATED_ITEM).await.unwrap(), 0);
    assert_eq!(store.ledger().tally(other).await.unwrap().refused, 1);
}

pub(super) async fn a_verdict_stands(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let part = Part {
        kind: PartKind::Prefill,
        head: ByteRange { start: 50, end: 200 },
        reference: "R-1".into(),
        reference_end: 180,
        sequence_no: Some("7".into()),
        previous_no: None,
    };
    let root = ByteRange { start: 10, end: 40 };
    let verdict = Verdict {
        route: Some("prefill-ttd".parse().unwrap()),
        sha256: Some([7; 32]),
        envelope: Some(Envelope { root, sender_name: "Etaten".into(), parts: vec![part], ..Envelope::default() }),
        findings_total: 12,
        ..pass()
    };
    let ledger = store.ledger();
    for verdict in [&verdict, &refuse()] {
        let recorded =
            ledger.record_verdict(id, verdict, &Taking::references(&[reference("R-1")]), at(5)).await.unwrap();
        assert_eq!(recorded, RecordedVerdict::Recorded);
    }
    let shipment = ledger.shipment(id).await.unwrap().unwrap();
    assert_eq!((shipment.stage, shipment.verdict), (Stage::Judged, Some(verdict)));
    let whats: Vec<_> = ledger.events(id).await.unwrap().into_iter().map(|event| event.what).collect();
    assert_eq!(whats, ["claimed", "judged"]);
}

pub(super) async fn a_reference_is_taken_once(store: Box<dyn Store>) {
    let (first, second) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let ledger = store.ledger();
    ledger.add_items(second, vec![item(1, None)]).await.unwrap();
    ledger.record_verdict(first, &pass(), &Taking::references(&[reference("R-1")]), at(5)).await.unwrap();
    let both = [reference("R-2"), reference("R-1")];
    let taken = ledger.record_verdict(second, &refuse(), &Taking::references(&both), at(6)).await.unwrap();
    assert_eq!(taken, RecordedVerdict::ReferenceTaken(reference("R-1")));
    let shipment = ledger.shipment(second).await.unwrap().unwrap();
    assert_eq!((shipment.stage, shipment.verdict), (Stage::Claimed, None));
    assert_eq!(ledger.tally(second).await.unwrap().ready, 1);
    let elsewhere = ReferenceUse { part: PartKind::Subscription, ..reference("R-1") };
    let free = [reference("R-2"), reference("R-2"), elsewhere];
    assert_eq!(
        ledger.record_verdict(second, &pass(), &Taking::references(&free), at(6)).await.unwrap(),
        RecordedVerdict::Recorded
    );
}

pub(super) async fn a_reference_may_be_free_again(store: Box<dyn Store>) {
    let (first, second) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let ledger = store.ledger();
    let taking = Taking::references(&[reference("R-1")]);
    ledger.record_verdict(first, &pass(), &taking, at(5)).await.unwrap();
    let claimed_at = ledger.shipment(first).await.unwrap().unwrap().claimed_at;
    let kept = Taking { free_before: Some(claimed_at), ..taking.clone() };
    let held = ledger.record_verdict(second, &pass(), &kept, at(6)).await.unwrap();
    assert_eq!(held, RecordedVerdict::ReferenceTaken(reference("R-1")));
    let free = Taking { free_before: Some(claimed_at + Duration::from_millis(1)), ..taking };
    // The items of the first had these keys, and what became of those says nothing of these.
    ledger.add_items(second, (1..=3).map(|number| item(number, None)).collect()).await.unwrap();
    let keys = async || {
        let items = ledger.items(second, &[], 0, 9).await.unwrap();
        items.into_iter().map(|item| item.found.key).collect::<Vec<_>>()
    };
    let before = keys().await;
    let freed = ledger.record_verdict(second, &pass(), &free, at(6)).await.unwrap();
    assert_eq!(freed, RecordedVerdict::ReferenceFreed);
    ledger.own_keys(second).await.unwrap();
    let own: Vec<_> = before.iter().map(|key| key.in_shipment(second)).collect();
    assert_eq!(keys().await, own);
    let free = Taking { has_own_keys: true, ..free };
    assert_eq!(ledger.record_verdict(second, &pass(), &free, at(6)).await.unwrap(), RecordedVerdict::Recorded);
}

pub(super) async fn a_number_is_taken_once_and_lets_the_next_go_on(store: Box<dyn Store>) {
    let ledger = store.ledger();
    let mut ids = Vec::new();
    for name in ["/inbox/a.xml", "/inbox/b.xml", "/inbox/c.xml"] {
        ids.push(claim(store.as_ref(), name).await);
    }
    let [first, second, third] = ids[..] else { panic!("three") };
    let number = |number| SequenceUse { scope: "sender/x".into(), number, may_repeat: false };
    let taking = |wanted: &SequenceUse| Taking { numbers: vec![wanted.clone()], ..Taking::default() };
    let stand = async |id, n| ledger.sequence_stand(id, &number(n)).await.unwrap();
    assert_eq!(stand(first, 7).await, SequenceStand::Next);
    ledger.hold(third, &number(9), at(500)).await.unwrap();
    assert_eq!(ledger.held_until(third, at(3)).await.unwrap(), None, "nothing is known of that scope yet");
    ledger.record_verdict(first, &pass(), &taking(&number(7)), at(5)).await.unwrap();
    assert_eq!(stand(third, 9).await, SequenceStand::Gap { expected: 8 });
    assert_eq!(stand(third, 7).await, SequenceStand::Repeated { expected: 8 });
    assert_eq!(stand(third, 3).await, SequenceStand::Late { expected: 8 });
    assert_eq!(ledger.held_until(third, at(6)).await.unwrap(), Some(at(500)));
    assert!(ledger.has_earlier_unjudged(third).await.unwrap(), "the second is not judged");
    let again = ledger.record_verdict(second, &pass(), &taking(&number(7)), at(6)).await.unwrap();
    assert_eq!(again, RecordedVerdict::NumberTaken(number(7)));
    ledger.record_verdict(second, &pass(), &taking(&number(8)), at(7)).await.unwrap();
    assert_eq!(ledger.held_until(third, at(8)).await.unwrap(), None);
    assert!(!ledger.has_earlier_unjudged(third).await.unwrap());
    assert_eq!(stand(third, 9).await, SequenceStand::Next);
}

/// Who waits may be in hand still when the number before is taken, or may just be about to wait: nobody else wakes it.
pub(super) async fn who_waits_for_a_number_is_woken_whenever_it_is_taken(store: Box<dyn Store>) {
    for is_taken_first in [false, true] {
        let (ledger, worker, name) = (store.ledger(), WorkerId::new(), if is_taken_first { "b" } else { "a" });
        let number = |number| SequenceUse { scope: format!("sender/{name}"), number, may_repeat: false };
        let taking = |wanted| Taking { numbers: vec![number(wanted)], ..Taking::default() };
        let mut ids = Vec::new();
        for file in ["7", "8", "9"] {
            ids.push(claim(store.as_ref(), &format!("/inbox/{name}{file}.xml")).await);
        }
        ledger.record_verdict(ids[0], &pass(), &taking(7), at(5)).await.unwrap();
        let leased = async |now| ledger.lease(Stage::Claimed, worker, at(now), at(now + 60)).await.unwrap().unwrap().id;
        assert_eq!([leased(5).await, leased(5).await], ids[1..]);
        assert_eq!(ledger.sequence_stand(ids[2], &number(9)).await.unwrap(), SequenceStand::Gap { expected: 8 });
        let take = async || ledger.record_verdict(ids[1], &pass(), &taking(8), at(6)).await.unwrap();
        if is_taken_first {
            take().await;
        }
        ledger.hold(ids[2], &number(9), at(500)).await.unwrap();
        if !is_taken_first {
            take().await;
        }
        ledger.release(ids[2], worker, at(36)).await.unwrap();
        assert_eq!(leased(7).await, ids[2], "{is_taken_first}");
        ledger.record_verdict(ids[2], &pass(), &taking(9), at(8)).await.unwrap();
    }
}

pub(super) async fn a_refused_batch_may_come_again_under_its_reference(store: Box<dyn Store>) {
    let (wrong, mended) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    for (id, verdict) in [(wrong, refuse()), (mended, pass())] {
        let recorded =
            store.ledger().record_verdict(id, &verdict, &Taking::references(&[reference("R-1")]), at(5)).await.unwrap();
        assert_eq!(recorded, RecordedVerdict::Recorded);
    }
}

pub(super) async fn a_refusal_refuses_what_was_ready(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let found = vec![item(1, None), item(2, Some(codes::BAD_VALUE)), item(3, Some(codes::IGNORED_SERVICE))];
    store.ledger().add_items(id, found).await.unwrap();
    store.ledger().record_verdict(id, &refuse(), &Taking::default(), at(5)).await.unwrap();
    let items = store.ledger().items(id, &[], 0, 10).await.unwrap();
    let codes = [codes::SHIPMENT_REFUSED, codes::BAD_VALUE, codes::IGNORED_SERVICE].map(Some);
    assert_eq!(items.iter().map(|item| item.code).collect::<Vec<_>>(), codes);
    assert_eq!(store.ledger().next_due(id).await.unwrap(), None);
}

pub(super) async fn findings_come_in_order(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let findings: Vec<_> = (1..=250)
        .map(|number| Finding {
            code: codes::BAD_VALUE,
            place: (number % 2 == 0).then(|| Place {
                line: number,
                column: 3,
                offset: number * 9,
                path: "/A[1]".into(),
            }),
            item: (number % 3 == 0).then_some(number),
            rule: "cvc-datatype-valid.1.2.1".into(),
            text: format!("finding {number}"),
        })
        .collect();
    for chunk in findings.chunks(100) {
        store.ledger().add_findings(id, chunk.to_vec()).await.unwrap();
    }
    let (first, second) = (store.ledger().findings(id, 0, 200), store.ledger().findings(id, 200, 200));
    let (mut all, rest) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!((all.len(), rest.len()), (200, 50));
    all.extend(rest);
    assert_eq!(all, findings);
}

pub(super) async fn open_items_of_a_state_are_failed(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let ledger = store.ledger();
    ledger.add_items(id, vec![item(1, None), item(2, Some(codes::BAD_VALUE)), item(3, None)]).await.unwrap();
    ledger.intend(Intent { shipment: id, number: 3, now: at(2), is_doubtful: false }).await.unwrap();
    ledger.fail_open(id, ItemState::Ready, codes::UNREACHABLE).await.unwrap();
    let items = ledger.items(id, &[], 0, 10).await.unwrap();
    let states: Vec<_> = items.iter().map(|item| (item.state, item.code)).collect();
    let refused = (ItemState::Refused, Some(codes::BAD_VALUE));
    assert_eq!(states, [(ItemState::Failed, Some(codes::UNREACHABLE)), refused, (ItemState::Sending, None)]);
}

pub(super) async fn a_rehearsal_is_settled_without_sending(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/test/a.xml").await;
    store.ledger().add_items(id, vec![item(1, None), item(2, Some(codes::BAD_VALUE))]).await.unwrap();
    store.ledger().settle_preflight(id, codes::PREFLIGHT).await.unwrap();
    let items = store.ledger().items(id, &[], 0, 10).await.unwrap();
    assert_eq!((items[0].state, items[0].code), (ItemState::Delivered, Some(codes::PREFLIGHT)));
    assert_eq!((items[1].state, items[1].code), (ItemState::Refused, Some(codes::BAD_VALUE)));
    assert_eq!(store.ledger().next_due(id).await.unwrap(), None);
}

pub(super) async fn groups_come_in_order(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let group = |number: u64| FindingGroup {
        code: codes::BAD_VALUE,
        rule: "cvc-datatype-valid.1.2.1".into(),
        text: format!("kind {number}"),
        path: "/Batch/Unit/Date".into(),
        count: number * 1_000,
        places: vec![
            Spot { line: number, column: 2, offset: 3, item: Some(number) },
            Spot { line: number, column: 9, offset: 8, item: None },
        ],
    };
    store.ledger().add_finding_groups(id, (1..=3).map(group).collect()).await.unwrap();
    let bare = FindingGroup { places: Vec::new(), ..group(4) };
    store.ledger().add_finding_groups(id, vec![bare.clone()]).await.unwrap();
    let store = store.reopen().await;
    let page = store.ledger().finding_groups(id, 0, 2).await.unwrap();
    assert_eq!(page, [group(1), group(2)]);
    assert_eq!(store.ledger().finding_groups(id, 2, 9).await.unwrap(), [group(3), bare]);
    store.ledger().restart_judging(id).await.unwrap();
    assert_eq!(store.ledger().finding_groups(id, 0, 9).await.unwrap(), []);
}

pub(super) async fn outcomes_are_counted_by_part_state_and_code(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let ledger = store.ledger();
    let of_part = |part: u32, item: NewItem| NewItem { part, ..item };
    let bad = Some(codes::BAD_VALUE);
    let items = vec![item(1, None), item(2, bad), item(3, bad), of_part(1, item(4, bad)), item(5, None)];
    ledger.add_items(id, items).await.unwrap();
    let about = |item| Finding { item: Some(item), ..Finding::whole(codes::BAD_VALUE, "") };
    ledger.add_findings(id, vec![about(2), about(2), about(4), Finding::whole(codes::BAD_VALUE, "")]).await.unwrap();
    let count = |part, state, code, items, with_findings| OutcomeCount { part, state, code, items, with_findings };
    assert_eq!(
        ledger.outcomes(id).await.unwrap(),
        [
            count(0, ItemState::Ready, None, 2, 0),
            count(0, ItemState::Refused, bad, 2, 1),
            count(1, ItemState::Refused, bad, 1, 1),
        ]
    );
    assert_eq!(ledger.outcomes(claim(store.as_ref(), "/inbox/b.xml").await).await.unwrap(), []);
}
