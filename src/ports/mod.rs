//! What the house needs from the outside world, as traits; `adapters/` implements them, one conformance suite per trait.

mod area;
mod blobs;
mod clock;
mod ledger;
mod receiver;

pub use area::{Area, AreaError, Close, NewUpload, Quota, Usage};
pub use blobs::{Blob, Blobs, Scratch};
pub use clock::{Clock, SystemClock};
pub use ledger::{
    Counts, Event, Intent, KnownReceipt, Ledger, LedgerError, NextNumber, NumbersFile, PlacedReceipt, Placing,
    ReceiptFile, RecordedVerdict, ReferenceUse, SequenceStand, SequenceUse, Taking,
};
pub use receiver::{Consignment, Content, ContentPart, Delivered, DeliveryError, Next, PartMeta, Receiver};
