//! Alarms on files without a final receipt.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::House;
use super::alarm::set_alarm;
use super::setback::guarded;
use crate::measures;
use crate::model::{Alarm, RouteName, Shipment};
use crate::ports::{LedgerError, Timetable};

/// What the watchdog works with.
#[derive(Clone)]
pub struct Watchdog {
    /// For the clock, the shipments, and how long they may take.
    pub house: House,
    /// Where alarms stand.
    pub alarms: Arc<dyn Timetable>,
    /// Channels of alarms.
    pub channels: Vec<String>,
}

/// Measures what the ledger holds, until asked to stop.
pub async fn measure(house: House, stop: CancellationToken) {
    loop {
        let looked = async {
            let counts = house.ledger.counts().await?;
            Ok((counts, overdue(&house, Windows::Heeded).await?.len()))
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
pub async fn watch(watchdog: Watchdog, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        if let Err(error) = guarded(async { Ok(watchdog.look().await?) }).await {
            tracing::warn!(%error, "the watchdog cannot read the ledger");
        }
    }
}

impl Watchdog {
    /// Raises an alarm for each partner with a shipment that is overdue, and ends it when none is.
    pub async fn look(&self) -> Result<(), LedgerError> {
        let late = overdue(&self.house, Windows::Heeded).await?;
        for shipment in late.iter().take(NAMED_AT_ONCE) {
            tracing::error!(
                shipment = %shipment.id, partner = %shipment.partner, claimed_at = %shipment.claimed_at,
                "no final receipt yet"
            );
        }
        // The oldest come first.
        let mut oldest: BTreeMap<String, &Shipment> = BTreeMap::new();
        for shipment in &late {
            oldest.entry(format!("{SUBJECT}{}", shipment.partner)).or_insert(shipment);
        }
        for (subject, shipment) in &oldest {
            self.set_alarm(subject, Some(&self.alarm(shipment))).await?;
        }
        self.end_alarms(&oldest).await
    }

    /// Ends the alarms of partners who have everything. That a route's window shuts brings nobody his receipt.
    async fn end_alarms(&self, oldest: &BTreeMap<String, &Shipment>) -> Result<(), LedgerError> {
        let mut open = self.alarms.open_alarms().await?;
        open.retain(|open| open.starts_with(SUBJECT) && !oldest.contains_key(open));
        if open.is_empty() {
            return Ok(());
        }
        let late = overdue(&self.house, Windows::Unheeded).await?;
        // Of more than are looked at, some may be anybody's.
        let are_all = late.len() < LOOKED_AT as usize;
        let is_late = |of: &str| late.iter().any(|late| of.strip_prefix(SUBJECT) == Some(late.partner.as_str()));
        open.retain(|subject| are_all && !is_late(subject));
        for subject in &open {
            self.set_alarm(subject, None).await?;
        }
        Ok(())
    }

    /// One alarm as long as the partner waits for anything: another shipment every minute is no news.
    fn alarm(&self, oldest: &Shipment) -> Alarm {
        let Shipment { id, partner, claimed_at, .. } = oldest;
        let text = format!("shipment {id} of {partner}, received at {claimed_at:.0}, has no final receipt yet");
        Alarm { level: "overdue".to_owned(), due: jiff::Timestamp::UNIX_EPOCH, text }
    }

    async fn set_alarm(&self, subject: &str, alarm: Option<&Alarm>) -> Result<(), LedgerError> {
        set_alarm(self.alarms.as_ref(), (subject, alarm), &self.channels, self.house.clock.now()).await
    }
}

/// Whether what waits for its route's window counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Windows {
    Heeded,
    Unheeded,
}

/// The oldest shipments that should have had their final receipt; what waits for its route's window is not overdue.
async fn overdue(house: &House, windows: Windows) -> Result<Vec<Shipment>, LedgerError> {
    let before = house.clock.now().checked_sub(house.pace.overdue).unwrap_or(jiff::Timestamp::MIN);
    let is_left_out = |route: &&RouteName| windows == Windows::Heeded && house.shut_until(route).is_some();
    let shut: Vec<_> = house.windows.keys().filter(is_left_out).cloned().collect();
    // The ledger leaves them out: hundreds of them would hide what is overdue elsewhere.
    house.ledger.overdue(before, &shut, LOOKED_AT).await
}

/// What alarms about overdue shipments begin with.
const SUBJECT: &str = "overdue/";

/// How often it measures.
const MEASURE_EVERY: Duration = Duration::from_secs(30);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Shipments named in one look.
const NAMED_AT_ONCE: usize = 20;

/// Shipments looked at.
const LOOKED_AT: u32 = 500;
