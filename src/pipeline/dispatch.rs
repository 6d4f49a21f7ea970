//! Hands shipments to workers, some at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::drive::drive;
use super::{House, StepError};
use crate::model::{Shipment, ShipmentId};
use crate::ports::LedgerError;

/// The running pipeline.
pub struct Pipeline {
    house: House,
    claimed: Arc<Notify>,
}

impl Pipeline {
    /// Makes a pipeline; `claimed` rings when the area has taken in a file.
    pub fn new(house: House, claimed: Arc<Notify>) -> Self {
        Self { house, claimed }
    }

    /// Works until asked to stop, then lets running deliveries finish and gives the leases back.
    pub async fn run(self, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.house.pace.shipments.max(1)));
        let in_hand = Arc::new(InHand::default());
        let running = TaskTracker::new();
        while let Some(place) = stop.run_until_cancelled(Arc::clone(&places).acquire_owned()).await {
            let Ok(place) = place else { break };
            match self.lease().await {
                Ok(Some(shipment)) => {
                    // Its lease ran out under us: the machine slept, or the clock was set. The work goes on.
                    let Some(held) = in_hand.take(shipment.id) else { continue };
                    let (house, stop, claimed) = (self.house.clone(), stop.clone(), Arc::clone(&self.claimed));
                    running.spawn(async move {
                        work(&house, shipment, held, stop).await;
                        drop(place);
                        claimed.notify_one();
                    });
                }
                Ok(None) => self.rest(&stop).await,
                Err(error) => {
                    tracing::error!(%error, "the ledger gives no work");
                    self.rest(&stop).await;
                }
            }
        }
        running.close();
        running.wait().await;
    }

    async fn lease(&self) -> Result<Option<Shipment>, LedgerError> {
        let now = self.house.clock.now();
        self.house.ledger.lease(self.house.worker, now, self.house.lease_end()).await
    }

    async fn rest(&self, stop: &CancellationToken) {
        tokio::select! {
            () = self.claimed.notified() => {}
            () = tokio::time::sleep(self.house.pace.look) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Works on one shipment under its lease.
async fn work(house: &House, shipment: Shipment, held: Held, stop: CancellationToken) {
    let id = shipment.id;
    let wake = tokio::select! {
        driven = drive(house, shipment, &stop) => match driven {
            Ok(wake) => wake,
            Err(error) => {
                report(id, &error);
                Some(crate::forward::after(house.clock.now(), AFTER_AN_ERROR))
            }
        },
        () = keep_lease(house, id) => {
            tracing::warn!(shipment = %id, "the lease was lost; another worker goes on");
            return;
        }
    };
    let wake = wake.unwrap_or_else(|| house.clock.now());
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

fn report(id: ShipmentId, error: &StepError) {
    match error {
        StepError::Ledger(_) | StepError::Storage(_) | StepError::Lost(_) => {
            tracing::warn!(shipment = %id, %error, "a step is put off");
        }
        StepError::Judging(_) | StepError::RouteGone(_) => {
            tracing::error!(shipment = %id, %error, "a shipment needs the operator");
        }
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

/// How long a shipment rests after a step that could not be done.
const AFTER_AN_ERROR: Duration = Duration::from_secs(2);

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
