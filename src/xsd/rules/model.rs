//! A content model laid out flat: every place where a group stands has its own nodes.

use std::collections::HashSet;

use super::{Done, broken, too_large};
use crate::xsd::components::{Compositor, Particle, Term};

/// The nodes of a content model; the first is its root.
#[derive(Debug, Default)]
pub(super) struct Model<'a> {
    nodes: Vec<Node<'a>>,
}

/// A particle in its place.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) particle: &'a Particle,
    /// Those of its group that may come at all.
    pub(super) children: Vec<NodeId>,
    /// It may come to nothing.
    pub(super) is_emptiable: bool,
    /// One round of it may.
    pub(super) round_is_emptiable: bool,
}

pub(super) type NodeId = usize;

/// How many particles a content model may have, those of its groups counted wherever they stand.
const MOST_NODES: usize = 200_000;
/// How deep its groups may nest.
const DEEPEST: usize = 500;

impl<'a> Model<'a> {
    /// Lays out a particle; one that may not come at all is left out.
    pub(super) fn of(particle: &'a Particle) -> Done<Self> {
        let mut model = Self::default();
        model.add(particle, 0)?;
        Ok(model)
    }

    pub(super) fn node(&self, id: NodeId) -> &Node<'a> {
        self.nodes.get(id).expect("nodes are numbered by their model")
    }

    /// All of them, parents before children.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node<'a>)> {
        self.nodes.iter().enumerate()
    }

    /// The root, if anything may come.
    pub(super) fn root(&self) -> Option<NodeId> {
        (!self.nodes.is_empty()).then_some(0)
    }

    /// Tells whether the whole may come to nothing (cos-group-emptiable).
    pub(super) fn is_emptiable(&self) -> bool {
        self.nodes.first().is_none_or(|root| root.is_emptiable)
    }

    /// An `all` group stands alone, and what is in it comes once at most (cos-all-limited).
    pub(super) fn check_all(&self) -> Done {
        let mut inside: HashSet<NodeId> = HashSet::new();
        for (id, node) in self.nodes() {
            let Term::Group(group) = &node.particle.term else {
                if inside.contains(&id) && node.particle.max != Some(1) {
                    return Err(broken(&node.particle.at, "cos-all-limited.2", "a part of an all group may repeat"));
                }
                continue;
            };
            if group.compositor == Compositor::All {
                if id != 0 {
                    let problem = "an all group is not the whole content";
                    return Err(broken(&node.particle.at, "cos-all-limited.1.2", problem));
                }
                if node.particle.max != Some(1) {
                    return Err(broken(&node.particle.at, "cos-all-limited.1.2", "an all group may repeat"));
                }
                inside.extend(&node.children);
            } else if inside.contains(&id) {
                return Err(broken(&node.particle.at, "cos-all-limited.2", "an all group holds another group"));
            }
        }
        Ok(())
    }

    fn add(&mut self, particle: &'a Particle, depth: usize) -> Done<Option<NodeId>> {
        if particle.max == Some(0) {
            return Ok(None);
        }
        if self.nodes.len() >= MOST_NODES {
            return Err(too_large(&particle.at, "the content model has too many particles"));
        }
        if depth > DEEPEST {
            return Err(too_large(&particle.at, "the content model nests too deep"));
        }
        let id = self.nodes.len();
        let node = Node { particle, children: Vec::new(), is_emptiable: false, round_is_emptiable: false };
        self.nodes.push(node);
        let mut children = Vec::new();
        let mut round_is_emptiable = false;
        if let Term::Group(group) = &particle.term {
            for child in group.particles.iter() {
                children.extend(self.add(child, depth + 1)?);
            }
            let mut emptiable = children.iter().map(|child| self.node(*child).is_emptiable);
            round_is_emptiable = match group.compositor {
                Compositor::Sequence | Compositor::All => emptiable.all(|emptiable| emptiable),
                Compositor::Choice => children.is_empty() || emptiable.any(|emptiable| emptiable),
            };
        }
        let node = self.nodes.get_mut(id).expect("it was added above");
        node.children = children;
        node.is_emptiable = particle.min == 0 || round_is_emptiable;
        node.round_is_emptiable = round_is_emptiable;
        Ok(Some(id))
    }
}

impl Node<'_> {
    /// It may come more than once.
    pub(super) fn repeats(&self) -> bool {
        self.particle.max != Some(1)
    }

    /// After a round of it either another must follow or none may: which of them, the number of rounds tells.
    pub(super) fn is_counted(&self) -> bool {
        self.particle.max == Some(self.particle.min) && !self.round_is_emptiable
    }
}
