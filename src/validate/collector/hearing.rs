//! What the validator tells, by what it means in the format.

use std::ops::Range;

use super::header;
use super::{Collector, PARTS};
use crate::codes;
use crate::formats::{self, Role};
use crate::model::{Finding, Place, Strictness};
use crate::ports::ReferenceUse;
use crate::validate::around::Seen;
use crate::validate::item::reference_fault;
use crate::validate::kinds::{self, Weight};
use crate::validate::{place, route};
use crate::xsd::{self, Observer, Position, Spot};

impl Observer for Collector<'_> {
    fn open(&mut self, watch: usize, mut at: Spot<'_, '_>) {
        match self.role(watch) {
            Some(Role::Root) => self.open_root(at.offset()),
            Some(Role::Part(kind)) => {
                self.end_root_head(at.offset());
                self.open_part(kind, at.offset());
            }
            Some(Role::Tail) => self.open_tail(at.offset()),
            Some(Role::TailAttachment) => self.open_attachment(at.position()),
            Some(Role::Group) => self.open_group(watch, at.position()),
            Some(Role::Item(kind)) => self.open_item(kind, watch, at.position()),
            Some(Role::FormData) => self.open_form(at),
            Some(role @ (Role::Attachment | Role::Form | Role::FormDataKey)) => {
                let rules = self.rules();
                if let Some(item) = self.item.open() {
                    item.see(role, &mut Seen { watch, text: "", complete: true, raw_bytes: 0, at }, rules);
                }
            }
            _ => {}
        }
    }

    fn hears(&mut self, _: usize) -> bool {
        self.form.is_some()
    }

    fn text(&mut self, _: usize, piece: &[u8]) {
        if let Some(form) = &mut self.form {
            form.push(piece);
        }
    }

    fn value(&mut self, watch: usize, text: &str, complete: bool, content: Range<u64>, at: Spot<'_, '_>) {
        let mut seen = Seen { watch, text, complete, raw_bytes: content.end - content.start, at };
        match self.role(watch) {
            around @ Some(
                Role::SenderName
                | Role::SequenceNo
                | Role::PreviousNo
                | Role::Count(_)
                | Role::TailReference
                | Role::ShipmentReference
                | Role::FixedReference
                | Role::Reportee,
            ) => self.value_around(around, seen, content),
            Some(role) => {
                let rules = self.rules();
                if let Some(item) = self.item.open() {
                    item.see(role, &mut seen, rules);
                }
            }
            None => {}
        }
    }

    fn close(&mut self, watch: usize, end: u64, _sound: bool) {
        match self.role(watch) {
            Some(Role::Group) => self.group = None,
            Some(Role::TailAttachment) => self.close_attachment(end),
            Some(Role::FormData) => self.close_form(watch),
            Some(Role::Item(_)) => self.close_item(end),
            _ => {}
        }
    }

    fn finding(&mut self, finding: xsd::Finding) {
        let (code, weight) = kinds::row(finding.kind);
        let Position { line, column, offset } = finding.at;
        let place = Some(Place { line, column, offset, path: finding.path });
        let found = Finding { code, place, item: None, rule: finding.rule.to_owned(), text: finding.text };
        match self.item.open() {
            Some(item) if weight == Weight::Rule => item.refuse(found),
            _ => self.refuse(found, weight),
        }
    }
}

impl Collector<'_> {
    /// Takes note of a text outside of items. Apart from the others, of which there are many more.
    #[inline(never)]
    fn value_around(&mut self, role: Option<Role>, seen: Seen<'_, '_, '_>, content: Range<u64>) {
        match role {
            Some(Role::SenderName) => self.see_sender_name(seen),
            Some(Role::SequenceNo) => {
                if let Some(part) = self.part() {
                    part.sequence_no = Some(seen.text.trim().to_owned());
                }
            }
            Some(Role::PreviousNo) => {
                if let Some(part) = self.part() {
                    part.previous_no = Some(seen.text.trim().to_owned());
                }
            }
            Some(Role::Count(of)) => {
                if let Some(envelope) = &mut self.envelope {
                    envelope.counts.push(header::count(of, seen.text, content));
                    envelope.counts.truncate(PARTS);
                }
            }
            Some(Role::TailReference) => {
                if let Some(attachment) = &mut self.attachment {
                    seen.text.trim().clone_into(&mut attachment.reference);
                }
            }
            Some(Role::ShipmentReference) => self.see_shipment_reference(seen, content.end),
            // Zero: no place to write a suffix at.
            Some(Role::FixedReference) => self.see_shipment_reference(seen, 0),
            Some(Role::Reportee) => self.see_reportee(seen),
            _ => {}
        }
    }

    fn see_sender_name(&mut self, mut seen: Seen<'_, '_, '_>) {
        let name = seen.text.trim();
        self.keys = None;
        if let Some(envelope) = &mut self.envelope {
            name.clone_into(&mut envelope.sender_name);
        }
        self.refuse_at(
            reference_fault(&seen, self.format.marks).filter(|(code, _)| *code == codes::REFERENCE_TOO_LONG),
            &mut seen,
        );
        match route::choose(self.judging.routes, self.format, name) {
            Some(route) => self.route = Some(route),
            None if self.route.is_some() => {
                let text = format!("{} is not the route's", place::name(self.format.marks, seen.watch));
                self.refuse_at(Some((codes::WRONG_SENDER, text)), &mut seen);
            }
            None => {}
        }
    }

    fn see_shipment_reference(&mut self, mut seen: Seen<'_, '_, '_>, end: u64) {
        let sender_name = self.envelope.as_ref().map(|envelope| envelope.sender_name.clone()).unwrap_or_default();
        let fault = reference_fault(&seen, self.format.marks);
        self.keys = None;
        let Some(part) = self.part() else { return };
        part.reference_end = end;
        let used = ReferenceUse { part: part.kind, sender_name, reference: seen.text.to_owned() };
        if fault.is_none() {
            part.reference.clone_from(&used.reference);
            self.references.push(used);
            self.references.truncate(PARTS);
        }
        self.refuse_at(fault, &mut seen);
    }

    fn see_reportee(&mut self, mut seen: Seen<'_, '_, '_>) {
        let fault = formats::reportee_kind(seen.text).err().and_then(|code| {
            let strictness = match code {
                codes::BAD_REPORTEE_FORM => Strictness::Refuse,
                _ => self.route.map_or(Strictness::Refuse, |route| route.rules.check_digits),
            };
            let place = Some(self.place(seen.watch, seen.at.position()));
            let text = codes::row(code).map(|row| row.title.to_owned()).unwrap_or_default();
            let finding = Finding { code, place, item: None, rule: String::new(), text };
            (strictness != Strictness::Off).then_some((finding, strictness == Strictness::Warn))
        });
        let Some(group) = &mut self.group else { return };
        seen.text.trim().clone_into(&mut group.reportee);
        group.text_bytes = seen.raw_bytes;
        group.fault = fault;
    }

    fn close_attachment(&mut self, end: u64) {
        if let Some(mut attachment) = self.attachment.take() {
            attachment.range.end = end;
            self.found.attachments.push(attachment);
        }
    }
}
