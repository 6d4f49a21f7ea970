//! The letters of two content models: element names that neither model tells apart are one letter.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::language::Letter;
use super::side::Side;
use crate::xsd::components::{ElementId, Namespaces, QName, Wildcard};

/// A place of a content model where one element stands.
pub(super) enum Leaf {
    /// By name: the element declared, and those that may stand in for it.
    Elements(BTreeMap<QName, ElementId>),
    Any(Wildcard),
}

/// A name, or all the others of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Name {
    Known(QName),
    /// One that no schema declares.
    Other(Arc<str>),
    /// In a namespace that neither model speaks of.
    Foreign,
}

pub(super) struct Alphabet {
    /// A name of each letter.
    shown: Vec<Name>,
    /// The letters of each leaf, those of the first model first.
    leaves: Vec<BTreeSet<Letter>>,
}

impl Alphabet {
    /// The letters of two models, given their leaves.
    pub(super) fn of(models: [(&Side<'_>, &[Leaf]); 2]) -> Self {
        let leaves: Vec<(&Side<'_>, &Leaf)> =
            models.iter().flat_map(|(side, leaves)| leaves.iter().map(|leaf| (*side, leaf))).collect();
        let mut letters: HashMap<Vec<usize>, Letter> = HashMap::new();
        let mut alphabet = Self { shown: Vec::new(), leaves: vec![BTreeSet::new(); leaves.len()] };
        for name in names(models) {
            let of: Vec<usize> =
                (0..).zip(&leaves).filter(|(_, (side, leaf))| has(side, leaf, &name)).map(|(at, _)| at).collect();
            if of.is_empty() {
                continue;
            }
            let next = Letter::try_from(letters.len()).expect("a schema has fewer names");
            let letter = *letters.entry(of.clone()).or_insert(next);
            if letter == next {
                alphabet.shown.push(name);
            }
            for (at, own) in alphabet.leaves.iter_mut().enumerate() {
                if of.binary_search(&at).is_ok() {
                    own.insert(letter);
                }
            }
        }
        alphabet
    }

    /// The letters of each leaf, in the order given.
    pub(super) fn leaves(&self) -> &[BTreeSet<Letter>] {
        &self.leaves
    }

    /// How many letters there are.
    pub(super) fn len(&self) -> Letter {
        Letter::try_from(self.shown.len()).unwrap_or(Letter::MAX)
    }

    /// A name of a letter.
    pub(super) fn name(&self, letter: Letter) -> Option<&Name> {
        self.shown.get(letter as usize)
    }
}

/// Every name that could make a difference.
fn names(models: [(&Side<'_>, &[Leaf]); 2]) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    let mut has_wildcards = false;
    let mut namespaces: BTreeSet<Arc<str>> = BTreeSet::from(["".into()]);
    for leaf in models.iter().flat_map(|(_, leaves)| *leaves) {
        match leaf {
            Leaf::Elements(elements) => names.extend(elements.keys().cloned().map(Name::Known)),
            Leaf::Any(wildcard) => {
                has_wildcards = true;
                match &wildcard.namespaces {
                    Namespaces::Any => {}
                    Namespaces::Not(namespace) => namespaces.extend([Arc::clone(namespace)]),
                    Namespaces::These(these) => namespaces.extend(these.iter().cloned()),
                }
            }
        }
    }
    if has_wildcards {
        for (side, _) in models {
            names.extend(side.roots().into_iter().cloned().map(Name::Known));
        }
        namespaces.extend(names.iter().filter_map(|name| match name {
            Name::Known(name) => Some(Arc::clone(&name.namespace)),
            Name::Other(_) | Name::Foreign => None,
        }));
        names.extend(namespaces.into_iter().map(Name::Other));
        names.insert(Name::Foreign);
    }
    names
}

fn has(side: &Side<'_>, leaf: &Leaf, name: &Name) -> bool {
    match (leaf, name) {
        (Leaf::Elements(elements), Name::Known(name)) => elements.contains_key(name),
        (Leaf::Elements(_), Name::Other(_) | Name::Foreign) => false,
        (Leaf::Any(wildcard), Name::Known(name)) => side.admits(wildcard, name),
        (Leaf::Any(wildcard), Name::Other(namespace)) => side.admits(wildcard, &QName::new(namespace, UNDECLARED)),
        (Leaf::Any(wildcard), Name::Foreign) => side.admits(wildcard, &QName::new(UNDECLARED, UNDECLARED)),
    }
}

/// No name of XML, and no namespace of a schema.
const UNDECLARED: &str = "\0";
