//! What was found in a piece of input, on its way to whoever keeps it.

use std::io;

use crate::model::{Finding, NewAttachment};
use crate::validate::index::{Index, Items};
use crate::validate::{Found, Keep};

/// What was found in a piece of input. Without `Debug`, since it may hold reportees' ids.
#[derive(Default)]
pub(in crate::validate) struct Collected {
    /// Each of as many as may be handed over at once; the last is being filled.
    items: Vec<Index>,
    pub(super) attachments: Vec<NewAttachment>,
    pub(super) findings: Vec<Finding>,
    /// Items that were found in the piece before.
    expected: usize,
}

impl Collected {
    /// Hands it over: items first, then the findings about them.
    pub(in crate::validate) fn hand_over(self, keep: &mut Keep<'_>) -> io::Result<()> {
        self.items.into_iter().try_for_each(|index| keep(Found::Items(Items::of_index(index))))?;
        for_each_chunk(self.attachments, &mut |attachments| keep(Found::Attachments(attachments)))?;
        for_each_chunk(self.findings, &mut |findings| keep(Found::Findings(findings)))
    }

    /// Takes it away; about as much is expected next.
    pub(super) fn take(&mut self) -> Self {
        let expected = self.items.iter().map(Index::len).sum();
        std::mem::replace(self, Self { expected, ..Self::default() })
    }

    /// Where the next item is entered.
    pub(super) fn index(&mut self) -> &mut Index {
        if self.items.last().is_none_or(|last| last.len() >= CHUNK) {
            let expected = self.expected.saturating_sub(self.items.len() * CHUNK);
            self.items.push(Index::with_capacity(expected.clamp(FEW, CHUNK)));
        }
        self.items.last_mut().expect("one has been pushed if there was none")
    }
}

fn for_each_chunk<T>(all: Vec<T>, keep: &mut dyn FnMut(Vec<T>) -> io::Result<()>) -> io::Result<()> {
    if all.len() <= CHUNK {
        return if all.is_empty() { Ok(()) } else { keep(all) };
    }
    let mut rest = all.into_iter();
    loop {
        let chunk: Vec<T> = rest.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        keep(chunk)?;
    }
}

const CHUNK: usize = 1_024;
/// Items there is room for at first.
const FEW: usize = 64;
