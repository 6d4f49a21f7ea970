//! Works through a shipment's due items.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::stream::{self, Stream};
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Load};
use super::consign::Source;
use super::gate::Pass;
use super::group::group;
use super::patience::{Patience, after};
use super::queue::{Entered, Queue, Turn};
use super::together::together;
use crate::blocking::Blocking;
use crate::codes;
use crate::model::{BatchLimits, Item, ItemState, Route};
use crate::ports::{Clock, Ledger, LedgerError, Receiver};

/// What it takes to forward a shipment's items.
#[derive(Clone)]
pub struct Forwarding {
    /// Where outcomes are recorded.
    pub ledger: Arc<dyn Ledger>,
    /// Where items go.
    pub receiver: Arc<dyn Receiver>,
    /// The receiver's name, for the log.
    pub receiver_name: String,
    /// How large batches may be, where the receiver takes them; `None` where it takes single items.
    pub batches: Option<BatchLimits>,
    /// Where whoever sends to the receiver waits for his turn, if that takes one thing after the other.
    pub queue: Option<Arc<Queue>>,
    /// The receiver's troubles so far.
    pub patience: Arc<Patience>,
    /// The route's rules.
    pub route: Arc<Route>,
    /// Where items are read.
    pub source: Source,
    /// The door to work that fills a core: judging what was cut out.
    pub cores: Blocking,
    /// Nothing more is sent: what may have been is looked up, and fails when it is not found.
    pub looks_only: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When the time for its items began: its claim, its last release, or the last order to send failed ones again.
    pub begun_at: Timestamp,
    /// When this process began: what was under way then was cut off no later.
    pub started: Timestamp,
    /// Asks for an early end: running deliveries finish, no new ones begin. Ours to ask, too, when one fails.
    pub stop: CancellationToken,
}

/// Delivers every item that is due, several at once, alone or in batches. Returns when to come back if the receiver asked
/// for a pause.
pub async fn forward(forwarding: &Forwarding) -> Result<Option<Timestamp>, LedgerError> {
    let begun = forwarding.clock.now();
    if let Some(limits) = forwarding.batches {
        group(forwarding, limits).await?;
    }
    let behind = AtomicI64::new(0);
    let at_once = if forwarding.queue.is_some() { 1 } else { forwarding.route.concurrency.max(1) };
    // Also where the receiver no longer takes batches: what was grouped goes on as it was, for it may have been sent.
    let due = due_batches(forwarding).chain(due_items(forwarding));
    together(due, (at_once, &forwarding.stop), |(load, item)| {
        let behind = &behind;
        async move {
            let Some(_turn) = forwarding.turn(load, behind).await? else { return Ok(()) };
            let Some(_pass) = forwarding.enter().await else { return Ok(()) };
            Attempt { forwarding, load, item: &item }.run().await
        }
    })
    .await?;
    if forwarding.is_hopeless(begun) {
        let id = forwarding.source.shipment;
        tracing::error!(shipment = %id, "the receiver has taken nothing for too long; what was not sent is given up");
        forwarding.ledger.fail_open(id, ItemState::Ready, codes::UNREACHABLE).await?;
    }
    let behind = Timestamp::from_millisecond(behind.into_inner()).ok().filter(|until| *until > Timestamp::UNIX_EPOCH);
    Ok(forwarding.paused().max(behind))
}

/// The due items that go alone, page by page; ends early when asked to stop or to pause.
fn due_items(forwarding: &Forwarding) -> impl Stream<Item = Result<(Load<'static>, Item), LedgerError>> {
    stream::try_unfold(0, move |last| async move {
        if forwarding.rests() {
            return Ok::<_, LedgerError>(None);
        }
        let (now, id) = (forwarding.clock.now(), forwarding.source.shipment);
        let page = forwarding.ledger.due_items(id, now, last, PAGE_ITEMS).await?;
        let Some(end) = page.last().map(|item| item.found.number) else { return Ok(None) };
        Ok(Some((stream::iter(page.into_iter().map(|item| Ok((Load::Item, item)))), end)))
    })
    .try_flatten()
}

/// The due batches with their first items, likewise.
fn due_batches(forwarding: &Forwarding) -> impl Stream<Item = Result<(Load<'static>, Item), LedgerError>> {
    stream::try_unfold(0, move |last| async move {
        if forwarding.rests() {
            return Ok::<_, LedgerError>(None);
        }
        let (now, id) = (forwarding.clock.now(), forwarding.source.shipment);
        let page = forwarding.ledger.due_batches(id, now, last, PAGE_ITEMS).await?;
        let Some(end) = page.last().map(|(batch, _)| batch.number) else { return Ok(None) };
        Ok(Some((stream::iter(page.into_iter().map(|(batch, first)| Ok((Load::Batch(batch), first)))), end)))
    })
    .try_flatten()
}

impl Forwarding {
    /// Waits for a place at the receiver; `None` when nothing new should begin.
    pub(super) async fn enter(&self) -> Option<Pass> {
        if self.rests() {
            return None;
        }
        let pass = tokio::select! {
            pass = self.patience.enter(&self.route.partner) => pass,
            () = self.stop.cancelled() => return None,
        };
        // It may have come into trouble meanwhile.
        (!self.rests()).then_some(pass)
    }

    /// Tells whether nothing new should begin now.
    pub(super) fn rests(&self) -> bool {
        self.stop.is_cancelled() || self.paused().is_some()
    }

    /// Waits for the turn to send, where only one may; `None` when another goes before, until the time that is noted.
    async fn turn(&self, load: Load<'_>, behind: &AtomicI64) -> Result<Option<Turn<'_>>, LedgerError> {
        let Some(queue) = &self.queue else { return Ok(Some(Turn::Free)) };
        let batch = match load {
            Load::Item | Load::Kept(..) => None,
            Load::Batch(batch) => Some(batch.number),
        };
        match queue.enter(self.ledger.as_ref(), (self.source.shipment, batch)).await? {
            Entered::Turn(turn) => Ok(Some(turn)),
            Entered::Behind(due_at) => {
                let soon = after(self.clock.now(), Duration::from_millis(self.route.retry.first_wait_ms));
                behind.store(due_at.max(soon).as_millisecond(), Ordering::Relaxed);
                Ok(None)
            }
        }
    }

    /// Until when the receiver is left alone.
    pub(super) fn paused(&self) -> Option<Timestamp> {
        self.patience.paused(self.clock.now())
    }

    /// Only a few items are tried while a receiver is in trouble; the others' time limit counts from the beginning, and from
    /// when the receiver last did what it should. A turn without a trouble says nothing of what it is now.
    fn is_hopeless(&self, turn_begun: Timestamp) -> bool {
        let limit = Duration::from_millis(self.route.retry.give_up_after_ms);
        self.patience.troubled_since(turn_begun) && self.patience.is_hopeless(self.begun_at, limit, self.clock.now())
    }
}

/// Items or batches read from the ledger at once.
const PAGE_ITEMS: u32 = 512;
