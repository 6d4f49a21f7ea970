//! Pure values that every room shares: identities, shipments, items, findings, routes.
//!
//! No I/O and no clock here. A reportee's identity lives only in [`Reportee`], whose `Debug` shows nothing.

mod amendments;
mod archive;
mod area;
mod batch;
mod expected;
mod finding;
mod form_path;
mod generic;
mod header;
mod hours;
mod id;
mod item;
mod logged;
mod period;
mod prefill;
mod receipt;
mod receipt_name;
mod rights;
mod route;
mod rules;
mod shipment;
mod sighting;
mod soap;
pub mod spelling;
mod transfer;

pub use amendments::{AddedPartner, AmendedLogin, Amendments, AuditRow, LoginKey, OwnedKey};
pub use archive::{ArchiveContents, ArchiveMember};
pub use area::{AreaPath, BadPath, Fetch, Node, NodeState, is_temporary_name};
pub use batch::{Batch, BatchLimits, HeldUp};
pub use expected::{Alarm, AlarmChange, Arrival, FileState, Judged, PastFile, Settled, Watch};
pub use finding::{Code, Finding, FindingGroup, Note, Place, Spot, push_without_positions};
pub use form_path::{BadFormPath, FormPath};
pub use generic::GenericFormat;
pub use header::{BadHeader, HeaderTemplate, visible};
pub use hours::{BadHours, WeekHours};
pub use id::{
    BadId, BlobId, ItemKey, KeyFields, KeyStem, PartnerId, RouteName, ScratchId, ShipmentId, WorkerId, is_user_name,
};
pub use item::{
    ByteRange, Fate, Item, ItemKind, ItemState, NewAttachment, NewItem, Outcome, OutcomeCount, Reportee, ReporteeKind,
    Service,
};
pub use period::{Period, day_after};
pub use prefill::{Deadlines, Field, HeldKey, Identity, Prefilled, Terms, day_in_norway, start_of_day};
pub use receipt::{Language, LateEvent, News, ReceiptForm, ReceiptFormat, ReceiptKind, ReceiptRules, ReceiptStatus};
pub use receipt_name::{BadTemplate, ReceiptNames};
pub use rights::{Access, Denied, Right, Rights, Sending};
pub use route::{
    AppTarget, DataTypeRow, FieldRow, FinishRules, FormSchemaRow, FormatName, LaterSets, MessageTarget, Move,
    NotificationTemplate, PartialAcceptance, PrefillMode, PrefillRules, ReplyLink, RetryPolicy, Route, ServiceRow,
    ServiceTable,
};
pub use rules::{FormatRules, SequencePolicy, SequenceRules, SequenceScope, Strictness};
pub use shipment::{
    Count, Counted, Envelope, Orders, Part, PartKind, REST_SUFFIX, Share, Shipment, Stage, Standing, Tally, Totals,
    Verdict, VerdictKind,
};
pub use sighting::{Sighting, Stamp, TakeOrder, Tried, Wait};
pub use soap::{CredentialPlace, SoapVersion};
pub use transfer::{TransferContent, TransferTarget};
