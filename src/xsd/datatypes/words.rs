//! Lists, judged word by word: of a list that nobody asks for nothing is kept but how it goes.

use std::sync::Arc;

use super::Broken;
use super::builtins::NoPrefixes;
use super::simple::SimpleType;

/// The words of a list that have come.
#[derive(Debug, Default)]
pub(in crate::xsd) struct Words {
    item: Option<Arc<SimpleType>>,
    count: u64,
    broken: Option<Broken>,
}

impl Words {
    /// None yet, each of which is to be of a type that names nothing.
    pub(super) fn new(item: &Arc<SimpleType>) -> Self {
        Self { item: Some(Arc::clone(item)), count: 0, broken: None }
    }

    /// Judges the next word, unless one before it was broken.
    pub(in crate::xsd) fn take(&mut self, word: &str) {
        self.count += 1;
        let Some(item) = self.item.as_ref().filter(|_| self.broken.is_none()) else { return };
        if !item.surely(word.as_bytes()) {
            self.broken = item.value(word, &NoPrefixes).err();
        }
    }

    /// Takes note that the next word is not judged.
    pub(in crate::xsd) fn refuse(&mut self, broken: Broken) {
        self.count += 1;
        self.broken.get_or_insert(broken);
    }

    /// How many there were, if all are sound.
    pub(in crate::xsd) fn finish(self) -> Result<u64, Broken> {
        self.broken.map_or(Ok(self.count), Err)
    }
}
