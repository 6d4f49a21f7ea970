//! Receivers that take one thing after the other: who said of itself that it is down gets what it was to take then before
//! anything else. Which that is stands in the ledger, so a restart keeps the order.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::model::{HeldUp, RouteName, ShipmentId};
use crate::ports::{Ledger, LedgerError};

/// Where everything that goes to one receiver waits, by whatever route it comes.
#[derive(Debug)]
pub struct Queue {
    /// Routes that lead here, or here first.
    routes: Vec<RouteName>,
    /// Its name, and the routes that lead here among others.
    shared: (String, Vec<RouteName>),
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
    /// The queue of the receiver that these routes lead to, or to first.
    pub fn new(routes: Vec<RouteName>) -> Self {
        Self { routes, shared: Default::default(), turn: Semaphore::new(1), may_be_down: AtomicBool::new(true) }
    }

    /// The same queue; by its name the receiver is told apart from the others that these routes lead to.
    pub fn shared(self, receiver: String, routes: Vec<RouteName>) -> Self {
        Self { shared: (receiver, routes), ..self }
    }

    /// Tells whether a batch is to go here.
    fn is_for(&self, batch: &HeldUp) -> bool {
        match &batch.receiver {
            None => self.routes.contains(&batch.route),
            Some(receiver) => *receiver == self.shared.0 && self.shared.1.contains(&batch.route),
        }
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
            let first = held_up.into_iter().filter(|first| self.is_for(first)).min_by_key(|first| first.due_at);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_route_with_several_receivers_each_waits_for_its_own_batches() {
        let route = |name: &str| -> RouteName { name.parse().unwrap() };
        let queue = Queue::new(vec![route("alone"), route("first")])
            .shared("soap".into(), vec![route("first"), route("second")]);
        let batch = |name, receiver: Option<&str>| HeldUp {
            shipment: ShipmentId::new(),
            route: route(name),
            receiver: receiver.map(Into::into),
            number: 1,
            due_at: Timestamp::UNIX_EPOCH,
        };
        assert!(queue.is_for(&batch("alone", None)) && queue.is_for(&batch("first", None)));
        assert!(queue.is_for(&batch("first", Some("soap"))) && queue.is_for(&batch("second", Some("soap"))));
        assert!(!queue.is_for(&batch("second", None)) && !queue.is_for(&batch("other", Some("soap"))));
        assert!(!queue.is_for(&batch("second", Some("other"))));
    }
}
