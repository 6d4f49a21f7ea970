//! Instances that were made of form sets and may still be changed: a later set is put into one, or it is deleted after its
//! last day; each only while nobody has touched it.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::LedgerError;
use crate::model::{HeldKey, Identity, ItemKey, ShipmentId};

/// A form set that is an instance, or is to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetPlace {
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// Which item of it.
    pub item: u64,
    /// Its identity.
    pub key: ItemKey,
    /// Whose, and for which app.
    pub whose: HeldKey,
    /// Sets with the same take each other's place.
    pub same: Identity,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_to: Date,
    /// The instance is to be deleted after its last day.
    pub is_deleted: bool,
}

/// What there is for a set to be put into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// Nothing: it becomes an instance of its own.
    Nothing,
    /// It is an instance already.
    There(String),
    /// This instance, which nothing has been put into yet.
    New(String),
    /// This instance, and an earlier attempt may have put something into it.
    Again(String),
    /// Another set is being put into the only one.
    Busy,
    /// A later set is in this instance.
    Outdated(String),
}

/// Knows which instances there are; every change may be repeated.
#[async_trait]
pub trait Instances: Send + Sync {
    /// Notes an instance that was made of a set.
    async fn note_instance(&self, set: SetPlace, reference: String) -> Result<(), LedgerError>;

    /// Reserves an instance of an earlier shipment's set for one that is the same, and valid on some day that it was.
    async fn claim_instance(&self, set: SetPlace) -> Result<Claimed, LedgerError>;

    /// What is reserved for a set, or was made of it.
    async fn claimed_instance(&self, key: ItemKey) -> Result<Claimed, LedgerError>;

    /// Records that a set has been put into the instance that was reserved for it; who sent the one before is told.
    async fn fulfil_claim(&self, set: SetPlace, now: Timestamp) -> Result<(), LedgerError>;

    /// Gives up a reservation of what nothing was put into. One that somebody has touched is never tried again.
    async fn give_up_claim(&self, key: ItemKey, touched: bool) -> Result<(), LedgerError>;

    /// Leaves an instance alone from now on that a set may be in and somebody has touched. It stays reserved for the set, which
    /// must go nowhere else.
    async fn leave_claimed(&self, key: ItemKey) -> Result<(), LedgerError>;

    /// Asks for the end of instances whose last day was before today, and lets go of those that stay; returns of how many.
    async fn end_instances(&self, today: Date, now: Timestamp, limit: u32) -> Result<u64, LedgerError>;
}
