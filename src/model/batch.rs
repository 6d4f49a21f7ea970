//! Batches that a shipment's items go in, for receivers that take several items at once.

use jiff::Timestamp;

use super::{ItemKey, RouteName, ShipmentId};

/// How large such a batch may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most items in one.
    pub items: u64,
    /// Most bytes of items, their attachments and heads, as the sender wrote them. An item that is larger goes alone.
    pub bytes: u64,
}

impl BatchLimits {
    /// The old platform's rule of thumb.
    pub const DEFAULT: Self = Self { items: 100, bytes: 30_000_000 };
}

/// Items that go to the receiver as one batch. How far it has come is what its items say, which change together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Its place among the shipment's batches, from 1.
    pub number: u64,
    /// Its deterministic identity.
    pub key: ItemKey,
    /// Number of its first item.
    pub first: u64,
    /// Number of its last item. Items between the two that are not ready when the batch is made do not belong to it.
    pub last: u64,
    /// How many items it has.
    pub items: u64,
}

/// A batch that is to be taken before any other by a receiver that said of itself that it is down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldUp {
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// The shipment's route.
    pub route: RouteName,
    /// The receiver, where the route leads to several.
    pub receiver: Option<String>,
    /// Which batch of it.
    pub number: u64,
    /// When it is tried again.
    pub due_at: Timestamp,
}

impl Batch {
    /// What a batch's number adds to the shipment's reference: `-001`.
    pub fn suffix(number: u64) -> String {
        format!("-{number:03}")
    }

    /// A batch's reference, from its shipment's; none where the format has no references.
    pub fn reference(shipment_reference: &str, number: u64) -> String {
        if shipment_reference.is_empty() {
            return String::new();
        }
        format!("{shipment_reference}{}", Self::suffix(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_end_with_at_least_three_digits() {
        assert_eq!(Batch::reference("S-1", 7), "S-1-007");
        assert_eq!(Batch::reference("S-1", 12_345), "S-1-12345");
        assert_eq!(Batch::reference("", 7), "");
    }
}
