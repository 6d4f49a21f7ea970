//! Files while they arrive: whoever takes uploads in tells of them, so that judging need not wait for CLOSE.

use std::sync::Arc;

use crate::model::{BlobId, PartnerId, ShipmentId};

use super::Scratch;

/// Whoever looks at uploads while they arrive. That nobody does changes nothing but time.
pub trait Arrivals: Send + Sync {
    /// Tells of an upload that begins or goes on.
    fn begins(&self, upload: Arriving) -> Box<dyn Arrival>;

    /// The shipment that a stored file was looked at as; it must become this one and no other.
    fn shipment_of(&self, blob: BlobId) -> Option<ShipmentId>;
}

/// An upload that begins or goes on.
#[derive(Clone)]
pub struct Arriving {
    /// Whose area.
    pub partner: PartnerId,
    /// The directory it is dropped in.
    pub dir: String,
    /// What its bytes become at CLOSE.
    pub blob: BlobId,
    /// Its bytes so far.
    pub scratch: Arc<dyn Scratch>,
    /// How many they are.
    pub size_bytes: u64,
}

/// One upload that is looked at. Dropping it means that the upload was cut off, unless [`Arrival::kept`] came before.
pub trait Arrival: Send + Sync {
    /// The shipment it will be, if it is claimed.
    fn shipment(&self) -> ShipmentId;

    /// Tells that so many bytes were written at the offset.
    fn wrote(&mut self, offset: u64, bytes: u64);

    /// Tells that it was cut or extended to the size.
    fn resized(&mut self, size_bytes: u64);

    /// Tells that nothing more will be written.
    fn ended(&mut self, size_bytes: u64);

    /// Tells that the ledger has it.
    fn kept(self: Box<Self>);
}
