//! Sources: what looks showed, takes, and receipts on their way back.

use sluse::codes;
use sluse::model::{NodeState, ReceiptKind, Sighting, Stamp, TakeOrder, Tried, Wait, WorkerId};
use sluse::ports::{LookEnd, PlacedReceipt, ReceiptEnd, Seen, Take, TakeClaim, TakeStage};

use super::shipments::receipt;
use super::*;

const SOURCE: &str = "theirs";

fn seen(path: &str, size_bytes: u64, modified: i64) -> Seen {
    Seen { path: path.to_owned(), stamp: Stamp::new(size_bytes, at(modified)), is_beside: path.ends_with(".done") }
}

/// A look that shows these; returns its number.
async fn look(store: &dyn Store, second: i64, files: &[Seen]) -> u64 {
    let look = store.sources().begin_look(SOURCE, at(second)).await.unwrap();
    store.sources().see(SOURCE, look, at(second), files.to_vec()).await.unwrap();
    store.sources().forget_unseen(SOURCE, look, at(second)).await.unwrap();
    look
}

/// Files whose turn it is, all that are not ready being made so.
async fn turns(store: &dyn Store, order: TakeOrder) -> Vec<Sighting> {
    let unready = store.sources().unready(SOURCE, "", 100).await.unwrap();
    let waits = unready.into_iter().map(|file| (file.path, Wait::Turn)).collect();
    store.sources().set_waits(SOURCE, waits).await.unwrap();
    store.sources().turns(SOURCE, order, 100).await.unwrap()
}

async fn leased(store: &dyn Store) -> WorkerId {
    let worker = WorkerId::new();
    assert!(store.sources().lease_source(SOURCE, worker, at(0), at(1_000)).await.unwrap());
    worker
}

fn claim_of(take: &Take, worker: WorkerId, names: &[&str]) -> TakeClaim {
    TakeClaim {
        take: take.clone(),
        worker,
        partner: partner("etat"),
        dir: "inbox".to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        blob: BlobId::new(),
        size_bytes: take.stamp.size_bytes,
        sha256: [7; 32],
        shipment: ShipmentId::new(),
        preflight: false,
        refusal: None,
        answers: true,
        now: at(5),
    }
}

pub(super) async fn a_source_is_one_workers_at_a_time(store: Box<dyn Store>) {
    let (one, other) = (WorkerId::new(), WorkerId::new());
    let sources = store.sources();
    assert!(sources.lease_source(SOURCE, one, at(0), at(10)).await.unwrap());
    assert!(!sources.lease_source(SOURCE, other, at(9), at(20)).await.unwrap());
    assert!(sources.lease_source(SOURCE, one, at(9), at(12)).await.unwrap());
    assert!(sources.lease_source(SOURCE, other, at(12), at(20)).await.unwrap());
    look(&*store, 12, &[seen("a.xml", 1, 0)]).await;
    let file = turns(&*store, TakeOrder::Name).await.remove(0);
    let sources = store.sources();
    assert_eq!(sources.begin_take(SOURCE, one, &file, at(13)).await.unwrap(), None, "it is not theirs any more");
    let take = sources.begin_take(SOURCE, other, &file, at(13)).await.unwrap().unwrap();
    assert_eq!(sources.begin_take(SOURCE, other, &file, at(13)).await.unwrap(), None, "a file is taken once");
    assert_eq!(turns(&*store, TakeOrder::Name).await, []);
    assert!(store.sources().claim_take(&claim_of(&take, one, &["a.xml"])).await.is_err());
    assert_eq!(store.ledger().counts().await.unwrap().claimed, 0);
}

pub(super) async fn a_file_is_as_the_looks_showed_it(store: Box<dyn Store>) {
    let first = look(&*store, 0, &[seen("a.xml", 1, 0), seen("b.xml", 2, 0), seen("b.xml.done", 0, 0)]).await;
    look(&*store, 5, &[seen("a.xml", 1, 0), seen("b.xml", 3, 0)]).await;
    let store = store.reopen().await;
    let files = store.sources().unready(SOURCE, "", 10).await.unwrap();
    let told: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.first_look - first, file.since)).collect();
    assert_eq!(told, [("a.xml", 0, at(0)), ("b.xml", 1, at(5))]);
    assert_eq!(store.sources().unready(SOURCE, "a.xml", 10).await.unwrap().len(), 1);
    let beside = |look| store.sources().stamps(SOURCE, look, vec!["b.xml.done".into(), "a.xml.done".into()]);
    assert_eq!(beside(first + 1).await.unwrap(), Default::default(), "what is gone is forgotten");
    // A look whose listing breaks off forgets nothing, and what it did not show is not there for it.
    let done = [seen("a.xml", 1, 0), seen("a.xml.done", 0, 0)];
    let whole = look(&*store, 6, &done).await;
    assert_eq!(beside(whole).await.unwrap().into_keys().collect::<Vec<_>>(), ["a.xml.done"]);
    let broken = store.sources().begin_look(SOURCE, at(0)).await.unwrap();
    store.sources().see(SOURCE, broken, at(7), done[..1].to_vec()).await.unwrap();
    assert_eq!(beside(broken).await.unwrap(), Default::default());
    store.sources().see(SOURCE, broken, at(7), done[1..].to_vec()).await.unwrap();
    assert_eq!(beside(broken).await.unwrap().len(), 1, "as it was, and shown again");
    assert_eq!(store.sources().unready("other", "", 10).await.unwrap(), []);
}

pub(super) async fn files_have_their_turn_in_order(store: Box<dyn Store>) {
    look(&*store, 0, &[seen("a.xml", 3, 30), seen("b.xml", 1, 20), seen("c.xml", 2, 10)]).await;
    for (order, names) in [(TakeOrder::Name, "abc"), (TakeOrder::Age, "cba"), (TakeOrder::Size, "bca")] {
        let found: String = turns(&*store, order).await.iter().filter_map(|file| file.path.chars().next()).collect();
        assert_eq!(found, names, "{order:?}");
    }
    assert_eq!(store.sources().turns(SOURCE, TakeOrder::Name, 2).await.unwrap().len(), 2);
}

pub(super) async fn what_was_tried_is_remembered_until_it_changes(store: Box<dyn Store>) {
    let worker = leased(&*store).await;
    let number = look(&*store, 0, &[seen("a.xml", 1, 0)]).await;
    let file = turns(&*store, TakeOrder::Name).await.remove(0);
    let take = store.sources().begin_take(SOURCE, worker, &file, at(1)).await.unwrap().unwrap();
    let scratch = ScratchId::new();
    store.sources().fetched(take.id, scratch, 1).await.unwrap();
    let tried = Tried { at: at(2), waits: Wait::Match, checksum_file: Some(Stamp::new(9, at(1))) };
    let left = store.sources().put_back(&take, number, Some(tried), at(2)).await.unwrap();
    assert_eq!(left, Some(scratch), "its bytes are given back");
    look(&*store, 3, &[seen("a.xml", 1, 0)]).await;
    let known = store.sources().sighting(SOURCE, "a.xml").await.unwrap().unwrap();
    assert_eq!((known.waits, known.tried), (Wait::Match, Some(tried)));
    look(&*store, 4, &[seen("a.xml", 1, 7)]).await;
    let known = store.sources().sighting(SOURCE, "a.xml").await.unwrap().unwrap();
    assert_eq!((known.waits, known.tried), (Wait::Change, None));
}

pub(super) async fn a_take_becomes_a_shipment_in_one_change(store: Box<dyn Store>) {
    let worker = leased(&*store).await;
    claim(&*store, "/inbox/a.xml").await;
    look(&*store, 0, &[seen("a.xml", 100, 0)]).await;
    let file = turns(&*store, TakeOrder::Name).await.remove(0);
    let take = store.sources().begin_take(SOURCE, worker, &file, at(1)).await.unwrap().unwrap();
    let taken = TakeClaim { refusal: Some(codes::CHECKSUM_DIFFERS), ..claim_of(&take, worker, &["a.xml", "a-2.xml"]) };
    let lies_at = store.sources().claim_take(&taken).await.unwrap();
    assert_eq!(lies_at, path("/inbox/a-2.xml"), "the other keeps its name");
    let again = TakeClaim { shipment: ShipmentId::new(), ..taken.clone() };
    assert_eq!(store.sources().claim_take(&again).await.unwrap(), lies_at, "once");
    let store = store.reopen().await;
    assert_eq!(store.ledger().counts().await.unwrap().claimed, 2);
    let node = store.area().stat(&partner("etat"), &lies_at).await.unwrap().unwrap();
    assert_eq!((node.state, node.owner.as_deref(), node.blob), (NodeState::Claimed, Some(SOURCE), Some(taken.blob)));
    assert_eq!(store.sources().foreseen(taken.shipment).await.unwrap(), Some(codes::CHECKSUM_DIFFERS));
    let open = store.sources().open_takes(SOURCE, at(9), 9).await.unwrap();
    let told: Vec<_> = open.iter().map(|take| (take.stage, take.sha256)).collect();
    assert_eq!(told, [(TakeStage::Claimed, Some([7; 32]))]);
    // Left where it is, it is not seen as new; gone and come again, it is.
    look(&*store, 7, &[seen("a.xml", 100, 0)]).await;
    assert_eq!(turns(&*store, TakeOrder::Name).await, []);
    let known = store.sources().sighting(SOURCE, "a.xml").await.unwrap().unwrap();
    assert_eq!((known.waits, known.taken), (Wait::Taken, Some([7; 32])));
    store.sources().end_take(&open[0], true, at(8)).await.unwrap();
    look(&*store, 9, &[seen("a.xml", 100, 0)]).await;
    assert_eq!(turns(&*store, TakeOrder::Name).await.len(), 1);
}

pub(super) async fn bytes_of_a_take_are_not_swept(store: Box<dyn Store>) {
    let worker = leased(&*store).await;
    look(&*store, 0, &[seen("a.xml", 1, 0)]).await;
    let file = turns(&*store, TakeOrder::Name).await.remove(0);
    let take = store.sources().begin_take(SOURCE, worker, &file, at(1)).await.unwrap().unwrap();
    let scratch = ScratchId::new();
    store.sources().fetched(take.id, scratch, 0).await.unwrap();
    let (blobs, scratches) = store.ledger().referenced(&[BlobId(scratch.0)], &[scratch]).await.unwrap();
    assert_eq!((blobs.len(), scratches.len()), (1, 1), "also when they are sealed under its number already");
    store.sources().same_again(&take).await.unwrap();
    let (blobs, scratches) = store.ledger().referenced(&[BlobId(scratch.0)], &[scratch]).await.unwrap();
    assert_eq!((blobs.len(), scratches.len()), (0, 0));
}

pub(super) async fn a_source_stands_as_its_last_look_left_it(store: Box<dyn Store>) {
    assert_eq!(store.sources().source(SOURCE).await.unwrap(), Default::default());
    look(&*store, 0, &[]).await;
    let end = LookEnd { now: at(2), next_at: Some(at(60)), failures: 3, note: "out of reach".into(), answered: 1 };
    store.sources().end_look(SOURCE, &end).await.unwrap();
    let store = store.reopen().await;
    let stand = store.sources().source(SOURCE).await.unwrap();
    assert_eq!((stand.look, stand.looked_at, stand.next_at), (1, Some(at(2)), Some(at(60))));
    assert_eq!((stand.failures, stand.note.as_str(), stand.due_at), (3, "out of reach", None));
}

pub(super) async fn a_look_comes_in_time(store: Box<dyn Store>) {
    let next_at = async |store: &dyn Store| store.sources().source(SOURCE).await.unwrap().next_at;
    look(&*store, 3, &[]).await;
    assert_eq!(next_at(&*store).await, Some(at(3)), "one that did not end is done again");
    let end = LookEnd { now: at(4), next_at: None, failures: 0, note: String::new(), answered: 0 };
    store.sources().end_look(SOURCE, &end).await.unwrap();
    for (by, next) in [(60, 60), (90, 60), (30, 30)] {
        store.sources().look_by(SOURCE, at(by)).await.unwrap();
        assert_eq!(next_at(&*store).await, Some(at(next)));
    }
}

/// Takes a file and places a receipt of its shipment.
async fn answered(store: &dyn Store) -> (Take, PlacedReceipt) {
    let worker = leased(store).await;
    look(store, 0, &[seen("a.xml", 1, 0)]).await;
    let file = turns(store, TakeOrder::Name).await.remove(0);
    let take = store.sources().begin_take(SOURCE, worker, &file, at(1)).await.unwrap().unwrap();
    let claim = claim_of(&take, worker, &["a.xml"]);
    store.sources().claim_take(&claim).await.unwrap();
    let receipt = receipt(claim.shipment, ReceiptKind::Final);
    assert!(store.ledger().place_receipt(&receipt).await.unwrap().is_placed());
    (take, receipt)
}

pub(super) async fn what_a_clock_put_off_for_years_is_due(store: Box<dyn Store>) {
    let (take, _) = answered(&*store).await;
    let receipt = store.sources().due_receipts(SOURCE, at(9), 9).await.unwrap().remove(0);
    for (until, due) in [(10 + 900, 0), (300_000_000, 1)] {
        store.sources().delay_take(take.id, at(until)).await.unwrap();
        store.sources().conclude_receipt(&receipt, ReceiptEnd::Again(at(until))).await.unwrap();
        assert_eq!(store.sources().open_takes(SOURCE, at(10), 9).await.unwrap().len(), due);
        assert_eq!(store.sources().due_receipts(SOURCE, at(10), 9).await.unwrap().len(), due);
    }
}

pub(super) async fn a_receipt_placed_anew_is_written_back_once_more(store: Box<dyn Store>) {
    let (_, mut receipt) = answered(&*store).await;
    let first = store.sources().due_receipts(SOURCE, at(9), 9).await.unwrap().remove(0);
    receipt.files[0].blob = BlobId::new();
    store.ledger().replace_receipt(&receipt).await.unwrap();
    for end in [ReceiptEnd::Again(at(99)), ReceiptEnd::GivenUp, ReceiptEnd::Written] {
        store.sources().conclude_receipt(&first, end).await.unwrap();
        let due = store.sources().due_receipts(SOURCE, at(9), 9).await.unwrap();
        let told: Vec<_> = due.iter().map(|due| (due.blob, due.replaces)).collect();
        assert_eq!(told, [(receipt.files[0].blob, true)], "{end:?}");
    }
    let second = store.sources().due_receipts(SOURCE, at(9), 9).await.unwrap().remove(0);
    store.sources().conclude_receipt(&second, ReceiptEnd::Written).await.unwrap();
    assert_eq!(store.sources().due_receipts(SOURCE, at(9), 9).await.unwrap(), []);
}
