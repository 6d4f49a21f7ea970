//! What the lane knows of a schema: its content models once more, flat, small and ready to be compared with raw bytes.
//!
//! Only what a plain start tag can open without further thought is on the rails; everything else is left to the judge.

use super::datatypes::Builtin;
use super::tables::{Check, Content, ElementId, NameId, Schema, SimpleId, StateId, TypeId};
use crate::xml::{Namespace, word};

/// The states and edges of a schema's tables, by the same numbers.
#[derive(Debug, Default)]
pub(super) struct Rails {
    stops: Vec<Stop>,
    steps: Vec<Step>,
    /// How many namespaces have a number.
    pub(super) namespaces: usize,
}

/// A state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    first: u32,
    steps: u32,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) accepting: bool,
}

/// An edge.
#[derive(Debug)]
pub(super) struct Step {
    spelling: Spelling,
    /// The number of its namespace.
    pub(super) namespace: u32,
    pub(super) target: StateId,
    pub(super) slot: u16,
    pub(super) again: bool,
    pub(super) name: NameId,
    pub(super) element: ElementId,
    pub(super) kind: Kind,
}

/// What a plain start tag opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text(SimpleId),
    /// A value, of which its type asks something, and nothing else does.
    Value(SimpleId),
    /// Elements.
    Branch { type_id: TypeId, start: StateId, mixed: bool, slots: u16 },
    /// What the lane does not know.
    Other,
}

/// A name in words of eight bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Spelling {
    head: u64,
    /// The bits of the first word that count.
    mask: u64,
    len: u32,
    /// The words that follow; the last one ends with the name, and overlaps the one before.
    rest: Box<[u64]>,
}

const BYTES: usize = 8;
/// A longer name is left to the judge, and to the limits of XML.
const LONGEST: usize = 64;

impl Rails {
    /// The rails of a schema.
    pub(super) fn of(schema: &Schema) -> Self {
        let stop = |state: &super::tables::State| Stop {
            first: state.first_edge,
            steps: state.edges,
            min: state.min,
            max: state.max,
            accepting: state.accepting,
        };
        let step = |edge: &super::tables::Edge| {
            let (namespace, spelling) = (edge.namespace.index(), Spelling::of(&edge.local));
            let kind = if namespace.is_some() && spelling.is_some() { kind(schema, edge.element) } else { Kind::Other };
            Step {
                spelling: spelling.unwrap_or_default(),
                namespace: namespace.unwrap_or_default() as u32,
                target: edge.target,
                slot: edge.slot,
                again: edge.again,
                name: edge.name,
                element: edge.element,
                kind,
            }
        };
        Self {
            stops: schema.states.iter().map(stop).collect(),
            steps: schema.edges.iter().map(step).collect(),
            namespaces: Namespace::known(schema.namespaces.len() as u32).index().unwrap_or_default(),
        }
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

/// What the lane makes of an element without attributes.
fn kind(schema: &Schema, element: ElementId) -> Kind {
    let Some(element) = schema.element(element) else { return Kind::Other };
    let Some(found) = schema.type_of(element.type_id) else { return Kind::Other };
    if found.required > 0 || element.fixed.is_some() || element.has_default {
        return Kind::Other;
    }
    match found.content {
        Content::Simple(simple) => match schema.simple(simple) {
            Some(found) if found.check == Check::Nothing => Kind::Text(simple),
            Some(found) if found.builtin != Builtin::QName => Kind::Value(simple),
            _ => Kind::Other,
        },
        Content::Elements { start, mixed } => {
            Kind::Branch { type_id: element.type_id, start, mixed, slots: found.slots }
        }
        Content::Empty | Content::Any => Kind::Other,
    }
}

impl Step {
    /// Tells whether the name stands at a place, whatever follows it.
    #[inline(always)]
    pub(super) fn stands_at(&self, bytes: &[u8], at: usize) -> bool {
        self.spelling.stands_at(bytes, at)
    }

    /// The length of the name.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.spelling.len as usize
    }
}

impl Spelling {
    fn of(name: &[u8]) -> Option<Self> {
        if name.is_empty() || name.len() > LONGEST {
            return None;
        }
        let mut padded = name.to_vec();
        padded.resize(name.len().max(BYTES), 0);
        let kept = name.len().min(BYTES) as u32 * 8;
        let rest = (1..name.len().div_ceil(BYTES)).filter_map(|index| word(name, place(index, name.len()))).collect();
        Some(Self { head: word(&padded, 0)?, mask: u64::MAX >> (64 - kept), len: name.len() as u32, rest })
    }

    #[inline(always)]
    fn stands_at(&self, bytes: &[u8], at: usize) -> bool {
        word(bytes, at).is_some_and(|head| head & self.mask == self.head)
            && self.rest.iter().zip(1..).all(|(expected, index)| {
                word(bytes, at + place(index, self.len as usize)).is_some_and(|found| found == *expected)
            })
    }
}

/// Where a word of a name begins.
#[inline(always)]
fn place(index: usize, len: usize) -> usize {
    (index * BYTES).min(len - BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let names: Vec<String> = (1..LONGEST).map(|len| "abcdefghij".chars().cycle().take(len).collect()).collect();
        for name in &names {
            let spelling = Spelling::of(name.as_bytes()).unwrap();
            assert!(spelling.stands_at(format!("<{name}>12345678").as_bytes(), 1));
            for at in 0..name.len() {
                let mut other = name.clone().into_bytes();
                other[at] = b'-';
                other.extend_from_slice(b">12345678");
                assert!(!spelling.stands_at(&other, 0), "{name} {at}");
            }
        }
        assert!(Spelling::of(&[b'x'; LONGEST + 1]).is_none());
    }
}
