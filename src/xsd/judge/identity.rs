//! key, keyref and unique, judged as the document streams by (section 3.11.4).

use super::Judging;
use super::attributes::{is_for, is_instance};
use super::ending::Outcome;
use super::keys::{Capture, Field, Node};
use super::matching::Answer;
use super::references::Digested;
use crate::xml::{Attribute, Locator, Namespace, Position, Tag};
use crate::xsd::finding::Kind;
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
        // Each answer is held against each attribute.
        self.judge.identity.spend(answers.len() * (tag.attributes().count() + found.attributes.len()));
        if !self.judge.identity.is_affordable(tag.offset) {
            let text = "the paths of identity constraints lead to more than can be looked at";
            self.find(Kind::TooManyKeys, "", locator.position(tag.offset), text);
            return false;
        }
        let mut values = Vec::new();
        let captures = self.judge.identity.captures.len();
        // A field has one value however many of its paths lead to it.
        for answers in answers.chunk_by(|one, other| (one.node, one.field) == (other.node, other.field)) {
            self.answer_by_attributes(answers, tag, found, &mut values);
            let captured = answers.iter().find(|answer| self.attribute_test(answer).is_none());
            let captured = captured.map(|answer| Capture { node: answer.node, field: answer.field });
            self.judge.identity.captures.extend(captured);
        }
        self.judge.identity.captures.len() > captures
    }

    /// Answers a field by the attributes of the element just opened that any of its paths asks for, each of them once.
    /// Of each attribute the values hold, once it has been asked for, what it comes to; nothing where it is not judged.
    fn answer_by_attributes(
        &mut self,
        answers: &[Answer],
        tag: &Tag<'_>,
        found: &Type,
        values: &mut Vec<Option<Option<Field>>>,
    ) {
        let Some(first) =
            answers.first().filter(|_| answers.iter().any(|answer| self.attribute_test(answer).is_some()))
        else {
            return;
        };
        let (node, field) = (first.node, first.field);
        let asks = |judging: &Self, namespace: Namespace, local: &[u8]| {
            let mut tests = answers.iter().filter_map(|answer| judging.attribute_test(answer));
            tests.any(|test| test.fits(namespace, local))
        };
        for (index, attribute) in tag.attributes().enumerate() {
            if !asks(self, attribute.namespace, attribute.local) {
                continue;
            }
            if values.len() <= index {
                values.resize(index + 1, None);
            }
            let known = values.get(index).copied().flatten();
            let value = known.unwrap_or_else(|| self.attribute_field(found, &attribute, tag));
            if let Some(known) = values.get_mut(index) {
                *known = Some(value);
            }
            if let Some(value) = value {
                self.answer(node, field, value);
            }
        }
        for used in found.attributes.iter().filter(|used| used.value.is_some()) {
            if asks(self, used.namespace, &used.local)
                && !tag.attributes().any(|attribute| is_for(used, &attribute))
                && let Some(value) = used.value.as_ref().and_then(|given| given.value.as_ref())
            {
                let key = self.judge.identity.digest.of(&value.key());
                self.answer(node, field, Field::Key(key));
            }
        }
    }

    /// What an attribute comes to as a field.
    fn attribute_field(&self, found: &Type, attribute: &Attribute<'_>, tag: &Tag<'_>) -> Option<Field> {
        let key = match self.use_of(found, attribute) {
            _ if is_instance(attribute) => Some(attribute.value.to_vec()),
            Ok(Some((used, _))) => self.value_of(used, attribute, tag).ok().map(|value| value.key()),
            // What is not judged has no value.
            Ok(None) => return None,
            Err(_) => None,
        };
        // What is no value of its type has its own finding.
        Some(key.map_or(Field::Spoiled, |key| Field::Key(self.judge.identity.digest.of(&key))))
    }

    /// An element ends whose value has come to something.
    pub(super) fn leave_constraints(&mut self, outcome: &Outcome) {
        let depth = self.judge.frames.len();
        let identity = &mut self.judge.identity;
        let Some(level) = identity.levels.last().copied().filter(|level| level.depth == depth) else { return };
        let captured = identity.captures.split_off(level.captures);
        let mut value = Field::Absent;
        if let Outcome::Value(found) = outcome
            && !captured.is_empty()
        {
            value = Field::Key(identity.digest.of(&found.key()));
        }
        for Capture { node, field } in captured {
            self.answer_by_value(node, field, outcome, value);
        }
        for node in self.judge.identity.nodes.split_off(level.nodes) {
            self.end_node(&node);
            if self.judge.identity.refused {
                return;
            }
        }
        let identity = &mut self.judge.identity;
        identity.threads.truncate(level.threads);
        identity.roaming.truncate(level.roaming);
        identity.fields.truncate(level.fields);
        identity.levels.pop();
        if self.judge.identity.scopes.len() > level.scopes || self.judge.identity.passed.len() > level.passed {
            for (constraint, wanted) in self.judge.identity.end_scopes(level) {
                let shown = self.judge.schema().constraint(constraint).map_or("", |found| found.shown.as_str());
                let text = format!("what {shown} refers to is nowhere among the keys");
                self.find_unanswered(wanted, "cvc-identity-constraint.4.3", text);
            }
        }
    }

    fn answer_by_value(&mut self, node: usize, field: usize, outcome: &Outcome, value: Field) {
        let Some((constraint, at)) = self.node(node) else { return };
        let declared = self.judge.frames.last().and_then(|frame| frame.element);
        let nillable = declared.and_then(|id| self.judge.schema().element(id)).is_some_and(|element| element.nillable);
        let shown = &constraint.shown;
        if nillable && constraint.sort == Sort::Key {
            let text = format!("a field of the key {shown} is an element that may be nil");
            self.find_key(Kind::MissingKey, "cvc-identity-constraint.4.2.3", at, text);
            return self.spoil(node, field);
        }
        match outcome {
            Outcome::Value(_) => self.answer(node, field, value),
            Outcome::Nil => {}
            Outcome::Broken | Outcome::Unknown => self.spoil(node, field),
            Outcome::Complex => {
                let text = format!("a field of {shown} is an element without a simple value");
                self.find_key(Kind::MissingKey, "cvc-identity-constraint.3", at, text);
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
                    self.find_key(Kind::DuplicateKey, "cvc-identity-constraint.3", at, text);
                }
            }
        }
    }

    /// Reports about the element that ends. One may be wrong for each element around it, and each finding has a path.
    fn find_key(&mut self, kind: Kind, rule: &'static str, at: Position, text: String) {
        if self.judge.tells() {
            self.judge.identity.spend(self.judge.frames.len());
        }
        self.find(kind, rule, at, text);
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
        let Some(key) = self.judge.identity.key(node) else {
            if sort == Sort::Key && !self.judge.identity.fields_of(node).contains(&Field::Spoiled) {
                let text = format!("a field of the key {shown} is missing");
                self.find_key(Kind::MissingKey, "cvc-identity-constraint.4.2.1", node.at, text);
            }
            return;
        };
        match sort {
            Sort::Unique | Sort::Key if scope.keys.contains(&key) => {
                let is_key = sort == Sort::Key;
                let rule = if is_key { "cvc-identity-constraint.4.2.2" } else { "cvc-identity-constraint.4.1" };
                let text = format!("the values of {shown} are there already");
                self.find_key(Kind::DuplicateKey, rule, node.at, text);
            }
            // Only a key of the same element settles it now; those of its children may still come to nothing.
            Sort::KeyRef(asked) if self.scopes_beside(node.scope).iter().any(|other| other.answers(asked, key)) => {}
            Sort::Unique | Sort::Key | Sort::KeyRef(_) => self.keep(node, sort, key),
        }
    }

    /// Keeps a key, or a reference until its end, as far as there is room.
    fn keep(&mut self, node: &Node, sort: Sort, key: Digested) {
        if !self.judge.identity.has_room() {
            let text = format!("there are more than {} keys at once", self.judge.identity.most.entries);
            return self.find(Kind::TooManyKeys, "", node.at, text);
        }
        let path = matches!(sort, Sort::KeyRef(_)).then(|| self.judge.path());
        let identity = &mut self.judge.identity;
        identity.spend(if path.is_some() { self.judge.frames.len() } else { 0 });
        let wanted = path.map(|path| identity.paths.keep(key, node.at, path));
        let Some(scope) = identity.scopes.get_mut(node.scope) else { return };
        match wanted {
            Some(wanted) => scope.wanted.push(wanted),
            None => {
                scope.keys.insert(key);
            }
        }
    }

    /// The scopes of the element whose scope this is.
    fn scopes_beside(&self, scope: usize) -> &[super::keys::Scope] {
        let identity = &self.judge.identity;
        let next = identity.levels.partition_point(|level| level.scopes <= scope);
        let bounds = next.checked_sub(1).and_then(|index| {
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
