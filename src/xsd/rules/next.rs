//! The particles that may come next at some point of a content, by what they accept.

use std::collections::{HashMap, HashSet};

use super::Rules;
use super::groups::NameId;
use super::model::NodeId;
use crate::xsd::components::{ElementId, Namespaces};

/// Names and namespaces, each with the one particle that accepts it.
pub(super) struct Next<'w> {
    rules: &'w Rules<'w>,
    names: HashMap<NameId, NodeId>,
    /// The elements among them that others may stand in for.
    heads: HashMap<ElementId, NodeId>,
    /// The elements that some of the names may stand in for, each with such a name and how many there are.
    members: HashMap<ElementId, (NodeId, usize)>,
    /// The namespaces of what the names stand for, each with such a name and how many there are.
    spaces: HashMap<&'w str, (NodeId, usize)>,
    /// Wildcards that list their namespaces.
    listed: HashMap<&'w str, NodeId>,
    /// The wildcard for all namespaces or all but one; two of them always meet.
    broad: Option<(NodeId, &'w Namespaces)>,
    /// What was added, in order.
    log: Vec<Added<'w>>,
    /// The particles another round begins with; of groups whose rounds are to be counted.
    first: HashSet<NodeId>,
    /// One of them was added again.
    is_met: bool,
}

enum Added<'w> {
    Element(ElementId),
    Listed(&'w str),
    Broad,
}

impl<'w> Next<'w> {
    pub(super) fn new(rules: &'w Rules<'w>) -> Self {
        Self {
            rules,
            names: HashMap::new(),
            heads: HashMap::new(),
            members: HashMap::new(),
            spaces: HashMap::new(),
            listed: HashMap::new(),
            broad: None,
            log: Vec::new(),
            first: HashSet::new(),
            is_met: false,
        }
    }

    /// Adds an element and all that may stand in for it; another particle that accepts one of them is the answer.
    pub(super) fn add_element(&mut self, element: ElementId, id: NodeId) -> Option<NodeId> {
        self.is_met |= self.first.contains(&id);
        let groups = &self.rules.groups;
        let name = groups.name(element);
        if let Some(other) = self.names.get(&name) {
            return Some(*other).filter(|other| *other != id);
        }
        let head = groups.heads(name).iter().find_map(|head| self.heads.get(head)).copied();
        let member = self.members.get(&element).map(|(other, _)| *other);
        let wildcard = || spaces(self.rules, element).find_map(|space| self.wildcard(space));
        if let Some(other) = head.or(member).or_else(wildcard) {
            return Some(other);
        }
        self.names.insert(name, id);
        if groups.is_head(element) {
            self.heads.insert(element, id);
        }
        for head in groups.heads(name) {
            self.members.entry(*head).or_insert((id, 0)).1 += 1;
        }
        for space in spaces(self.rules, element) {
            self.spaces.entry(space).or_insert((id, 0)).1 += 1;
        }
        self.log.push(Added::Element(element));
        None
    }

    /// Adds a wildcard; another particle that accepts something of its namespaces is the answer.
    pub(super) fn add_wildcard(&mut self, namespaces: &'w Namespaces, id: NodeId) -> Option<NodeId> {
        self.is_met |= self.first.contains(&id);
        let Namespaces::These(names) = namespaces else { return self.add_broad(namespaces, id) };
        for space in names.iter().map(|name| &**name) {
            let named = self.spaces.get(space).map(|(other, _)| *other);
            match named.or_else(|| self.wildcard(space)) {
                Some(other) if other != id => return Some(other),
                Some(_) => {}
                None => {
                    self.listed.insert(space, id);
                    self.log.push(Added::Listed(space));
                }
            }
        }
        None
    }

    fn add_broad(&mut self, namespaces: &'w Namespaces, id: NodeId) -> Option<NodeId> {
        if let Some((other, _)) = self.broad {
            return Some(other).filter(|other| *other != id);
        }
        let named = self.spaces.iter().map(|(space, (other, _))| (*space, *other));
        let listed = self.listed.iter().map(|(space, other)| (*space, *other));
        let met = named.chain(listed).filter(|(space, _)| namespaces.admit(space));
        let first = met.map(|(_, other)| other).min();
        if first.is_none() {
            self.broad = Some((id, namespaces));
            self.log.push(Added::Broad);
        }
        first
    }

    /// The wildcard that accepts a namespace.
    fn wildcard(&self, space: &str) -> Option<NodeId> {
        let broad = self.broad.filter(|(_, namespaces)| namespaces.admit(space)).map(|(other, _)| other);
        self.listed.get(space).copied().or(broad)
    }

    /// The point to which [`Self::undo`] goes back.
    pub(super) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Keeps the particles there are as those another round begins with.
    pub(super) fn begin_rounds(&mut self) {
        let broad = self.broad.iter().map(|(id, _)| *id);
        self.first = self.names.values().chain(self.listed.values()).copied().chain(broad).collect();
    }

    /// Tells whether a particle that another round begins with was added again.
    pub(super) fn is_met(&self) -> bool {
        self.is_met
    }

    /// Takes out what was added since a mark.
    pub(super) fn undo(&mut self, mark: usize) {
        while self.log.len() > mark {
            match self.log.pop() {
                Some(Added::Element(element)) => self.remove(element),
                Some(Added::Listed(space)) => {
                    self.listed.remove(space);
                }
                Some(Added::Broad) => self.broad = None,
                None => {}
            }
        }
    }

    fn remove(&mut self, element: ElementId) {
        let groups = &self.rules.groups;
        let name = groups.name(element);
        self.names.remove(&name);
        self.heads.remove(&element);
        for head in groups.heads(name) {
            forget(&mut self.members, head);
        }
        for space in spaces(self.rules, element) {
            forget(&mut self.spaces, &space);
        }
    }
}

/// The namespaces of an element and of all that may stand in for it.
fn spaces<'w>(rules: &'w Rules<'w>, element: ElementId) -> impl Iterator<Item = &'w str> {
    let own = (!rules.groups.is_head(element)).then(|| &*rules.components.element(element).name.namespace);
    own.into_iter().chain(rules.groups.spaces(element))
}

/// Counts down, and out.
fn forget<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, (NodeId, usize)>, key: &K) {
    if let Some((_, count)) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
