//! The state of a document being judged: one frame for each open element.

mod attributes;
mod content;
mod counting;
mod ending;
mod frame;
mod habits;
mod identity;
mod keys;
mod lane;
mod matching;
mod opening;
mod references;
mod seam;
mod watching;

use super::datatypes::Broken;
use super::finding::{Finding, Kind};
use super::plan::Plan;
use super::tables::{NameId, Schema};
use super::validator::{Limits, Observer};
use super::value::Reader;
use crate::xml::{Fault, Locator, Nesting, Position, Scope, Sink, Tag};
use counting::Ways;
use frame::{Frame, Mode};
use habits::Lane;
use keys::{Identity, Most};
use references::References;
use watching::Watched;

/// All that is kept of a document: O(depth) and one value.
#[derive(Debug)]
pub(super) struct Judge<'p> {
    plan: &'p Plan,
    frames: Vec<Frame>,
    /// How often each group that is counted and each name that may repeat has come, of each open element.
    counters: Vec<u64>,
    /// All the ways through the contents that have many, of each such open element.
    ways: Vec<Ways>,
    /// The edge that [`Sink::predict`] found.
    guess: Option<u32>,
    lane: Lane,
    value: Reader,
    /// Where a finding about the value in progress is placed: at its beginning, or at the tag of an element without
    /// content.
    value_place: u64,
    /// The same, once the bytes before it are gone.
    value_at: Option<Position>,
    watched: Watched,
    deferred: Vec<Deferred>,
    references: References,
    identity: Identity,
    pub(super) findings: u64,
    most_findings: u64,
}

/// A finding that is not yet known to be a missing element or one out of order.
#[derive(Debug)]
struct Deferred {
    /// The element whose content it is about, by its depth.
    depth: usize,
    /// What could have come.
    expected: Vec<NameId>,
    finding: Finding,
}

/// A judge with somebody to tell.
pub(super) struct Judging<'a, 'p, O> {
    pub(super) judge: &'a mut Judge<'p>,
    pub(super) observer: &'a mut O,
}

impl<'p> Judge<'p> {
    pub(super) fn new(plan: &'p Plan, limits: &Limits) -> Self {
        Self {
            plan,
            frames: Vec::new(),
            counters: Vec::new(),
            ways: Vec::new(),
            guess: None,
            lane: Lane::new(&plan.rails, &limits.xml),
            value: Reader::new(limits.value_bytes),
            value_place: 0,
            value_at: None,
            watched: Watched::new(limits.watched_bytes),
            deferred: Vec::new(),
            references: References::new(limits),
            identity: Identity::new(Most::of(limits)),
            findings: 0,
            most_findings: limits.findings,
        }
    }

    /// Tells whether the next finding is told and not only counted.
    fn tells(&self) -> bool {
        self.findings < self.most_findings
    }

    fn schema(&self) -> &'p Schema {
        &self.plan.schema
    }

    /// The place of the value in progress.
    fn value_position(&mut self, locator: &mut Locator<'_>) -> Position {
        *self.value_at.get_or_insert_with(|| locator.position(self.value_place))
    }
}

impl<O: Observer> Judging<'_, '_, O> {
    /// A fault of XML, behind which nothing is judged.
    pub(super) fn fault(&mut self, fault: Fault) {
        for deferred in std::mem::take(&mut self.judge.deferred) {
            self.report(Finding { kind: Kind::UnexpectedElement, ..deferred.finding });
        }
        let path = self.judge.path();
        self.report(Finding::fault(fault, path));
    }

    fn report(&mut self, finding: Finding) {
        let tells = self.judge.tells();
        self.judge.findings += 1;
        if let Some(frame) = self.judge.frames.last_mut() {
            frame.unsound = true;
        }
        if tells {
            self.observer.finding(finding);
        }
    }

    /// Reports about the element last opened.
    fn find(&mut self, kind: Kind, rule: &'static str, at: Position, text: impl Into<String>) {
        let path = if self.judge.tells() { self.judge.path() } else { String::new() };
        self.report(Finding { kind, rule, at, path, text: text.into() });
    }

    fn find_broken(&mut self, broken: Broken, at: Position) {
        self.find(broken.kind, broken.rule, at, broken.text);
    }
}

impl<O: Observer> Sink for Judging<'_, '_, O> {
    #[inline]
    fn predict(&mut self, rest: &[u8]) -> usize {
        let judge = &mut *self.judge;
        judge.guess = None;
        let Some(Frame { mode: Mode::Model { .. }, state, .. }) = judge.frames.last() else { return 0 };
        let schema = &judge.plan.schema;
        let (edges, state) = schema.edges_of(*state);
        for (index, edge) in edges.iter().enumerate() {
            let len = edge.local.len();
            if rest.get(len) == Some(&b'>') && rest.get(..len) == Some(&*edge.local) {
                judge.guess = state.map(|state| state.first_edge + index as u32);
                return len;
            }
        }
        0
    }

    #[inline]
    fn glide(
        &mut self,
        bytes: &[u8],
        from: usize,
        base: u64,
        nesting: &mut Nesting,
        locator: &mut Locator<'_>,
    ) -> usize {
        self.lane(bytes, from, base, nesting, locator)
    }

    #[inline]
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        self.judge.lane.learn(tag);
        self.element(tag, locator);
        self.judge.guess = None;
    }

    #[inline]
    fn end(&mut self, from: u64, to: u64, scope: &Scope, locator: &mut Locator<'_>) {
        self.close(from, to, scope, locator);
    }

    #[inline]
    fn text(&mut self, raw: &[u8], offset: u64, locator: &mut Locator<'_>) {
        let judge = &mut *self.judge;
        let Some(frame) = judge.frames.last_mut() else { return };
        match frame.mode {
            Mode::Simple | Mode::Fixed => {
                frame.has_text = true;
                judge.value.raw(raw, offset);
                judge.watched.raw(raw, offset, self.observer);
            }
            Mode::Skip | Mode::Any => {}
            // Of the characters up to the blank, XML allows white space only.
            Mode::Model { .. } | Mode::Ways { .. } | Mode::Loose { .. } if raw.iter().all(|byte| *byte <= b' ') => {}
            Mode::Model { .. } | Mode::Ways { .. } | Mode::Loose { .. } | Mode::Empty | Mode::Nil => {
                self.stray_text(raw, false, offset, locator);
            }
        }
    }

    fn character(&mut self, c: char, offset: u64, locator: &mut Locator<'_>) {
        let mut bytes = [0; 4];
        let text = c.encode_utf8(&mut bytes).as_bytes();
        let judge = &mut *self.judge;
        match judge.frames.last_mut() {
            Some(frame) if matches!(frame.mode, Mode::Simple | Mode::Fixed) => {
                frame.has_text = true;
                judge.value.text(text);
                judge.watched.text(text, self.observer);
            }
            Some(_) => self.stray_text(text, true, offset, locator),
            None => {}
        }
    }

    fn suspend(&mut self, locator: &mut Locator<'_>) {
        // Inside of what is skipped, the value around it still waits for its end.
        let judged = self.judge.frames.iter().rev().find(|frame| !matches!(frame.mode, Mode::Skip));
        if judged.is_some_and(|frame| matches!(frame.mode, Mode::Simple | Mode::Fixed | Mode::Nil)) {
            self.judge.value_position(locator);
        }
    }
}

#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod lane_tests;
