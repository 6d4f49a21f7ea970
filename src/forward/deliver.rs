//! Works through a shipment's due items.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use futures::stream::{self, Stream};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::consign::{Source, not_consigned};
use super::patience::{Patience, after, wait_after};
use crate::codes;
use crate::formats::MOST_PARTS;
use crate::model::{ByteRange, Code, Item, ItemState, Outcome, Route};
use crate::ports::{Clock, Consignment, Delivered, DeliveryError, Intent, Ledger, LedgerError, Next, Receiver};

/// What it takes to forward a shipment's items.
#[derive(Clone)]
pub struct Forwarding {
    /// Where outcomes are recorded.
    pub ledger: Arc<dyn Ledger>,
    /// Where items go.
    pub receiver: Arc<dyn Receiver>,
    /// The receiver's troubles so far.
    pub patience: Arc<Patience>,
    /// The route's rules.
    pub route: Arc<Route>,
    /// Where items are read.
    pub source: Source,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When the shipment was claimed.
    pub claimed_at: Timestamp,
    /// When this process began: what was under way then was cut off no later.
    pub started: Timestamp,
    /// Asks for an early end: running deliveries finish, no new ones begin.
    pub stop: CancellationToken,
}

/// Delivers every item that is due, several at once. Returns when to come back if the receiver asked for a pause.
pub async fn forward(forwarding: &Forwarding) -> Result<Option<Timestamp>, LedgerError> {
    due_items(forwarding)
        .try_for_each_concurrent(forwarding.route.concurrency.max(1), |item| async move {
            if forwarding.stop.is_cancelled() || forwarding.paused().is_some() {
                return Ok(());
            }
            Attempt { forwarding, item: &item }.run().await
        })
        .await?;
    if forwarding.is_hopeless() {
        let id = forwarding.source.shipment;
        tracing::error!(shipment = %id, "the receiver has taken nothing for too long; what was not sent is given up");
        forwarding.ledger.fail_open(id, ItemState::Ready, codes::UNREACHABLE).await?;
    }
    Ok(forwarding.paused())
}

/// The due items, page by page; ends early when asked to stop or to pause.
fn due_items(forwarding: &Forwarding) -> impl Stream<Item = Result<Item, LedgerError>> {
    stream::try_unfold(0, move |last| async move {
        if forwarding.stop.is_cancelled() || forwarding.paused().is_some() {
            return Ok::<_, LedgerError>(None);
        }
        let (now, id) = (forwarding.clock.now(), forwarding.source.shipment);
        let page = forwarding.ledger.due_items(id, now, last, PAGE_ITEMS).await?;
        let Some(end) = page.last().map(|item| item.found.number) else { return Ok(None) };
        Ok(Some((stream::iter(page.into_iter().map(Ok)), end)))
    })
    .try_flatten()
}

impl Forwarding {
    fn paused(&self) -> Option<Timestamp> {
        self.patience.paused(self.clock.now())
    }

    /// Only a few items are tried while a receiver is in trouble; the others' time limit counts from the claim, and from
    /// when the receiver last did what it should.
    fn is_hopeless(&self) -> bool {
        let limit = Duration::from_millis(self.route.retry.give_up_after_ms);
        let since = self.patience.in_trouble_since();
        since.is_some_and(|since| after(since.max(self.claimed_at), limit) <= self.clock.now())
    }
}

/// One attempt at one item.
struct Attempt<'a> {
    forwarding: &'a Forwarding,
    item: &'a Item,
}

impl Attempt<'_> {
    async fn run(&self) -> Result<(), LedgerError> {
        if let Some(at) = self.settles_at() {
            return self.conclude(Outcome::Unknown { code: codes::OUTCOME_UNKNOWN, at }).await;
        }
        if self.item.state == ItemState::Sending {
            match self.look_up().await {
                Ok(Some(found)) => return self.delivered(found.receivers_reference).await,
                Ok(None) if self.gives_up_at() <= self.now() => {
                    return self.conclude(Outcome::Failed(self.item.code.unwrap_or(codes::OUTCOME_UNKNOWN))).await;
                }
                Ok(None) => {}
                Err(error) => return self.still_unknown(&error).await,
            }
        }
        self.intend().await?;
        match self.deliver().await {
            Ok(delivered) => self.delivered(delivered.receivers_reference).await,
            Err(error) => self.failed(&error).await,
        }
    }

    async fn look_up(&self) -> Result<Option<Delivered>, DeliveryError> {
        self.forwarding.receiver.look_up(&self.consign().await?).await
    }

    async fn deliver(&self) -> Result<Delivered, DeliveryError> {
        self.forwarding.receiver.deliver(&self.consign().await?).await
    }

    /// When the receiver has had time to finish an attempt whose outcome is unknown; `None` when it has.
    fn settles_at(&self) -> Option<Timestamp> {
        let intent = (self.item.state == ItemState::Sending).then_some(self.item.last_intent).flatten()?;
        // A long body may have been cut off long after its intent, by the end of the process before this one. An intent
        // from the future is of a clock that was set back.
        let ended =
            Some(intent).filter(|intent| *intent <= self.now()).unwrap_or_default().max(self.forwarding.started);
        let at = after(ended, Duration::from_millis(self.forwarding.route.retry.settle_ms));
        (at > self.now()).then_some(at)
    }

    async fn consign(&self) -> Result<Consignment, DeliveryError> {
        let first_intent = self.item.first_intent.unwrap_or_else(|| self.now());
        let attachments = self.attachments().await?;
        let (source, item) = (self.forwarding.source.clone(), self.item.clone());
        let read = self.forwarding.source.disk.run(move || source.consign(&item, attachments, first_intent)).await;
        read.map_err(io::Error::other)?.map_err(|error| {
            let (shipment, item) = (self.forwarding.source.shipment, self.item.found.number);
            tracing::error!(%shipment, item, %error, "a staged item cannot be read again");
            not_consigned(error)
        })
    }

    /// Those of the item's attachments that stand behind all items.
    async fn attachments(&self) -> Result<Vec<ByteRange>, DeliveryError> {
        let (source, reference) = (&self.forwarding.source, &self.item.found.senders_reference);
        if source.envelope.tail.is_none() {
            return Ok(Vec::new());
        }
        // One more than an item may have, so that such an item is refused and not sent without the rest.
        let most = MOST_PARTS as u32 + 1;
        let found = self.forwarding.ledger.attachments_of(source.shipment, reference, most).await;
        let found = found.map_err(|error| DeliveryError::Unreadable(io::Error::other(error)))?;
        Ok(found.into_iter().map(|attachment| attachment.range).collect())
    }

    async fn intend(&self) -> Result<(), LedgerError> {
        let (shipment, number) = (self.forwarding.source.shipment, self.item.found.number);
        self.forwarding.ledger.intend(Intent { shipment, number, now: self.now() }).await
    }

    async fn delivered(&self, receivers_reference: String) -> Result<(), LedgerError> {
        self.forwarding.patience.well();
        self.conclude(Outcome::Delivered(receivers_reference)).await
    }

    async fn failed(&self, error: &DeliveryError) -> Result<(), LedgerError> {
        let (code, next) = error.outcome();
        let outcome = match next {
            Next::GiveUp => {
                self.forwarding.patience.well();
                Outcome::Failed(code)
            }
            Next::Retry(wish) => {
                self.trouble(error, wish, false);
                self.again_or_give_up(code, |at| Outcome::Retry { code, at }, wish)
            }
            Next::LookUp => {
                self.trouble(error, None, false);
                // Never given up unseen: the look-up comes first, also when the time limit has passed.
                let settle = Duration::from_millis(self.forwarding.route.retry.settle_ms);
                Outcome::Unknown { code, at: after(self.now(), self.wait(None).max(settle)) }
            }
            Next::AskOperator => {
                self.trouble(error, None, true);
                self.again_or_give_up(code, |at| Outcome::Retry { code, at }, None)
            }
        };
        self.conclude(outcome).await
    }

    /// What is unknown stays unknown: a look-up that failed says nothing about the effect.
    async fn still_unknown(&self, error: &DeliveryError) -> Result<(), LedgerError> {
        let (wish, all) = match error.outcome().1 {
            Next::Retry(wish) => (wish, false),
            Next::AskOperator => (None, true),
            Next::GiveUp | Next::LookUp => (None, false),
        };
        self.trouble(error, wish, all);
        let code = codes::OUTCOME_UNKNOWN;
        self.conclude(self.again_or_give_up(code, |at| Outcome::Unknown { code, at }, wish)).await
    }

    fn again_or_give_up(&self, code: Code, again: impl Fn(Timestamp) -> Outcome, wish: Option<Duration>) -> Outcome {
        let at = after(self.now(), self.wait(wish));
        if at > self.gives_up_at() { Outcome::Failed(code) } else { again(at) }
    }

    fn wait(&self, wish: Option<Duration>) -> Duration {
        wait_after(&self.forwarding.route.retry, self.item.attempts.saturating_add(1), wish)
    }

    fn gives_up_at(&self) -> Timestamp {
        let first = self.item.first_intent.unwrap_or_else(|| self.now());
        after(first, Duration::from_millis(self.forwarding.route.retry.give_up_after_ms))
    }

    fn trouble(&self, error: &DeliveryError, wish: Option<Duration>, all: bool) {
        let (shipment, item) = (self.forwarding.source.shipment, self.item.found.number);
        if all {
            tracing::error!(%shipment, item, %error, "delivery needs the operator");
        } else {
            tracing::debug!(%shipment, item, %error, "delivery put off");
        }
        self.forwarding.patience.trouble(&self.forwarding.route.retry, self.now(), wish, all);
    }

    async fn conclude(&self, outcome: Outcome) -> Result<(), LedgerError> {
        let (shipment, number) = (self.forwarding.source.shipment, self.item.found.number);
        self.forwarding.ledger.conclude(shipment, number, outcome, self.now()).await
    }

    fn now(&self) -> Timestamp {
        self.forwarding.clock.now()
    }
}

/// Items read from the ledger at once.
const PAGE_ITEMS: u32 = 512;
