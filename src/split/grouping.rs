//! Which items go together to a receiver that takes batches: those that follow each other, as many as may.

use crate::formats::MOST_PARTS;
use crate::model::{Batch, BatchLimits, ByteRange, Envelope, ItemKey, KeyStem, NewItem};

/// Groups items into batches, in order of the file. A grouping is recorded before anything is sent, and never made anew.
pub struct Grouping<'a> {
    limits: BatchLimits,
    envelope: &'a Envelope,
    /// Number of the last batch that was closed.
    last: u64,
    open: Option<Open>,
}

/// How much of an item stands behind all items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attached {
    count: u64,
    bytes: u64,
}

impl Attached {
    /// Counts an attachment.
    pub fn add(&mut self, range: ByteRange) {
        self.count += 1;
        self.bytes += range.len();
    }
}

/// The batch that is being filled.
struct Open {
    first: u64,
    last: u64,
    bytes: u64,
    attachments: u64,
    part: u32,
    group: ByteRange,
    keys: Vec<ItemKey>,
}

impl<'a> Grouping<'a> {
    /// Goes on behind the batch of a number; 0 when there is none.
    pub fn new(limits: BatchLimits, envelope: &'a Envelope, last: u64) -> Self {
        Self { limits, envelope, last, open: None }
    }

    /// Adds the next item; returns the batch that is full without it.
    pub fn add(&mut self, item: &NewItem, attached: Attached) -> Option<Batch> {
        let mut bytes = self.bytes_of(item, attached);
        let full = self.open.as_ref().is_some_and(|open| {
            open.keys.len() as u64 >= self.limits.items
                || open.bytes.saturating_add(bytes) > self.limits.bytes
                // What is held of each of them is little; of all of a batch it has a limit all the same.
                || open.attachments + attached.count > MOST_PARTS
        });
        let closed = if full { self.close() } else { None };
        if full {
            bytes = self.bytes_of(item, attached);
        }
        let open = self.open.get_or_insert_with(|| Open::before(item));
        open.last = item.number;
        open.bytes += bytes;
        open.attachments += attached.count;
        (open.part, open.group) = (item.part, item.group);
        open.keys.push(item.key);
        closed
    }

    /// Ends the batch that is being filled; `None` when there is none.
    pub fn close(&mut self) -> Option<Batch> {
        let open = self.open.take()?;
        self.last += 1;
        let (number, items) = (self.last, open.keys.len() as u64);
        Some(Batch { number, key: key(&open.keys), first: open.first, last: open.last, items })
    }

    /// What an item adds to the open batch, its attachments and the heads before it included.
    fn bytes_of(&self, item: &NewItem, attached: Attached) -> u64 {
        let part = usize::try_from(item.part).ok().and_then(|index| self.envelope.parts.get(index));
        let part_bytes = part.map_or(0, |part| part.head.len());
        let heads = match &self.open {
            None => self.envelope.root.end + part_bytes + item.group.len(),
            Some(open) if open.part != item.part => part_bytes + item.group.len(),
            Some(open) if open.group != item.group => item.group.len(),
            Some(_) => 0,
        };
        heads + item.range.len() + attached.bytes
    }
}

impl Open {
    fn before(item: &NewItem) -> Self {
        let (first, part, group) = (item.number, item.part, item.group);
        Self { first, last: first, bytes: 0, attachments: 0, part, group, keys: Vec::new() }
    }
}

/// Of the same items always the same, whatever shipment they come in again.
fn key(items: &[ItemKey]) -> ItemKey {
    let keys: Vec<String> = items.iter().map(ItemKey::to_string).collect();
    KeyStem::new(&["batch"]).key(keys.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ItemKind;

    fn item(number: u64, bytes: u64, group: u64) -> NewItem {
        NewItem {
            number,
            part: 0,
            kind: ItemKind::FormTask,
            key: ItemKey::derive(&[&number.to_string()]),
            range: ByteRange { start: 0, end: bytes },
            group: ByteRange { start: group, end: group + 10 },
            line: 1,
            column: 1,
            senders_reference: String::new(),
            service: None,
            forms: 0,
            refused: None,
        }
    }

    fn grouped(limits: BatchLimits, items: &[(NewItem, Attached)]) -> Vec<Batch> {
        let envelope = Envelope { root: ByteRange { start: 20, end: 100 }, ..Envelope::default() };
        let mut grouping = Grouping::new(limits, &envelope, 4);
        let mut batches: Vec<Batch> =
            items.iter().filter_map(|(item, attached)| grouping.add(item, *attached)).collect();
        batches.extend(grouping.close());
        assert_eq!(grouping.close(), None);
        batches
    }

    fn spans(batches: &[Batch]) -> Vec<(u64, u64, u64, u64)> {
        batches.iter().map(|batch| (batch.number, batch.first, batch.last, batch.items)).collect()
    }

    const ROOMY: BatchLimits = BatchLimits { items: 1_000_000, bytes: 1 << 40 };

    #[test]
    fn a_batch_has_so_many_items_and_the_last_what_is_left() {
        let items: Vec<_> = [1, 2, 5, 6, 9].map(|number| (item(number, 50, 0), Attached::default())).into();
        let batches = grouped(BatchLimits { items: 2, ..ROOMY }, &items);
        assert_eq!(spans(&batches), [(5, 1, 2, 2), (6, 5, 6, 2), (7, 9, 9, 1)]);
        assert_eq!(spans(&grouped(ROOMY, &items)), [(5, 1, 9, 5)]);
        assert!(grouped(ROOMY, &[]).is_empty());
    }

    #[test]
    fn bytes_are_of_items_with_their_heads_and_a_large_item_goes_alone() {
        let limits = BatchLimits { bytes: 310, ..ROOMY };
        // 100 bytes before the items, 10 for each group's head.
        let sizes = [(1, 100, 0), (2, 100, 0), (3, 90, 7), (4, 90, 8), (5, 5_000, 8), (6, 1, 8)];
        let items = sizes.map(|(number, bytes, group)| (item(number, bytes, group), Attached::default()));
        let expected = [(5, 1, 2, 2), (6, 3, 4, 2), (7, 5, 5, 1), (8, 6, 6, 1)];
        assert_eq!(spans(&grouped(limits, &items)), expected);
        let attached = |count, bytes| Attached { count, bytes };
        let items = [(item(1, 10, 0), attached(1, 100)), (item(2, 10, 0), attached(1, 100))];
        assert_eq!(spans(&grouped(limits, &items)), [(5, 1, 1, 1), (6, 2, 2, 1)]);
        let items = [(item(1, 10, 0), attached(MOST_PARTS - 1, 1)), (item(2, 10, 0), attached(2, 1))];
        assert_eq!(spans(&grouped(ROOMY, &items)), [(5, 1, 1, 1), (6, 2, 2, 1)]);
    }

    #[test]
    fn a_key_is_that_of_the_items_in_their_order() {
        let of = |numbers: &[u64]| {
            let items: Vec<_> = numbers.iter().map(|number| (item(*number, 1, 0), Attached::default())).collect();
            grouped(ROOMY, &items).remove(0).key
        };
        assert_eq!(of(&[1, 2]), of(&[1, 2]));
        assert!([&[1][..], &[2, 1], &[1, 2, 3], &[2]].into_iter().all(|other| of(other) != of(&[1, 2])));
    }
}
