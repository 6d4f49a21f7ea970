//! Attribute declarations and their uses (a-props-correct, au-props-correct, ct-props-correct, derivation-ok-restriction).

use std::collections::{BTreeMap, HashSet};

use super::{Done, Rules, broken};
use crate::xsd::Place;
use crate::xsd::components::{
    AttributeDeclaration, AttributeGroup, AttributeUse, ComplexDefinition, Derivations, QName, ValueConstraint,
    Wildcard,
};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Judges a declaration by itself.
pub(super) fn check_declaration(rules: &Rules<'_>, attribute: &AttributeDeclaration) -> Done {
    let fault = |rule, problem: &str| Err(broken(&attribute.at, rule, format!("{}: {problem}", attribute.name)));
    if &*attribute.name.local == "xmlns" {
        return fault("no-xmlns", "this name is that of namespace declarations");
    }
    if &*attribute.name.namespace == XSI {
        return fault("no-xsi", "attributes of this namespace are not for schemas to declare");
    }
    check_value(rules, attribute, attribute.value.as_ref(), &attribute.at)
}

fn check_value(
    rules: &Rules<'_>,
    attribute: &AttributeDeclaration,
    value: Option<&ValueConstraint>,
    place: &Place,
) -> Done {
    let Some(value) = value else { return Ok(()) };
    let fault = |rule, problem: &str| Err(broken(place, rule, format!("attribute {}: {problem}", attribute.name)));
    if rules.is_id(attribute.type_id) {
        return fault("a-props-correct.3", "an ID has no default or fixed value");
    }
    match rules.simple_content(attribute.type_id) {
        Some((_, simple)) if !rules.is_value(simple, value) => {
            fault("a-props-correct.2", "the default or fixed value is none of its type")
        }
        _ => Ok(()),
    }
}

/// Judges the uses in a type by themselves.
pub(super) fn check_type(rules: &Rules<'_>, complex: &ComplexDefinition, place: &Place) -> Done {
    let names = Duplicates { twice: "ct-props-correct.4", two_ids: "ct-props-correct.5" };
    check_uses(rules, &complex.attributes, place, names)
}

/// Judges the uses in a group: it may be one that no type has.
pub(super) fn check_group(rules: &Rules<'_>, group: &AttributeGroup) -> Done {
    let names = Duplicates { twice: "ag-props-correct.2", two_ids: "ag-props-correct.3" };
    let Some(first) = group.attributes.first() else { return Ok(()) };
    check_uses(rules, &group.attributes, &rules.components.attribute(first.attribute).at, names)
}

fn check_uses(rules: &Rules<'_>, uses: &[AttributeUse], place: &Place, rule: Duplicates) -> Done {
    let mut names = HashSet::new();
    let mut id: Option<&QName> = None;
    for one in uses {
        let attribute = rules.components.attribute(one.attribute);
        let place = if attribute.is_global { place } else { &attribute.at };
        if !names.insert(&attribute.name) {
            return Err(broken(place, rule.twice, format!("the attribute {} is there twice", attribute.name)));
        }
        if rules.is_id(attribute.type_id)
            && let Some(other) = id.replace(&attribute.name)
        {
            let problem = format!("the attributes {other} and {} are both of type ID", attribute.name);
            return Err(broken(place, rule.two_ids, problem));
        }
        check_value(rules, attribute, one.value.as_ref(), place)?;
        let fixed = attribute.value.as_ref().filter(|value| value.is_fixed);
        if let (Some(fixed), Some(_)) = (fixed, &one.value)
            && !rules.agree((attribute.type_id, fixed), (attribute.type_id, one.value.as_ref()))
        {
            let problem = format!("the attribute {} is declared with another fixed value", attribute.name);
            return Err(broken(place, "au-props-correct.2", problem));
        }
    }
    Ok(())
}

/// The names of the rules for attributes of one name, and for attributes that are IDs.
#[derive(Clone, Copy)]
struct Duplicates {
    twice: &'static str,
    two_ids: &'static str,
}

/// A set of attributes: those that are named and a wildcard.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a> {
    pub(super) uses: &'a [AttributeUse],
    pub(super) any: Option<&'a Wildcard>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(complex: &'a ComplexDefinition) -> Self {
        Self { uses: &complex.attributes, any: complex.any_attribute.as_ref() }
    }

    pub(super) fn of_group(group: &'a AttributeGroup) -> Self {
        Self { uses: &group.attributes, any: group.any_attribute.as_ref() }
    }
}

/// Judges the attributes of a restriction by those of its base.
pub(super) fn check_restriction(
    rules: &Rules<'_>,
    derived: Attributes<'_>,
    base: Attributes<'_>,
    place: &Place,
) -> Done {
    let theirs = named(rules, base.uses);
    for (name, ours) in named(rules, derived.uses) {
        match theirs.get(name) {
            Some(theirs) => check_use(rules, ours, theirs, place)?,
            None if base.any.is_some_and(|any| any.namespaces.admit(&name.namespace)) => {}
            None => {
                let problem = format!("the base has neither the attribute {name} nor a wildcard for it");
                return Err(broken(place, "derivation-ok-restriction.2.2", problem));
            }
        }
    }
    let ours = named(rules, derived.uses);
    if let Some((name, _)) = theirs.iter().find(|(name, theirs)| theirs.required && !ours.contains_key(*name)) {
        let problem = format!("the base requires the attribute {name}");
        return Err(broken(place, "derivation-ok-restriction.3", problem));
    }
    let Some(ours) = derived.any else { return Ok(()) };
    let Some(theirs) = base.any else {
        return Err(broken(place, "derivation-ok-restriction.4.1", "the base has no wildcard for attributes"));
    };
    if !ours.namespaces.is_subset(&theirs.namespaces) {
        let problem = "the wildcard for attributes has namespaces that of the base has not";
        return Err(broken(place, "derivation-ok-restriction.4.2", problem));
    }
    if ours.process < theirs.process {
        let problem = "the wildcard for attributes is less strict than that of the base";
        return Err(broken(place, "derivation-ok-restriction.4.3", problem));
    }
    Ok(())
}

fn check_use(rules: &Rules<'_>, ours: &AttributeUse, theirs: &AttributeUse, place: &Place) -> Done {
    let (one, two) = (rules.components.attribute(ours.attribute), rules.components.attribute(theirs.attribute));
    let place = if one.is_global { place } else { &one.at };
    let fault = |rule, problem: &str| Err(broken(place, rule, format!("attribute {}: {problem}", one.name)));
    if theirs.required && !ours.required {
        return fault("derivation-ok-restriction.2.1.1", "the base requires it");
    }
    if !rules.components.derives(one.type_id, two.type_id, Derivations::default()) {
        return fault("derivation-ok-restriction.2.1.2", "its type does not derive from that of the base");
    }
    let fixed = theirs.value.as_ref().or(two.value.as_ref()).filter(|value| value.is_fixed);
    let value = ours.value.as_ref().or(one.value.as_ref());
    match fixed {
        Some(fixed) if !rules.agree((two.type_id, fixed), (one.type_id, value)) => {
            fault("derivation-ok-restriction.2.1.3", "the base fixes its value")
        }
        _ => Ok(()),
    }
}

/// Uses by name, in the order of names, so that of several faults always the same is told.
fn named<'a>(rules: &Rules<'a>, uses: &'a [AttributeUse]) -> BTreeMap<&'a QName, &'a AttributeUse> {
    uses.iter().map(|one| (&rules.components.attribute(one.attribute).name, one)).collect()
}

#[cfg(test)]
mod tests {
    use crate::xsd::rules::sample::assert_rules;

    /// A type with some attributes, and one that restricts it.
    fn restricted(base: &str, derived: &str) -> String {
        format!(
            "<xs:complexType name='base'>{base}</xs:complexType><xs:complexType name='derived'><xs:complexContent>\
             <xs:restriction base='base'>{derived}</xs:restriction></xs:complexContent></xs:complexType>"
        )
    }

    #[test]
    fn restrictions_ask_for_no_less() {
        let any = "<xs:anyAttribute namespace='##local' processContents='lax'/>";
        let required = "<xs:attribute name='a' type='xs:int' use='required'/>";
        let fixed = "<xs:attribute name='a' type='xs:int' fixed='1'/>";
        assert_rules([
            (restricted(required, ""), ""),
            (restricted(required, "<xs:attribute name='a' type='xs:byte' use='required'/>"), ""),
            (restricted(any, required), ""),
            (restricted(fixed, "<xs:attribute name='a' type='xs:short' fixed=' 01 '/>"), ""),
            (restricted(any, "<xs:anyAttribute namespace='##local' processContents='strict'/>"), ""),
            (restricted(required, "<xs:attribute name='a' type='xs:byte'/>"), "derivation-ok-restriction.2.1.1"),
            (restricted(required, &required.replace("int", "token")), "derivation-ok-restriction.2.1.2"),
            (restricted(fixed, "<xs:attribute name='a' type='xs:int' fixed='2'/>"), "derivation-ok-restriction.2.1.3"),
            (restricted(fixed, "<xs:attribute name='a' type='xs:int'/>"), "derivation-ok-restriction.2.1.3"),
            (restricted(required, "<xs:attribute name='b'/>"), "derivation-ok-restriction.2.2"),
            (restricted(required, "<xs:attribute name='a' use='prohibited'/>"), "derivation-ok-restriction.3"),
            (restricted(required, any), "derivation-ok-restriction.4.1"),
            (restricted(any, "<xs:anyAttribute processContents='lax'/>"), "derivation-ok-restriction.4.2"),
            (
                restricted(any, "<xs:anyAttribute namespace='##local' processContents='skip'/>"),
                "derivation-ok-restriction.4.3",
            ),
        ]);
    }

    #[test]
    fn attributes_are_correct_by_themselves() {
        let within = |attributes: &str| format!("<xs:complexType name='t'>{attributes}</xs:complexType>");
        let global = "<xs:attribute name='a' type='xs:int' fixed='1'/>";
        assert_rules([
            (within("<xs:attribute name='a' type='xs:ID'/><xs:attribute name='b' type='xs:string'/>"), ""),
            (within("<xs:attribute name='a'/><xs:attribute name='a'/>"), "ct-props-correct.4"),
            (
                within("<xs:attribute name='a' type='xs:ID'/><xs:attribute name='b' type='xs:ID'/>"),
                "ct-props-correct.5",
            ),
            (within("<xs:attribute name='a' type='xs:ID' default='x'/>"), "a-props-correct.3"),
            (within("<xs:attribute name='a' type='xs:int' default='x'/>"), "a-props-correct.2"),
            (within("<xs:attribute name='xmlns'/>"), "no-xmlns"),
            (global.replace("'1'", "'x'"), "a-props-correct.2"),
            (global.to_owned() + &within("<xs:attribute ref='a' fixed='+1'/>"), ""),
            (global.to_owned() + &within("<xs:attribute ref='a' fixed='2'/>"), "au-props-correct.2"),
            (global.to_owned() + &within("<xs:attribute ref='a' default='1'/>"), "au-props-correct.2"),
        ]);
    }
}
