//! Substitution groups looked at from both sides, and names as numbers, so that contents are quick to walk.

use std::collections::HashMap;

use super::substitution::Substitutions;
use super::{Done, too_large};
use crate::xsd::components::{Components, ElementId, QName};

/// The name of an element.
pub(super) type NameId = u32;

/// All elements with their names and groups.
pub(super) struct Groups<'a> {
    /// Of each element.
    names: Vec<NameId>,
    /// Of those elements that have one of more than themselves.
    members: HashMap<ElementId, Vec<ElementId>>,
    /// Of each name the heads in whose groups the global element of that name is, but for itself.
    heads: HashMap<NameId, Vec<ElementId>>,
    /// The namespaces of the members, themselves included.
    spaces: HashMap<ElementId, Vec<&'a str>>,
}

/// How many places the substitution groups of a schema have, all together.
const MOST_MEMBERS: usize = 1_000_000;

impl<'a> Groups<'a> {
    pub(super) fn of(components: &'a Components) -> Done<Self> {
        let mut known: HashMap<&QName, NameId> = HashMap::new();
        let mut number = |name| {
            let next = NameId::try_from(known.len()).expect("there are fewer names than elements");
            *known.entry(name).or_insert(next)
        };
        let names = components.elements.iter().map(|element| number(&element.name)).collect();
        let mut groups = Self { names, members: HashMap::new(), heads: HashMap::new(), spaces: HashMap::new() };
        let substitutions = Substitutions::of(components);
        let mut left = MOST_MEMBERS;
        for (id, element) in (0..).zip(&components.elements) {
            let members = substitutions.group(components, id);
            if members.len() > 1 {
                left = left
                    .checked_sub(members.len())
                    .ok_or_else(|| too_large(&element.at, "the substitution groups have too many members"))?;
                groups.add(components, id, members);
            }
        }
        Ok(groups)
    }

    fn add(&mut self, components: &'a Components, head: ElementId, members: Vec<ElementId>) {
        // There are few of them, however many the members.
        let mut spaces: Vec<&str> = Vec::new();
        for member in &members {
            let space = &*components.element(*member).name.namespace;
            if !spaces.contains(&space) {
                spaces.push(space);
            }
            if *member != head {
                self.heads.entry(self.name(*member)).or_default().push(head);
            }
        }
        self.spaces.insert(head, spaces);
        self.members.insert(head, members);
    }

    pub(super) fn name(&self, element: ElementId) -> NameId {
        self.names.get(element as usize).copied().expect("all elements have their names numbered")
    }

    /// The element, and all that may stand in for it.
    pub(super) fn members<'r>(&'r self, element: &'r ElementId) -> &'r [ElementId] {
        self.members.get(element).map_or(std::slice::from_ref(element), Vec::as_slice)
    }

    /// The elements that the global element of a name may stand in for.
    pub(super) fn heads(&self, name: NameId) -> &[ElementId] {
        self.heads.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Tells whether others may stand in for it.
    pub(super) fn is_head(&self, element: ElementId) -> bool {
        self.members.contains_key(&element)
    }

    /// The namespaces of the members of a head; of another element none.
    pub(super) fn spaces(&self, head: ElementId) -> impl Iterator<Item = &'a str> {
        self.spaces.get(&head).into_iter().flatten().copied()
    }
}
