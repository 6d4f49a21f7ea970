//! Whether one type derives from another (cos-ct-derived-ok, cos-st-derived-ok).

use std::collections::HashSet;

use crate::xsd::components::{ANY_SIMPLE_TYPE, ANY_TYPE, Components, Derivation, Derivations, TypeDefinition, TypeId};
use crate::xsd::datatypes::Variety;

impl Derivations {
    /// Tells whether a way to derive a complex type is among them.
    pub(in crate::xsd) fn contain(self, derivation: Derivation) -> bool {
        match derivation {
            Derivation::Extension => self.extension,
            Derivation::Restriction => self.restriction,
        }
    }

    /// Tells whether the two sets share a way.
    pub(in crate::xsd) fn meet(self, other: Self) -> bool {
        self.extension && other.extension
            || self.restriction && other.restriction
            || self.substitution && other.substitution
            || self.list && other.list
            || self.union && other.union
    }

    /// Tells whether all of them are among others.
    pub(in crate::xsd) fn are_within(self, others: Self) -> bool {
        self.and(others) == others
    }

    /// Those in either set.
    pub(in crate::xsd) fn and(self, other: Self) -> Self {
        Self {
            extension: self.extension || other.extension,
            restriction: self.restriction || other.restriction,
            substitution: self.substitution || other.substitution,
            list: self.list || other.list,
            union: self.union || other.union,
        }
    }
}

impl Components {
    /// Tells whether a type derives from another without the ways of `blocked`; every type derives from itself.
    pub(in crate::xsd) fn derives(&self, derived: TypeId, base: TypeId, blocked: Derivations) -> bool {
        let mut at = derived;
        while at != base {
            let TypeDefinition::Complex(complex) = self.type_of(at) else {
                return self.derives_simply(at, base, blocked);
            };
            if at == ANY_TYPE || blocked.contain(complex.derivation) {
                return false;
            }
            at = complex.base;
        }
        true
    }

    /// The same for a simple type, which may also be a member of a union, or of a member of it.
    fn derives_simply(&self, derived: TypeId, base: TypeId, blocked: Derivations) -> bool {
        if blocked.restriction {
            return derived == base;
        }
        let mut bases = vec![base];
        let mut seen = HashSet::new();
        while let Some(base) = bases.pop() {
            if !seen.insert(base) {
                continue;
            }
            if self.ancestors(derived).any(|ancestor| ancestor == base) {
                return true;
            }
            bases.extend(self.union_members(base));
        }
        false
    }

    /// A type, its base, the base of that and so on up to anyType.
    pub(in crate::xsd) fn ancestors(&self, type_id: TypeId) -> impl Iterator<Item = TypeId> {
        let base = |at: &TypeId| match *at {
            ANY_TYPE => None,
            ANY_SIMPLE_TYPE => Some(ANY_TYPE),
            _ => Some(self.type_of(*at).base()),
        };
        std::iter::successors(Some(type_id), base)
    }

    /// The way a type is derived from its base.
    pub(in crate::xsd) fn way(&self, type_id: TypeId) -> Derivations {
        let none = Derivations::default();
        match self.type_of(type_id) {
            TypeDefinition::Complex(complex) => match complex.derivation {
                Derivation::Extension => Derivations { extension: true, ..none },
                Derivation::Restriction => Derivations { restriction: true, ..none },
            },
            TypeDefinition::Simple(simple) => match (simple.base, simple.simple.variety()) {
                (ANY_SIMPLE_TYPE, Variety::List(_)) => Derivations { list: true, ..none },
                (ANY_SIMPLE_TYPE, Variety::Union(_)) => Derivations { union: true, ..none },
                _ => Derivations { restriction: true, ..none },
            },
        }
    }

    /// The member types of a union; of any other type none.
    fn union_members(&self, type_id: TypeId) -> &[TypeId] {
        match self.type_of(type_id) {
            TypeDefinition::Simple(simple) if matches!(simple.simple.variety(), Variety::Union(_)) => &simple.parts,
            TypeDefinition::Simple(_) | TypeDefinition::Complex(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::rules::sample::Sample;

    const NONE: Derivations =
        Derivations { extension: false, restriction: false, substitution: false, list: false, union: false };

    #[test]
    fn complex_types_derive_by_what_is_not_blocked() {
        let mut sample = Sample::default();
        let base = sample.complex("base", ANY_TYPE, Derivation::Restriction);
        let longer = sample.complex("longer", base, Derivation::Extension);
        let shorter = sample.complex("shorter", longer, Derivation::Restriction);
        let all = &sample.components;
        for (derived, of) in [(shorter, longer), (shorter, base), (shorter, ANY_TYPE), (longer, longer)] {
            assert!(all.derives(derived, of, NONE), "{derived} from {of}");
        }
        assert!(!all.derives(base, longer, NONE));
        let extension = Derivations { extension: true, ..NONE };
        let restriction = Derivations { restriction: true, ..NONE };
        assert!(all.derives(shorter, longer, extension));
        assert!(!all.derives(shorter, base, extension));
        assert!(!all.derives(shorter, longer, restriction));
        assert!(all.derives(longer, base, restriction));
        assert!(all.derives(base, base, extension.and(restriction)));
        assert_eq!(all.ancestors(shorter).collect::<Vec<_>>(), [shorter, longer, base, ANY_TYPE]);
    }

    #[test]
    fn simple_types_derive_from_unions_they_are_members_of() {
        let mut sample = Sample::default();
        let token = sample.atomic("token", ANY_SIMPLE_TYPE);
        let code = sample.atomic("code", token);
        let list = sample.list("list", token);
        let inner = sample.union("inner", &[token, list]);
        let outer = sample.union("outer", &[inner]);
        let simple = sample.complex("simple", code, Derivation::Extension);
        let all = &sample.components;
        for (derived, of) in
            [(code, token), (code, outer), (list, outer), (inner, outer), (list, ANY_TYPE), (simple, inner)]
        {
            assert!(all.derives(derived, of, NONE), "{derived} from {of}");
        }
        assert!(!all.derives(token, code, NONE));
        assert!(!all.derives(list, token, NONE));
        assert!(!all.derives(outer, inner, NONE));
        assert!(!all.derives(code, outer, Derivations { restriction: true, ..NONE }));
    }
}
