//! Some items of a batch, few enough that their places are held, as a batch for a receiver.

use std::io;
use std::sync::Arc;

use super::{Piece, Slot, Smaller};
use crate::model::{ByteRange, Envelope, NewItem, Totals};
use crate::ports::Blob;

/// Which items, in order, and which of the attachments that stand behind all items. Nothing but their places is held.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    slots: Vec<Slot>,
    totals: Totals,
    /// Attachments of theirs, in order.
    pub attachments: Vec<ByteRange>,
    /// Of each of those the content that is left out; empty where they go whole.
    pub hollow: Vec<ByteRange>,
}

/// The cuts of such a batch, item by item.
pub struct Cuts {
    chosen: Arc<Chosen>,
    smaller: Smaller,
    /// How many items and attachments have been cut.
    done: usize,
}

impl Chosen {
    /// Adds the next item.
    pub fn add(&mut self, item: &NewItem) {
        self.slots.push(Slot::of(item));
        self.totals.add(item);
    }

    /// How many items there are.
    pub fn items(&self) -> u64 {
        self.totals.items
    }

    /// Index of the part that the first item belongs to.
    pub fn first_part(&self) -> Option<u32> {
        self.slots.first().map(|slot| slot.part)
    }

    /// Cuts them out, with a suffix behind the shipment references. The bytes of the pieces are to be read as UTF-8.
    pub fn cut(self: &Arc<Self>, blob: &Arc<dyn Blob>, envelope: &Arc<Envelope>, suffix: &str) -> Cuts {
        let smaller = Smaller::for_receiver(Arc::clone(blob), Arc::clone(envelope), suffix, self.totals);
        Cuts { chosen: Arc::clone(self), smaller, done: 0 }
    }
}

impl Iterator for Cuts {
    type Item = io::Result<Vec<Piece>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (at, slots) = (self.done, self.chosen.slots.len());
        self.done += 1;
        if let Some(slot) = self.chosen.slots.get(at) {
            return Some(self.smaller.item(*slot));
        }
        let hollow = self.chosen.hollow.get(at - slots).copied();
        match self.chosen.attachments.get(at - slots) {
            Some(range) => Some(self.smaller.attachment(*range, hollow)),
            None => Some(self.smaller.finish()).filter(|pieces| !pieces.is_empty()).map(Ok),
        }
    }
}
