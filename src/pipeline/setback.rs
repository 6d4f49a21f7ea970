//! What becomes of a shipment whose step could not be done: it waits, longer each time, and is not left without an answer.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;

use super::drive::{end, fill};
use super::judging::refuse_unreadable;
use super::{House, Next, StepError};
use crate::codes;
use crate::forward::after;
use crate::model::{Code, ItemState, Shipment, ShipmentId, Stage};

/// Setbacks in a row, by shipment. They are forgotten at a restart, which may have mended something.
#[derive(Debug, Default)]
pub struct Setbacks(Mutex<HashMap<ShipmentId, Setback>>);

/// Setbacks in a row of one shipment.
#[derive(Debug, Clone, Copy)]
struct Setback {
    since: Timestamp,
    times: u32,
    until: Timestamp,
}

impl Setbacks {
    /// The shipment went on.
    pub(super) fn over(&self, id: ShipmentId) {
        self.locked().remove(&id);
    }

    /// Tells whether it waits to be tried again.
    pub(super) fn waits(&self, id: ShipmentId, now: Timestamp) -> bool {
        self.locked().get(&id).is_some_and(|setback| setback.until > now)
    }

    fn another(&self, id: ShipmentId, now: Timestamp) -> Setback {
        let mut all = self.locked();
        let setback = all.entry(id).or_insert(Setback { since: now, times: 0, until: now });
        setback.times = setback.times.saturating_add(1);
        setback.until = after(now, setback.wait());
        *setback
    }

    /// Tells of an error and when to come back; and the code to end with what nobody helped for too long.
    pub(super) fn weigh(&self, house: &House, shipment: &Shipment, error: &StepError) -> (Timestamp, Option<Code>) {
        let (id, now) = (shipment.id, house.clock.now());
        let setback = self.another(id, now);
        let code = match error.next() {
            Next::Again => {
                tracing::warn!(shipment = %id, %error, "a step is put off");
                None
            }
            Next::AskOperator(code) => {
                tracing::error!(shipment = %id, %error, times = setback.times, "a shipment needs the operator");
                Some(code).filter(|_| after(setback.since, time_to_help(house, shipment)) <= now)
            }
        };
        (setback.until, code)
    }

    /// Ends what nobody helped.
    pub(super) async fn end(&self, id: ShipmentId, ending: impl Future<Output = Result<(), StepError>>) {
        match guarded(ending).await {
            Ok(()) => self.over(id),
            Err(error) => tracing::error!(shipment = %id, %error, "it cannot be ended either"),
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<ShipmentId, Setback>> {
        // The map is whole after every statement, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Setback {
    fn wait(self) -> Duration {
        (FIRST_WAIT * (1 << self.times.saturating_sub(1).min(20))).min(LONGEST_WAIT)
    }
}

/// Does a step; a panic in it is an error as well, for the shipment must not be forgotten.
pub(super) fn guarded<T>(
    step: impl Future<Output = Result<T, StepError>>,
) -> impl Future<Output = Result<T, StepError>> {
    survived(step).map(|done| done.unwrap_or(Err(StepError::Panicked)))
}

/// Does what comes again and again; `None` where it panics, which must not be the last of it.
pub(crate) fn survived<T>(look: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    // What it worked on is read anew from the ledger. In a box: whoever waits for it would be as large.
    AssertUnwindSafe(Box::pin(look)).catch_unwind().map(Result::ok)
}

/// Tells of the error and when to come back; ends a shipment that nobody helped for too long.
pub(super) async fn recover(house: &House, shipment: &Shipment, error: &StepError, setbacks: &Setbacks) -> Timestamp {
    let (again, code) = setbacks.weigh(house, shipment, error);
    if let Some(code) = code {
        setbacks.end(shipment.id, give_up(house, shipment.id, code)).await;
    }
    again
}

/// Ends a shipment without doing more for it: what is certainly not sent fails with the code.
async fn give_up(house: &House, id: ShipmentId, code: Code) -> Result<(), StepError> {
    let Some(mut shipment) = house.ledger.shipment(id).await? else { return Ok(()) };
    tracing::error!(shipment = %id, code = code.0, "nobody helped; the shipment is ended");
    let verdict = match shipment.verdict.take() {
        Some(verdict) => verdict,
        None if shipment.stage == Stage::Claimed => refuse_unreadable(house, &shipment).await?,
        None => return Ok(()),
    };
    shipment.verdict = Some(verdict.clone());
    fill(house, &shipment).await?;
    house.ledger.fail_open(id, ItemState::Ready, code).await?;
    house.ledger.fail_open(id, ItemState::Sending, codes::OUTCOME_UNKNOWN).await?;
    // What goes to other receivers has its own time; the answers wait for it.
    end(house, &shipment, &verdict).await.map(|_wake| ())
}

/// The operator has as long as a receiver has.
fn time_to_help(house: &House, shipment: &Shipment) -> Duration {
    let route = shipment.verdict.as_ref().and_then(|verdict| verdict.route.as_ref());
    let route = route.and_then(|name| house.routes.named(&shipment.partner, name));
    route.map_or(TIME_TO_HELP, |route| Duration::from_millis(route.retry.give_up_after_ms))
}

/// The first wait after a step that could not be done; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long the operator has to put a route back.
const TIME_TO_HELP: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_the_shipment_goes_on() {
        let (setbacks, id, now) = (Setbacks::default(), ShipmentId::new(), Timestamp::UNIX_EPOCH);
        let waits: Vec<_> = (0..9).map(|_| setbacks.another(id, now).wait().as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(setbacks.another(ShipmentId::new(), now).wait(), FIRST_WAIT);
        assert!(setbacks.waits(id, after(now, Duration::from_secs(299))));
        assert!(!setbacks.waits(id, after(now, Duration::from_secs(300))));
        setbacks.over(id);
        assert!(!setbacks.waits(id, now));
        assert_eq!(setbacks.another(id, now).wait(), FIRST_WAIT);
    }
}
