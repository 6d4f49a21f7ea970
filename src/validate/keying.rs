//! Items that have ended and have no key yet: making keys takes long, so whoever keeps the items does it.

use std::sync::Arc;

use crate::formats::ItemKeys;
use crate::model::{KeyFields, NewItem};

/// The items, and of what their keys are made. Without `Debug`, since it may hold reportees' ids.
#[derive(Default)]
pub(super) struct Unkeyed {
    items: Vec<NewItem>,
    /// Of each item.
    fields: KeyFields,
    /// From which item on they are used.
    keys: Vec<(usize, Arc<ItemKeys>)>,
}

impl Unkeyed {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Where the fields of the next item go.
    pub(super) fn fields(&mut self) -> &mut KeyFields {
        &mut self.fields
    }

    /// Adds an item whose fields have been written.
    pub(super) fn push(&mut self, item: NewItem, keys: &Arc<ItemKeys>) {
        if self.keys.last().is_none_or(|(_, last)| !Arc::ptr_eq(last, keys)) {
            self.keys.push((self.items.len(), Arc::clone(keys)));
        }
        self.fields.end();
        self.items.push(item);
    }

    /// The items with their keys.
    pub(super) fn into_items(self) -> Vec<NewItem> {
        let Self { mut items, fields, keys } = self;
        let ends = keys.iter().skip(1).map(|(from, _)| *from).chain([items.len()]);
        let of_each = keys.iter().zip(ends).flat_map(|((from, keys), end)| (*from..end).map(move |_| keys));
        for ((item, fields), keys) in items.iter_mut().zip(fields.iter()).zip(of_each) {
            item.key = keys.key(fields);
        }
        items
    }
}
