//! Intents and outcomes.

use sluse::codes;
use sluse::model::{Item, ItemState, Outcome, ShipmentId};
use sluse::ports::{Intent, LedgerError};

use super::{Store, at, claim, item};

async fn with_items(store: &dyn Store, count: u64) -> ShipmentId {
    let id = claim(store, "/inbox/a.xml").await;
    store.ledger().add_items(id, (1..=count).map(|number| item(number, None)).collect()).await.unwrap();
    id
}

async fn only(store: &dyn Store, id: ShipmentId) -> Item {
    store.ledger().items(id, &[], 0, 1).await.unwrap().remove(0)
}

fn intent(shipment: ShipmentId, number: u64, seconds: i64) -> Intent {
    Intent { shipment, number, now: at(seconds), is_doubtful: false }
}

pub(super) async fn an_item_goes_its_way(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 1).await;
    let ledger = store.ledger();
    ledger.intend(intent(id, 1, 10)).await.unwrap();
    let sending = only(store.as_ref(), id).await;
    assert_eq!((sending.state, sending.attempts), (ItemState::Sending, 1));
    assert_eq!((sending.first_intent, sending.last_intent), (Some(at(10)), Some(at(10))));
    let retry = Outcome::Retry { code: codes::UNREACHABLE, at: at(30) };
    ledger.conclude(id, 1, retry, at(11)).await.unwrap();
    let waiting = only(store.as_ref(), id).await;
    assert_eq!((waiting.state, waiting.code), (ItemState::Ready, Some(codes::UNREACHABLE)));
    ledger.intend(intent(id, 1, 30)).await.unwrap();
    assert_eq!(only(store.as_ref(), id).await.code, None, "what became of this attempt is not known yet");
    let unknown = Outcome::Unknown { code: codes::OUTCOME_UNKNOWN, at: at(60) };
    ledger.conclude(id, 1, unknown, at(31)).await.unwrap();
    let unsure = only(store.as_ref(), id).await;
    assert_eq!((unsure.state, unsure.attempts), (ItemState::Sending, 2));
    assert_eq!((unsure.first_intent, unsure.last_intent), (Some(at(10)), Some(at(30))));
    ledger.conclude(id, 1, Outcome::Delivered("instance/7".into()), at(61)).await.unwrap();
    let delivered = only(store.as_ref(), id).await;
    assert_eq!((delivered.state, delivered.code), (ItemState::Delivered, Some(codes::DELIVERED)));
    assert_eq!((delivered.receivers_reference.as_str(), delivered.attempts), ("instance/7", 2));
}

pub(super) async fn doubt_lasts_until_a_look_settles_it(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 3).await;
    let ledger = store.ledger();
    let unknown = Outcome::Unknown { code: codes::OUTCOME_UNKNOWN, at: at(20) };
    let retry = Outcome::Retry { code: codes::UNREACHABLE, at: at(30) };
    for number in 1..=3 {
        ledger.intend(intent(id, number, 10)).await.unwrap();
        ledger.conclude(id, number, unknown.clone(), at(11)).await.unwrap();
    }
    assert!(ledger.items(id, &[], 0, 3).await.unwrap().iter().all(|item| item.is_doubtful));
    // Of the first nobody could tell, the second was not there, the third neither and is given up.
    ledger.intend(Intent { is_doubtful: true, ..intent(id, 1, 20) }).await.unwrap();
    ledger.intend(intent(id, 2, 20)).await.unwrap();
    for number in 1..=2 {
        ledger.conclude(id, number, retry.clone(), at(21)).await.unwrap();
    }
    ledger.conclude(id, 3, Outcome::NotThere(codes::CANCELLED), at(21)).await.unwrap();
    ledger.fail_open(id, ItemState::Ready, codes::CANCELLED).await.unwrap();
    let items = ledger.items(id, &[ItemState::Failed], 0, 3).await.unwrap();
    let ends: Vec<_> = items.iter().map(|item| (item.is_doubtful, item.code.unwrap())).collect();
    assert_eq!(ends, [(true, codes::OUTCOME_UNKNOWN), (false, codes::CANCELLED), (false, codes::CANCELLED)]);
}

pub(super) async fn due_items_wait_for_their_time(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 5).await;
    let ledger = store.ledger();
    let retry = |seconds| Outcome::Retry { code: codes::THROTTLED, at: at(seconds) };
    for (number, outcome) in [
        (1, Outcome::Delivered("x".into())),
        (2, retry(40)),
        (3, Outcome::Unknown { code: codes::OUTCOME_UNKNOWN, at: at(30) }),
        (4, Outcome::Failed(codes::RECEIVER_REFUSED)),
    ] {
        ledger.intend(intent(id, number, 10)).await.unwrap();
        ledger.conclude(id, number, outcome, at(11)).await.unwrap();
    }
    let due = |seconds, after, limit| async move {
        let items = ledger.due_items(id, at(seconds), after, limit).await.unwrap();
        items.into_iter().map(|item| (item.found.number, item.state)).collect::<Vec<_>>()
    };
    assert_eq!(due(29, 0, 10).await, [(5, ItemState::Ready)]);
    assert_eq!(due(30, 0, 10).await, [(3, ItemState::Sending), (5, ItemState::Ready)]);
    assert_eq!(due(40, 0, 2).await, [(2, ItemState::Ready), (3, ItemState::Sending)]);
    assert_eq!(due(40, 3, 10).await, [(5, ItemState::Ready)]);
    assert!(ledger.next_due(id).await.unwrap().unwrap() <= at(0), "an item never tried is due at once");
    ledger.conclude(id, 5, Outcome::Failed(codes::RECEIVER_REFUSED), at(12)).await.unwrap();
    assert_eq!(ledger.next_due(id).await.unwrap(), Some(at(30)));
    for number in [2, 3] {
        ledger.conclude(id, number, Outcome::Delivered(String::new()), at(50)).await.unwrap();
    }
    assert_eq!(ledger.next_due(id).await.unwrap(), None);
    let tally = ledger.tally(id).await.unwrap();
    assert_eq!((tally.delivered, tally.failed, tally.open()), (3, 2, 0));
}

pub(super) async fn an_intent_without_outcome_is_due(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 2).await;
    store.ledger().intend(intent(id, 2, 10)).await.unwrap();
    let store = store.reopen().await;
    let due = store.ledger().due_items(id, at(10), 1, 10).await.unwrap();
    assert_eq!(due.iter().map(|item| (item.found.number, item.state)).collect::<Vec<_>>(), [(2, ItemState::Sending)]);
}

pub(super) async fn an_outcome_is_recorded_once(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 1).await;
    let ledger = store.ledger();
    ledger.intend(intent(id, 1, 10)).await.unwrap();
    ledger.conclude(id, 1, Outcome::Delivered("first".into()), at(11)).await.unwrap();
    ledger.conclude(id, 1, Outcome::Delivered("second".into()), at(12)).await.unwrap();
    let contradicts = ledger.conclude(id, 1, Outcome::Failed(codes::RECEIVER_REFUSED), at(12)).await;
    assert!(matches!(contradicts, Err(LedgerError::Corrupt(_))), "{contradicts:?}");
    let again = ledger.intend(intent(id, 1, 13)).await;
    assert!(matches!(again, Err(LedgerError::Corrupt(_))), "a delivered item is never sent again: {again:?}");
    assert!(ledger.intend(intent(id, 9, 13)).await.is_err());
    assert!(ledger.intend(intent(ShipmentId::new(), 1, 13)).await.is_err());
    let item = only(store.as_ref(), id).await;
    assert_eq!((item.receivers_reference.as_str(), item.attempts), ("first", 1));
}

pub(super) async fn many_steps_are_taken_together(store: Box<dyn Store>) {
    let (first, second) = (with_items(store.as_ref(), 300).await, with_items(store.as_ref(), 300).await);
    let ledger = store.ledger();
    let all = || [first, second].into_iter().flat_map(|id| (1..=300).map(move |number| (id, number)));
    let intents = all().map(|(id, number)| ledger.intend(intent(id, number, number as i64)));
    futures::future::try_join_all(intents).await.unwrap();
    let outcomes = all().map(|(id, number)| {
        let outcome = match number % 3 {
            0 => Outcome::Delivered(format!("{id}/\"{number}\"")),
            1 => Outcome::Failed(codes::REPORTEE_UNKNOWN),
            _ => Outcome::Retry { code: codes::THROTTLED, at: at(1_000 + number as i64) },
        };
        ledger.conclude(id, number, outcome, at(400))
    });
    futures::future::try_join_all(outcomes).await.unwrap();
    for id in [first, second] {
        let tally = ledger.tally(id).await.unwrap();
        assert_eq!((tally.delivered, tally.failed, tally.ready), (100, 100, 100));
        let items = ledger.items(id, &[ItemState::Delivered], 0, 500).await.unwrap();
        for item in items {
            let number = item.found.number;
            assert_eq!(item.receivers_reference, format!("{id}/\"{number}\""));
            assert_eq!((item.attempts, item.first_intent), (1, Some(at(number as i64))));
        }
        assert_eq!(ledger.next_due(id).await.unwrap(), Some(at(1_002)));
    }
}

pub(super) async fn a_wrong_step_fails_alone(store: Box<dyn Store>) {
    let id = with_items(store.as_ref(), 100).await;
    let steps = (1..=120).map(|number| store.ledger().intend(intent(id, number, 5)));
    let done = futures::future::join_all(steps).await;
    assert!(done[..100].iter().all(Result::is_ok) && done[100..].iter().all(Result::is_err));
    assert_eq!(store.ledger().tally(id).await.unwrap().sending, 100);
    let twice = (1..=100).flat_map(|number| [number, number]);
    let done = twice.map(|number| store.ledger().conclude(id, number, Outcome::Delivered("r".into()), at(6)));
    assert!(futures::future::join_all(done).await.iter().all(Result::is_ok));
    assert_eq!(store.ledger().tally(id).await.unwrap().delivered, 100);
}
