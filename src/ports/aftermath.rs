//! What follows a delivery: what the receiver made of the item, and what it will have to tell later.

use async_trait::async_trait;
use jiff::Timestamp;

use super::LedgerError;
use crate::model::{LateEvent, Note, ShipmentId};

/// What is told of an outcome beyond its code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// What the receiver made of the item, or why it refused it.
    pub notes: Vec<Note>,
    /// When to ask what became of it.
    pub follow: Option<Follow>,
}

/// When to ask what became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follow {
    /// The first time.
    pub due_at: Timestamp,
    /// No longer than until then.
    pub ends_at: Timestamp,
}

/// What has become of a delivered item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stand {
    /// All that has happened to it, each with its time; what was told before is not told again.
    pub events: Vec<(LateEvent, Timestamp)>,
    /// Nothing more will.
    pub is_over: bool,
}

/// An item whose receiver has more to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedItem {
    /// Its number in the shipment.
    pub number: u64,
    /// The receiver's id for it.
    pub receivers_reference: String,
    /// How often it was asked about.
    pub looks: u32,
    /// When asking ends.
    pub ends_at: Timestamp,
}

/// That an item was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// Its number in the shipment.
    pub number: u64,
    /// When to ask again; `None` for never.
    pub again: Option<Timestamp>,
}

/// Items whose receivers have more to tell; they outlive restarts.
#[async_trait]
pub trait Followed: Send + Sync {
    /// Shipments with a final receipt and items that are due.
    async fn followed_shipments(&self, now: Timestamp) -> Result<Vec<ShipmentId>, LedgerError>;

    /// Some items of a shipment that are due, the longest first.
    async fn due_followed(&self, id: ShipmentId, now: Timestamp, limit: u32) -> Result<Vec<FollowedItem>, LedgerError>;

    /// Records that items were asked about.
    async fn looked(&self, id: ShipmentId, looked: Vec<Looked>) -> Result<(), LedgerError>;
}

/// Contents that lie at a receiver to be referred to by items. They are known by a hash of what they are, so that neither
/// a restart nor another item sends them again.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// The receiver's id of a content.
    async fn upload(&self, key: [u8; 32]) -> Result<Option<String>, LedgerError>;

    /// Remembers it, in place of an earlier one.
    async fn keep_upload(&self, key: [u8; 32], reference: &str, now: Timestamp) -> Result<(), LedgerError>;

    /// Forgets those that were made before the given time.
    async fn forget_uploads(&self, before: Timestamp) -> Result<(), LedgerError>;
}
