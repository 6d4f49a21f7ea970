//! Receivers that take one thing after the other: who said of itself that it is down gets what it was to take then before
//! anything else. Which that is stands in the ledger, so a restart keeps the order.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::model::{RouteName, ShipmentId};
use crate::ports::{Ledger, LedgerError};

/// Where everything that goes to one receiver waits, by whatever route it comes.
#[derive(Debug)]
pub struct Queue {
    routes: Vec<RouteName>,
    turn: Semaphore,
    /// Nobody knows better before the ledger was asked; it is not asked while all is well.
    may_be_down: AtomicBool,
}

/// The right to send, until dropped.
pub(super) enum Turn<'a> {
    /// Anybody has it.
    Free,
    /// Only one.
    Held { _permit: SemaphorePermit<'a> },
}

/// What waiting came to.
pub(super) enum Entered<'a> {
    /// It may be sent.
    Turn(Turn<'a>),
    /// Another goes before, which is due then.
    Behind(Timestamp),
}

impl Queue {
    /// The queue of the receiver that these routes lead to.
    pub fn new(routes: Vec<RouteName>) -> Self {
        Self { routes, turn: Semaphore::new(1), may_be_down: AtomicBool::new(true) }
    }

    /// Waits until nobody else sends, and looks whether anything goes before a batch, or an item that goes alone.
    pub(super) async fn enter(
        &self,
        ledger: &dyn Ledger,
        (shipment, batch): (ShipmentId, Option<u64>),
    ) -> Result<Entered<'_>, LedgerError> {
        let _permit = self.turn.acquire().await.expect("the semaphore is never closed");
        if self.may_be_down.load(Ordering::Relaxed) {
            let held_up = ledger.held_up().await?;
            let first =
                held_up.into_iter().filter(|first| self.routes.contains(&first.route)).min_by_key(|first| first.due_at);
            match first {
                Some(first) if (first.shipment, Some(first.number)) == (shipment, batch) => {}
                Some(first) => return Ok(Entered::Behind(first.due_at)),
                None => self.may_be_down.store(false, Ordering::Relaxed),
            }
        }
        Ok(Entered::Turn(Turn::Held { _permit }))
    }

    /// Notes that the receiver says that it is down. Whoever has the turn does.
    pub(super) fn went_down(&self) {
        self.may_be_down.store(true, Ordering::Relaxed);
    }
}
