//! The end of elements: what is missing, and what the value is.

use super::Judging;
use super::frame::{Frame, Mode};
use crate::xml::{Locator, Scope};
use crate::xsd::datatypes::Broken;
use crate::xsd::datatypes::builtin::{Builtin, Value};
use crate::xsd::finding::{Finding, Kind};
use crate::xsd::tables::{Content, SimpleType};
use crate::xsd::validator::Observer;

impl<O: Observer> Judging<'_, '_, O> {
    /// An element ends; its end tag lies between the offsets.
    #[inline]
    pub(super) fn close(&mut self, from: u64, to: u64, scope: &Scope, locator: &mut Locator<'_>) {
        let Some(frame) = self.judge.frames.last().copied() else { return };
        match frame.mode {
            Mode::Simple => self.end_value(&frame, scope, locator),
            Mode::Model { .. } => self.end_model(&frame, from, to, locator),
            Mode::Loose { .. } if frame.waits => self.report_deferred(Kind::MissingElement),
            Mode::Loose { .. } | Mode::Empty | Mode::Nil | Mode::Any | Mode::Skip => {}
        }
        let unsound = self.judge.frames.last().is_some_and(|frame| frame.unsound);
        self.closed(frame.node, !unsound, from, to, locator);
        self.judge.frames.pop();
        self.judge.counters.truncate(frame.counters as usize);
        if unsound && let Some(parent) = self.judge.frames.last_mut() {
            parent.unsound = true;
        }
    }

    #[inline]
    fn end_model(&mut self, frame: &Frame, from: u64, to: u64, locator: &mut Locator<'_>) {
        let (edges, state) = self.judge.schema().edges_of(frame.state);
        let Some(state) = state else { return };
        if state.accepting && frame.count >= state.min {
            return;
        }
        // At the end tag, where it should have come; in an element without one, at its tag.
        let at = locator.position(if from == to { frame.from } else { from });
        let may =
            edges.iter().filter(|edge| if edge.again { frame.count < state.max } else { frame.count >= state.min });
        let mut names: Vec<String> = Vec::new();
        for edge in may {
            let name = self.judge.shown(edge.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let own = frame.name.map(|name| self.judge.shown(name)).unwrap_or_default();
        let text = format!("expected {}, found the end of {own}", names.join(" or "));
        let path = self.judge.path();
        self.report(Finding { kind: Kind::MissingElement, rule: "cvc-complex-type.2.4.b", at, path, text });
    }

    #[inline]
    fn end_value(&mut self, frame: &Frame, scope: &Scope, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        let found = schema.type_of(frame.type_id);
        let Some(Content::Simple(simple)) = found.map(|found| found.content) else { return };
        let Some(simple) = schema.simple(simple) else { return };
        let element = frame.element.and_then(|element| schema.element(element));
        if !frame.has_text && element.is_some_and(|element| element.has_default) {
            return;
        }
        let mut judged = self.judge.value.judge(simple);
        if judged.is_ok() && simple.builtin == Builtin::QName {
            judged = declared(self.judge.value.kept(), scope);
        }
        let fixed = element.and_then(|element| element.fixed.as_ref());
        if let (Ok(()), Some(fixed)) = (&judged, fixed) {
            judged = same(simple, self.judge.value.kept(), fixed, "cvc-elt.5.2.2.2.2");
        }
        if let Err(broken) = judged {
            let at = self.judge.value_position(locator);
            self.find_broken(broken, at);
        }
    }
}

/// Judges a value against the one the schema fixes.
pub(super) fn same(simple: &SimpleType, text: &str, fixed: &Value, rule: &'static str) -> Result<(), Broken> {
    let value = simple.builtin.value(&simple.space.apply(text));
    if value.is_some_and(|value| value.same(fixed)) {
        return Ok(());
    }
    Err(Broken::new(Kind::NotInList, rule, "the value is not the one the schema fixes"))
}

/// Judges whether the prefix of a qualified name is declared.
pub(super) fn declared(name: &str, scope: &Scope) -> Result<(), Broken> {
    match name.split_once(':') {
        Some((prefix, _)) if scope.lookup(prefix.as_bytes()).is_none() => Err(Broken::of_type(Builtin::QName)),
        _ => Ok(()),
    }
}
