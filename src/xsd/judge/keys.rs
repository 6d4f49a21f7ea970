//! The tables of keys that identity constraints keep for each open element (section 3.11.5).

use std::collections::HashSet;

use super::matching::Thread;
use super::references::{Digest, Digested, Paths, Wanted};
use crate::xml::Position;
use crate::xsd::tables::{ConstraintId, Sort};
use crate::xsd::validator::Limits;

/// All that identity constraints know of the open elements. Each vector is a stack; a level marks where its element's
/// part of it begins.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) levels: Vec<Level>,
    pub(super) threads: Vec<Thread>,
    /// Those that may begin at any element below.
    pub(super) roaming: Vec<Thread>,
    pub(super) nodes: Vec<Node>,
    /// Those of all nodes.
    pub(super) fields: Vec<Field>,
    pub(super) captures: Vec<Capture>,
    pub(super) scopes: Vec<Scope>,
    pub(super) passed: Vec<Passed>,
    pub(super) digest: Digest,
    /// The paths of references.
    pub(super) paths: Paths,
    /// Keys and references that are kept.
    pub(super) entries: usize,
    /// Steps taken along paths so far.
    pub(super) steps: u64,
    pub(super) most: Most,
    /// There was more: identity constraints are no longer judged.
    pub(super) refused: bool,
}

/// What identity constraints may ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// Keys and references, elements being looked at and paths under way, at once.
    pub(super) entries: usize,
    /// Steps along paths, beside those that each byte allows.
    pub(super) steps: u64,
    /// Bytes of the paths of references.
    pub(super) path_bytes: usize,
}

/// An open element inside a scope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) depth: usize,
    pub(super) threads: usize,
    pub(super) roaming: usize,
    pub(super) nodes: usize,
    pub(super) fields: usize,
    pub(super) captures: usize,
    pub(super) scopes: usize,
    pub(super) passed: usize,
}

/// An element a selector has found, until it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) scope: usize,
    /// Where its fields begin.
    pub(super) first: usize,
    /// How many it has.
    pub(super) fields: usize,
    pub(super) at: Position,
}

/// What a field of a node has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Absent,
    /// The number of its value, since many nodes may have one long value.
    Key(Digested),
    /// A finding has been made of it.
    Spoiled,
}

/// A field that waits for the value of the element just opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capture {
    pub(super) node: usize,
    pub(super) field: usize,
}

/// An identity constraint at work on an element.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) constraint: ConstraintId,
    pub(super) sort: Sort,
    /// The keys of its own nodes.
    pub(super) keys: HashSet<Digested>,
    /// Of a keyref the references not answered yet.
    pub(super) wanted: Vec<Wanted>,
}

/// The keys that the children of an open element have for a constraint.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) constraint: ConstraintId,
    pub(super) keys: HashSet<Digested>,
    /// Those that several children have; they count for nothing.
    pub(super) twice: HashSet<Digested>,
}

impl Scope {
    pub(super) fn new(constraint: ConstraintId, sort: Sort) -> Self {
        Self { constraint, sort, keys: HashSet::new(), wanted: Vec::new() }
    }

    /// Tells whether it is the scope of a constraint and has a key.
    pub(super) fn answers(&self, asked: ConstraintId, key: Digested) -> bool {
        self.constraint == asked && self.keys.contains(&key)
    }
}

impl Passed {
    fn new(constraint: ConstraintId) -> Self {
        Self { constraint, keys: HashSet::new(), twice: HashSet::new() }
    }

    /// Takes in the keys of one more child; how many of them were there already.
    fn take_in(&mut self, mut keys: HashSet<Digested>) -> usize {
        // The smaller into the larger, so that a chain of elements costs no more than its keys.
        if keys.len() > self.keys.len() {
            std::mem::swap(&mut self.keys, &mut keys);
        }
        let mut dropped = 0;
        for key in keys {
            if !self.keys.insert(key) {
                self.twice.insert(key);
                dropped += 1;
            }
        }
        dropped
    }

    /// The keys that count.
    fn counting(mut self) -> HashSet<Digested> {
        for key in &self.twice {
            self.keys.remove(key);
        }
        self.keys
    }
}

impl Identity {
    pub(super) fn new(most: Most) -> Self {
        Self {
            levels: Vec::new(),
            threads: Vec::new(),
            roaming: Vec::new(),
            nodes: Vec::new(),
            fields: Vec::new(),
            captures: Vec::new(),
            scopes: Vec::new(),
            passed: Vec::new(),
            digest: Digest::default(),
            paths: Paths::new(most.path_bytes),
            entries: 0,
            steps: 0,
            most,
            refused: false,
        }
    }

    /// Tells whether any constraint is at work.
    #[inline]
    pub(super) fn is_active(&self) -> bool {
        !self.levels.is_empty()
    }

    /// What a field of a node has come to.
    pub(super) fn field(&mut self, node: usize, field: usize) -> Option<&mut Field> {
        let node = self.nodes.get(node)?;
        self.fields.get_mut(node.first + field)
    }

    /// The fields of a node.
    pub(super) fn fields_of(&self, node: &Node) -> &[Field] {
        self.fields.get(node.first..node.first + node.fields).unwrap_or_default()
    }

    /// The key of all fields of a node; `None` if one is absent or spoiled.
    pub(super) fn key(&self, node: &Node) -> Option<Digested> {
        let fields = self.fields_of(node);
        if let [Field::Key(only)] = fields {
            return Some(*only);
        }
        let mut all = Vec::with_capacity(size_of_val(fields));
        for field in fields {
            let Field::Key(part) = field else { return None };
            all.extend(part.to_be_bytes());
        }
        Some(self.digest.of(&all))
    }

    /// Counts steps along paths, and what else is done for each of many.
    pub(super) fn spend(&mut self, steps: usize) {
        self.steps = self.steps.saturating_add(steps as u64);
    }

    /// Tells whether all that was done until an offset of the document stays within the limits; if not, all is given up.
    pub(super) fn is_affordable(&mut self, offset: u64) -> bool {
        let allowed = self.most.steps.saturating_add(offset.saturating_mul(STEPS_PER_BYTE));
        self.steps <= allowed && self.fits(0) || self.give_up()
    }

    /// Tells whether so many more can be kept.
    fn fits(&self, more: usize) -> bool {
        let open = self.fields.len() + self.threads.len() + self.roaming.len() + self.captures.len();
        self.entries.saturating_add(more).saturating_add(open) <= self.most.entries
    }

    fn give_up(&mut self) -> bool {
        *self = Self { refused: true, ..Self::new(self.most) };
        false
    }

    /// Makes room for one more key; `false` where the limit allows no more, and then all is given up.
    pub(super) fn has_room(&mut self) -> bool {
        if !self.fits(1) {
            return self.give_up();
        }
        self.entries += 1;
        true
    }

    /// Ends the scopes of the innermost level: references that nothing answers, in the order of the document.
    pub(super) fn end_scopes(&mut self, level: Level) -> Vec<(ConstraintId, Wanted)> {
        let mut passed = self.passed.split_off(level.passed);
        let scopes = self.scopes.split_off(level.scopes);
        let mut unanswered = Vec::new();
        self.spend(scopes.len() + passed.len());
        let kept: usize = scopes.iter().map(|scope| scope.keys.len() + scope.wanted.len()).sum::<usize>()
            + passed.iter().map(|passed| passed.keys.len()).sum::<usize>();
        let answers: Vec<(ConstraintId, HashSet<Digested>)> = self.answers(&mut passed, &scopes);
        // A key that several children have, or the element and a child, is kept no more, or once.
        let left: usize = answers.iter().map(|(_, keys)| keys.len()).sum();
        self.entries = self.entries.saturating_sub(kept.saturating_sub(left));
        for scope in scopes {
            let Sort::KeyRef(key) = scope.sort else { continue };
            scope.wanted.iter().for_each(|wanted| self.paths.release(wanted));
            let known = answers.iter().find(|(constraint, _)| *constraint == key).map(|(_, keys)| keys);
            let wanted =
                scope.wanted.into_iter().filter(|wanted| !known.is_some_and(|keys| keys.contains(&wanted.key)));
            unanswered.extend(wanted.map(|wanted| (scope.constraint, wanted)));
        }
        for (constraint, keys) in answers {
            self.pass(constraint, keys);
        }
        unanswered.sort_by_key(|(_, wanted)| wanted.at.offset);
        unanswered
    }

    /// What an element knows of each key: its own nodes before those of its children.
    fn answers(&mut self, passed: &mut Vec<Passed>, scopes: &[Scope]) -> Vec<(ConstraintId, HashSet<Digested>)> {
        let mut answers: Vec<(ConstraintId, HashSet<Digested>)> = Vec::new();
        for children in passed.drain(..) {
            answers.push((children.constraint, children.counting()));
        }
        for scope in scopes.iter().filter(|scope| !matches!(scope.sort, Sort::KeyRef(_))) {
            match answers.iter_mut().find(|(constraint, _)| *constraint == scope.constraint) {
                Some((_, keys)) => keys.extend(&scope.keys),
                None => answers.push((scope.constraint, scope.keys.clone())),
            }
        }
        answers
    }

    /// Passes the keys of an element that ends to its parent, if a reference further out may ask for them.
    fn pass(&mut self, constraint: ConstraintId, keys: HashSet<Digested>) {
        self.spend(self.scopes.len());
        let asked = self.scopes.iter().any(|scope| scope.sort == Sort::KeyRef(constraint));
        let from = self.levels.last().map_or(0, |parent| parent.passed);
        if !asked || keys.is_empty() {
            self.entries = self.entries.saturating_sub(keys.len());
            return;
        }
        let own = self.passed.get_mut(from..).unwrap_or_default();
        let dropped = match own.iter_mut().find(|passed| passed.constraint == constraint) {
            Some(passed) => passed.take_in(keys),
            None => {
                let mut passed = Passed::new(constraint);
                passed.keys = keys;
                self.passed.push(passed);
                0
            }
        };
        self.entries = self.entries.saturating_sub(dropped);
    }
}

impl Most {
    /// As much of the limits as concerns identity constraints.
    pub(super) fn of(limits: &Limits) -> Self {
        Self { entries: limits.identity_entries, steps: limits.identity_steps, path_bytes: limits.path_bytes }
    }
}

/// An element of twenty bytes, itself and its end, may have some thousand paths under way.
const STEPS_PER_BYTE: u64 = 64;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::xsd::{Limits, Plan, Schema, SchemaDocument, Validator};

    const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Batch">
      <xs:complexType><xs:sequence><xs:element ref="Group" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
      </xs:element><xs:element name="Group"><xs:complexType><xs:sequence><xs:element ref="Item" maxOccurs="unbounded"/>
      <xs:element name="Ref" minOccurs="0"><xs:complexType><xs:attribute name="to"/></xs:complexType></xs:element>
      </xs:sequence></xs:complexType><xs:keyref name="refs" refer="keys"><xs:selector xpath="Ref"/>
      <xs:field xpath="@to"/></xs:keyref></xs:element><xs:element name="Item"><xs:complexType><xs:sequence>
      <xs:element name="Part" maxOccurs="unbounded"><xs:complexType><xs:attribute name="id"/></xs:complexType>
      </xs:element><xs:element ref="Item" minOccurs="0"/></xs:sequence></xs:complexType><xs:key name="keys">
      <xs:selector xpath="Part"/><xs:field xpath="@id"/></xs:key></xs:element></xs:schema>"#;

    #[test]
    fn keys_that_are_gone_count_no_more() {
        let schema = Schema::compile(&[SchemaDocument { name: "s.xsd", bytes: SCHEMA.as_bytes() }]).unwrap();
        let plan = Plan::new(Arc::new(schema), &[]).unwrap();
        let item = "<Item><Part id='1'/><Part id='2'/></Item>";
        let inside = "<Item><Part id='1'/><Item><Part id='1'/><Part id='3'/></Item></Item>";
        for group in [item.to_owned(), item.repeat(2), item.repeat(3), inside.to_owned(), [item, inside].concat()] {
            for refs in ["", "<Ref to='2'/>", "<Ref to='3'/>"] {
                let mut found = Vec::new();
                let mut validator = Validator::new(&plan, Limits { identity_entries: 40, ..Limits::default() });
                let document = format!("<Batch>{}</Batch>", format!("<Group>{group}{refs}</Group>").repeat(100));
                validator.feed(document.as_bytes(), &mut found);
                validator.finish(&mut found);
                let over = found.iter().filter(|finding| finding.text.contains("more than")).count();
                assert_eq!(over, 0, "{group}{refs}");
            }
        }
    }
}
