//! The elements that are open, and the declarations in force there.

use super::namespaces::{Mark, Scope};

/// The open elements of a document, the innermost last.
#[derive(Debug, Clone)]
pub struct Nesting {
    open: Vec<Open>,
    /// Their names as written, one after the other.
    names: Vec<u8>,
    pub(super) scope: Scope,
    most: usize,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    name: u32,
    mark: Mark,
}

impl Nesting {
    pub(super) fn new(scope: Scope, most: usize) -> Self {
        Self { open: Vec::new(), names: Vec::new(), scope, most }
    }

    /// How many are open.
    #[inline]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Tells whether one more may be opened.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.open.len() < self.most
    }

    /// The declarations in force.
    #[inline]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The name of the innermost, as written.
    #[inline]
    pub fn name(&self) -> Option<&[u8]> {
        self.open.last().and_then(|open| self.names.get(open.name as usize..))
    }

    /// The name of one, as written, counted from the outermost.
    pub(super) fn name_of(&self, index: usize) -> Option<&[u8]> {
        let from = self.open.get(index)?.name as usize;
        let to = self.open.get(index + 1).map_or(self.names.len(), |inner| inner.name as usize);
        self.names.get(from..to)
    }

    /// Opens an element that declares no namespace.
    #[inline]
    pub fn push(&mut self, name: &[u8]) {
        self.push_from(name, self.scope.mark());
    }

    /// Opens an element whose declarations began at a mark.
    #[inline]
    pub(super) fn push_from(&mut self, name: &[u8], mark: Mark) {
        self.open.push(Open { name: self.names.len() as u32, mark });
        self.names.extend_from_slice(name);
    }

    /// Closes the innermost, and ends its declarations.
    #[inline]
    pub fn pop(&mut self) {
        if let Some(open) = self.open.pop() {
            self.names.truncate(open.name as usize);
            self.scope.restore(open.mark);
        }
    }
}
