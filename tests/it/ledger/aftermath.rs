//! What follows a delivery: notes, later news, contents that lie at a receiver.

use sluse::codes;
use sluse::model::{ItemKey, ItemState, Note, Outcome, ShipmentId};
use sluse::ports::{Follow, Intent, Looked, Told};
use uuid::Uuid;

use super::{Store, at, claim, item};

/// A shipment whose items are being sent.
async fn sending(store: &dyn Store, path: &str, items: u64) -> ShipmentId {
    let id = claim(store, path).await;
    let ledger = store.ledger();
    ledger.add_items(id, (1..=items).map(|number| item(number, None)).collect()).await.unwrap();
    for number in 1..=items {
        ledger.intend(Intent { shipment: id, number, now: at(10), is_doubtful: false }).await.unwrap();
    }
    id
}

fn told(texts: &[&str], follow: Option<Follow>) -> Told {
    Told { notes: texts.iter().map(|text| Note::new(codes::PARTS_DROPPED, *text)).collect(), follow }
}

fn delivered() -> Outcome {
    Outcome::Delivered("r".into())
}

pub(super) async fn notes_stand_with_their_outcome(store: Box<dyn Store>) {
    let id = sending(store.as_ref(), "/inbox/a.xml", 4).await;
    let ledger = store.ledger();
    ledger.conclude_with(id, 1, delivered(), told(&["a", "b"], None), at(20)).await.unwrap();
    let refused = Outcome::Failed(codes::RECEIVER_REFUSED);
    ledger.conclude_with(id, 3, refused.clone(), told(&["c"], None), at(20)).await.unwrap();
    // The call may be repeated, and an outcome that contradicts it leaves everything as it was.
    ledger.conclude_with(id, 1, delivered(), told(&["a", "b"], None), at(21)).await.unwrap();
    assert!(ledger.conclude_with(id, 1, refused, told(&["x"], None), at(22)).await.is_err());
    let retry = Outcome::Retry { code: codes::THROTTLED, at: at(30) };
    ledger.conclude_with(id, 4, retry, told(&["d"], None), at(20)).await.unwrap();
    ledger.intend(Intent { shipment: id, number: 4, now: at(31), is_doubtful: false }).await.unwrap();
    ledger.conclude_with(id, 4, delivered(), told(&["e"], None), at(32)).await.unwrap();
    let note = |number: u64, text: &str| (number, Note::new(codes::PARTS_DROPPED, text));
    let all = [note(1, "a"), note(1, "b"), note(3, "c"), note(4, "e")];
    assert_eq!(ledger.notes(id, 1, 4).await.unwrap(), all);
    assert_eq!(ledger.notes(id, 2, 3).await.unwrap(), all[2..3]);
    let store = store.reopen().await;
    assert_eq!(store.ledger().notes(id, 1, 4).await.unwrap(), all);
}

pub(super) async fn items_are_followed_after_their_final_receipt(store: Box<dyn Store>) {
    let follow = |due, ends| Some(Follow { due_at: at(due), ends_at: at(ends) });
    let open = sending(store.as_ref(), "/inbox/open.xml", 1).await;
    let id = sending(store.as_ref(), "/inbox/a.xml", 3).await;
    for (shipment, number, follow) in [(open, 1, follow(30, 900)), (id, 1, follow(50, 900)), (id, 2, follow(40, 90))] {
        store.ledger().conclude_with(shipment, number, delivered(), told(&[], follow), at(20)).await.unwrap();
    }
    store.ledger().conclude(id, 3, delivered(), at(20)).await.unwrap();
    let followed = store.followed();
    assert_eq!(followed.followed_shipments(at(100)).await.unwrap(), [], "none has its final receipt");
    super::shipments::end(store.as_ref(), id).await;
    assert_eq!(followed.followed_shipments(at(39)).await.unwrap(), []);
    assert_eq!(followed.followed_shipments(at(40)).await.unwrap(), [id]);
    let numbers = async |store: &dyn Store, seconds| {
        let due = store.followed().due_followed(id, at(seconds), 10).await.unwrap();
        due.iter().map(|item| (item.number, item.looks)).collect::<Vec<_>>()
    };
    assert_eq!(numbers(store.as_ref(), 45).await, [(2, 0)]);
    assert_eq!(numbers(store.as_ref(), 60).await, [(2, 0), (1, 0)]);
    let due = followed.due_followed(id, at(60), 1).await.unwrap();
    assert_eq!((due.len(), due[0].receivers_reference.as_str(), due[0].ends_at), (1, "r", at(90)));
    let looked = vec![Looked { number: 1, again: Some(at(70)) }, Looked { number: 2, again: None }];
    followed.looked(id, looked).await.unwrap();
    let store = store.reopen().await;
    assert_eq!(numbers(store.as_ref(), 69).await, []);
    assert_eq!(numbers(store.as_ref(), 999).await, [(1, 1)]);
    store.followed().looked(id, vec![Looked { number: 1, again: None }]).await.unwrap();
    assert_eq!(store.followed().followed_shipments(at(999)).await.unwrap(), []);
    assert_eq!(store.ledger().items(id, &[ItemState::Delivered], 0, 9).await.unwrap().len(), 3);
}

pub(super) async fn uploads_are_remembered_for_a_time(store: Box<dyn Store>) {
    let (one, other) = ([1; 32], [2; 32]);
    let uploads = store.uploads();
    assert_eq!(uploads.upload(one).await.unwrap(), None);
    uploads.keep_upload(one, "first", at(10)).await.unwrap();
    uploads.keep_upload(other, "other", at(30)).await.unwrap();
    uploads.keep_upload(one, "second", at(20)).await.unwrap();
    let store = store.reopen().await;
    assert_eq!(store.uploads().upload(one).await.unwrap().as_deref(), Some("second"));
    store.uploads().forget_uploads(at(25)).await.unwrap();
    assert_eq!(store.uploads().upload(one).await.unwrap(), None);
    assert_eq!(store.uploads().upload(other).await.unwrap().as_deref(), Some("other"));
}

pub(super) async fn a_transfer_is_kept_for_its_item(store: Box<dyn Store>) {
    let (one, other) = (ItemKey::derive(&["one"]), ItemKey::derive(&["other"]));
    let [first, second, third, strange] = [1, 2, 3, 4].map(Uuid::from_u128);
    let transfers = store.transfers();
    assert_eq!(transfers.transfer(one).await.unwrap(), None);
    transfers.keep_transfer(one, first, at(10)).await.unwrap();
    transfers.keep_transfer(other, third, at(20)).await.unwrap();
    transfers.keep_transfer(one, second, at(30)).await.unwrap();
    let store = store.reopen().await;
    assert_eq!(store.transfers().transfer(one).await.unwrap(), Some(second), "the last one counts");
    let known = store.transfers().known_transfers(&[third, strange, second, first]).await.unwrap();
    assert_eq!(known, [third, second]);
    // They go when nobody can ask for them any more.
    store.transfers().keep_transfer(ItemKey::derive(&["new"]), strange, at(181 * 24 * 3_600)).await.unwrap();
    assert_eq!(store.transfers().transfer(one).await.unwrap(), None);
    assert_eq!(store.transfers().known_transfers(&[second, third, strange]).await.unwrap(), [strange]);
}
