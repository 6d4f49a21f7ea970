//! Where items begin and end, and where their keys hold.

use std::sync::Arc;

use super::Collector;
use crate::codes;
use crate::formats::{Format, ItemKeys, Scope};
use crate::model::{ByteRange, Envelope, ItemKind, Part};
use crate::validate::Judging;
use crate::validate::around::{Around, Rules};
use crate::validate::item::has_own_reference;
use crate::validate::place::Enclosing;
use crate::xsd::Position;

impl Collector<'_> {
    #[inline]
    pub(super) fn open_item(&mut self, kind: ItemKind, watch: usize, at: Position) {
        self.end_part_head(at.offset);
        self.end_group_head(at.offset);
        let mut nth = 0;
        if let Some(count) = self.in_group.get_mut(usize::from(kind == ItemKind::Field)) {
            *count += 1;
            nth = *count;
        }
        self.item.begin(kind, at, Enclosing { watch, nth });
    }

    pub(super) fn close_item(&mut self, end: u64) {
        let (Some(item), Some(envelope)) = (self.item.open(), &self.envelope) else { return };
        let Some((part, last)) = envelope.parts.len().checked_sub(1).zip(envelope.parts.last()) else { return };
        self.items_total += 1;
        if self.keys.as_ref().is_none_or(|(kind, _)| *kind != item.kind) {
            let scope = scope(self.judging, self.format, envelope, last, item.kind);
            self.keys = Some((item.kind, Arc::new(ItemKeys::new(&scope, item.kind))));
        }
        let Some((_, keys)) = &self.keys else { return };
        let around = Around {
            number: self.items_total,
            range: ByteRange { start: item.at.offset, end },
            part: u32::try_from(part).unwrap_or(u32::MAX),
            group: self.group.as_ref(),
        };
        let rules = Rules { marks: self.format.marks, route: self.route };
        let closed = item.close(&around, rules, self.found.index(), keys);
        self.totals.count(closed.forms);
        self.items_refused += u64::from(closed.refused.is_some_and(|code| code != codes::IGNORED_SERVICE));
        closed.findings.into_iter().for_each(|finding| self.record(finding, false));
    }
}

fn scope<'a>(
    judging: &Judging<'a>,
    format: &'static Format,
    envelope: &'a Envelope,
    part: &'a Part,
    kind: ItemKind,
) -> Scope<'a> {
    let number = part.sequence_no.as_deref().filter(|number| !matches!(*number, "" | "0"));
    let is_told_apart = has_own_reference(kind) && !format.numbers_items();
    let reference = match number {
        _ if !part.reference.is_empty() || is_told_apart => &part.reference,
        // News of one message come in several batches, which only their number or the shipment tells apart.
        Some(number) => number,
        None => judging.shipment,
    };
    Scope {
        partner: judging.partner,
        format: format.word(),
        part: part.kind,
        sender_name: &envelope.sender_name,
        reference,
    }
}
