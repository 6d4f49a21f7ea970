//! What the lane knows of a schema: its content models once more, flat, small and ready to be compared with raw bytes.
//!
//! Only what a plain start tag can open without further thought is on the rails; everything else is left to the judge.

use super::datatypes::Stream;
use super::tables::{Content, ElementId, NO_COUNTING, NameId, Schema, SimpleId, StateId, Type, TypeId};
use crate::xml::{Namespace, Span};

/// The states and edges of a schema's tables, by the same numbers.
#[derive(Debug, Default)]
pub(super) struct Rails {
    stops: Vec<Stop>,
    steps: Vec<Step>,
    names: Vec<Spelling>,
    attributes: Vec<Attribute>,
    /// How many namespaces have a number.
    pub(super) namespaces: usize,
}

/// A state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    first: u32,
    steps: u32,
    pub(super) min: u32,
    max: u32,
    pub(super) accepting: bool,
}

/// An edge.
#[derive(Debug)]
pub(super) struct Step {
    /// Its own number.
    pub(super) number: u32,
    pub(super) name: NameId,
    /// The number of its namespace.
    pub(super) namespace: u32,
    /// The first word of its local part, and the bits of it that count.
    head: u64,
    mask: u64,
    pub(super) target: StateId,
    pub(super) slot: u16,
    pub(super) again: bool,
    pub(super) element: ElementId,
    pub(super) kind: Kind,
    /// Its attributes begin here.
    attributes: u32,
    most_attributes: u8,
    /// Those that must be there, as bits.
    pub(super) required: u64,
}

/// An attribute.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: Spelling,
    /// What it holds; [`Kind::Text`] or [`Kind::Value`] if the lane knows it.
    pub(super) kind: Kind,
}

/// What a start tag opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text(SimpleId),
    /// A value, of which its type asks something, and nothing else does.
    Value(SimpleId),
    /// Nothing.
    Empty,
    /// Elements.
    Branch { type_id: TypeId, start: StateId, mixed: bool, slots: u16 },
    /// What the lane does not know.
    Other,
}

/// A local name, ready to be compared with raw bytes.
#[derive(Debug)]
pub(super) struct Spelling {
    span: Span<WORDS>,
    len: u32,
    /// The number of the namespace.
    pub(super) namespace: u32,
    /// What the span has no room for.
    more: Box<[u8]>,
}

/// As many as there are bits.
const MOST_ATTRIBUTES: usize = 64;
const WORDS: usize = 4;
const BYTES: usize = 8;
/// A longer name is left to the judge, and to the limits of XML.
pub(super) const LONGEST: usize = 256;

impl Rails {
    /// The rails of a schema.
    pub(super) fn of(schema: &Schema) -> Self {
        let stop = |state: &super::tables::State| Stop {
            first: state.first_edge,
            steps: state.edges,
            min: state.min,
            max: state.max,
            accepting: state.accepting && state.leaving == NO_COUNTING,
        };
        let mut rails = Self {
            stops: schema.states.iter().map(stop).collect(),
            names: schema.names.iter().map(|name| Spelling::of(&name.local, name.namespace)).collect(),
            namespaces: Namespace::known(schema.namespaces.len() as u32).index().unwrap_or_default(),
            ..Self::default()
        };
        let ranges: Vec<(u32, u8, u64)> = schema.types.iter().map(|found| rails.attributes_of(schema, found)).collect();
        let none = Spelling::of(b"", Namespace::NONE);
        let step = |(number, edge): (usize, &super::tables::Edge)| {
            let range = schema.element(edge.element).and_then(|element| ranges.get(element.type_id as usize));
            let (attributes, most_attributes, required) = range.copied().unwrap_or_default();
            let name = rails.name(edge.name).unwrap_or(&none);
            let (head, mask) = name.span.head();
            Step {
                number: number as u32,
                name: edge.name,
                namespace: name.namespace,
                head,
                mask,
                target: edge.target,
                slot: edge.slot,
                again: edge.again,
                element: edge.element,
                kind: if edge.counting == NO_COUNTING { kind(schema, edge.element) } else { Kind::Other },
                attributes,
                most_attributes,
                required,
            }
        };
        rails.steps = schema.edges.iter().enumerate().map(step).collect();
        rails
    }

    /// Puts the attributes of a type on the rails: from where, how many, which are required.
    fn attributes_of(&mut self, schema: &Schema, found: &Type) -> (u32, u8, u64) {
        let first = self.attributes.len() as u32;
        if found.attributes.len() > MOST_ATTRIBUTES {
            // Not one is known, and where one must be there the lane cannot go on.
            return (first, 0, if found.required > 0 { u64::MAX } else { 0 });
        }
        let mut required = 0;
        for (index, used) in found.attributes.iter().enumerate() {
            required |= u64::from(used.required) << index;
            let is_fixed = used.value.as_ref().is_some_and(|given| given.is_fixed);
            let kind = if is_fixed { Kind::Other } else { value_kind(schema, used.simple) };
            self.attributes.push(Attribute { name: Spelling::of(&used.local, used.namespace), kind });
        }
        (first, found.attributes.len() as u8, required)
    }

    /// The attributes of the element a step leads to, in the order of their bits.
    #[inline]
    pub(super) fn attributes(&self, step: &Step) -> &[Attribute] {
        let first = step.attributes as usize;
        self.attributes.get(first..first + usize::from(step.most_attributes)).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn name(&self, name: NameId) -> Option<&Spelling> {
        self.names.get(name as usize)
    }

    /// How many states and steps there are.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.stops.len(), self.steps.len())
    }

    #[inline]
    pub(super) fn stop(&self, state: StateId) -> Option<&Stop> {
        self.stops.get(state as usize)
    }

    #[inline]
    pub(super) fn steps(&self, stop: &Stop) -> &[Step] {
        self.steps.get(stop.first as usize..(stop.first + stop.steps) as usize).unwrap_or_default()
    }
}

impl Stop {
    /// The place of a step among those of the state.
    #[inline(always)]
    pub(super) fn place(&self, number: u32) -> usize {
        number.wrapping_sub(self.first) as usize
    }

    /// Tells whether a step may be taken when the child seen last has come so often in a row.
    #[inline(always)]
    pub(super) fn allows(&self, step: &Step, count: u32) -> bool {
        if step.again { count < self.max } else { count >= self.min }
    }
}

/// What the lane makes of an element.
fn kind(schema: &Schema, element: ElementId) -> Kind {
    let Some(element) = schema.element(element) else { return Kind::Other };
    let Some(found) = schema.type_of(element.type_id) else { return Kind::Other };
    if element.value.is_some() || element.is_abstract || found.is_abstract || found.many_ways {
        return Kind::Other;
    }
    // Nor such as have a part in the keys of the document, by what they hold or leave out.
    let gives = found.attributes.iter().filter(|used| used.value.is_some());
    let mut gives_names = gives.map(|used| schema.simple(used.simple).is_none_or(|simple| simple.names()));
    if !element.constraints.is_empty() || gives_names.any(|names| names) {
        return Kind::Other;
    }
    match found.content {
        Content::Simple(simple) => value_kind(schema, simple),
        Content::Elements { start, mixed } => {
            Kind::Branch { type_id: element.type_id, start, mixed, slots: found.slots }
        }
        Content::Empty => Kind::Empty,
        Content::Any => Kind::Other,
    }
}

/// What the lane makes of a value.
fn value_kind(schema: &Schema, simple: SimpleId) -> Kind {
    match schema.simple(simple) {
        Some(found) if !found.names() && found.stream() == Stream::Nothing => Kind::Text(simple),
        Some(found) if !found.names() => Kind::Value(simple),
        Some(_) | None => Kind::Other,
    }
}

impl Step {
    /// Tells whether a local part that begins with such a word may be that of the step.
    #[inline(always)]
    pub(super) fn begins_as(&self, head: u64) -> bool {
        head & self.mask == self.head
    }
}

impl Spelling {
    /// A name that is too long is spelled in no way.
    fn of(local: &[u8], namespace: Namespace) -> Self {
        let never = Self { span: Span::NEVER, len: 0, namespace: 0, more: Box::default() };
        let (begin, more) = local.split_at(local.len().min(WORDS * BYTES));
        let span = Span::of(begin).filter(|_| (1..=LONGEST).contains(&local.len()));
        let (Some(namespace), Some(span)) = (namespace.index(), span) else { return never };
        Self { span, len: local.len() as u32, namespace: namespace as u32, more: more.into() }
    }

    /// What follows the name, if the bytes begin with it.
    #[inline(always)]
    pub(super) fn strip<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let here = self.span.begins(bytes)
            && (self.more.is_empty() || bytes.get(WORDS * BYTES..self.len as usize) == Some(&*self.more));
        if here { bytes.get(self.len as usize..) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for len in (1..80).chain([LONGEST]) {
            let name: Vec<u8> = b"abcdefghij".iter().cycle().take(len).copied().collect();
            let spelling = Spelling::of(&name, Namespace::NONE);
            let tag = [&name[..], b">", &[b'x'; 40]].concat();
            assert_eq!(spelling.strip(&tag), tag.get(len..));
            for at in 0..len {
                let mut other = tag.clone();
                other[at] = b'-';
                assert_eq!(spelling.strip(&other), None, "{len} {at}");
            }
        }
        assert_eq!(Spelling::of(&[b'x'; LONGEST + 1], Namespace::NONE).strip(&[b'x'; 500]), None);
    }
}
