//! Which elements may stand in for which (cos-equiv-class, cos-equiv-derived-ok-rec).

use std::collections::HashMap;

use crate::xsd::components::{Components, Derivations, ElementId, TypeDefinition, TypeId};

/// The substitution groups of a schema.
#[derive(Debug, Default)]
pub(in crate::xsd) struct Substitutions {
    /// Of each head those that name it, in the order of their declaration.
    direct: HashMap<ElementId, Vec<ElementId>>,
}

impl Substitutions {
    /// Reads who names whom; the substitution groups must not be circular for the questions that follow.
    pub(in crate::xsd) fn of(components: &Components) -> Self {
        let mut direct: HashMap<_, Vec<_>> = HashMap::new();
        for (id, element) in (0..).zip(&components.elements) {
            if let Some(head) = element.substitutes {
                direct.entry(head).or_default().push(id);
            }
        }
        Self { direct }
    }

    /// The substitution group of an element: itself first, then all that may stand in for it, near ones before far.
    ///
    /// Abstract elements are among them: no document may have them, but the members behind them count.
    pub(in crate::xsd) fn group(&self, components: &Components, head: ElementId) -> Vec<ElementId> {
        let mut group = vec![head];
        if !self.direct.contains_key(&head) || components.element(head).blocked.substitution {
            return group;
        }
        let mut reached = vec![head];
        let mut next = 0;
        while let Some(at) = reached.get(next) {
            reached.extend(self.direct.get(at).into_iter().flatten());
            next += 1;
        }
        let members = reached.into_iter().skip(1).filter(|member| components.stands_in(*member, head));
        group.extend(members);
        group
    }
}

impl Components {
    /// Tells whether the type of an element is derived from that of a head of its in a way that nothing blocks: neither
    /// the head, nor its type, nor a type between.
    ///
    /// That the first belongs to the second through the heads it names is for the caller to know.
    fn stands_in(&self, member: ElementId, head: ElementId) -> bool {
        let head = self.element(head);
        let derived = self.element(member).type_id;
        let mut blocked = head.blocked.and(self.prohibited_by(head.type_id));
        let mut ways = Derivations::default();
        for at in self.ancestors(derived) {
            if at == head.type_id {
                return !ways.meet(blocked);
            }
            if at != derived {
                blocked = blocked.and(self.prohibited_by(at));
            }
            ways = ways.and(self.way(at));
        }
        // It may still be a member of a union.
        self.derives(derived, head.type_id, blocked)
    }

    /// The ways of derivation a type does not want to be substituted by.
    pub(in crate::xsd) fn prohibited_by(&self, type_id: TypeId) -> Derivations {
        match self.type_of(type_id) {
            TypeDefinition::Simple(_) => Derivations::default(),
            TypeDefinition::Complex(complex) => complex.blocked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::components::{ANY_TYPE, Derivation};
    use crate::xsd::rules::sample::Sample;

    const EXTENSION: Derivations = Derivations { extension: true, restriction: false, ..NONE };
    const SUBSTITUTION: Derivations = Derivations { substitution: true, ..NONE };
    const NONE: Derivations =
        Derivations { extension: false, restriction: false, substitution: false, list: false, union: false };

    fn group(sample: &Sample, head: ElementId) -> Vec<ElementId> {
        Substitutions::of(&sample.components).group(&sample.components, head)
    }

    #[test]
    fn members_of_members_belong_to_the_group() {
        let mut sample = Sample::default();
        let head = sample.element("head", ANY_TYPE);
        let near = sample.member("near", ANY_TYPE, head);
        let far = sample.member("far", ANY_TYPE, near);
        let other = sample.member("other", ANY_TYPE, head);
        assert_eq!(group(&sample, head), [head, near, other, far]);
        assert_eq!(group(&sample, near), [near, far]);
        assert_eq!(group(&sample, far), [far]);
    }

    #[test]
    fn what_the_head_blocks_stays_out() {
        let mut sample = Sample::default();
        let base = sample.complex("base", ANY_TYPE, Derivation::Restriction);
        let longer = sample.complex("longer", base, Derivation::Extension);
        let shorter = sample.complex("shorter", longer, Derivation::Restriction);
        let narrow = sample.complex("narrow", base, Derivation::Restriction);
        let head = sample.element("head", base);
        let members = [longer, shorter, narrow, base].map(|type_id| sample.member("member", type_id, head));
        sample.components.elements[head as usize].blocked = EXTENSION;
        assert_eq!(group(&sample, head), [head, members[2], members[3]]);
        sample.components.elements[head as usize].blocked = SUBSTITUTION;
        assert_eq!(group(&sample, head), [head]);
        sample.components.elements[head as usize].blocked = NONE;
        sample.complex_mut(longer).blocked = Derivations { restriction: true, ..NONE };
        assert_eq!(group(&sample, head), [head, members[0], members[2], members[3]]);
        sample.complex_mut(base).blocked = EXTENSION;
        assert_eq!(group(&sample, head), [head, members[2], members[3]]);
    }
}
