//! What a schema says of the elements on a path: whether they may repeat, and whether documents stay valid when what stands
//! beside them is cut away. Where it cannot be told for certain, the answer is the careful one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::datatypes::SimpleType;
use super::tables::{Content, Edge, ElementId, NO_COUNTING, Schema, StateId, UNBOUNDED};
use crate::xml::Namespace;

/// An element on a path, as the content of the one above it lets it stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathStep {
    /// It may stand there more than once.
    pub repeats: bool,
    /// The content may end behind the first of them: nothing must follow, and no second one.
    pub may_end: bool,
    /// Whatever stands between two of them may be left out, and so may any of them.
    pub may_skip: bool,
}

impl Schema {
    /// The namespaces of the document roots of a local name.
    pub fn root_namespaces(&self, local: &str) -> Vec<&str> {
        let roots = self.global_elements.keys().filter_map(|name| self.names.get(*name as usize));
        let mut found: Vec<&str> = roots
            .filter(|name| *name.local == *local.as_bytes())
            .map(|name| self.namespace_name(name.namespace))
            .collect();
        found.sort_unstable();
        found
    }

    /// Every element of a path below the root, in order; `None` when the schema has no such path.
    pub fn path_steps(&self, path: &str) -> Option<Vec<PathStep>> {
        let mut names = path.trim_start_matches('/').split('/');
        let mut reached = self.roots(names.next()?);
        let mut steps = Vec::new();
        for name in names {
            steps.push(self.step(&reached, name));
            reached = self.below(&reached, name);
        }
        (!reached.is_empty()).then_some(steps)
    }

    /// Tells whether, in the element of a path, one child may stand somewhere behind another.
    pub fn may_follow(&self, path: &str, first: &str, other: &str) -> bool {
        self.at(path).iter().any(|element| {
            let behind = self.targets(&self.all_states(*element), first);
            self.edges(&self.reachable(behind)).any(|edge| is_named(edge, other))
        })
    }

    /// Tells whether the value at a path, an attribute's or an element's, may be a text.
    pub fn value_may_be(&self, path: &str, text: &str) -> bool {
        let values = match path.rsplit_once("/@") {
            Some((path, attribute)) => self.attribute_types(path, attribute),
            None => self.at(path).iter().filter_map(|element| self.simple_content(*element)).collect(),
        };
        !values.is_empty() && values.iter().all(|simple| simple.value(text, &super::value::NoPrefixes).is_ok())
    }

    fn attribute_types(&self, path: &str, attribute: &str) -> Vec<&Arc<SimpleType>> {
        let types = self.at(path).into_iter().filter_map(|id| self.type_of(self.element(id)?.type_id));
        let uses = types.flat_map(|found| &found.attributes);
        let named = uses.filter(|used| used.namespace == Namespace::NONE && *used.local == *attribute.as_bytes());
        named.filter_map(|used| self.simple(used.simple)).collect()
    }

    fn namespace_name(&self, namespace: Namespace) -> &str {
        // Before the list the tokenizer was given stand none and that of `xml`.
        let index = namespace.index().and_then(|index| index.checked_sub(2));
        index.and_then(|index| self.namespaces.get(index)).map_or("", String::as_str)
    }

    fn roots(&self, local: &str) -> Vec<ElementId> {
        let of_name = self.global_elements.iter().filter(|(name, _)| self.local_name(**name) == local.as_bytes());
        of_name.map(|(_, element)| *element).collect()
    }

    fn at(&self, path: &str) -> Vec<ElementId> {
        let mut names = path.trim_start_matches('/').split('/');
        let roots = self.roots(names.next().unwrap_or_default());
        names.fold(roots, |reached, name| self.below(&reached, name))
    }

    fn below(&self, parents: &[ElementId], local: &str) -> Vec<ElementId> {
        let types = parents.iter().filter_map(|id| self.type_of(self.element(*id)?.type_id));
        let children = types.flat_map(|found| &found.children);
        children.filter(|child| self.local_name(child.name) == local.as_bytes()).map(|child| child.element).collect()
    }

    fn step(&self, parents: &[ElementId], local: &str) -> PathStep {
        let each = parents.iter().map(|parent| self.step_in(*parent, local));
        each.fold(PathStep { repeats: false, may_end: true, may_skip: true }, |all, one| PathStep {
            repeats: all.repeats || one.repeats,
            may_end: all.may_end && one.may_end,
            may_skip: all.may_skip && one.may_skip,
        })
    }

    fn step_in(&self, parent: ElementId, local: &str) -> PathStep {
        let places = self.targets(&self.all_states(parent), local);
        let mut step = PathStep { repeats: false, may_end: true, may_skip: true };
        for place in &places {
            let (edges, Some(state)) = self.edges_of(*place) else { continue };
            let later = self.reachable(BTreeSet::from([*place]));
            let again = self.edges(&later).any(|edge| is_named(edge, local));
            let at_once = edges.iter().any(|edge| is_named(edge, local));
            step.repeats |= again;
            // Counted groups: how often they came is told by what is cut away, too.
            step.may_end &= state.accepting && state.min <= 1 && state.leaving == NO_COUNTING;
            // Two places of the same element, one of them with a highest number, may together take more than one alone.
            let is_open = state.max == UNBOUNDED || places.len() == 1;
            step.may_skip &= !again || (at_once && is_open);
        }
        step
    }

    fn simple_content(&self, element: ElementId) -> Option<&Arc<SimpleType>> {
        match self.type_of(self.element(element)?.type_id)?.content {
            Content::Simple(simple) => self.simple(simple),
            Content::Empty | Content::Elements { .. } | Content::Any => None,
        }
    }

    /// Every state of an element's content.
    fn all_states(&self, element: ElementId) -> BTreeSet<StateId> {
        let found = self.element(element).and_then(|element| self.type_of(element.type_id));
        match found.map(|found| found.content) {
            Some(Content::Elements { start, .. }) => self.reachable(BTreeSet::from([start])),
            Some(Content::Empty | Content::Simple(_) | Content::Any) | None => BTreeSet::new(),
        }
    }

    /// The states and all that come after them.
    fn reachable(&self, from: BTreeSet<StateId>) -> BTreeSet<StateId> {
        let mut open: Vec<StateId> = from.iter().copied().collect();
        let mut seen = from;
        while let Some(at) = open.pop() {
            let (edges, Some(state)) = self.edges_of(at) else { continue };
            let any = self.any_edges_of(state).iter().map(|edge| edge.target);
            for target in edges.iter().map(|edge| edge.target).chain(any) {
                if seen.insert(target) {
                    open.push(target);
                }
            }
        }
        seen
    }

    fn edges<'a>(&'a self, states: &'a BTreeSet<StateId>) -> impl Iterator<Item = &'a Edge> {
        states.iter().flat_map(|state| self.edges_of(*state).0)
    }

    fn targets(&self, states: &BTreeSet<StateId>, local: &str) -> BTreeSet<StateId> {
        self.edges(states).filter(|edge| is_named(edge, local)).map(|edge| edge.target).collect()
    }
}

fn is_named(edge: &Edge, local: &str) -> bool {
    *edge.local == *local.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::SchemaDocument;

    /// The schema of `/Batch` with the given content.
    fn schema(content: &str) -> Schema {
        let text = format!(
            "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:b'><xs:element name='Batch'>\
             <xs:complexType>{content}</xs:complexType></xs:element></xs:schema>"
        );
        Schema::compile(&[SchemaDocument { name: "b.xsd", bytes: text.as_bytes() }]).unwrap()
    }

    fn line(content: &str) -> [bool; 3] {
        let steps = schema(content).path_steps("/Batch/Line").unwrap();
        let [PathStep { repeats, may_end, may_skip }] = steps[..] else { panic!("one step") };
        [repeats, may_end, may_skip]
    }

    #[test]
    fn a_list_can_be_cut_anywhere() {
        for content in [
            "<xs:sequence><xs:element name='Line' maxOccurs='unbounded'/></xs:sequence>",
            "<xs:sequence><xs:element name='Line' maxOccurs='9'/></xs:sequence>",
            "<xs:sequence><xs:element name='Head'/><xs:element name='Line' minOccurs='0' maxOccurs='unbounded'/>\
             <xs:element name='Note' minOccurs='0'/></xs:sequence>",
            "<xs:choice maxOccurs='unbounded'><xs:element name='Line'/><xs:element name='Note'/></xs:choice>",
        ] {
            assert_eq!(line(content), [true, true, true], "{content}");
        }
        let once = "<xs:sequence><xs:element name='Line'/></xs:sequence>";
        assert_eq!(line(once), [false, true, true]);
    }

    #[test]
    fn what_must_stand_behind_or_between_is_seen() {
        let sequence = |inner: &str| format!("<xs:sequence>{inner}</xs:sequence>");
        let lines = "<xs:element name='Line' maxOccurs='unbounded'/>";
        assert_eq!(line(&sequence(&format!("{lines}<xs:element name='Sum'/>"))), [true, false, true]);
        let two = "<xs:element name='Line' minOccurs='2' maxOccurs='5'/>";
        assert!(!line(&sequence(two))[1]);
        let pairs =
            "<xs:sequence maxOccurs='unbounded'><xs:element name='Note'/><xs:element name='Line'/></xs:sequence>";
        assert_eq!(line(pairs), [true, true, false]);
        let after =
            "<xs:sequence maxOccurs='unbounded'><xs:element name='Line'/><xs:element name='Note'/></xs:sequence>";
        assert_eq!(line(after), [true, false, false]);
        let twice = "<xs:element name='Line' maxOccurs='3'/><xs:element name='Note' minOccurs='0'/>\
                     <xs:element name='Line' minOccurs='0' maxOccurs='3'/>";
        assert!(compiles(&sequence(twice)).is_none_or(|schema| !schema.path_steps("/Batch/Line").unwrap()[0].may_skip));
    }

    fn compiles(content: &str) -> Option<Schema> {
        let text = format!(
            "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='Batch'>\
             <xs:complexType>{content}</xs:complexType></xs:element></xs:schema>"
        );
        Schema::compile(&[SchemaDocument { name: "b.xsd", bytes: text.as_bytes() }]).ok()
    }

    #[test]
    fn roots_order_and_values_are_told() {
        let schema = schema(
            "<xs:sequence><xs:element name='Line' type='xs:string' xmlns:xs='http://www.w3.org/2001/XMLSchema'/>\
             <xs:element name='Sum' type='xs:int'/></xs:sequence><xs:attribute name='n' type='xs:int'/>",
        );
        assert_eq!(schema.root_namespaces("Batch"), ["urn:b"]);
        assert!(schema.root_namespaces("Line").is_empty() && schema.path_steps("/Batch/No").is_none());
        assert!(schema.may_follow("/Batch", "Line", "Sum") && !schema.may_follow("/Batch", "Sum", "Line"));
        assert!(schema.value_may_be("/Batch/@n", "12") && !schema.value_may_be("/Batch/@n", "x"));
        assert!(schema.value_may_be("/Batch/Line", "x") && !schema.value_may_be("/Batch/Sum", "x"));
    }
}
