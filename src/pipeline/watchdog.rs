//! Alarms on files without a final receipt.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::House;
use crate::measures;
use crate::model::Shipment;
use crate::ports::LedgerError;

/// Measures what the ledger holds, until asked to stop.
pub async fn measure(house: House, stop: CancellationToken) {
    loop {
        let before = house.clock.now().checked_sub(house.pace.overdue).unwrap_or(jiff::Timestamp::MIN);
        let looked = async {
            let counts = house.ledger.counts().await?;
            Ok::<_, LedgerError>((counts, house.ledger.overdue(before, LOOKED_AT).await?.len()))
        };
        match looked.await {
            Ok((counts, overdue)) => {
                measures::shipments("claimed", counts.claimed);
                measures::shipments("judged", counts.judged);
                measures::shipments("receipted", counts.receipted);
                measures::overdue(overdue);
            }
            Err(error) => tracing::warn!(%error, "the ledger cannot be measured"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(MEASURE_EVERY)).await.is_none() {
            return;
        }
    }
}

/// Looks once a minute for shipments that should have had their final receipt, until asked to stop.
pub async fn watch(house: House, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        let before = house.clock.now().checked_sub(house.pace.overdue).unwrap_or(jiff::Timestamp::MIN);
        match house.ledger.overdue(before, LOOKED_AT).await {
            Ok(overdue) => {
                // What waits for its route's window is not overdue.
                let shut = |shipment: &Shipment| {
                    let route = shipment.verdict.as_ref().and_then(|verdict| verdict.route.as_ref());
                    route.is_some_and(|route| house.shut_until(route).is_some())
                };
                for shipment in overdue.iter().filter(|shipment| !shut(shipment)).take(ALARMS_AT_ONCE) {
                    tracing::error!(
                        shipment = %shipment.id, partner = %shipment.partner, claimed_at = %shipment.claimed_at,
                        "no final receipt yet"
                    );
                }
            }
            Err(error) => tracing::warn!(%error, "the watchdog cannot read the ledger"),
        }
    }
}

/// How often it measures.
const MEASURE_EVERY: Duration = Duration::from_secs(30);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Shipments named in one look.
const ALARMS_AT_ONCE: usize = 20;

/// Shipments looked at for them: some may wait for a window.
const LOOKED_AT: u32 = 500;
