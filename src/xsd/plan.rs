//! Which elements somebody wants to hear of.

use std::sync::Arc;

use super::error::PlanError;
use super::rails::Rails;
use super::tables::{AttributeUse, Content, ElementId, NameId, Schema, Type};
use crate::xml::Namespace;

/// An element to hear of; its index in the list given to [`Plan::new`] is its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Local names from the root: `/ServiceOwner/Prefill/Reportee/Id`, or `/DataBatch/@batchReference`.
    pub path: &'static str,
    /// What to hear.
    pub kind: WatchKind,
}

/// What to hear of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchKind {
    /// Where it begins and ends.
    Element,
    /// Its text, when it ends; only for elements of simple content and attributes.
    Value,
    /// Also its text, piece by piece and however long, where somebody wants it; only for elements of simple content.
    Text,
}

/// A schema with the watches set on it.
#[derive(Debug)]
pub struct Plan {
    pub(super) schema: Arc<Schema>,
    pub(super) rails: Rails,
    nodes: Vec<Node>,
}

pub(super) type NodeId = u32;
/// No watch here or below.
pub(super) const NOWHERE: NodeId = 0;
/// The document itself.
pub(super) const DOCUMENT: NodeId = 1;

#[derive(Debug, Default)]
struct Node {
    /// Where each name leads, as far as any leads anywhere.
    children: Vec<NodeId>,
    watches: Vec<(usize, WatchKind)>,
    /// Watched attributes by their local names; they have no namespace.
    attributes: Vec<(usize, &'static str)>,
}

impl Plan {
    /// Sets watches on a schema; a path that it does not have is an error.
    pub fn new(schema: Arc<Schema>, watches: &[Watch]) -> Result<Self, PlanError> {
        let rails = Rails::of(&schema);
        let mut plan = Self { schema, rails, nodes: vec![Node::default(), Node::default()] };
        for (index, watch) in watches.iter().enumerate() {
            plan.set(index, *watch)?;
        }
        Ok(plan)
    }

    /// The schema judged by.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    fn set(&mut self, index: usize, watch: Watch) -> Result<(), PlanError> {
        let schema = Arc::clone(&self.schema);
        let (path, attribute) = match watch.path.rsplit_once("/@") {
            Some((path, attribute)) => (path, Some(attribute)),
            None => (watch.path, None),
        };
        let mut reached: Vec<(NodeId, Option<ElementId>)> = vec![(DOCUMENT, None)];
        for step in path.trim_start_matches('/').split('/') {
            let mut next = Vec::new();
            for (node, element) in reached {
                for (name, child) in children_of(&schema, element) {
                    if schema.local_name(name) == step.as_bytes() {
                        next.push((self.child_or_new(node, name), Some(child)));
                    }
                }
            }
            if next.is_empty() {
                return Err(PlanError::NoSuchPath { path: watch.path.to_owned(), step: step.to_owned() });
            }
            reached = next;
        }
        match attribute {
            Some(attribute) => self.watch_attribute(index, watch, attribute, &reached),
            None => self.watch_element(index, watch, &reached),
        }
    }

    fn watch_element(
        &mut self,
        index: usize,
        watch: Watch,
        reached: &[(NodeId, Option<ElementId>)],
    ) -> Result<(), PlanError> {
        for (node, element) in reached {
            let has_value = self.type_of(*element).is_some_and(|found| matches!(found.content, Content::Simple(_)));
            if watch.kind != WatchKind::Element && !has_value {
                return Err(PlanError::NoValue { path: watch.path.to_owned() });
            }
            if let Some(node) = self.nodes.get_mut(*node as usize) {
                node.watches.push((index, watch.kind));
            }
        }
        Ok(())
    }

    fn watch_attribute(
        &mut self,
        index: usize,
        watch: Watch,
        attribute: &'static str,
        reached: &[(NodeId, Option<ElementId>)],
    ) -> Result<(), PlanError> {
        for (node, element) in reached {
            let is_it = |used: &AttributeUse| used.namespace == Namespace::NONE && *used.local == *attribute.as_bytes();
            if !self.type_of(*element).is_some_and(|found| found.attributes.iter().any(is_it)) {
                let step = format!("@{attribute}");
                return Err(PlanError::NoSuchPath { path: watch.path.to_owned(), step });
            }
            if let Some(node) = self.nodes.get_mut(*node as usize) {
                node.attributes.push((index, attribute));
            }
        }
        Ok(())
    }

    fn type_of(&self, element: Option<ElementId>) -> Option<&Type> {
        let element = element.and_then(|id| self.schema.element(id))?;
        self.schema.type_of(element.type_id)
    }

    fn child_or_new(&mut self, node: NodeId, name: NameId) -> NodeId {
        let child = self.child(node, name);
        if child != NOWHERE {
            return child;
        }
        let new = self.nodes.len() as NodeId;
        if let Some(Node { children, .. }) = self.nodes.get_mut(node as usize) {
            children.resize(children.len().max(name as usize + 1), NOWHERE);
            if let Some(child) = children.get_mut(name as usize) {
                *child = new;
            }
        }
        self.nodes.push(Node::default());
        new
    }

    /// Where a child element leads.
    #[inline]
    pub(super) fn child(&self, node: NodeId, name: NameId) -> NodeId {
        // The node that is nowhere has no children either.
        let child = self.nodes.get(node as usize).and_then(|node| node.children.get(name as usize));
        child.copied().unwrap_or(NOWHERE)
    }

    /// How many watches are set, all together.
    pub(super) fn watches_total(&self) -> usize {
        self.nodes.iter().map(|node| node.watches.len() + node.attributes.len()).sum()
    }

    /// The watches at a node.
    #[inline]
    pub(super) fn watches(&self, node: NodeId) -> &[(usize, WatchKind)] {
        self.nodes.get(node as usize).map_or(&[], |node| &node.watches)
    }

    /// The watched attributes of a node's element.
    pub(super) fn attributes(&self, node: NodeId) -> &[(usize, &'static str)] {
        self.nodes.get(node as usize).map_or(&[], |node| &node.attributes)
    }
}

fn children_of(schema: &Schema, element: Option<ElementId>) -> Vec<(NameId, ElementId)> {
    match element {
        None => schema.global_elements.iter().map(|(name, element)| (*name, *element)).collect(),
        Some(element) => {
            let found = schema.element(element).and_then(|element| schema.type_of(element.type_id));
            let children = found.map_or(&[][..], |found| &found.children);
            children.iter().map(|child| (child.name, child.element)).collect()
        }
    }
}
