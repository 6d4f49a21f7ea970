//! Pure values that every room shares: identities, shipments, items, findings, routes.
//!
//! No I/O and no clock here. A reportee's identity lives only in [`Reportee`], whose `Debug` shows nothing.

mod area;
mod finding;
mod id;
mod item;
mod receipt;
mod rights;
mod route;
mod shipment;

pub use area::{AreaPath, BadPath, Node, NodeState, is_temporary_name};
pub use finding::{Code, Finding, Place};
pub use id::{BadId, BlobId, ItemKey, KeyStem, PartnerId, RouteName, ScratchId, ShipmentId, WorkerId};
pub use item::{ByteRange, Item, ItemKind, ItemState, NewItem, Outcome, Reportee, ReporteeKind, Service};
pub use receipt::{ReceiptKind, ReceiptStatus};
pub use rights::{Access, Denied, Right, Rights, Sending};
pub use route::{AppTarget, DataTypeRow, FormatName, PartialAcceptance, RetryPolicy, Route, ServiceRow, ServiceTable};
pub use shipment::{Envelope, Part, PartKind, Shipment, Stage, Tally, Verdict, VerdictKind};
