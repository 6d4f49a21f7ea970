//! key, keyref and unique, judged as the document streams by (section 3.11.4).

use super::Judging;
use super::attributes::{is_for, is_instance};
use super::ending::Outcome;
use super::keys::{Capture, Field, Node};
use super::matching::Answer;
use super::references::Wanted;
use crate::xml::{Locator, Position, Tag};
use crate::xsd::finding::{Finding, Kind};
use crate::xsd::tables::{Constraint, Element, Sort, Test, Type};
use crate::xsd::validator::Observer;

impl<'p, O: Observer> Judging<'_, 'p, O> {
    /// An element opens; whether its value is asked for.
    #[inline]
    pub(super) fn enter_constraints(
        &mut self,
        tag: &Tag<'_>,
        element: Option<&Element>,
        found: &Type,
        locator: &mut Locator<'_>,
    ) -> bool {
        let own = element.map(|element| &element.constraints[..]).unwrap_or_default();
        let identity = &self.judge.identity;
        if identity.refused || (own.is_empty() && !identity.is_active()) {
            return false;
        }
        let schema = self.judge.schema();
        let depth = self.judge.frames.len();
        let answers = self.judge.identity.advance(schema, depth, tag, own, || locator.position(tag.offset));
        let (captured, by_attributes): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| self.attribute_test(answer).is_none());
        let mut seen = Vec::new();
        for answer in by_attributes {
            if let Some(test) = self.attribute_test(&answer) {
                self.answer_by_attributes(&answer, test, tag, found, &mut seen);
            }
        }
        let captures = captured.iter().map(|answer| Capture { node: answer.node, field: answer.field });
        self.judge.identity.captures.extend(captures);
        !captured.is_empty()
    }

    /// Answers a field by the attributes of the element just opened, each of them once.
    fn answer_by_attributes(
        &mut self,
        answer: &Answer,
        test: &Test,
        tag: &Tag<'_>,
        found: &Type,
        seen: &mut Vec<(usize, usize, u64)>,
    ) {
        let fitting = tag.attributes().filter(|attribute| test.fits(attribute.namespace, attribute.local));
        for attribute in fitting {
            let once = (answer.node, answer.field, attribute.offset);
            if seen.contains(&once) {
                continue;
            }
            seen.push(once);
            let key = match self.use_of(found, &attribute) {
                _ if is_instance(&attribute) => Some(attribute.value.to_vec()),
                Ok(Some((used, _))) => self.value_of(used, &attribute, tag).ok().map(|value| value.key()),
                // What is not judged has no value.
                Ok(None) => continue,
                Err(_) => None,
            };
            // What is no value of its type has its own finding.
            self.answer(answer.node, answer.field, key.map_or(Field::Spoiled, Field::Key));
        }
        let absent = |used: &&crate::xsd::tables::AttributeUse| {
            test.fits(used.namespace, &used.local) && !tag.attributes().any(|attribute| is_for(used, &attribute))
        };
        for used in found.attributes.iter().filter(absent) {
            if let Some(value) = used.value.as_ref().and_then(|given| given.value.as_ref()) {
                self.answer(answer.node, answer.field, Field::Key(value.key()));
            }
        }
    }

    /// An element ends whose value has come to something.
    pub(super) fn leave_constraints(&mut self, outcome: &Outcome) {
        let depth = self.judge.frames.len();
        let identity = &mut self.judge.identity;
        let Some(level) = identity.levels.last().copied().filter(|level| level.depth == depth) else { return };
        for Capture { node, field } in identity.captures.split_off(level.captures) {
            self.answer_by_value(node, field, outcome);
        }
        for node in self.judge.identity.nodes.split_off(level.nodes) {
            self.end_node(&node);
            if self.judge.identity.refused {
                return;
            }
        }
        self.judge.identity.threads.truncate(level.threads);
        self.judge.identity.levels.pop();
        if self.judge.identity.scopes.len() > level.scopes || self.judge.identity.passed.len() > level.passed {
            for (constraint, Wanted { at, path, .. }) in self.judge.identity.end_scopes(level) {
                let shown = self.judge.schema().constraint(constraint).map_or("", |found| found.shown.as_str());
                let text = format!("what {shown} refers to is nowhere among the keys");
                let (kind, rule) = (Kind::UnknownKey, "cvc-identity-constraint.4.3");
                self.report(Finding { kind, rule, at, path, text });
            }
        }
    }

    fn answer_by_value(&mut self, node: usize, field: usize, outcome: &Outcome) {
        let Some((constraint, at)) = self.node(node) else { return };
        let declared = self.judge.frames.last().and_then(|frame| frame.element);
        let nillable = declared.and_then(|id| self.judge.schema().element(id)).is_some_and(|element| element.nillable);
        let shown = &constraint.shown;
        if nillable && constraint.sort == Sort::Key {
            let text = format!("a field of the key {shown} is an element that may be nil");
            self.find(Kind::MissingKey, "cvc-identity-constraint.4.2.3", at, text);
            return self.spoil(node, field);
        }
        match outcome {
            Outcome::Value(value) => self.answer(node, field, Field::Key(value.key())),
            Outcome::Nil => {}
            Outcome::Broken | Outcome::Unknown => self.spoil(node, field),
            Outcome::Complex => {
                let text = format!("a field of {shown} is an element without a simple value");
                self.find(Kind::MissingKey, "cvc-identity-constraint.3", at, text);
                self.spoil(node, field);
            }
        }
    }

    /// Sets what a field of a node has come to; there may be one only.
    fn answer(&mut self, node: usize, field: usize, answer: Field) {
        match self.judge.identity.field(node, field) {
            Some(known @ Field::Absent) => *known = answer,
            Some(Field::Spoiled) | None => {}
            Some(Field::Key(_)) => {
                self.spoil(node, field);
                if let Some((constraint, at)) = self.node(node) {
                    let text = format!("a field of {} is there more than once", constraint.shown);
                    self.find(Kind::DuplicateKey, "cvc-identity-constraint.3", at, text);
                }
            }
        }
    }

    /// A field of which a finding has been made.
    fn spoil(&mut self, node: usize, field: usize) {
        if let Some(known) = self.judge.identity.field(node, field) {
            *known = Field::Spoiled;
        }
    }

    /// A selected element ends: its key is complete, or never will be.
    fn end_node(&mut self, node: &Node) {
        let Some(scope) = self.judge.identity.scopes.get(node.scope) else { return };
        let Some(constraint) = self.judge.schema().constraint(scope.constraint) else { return };
        let (shown, sort) = (&constraint.shown, scope.sort);
        let Some(key) = node.key() else {
            if sort == Sort::Key && !node.fields.contains(&Field::Spoiled) {
                let text = format!("a field of the key {shown} is missing");
                self.find(Kind::MissingKey, "cvc-identity-constraint.4.2.1", node.at, text);
            }
            return;
        };
        let key = self.judge.identity.digest.of(&key);
        let is_duplicate = match sort {
            Sort::KeyRef(asked) => {
                let answers = |other: &&super::keys::Scope| other.constraint == asked && other.keys.contains(&key);
                // Only a key of the same element settles it now; those of its children may still come to nothing.
                let own = self.scopes_beside(node.scope);
                if own.iter().any(|other| answers(&other)) {
                    return;
                }
                false
            }
            Sort::Unique | Sort::Key => scope.keys.contains(&key),
        };
        if is_duplicate {
            let rule = if sort == Sort::Key { "cvc-identity-constraint.4.2.2" } else { "cvc-identity-constraint.4.1" };
            let text = format!("the values of {shown} are there already");
            return self.find(Kind::DuplicateKey, rule, node.at, text);
        }
        if !self.judge.identity.has_room() {
            let text = format!("there are more than {} keys at once", self.judge.identity.most);
            return self.find(Kind::TooManyKeys, "", node.at, text);
        }
        let path = if matches!(sort, Sort::KeyRef(_)) { self.judge.path() } else { String::new() };
        if let Some(scope) = self.judge.identity.scopes.get_mut(node.scope) {
            match sort {
                Sort::KeyRef(_) => scope.wanted.push(Wanted { key, at: node.at, path }),
                Sort::Unique | Sort::Key => {
                    scope.keys.insert(key);
                }
            }
        }
    }

    /// The scopes of the element whose scope this is.
    fn scopes_beside(&self, scope: usize) -> &[super::keys::Scope] {
        let identity = &self.judge.identity;
        let level = identity.levels.iter().rposition(|level| level.scopes <= scope);
        let bounds = level.and_then(|index| {
            let from = identity.levels.get(index)?.scopes;
            let to = identity.levels.get(index + 1).map_or(identity.scopes.len(), |next| next.scopes);
            Some(from..to)
        });
        bounds.and_then(|bounds| identity.scopes.get(bounds)).unwrap_or_default()
    }

    /// The attribute a field asks for, if it asks for one.
    fn attribute_test(&self, answer: &Answer) -> Option<&'p Test> {
        let field = self.node(answer.node)?.0.fields.get(answer.field)?;
        field.get(answer.path)?.attribute.as_ref()
    }

    /// The constraint a node belongs to, and where the node begins.
    fn node(&self, node: usize) -> Option<(&'p Constraint, Position)> {
        let identity = &self.judge.identity;
        let node = identity.nodes.get(node)?;
        let scope = identity.scopes.get(node.scope)?;
        Some((self.judge.schema().constraint(scope.constraint)?, node.at))
    }
}
