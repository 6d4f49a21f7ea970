//! An operator's word on a shipment, given beside the gateway that works on it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sluse::adapters::ledger::{Order, Ordered, order};
use sluse::codes;
use sluse::model::{ReceiptKind, ShipmentId, Standing, VerdictKind};
use sluse::ports::{Clock, Intent};

use super::{Rig, until};
use crate::support::receipts::{assert_valid, item_codes};

impl Rig {
    async fn order(&self, shipment: ShipmentId, standing: Standing) -> Ordered {
        let (who, reason) = ("kari".to_owned(), "the service is down".to_owned());
        let now = self.clock.now();
        order(&self.dir.path().join("ledger.sqlite"), &Order { shipment, standing, who, reason, now }).await.unwrap()
    }

    fn took(&self) -> usize {
        self.receiver.took.load(Ordering::SeqCst)
    }

    async fn history(&self, id: ShipmentId) -> Vec<(String, String)> {
        let events = self.house.ledger.events(id).await.unwrap();
        events.into_iter().map(|event| (event.what, event.detail)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_shipment_waits_for_its_release() {
    let rig = Rig::new().await;
    rig.receiver.slow.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(600, 1).await;
    let running = rig.run();
    until(async || rig.took() > 0).await;
    assert_eq!(rig.order(id, Standing::Held).await, Ordered::Done);
    assert_eq!(rig.order(id, Standing::Held).await, Ordered::Already);
    // What is under way ends within a turn; then nothing moves.
    until(async || {
        let before = rig.took();
        tokio::time::sleep(Duration::from_millis(400)).await;
        before == rig.took()
    })
    .await;
    let tally = rig.tally(id).await;
    assert!(tally.open() > 0 && tally.failed == 0 && !rig.has(id, ReceiptKind::Final).await, "{tally:?}");
    rig.receiver.slow.store(false, Ordering::SeqCst);
    assert_eq!(rig.order(id, Standing::Free).await, Ordered::Done);
    rig.wait_hours(1);
    rig.final_receipt(id).await;
    assert_eq!((rig.tally(id).await.delivered, rig.took()), (600, 600));
    let said = |what: &str| (what.to_owned(), "by kari: the service is down".to_owned());
    let history = rig.history(id).await;
    assert!(history.contains(&said("held")) && history.contains(&said("released")), "{history:?}");
    assert_eq!(rig.order(id, Standing::Held).await, Ordered::Receipted);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_shipment_ends_with_what_was_sent() {
    let rig = Rig::new().await;
    rig.receiver.slow.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(600, 1).await;
    let running = rig.run();
    until(async || rig.took() > 0).await;
    assert_eq!(rig.order(id, Standing::Cancelled).await, Ordered::Done);
    assert_eq!(rig.order(id, Standing::Free).await, Ordered::Cancelled);
    rig.final_receipt(id).await;
    let tally = rig.tally(id).await;
    assert_eq!((tally.delivered as usize, tally.delivered + tally.failed), (rig.took(), 600), "{tally:?}");
    let receipt = rig.receipt(".final.xml").await;
    assert_valid(&receipt);
    assert_eq!(item_codes(&receipt)["FW-206"], tally.failed);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_is_looked_up_before_it_is_given_up() {
    let mut rig = Rig::new().await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(2, 1).await;
    let running = rig.run();
    rig.judged(id).await;
    running.stop().await;
    rig.house.ledger.intend(Intent { shipment: id, number: 2, now: rig.clock.now() }).await.unwrap();
    rig.house.ledger.release_all(None).await.unwrap();
    assert_eq!(rig.order(id, Standing::Cancelled).await, Ordered::Done);
    rig.receiver.gone.store(false, Ordering::SeqCst);
    rig.wait_hours(1);
    rig.house.started = rig.clock.now();
    rig.wait_hours(1);
    let running = rig.run();
    rig.final_receipt(id).await;
    let tally = rig.tally(id).await;
    assert_eq!((tally.delivered, tally.failed, rig.took()), (1, 1, 0), "{tally:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_cancelled_before_it_is_judged_is_refused() {
    let rig = Rig::new().await;
    let id = rig.drop_batch(3, 1).await;
    assert_eq!(rig.order(id, Standing::Cancelled).await, Ordered::Done);
    let running = rig.run();
    rig.final_receipt(id).await;
    let verdict = rig.house.ledger.shipment(id).await.unwrap().unwrap().verdict.unwrap();
    assert_eq!((verdict.kind, verdict.code, rig.took()), (VerdictKind::Refuse, Some(codes::CANCELLED), 0));
    assert_valid(&rig.receipt(".final.xml").await);
    running.stop().await;
}
