//! Transfers that were begun at a receiver, each for one item.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::LedgerError;
use crate::model::ItemKey;

/// Which transfer is whose. A receiver that gives its own id to what is to be sent has it kept here before the first byte
/// goes out, so that neither a restart nor a lost answer begins a second one for the item.
#[async_trait]
pub trait Transfers: Send + Sync {
    /// The transfer of an item.
    async fn transfer(&self, item: ItemKey) -> Result<Option<Uuid>, LedgerError>;

    /// Keeps it, in place of an earlier one. In time, after longer than any item is tried, it is forgotten.
    async fn keep_transfer(&self, item: ItemKey, id: Uuid, now: Timestamp) -> Result<(), LedgerError>;

    /// Those among some that belong to an item.
    async fn known_transfers(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, LedgerError>;
}
