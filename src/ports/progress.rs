//! How far shipments have come whose items are on their way.

use async_trait::async_trait;
use jiff::Timestamp;

use super::LedgerError;
use crate::model::{PartnerId, RouteName, ShipmentId};

/// What is on its way, and when it will have arrived.
#[async_trait]
pub trait Progress: Send + Sync {
    /// Shipments with items that are to be sent, oldest first, so many of each route; those with several receivers have a
    /// row for each.
    async fn under_way(&self, of_each_route: u32) -> Result<Vec<UnderWay>, LedgerError>;

    /// Records when shipments are expected to be through; `None` where nobody can tell.
    async fn expect_ends(&self, ends: Vec<(ShipmentId, Option<Timestamp>)>) -> Result<(), LedgerError>;
}

/// A shipment whose items are being sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// Which.
    pub id: ShipmentId,
    /// To which receiver, where its route leads to several.
    pub receiver: Option<String>,
    /// Whose.
    pub partner: PartnerId,
    /// By which route.
    pub route: RouteName,
    /// When it was claimed, or sent again last.
    pub claimed_at: Timestamp,
    /// Items without a final outcome.
    pub open: u64,
}
