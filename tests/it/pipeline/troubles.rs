//! A receiver's troubles: what is given up for them, and what only waits.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sluse::forward::{Forwarding, Patience, Source, forward};
use sluse::model::{ItemState, Route, ShipmentId, Standing};
use sluse::pipeline::Destination;
use sluse::ports::Receiver;
use tokio_util::sync::CancellationToken;

use super::{Rig, route, until};

impl Rig {
    /// What it takes to forward a shipment's items, under a turn that ends before it begins.
    async fn cut_short(&self, id: ShipmentId, patience: &Arc<Patience>) -> Forwarding {
        let (house, shipment) = (&self.house, self.house.ledger.shipment(id).await.unwrap().unwrap());
        let stop = CancellationToken::new();
        stop.cancel();
        Forwarding {
            ledger: Arc::clone(&house.ledger),
            receiver: Arc::clone(&self.receiver) as Arc<dyn Receiver>,
            receiver_name: String::new(),
            batches: None,
            queue: None,
            patience: Arc::clone(patience),
            route: house.routes.named(&shipment.partner, &route().name).unwrap(),
            source: Source {
                shipment: id,
                whole: id,
                file_name: "a.xml".into(),
                blob: house.blobs.open(shipment.blob).await.unwrap(),
                envelope: Arc::default(),
                described: None,
                disk: house.disk.clone(),
            },
            cores: house.cores.clone(),
            looks_only: false,
            clock: Arc::clone(&house.clock),
            begun_at: shipment.claimed_at,
            started: house.started,
            stop,
        }
    }
}

/// However bad it was before a rest: nobody knows what the receiver is now.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_attempts_nothing_gives_up_nothing() {
    let (mut rig, patience) = (Rig::new().await, Arc::<Patience>::default());
    let destination = Destination::new(Arc::clone(&rig.receiver) as Arc<dyn Receiver>, Arc::clone(&patience));
    rig.house.receivers = Arc::new(HashMap::from([(route().name, destination)]));
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let held = rig.drop_batch(3, 1).await;
    rig.order(held, Standing::Held).await;
    let other = rig.drop_batch(500, 2).await;
    let running = rig.run();
    rig.judged(held).await;
    rig.ends_meanwhile(other).await;
    running.stop().await;
    assert!(patience.in_trouble_since().is_some());
    rig.wait_hours(62);
    forward(&rig.cut_short(held, &patience).await).await.unwrap();
    let tally = rig.tally(held).await;
    assert_eq!((tally.open(), tally.failed), (3, 0), "{tally:?}");
}

/// One asks for a rest that is over when the turn ends: the others were delivered meanwhile, or go on with the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_rest_within_a_turn_is_no_setback() {
    let mut rig = Rig::with(Route { concurrency: 2, ..route() }).await;
    rig.house.pace.turn = Duration::from_secs(3_600);
    rig.clock.set("2027-01-01T12:00:00Z");
    rig.receiver.linger([1]);
    *rig.receiver.throttles.lock().unwrap() = BTreeSet::from([2]);
    let id = rig.drop_batch(9, 1).await;
    let running = rig.run();
    until(async || {
        let items = rig.items(id).await;
        items.get(1).is_some_and(|item| item.attempts == 1 && item.state == ItemState::Ready)
    })
    .await;
    rig.clock.set("2027-01-01T12:00:02Z");
    rig.receiver.linger([]);
    // A setback would wait for two seconds of a clock that stands.
    rig.final_receipt(id).await;
    assert_eq!((rig.tally(id).await.delivered, rig.took()), (9, 9));
    running.stop().await;
}
