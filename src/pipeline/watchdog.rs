//! Alarms on files without a final receipt.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::House;
use super::setback::guarded;
use crate::measures;
use crate::model::Shipment;
use crate::ports::LedgerError;

/// Measures what the ledger holds, until asked to stop.
pub async fn measure(house: House, stop: CancellationToken) {
    loop {
        let looked = async {
            let counts = house.ledger.counts().await?;
            Ok((counts, overdue(&house, LOOKED_AT).await?.len()))
        };
        match guarded(looked).await {
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
        match guarded(async { Ok(overdue(&house, ALARMS_AT_ONCE).await?) }).await {
            Ok(overdue) => {
                for shipment in &overdue {
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

/// The oldest shipments that should have had their final receipt; what waits for its route's window is not overdue.
async fn overdue(house: &House, most: u32) -> Result<Vec<Shipment>, LedgerError> {
    let before = house.clock.now().checked_sub(house.pace.overdue).unwrap_or(jiff::Timestamp::MIN);
    let shut: Vec<_> = house.windows.keys().filter(|route| house.shut_until(route).is_some()).cloned().collect();
    // The ledger leaves them out: hundreds of them would hide what is overdue elsewhere.
    house.ledger.overdue(before, &shut, most).await
}

/// How often it measures.
const MEASURE_EVERY: Duration = Duration::from_secs(30);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Shipments named in one look.
const ALARMS_AT_ONCE: u32 = 20;

/// Shipments counted in one look.
const LOOKED_AT: u32 = 500;
