//! What stands before items: the heads of the root, of parts and of groups, each sent again with every item below it.

use super::{Collector, PARTS};
use crate::codes;
use crate::formats::Role;
use crate::model::{ByteRange, Envelope, Finding, Part, PartKind};
use crate::validate::around::Group;
use crate::validate::place::Enclosing;
use crate::xsd::Position;

impl Collector<'_> {
    pub(super) fn open_root(&mut self, start: u64) {
        let root = ByteRange { start, end: start };
        self.envelope = Some(Envelope { root, ..Envelope::default() });
        // In a format without parts the root is the only one, and its head is the part's.
        if !self.format.marks.iter().any(|mark| matches!(mark.role, Role::Part(_))) {
            self.open_part(PartKind::Batch, start);
        }
        if self.route.is_none() && !self.judging.routes.is_empty() {
            self.refuse_whole(codes::NO_ROUTE, "no route of this directory takes the format");
        }
    }

    pub(super) fn open_part(&mut self, kind: PartKind, start: u64) {
        self.groups = 0;
        self.keys = None;
        let head = ByteRange { start, end: start };
        let (reference, reference_end) = (String::new(), 0);
        let part = Part { kind, head, reference, reference_end, sequence_no: None, previous_no: None };
        // The schema allows one of each kind; in a file that has more the items are only listed, never cut out.
        if let Some(envelope) = self.envelope.as_mut().filter(|envelope| envelope.parts.len() < PARTS) {
            envelope.parts.push(part);
        }
    }

    pub(super) fn open_group(&mut self, watch: usize, at: Position) {
        self.end_part_head(at.offset);
        self.groups += 1;
        self.in_group = [0; 2];
        self.group = Some(Group {
            own: Enclosing { watch, nth: self.groups },
            at,
            head: ByteRange { start: at.offset, end: at.offset },
            reportee: String::new(),
            text_bytes: 0,
            fault: None,
        });
    }

    /// Ends the root's head at the first part, group or item.
    #[inline]
    pub(super) fn end_root_head(&mut self, end: u64) {
        let Some(envelope) = self.envelope.as_mut().filter(|envelope| envelope.root.is_empty()) else { return };
        envelope.root.end = end;
        self.check_head(Some(ByteRange { start: 0, end }), "what stands before the items");
    }

    /// Ends a part's head at its first group or item.
    #[inline]
    pub(super) fn end_part_head(&mut self, end: u64) {
        self.end_root_head(end);
        let of_its_own = |part: &&mut Part| part.kind != PartKind::Batch && part.head.is_empty();
        let Some(part) = self.part().filter(of_its_own) else { return };
        part.head.end = end;
        let head = part.head;
        self.check_head(Some(head), "the head of a part");
    }

    /// Ends a group's head at its first item.
    #[inline]
    pub(super) fn end_group_head(&mut self, end: u64) {
        let Some(group) = self.group.as_mut().filter(|group| group.head.is_empty()) else { return };
        group.head.end = end;
        if !is_too_large(group.head) {
            return;
        }
        let (own, at) = (group.own, group.at);
        let text = format!("what stands before the items takes more than {HEAD_BYTES} bytes");
        let place = Some(self.place(own.watch, at));
        let fault = Finding { code: codes::ITEM_TOO_LARGE, place, item: None, rule: String::new(), text };
        if let Some(group) = &mut self.group {
            group.fault.get_or_insert((fault, false));
        }
    }

    /// Every item is sent with the heads it stands under, so a megabyte before the root would be one for each item.
    pub(super) fn check_head(&mut self, head: Option<ByteRange>, what: &str) {
        if head.is_some_and(is_too_large) && self.refusal.is_none_or(|(_, code)| code != codes::HEAD_TOO_LARGE) {
            self.refuse_whole(codes::HEAD_TOO_LARGE, format!("{what} takes more than {HEAD_BYTES} bytes"));
        }
    }
}

fn is_too_large(head: ByteRange) -> bool {
    head.end.saturating_sub(head.start) > HEAD_BYTES
}

/// What one head may take; it is sent again with every item below it.
const HEAD_BYTES: u64 = 64 * 1024;
