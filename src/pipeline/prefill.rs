//! What was kept, when its time comes: first days, subscriptions that come round, last days; and what became of it.
//!
//! A turn and the activation it asks for are one transaction, and an activation is attempted as an item is: whatever dies,
//! each happens once. What became of it is told before it is forgotten.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::drive::{for_a_turn, forwarding};
use super::receipts::issue_supplement;
use super::setback::{Setbacks, guarded};
use super::{House, StepError};
use crate::codes;
use crate::forward::activate;
use crate::kill_point::kill_point;
use crate::model::{Code, ItemKey, ItemState, Outcome, Shipment, ShipmentId, day_in_norway};
use crate::ports::{Firing, Held, Job, JobError, LedgerError, Occasion, Subscription};

/// Looks after what was kept.
#[derive(Clone)]
pub struct Prefilling {
    /// With what.
    pub house: House,
    /// What is kept.
    pub held: Arc<dyn Held>,
    /// How long after its beginning a day is taken to have come.
    pub after_midnight: SignedDuration,
    /// A schedule says when days are looked at, not the clock alone.
    pub by_schedule: bool,
    /// What keeps activations from being begun.
    pub setbacks: Arc<Setbacks>,
}

/// What a look at the day came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wakened {
    /// Form sets whose first day has come.
    pub released: u64,
    /// Turns of subscriptions.
    pub fired: u64,
    /// What was past its last day.
    pub lapsed: u64,
    /// Instances whose last day was past.
    pub ended: u64,
}

impl Prefilling {
    /// Looks after it until asked to stop.
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(self.house.pace.look.max(SHORTEST_LOOK))).await.is_some() {
            if let Err(error) = guarded(self.look(&stop)).await {
                tracing::warn!(%error, "what was kept is not looked after");
            }
        }
    }

    /// Looks once at all of it.
    pub async fn look(&self, stop: &CancellationToken) -> Result<(), StepError> {
        if !self.by_schedule {
            let Wakened { released, fired, lapsed, ended } = self.wake().await?;
            if released + fired + lapsed + ended > 0 {
                tracing::info!(released, fired, lapsed, ended, "what was kept is used, or past its last day");
            }
        }
        self.activate(stop).await?;
        self.tell(stop).await
    }

    /// Makes activations of what the day brings, and lets go of what is past. Turns that were missed are taken one by one.
    pub async fn wake(&self) -> Result<Wakened, LedgerError> {
        let (today, now) = (self.today(), self.house.clock.now());
        let mut wakened = Wakened::default();
        loop {
            let released = self.held.release(today, now, AT_ONCE).await?;
            wakened.released += released;
            if released == 0 {
                break;
            }
        }
        loop {
            let due = self.held.due_subscriptions(today, AT_ONCE).await?;
            if due.is_empty() {
                break;
            }
            let firings: Vec<_> = due.iter().filter_map(|subscription| firing(subscription, now)).collect();
            wakened.fired += firings.len() as u64;
            kill_point("subscriptions.due");
            self.held.fire(firings).await?;
        }
        loop {
            let lapsed = self.held.lapse(today, now, AT_ONCE).await?;
            wakened.lapsed += lapsed;
            if lapsed == 0 {
                break;
            }
        }
        loop {
            let ended = self.held.end_instances(today, now, AT_ONCE).await?;
            wakened.ended += ended;
            if ended == 0 {
                return Ok(wakened);
            }
            kill_point("instances.ended");
        }
    }

    fn today(&self) -> Date {
        let now = self.house.clock.now();
        day_in_norway(now.checked_sub(self.after_midnight).unwrap_or(now))
    }

    /// Brings due activations to their receivers.
    async fn activate(&self, stop: &CancellationToken) -> Result<(), StepError> {
        for id in self.held.activated_shipments(self.house.clock.now()).await? {
            if stop.is_cancelled() {
                break;
            }
            if self.setbacks.waits(id, self.house.clock.now()) {
                continue;
            }
            let Some(shipment) = self.house.ledger.shipment(id).await? else { continue };
            // One shipment's trouble is not the others'.
            match guarded(self.activate_shipment(&shipment, stop)).await {
                Ok(()) => self.setbacks.over(id),
                Err(error) => {
                    let (_, code) = self.setbacks.weigh(&self.house, &shipment, &error);
                    if let Some(code) = code {
                        self.setbacks.end(id, self.give_up(id, code)).await;
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends a shipment's activations without doing more for them: their sender is told.
    async fn give_up(&self, id: ShipmentId, code: Code) -> Result<(), StepError> {
        tracing::error!(shipment = %id, code = code.0, "nobody helped; what it holds does not become instances");
        let mut last = 0;
        loop {
            let page = self.held.due_activations(id, Timestamp::MAX, last, AT_ONCE).await?;
            let Some(end) = page.last().map(|activation| activation.id) else { return Ok(()) };
            for activation in page {
                let may_be_there = activation.item.state == ItemState::Sending;
                let code = if may_be_there { codes::OUTCOME_UNKNOWN } else { code };
                let now = self.house.clock.now();
                self.held.conclude_activation(activation.id, Outcome::Failed(code), now).await?;
            }
            last = end;
        }
    }

    async fn activate_shipment(&self, shipment: &Shipment, stop: &CancellationToken) -> Result<(), StepError> {
        let house = &self.house;
        let Some(verdict) = shipment.verdict.clone() else { return Ok(()) };
        if verdict.route.as_ref().is_some_and(|route| house.shut_until(route).is_some()) {
            return Ok(());
        }
        let turn = stop.child_token();
        let forwarding = forwarding(house, shipment, &verdict, &turn).await?;
        for_a_turn(house.pace.turn, &turn, activate(&forwarding, self.held.as_ref())).await?;
        Ok(())
    }

    /// Tells senders what became of what was kept; those whose shipment has no final receipt wait for it.
    async fn tell(&self, stop: &CancellationToken) -> Result<(), StepError> {
        while let Some((id, news)) = self.held.held_news(NEWS_AT_ONCE).await?
            && !stop.is_cancelled()
        {
            issue_supplement(&self.house, id, &news).await?;
            kill_point("held-news.told");
            self.held.forget_held_news(id, news).await?;
        }
        Ok(())
    }
}

/// The turn of a subscription that is due. Its key is made of the subscription's and the day.
fn firing(subscription: &Subscription, now: Timestamp) -> Option<Firing> {
    let turn = subscription.next?;
    let (rounds, day) = (&subscription.rounds, turn.day.to_string());
    Some(Firing {
        shipment: subscription.shipment,
        item: subscription.item,
        turn,
        key: ItemKey::derive(&["activation", &subscription.key.to_string(), &day]),
        occasion: rounds.occasion(turn.number),
        next: turn.number.checked_add(1).and_then(|next| rounds.turn(next)),
        now,
    })
}

#[async_trait]
impl Job for Prefilling {
    async fn run(&self, _: &Occasion) -> Result<String, JobError> {
        let wakened = self.wake().await.map_err(|error| JobError(error.to_string()))?;
        let Wakened { released, fired, lapsed, ended } = wakened;
        Ok(format!(
            "{released} form sets had their first day, {fired} subscriptions came round, {lapsed} lapsed, {ended} instances had \
             their last day"
        ))
    }
}

/// The ledger is asked for what is due no more often.
const SHORTEST_LOOK: Duration = Duration::from_millis(200);
/// Sets and subscriptions that one transaction wakes.
const AT_ONCE: u32 = 500;
/// News that one supplement tells.
const NEWS_AT_ONCE: u32 = 5_000;
