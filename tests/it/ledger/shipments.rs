//! Claims, leases, receipts, history.

use sluse::model::{
    BlobId, LateEvent, News, NodeState, Outcome, PartnerId, ReceiptForm, ReceiptKind, RouteName, ScratchId, ShipmentId,
    Stage, Verdict, VerdictKind, WorkerId,
};
use sluse::ports::{
    Close, Counts, Intent, KnownReceipt, NextNumber, NumbersFile, PlacedReceipt, Placing, ReceiptFile, SequenceUse,
    Taking,
};

use super::{Store, at, claim, claim_of, closing, item, partner, path, upload};

pub(super) fn receipt(shipment: ShipmentId, kind: ReceiptKind) -> PlacedReceipt {
    let name = format!("a.xml.{}.{}.xml", shipment.short(), kind.as_str());
    let (dir, blob) = ("receipts".to_owned(), BlobId::new());
    let file = ReceiptFile { form: ReceiptForm::Document, name, blob, size_bytes: 10, sha256: [1; 32] };
    PlacedReceipt {
        shipment,
        kind,
        partner: partner("etat"),
        dir,
        files: vec![file],
        numbers: None,
        news: Vec::new(),
        now: at(50),
    }
}

/// Places a shipment's final receipt.
pub(super) async fn end(store: &dyn Store, id: ShipmentId) {
    assert!(store.ledger().place_receipt(&receipt(id, ReceiptKind::Final)).await.unwrap().is_placed());
}

pub(super) fn pass() -> Verdict {
    Verdict { kind: VerdictKind::Pass, code: None, route: None, sha256: None, envelope: None, findings_total: 0 }
}

pub(super) async fn a_claim_is_a_shipment(store: Box<dyn Store>) {
    let (id, scratch, blob) = (ShipmentId::new(), ScratchId::new(), BlobId::new());
    store.area().begin(&upload("/test/a.xml", scratch)).await.unwrap();
    let close = Close { claim: Some((id, true)), ..closing("/test/a.xml", scratch, blob) };
    store.area().close(&close).await.unwrap();
    let shipment = store.ledger().shipment(id).await.unwrap().unwrap();
    assert_eq!((shipment.id, shipment.blob, shipment.size_bytes, shipment.preflight), (id, blob, 100, true));
    assert_eq!((shipment.partner, shipment.path), (partner("etat"), path("/test/a.xml")));
    assert_eq!((shipment.claimed_at, shipment.stage, shipment.verdict), (at(1), Stage::Claimed, None));
    let events = store.ledger().events(id).await.unwrap();
    assert_eq!(events.iter().map(|event| (event.at, event.what.as_str())).collect::<Vec<_>>(), [(at(1), "claimed")]);
    assert_eq!(store.ledger().shipment(ShipmentId::new()).await.unwrap(), None);
}

pub(super) async fn the_oldest_due_shipment_is_leased(store: Box<dyn Store>) {
    let (first, second) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let (ledger, one, two) = (store.ledger(), WorkerId::new(), WorkerId::new());
    assert_eq!(ledger.lease(Stage::Claimed, one, at(2), at(10)).await.unwrap().unwrap().id, first);
    assert_eq!(ledger.lease(Stage::Claimed, two, at(2), at(10)).await.unwrap().unwrap().id, second);
    assert_eq!(ledger.lease(Stage::Claimed, two, at(2), at(10)).await.unwrap(), None);
    ledger.release(first, one, at(5)).await.unwrap();
    assert_eq!(ledger.lease(Stage::Claimed, two, at(4), at(10)).await.unwrap(), None);
    assert_eq!(ledger.lease(Stage::Claimed, two, at(5), at(10)).await.unwrap().unwrap().id, first);
}

pub(super) async fn who_has_nothing_in_hand_comes_first(store: Box<dyn Store>) {
    let mut of_large = Vec::new();
    for number in 0..3 {
        of_large.push(claim(store.as_ref(), &format!("/inbox/{number}.xml")).await);
    }
    let of_small = claim_of(store.as_ref(), "small", "/inbox/a.xml").await;
    let (ledger, one, two) = (store.ledger(), WorkerId::new(), WorkerId::new());
    let lease = |worker, seconds| async move {
        ledger.lease(Stage::Claimed, worker, at(seconds), at(10)).await.unwrap().map(|shipment| shipment.id)
    };
    assert_eq!(lease(one, 2).await, Some(of_large[0]));
    assert_eq!(lease(two, 2).await, Some(of_small), "whoever has the other in hand");
    assert_eq!(lease(one, 2).await, Some(of_large[1]), "all have one");
    ledger.release(of_small, two, at(3)).await.unwrap();
    assert_eq!(lease(two, 3).await, Some(of_small), "though it has been due for less long");
}

pub(super) async fn it_is_known_how_far_shipments_have_come(store: Box<dyn Store>) {
    let (waiting, sending) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let (ledger, progress) = (store.ledger(), store.progress());
    ledger.add_items(sending, (1..=5).map(|number| item(number, None)).collect()).await.unwrap();
    let verdict = Verdict { route: Some("nightly".parse().unwrap()), ..pass() };
    ledger.record_verdict(sending, &verdict, &Taking::default(), at(2)).await.unwrap();
    let open = async || {
        let under_way = progress.under_way(10).await.unwrap();
        under_way.into_iter().map(|one| (one.id, one.route.to_string(), one.claimed_at, one.open)).collect::<Vec<_>>()
    };
    assert_eq!(open().await, [(sending, "nightly".to_owned(), at(1), 5)]);
    let (more, other) = (claim(store.as_ref(), "/inbox/c.xml").await, claim(store.as_ref(), "/inbox/d.xml").await);
    for (id, route) in [(more, "nightly"), (other, "weekly")] {
        let verdict = Verdict { route: Some(route.parse().unwrap()), ..pass() };
        ledger.record_verdict(id, &verdict, &Taking::default(), at(2)).await.unwrap();
    }
    let oldest: Vec<_> = progress.under_way(1).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(oldest, [sending, other], "one of each route");
    for id in [more, other] {
        ledger.place_receipt(&receipt(id, ReceiptKind::Final)).await.unwrap();
    }
    ledger.intend(Intent { shipment: sending, number: 1, now: at(3), is_doubtful: false }).await.unwrap();
    ledger.conclude(sending, 1, Outcome::Delivered("r".into()), at(4)).await.unwrap();
    assert_eq!(open().await, [(sending, "nightly".to_owned(), at(1), 4)]);
    progress.expect_ends(vec![(sending, Some(at(50))), (waiting, None)]).await.unwrap();
    end(store.as_ref(), sending).await;
    assert_eq!(open().await, []);
}

pub(super) async fn stages_are_leased_apart_and_in_turns(store: Box<dyn Store>) {
    let (first, second) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let (ledger, worker) = (store.ledger(), WorkerId::new());
    let lease = |stage, seconds| async move {
        let leased = ledger.lease(stage, worker, at(seconds), at(seconds + 100)).await.unwrap();
        leased.map(|shipment| shipment.id)
    };
    for id in [first, second] {
        ledger.record_verdict(id, &pass(), &Taking::default(), at(2)).await.unwrap();
    }
    let third = claim(store.as_ref(), "/inbox/c.xml").await;
    assert_eq!(lease(Stage::Judged, 2).await, Some(first));
    assert_eq!(lease(Stage::Claimed, 2).await, Some(third));
    assert_eq!(lease(Stage::Claimed, 2).await, None);
    // Who gives its place back goes behind those who have waited for longer.
    ledger.release(first, worker, at(3)).await.unwrap();
    assert_eq!(lease(Stage::Judged, 4).await, Some(second));
    ledger.release(second, worker, at(5)).await.unwrap();
    assert_eq!(lease(Stage::Judged, 6).await, Some(first));
    assert_eq!(lease(Stage::Judged, 6).await, Some(second));
}

pub(super) async fn a_lease_ends_by_time_release_or_finish(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let (ledger, one, two) = (store.ledger(), WorkerId::new(), WorkerId::new());
    ledger.lease(Stage::Claimed, one, at(2), at(10)).await.unwrap().unwrap();
    assert!(ledger.renew(id, one, at(20)).await.unwrap());
    assert_eq!(ledger.lease(Stage::Claimed, two, at(19), at(30)).await.unwrap(), None);
    assert_eq!(ledger.lease(Stage::Claimed, two, at(20), at(30)).await.unwrap().unwrap().id, id);
    assert!(!ledger.renew(id, one, at(40)).await.unwrap());
    ledger.release(id, one, at(0)).await.unwrap();
    assert_eq!(
        ledger.lease(Stage::Claimed, one, at(21), at(30)).await.unwrap(),
        None,
        "not the old holder's to give back"
    );
    ledger.release_all(Some(two)).await.unwrap();
    assert_eq!(ledger.lease(Stage::Claimed, one, at(21), at(30)).await.unwrap(), None);
    ledger.release_all(None).await.unwrap();
    assert_eq!(ledger.lease(Stage::Claimed, one, at(21), at(30)).await.unwrap().unwrap().id, id);
    assert!(ledger.place_receipt(&receipt(id, ReceiptKind::Final)).await.unwrap().is_placed());
    assert!(!ledger.renew(id, one, at(90)).await.unwrap());
    assert_eq!(ledger.lease(Stage::Claimed, two, at(1_000), at(2_000)).await.unwrap(), None);
}

pub(super) async fn a_start_makes_all_work_due(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let (ledger, one, two) = (store.ledger(), WorkerId::new(), WorkerId::new());
    ledger.add_items(id, vec![item(1, None), item(2, None)]).await.unwrap();
    ledger.intend(Intent { shipment: id, number: 1, now: at(900_000), is_doubtful: false }).await.unwrap();
    ledger.lease(Stage::Claimed, one, at(900_000), at(900_100)).await.unwrap().unwrap();
    ledger.release(id, one, at(900_200)).await.unwrap();
    // The clock is set back, and nobody holds the shipment.
    assert_eq!(ledger.lease(Stage::Claimed, two, at(10), at(20)).await.unwrap(), None);
    ledger.release_all(Some(two)).await.unwrap();
    assert_eq!(ledger.lease(Stage::Claimed, two, at(10), at(20)).await.unwrap().unwrap().id, id);
    let due = ledger.due_items(id, at(10), 0, 10).await.unwrap();
    assert_eq!(due.iter().map(|item| item.found.number).collect::<Vec<_>>(), [1, 2]);
}

pub(super) async fn counters_count_per_partner_and_name(store: Box<dyn Store>) {
    let count = |who: PartnerId, name: &'static str, by| {
        let ledger = store.ledger();
        async move { ledger.count_up(&who, name, by).await.unwrap() }
    };
    assert_eq!(count(partner("etat"), "sequence", 1).await, 1);
    assert_eq!(count(partner("etat"), "sequence", 5).await, 6);
    assert_eq!(count(partner("etat"), "other", 1).await, 1);
    assert_eq!(count(partner("annen"), "sequence", 0).await, 0);
}

pub(super) async fn the_watchdog_sees_what_has_no_final_receipt(store: Box<dyn Store>) {
    let (first, second) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let ledger = store.ledger();
    assert_eq!(ledger.overdue(at(1), &[], 10).await.unwrap(), []);
    let late = ledger.overdue(at(2), &[], 10).await.unwrap();
    assert_eq!(late.iter().map(|shipment| shipment.id).collect::<Vec<_>>(), [first, second]);
    ledger.place_receipt(&receipt(first, ReceiptKind::Final)).await.unwrap();
    assert_eq!(ledger.overdue(at(2), &[], 10).await.unwrap().len(), 1);
    let shut: RouteName = "shut".parse().unwrap();
    let verdict = Verdict { route: Some(shut.clone()), ..pass() };
    ledger.record_verdict(second, &verdict, &Taking::default(), at(3)).await.unwrap();
    assert_eq!(ledger.counts().await.unwrap(), Counts { claimed: 0, judged: 1, receipted: 1 });
    let third = claim(store.as_ref(), "/inbox/c.xml").await;
    let late = ledger.overdue(at(2), &[shut], 1).await.unwrap();
    assert_eq!(late.iter().map(|shipment| shipment.id).collect::<Vec<_>>(), [third], "what is left out hides nothing");
}

pub(super) async fn a_receipt_is_placed_once(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let ledger = store.ledger();
    let accepted = receipt(id, ReceiptKind::Accepted);
    assert!(!ledger.has_receipt(id, ReceiptKind::Accepted).await.unwrap());
    assert!(ledger.place_receipt(&accepted).await.unwrap().is_placed());
    assert!(!ledger.place_receipt(&receipt(id, ReceiptKind::Accepted)).await.unwrap().is_placed());
    assert!(ledger.has_receipt(id, ReceiptKind::Accepted).await.unwrap());
    assert!(!ledger.has_receipt(id, ReceiptKind::Final).await.unwrap());
    let there = store.area().list(&partner("etat"), "receipts", None, 10).await.unwrap();
    assert_eq!(
        there.iter().map(|node| (node.blob, node.state)).collect::<Vec<_>>(),
        [(Some(accepted.files[0].blob), NodeState::Whole)]
    );
    assert_eq!(ledger.shipment(id).await.unwrap().unwrap().stage, Stage::Claimed);
    assert_eq!(ledger.events(id).await.unwrap().len(), 2);
    assert!(ledger.place_receipt(&receipt(ShipmentId::new(), ReceiptKind::Final)).await.is_err());
}

pub(super) async fn a_list_of_numbers_is_placed_only_while_it_is_true(store: Box<dyn Store>) {
    let (first, second) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let (ledger, etat) = (store.ledger(), partner("etat"));
    let next = |scope: &str, number| NextNumber { scope: scope.to_owned(), number };
    assert_eq!(ledger.next_numbers(&etat).await.unwrap(), []);
    let take = async |id, numbers: &[(&str, u64)]| {
        let wanted = |(scope, number): &(&str, u64)| SequenceUse {
            scope: (*scope).to_owned(),
            number: *number,
            may_repeat: false,
        };
        let taking = Taking { numbers: numbers.iter().map(wanted).collect(), ..Taking::default() };
        ledger.record_verdict(id, &pass(), &taking, at(5)).await.unwrap();
    };
    take(first, &[("sender/b", 4), ("sender/a", 7)]).await;
    let list = |blob, numbers: Vec<NextNumber>| {
        Some(NumbersFile { name: "next-expected.csv".to_owned(), blob, size_bytes: 5, numbers })
    };
    let (old, new) = (BlobId::new(), BlobId::new());
    let told = ledger.next_numbers(&etat).await.unwrap();
    assert_eq!(told, [next("sender/a", 8), next("sender/b", 5)]);
    assert_eq!(ledger.next_numbers(&partner("annen")).await.unwrap(), []);
    let of_first = PlacedReceipt { numbers: list(old, told.clone()), ..receipt(first, ReceiptKind::Final) };
    assert_eq!(ledger.place_receipt(&of_first).await.unwrap(), Placing::Placed(None));
    take(second, &[("sender/b", 9)]).await;
    let outdated = PlacedReceipt { numbers: list(new, told), ..receipt(second, ReceiptKind::Final) };
    assert_eq!(ledger.place_receipt(&outdated).await.unwrap(), Placing::Outdated);
    assert!(!ledger.has_receipt(second, ReceiptKind::Final).await.unwrap(), "none without the other");
    let numbers = list(new, vec![next("sender/a", 8), next("sender/b", 10)]);
    let mended = PlacedReceipt { numbers, ..outdated };
    assert_eq!(ledger.place_receipt(&mended).await.unwrap(), Placing::Placed(Some(old)));
    assert_eq!(ledger.place_receipt(&mended).await.unwrap(), Placing::Known);
    let node = store.area().stat(&etat, &path("/receipts/next-expected.csv")).await.unwrap().unwrap();
    assert_eq!((node.blob, node.size_bytes), (Some(new), 5));
}

pub(super) async fn a_receipts_files_are_placed_together(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let mut last = receipt(id, ReceiptKind::Final);
    for (form, ext) in [(ReceiptForm::Page, "html"), (ReceiptForm::List, "csv"), (ReceiptForm::Signature, "xml.sig")] {
        let file = ReceiptFile { form, name: format!("a.{ext}"), blob: BlobId::new(), size_bytes: 5, sha256: [2; 32] };
        last.files.push(file);
    }
    assert!(store.ledger().place_receipt(&last).await.unwrap().is_placed());
    let store = store.reopen().await;
    let there = store.area().list(&partner("etat"), "receipts", None, 10).await.unwrap();
    let names: Vec<_> = there.iter().map(|node| node.path.name.as_str()).collect();
    assert_eq!(names, ["a.csv", "a.html", &last.files[0].name, "a.xml.sig"]);
    let known = store.ledger().receipts_of([2; 32]).await.unwrap();
    let forms: Vec<_> = known.iter().map(|file| (file.shipment, file.kind, file.form)).collect();
    let of = |form| (id, ReceiptKind::Final, form);
    assert_eq!(forms, [of(ReceiptForm::Page), of(ReceiptForm::List), of(ReceiptForm::Signature)]);
    let name = last.files[0].name.clone();
    let document =
        KnownReceipt { shipment: id, kind: ReceiptKind::Final, form: ReceiptForm::Document, name, placed_at: at(50) };
    assert_eq!(store.ledger().receipts_of([1; 32]).await.unwrap(), [document]);
    assert_eq!(store.ledger().receipts_of([3; 32]).await.unwrap(), []);
}

pub(super) async fn news_are_told_once(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let ledger = store.ledger();
    ledger.place_receipt(&receipt(id, ReceiptKind::Final)).await.unwrap();
    let news = |item, event| News { item, event, at: at(60) };
    let supplement = |number, news: Vec<News>| {
        let mut supplement = receipt(id, ReceiptKind::Supplement(number));
        supplement.files[0].name = format!("a.supplement-{number}.xml");
        PlacedReceipt { news, ..supplement }
    };
    assert_eq!(ledger.last_supplement(id).await.unwrap(), 0);
    let first = supplement(1, vec![news(2, LateEvent::Read), news(1, LateEvent::MalwareFound)]);
    assert!(ledger.place_receipt(&first).await.unwrap().is_placed());
    assert!(!ledger.place_receipt(&first).await.unwrap().is_placed(), "its number is taken");
    let again = supplement(2, vec![news(3, LateEvent::Read), news(2, LateEvent::Read)]);
    assert!(!ledger.place_receipt(&again).await.unwrap().is_placed(), "some of it was told");
    assert_eq!(ledger.told(id, &[3]).await.unwrap(), [], "and nothing of it is recorded");
    assert!(ledger.place_receipt(&supplement(2, vec![news(2, LateEvent::Confirmed)])).await.unwrap().is_placed());
    assert_eq!(ledger.last_supplement(id).await.unwrap(), 2);
    let told = [news(1, LateEvent::MalwareFound), news(2, LateEvent::Read), news(2, LateEvent::Confirmed)];
    assert_eq!(ledger.told(id, &[1, 2, 3]).await.unwrap(), told);
    let told_at = |at: i64| News { item: 1, event: LateEvent::Instantiated, at: super::at(at) };
    assert!(ledger.place_receipt(&supplement(3, vec![told_at(1), told_at(2)])).await.unwrap().is_placed());
    assert!(!ledger.place_receipt(&supplement(4, vec![told_at(2)])).await.unwrap().is_placed(), "that time was told");
    assert!(ledger.place_receipt(&supplement(4, vec![told_at(3)])).await.unwrap().is_placed());
    assert!(ledger.has_receipt(id, ReceiptKind::Supplement(2)).await.unwrap());
    let events = ledger.events(id).await.unwrap();
    let [.., last] = &events[..] else { panic!("no events") };
    assert_eq!((last.what.as_str(), last.detail.as_str()), ("receipt-supplement", "4"));
}

pub(super) async fn bytes_are_let_go_of_after_their_time(store: Box<dyn Store>) {
    let (answered, open) = (claim(store.as_ref(), "/inbox/a.xml").await, claim(store.as_ref(), "/inbox/b.xml").await);
    let ledger = store.ledger();
    let last = receipt(answered, ReceiptKind::Final);
    ledger.place_receipt(&last).await.unwrap();
    let kept = ledger.shipment(answered).await.unwrap().unwrap().blob;
    assert_eq!(ledger.expire(last.now, last.now, 10).await.unwrap(), []);
    let later = last.now + std::time::Duration::from_millis(1);
    assert_eq!(ledger.expire(later, later, 10).await.unwrap(), [kept]);
    assert_eq!(ledger.expire(later, later, 10).await.unwrap(), []);
    let still_open = ledger.shipment(open).await.unwrap().unwrap().blob;
    assert_eq!(ledger.referenced(&[kept, still_open], &[]).await.unwrap().0, [still_open]);
    assert_eq!(ledger.shipment(answered).await.unwrap().unwrap().stage, Stage::Receipted);
}

pub(super) async fn a_final_receipt_takes_the_claimed_file_out(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    for kind in [ReceiptKind::Rest, ReceiptKind::Final] {
        assert!(store.ledger().place_receipt(&receipt(id, kind)).await.unwrap().is_placed());
    }
    assert_eq!(store.area().stat(&partner("etat"), &path("/inbox/a.xml")).await.unwrap(), None);
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap().files, 2);
    assert_eq!(store.ledger().shipment(id).await.unwrap().unwrap().stage, Stage::Receipted);
    let whats: Vec<_> = store.ledger().events(id).await.unwrap().into_iter().map(|event| event.what).collect();
    assert_eq!(whats, ["claimed", "receipt-rest", "receipt-final"]);
}

pub(super) async fn a_final_receipt_leaves_a_later_file_of_the_same_name(store: Box<dyn Store>) {
    let first = claim(store.as_ref(), "/inbox/a.xml").await;
    let second = claim(store.as_ref(), "/inbox/a.xml").await;
    assert!(store.ledger().place_receipt(&receipt(first, ReceiptKind::Final)).await.unwrap().is_placed());
    let node = store.area().stat(&partner("etat"), &path("/inbox/a.xml")).await.unwrap().unwrap();
    assert_eq!(node.shipment, Some(second));
    assert_eq!(store.ledger().shipment(first).await.unwrap().unwrap().stage, Stage::Receipted);
}

pub(super) async fn what_is_referred_to_is_told(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let claimed = store.ledger().shipment(id).await.unwrap().unwrap().blob;
    store.ledger().place_receipt(&receipt(id, ReceiptKind::Final)).await.unwrap();
    let (scratch, whole, blob) = (ScratchId::new(), ScratchId::new(), BlobId::new());
    store.area().begin(&upload("/inbox/b.xml", scratch)).await.unwrap();
    store.area().begin(&upload("/inbox/.c.xml", whole)).await.unwrap();
    store.area().close(&closing("/inbox/.c.xml", whole, blob)).await.unwrap();
    // Where a CLOSE sealed an upload that the ledger then did not take, the bytes lie under the scratch file's number.
    let sealed = BlobId(scratch.0);
    let asked = [BlobId::new(), claimed, blob, sealed];
    let (mut blobs, scratches) = store.ledger().referenced(&asked, &[whole, scratch]).await.unwrap();
    blobs.sort();
    let mut expected = vec![claimed, blob, sealed];
    expected.sort();
    assert_eq!((blobs, scratches), (expected, vec![scratch]));
}

pub(super) async fn everything_is_there_after_a_crash(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    store.ledger().add_items(id, (1..=300).map(|number| item(number, None)).collect()).await.unwrap();
    store.ledger().record_verdict(id, &pass(), &Taking::default(), at(3)).await.unwrap();
    let (before, items) =
        (store.ledger().shipment(id).await.unwrap(), store.ledger().items(id, &[], 0, 500).await.unwrap());
    let store = store.reopen().await;
    assert_eq!(store.ledger().shipment(id).await.unwrap(), before);
    assert_eq!(store.ledger().items(id, &[], 0, 500).await.unwrap(), items);
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap().bytes, 100);
    assert_eq!(store.ledger().events(id).await.unwrap().len(), 2);
}
