//! Hands shipments to workers, some at once.

use std::sync::Arc;
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
        let running = TaskTracker::new();
        while let Some(place) = stop.run_until_cancelled(Arc::clone(&places).acquire_owned()).await {
            let Ok(place) = place else { break };
            match self.lease().await {
                Ok(Some(shipment)) => {
                    let (house, stop, claimed) = (self.house.clone(), stop.clone(), Arc::clone(&self.claimed));
                    running.spawn(async move {
                        work(&house, shipment, stop).await;
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
async fn work(house: &House, shipment: Shipment, stop: CancellationToken) {
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
    if let Err(error) = house.ledger.release(id, house.worker, wake).await {
        tracing::warn!(shipment = %id, %error, "the lease could not be given back; it runs out by itself");
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
