//! Elements and wildcards against those of a base (rcase-NameAndTypeOK, rcase-NSCompat, rcase-NSSubset).

use super::particles::{Compared, Comparison, Mismatch, far, within};
use super::parts::{Kind, Part};
use crate::xsd::components::{Derivations, ElementId, Wildcard};

impl Comparison<'_, '_> {
    /// Everything in it is of the namespaces of a wildcard, and wildcards in it are as strict.
    pub(super) fn compatible<'p>(&mut self, part: &Part<'p>, wildcard: &Wildcard) -> Compared<'p> {
        self.steps += 1;
        match &part.kind {
            Kind::Element(element) => {
                match wildcard.namespaces.admit(&self.rules.components.element(*element).name.namespace) {
                    true => Ok(()),
                    false => {
                        far(part.source, "rcase-NSCompat.1", "its namespace is none of those of the base's wildcard")
                    }
                }
            }
            Kind::Any(ours) if !ours.namespaces.is_subset(&wildcard.namespaces) => {
                far(part.source, "rcase-NSSubset.2", "the wildcard has namespaces that of the base has not")
            }
            Kind::Any(ours) if ours.process < wildcard.process => {
                far(part.source, "rcase-NSSubset.3", "the wildcard is less strict than that of the base")
            }
            Kind::Any(_) => Ok(()),
            Kind::Group(_, parts) | Kind::Head(_, parts) => {
                parts.iter().try_for_each(|part| self.compatible(part, wildcard))
            }
        }
    }

    pub(super) fn name_and_type<'p>(
        &mut self,
        part: &Part<'p>,
        ours: ElementId,
        base: &Part<'p>,
        theirs: ElementId,
    ) -> Compared<'p> {
        let components = self.rules.components;
        let (one, two) = (components.element(ours), components.element(theirs));
        if one.name != two.name {
            return far(part.source, "rcase-NameAndTypeOK.1", "the base has another element there");
        }
        within(part, base, "rcase-NameAndTypeOK.2")?;
        let close = |rule, problem| Err(Mismatch { rule, problem, at: part.source, is_close: true });
        if ours == theirs || one.is_global && two.is_global {
            return Ok(());
        }
        if one.nillable && !two.nillable {
            return close("rcase-NameAndTypeOK.3.2.1", "it is nillable, and the element of the base is not");
        }
        let fixed = two.value.as_ref().filter(|value| value.is_fixed);
        if fixed.is_some_and(|fixed| !self.rules.agree((two.type_id, fixed), (one.type_id, one.value.as_ref()))) {
            return close("rcase-NameAndTypeOK.3.2.2", "it has not the fixed value of the element of the base");
        }
        if one.constraints.iter().any(|constraint| !two.constraints.contains(constraint)) {
            return close(
                "rcase-NameAndTypeOK.3.2.3",
                "it has identity constraints that the element of the base has not",
            );
        }
        if !two.blocked.are_within(one.blocked) {
            return close("rcase-NameAndTypeOK.3.2.4", "it blocks less than the element of the base");
        }
        let blocked = Derivations { extension: true, list: true, union: true, ..Derivations::default() };
        match components.derives(one.type_id, two.type_id, blocked) {
            true => Ok(()),
            false => close("rcase-NameAndTypeOK.3.2.5", "its type is no restriction of that of the base's element"),
        }
    }
}
