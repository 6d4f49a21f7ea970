//! The particles that may come next at some point of a content, by what they accept.

use std::collections::{HashMap, HashSet};

use super::model::NodeId;
use crate::xsd::components::{Namespaces, QName};

/// Names and namespaces, each with the one particle that accepts it.
#[derive(Default)]
pub(super) struct Next<'w> {
    names: HashMap<&'w QName, NodeId>,
    /// The namespaces of those names, each with a name of it and how many it has.
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
    Name(&'w QName),
    Listed(&'w str),
    Broad,
}

impl<'w> Next<'w> {
    /// Adds a name; a node that accepts it already is the answer, unless it is the same one.
    pub(super) fn add_name(&mut self, name: &'w QName, id: NodeId) -> Option<NodeId> {
        if let Some(other) = self.names.get(name) {
            return Some(*other).filter(|other| *other != id);
        }
        let space = &*name.namespace;
        let broad = self.broad.filter(|(_, namespaces)| namespaces.admit(space)).map(|(other, _)| other);
        if let Some(other) = self.listed.get(space).copied().or(broad) {
            return Some(other);
        }
        self.names.insert(name, id);
        self.spaces.entry(space).or_insert((id, 0)).1 += 1;
        self.log.push(Added::Name(name));
        None
    }

    pub(super) fn add_wildcard(&mut self, namespaces: &'w Namespaces, id: NodeId) -> Option<NodeId> {
        let Namespaces::These(names) = namespaces else { return self.add_broad(namespaces, id) };
        for space in names.iter().map(|name| &**name) {
            let named = self.spaces.get(space).map(|(other, _)| *other);
            let broad = self.broad.filter(|(_, namespaces)| namespaces.admit(space)).map(|(other, _)| other);
            if let Some(other) = named.or(broad) {
                return Some(other);
            }
            match self.listed.get(space) {
                Some(other) if *other != id => return Some(*other),
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
            return Some(other);
        }
        let named = self.spaces.iter().find(|(space, _)| namespaces.admit(space)).map(|(_, (other, _))| *other);
        let listed = self.listed.iter().find(|(space, _)| namespaces.admit(space)).map(|(_, other)| *other);
        if named.or(listed).is_none() {
            self.broad = Some((id, namespaces));
            self.log.push(Added::Broad);
        }
        named.or(listed)
    }

    /// The particles, some more than once.
    fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let broad = self.broad.iter().map(|(id, _)| *id);
        self.names.values().chain(self.listed.values()).copied().chain(broad)
    }

    /// The point to which [`Self::undo`] goes back.
    pub(super) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Keeps the particles there are as those another round begins with.
    pub(super) fn begin_rounds(&mut self) {
        self.first = self.nodes().collect();
    }

    /// Notes that a particle is about to be added.
    pub(super) fn meet(&mut self, id: NodeId) {
        self.is_met |= self.first.contains(&id);
    }

    /// Tells whether a particle that another round begins with was added again.
    pub(super) fn is_met(&self) -> bool {
        self.is_met
    }

    /// Takes out what was added since a mark.
    pub(super) fn undo(&mut self, mark: usize) {
        while self.log.len() > mark {
            match self.log.pop() {
                Some(Added::Name(name)) => {
                    self.names.remove(name);
                    let space = &*name.namespace;
                    let left = self.spaces.get_mut(space).map(|(_, count)| {
                        *count -= 1;
                        *count
                    });
                    if left == Some(0) {
                        self.spaces.remove(space);
                    }
                }
                Some(Added::Listed(space)) => {
                    self.listed.remove(space);
                }
                Some(Added::Broad) => self.broad = None,
                None => {}
            }
        }
    }
}
