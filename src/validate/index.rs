//! Items that have ended, as the index of a batch holds them.
//!
//! Of an entry a row for the ledger can be made, with its key. That takes longer than all else that a short item needs, so
//! whoever keeps rows does it, and who only looks for repeats compares of what keys are made.

use std::fmt;
use std::sync::Arc;

use crate::formats::ItemKeys;
use crate::model::{ByteRange, Code, ItemKey, ItemKind, KeyFields, NewItem, Service};

/// Items, in document order.
pub struct Items(Held);

enum Held {
    Rows(Vec<NewItem>),
    Index(Index),
}

/// What tells an item from the rest, and where it stands. Without `Debug`, since it may hold a reportee's id.
pub struct Sight<'a> {
    /// Its position among the shipment's items, from 1.
    pub number: u64,
    /// Line of its start tag, from 1.
    pub line: u64,
    /// Column of its start tag, from 1.
    pub column: u64,
    /// Where it begins.
    pub offset: u64,
    /// Why it is refused, if it is.
    pub refused: Option<Code>,
    /// Where its identity holds.
    pub scope: ItemKey,
    /// Its identity: equal for items of one key in one scope, and for no others.
    pub identity: &'a [u8],
}

/// Entries and their texts. Without `Debug`, since it may hold reportees' ids.
#[derive(Default)]
pub(super) struct Index {
    entries: Vec<(Entry, Texts)>,
    /// Of what the keys are made, entry after entry.
    fields: KeyFields,
    references: String,
    /// Neighbours mostly have the same.
    services: Vec<Service>,
    scopes: Vec<Arc<ItemKeys>>,
}

/// An item, but for its texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Its position among the shipment's items, from 1.
    pub(super) number: u64,
    /// Index of its part.
    pub(super) part: u32,
    /// What it is.
    pub(super) kind: ItemKind,
    /// Its bytes.
    pub(super) range: ByteRange,
    /// Its group's head.
    pub(super) group: ByteRange,
    /// Line of its start tag, from 1.
    pub(super) line: u64,
    /// Column of its start tag, from 1.
    pub(super) column: u64,
    /// How many forms it holds.
    pub(super) forms: u32,
    /// Why it is refused, if it is.
    pub(super) refused: Option<Code>,
}

/// Where the texts of an entry end, which begin where those of the entry before end; and whose scope and service it has.
#[derive(Clone, Copy)]
struct Texts {
    fields_end: usize,
    reference_end: usize,
    scope: usize,
    service: Option<usize>,
}

impl Items {
    pub(super) fn of_index(index: Index) -> Self {
        Self(Held::Index(index))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Held::Rows(rows) => rows.len(),
            Held::Index(index) => index.len(),
        }
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same, with their keys.
    pub fn with_keys(self) -> Self {
        self.into_rows().into()
    }

    /// Rows for a ledger, with their keys.
    pub fn into_rows(self) -> Vec<NewItem> {
        match self.0 {
            Held::Rows(rows) => rows,
            Held::Index(index) => index.rows().collect(),
        }
    }

    /// What tells them apart.
    pub fn sights(&self) -> impl Iterator<Item = Sight<'_>> {
        let (rows, index) = match &self.0 {
            Held::Rows(rows) => (&rows[..], None),
            Held::Index(index) => (&[][..], Some(index)),
        };
        rows.iter().map(Sight::of_row).chain(index.into_iter().flat_map(Index::sights))
    }
}

impl From<Vec<NewItem>> for Items {
    fn from(rows: Vec<NewItem>) -> Self {
        Self(Held::Rows(rows))
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({})", self.len())
    }
}

impl<'a> Sight<'a> {
    fn of_row(row: &'a NewItem) -> Self {
        let NewItem { number, line, column, refused, ref key, .. } = *row;
        let offset = row.range.start;
        Self { number, line, column, offset, refused, scope: ItemKey::NONE, identity: key.0.as_bytes() }
    }
}

impl Index {
    /// With room for so many entries.
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self { entries: Vec::with_capacity(entries), ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where it is written of what the key of the next entry is made.
    pub(super) fn fields(&mut self) -> &mut KeyFields {
        &mut self.fields
    }

    /// Adds an entry whose fields have been written, with its reference, service and scope.
    pub(super) fn push(&mut self, entry: Entry, reference: &str, service: Option<(&str, &str)>, scope: &Arc<ItemKeys>) {
        self.references.push_str(reference);
        if self.scopes.last().is_none_or(|last| !Arc::ptr_eq(last, scope)) {
            self.scopes.push(Arc::clone(scope));
        }
        let service = service.map(|service| self.service(service));
        let (fields_end, reference_end) = (self.fields.bytes().len(), self.references.len());
        self.entries.push((entry, Texts { fields_end, reference_end, scope: self.scopes.len() - 1, service }));
    }

    fn service(&mut self, (code, edition): (&str, &str)) -> usize {
        if self.services.last().is_none_or(|last| last.code != code || last.edition != edition) {
            self.services.push(Service { code: code.to_owned(), edition: edition.to_owned() });
        }
        self.services.len() - 1
    }

    fn sights(&self) -> impl Iterator<Item = Sight<'_>> {
        let mut from = 0;
        self.entries.iter().map(move |(entry, texts)| {
            let Entry { number, line, column, refused, .. } = *entry;
            let identity = self.fields.bytes().get(from..texts.fields_end).unwrap_or_default();
            from = texts.fields_end;
            let scope = self.scopes.get(texts.scope).map_or(ItemKey::NONE, |scope| scope.scope());
            Sight { number, line, column, offset: entry.range.start, refused, scope, identity }
        })
    }

    fn rows(&self) -> impl Iterator<Item = NewItem> {
        let (mut fields_from, mut reference_from) = (0, 0);
        self.entries.iter().map(move |(entry, texts)| {
            let fields = self.fields.bytes().get(fields_from..texts.fields_end).unwrap_or_default();
            let reference = self.references.get(reference_from..texts.reference_end).unwrap_or_default();
            (fields_from, reference_from) = (texts.fields_end, texts.reference_end);
            let Entry { number, part, kind, range, group, line, column, forms, refused } = *entry;
            NewItem {
                number,
                part,
                kind,
                key: self.scopes.get(texts.scope).map_or(ItemKey::NONE, |scope| scope.key(fields)),
                range,
                group,
                line,
                column,
                senders_reference: reference.to_owned(),
                service: texts.service.and_then(|service| self.services.get(service)).cloned(),
                forms,
                refused,
            }
        })
    }
}
