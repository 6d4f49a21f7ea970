//! What headers and the end of a batch say of it: control counts, and attachments that stand behind all items.

use std::ops::Range;

use super::Collector;
use crate::codes;
use crate::model::{ByteRange, Count, Counted, NewAttachment};
use crate::xsd::Position;

/// A control count as the sender wrote it.
pub(super) fn count(of: Counted, text: &str, content: Range<u64>) -> Count {
    let declared = text.trim().trim_start_matches('+').parse().ok();
    Count { of, text: ByteRange { start: content.start, end: content.end }, declared }
}

impl Collector<'_> {
    /// Holds the control counts against what was counted. A batch that cannot be read to its end is not counted.
    pub(super) fn compare_counts(&mut self) {
        if self.refusal.is_some() {
            return;
        }
        let counts = self.envelope.as_ref().map(|envelope| envelope.counts.clone()).unwrap_or_default();
        for Count { of, declared, .. } in counts {
            let found = self.totals.of(of);
            if declared == Some(found) {
                continue;
            }
            let declared = declared.map_or_else(|| "no number".to_owned(), |declared| declared.to_string());
            let text = format!("the header says {declared} {}, there are {found}", word(of));
            self.break_rule(|rules| rules.counts, codes::COUNT_MISMATCH, text);
        }
    }

    /// What holds attachments begins.
    pub(super) fn open_tail(&mut self, start: u64) {
        if let Some(envelope) = &mut self.envelope {
            envelope.tail.get_or_insert(ByteRange { start, end: start });
        }
    }

    /// An attachment begins; the first ends the head of what holds them.
    pub(super) fn open_attachment(&mut self, at: Position) {
        let tail = self.envelope.as_mut().and_then(|envelope| envelope.tail.as_mut());
        if let Some(tail) = tail.filter(|tail| tail.is_empty()) {
            tail.end = at.offset;
            let head = *tail;
            self.check_head(Some(head), "what stands before the attachments");
        }
        let range = ByteRange { start: at.offset, end: at.offset };
        self.attachment = Some(NewAttachment { reference: String::new(), range, line: at.line, column: at.column });
    }
}

fn word(of: Counted) -> &'static str {
    match of {
        Counted::Items => "items",
        Counted::FormTasks => "items with forms",
        Counted::Forms => "forms",
    }
}
