//! Items that go together: grouped once, and every step is one of all of them.

use sluse::codes;
use sluse::model::{Batch, Item, ItemKey, ItemState, Outcome, ShipmentId};
use sluse::ports::{Intent, LedgerError};

use super::{Store, at, claim, item};

async fn with_items(store: &dyn Store, count: u64) -> ShipmentId {
    let id = claim(store, "/inbox/a.xml").await;
    store.ledger().add_items(id, (1..=count).map(|number| item(number, None)).collect()).await.unwrap();
    id
}

fn batch(number: u64, first: u64, last: u64) -> Batch {
    let key = ItemKey::derive(&["batch", &number.to_string()]);
    Batch { number, key, first, last, items: last - first + 1 }
}

fn intent(shipment: ShipmentId, number: u64, seconds: i64) -> Intent {
    Intent { shipment, number, now: at(seconds), is_doubtful: false }
}

async fn all(store: &dyn Store, id: ShipmentId) -> Vec<Item> {
    store.ledger().items(id, &[], 0, 1_000).await.unwrap()
}

async fn due(store: &dyn Store, id: ShipmentId, seconds: i64) -> Vec<(Batch, ItemState)> {
    let due = store.ledger().due_batches(id, at(seconds), 0, 100).await.unwrap();
    due.into_iter().map(|(batch, first)| (batch, first.state)).collect()
}

pub(super) async fn a_batch_goes_its_way(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 5).await;
    let ledger = store.ledger();
    let (one, two) = (batch(1, 1, 3), batch(2, 4, 5));
    ledger.add_batches(id, vec![one, two]).await.unwrap();
    assert_eq!(ledger.last_batch(id).await.unwrap(), Some(two));
    assert_eq!(
        all(store.as_ref(), id).await.iter().map(|item| item.batch).collect::<Vec<_>>(),
        [1, 1, 1, 2, 2].map(Some)
    );
    assert_eq!(ledger.due_items(id, at(99), 0, 10).await.unwrap(), [], "they do not go alone");
    assert_eq!(due(store.as_ref(), id, 1).await, [(one, ItemState::Ready), (two, ItemState::Ready)]);
    assert_eq!(ledger.due_batches(id, at(1), 1, 100).await.unwrap()[0].0, two);

    ledger.intend_batch(intent(id, 1, 10)).await.unwrap();
    let retry = Outcome::Retry { code: codes::THROTTLED, at: at(30) };
    ledger.conclude_batch(id, 1, retry, at(11)).await.unwrap();
    assert_eq!(due(store.as_ref(), id, 29).await, [(two, ItemState::Ready)]);
    ledger.intend_batch(intent(id, 1, 30)).await.unwrap();
    let sending = &all(store.as_ref(), id).await[..3];
    assert!(sending.iter().all(|item| (item.state, item.attempts, item.code) == (ItemState::Sending, 2, None)));
    assert!(sending.iter().all(|item| (item.first_intent, item.last_intent) == (Some(at(10)), Some(at(30)))));
    ledger.conclude_batch(id, 1, Outcome::Delivered("R-7".into()), at(31)).await.unwrap();
    ledger.conclude_batch(id, 2, Outcome::Failed(codes::RECEIVER_REFUSED), at(31)).await.unwrap();
    let settled: Vec<_> =
        all(store.as_ref(), id).await.into_iter().map(|item| (item.code, item.receivers_reference)).collect();
    let expected = [(codes::DELIVERED, "R-7"); 3].into_iter().chain([(codes::RECEIVER_REFUSED, ""); 2]);
    assert_eq!(settled, expected.map(|(code, given)| (Some(code), given.to_owned())).collect::<Vec<_>>());
    assert_eq!((due(store.as_ref(), id, 99).await.len(), ledger.next_due(id).await.unwrap()), (0, None));
}

pub(super) async fn batches_are_made_once(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 6).await;
    let ledger = store.ledger();
    assert_eq!(ledger.last_batch(id).await.unwrap(), None);
    ledger.add_batches(id, vec![batch(1, 1, 3)]).await.unwrap();
    ledger.add_batches(id, vec![batch(1, 1, 5), batch(2, 4, 5)]).await.unwrap();
    assert_eq!(due(store.as_ref(), id, 1).await.iter().map(|(batch, _)| batch.last).collect::<Vec<_>>(), [3, 5]);
    let overlaps = ledger.add_batches(id, vec![batch(3, 5, 6)]).await;
    assert!(matches!(overlaps, Err(LedgerError::Corrupt(_))), "an item goes in one batch: {overlaps:?}");
    assert_eq!(all(store.as_ref(), id).await[5].batch, None, "nothing is left of it");
    assert_eq!(ledger.due_items(id, at(1), 0, 10).await.unwrap().len(), 1);
}

pub(super) async fn only_ready_items_are_grouped(store: Box<dyn Store>) {
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let ledger = store.ledger();
    let refused = |number| (number == 2).then_some(codes::BAD_VALUE);
    ledger.add_items(id, (1..=4).map(|number| item(number, refused(number))).collect()).await.unwrap();
    ledger.intend(intent(id, 3, 1)).await.unwrap();
    ledger.add_batches(id, vec![Batch { items: 2, ..batch(1, 1, 4) }]).await.unwrap();
    let grouped: Vec<_> = all(store.as_ref(), id).await.iter().map(|item| item.batch).collect();
    assert_eq!(grouped, [Some(1), None, None, Some(1)]);
    ledger.intend_batch(intent(id, 1, 2)).await.unwrap();
    ledger.conclude_batch(id, 1, Outcome::Delivered("R".into()), at(3)).await.unwrap();
    let tally = ledger.tally(id).await.unwrap();
    assert_eq!((tally.delivered, tally.refused, tally.sending), (2, 1, 1), "what went alone before is looked up alone");
    assert_eq!(ledger.due_items(id, at(9), 0, 10).await.unwrap().len(), 1);
}

pub(super) async fn a_batch_is_settled_once(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 2).await;
    let ledger = store.ledger();
    ledger.add_batches(id, vec![batch(1, 1, 2)]).await.unwrap();
    ledger.intend_batch(intent(id, 1, 10)).await.unwrap();
    ledger.conclude_batch(id, 1, Outcome::Delivered("first".into()), at(11)).await.unwrap();
    ledger.conclude_batch(id, 1, Outcome::Delivered("second".into()), at(12)).await.unwrap();
    let contradicts = ledger.conclude_batch(id, 1, Outcome::Failed(codes::RECEIVER_REFUSED), at(12)).await;
    assert!(matches!(contradicts, Err(LedgerError::Corrupt(_))), "{contradicts:?}");
    let again = ledger.intend_batch(intent(id, 1, 13)).await;
    assert!(matches!(again, Err(LedgerError::Corrupt(_))), "a delivered batch is never sent again: {again:?}");
    assert!(ledger.intend_batch(intent(id, 2, 13)).await.is_err());
    assert!(ledger.intend_batch(intent(ShipmentId::new(), 1, 13)).await.is_err());
    assert!(all(store.as_ref(), id).await.iter().all(|item| item.receivers_reference == "first" && item.attempts == 1));
}

pub(super) async fn batches_are_there_after_a_crash(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 4).await;
    store.ledger().add_batches(id, vec![batch(1, 1, 2), batch(2, 3, 4)]).await.unwrap();
    store.ledger().intend_batch(intent(id, 2, 10)).await.unwrap();
    let store = store.reopen().await;
    let expected = [(batch(1, 1, 2), ItemState::Ready), (batch(2, 3, 4), ItemState::Sending)];
    assert_eq!(due(store.as_ref(), id, 10).await, expected);
    store.ledger().fail_open(id, ItemState::Ready, codes::UNREACHABLE).await.unwrap();
    assert_eq!(due(store.as_ref(), id, 10).await, expected[1..]);
}
