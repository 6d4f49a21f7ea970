//! Whether a content model restricts another (cos-particle-restrict, with the cases rcase-…).

use std::sync::Arc;

use super::parts::{Kind, Part, Range};
use super::{Done, Rules, broken, too_large};
use crate::xsd::components::{Compositor, ElementId, Particle, Term};

/// How many pairs of particles may be compared.
const MOST_STEPS: u64 = 50_000_000;

/// Judges the particle of a restriction by that of its base; both must have passed as a [`Model`](super::Model).
pub(super) fn check(rules: &Rules<'_>, derived: &Particle, base: &Particle) -> Done {
    let place = &derived.at;
    let (ours, theirs) = (Part::of(rules, derived)?, Part::of(rules, base)?);
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        (None, None) => return Ok(()),
        (None, Some(theirs)) if theirs.is_emptiable() => return Ok(()),
        (None, Some(_)) => {
            return Err(broken(
                place,
                "cos-particle-restrict.2",
                "it is empty, and the content of its base may not be",
            ));
        }
        (Some(_), None) => {
            return Err(broken(place, "cos-particle-restrict.2", "the content of its base is empty"));
        }
    };
    let mut comparison = Comparison { rules, steps: 0 };
    let compared = comparison.pair(&ours, &theirs);
    if comparison.steps > MOST_STEPS {
        return Err(too_large(place, "the content model is too intricate to compare with that of its base"));
    }
    compared.map_err(|mismatch| broken(&mismatch.at.at, mismatch.rule, mismatch.problem))
}

pub(super) struct Comparison<'c, 'a> {
    pub(super) rules: &'c Rules<'a>,
    pub(super) steps: u64,
}

/// Why a particle is no restriction of another.
#[derive(Clone, Copy)]
pub(super) struct Mismatch<'p> {
    pub(super) rule: &'static str,
    pub(super) problem: &'static str,
    pub(super) at: &'p Particle,
    /// The two are of one name, so this is what the author wants to know.
    pub(super) is_close: bool,
}

pub(super) type Compared<'p> = Result<(), Mismatch<'p>>;

/// A group, or what is taken for one.
struct Group<'g, 'p> {
    compositor: Compositor,
    parts: &'g [Part<'p>],
    range: Range,
    at: &'p Particle,
}

impl Comparison<'_, '_> {
    fn pair<'p>(&mut self, ours: &Part<'p>, theirs: &Part<'p>) -> Compared<'p> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return far(ours.source, "cos-particle-restrict", "there is too much to compare");
        }
        if same(ours, theirs) {
            return Ok(());
        }
        match (&ours.kind, &theirs.kind) {
            (Kind::Element(one), Kind::Element(two)) => self.name_and_type(ours, *one, theirs, *two),
            (Kind::Head(one, _), Kind::Head(two, _)) if one == two => within(ours, theirs, "rcase-NameAndTypeOK.2"),
            (Kind::Element(_), Kind::Any(wildcard)) => {
                self.compatible(ours, wildcard)?;
                within(ours, theirs, "rcase-NSCompat.2")
            }
            (Kind::Any(_), Kind::Any(wildcard)) => {
                within(ours, theirs, "rcase-NSSubset.1")?;
                self.compatible(ours, wildcard)
            }
            (Kind::Group(..) | Kind::Head(..), Kind::Any(wildcard)) => {
                self.compatible(ours, wildcard)?;
                match ours.total().is_within(theirs.range) {
                    true => Ok(()),
                    false => far(ours.source, "rcase-NSRecurseCheckCardinality.2", OFTEN),
                }
            }
            (Kind::Any(_), _) | (Kind::Group(..) | Kind::Head(..), Kind::Element(_)) => {
                far(ours.source, "cos-particle-restrict.2", KIND)
            }
            (Kind::Element(element), Kind::Group(Compositor::Choice, _)) => self.rounds(ours, *element, theirs),
            (_, Kind::Group(..) | Kind::Head(..)) => self.groups(ours, theirs),
        }
    }

    /// An element and a choice: as many rounds of the choice accept the same as rounds of the element, which the
    /// recommendation does not say, but the suite does (particlesZ001).
    fn rounds<'p>(&mut self, ours: &Part<'p>, element: ElementId, theirs: &Part<'p>) -> Compared<'p> {
        self.groups(ours, theirs).or_else(|told| {
            let once = Part { range: Range::ONCE, kind: Kind::Element(element), source: ours.source };
            let is_alike = ours.range != Range::ONCE && ours.range.is_within(theirs.range);
            if is_alike && self.groups(&once, theirs).is_ok() { Ok(()) } else { Err(told) }
        })
    }

    /// Two groups, or an element and a group, for which it is a group of the same kind (rcase-RecurseAsIfGroup).
    fn groups<'p>(&mut self, ours: &Part<'p>, theirs: &Part<'p>) -> Compared<'p> {
        let Some(theirs) = group(theirs) else { return far(ours.source, "cos-particle-restrict.2", KIND) };
        let ours = group(ours).unwrap_or(Group {
            compositor: theirs.compositor,
            parts: std::slice::from_ref(ours),
            range: Range::ONCE,
            at: ours.source,
        });
        match (ours.compositor, theirs.compositor) {
            (Compositor::All, Compositor::All) | (Compositor::Sequence, Compositor::Sequence) => {
                self.recurse(&ours, &theirs)
            }
            (Compositor::Choice, Compositor::Choice) => self.recurse_lax(&ours, &theirs),
            (Compositor::Sequence, Compositor::All) => self.recurse_unordered(&ours, &theirs),
            (Compositor::Sequence, Compositor::Choice) => self.map_and_sum(&ours, &theirs),
            (Compositor::All | Compositor::Choice, _) => far(ours.at, "cos-particle-restrict.2", KIND),
        }
    }

    /// Each of our parts restricts one of theirs, in order, and what is left of theirs may be nothing.
    fn recurse<'p>(&mut self, ours: &Group<'_, 'p>, theirs: &Group<'_, 'p>) -> Compared<'p> {
        if !ours.range.is_within(theirs.range) {
            return far(ours.at, "rcase-Recurse.1", OFTEN);
        }
        let mut left = theirs.parts.iter();
        for part in ours.parts {
            let mut skipped = None;
            loop {
                let Some(candidate) = left.next() else {
                    return skipped.map_or_else(|| far(part.source, "rcase-Recurse.2", UNMATCHED), Err);
                };
                match self.pair(part, candidate) {
                    Ok(()) => break,
                    Err(mismatch) if mismatch.is_close => return Err(mismatch),
                    Err(mismatch) if !candidate.is_emptiable() => {
                        return far(mismatch.at, "rcase-Recurse.2.2", MISSING);
                    }
                    Err(mismatch) => skipped = skipped.or(Some(mismatch)),
                }
            }
        }
        match left.all(Part::is_emptiable) {
            true => Ok(()),
            false => far(ours.at, "rcase-Recurse.2.2", MISSING),
        }
    }

    /// Each of our parts restricts another of theirs, in any order, and what is left of theirs may be nothing.
    fn recurse_unordered<'p>(&mut self, ours: &Group<'_, 'p>, theirs: &Group<'_, 'p>) -> Compared<'p> {
        if !ours.range.is_within(theirs.range) {
            return far(ours.at, "rcase-RecurseUnordered.1", OFTEN);
        }
        let mut left: Vec<_> = theirs.parts.iter().collect();
        for part in ours.parts {
            let at = self.position(part, left.iter().copied(), "rcase-RecurseUnordered.2")?;
            left.remove(at);
        }
        match left.into_iter().all(Part::is_emptiable) {
            true => Ok(()),
            false => far(ours.at, "rcase-RecurseUnordered.2.3", MISSING),
        }
    }

    /// Each of our alternatives restricts one of theirs, in order.
    fn recurse_lax<'p>(&mut self, ours: &Group<'_, 'p>, theirs: &Group<'_, 'p>) -> Compared<'p> {
        if !ours.range.is_within(theirs.range) {
            return far(ours.at, "rcase-RecurseLax.1", OFTEN);
        }
        let mut left = theirs.parts.iter();
        for part in ours.parts {
            self.position(part, left.by_ref(), "rcase-RecurseLax.2")?;
        }
        Ok(())
    }

    /// Each of our parts restricts one of their alternatives, and there are not more of ours than rounds of theirs.
    fn map_and_sum<'p>(&mut self, ours: &Group<'_, 'p>, theirs: &Group<'_, 'p>) -> Compared<'p> {
        for part in ours.parts {
            self.position(part, theirs.parts.iter(), "rcase-MapAndSum.1")?;
        }
        let parts = u64::try_from(ours.parts.len()).unwrap_or(u64::MAX);
        let sum = ours.range.times(Range { min: parts, max: Some(parts) });
        match sum.is_within(theirs.range) {
            true => Ok(()),
            false => far(ours.at, "rcase-MapAndSum.2", OFTEN),
        }
    }

    /// The first of their parts that ours restricts.
    fn position<'g, 'p: 'g>(
        &mut self,
        part: &Part<'p>,
        theirs: impl Iterator<Item = &'g Part<'p>>,
        rule: &'static str,
    ) -> Result<usize, Mismatch<'p>> {
        let mut found = Mismatch { rule, problem: UNMATCHED, at: part.source, is_close: false };
        for (at, candidate) in theirs.enumerate() {
            match self.pair(part, candidate) {
                Ok(()) => return Ok(at),
                Err(mismatch) if mismatch.is_close => found = mismatch,
                Err(_) => {}
            }
        }
        Err(found)
    }
}

pub(super) fn within<'p>(ours: &Part<'p>, theirs: &Part<'p>, rule: &'static str) -> Compared<'p> {
    match ours.range.is_within(theirs.range) {
        true => Ok(()),
        false => far(ours.source, rule, OFTEN),
    }
}

pub(super) fn far<'p>(at: &'p Particle, rule: &'static str, problem: &'static str) -> Compared<'p> {
    Err(Mismatch { rule, problem, at, is_close: false })
}

/// What is a group, or taken for one.
fn group<'g, 'p>(part: &'g Part<'p>) -> Option<Group<'g, 'p>> {
    let (compositor, parts) = match &part.kind {
        Kind::Group(compositor, parts) => (*compositor, parts),
        Kind::Head(_, parts) => (Compositor::Choice, parts),
        Kind::Element(_) | Kind::Any(_) => return None,
    };
    Some(Group { compositor, parts, range: part.range, at: part.source })
}

/// Tells whether two particles are the same; groups by name and contents taken over from a base often are.
fn same(ours: &Part<'_>, theirs: &Part<'_>) -> bool {
    let (Kind::Group(..), Kind::Group(..)) = (&ours.kind, &theirs.kind) else { return false };
    let (Term::Group(one), Term::Group(two)) = (&ours.source.term, &theirs.source.term) else { return false };
    ours.range == theirs.range && Arc::ptr_eq(&one.particles, &two.particles)
}

const KIND: &str = "it stands where the content of the base has something of another kind";
const OFTEN: &str = "it may come less or more often than the base lets it";
const UNMATCHED: &str = "it matches nothing of the content of the base";
const MISSING: &str = "it leaves out what the content of the base must have";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::components::ANY_TYPE;
    use crate::xsd::rules::Model;
    use crate::xsd::rules::sample::Sample;

    /// The rule that is broken, or nothing.
    fn compared(sample: &mut Sample, derived: &str, base: &str) -> String {
        let (derived, base) = (sample.content(derived), sample.content(base));
        match check(&Rules::of(&sample.components).unwrap(), &derived, &base) {
            Ok(()) => String::new(),
            Err(error) => error.to_string().split(": ").nth(1).unwrap().to_owned(),
        }
    }

    #[test]
    fn each_case_has_its_rule() {
        for (derived, base, rule) in [
            ("a, b", "a, b", ""),
            ("a, b", "a, c?, b", ""),
            ("a", "a?", ""),
            ("a?", "a", "rcase-NameAndTypeOK.2"),
            ("a, b", "b, a", "rcase-Recurse.2.2"),
            ("a", "a, b", "rcase-Recurse.2.2"),
            ("a, b", "a", "cos-particle-restrict.2"),
            ("(a, b){2,3}", "(a, b){1,4}", ""),
            ("(a, b){0,3}", "(a, b){1,4}", "rcase-Recurse.1"),
            ("a", "(a | b)", ""),
            ("(a | c)", "(a | b | c)", ""),
            ("(c | a)", "(a | b | c)", "rcase-RecurseLax.2"),
            ("(a | b){0,2}", "(a | b)", "rcase-RecurseLax.1"),
            ("b, a", "a & b & c?", ""),
            ("b, b", "a & b & c?", "rcase-RecurseUnordered.2"),
            ("b, c", "a & b & c", "rcase-RecurseUnordered.2.3"),
            ("a, b", "(a | b){2,2}", ""),
            ("a, b", "(a | b)*", ""),
            ("a, b, a", "(a | b){2,2}", "rcase-MapAndSum.2"),
            ("a, c", "(a | b)*", "rcase-MapAndSum.1"),
            ("a{2,3}", "(a | b){1,3}", ""),
            ("a{2,4}", "(a | b){1,3}", "rcase-RecurseLax.2"),
            ("a", "@any", ""),
            ("a{0,2}", "@any", "rcase-NSCompat.2"),
            ("a", "@x", "rcase-NSCompat.1"),
            ("@x", "@any", ""),
            ("@any", "@x", "rcase-NSSubset.2"),
            ("(a, b) | c", "@any{1,2}", ""),
            ("(a, b) | c", "@any{2,2}", "rcase-NSRecurseCheckCardinality.2"),
            ("@any", "a", "cos-particle-restrict.2"),
            ("a & b", "a, b", "cos-particle-restrict.2"),
            ("(a | b){0,5}", "(a, b){0,5}", "cos-particle-restrict.2"),
            ("", "a?", ""),
            ("", "a", "cos-particle-restrict.2"),
            ("a", "", "cos-particle-restrict.2"),
        ] {
            assert_eq!(compared(&mut Sample::default(), derived, base), rule, "{derived} of {base}");
        }
    }

    #[test]
    fn depth_is_no_danger() {
        let nested = format!("{}a{}", "(a, (b | ".repeat(249), "){0,2})?".repeat(249));
        let narrower = nested.replace("{0,2}", "");
        assert_eq!(compared(&mut Sample::default(), &narrower, &nested), "");
        assert!(Model::of(&Sample::default().content(&format!("({nested})?"))).is_ok());
        assert!(Model::of(&Sample::default().content(&format!("(b, ({nested})?)?"))).is_err());
    }

    #[test]
    fn pointless_groups_are_ignored() {
        for (derived, base) in [
            ("((a), (b, c))", "a, b, c"),
            ("a, (b | (c | d))", "a, (b | c | d)"),
            ("a, (), b", "a, b"),
            ("((a | b))", "a | b"),
            ("(((a, b)) | (c))", "((a, b) | c)"),
        ] {
            assert_eq!(compared(&mut Sample::default(), derived, base), "", "{derived} of {base}");
            assert_eq!(compared(&mut Sample::default(), base, derived), "", "{base} of {derived}");
        }
    }

    #[test]
    fn a_head_is_a_choice_of_its_members() {
        let mut sample = Sample::default();
        let head = sample.element("head", ANY_TYPE);
        sample.member("one", ANY_TYPE, head);
        sample.member("two", ANY_TYPE, head);
        for derived in ["head", "one", "two", "one | two"] {
            assert_eq!(compared(&mut sample, derived, "head"), "", "{derived}");
            assert_eq!(compared(&mut sample, derived, "other | head"), "", "{derived}");
        }
        assert_eq!(compared(&mut sample, "head", "one"), "cos-particle-restrict.2");
        assert_eq!(compared(&mut sample, "one, two", "head{2,2}"), "");
    }
}
