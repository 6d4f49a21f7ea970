//! An archive to one recipient, for receivers that bring it further as a file of their own.

use super::Content;
use crate::model::Reportee;

/// What an archive says and holds beyond its recipient. Without `Debug`: nothing of it may be logged.
#[derive(Clone)]
pub struct Parcel {
    /// Who sends it.
    pub sender: Reportee,
    /// The name its sender gave the archive.
    pub file_name: String,
    /// Its size, as its recipient gets it.
    pub size_bytes: u64,
    /// What the parties agreed on beside the files, by key, in order.
    pub properties: Vec<(String, String)>,
    /// The only file in it beside manifest and list, where there is one that can be unpacked.
    pub payload: Option<Payload>,
}

/// A file out of an archive.
#[derive(Clone)]
pub struct Payload {
    /// Its name, without folders.
    pub file_name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its bytes, unpacked.
    pub content: Content,
}
