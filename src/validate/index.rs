//! Items that have ended, as the index of a batch holds them.
//!
//! Of an entry a row for the ledger can be made, with its key. That takes longer than all else that a short item needs, so
//! whoever keeps rows does it, and who only looks for repeats compares of what keys are made.

use std::fmt;
use std::sync::Arc;

use crate::formats::ItemKeys;
use crate::model::{ByteRange, Code, ItemKey, ItemKind, KeyFields, NewItem, Service};

/// Items, in document order.
pub struct Items(Form);

enum Form {
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
    /// The number of the first; the others follow it.
    first: u64,
    entries: Vec<Held>,
    /// What neighbours mostly have in common.
    shared: Vec<Shared>,
    /// Why entries are refused that are, by their index.
    refused: Vec<(usize, Code)>,
    /// Of what the keys are made, entry after entry.
    fields: KeyFields,
    references: String,
    services: Vec<Service>,
    scopes: Vec<Arc<ItemKeys>>,
}

/// An item, but for its texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Its position among the shipment's items, from 1, behind that of the entry before.
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

/// What an entry has for itself. There are very many of them, and each is written on one core and read on another.
#[derive(Clone, Copy)]
struct Held {
    range: ByteRange,
    line: u64,
    column: u64,
    forms: u32,
    /// Where its texts end, which begin where those of the entry before end.
    fields_end: u32,
    reference_end: u32,
    /// What it has in common with its neighbours.
    shared: u32,
}

/// What entries have in common.
#[derive(Clone, Copy, PartialEq)]
struct Shared {
    part: u32,
    kind: ItemKind,
    group: ByteRange,
    scope: usize,
    service: Option<usize>,
}

impl Items {
    pub(super) fn of_index(index: Index) -> Self {
        Self(Form::Index(index))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Rows(rows) => rows.len(),
            Form::Index(index) => index.len(),
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
            Form::Rows(rows) => rows,
            Form::Index(index) => index.rows().collect(),
        }
    }

    /// What tells them apart.
    pub fn sights(&self) -> impl Iterator<Item = Sight<'_>> {
        (0..self.len()).filter_map(|nth| self.sight(nth))
    }

    /// What tells one of them apart, the first being 0.
    #[inline]
    pub fn sight(&self, nth: usize) -> Option<Sight<'_>> {
        match &self.0 {
            Form::Rows(rows) => rows.get(nth).map(Sight::of_row),
            Form::Index(index) => index.sight(nth),
        }
    }
}

impl From<Vec<NewItem>> for Items {
    fn from(rows: Vec<NewItem>) -> Self {
        Self(Form::Rows(rows))
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
        let fields = KeyFields::with_capacity(entries * FIELDS_BYTES);
        Self { entries: Vec::with_capacity(entries), fields, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where it is written of what the key of the next entry is made.
    pub(super) fn fields(&mut self) -> &mut KeyFields {
        &mut self.fields
    }

    /// Adds an entry whose fields have been written, with its reference, service and scope.
    #[inline]
    pub(super) fn push(&mut self, entry: Entry, reference: &str, service: Option<(&str, &str)>, scope: &Arc<ItemKeys>) {
        let Entry { number, part, kind, range, group, line, column, forms, refused } = entry;
        if self.entries.is_empty() {
            self.first = number;
        }
        self.references.push_str(reference);
        if self.scopes.last().is_none_or(|last| !Arc::ptr_eq(last, scope)) {
            self.scopes.push(Arc::clone(scope));
        }
        let service = service.map(|service| self.service(service));
        let shared = Shared { part, kind, group, scope: self.scopes.len() - 1, service };
        if self.shared.last() != Some(&shared) {
            self.shared.push(shared);
        }
        if let Some(code) = refused {
            self.refused.push((self.entries.len(), code));
        }
        self.entries.push(Held {
            range,
            line,
            column,
            forms,
            // An item's fields are limited, and so are the items of an index.
            fields_end: self.fields.bytes().len() as u32,
            reference_end: self.references.len() as u32,
            shared: (self.shared.len() - 1) as u32,
        });
    }

    fn service(&mut self, (code, edition): (&str, &str)) -> usize {
        if self.services.last().is_none_or(|last| last.code != code || last.edition != edition) {
            self.services.push(Service { code: code.to_owned(), edition: edition.to_owned() });
        }
        self.services.len() - 1
    }

    #[inline]
    fn sight(&self, nth: usize) -> Option<Sight<'_>> {
        let Held { line, column, range, shared, .. } = *self.entries.get(nth)?;
        let scope = self.shared.get(shared as usize).and_then(|shared| self.scopes.get(shared.scope));
        Some(Sight {
            number: self.first + nth as u64,
            line,
            column,
            offset: range.start,
            refused: self.refused_for(nth),
            scope: scope.map_or(ItemKey::NONE, |scope| scope.scope()),
            identity: self.identity(nth),
        })
    }

    fn rows(&self) -> impl Iterator<Item = NewItem> {
        (0..self.len()).filter_map(|nth| self.row(nth))
    }

    fn row(&self, nth: usize) -> Option<NewItem> {
        let Held { range, line, column, forms, reference_end, shared, .. } = *self.entries.get(nth)?;
        let Shared { part, kind, group, scope, service } = *self.shared.get(shared as usize)?;
        let reference = self.begins(nth, |before| before.reference_end)..reference_end as usize;
        Some(NewItem {
            number: self.first + nth as u64,
            part,
            kind,
            key: self.scopes.get(scope).map_or(ItemKey::NONE, |scope| scope.key(self.identity(nth))),
            range,
            group,
            line,
            column,
            senders_reference: self.references.get(reference).unwrap_or_default().to_owned(),
            service: service.and_then(|service| self.services.get(service)).cloned(),
            forms,
            refused: self.refused_for(nth),
        })
    }

    /// Of what the key of an entry is made.
    #[inline]
    fn identity(&self, nth: usize) -> &[u8] {
        let end = self.entries.get(nth).map_or(0, |held| held.fields_end as usize);
        self.fields.bytes().get(self.begins(nth, |before| before.fields_end)..end).unwrap_or_default()
    }

    /// Where a text of an entry begins: where that of the one before ends.
    #[inline]
    fn begins(&self, nth: usize, end: impl Fn(&Held) -> u32) -> usize {
        nth.checked_sub(1).and_then(|before| self.entries.get(before)).map_or(0, |before| end(before) as usize)
    }

    #[inline]
    fn refused_for(&self, nth: usize) -> Option<Code> {
        let at = self.refused.binary_search_by_key(&nth, |(refused, _)| *refused).ok()?;
        self.refused.get(at).map(|(_, code)| *code)
    }
}

/// What an entry's fields take, mostly.
const FIELDS_BYTES: usize = 64;
