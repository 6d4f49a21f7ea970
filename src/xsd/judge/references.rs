//! ID and IDREF: values that say something about the whole document (section 3.15.5).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::Judging;
use crate::xml::{Namespace, Position, Scope};
use crate::xsd::datatypes::{Prefixes, Role, Value};
use crate::xsd::finding::{Finding, Kind};
use crate::xsd::tables::Schema;
use crate::xsd::validator::{Limits, Observer};

/// Prefixes as they are in force at a place of the document.
pub(super) struct InScope<'a> {
    pub(super) schema: &'a Schema,
    pub(super) scope: &'a Scope,
}

impl Prefixes for InScope<'_> {
    fn namespace(&self, prefix: &str) -> Option<Cow<'_, str>> {
        self.scope.lookup(prefix.as_bytes()).map(|(_, uri)| String::from_utf8_lossy(uri))
    }

    fn is_notation(&self, namespace: &str, local: &str) -> bool {
        let known = self.schema.namespaces.iter().position(|known| known == namespace);
        let number = match known {
            Some(index) => Namespace::known(index as u32),
            None if namespace.is_empty() => Namespace::NONE,
            None => return false,
        };
        let name = self.schema.name_id(number, local.as_bytes());
        name.is_some_and(|name| self.schema.notations.contains(&name))
    }
}

/// Makes numbers of keys, by which alone they are kept: wide enough that two keys never have the same, and of another
/// make in each run.
#[derive(Debug, Default)]
pub(super) struct Digest {
    one: RandomState,
    other: RandomState,
}

/// The number of a key.
pub(super) type Digested = u128;

impl Digest {
    pub(super) fn of(&self, key: &[u8]) -> Digested {
        u128::from(self.one.hash_one(key)) << 64 | u128::from(self.other.hash_one(key))
    }
}

/// A reference whose end has not been seen yet.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) key: Digested,
    pub(super) at: Position,
    /// If there was room for it.
    path: Option<Box<str>>,
}

/// Room for the paths of references that wait for their ends; of what comes when it is full the place alone is kept.
#[derive(Debug)]
pub(super) struct Paths {
    bytes_left: usize,
}

impl Paths {
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes_left: bytes }
    }

    /// A reference that waits, with its path if there is room.
    pub(super) fn keep(&mut self, key: Digested, at: Position, path: String) -> Wanted {
        let left = self.bytes_left.checked_sub(path.len());
        self.bytes_left = left.unwrap_or(self.bytes_left);
        Wanted { key, at, path: left.map(|_| path.into_boxed_str()) }
    }

    /// Makes room again: a reference waits no more.
    pub(super) fn release(&mut self, wanted: &Wanted) {
        self.bytes_left += wanted.path.as_deref().map_or(0, str::len);
    }
}

/// The IDs of a document, and the references to those not seen yet.
#[derive(Debug)]
pub(super) struct References {
    digest: Digest,
    ids: HashSet<Digested>,
    wanted: HashMap<Digested, Wanted>,
    paths: Paths,
    most: usize,
    refused: bool,
}

impl References {
    pub(super) fn new(limits: &Limits) -> Self {
        let (paths, most) = (Paths::new(limits.path_bytes), limits.references);
        Self { digest: Digest::default(), ids: HashSet::new(), wanted: HashMap::new(), paths, most, refused: false }
    }

    /// Tells whether nothing has been said that concerns the whole document.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.wanted.is_empty() && !self.refused
    }

    /// Tells, once, that there is more than may be kept.
    fn overflows(&mut self) -> bool {
        let overflows = self.ids.len() + self.wanted.len() >= self.most;
        self.refused |= overflows;
        overflows
    }
}

impl<O: Observer> Judging<'_, '_, O> {
    /// Takes note of what a value of the innermost element, or of its attribute, says of the document.
    pub(super) fn refer(&mut self, value: &Value, mut at: impl FnMut(&Self) -> Position) {
        let mut found: Vec<(Role, Vec<u8>)> = Vec::new();
        value.each_reference(&mut |role, text| found.push((role, text.as_bytes().to_vec())));
        for (role, text) in found {
            match role {
                Role::Entity => {
                    let text = "the value names an entity, and there are none without a DTD";
                    let at = at(self);
                    self.find(Kind::BadValue, "cvc-simple-type.2.1", at, text);
                }
                Role::Id | Role::IdRef if self.judge.references.refused => {}
                Role::Id => {
                    let references = &mut self.judge.references;
                    let key = references.digest.of(&text);
                    if let Some(answered) = references.wanted.remove(&key) {
                        references.paths.release(&answered);
                    }
                    // By the letter of the recommendation two children of type ID name one element, their parent; its
                    // authors' own tests take the second for one too many, and so do all who judge by it.
                    if references.ids.contains(&key) {
                        let at = at(self);
                        self.find(Kind::DuplicateKey, "cvc-id.2", at, "the ID is there already");
                    } else if !self.too_many_references(&mut at) {
                        self.judge.references.ids.insert(key);
                    }
                }
                Role::IdRef => {
                    let references = &self.judge.references;
                    let key = references.digest.of(&text);
                    let known = references.ids.contains(&key) || references.wanted.contains_key(&key);
                    if !known && !self.too_many_references(&mut at) {
                        let (at, path) = (at(self), self.judge.path());
                        let references = &mut self.judge.references;
                        references.wanted.insert(key, references.paths.keep(key, at, path));
                    }
                }
            }
        }
    }

    fn too_many_references(&mut self, at: &mut impl FnMut(&Self) -> Position) -> bool {
        if !self.judge.references.overflows() {
            return false;
        }
        let at = at(self);
        let text = format!("there are more than {} IDs and references to them", self.judge.references.most);
        self.find(Kind::TooManyKeys, "", at, text);
        true
    }

    /// Reports the references that lead nowhere; the document's root ends.
    pub(super) fn end_references(&mut self) {
        let references = &mut self.judge.references;
        let mut wanted: Vec<Wanted> = std::mem::take(&mut references.wanted).into_values().collect();
        if references.refused {
            return;
        }
        wanted.sort_by_key(|wanted| wanted.at.offset);
        for wanted in wanted {
            self.find_unanswered(wanted, "cvc-id.1", "the reference leads to no ID of the document".to_owned());
        }
    }

    /// Reports a reference that leads nowhere; where its path was not kept, with that of the element just ending, which
    /// it stands in.
    pub(super) fn find_unanswered(&mut self, wanted: Wanted, rule: &'static str, text: String) {
        match wanted.path.map(String::from) {
            Some(path) => self.report(Finding { kind: Kind::UnknownKey, rule, at: wanted.at, path, text }),
            None => self.find(Kind::UnknownKey, rule, wanted.at, text),
        }
    }
}
