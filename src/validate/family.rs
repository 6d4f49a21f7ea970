//! Forms of one item that refer to each other.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::around::Seen;
use crate::xsd::Position;

/// References of forms and of their parents. Texts are kept as hashes: they can be long, and are only compared.
#[derive(Default)]
pub(super) struct Family {
    forms: Vec<u64>,
    parents: Vec<(u64, usize, Position)>,
}

impl Family {
    /// Forgets all references and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.forms.clear();
        self.parents.clear();
    }

    /// A form has the reference.
    pub(super) fn add(&mut self, reference: &str) {
        if self.forms.len() < MOST {
            self.forms.push(hash(reference));
        }
    }

    /// A form refers to its parent. `0` and nothing are how main forms say that they have none.
    pub(super) fn refer(&mut self, seen: &mut Seen<'_, '_, '_>) {
        let reference = seen.text.trim();
        if self.parents.len() < MOST && !matches!(reference, "" | "0") {
            self.parents.push((hash(reference), seen.watch, seen.at.position()));
        }
    }

    /// Tells whether no form refers to a parent.
    #[inline]
    pub(super) fn has_no_parents(&self) -> bool {
        self.parents.is_empty()
    }

    /// The first reference that leads to no form. Forgets them all.
    pub(super) fn take_orphan(&mut self) -> Option<(usize, Position)> {
        let parents = std::mem::take(&mut self.parents);
        self.forms.sort_unstable();
        let orphan = parents.into_iter().find(|(parent, ..)| self.forms.binary_search(parent).is_err());
        orphan.map(|(_, watch, at)| (watch, at))
    }
}

fn hash(reference: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    reference.trim().hash(&mut hasher);
    hasher.finish()
}

/// Forms looked at; an item with more is refused for that.
const MOST: usize = 10_000;
