//! Sets of namespaces: which holds which, what two have in common, what they make together (section 3.10.6).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::xsd::components::{Namespaces, Wildcard};

impl Namespaces {
    /// Tells whether every namespace of it is one of another's (cos-ns-subset).
    pub(in crate::xsd) fn is_subset(&self, of: &Self) -> bool {
        match (self, of) {
            (_, Self::Any) => true,
            (Self::Not(ours), Self::Not(theirs)) => ours == theirs,
            (Self::These(ours), of) => ours.iter().all(|namespace| of.admit(namespace)),
            (Self::Any | Self::Not(_), _) => false,
        }
    }

    /// What is in both (cos-aw-intersect); `None` where no set can say it.
    pub(in crate::xsd) fn intersection(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, set) | (set, Self::Any) => Some(set.clone()),
            (Self::Not(one), Self::Not(two)) => match (one.is_empty(), two.is_empty()) {
                (true, _) => Some(other.clone()),
                (_, true) => Some(self.clone()),
                (false, false) => (one == two).then(|| self.clone()),
            },
            (Self::These(names), set) | (set, Self::These(names)) => {
                Some(Self::These(names.iter().filter(|name| set.admit(name)).cloned().collect()))
            }
        }
    }

    /// What is in either (cos-aw-union); `None` where no set can say it.
    pub(in crate::xsd) fn union(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => Some(Self::Any),
            (Self::Not(one), Self::Not(two)) if one == two => Some(self.clone()),
            (Self::Not(_), Self::Not(_)) => Some(Self::Not("".into())),
            (Self::These(one), Self::These(two)) => Some(Self::These(one.union(two).cloned().collect())),
            (Self::Not(excepted), Self::These(names)) | (Self::These(names), Self::Not(excepted)) => {
                filled(excepted, names)
            }
        }
    }
}

impl Wildcard {
    /// The one that admits what both do, as strict as the first.
    pub(in crate::xsd) fn intersection(&self, other: &Self) -> Option<Self> {
        let namespaces = self.namespaces.intersection(&other.namespaces)?;
        Some(Self { namespaces, process: self.process })
    }

    /// The one that admits what either does, as strict as the first.
    pub(in crate::xsd) fn union(&self, other: &Self) -> Option<Self> {
        let namespaces = self.namespaces.union(&other.namespaces)?;
        Some(Self { namespaces, process: self.process })
    }
}

/// All but a namespace and none, and with them some names.
fn filled(excepted: &Arc<str>, names: &BTreeSet<Arc<str>>) -> Option<Namespaces> {
    match (names.contains(""), !excepted.is_empty() && names.contains(excepted)) {
        (true, true) => Some(Namespaces::Any),
        (true, false) if excepted.is_empty() => Some(Namespaces::Any),
        (true, false) => None,
        (false, true) => Some(Namespaces::Not("".into())),
        (false, false) => Some(Namespaces::Not(Arc::clone(excepted))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not(name: &str) -> Namespaces {
        Namespaces::Not(name.into())
    }

    fn these(names: &[&str]) -> Namespaces {
        Namespaces::These(names.iter().map(|name| Arc::from(*name)).collect())
    }

    fn samples() -> Vec<Namespaces> {
        let sets = [&[][..], &[""], &["a"], &["b"], &["a", ""], &["a", "b"], &["a", "b", "c", ""]];
        let mut samples: Vec<_> = sets.into_iter().map(these).collect();
        samples.extend([Namespaces::Any, not(""), not("a"), not("b")]);
        samples
    }

    const NAMES: [&str; 5] = ["", "a", "b", "c", "d"];

    #[test]
    fn sets_admit_what_their_parts_do() {
        for one in samples() {
            for two in samples() {
                let both = NAMES.map(|name| one.admit(name) && two.admit(name));
                let either = NAMES.map(|name| one.admit(name) || two.admit(name));
                if let Some(set) = one.intersection(&two) {
                    assert_eq!(NAMES.map(|name| set.admit(name)), both, "{one:?} {two:?} {set:?}");
                }
                if let Some(set) = one.union(&two) {
                    assert_eq!(NAMES.map(|name| set.admit(name)), either, "{one:?} {two:?} {set:?}");
                }
                if one.is_subset(&two) {
                    assert_eq!(NAMES.map(|name| one.admit(name)), both, "{one:?} {two:?}");
                }
            }
        }
    }

    #[test]
    fn some_sets_cannot_be_said() {
        assert_eq!(not("a").intersection(&not("b")), None);
        assert_eq!(not("a").union(&these(&[""])), None);
        assert_eq!(not("a").union(&these(&["", "a"])), Some(Namespaces::Any));
        assert_eq!(not("a").union(&these(&["a"])), Some(not("")));
        assert_eq!(not("a").intersection(&not("")), Some(not("a")));
        assert_eq!(not("a").union(&not("b")), Some(not("")));
    }

    #[test]
    fn a_negation_is_part_of_the_same_negation_only() {
        assert!(not("a").is_subset(&not("a")));
        assert!(not("a").is_subset(&Namespaces::Any));
        // True of the namespaces, but the recommendation compares the names.
        assert!(!not("a").is_subset(&not("")));
        assert!(these(&["b"]).is_subset(&not("a")));
        assert!(!these(&["b", ""]).is_subset(&not("a")));
    }
}
