//! The text of the element that somebody watches, up to a limit.

use super::Judging;
use crate::xml::{LineEnds, Locator, Namespace, Spot, Tag};
use crate::xsd::plan::{NOWHERE, NodeId, WatchKind};
use crate::xsd::validator::Observer;

/// A watched value in progress; its memory is used again for the next.
#[derive(Debug)]
pub(super) struct Watched {
    active: bool,
    /// Whoever wants the text as it comes.
    hearer: Option<usize>,
    text: String,
    complete: bool,
    most_bytes: usize,
    ends: LineEnds,
}

impl Watched {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { active: false, hearer: None, text: String::new(), complete: true, most_bytes, ends: LineEnds::default() }
    }

    /// How many bytes of a text are kept.
    pub(super) fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    /// Somebody listens to the value in progress.
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    fn begin(&mut self, hearer: Option<usize>) {
        self.active = true;
        self.hearer = hearer;
        self.text.clear();
        self.complete = true;
        self.ends = LineEnds::default();
    }

    /// Takes text as the document has it.
    #[inline]
    pub(super) fn raw<O: Observer>(&mut self, raw: &[u8], offset: u64, observer: &mut O) {
        if self.active {
            let mut ends = std::mem::take(&mut self.ends);
            ends.settle(raw, offset, |text| self.text(text, observer));
            self.ends = ends;
        }
    }

    /// Takes text that is what it says.
    pub(super) fn text<O: Observer>(&mut self, text: &[u8], observer: &mut O) {
        if !self.active || !self.complete {
            return;
        }
        if let Some(watch) = self.hearer {
            return observer.text(watch, text);
        }
        let text = std::str::from_utf8(text).unwrap_or_default();
        let room = self.most_bytes - self.text.len();
        let end = text.floor_char_boundary(room);
        self.complete = end == text.len();
        self.text.push_str(text.get(..end).unwrap_or_default());
    }
}

impl<O: Observer> Judging<'_, '_, O> {
    /// Tells of a watched element that begins.
    pub(super) fn opened(&mut self, node: NodeId, offset: u64, locator: &mut Locator<'_>) {
        if node == NOWHERE {
            return;
        }
        let watches = self.judge.plan.watches(node);
        if watches.is_empty() {
            return;
        }
        for (watch, kind) in watches {
            match kind {
                WatchKind::Value => {
                    self.judge.watched.begin(None);
                    continue;
                }
                WatchKind::Element | WatchKind::Text => self.observer.open(*watch, Spot::new(None, offset, locator)),
            }
            if *kind == WatchKind::Text && self.observer.hears(*watch) {
                self.judge.watched.begin(Some(*watch));
            }
        }
    }

    /// Tells of the watched attributes of an element that has begun.
    pub(super) fn watched_attributes(&mut self, node: NodeId, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let watches = self.judge.plan.attributes(node);
        if watches.is_empty() {
            return;
        }
        let most = self.judge.watched.most_bytes();
        for attribute in tag.attributes().filter(|attribute| attribute.namespace == Namespace::NONE) {
            let watch = watches.iter().find(|(_, local)| local.as_bytes() == attribute.local);
            let Some((watch, _)) = watch else { continue };
            let whole = std::str::from_utf8(attribute.value).unwrap_or_default();
            let text = whole.get(..whole.floor_char_boundary(most)).unwrap_or_default();
            let told = locator.counted(attribute.offset);
            let written = tag.value_range(&attribute);
            let content = locator.sent(written.start)..locator.sent(written.end);
            let at = Spot::new(told, attribute.offset, locator);
            self.observer.value(*watch, text, text.len() == whole.len(), content, at);
        }
    }

    /// Tells of a watched element that ends; the content lies between the offsets, and `to` is past its end tag.
    pub(super) fn closed(&mut self, node: NodeId, sound: bool, content_to: u64, to: u64, locator: &mut Locator<'_>) {
        if node == NOWHERE {
            return;
        }
        let watches = self.judge.plan.watches(node);
        for (watch, kind) in watches.iter().rev() {
            if *kind != WatchKind::Value {
                self.observer.close(*watch, locator.sent(to), sound);
            } else if self.judge.watched.active {
                let told = self.judge.value_at.or_else(|| locator.counted(self.judge.value_place));
                let end = locator.sent(content_to);
                let at = Spot::new(told, self.judge.value_place, locator);
                // The place is that of the content, but in an element without any, which has its tag's.
                let content = if content_to == to { end..end } else { at.offset()..end };
                let watched = &self.judge.watched;
                self.observer.value(*watch, &watched.text, watched.complete, content, at);
            }
        }
        self.judge.watched.active = false;
    }
}
