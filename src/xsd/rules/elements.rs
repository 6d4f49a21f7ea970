//! Element declarations (e-props-correct, cos-valid-default).

use super::{Done, Model, Rules, broken};
use crate::xsd::SchemaError;
use crate::xsd::components::{Components, ContentType, ElementDeclaration, ElementId, TypeDefinition, ValueConstraint};

/// No element is a member of its own substitution group; all other rules trust in that.
pub(super) fn check_heads(components: &Components) -> Done {
    // The round in which an element was met on the way up; a meeting in the same round is a circle.
    let mut met: Vec<Option<ElementId>> = vec![None; components.elements.len()];
    for start in (0..).take(components.elements.len()) {
        let mut at = Some(start);
        while let Some(id) = at {
            let Some(mark) = met.get_mut(id as usize) else { break };
            match mark {
                Some(round) if *round == start => return Err(circular(components.element(id))),
                Some(_) => break,
                None => *mark = Some(start),
            }
            at = components.element(id).substitutes;
        }
    }
    Ok(())
}

fn circular(element: &ElementDeclaration) -> SchemaError {
    let problem = format!("the element {} is a member of its own substitution group", element.name);
    broken(&element.at, "e-props-correct.6", problem)
}

/// Judges a declaration by its type and its head.
pub(super) fn check(rules: &Rules<'_>, element: &ElementDeclaration) -> Done {
    if let Some(head) = element.substitutes.map(|head| rules.components.element(head))
        && !rules.components.derives(element.type_id, head.type_id, head.finals)
    {
        let problem =
            format!("the type of {} is not derived from that of {} in a way it lets", element.name, head.name);
        return Err(broken(&element.at, "e-props-correct.4", problem));
    }
    element.value.as_ref().map_or(Ok(()), |value| check_value(rules, element, value))
}

fn check_value(rules: &Rules<'_>, element: &ElementDeclaration, value: &ValueConstraint) -> Done {
    let fault = |rule, problem: &str| Err(broken(&element.at, rule, format!("element {}: {problem}", element.name)));
    if rules.is_id(element.type_id) {
        return fault("e-props-correct.5", "an ID has no default or fixed value");
    }
    let content = match rules.components.type_of(element.type_id) {
        TypeDefinition::Simple(_) => None,
        TypeDefinition::Complex(complex) => Some(&complex.content),
    };
    if let Some((_, simple)) = rules.simple_content(element.type_id) {
        let rule = if content.is_some() { "cos-valid-default.2.2.1" } else { "cos-valid-default.1" };
        return match rules.is_value(simple, value) {
            true => Ok(()),
            false => fault(rule, "the default or fixed value is none of its type"),
        };
    }
    match content {
        Some(ContentType::Elements { particle, mixed: true }) => match Model::of(particle)?.is_emptiable() {
            true => Ok(()),
            false => fault("cos-valid-default.2.2.2", "it has a default or fixed value, but must have child elements"),
        },
        _ => fault("cos-valid-default.2.1", "it has a default or fixed value, but no text in its content"),
    }
}
