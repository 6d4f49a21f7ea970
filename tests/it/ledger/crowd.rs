//! Many at once.

use std::collections::HashSet;
use std::sync::Mutex;

use sluse::codes;
use sluse::model::{BlobId, Outcome, ScratchId, ShipmentId, Stage, WorkerId};
use sluse::ports::{AreaError, Close, Intent, NewUpload};

use super::{Store, at, claim, closing, item, partner, path, upload};

pub(super) async fn two_workers_never_hold_one_shipment(store: Box<dyn Store>) {
    for number in 0..40 {
        claim(store.as_ref(), &format!("/inbox/{number}.xml")).await;
    }
    let (held, taken) = (Mutex::new(HashSet::new()), Mutex::new(HashSet::new()));
    let workers = (0..16).map(|_| async {
        let worker = WorkerId::new();
        while let Some(shipment) = store.ledger().lease(Stage::Claimed, worker, at(10), at(20)).await.unwrap() {
            assert!(held.lock().unwrap().insert(shipment.id), "held twice at once");
            tokio::task::yield_now().await;
            taken.lock().unwrap().insert(shipment.id);
            held.lock().unwrap().remove(&shipment.id);
            store.ledger().release(shipment.id, worker, at(1_000)).await.unwrap();
        }
    });
    futures::future::join_all(workers).await;
    assert_eq!(taken.lock().unwrap().len(), 40);
}

pub(super) async fn many_deliveries_at_once_each_count_once(store: Box<dyn Store>) {
    let mut ids = Vec::new();
    for number in 0..4 {
        let id = claim(store.as_ref(), &format!("/inbox/{number}.xml")).await;
        store.ledger().add_items(id, (1..=250).map(|number| item(number, None)).collect()).await.unwrap();
        ids.push(id);
    }
    let ledger = store.ledger();
    let deliveries =
        ids.iter().flat_map(|id| (1..=250).map(move |number| (*id, number))).map(|(id, number)| async move {
            ledger.intend(Intent { shipment: id, number, now: at(1), is_doubtful: false }).await.unwrap();
            let again = Outcome::Retry { code: codes::THROTTLED, at: at(2) };
            ledger.conclude(id, number, again, at(1)).await.unwrap();
            ledger.intend(Intent { shipment: id, number, now: at(2), is_doubtful: false }).await.unwrap();
            ledger.conclude(id, number, Outcome::Delivered(format!("{number}")), at(3)).await.unwrap();
        });
    futures::future::join_all(deliveries).await;
    for id in ids {
        let items = store.ledger().items(id, &[], 0, 300).await.unwrap();
        assert!(
            items.iter().all(|item| item.attempts == 2 && item.receivers_reference == item.found.number.to_string())
        );
        assert_eq!(store.ledger().tally(id).await.unwrap().delivered, 250);
    }
}

pub(super) async fn many_uploads_at_once(store: Box<dyn Store>) {
    let uploads = (0..200).map(|number| {
        let store = &store;
        async move {
            let name = path(&format!("/inbox/{}.xml", number % 50));
            let scratch = ScratchId::new();
            store.area().begin(&NewUpload { path: name.clone(), ..upload("/x/y", scratch) }).await.unwrap();
            let claim = Some((ShipmentId::new(), false));
            let close = Close { path: name, claim, ..closing("/x/y", scratch, BlobId::new()) };
            store.area().close(&close).await.is_ok()
        }
    });
    let claimed = futures::future::join_all(uploads).await.into_iter().filter(|ok| *ok).count();
    assert!(claimed >= 50);
    assert_eq!(store.ledger().counts().await.unwrap().claimed, claimed as u64);
    let usage = store.area().usage(&partner("etat")).await.unwrap();
    let nodes = store.area().list(&partner("etat"), "inbox", None, 100).await.unwrap();
    assert_eq!((usage.files, usage.bytes), (50, nodes.iter().map(|node| node.size_bytes).sum()));
}

/// What fits, what does not and other changes share transactions; each stands or falls alone.
pub(super) async fn many_small_uploads_at_once(store: Box<dyn Store>) {
    let uploads = (0..400).map(|number| {
        let store = &store;
        async move {
            let name = path(&format!("/inbox/{}.xml", number % 100));
            let (scratch, blob, id) = (ScratchId::new(), BlobId::new(), ShipmentId::new());
            let begins = NewUpload { path: name.clone(), exclusive: number % 3 == 0, ..upload("/x/y", scratch) };
            let close = Close { path: name, claim: Some((id, false)), ..closing("/x/y", scratch, blob) };
            let closed = store.area().close_small(&close, Some(vec![1; 100]), Some(&begins)).await;
            let is_refused = matches!(closed, Err(AreaError::Exists));
            assert!(closed.is_ok() || is_refused && begins.exclusive, "{closed:?}");
            (id, blob, closed.is_ok())
        }
    });
    let all = futures::future::join_all(uploads).await;
    for (id, blob, is_closed) in &all {
        let shipment = store.ledger().shipment(*id).await.unwrap();
        assert_eq!(shipment.map(|shipment| shipment.blob), is_closed.then_some(*blob));
        assert_eq!(store.small().small_blob(*blob).await.unwrap().is_some(), *is_closed);
    }
    let claimed = all.iter().filter(|(_, _, is_closed)| *is_closed).count();
    assert!((266..400).contains(&claimed), "{claimed}");
    assert_eq!(store.ledger().counts().await.unwrap().claimed, claimed as u64);
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap().files, 100);
}
