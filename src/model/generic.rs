//! Formats that the configuration describes: any schema, and what some of its elements mean.

use std::path::PathBuf;

/// A described format. Paths are local names from the root (`/Batch/Lines/Line`); an attribute is the last step of one
/// (`/Batch/@count`). Those of the item are relative to it (`Reference`, `@ref`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GenericFormat {
    /// Its name in the configuration; part of its items' keys.
    pub name: String,
    /// The schema's documents.
    pub schemas: Vec<PathBuf>,
    /// The item.
    pub item: String,
    /// In the item: the sender's reference, unique among its items.
    pub reference: Option<String>,
    /// In the item: the national id of the person or organisation it concerns.
    pub reportee: Option<String>,
    /// In the item: its service code.
    pub service_code: Option<String>,
    /// In the item: its service edition code.
    pub service_edition: Option<String>,
    /// In the header: the sender's name.
    pub sender: Option<String>,
    /// In the header: the shipment's reference.
    pub shipment_reference: Option<String>,
    /// In the header: the sequence number.
    pub sequence_no: Option<String>,
    /// In the header: the sequence number of the batch before.
    pub previous_no: Option<String>,
    /// In the header: how many items there are.
    pub count: Option<String>,
    /// A batch without items is right.
    pub may_be_empty: bool,
}
