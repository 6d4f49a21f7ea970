//! A second tokenizer inside the same open elements, for another part of the document.

use super::super::locator::{Point, Position};
use super::{Mode, Stage, TagScan, Tokenizer};
use crate::xml::encoding::Encoding;

impl Tokenizer {
    /// A tokenizer that stands at an offset, on a line and in a column called the first, with the outer elements open
    /// that are open here. Only a document in UTF-8 has such.
    pub fn branch(&self, depth: usize, offset: u64) -> Option<Self> {
        if self.transcoder.is_some() || self.at.encoding != Encoding::Utf8 || self.stage != Stage::Root {
            return None;
        }
        let mut branch = Self::new::<&str>(self.limits.clone(), &[]);
        branch.nesting = self.nesting.clone();
        while branch.nesting.depth() > depth {
            branch.nesting.pop();
        }
        branch.stage = Stage::Root;
        branch.begun = true;
        branch.at = Point { offset, sent: Position { offset, ..Position::START }, encoding: Encoding::Utf8 };
        Some(branch)
    }

    /// Tells whether it stands between two tokens, with so many elements open.
    pub fn is_between(&self, depth: usize) -> bool {
        let nothing_held = self.held.is_empty() && self.tail.is_empty() && self.transcoder.is_none();
        nothing_held && self.stage == Stage::Root && self.mode == Mode::Plain && self.nesting.depth() == depth
    }

    /// Goes to where a branch stands that began here.
    pub fn pass(&mut self, branch: &Self) {
        let Position { line, column, offset } = branch.at.sent;
        let from = self.at.sent;
        let column = if line == 1 { from.column + column - 1 } else { column };
        self.at.sent = Position { line: from.line + line - 1, column, offset };
        self.at.offset = branch.at.offset;
        self.scan = TagScan::default();
    }

    /// The name of an open element as written, counted from the outermost.
    pub fn open_name(&self, index: usize) -> Option<&[u8]> {
        self.nesting.name_of(index)
    }
}
