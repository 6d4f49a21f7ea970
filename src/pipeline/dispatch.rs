//! Hands shipments to workers, some at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::House;
use super::drive::drive;
use super::setback::{Setbacks, guarded, recover};
use crate::model::{Shipment, ShipmentId, Stage};
use crate::ports::LedgerError;

/// The running pipeline.
pub struct Pipeline {
    house: House,
    claimed: Arc<Notify>,
    setbacks: Arc<Setbacks>,
}

impl Pipeline {
    /// Makes a pipeline; `claimed` rings when the area has taken in a file.
    pub fn new(house: House, claimed: Arc<Notify>) -> Self {
        Self { house, claimed, setbacks: Arc::default() }
    }

    /// Works until asked to stop, then lets running deliveries finish and gives the leases back.
    pub async fn run(self, stop: CancellationToken) {
        // New files have places of their own: forwarding a large batch takes hours, and its sender is answered meanwhile.
        let desks = [Stage::Claimed, Stage::Judged].map(|stage| Desk::new(stage, self.house.pace.shipments));
        let in_hand = Arc::new(InHand::default());
        let running = TaskTracker::new();
        while !stop.is_cancelled() {
            let mut idle = true;
            for desk in &desks {
                match self.take_on(desk, &in_hand, &running, &stop).await {
                    Ok(taken) => idle &= !taken,
                    Err(error) => tracing::error!(%error, "the ledger gives no work"),
                }
            }
            if idle {
                self.rest(&stop).await;
            }
        }
        running.close();
        running.wait().await;
    }

    /// Begins to work on one shipment of the desk; `false` when it has no free place or there is none.
    async fn take_on(
        &self,
        desk: &Desk,
        in_hand: &Arc<InHand>,
        running: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<bool, LedgerError> {
        let Ok(place) = Arc::clone(&desk.places).try_acquire_owned() else { return Ok(false) };
        let (now, until) = (self.house.clock.now(), self.house.lease_end());
        let leased = self.house.ledger.lease(desk.stage, self.house.worker, now, until).await?;
        let Some(shipment) = leased else { return Ok(false) };
        // Otherwise its lease ran out under us: the machine slept, or the clock was set. The work goes on.
        if let Some(held) = in_hand.take(shipment.id) {
            let (house, stop, claimed) = (self.house.clone(), stop.clone(), Arc::clone(&self.claimed));
            let setbacks = Arc::clone(&self.setbacks);
            running.spawn(async move {
                work(&house, shipment, held, &setbacks, stop).await;
                drop(place);
                claimed.notify_one();
            });
        }
        Ok(true)
    }

    async fn rest(&self, stop: &CancellationToken) {
        tokio::select! {
            () = self.claimed.notified() => {}
            () = tokio::time::sleep(self.house.pace.look) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Places for shipments of one stage.
struct Desk {
    stage: Stage,
    places: Arc<Semaphore>,
}

impl Desk {
    fn new(stage: Stage, places: usize) -> Self {
        Self { stage, places: Arc::new(Semaphore::new(places.max(1))) }
    }
}

/// Works on one shipment under its lease.
async fn work(house: &House, shipment: Shipment, held: Held, setbacks: &Setbacks, stop: CancellationToken) {
    let id = shipment.id;
    let progress = async {
        match guarded(drive(house, shipment.clone(), &stop)).await {
            Ok(wake) => {
                setbacks.over(id);
                wake.unwrap_or_else(|| house.clock.now())
            }
            Err(error) => recover(house, &shipment, &error, setbacks).await,
        }
    };
    let wake = tokio::select! {
        wake = progress => wake,
        () = keep_lease(house, id) => {
            tracing::warn!(shipment = %id, "the lease was lost; another worker goes on");
            return;
        }
    };
    // Before the lease is given back: who takes that next must find it free.
    drop(held);
    if let Err(error) = house.ledger.release(id, house.worker, wake).await {
        tracing::warn!(shipment = %id, %error, "the lease could not be given back; it runs out by itself");
    }
}

/// Shipments this process works on. Leases alone cannot tell: all of them name this one worker, and two at work on one
/// shipment would send its items twice.
#[derive(Debug, Default)]
struct InHand(Mutex<HashSet<ShipmentId>>);

/// One of them, until dropped.
#[derive(Debug)]
struct Held {
    among: Arc<InHand>,
    id: ShipmentId,
}

impl InHand {
    /// Takes a shipment in hand; `None` when it is there already.
    fn take(self: &Arc<Self>, id: ShipmentId) -> Option<Held> {
        let free = self.locked().insert(id);
        free.then(|| Held { among: Arc::clone(self), id })
    }

    fn locked(&self) -> MutexGuard<'_, HashSet<ShipmentId>> {
        // The set is whole after every statement, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.among.locked().remove(&self.id);
    }
}

/// Renews the lease until it is lost.
async fn keep_lease(house: &House, id: ShipmentId) {
    loop {
        tokio::time::sleep(house.pace.lease / 3).await;
        match house.ledger.renew(id, house.worker, house.lease_end()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(shipment = %id, %error, "the lease could not be renewed"),
        }
    }
}

impl House {
    fn lease_end(&self) -> jiff::Timestamp {
        crate::forward::after(self.clock.now(), self.pace.lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipment_in_hand_is_not_taken_again_before_it_is_let_go() {
        let (in_hand, id) = (Arc::new(InHand::default()), ShipmentId::new());
        let held = in_hand.take(id).unwrap();
        assert!(in_hand.take(id).is_none());
        assert!(in_hand.take(ShipmentId::new()).is_some());
        drop(held);
        assert!(in_hand.take(id).is_some());
    }
}
