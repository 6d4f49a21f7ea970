//! What the house needs from the outside world, as traits; `adapters/` implements them, one conformance suite per trait.

mod aftermath;
mod area;
mod arrivals;
mod bans;
mod blobs;
mod clock;
mod file_store;
mod held;
mod held_forms;
mod instances;
mod ledger;
mod message;
mod parcel;
mod partners;
mod progress;
mod receiver;
mod small_blobs;
mod sources;
mod timetable;
mod transfers;

pub use aftermath::{Follow, Followed, FollowedItem, Looked, Stand, Told, Uploads};
pub use area::{Area, AreaError, Begun, Close, Look, NewUpload, Quota, Replaced, SmallUpload, Usage};
pub use arrivals::{Arrival, Arrivals, Arriving};
pub use bans::{Ban, Bans};
pub use blobs::{Blob, Blobs, Scratch};
pub use clock::{Clock, SystemClock};
pub use file_store::{FileSeen, FileStore, StoreError};
pub use held::{Activation, Firing, Held, HeldItem, NewHeld, NewSubscription, Rounds, Sort, Subscription, Turn};
pub use held_forms::{HeldForms, NotServed, ServedForm, ServedSet};
pub use instances::{Claimed, Instances, SetPlace};
pub use ledger::{
    Counts, Event, Intent, KnownReceipt, Ledger, LedgerError, NextNumber, NumbersFile, PlacedReceipt, Placing,
    ReceiptFile, RecordedVerdict, ReferenceUse, SequenceStand, SequenceUse, Taking,
};
pub use message::{Message, MessageAttachment, Notification, Reply};
pub use parcel::{Parcel, Payload};
pub use partners::Partners;
pub use progress::{Progress, UnderWay};
pub use receiver::{
    BatchConsignment, Changed, Concern, Consignment, Content, ContentPart, Delivered, DeliveryError, NamedContent,
    Next, PartMeta, Receiver,
};
pub use small_blobs::SmallBlobs;
pub use sources::{
    DueReceipt, LONGEST_DELAY, LookEnd, ReceiptEnd, Seen, SourceStand, Sources, Take, TakeClaim, TakeStage,
};
pub use timetable::{
    AskedRun, Cause, Channel, ChannelError, Job, JobError, NewRun, Notice, NoticeEnd, Occasion, Run, RunEnd, Timetable,
};
pub use transfers::Transfers;
