//! Attributes of schema documents that say yes or no, and sets of derivations.

use super::{At, Builder};
use crate::xsd::components::Derivations;
use crate::xsd::document::words;

/// What `#all` stands for, and what of a default counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// `block` of elements.
    Blocks,
    /// `final` of elements, `final` and `block` of complex types.
    Complex,
    /// `final` of simple types.
    Simple,
}

impl Builder<'_> {
    pub(super) fn flag(&self, at: At, attribute: &str) -> bool {
        matches!(self.node(at).attribute(attribute), Some("true" | "1"))
    }

    /// The set an attribute names, or else the default of the document.
    pub(super) fn derivations(&self, at: At, attribute: &str, among: Among) -> Derivations {
        let default = if attribute == "block" { "blockDefault" } else { "finalDefault" };
        let root = At { document: at.document, node: 0 };
        let written = self.node(at).attribute(attribute).or(self.node(root).attribute(default));
        among.read(written.unwrap_or_default())
    }
}

impl Among {
    fn read(self, written: &str) -> Derivations {
        let names = |name: &str| written == "#all" || words(written).any(|word| word == name);
        Derivations {
            extension: self != Self::Simple && names("extension"),
            restriction: names("restriction"),
            substitution: self == Self::Blocks && names("substitution"),
            list: self == Self::Simple && names("list"),
            union: self == Self::Simple && names("union"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_what_the_place_has_room_for() {
        let restriction = Derivations { restriction: true, ..Derivations::default() };
        let complex = Derivations { extension: true, ..restriction };
        assert_eq!(Among::Complex.read("#all"), complex);
        assert_eq!(Among::Blocks.read("#all"), Derivations { substitution: true, ..complex });
        assert_eq!(Among::Simple.read("#all"), Derivations { list: true, union: true, ..restriction });
        assert_eq!(Among::Complex.read("list restriction"), restriction);
        assert_eq!(Among::Simple.read(""), Derivations::default());
    }
}
