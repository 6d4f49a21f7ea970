//! Open elements, and the path to where we are.

use super::Judge;
use crate::xsd::plan::{NOWHERE, NodeId};
use crate::xsd::tables::{ANY_TYPE, NameId, StateId, TypeId};

/// An open element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) mode: Mode,
    pub(super) type_id: TypeId,
    /// Its place in the content model of its type.
    pub(super) state: StateId,
    /// How often in a row the element seen last has come.
    pub(super) count: u32,
    /// Its name, if the schema has it.
    pub(super) name: Option<NameId>,
    /// Which of its kind it is, from 1; 0 where there is but one.
    pub(super) ordinal: u64,
    /// Where its counters begin.
    pub(super) counters: u32,
    pub(super) node: NodeId,
    /// The declaration, for its default and fixed value.
    pub(super) element: Option<u32>,
    /// The offset of its start tag.
    pub(super) from: u64,
    /// A finding lies inside.
    pub(super) unsound: bool,
    /// It has any text at all.
    pub(super) has_text: bool,
    /// Text where none may stand has been reported.
    pub(super) text_reported: bool,
    /// A finding about its content waits for its end.
    pub(super) waits: bool,
}

/// How the content of an open element is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// By a content model.
    Model {
        mixed: bool,
    },
    /// By a content model through which there may be many ways at once.
    Ways {
        mixed: bool,
    },
    /// By a content model that has been left: children are recognised by name, in any order.
    Loose {
        mixed: bool,
    },
    Simple,
    /// By the text the schema fixes for content that could be mixed.
    Fixed,
    Empty,
    /// Nothing may stand here, since it is nil.
    Nil,
    /// As anyType.
    Any,
    /// Not at all: nothing is known of it.
    Skip,
}

impl Judge<'_> {
    /// The path of the innermost open element that the schema knows.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        let known = self.frames.iter().map_while(|frame| Some((frame.name?, frame.ordinal)));
        for (name, ordinal) in known {
            path.push('/');
            path.push_str(&self.shown(name));
            if ordinal > 0 {
                path.push_str(&format!("[{ordinal}]"));
            }
        }
        path
    }

    pub(super) fn shown(&self, name: NameId) -> String {
        String::from_utf8_lossy(self.schema().local_name(name)).into_owned()
    }

    /// The frame of an element of which nothing is known.
    #[inline]
    pub(super) fn blank(&self, from: u64) -> Frame {
        Frame {
            mode: Mode::Skip,
            type_id: ANY_TYPE,
            state: 0,
            count: 0,
            name: None,
            ordinal: 0,
            counters: self.counters.len() as u32,
            node: NOWHERE,
            element: None,
            from,
            unsound: false,
            has_text: false,
            text_reported: false,
            waits: false,
        }
    }
}
