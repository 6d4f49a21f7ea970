//! The end of elements: what is missing, and what the value is.

use super::Judging;
use super::frame::{Frame, Mode};
use super::references::InScope;
use crate::xml::{Locator, Scope};
use crate::xsd::datatypes::{Broken, Prefixes, Value};
use crate::xsd::finding::{Finding, Kind};
use crate::xsd::tables::{Content, Given, bound};
use crate::xsd::validator::Observer;

/// What the value of an element came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It has no value, or a sound one that nobody asked for.
    Unknown,
    /// It has child elements or text between them.
    Complex,
    Nil,
    Broken,
    Value(Value),
}

impl<O: Observer> Judging<'_, '_, O> {
    /// An element ends; its end tag lies between the offsets.
    #[inline]
    pub(super) fn close(&mut self, from: u64, to: u64, scope: &Scope, locator: &mut Locator<'_>) {
        let Some(frame) = self.judge.frames.last().copied() else { return };
        let outcome = match frame.mode {
            Mode::Simple => self.end_value(&frame, scope, locator),
            Mode::Model { .. } | Mode::Ways { .. } => {
                self.end_model(&frame, from, to, locator);
                Outcome::Complex
            }
            Mode::Loose { .. } => {
                if frame.waits {
                    self.report_deferred(Kind::MissingElement);
                }
                Outcome::Complex
            }
            Mode::Fixed => {
                self.end_fixed(&frame, locator);
                Outcome::Complex
            }
            Mode::Nil => Outcome::Nil,
            Mode::Empty | Mode::Any => Outcome::Complex,
            Mode::Skip => Outcome::Unknown,
        };
        if self.judge.identity.is_active() {
            self.leave_constraints(&outcome);
        }
        if self.judge.frames.len() == 1 {
            self.end_references();
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
        let schema = self.judge.schema();
        let has_ways = matches!(frame.mode, Mode::Ways { .. });
        let complete = match has_ways {
            true => self.judge.ways.last().is_some_and(|ways| ways.may_end(schema)),
            false => schema.edges_of(frame.state).1.is_none_or(|state| self.judge.may_end(frame, state)),
        };
        if !complete {
            self.missing(frame, from, to, locator);
        }
        if has_ways {
            self.judge.ways.pop();
        }
    }

    fn missing(&mut self, frame: &Frame, from: u64, to: u64, locator: &mut Locator<'_>) {
        // At the end tag, where it should have come; in an element without one, at its tag.
        let at = locator.position(if from == to { frame.from } else { from });
        let may = self.open_steps(frame);
        let mut expected = self.judge.listed(may.names.iter().copied());
        if may.any {
            let or = if expected.is_empty() { "" } else { " or " };
            expected.push_str(or);
            expected.push_str("an element the wildcard admits");
        }
        let own = frame.name.map(|name| self.judge.shown(name)).unwrap_or_default();
        let text = format!("expected {expected}, found the end of {own}");
        let path = self.judge.path();
        self.report(Finding { kind: Kind::MissingElement, rule: "cvc-complex-type.2.4.b", at, path, text });
    }

    #[inline]
    fn end_value(&mut self, frame: &Frame, scope: &Scope, locator: &mut Locator<'_>) -> Outcome {
        let schema = self.judge.schema();
        let found = schema.type_of(frame.type_id);
        let Some(Content::Simple(simple)) = found.map(|found| found.content) else { return Outcome::Unknown };
        let Some(simple) = schema.simple(simple) else { return Outcome::Unknown };
        let given = frame.element.and_then(|element| schema.element(element)).and_then(|found| found.value.as_ref());
        let judged = match given {
            Some(given) if !frame.has_text => self.given_value(frame, given).map(Some),
            _ => {
                let scope = InScope { schema, scope };
                self.judge.value.judge(simple, &scope)
            }
        };
        let judged = judged.and_then(|value| match (&value, given.filter(|given| given.is_fixed)) {
            (Some(found), Some(given)) => same(found, given, "cvc-elt.5.2.2.2.2").map(|()| value),
            _ => Ok(value),
        });
        match judged {
            Ok(None) => Outcome::Unknown,
            Ok(Some(value)) => {
                if simple.names() {
                    let at = self.judge.value_position(locator);
                    self.refer(&value, |_| at);
                }
                Outcome::Value(value)
            }
            Err(broken) => {
                let at = self.judge.value_position(locator);
                self.find_broken(broken, at);
                Outcome::Broken
            }
        }
    }

    /// The value the schema gives an empty element, which must be one of the type that counts.
    fn given_value(&self, frame: &Frame, given: &Given) -> Result<Value, Broken> {
        let schema = self.judge.schema();
        let declared = frame.element.and_then(|element| schema.element(element)).map(|element| element.type_id);
        if let Some(value) = given.value.as_ref().filter(|_| declared == Some(frame.type_id)) {
            return Ok(value.clone());
        }
        let content = schema.type_of(frame.type_id).map(|found| found.content);
        let simple = match content {
            Some(Content::Simple(simple)) => schema.simple(simple),
            _ => None,
        };
        let simple = simple.expect("elements of simple content have a simple type");
        simple.value(&given.text, &Declared(&given.prefixes)).map_err(|broken| {
            let text = format!("the schema's value is none of the type xsi:type names: {}", broken.text);
            Broken::new(broken.kind, "cvc-elt.5.1.1", text)
        })
    }

    /// Judges mixed content of which the schema fixes the text.
    fn end_fixed(&mut self, frame: &Frame, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        let given = frame.element.and_then(|element| schema.element(element)).and_then(|found| found.value.as_ref());
        let Some(given) = given.filter(|_| frame.has_text) else { return };
        if !self.judge.value.is_text(&given.text) {
            let at = self.judge.value_position(locator);
            self.find(Kind::NotInList, "cvc-elt.5.2.2.2.1", at, NOT_FIXED);
        }
    }
}

/// Prefixes as the schema declares them.
struct Declared<'a>(&'a [(String, String)]);

impl Prefixes for Declared<'_> {
    fn namespace(&self, prefix: &str) -> Option<std::borrow::Cow<'_, str>> {
        bound(self.0, prefix)
    }
}

const NOT_FIXED: &str = "the value is not the one the schema fixes";

/// Judges a value against the one the schema fixes.
pub(super) fn same(value: &Value, given: &Given, rule: &'static str) -> Result<(), Broken> {
    match given.value.as_ref().is_some_and(|fixed| value.same(fixed)) {
        true => Ok(()),
        false => Err(Broken::new(Kind::NotInList, rule, NOT_FIXED)),
    }
}
