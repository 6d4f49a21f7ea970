//! What is kept until it is wanted: form sets, prefilled fields, subscriptions; and what becomes of it.
//!
//! The content of all of it stays where it was staged: an item of a shipment, whose bytes are not let go of meanwhile. Whom
//! it concerns is a hash here.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Instances, LedgerError};
use crate::model::{BlobId, Deadlines, HeldKey, Identity, Item, ItemKey, NewItem, News, Outcome, Period, ShipmentId};

/// What is kept, by what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// A form set, for its first day.
    Day,
    /// A form set, for a subscription.
    Subscribed,
    /// A form set, for the app's question.
    Served,
    /// A prefilled field, for forms.
    Field,
}

/// An item to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewHeld {
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// Which item of it.
    pub item: u64,
    /// What it is.
    pub sort: Sort,
    /// Whose, and for what.
    pub whose: HeldKey,
    /// Which of those: what a subscription chooses it by.
    pub identity: Identity,
    /// Those with the same take each other's place.
    pub same: Identity,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_to: Date,
    /// When it is kept.
    pub now: Timestamp,
}

/// An item that is kept, and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldItem {
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// The shipment's bytes.
    pub blob: BlobId,
    /// The item.
    pub item: NewItem,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_to: Date,
}

/// A subscription to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSubscription {
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// Which item of it.
    pub item: u64,
    /// Whose, and for which app.
    pub whose: HeldKey,
    /// Which form sets it takes.
    pub identity: Identity,
    /// When it comes round.
    pub rounds: Rounds,
    /// Its next turn; `None` when it is over already.
    pub next: Option<Turn>,
    /// When it is kept.
    pub now: Timestamp,
}

/// When a subscription comes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// How often.
    pub period: Period,
    /// The day of turn 0.
    pub scheduled: Date,
    /// The day to be done by, of turn 0.
    pub due: Option<Date>,
    /// The day it is shown from, of turn 0.
    pub visible: Option<Date>,
    /// The last day.
    pub ends: Option<Date>,
}

/// One time that a subscription comes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Which, from 0.
    pub number: u32,
    /// On which day.
    pub day: Date,
}

impl Rounds {
    /// The first turn on the day or after it, not before a given one; `None` when there is none before the end.
    pub fn from(&self, day: Date, least: u32) -> Option<Turn> {
        let number = self.period.first_turn_from(self.scheduled, day, least)?;
        self.turn(number)
    }

    /// A turn; `None` when it is after the end.
    pub fn turn(&self, number: u32) -> Option<Turn> {
        let day = self.period.turn(self.scheduled, number)?;
        self.ends.is_none_or(|ends| day <= ends).then_some(Turn { number, day })
    }

    /// What an instance of a turn is told. A period that has no such turn has none of its other days.
    pub fn occasion(&self, number: u32) -> Deadlines {
        let of = |first: Option<Date>| first.and_then(|first| self.period.turn(first, number));
        Deadlines { due: of(self.due), visible: of(self.visible) }
    }
}

/// How a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// Which item of it.
    pub item: u64,
    /// The item's key.
    pub key: ItemKey,
    /// When it comes round.
    pub rounds: Rounds,
    /// Its next turn; `None` when it is over.
    pub next: Option<Turn>,
}

/// A turn of a subscription that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// The subscription, as an item of it.
    pub item: u64,
    /// The turn.
    pub turn: Turn,
    /// The identity of what is made.
    pub key: ItemKey,
    /// What its instance is told.
    pub occasion: Deadlines,
    /// The turn after it.
    pub next: Option<Turn>,
    /// When.
    pub now: Timestamp,
}

/// An instance to be made of what was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// Its number.
    pub id: u64,
    /// The form set, or the subscription where there is none for it, with the state and the key of the instance.
    pub item: Item,
    /// What the instance is told.
    pub occasion: Deadlines,
    /// The instance that is to be removed, where none is to be made.
    pub removes: Option<String>,
}

/// Keeps what is to be kept; every change may be repeated.
#[async_trait]
pub trait Held: Instances {
    /// Keeps an item, in place of those of earlier shipments that are the same and valid on some day that it is.
    async fn keep(&self, held: NewHeld) -> Result<(), LedgerError>;

    /// Keeps a subscription, in place of one of an earlier shipment for the same.
    async fn subscribe(&self, subscription: NewSubscription) -> Result<(), LedgerError>;

    /// Tells whether an item was kept, as whatever.
    async fn was_kept(&self, shipment: ShipmentId, item: u64) -> Result<bool, LedgerError>;

    /// What is kept of a sort and valid on a day, the earliest first, some at most.
    async fn held(&self, whose: HeldKey, sort: Sort, day: Date, limit: u32) -> Result<Vec<HeldItem>, LedgerError>;

    /// Records that form sets were given to the app.
    async fn served(&self, items: Vec<(ShipmentId, u64)>) -> Result<(), LedgerError>;

    /// Makes activations of form sets whose first day has come; returns of how many, some at once.
    async fn release(&self, today: Date, now: Timestamp, limit: u32) -> Result<u64, LedgerError>;

    /// Subscriptions whose next turn has come, the longest waiting first.
    async fn due_subscriptions(&self, today: Date, limit: u32) -> Result<Vec<Subscription>, LedgerError>;

    /// Makes an activation of each turn that was not taken before, of the newest form set there is for it or of the
    /// subscription alone, and moves the subscription on.
    async fn fire(&self, firings: Vec<Firing>) -> Result<(), LedgerError>;

    /// Lets go of what was valid until a day before today; returns how much, some at once.
    async fn lapse(&self, today: Date, now: Timestamp, limit: u32) -> Result<u64, LedgerError>;

    /// Shipments with activations that are due.
    async fn activated_shipments(&self, now: Timestamp) -> Result<Vec<ShipmentId>, LedgerError>;

    /// Activations of a shipment's items that are due, in order of number, after a given number.
    async fn due_activations(
        &self,
        shipment: ShipmentId,
        now: Timestamp,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Activation>, LedgerError>;

    /// Records that an attempt is about to happen; nothing may be sent before this returns.
    async fn intend_activation(&self, id: u64, now: Timestamp) -> Result<(), LedgerError>;

    /// Records what became of an attempt (or of a look-up).
    async fn conclude_activation(&self, id: u64, outcome: Outcome, now: Timestamp) -> Result<(), LedgerError>;

    /// News of what was kept that nobody was told of, of one shipment that has its final receipt.
    async fn held_news(&self, limit: u32) -> Result<Option<(ShipmentId, Vec<News>)>, LedgerError>;

    /// Forgets news that were told.
    async fn forget_held_news(&self, shipment: ShipmentId, news: Vec<News>) -> Result<(), LedgerError>;
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn rounds_end_with_their_last_day_and_keep_their_other_days() {
        let rounds = Rounds {
            period: Period::Monthly,
            scheduled: date(2027, 1, 31),
            due: Some(date(2027, 2, 15)),
            visible: None,
            ends: Some(date(2027, 3, 31)),
        };
        assert_eq!(rounds.from(date(2027, 2, 1), 0), Some(Turn { number: 1, day: date(2027, 2, 28) }));
        assert_eq!(rounds.turn(2), Some(Turn { number: 2, day: date(2027, 3, 31) }));
        assert_eq!(rounds.turn(3), None);
        assert_eq!(rounds.occasion(1), Deadlines { due: Some(date(2027, 3, 15)), visible: None });
    }
}
