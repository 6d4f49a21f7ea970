//! Element declarations (e-props-correct, cos-valid-default).

use super::{Done, Model, Rules, broken};
use crate::xsd::components::{Components, ContentType, ElementDeclaration, ElementId, TypeDefinition, ValueConstraint};

/// No element is a member of its own substitution group; all other rules trust in that.
pub(super) fn check_heads(components: &Components) -> Done {
    // The round in which an element was met on the way up; a meeting in the same round is a circle.
    let mut met: Vec<Option<ElementId>> = vec![None; components.elements.len()];
    for start in (0..).take(components.elements.len()) {
        let mut at = Some(start);
        while let Some(id) = at {
            let element = components.element(id);
            match met.get_mut(id as usize) {
                Some(Some(round)) if *round == start => {
                    let problem = format!("the element {} is a member of its own substitution group", element.name);
                    return Err(broken(&element.at, "e-props-correct.6", problem));
                }
                Some(mark @ None) => *mark = Some(start),
                Some(Some(_)) | None => break,
            }
            at = element.substitutes;
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use crate::xsd::rules::sample::assert_rules;

    #[test]
    fn values_are_those_of_the_content() {
        let valued = |content: &str, value: &str| {
            format!("<xs:element name='e' default='{value}'><xs:complexType {content}</xs:complexType></xs:element>")
        };
        let text = "><xs:simpleContent><xs:extension base='xs:int'/></xs:simpleContent>";
        let mixed = "mixed='true'><xs:sequence><xs:element name='a'/></xs:sequence>";
        assert_rules([
            ("<xs:element name='e' type='xs:int' fixed=' 5 '/>".into(), ""),
            ("<xs:element name='e' default='anything'/>".into(), ""),
            (valued(text, "5"), ""),
            (valued(&mixed.replace("<xs:sequence>", "<xs:sequence minOccurs='0'>"), "x"), ""),
            ("<xs:element name='e' type='xs:int' fixed='five'/>".into(), "cos-valid-default.1"),
            ("<xs:element name='e' type='xs:ID' fixed='five'/>".into(), "e-props-correct.5"),
            (valued(text, "five"), "cos-valid-default.2.2.1"),
            (valued(mixed, "x"), "cos-valid-default.2.2.2"),
            (valued(">", "x"), "cos-valid-default.2.1"),
        ]);
    }

    #[test]
    fn members_derive_from_their_heads() {
        let group = |head: &str, member: &str| {
            format!("<xs:element name='h' {head}/><xs:element name='m' substitutionGroup='h' {member}/>")
        };
        assert_rules([
            (group("type='xs:token'", "type='xs:NCName'"), ""),
            (group("", "type='xs:int'"), ""),
            (group("type='xs:token'", ""), ""),
            (group("type='xs:NCName'", "type='xs:token'"), "e-props-correct.4"),
            (group("type='xs:token' final='restriction'", "type='xs:NCName'"), "e-props-correct.4"),
            (group("type='xs:token' substitutionGroup='m'", "type='xs:token'"), "e-props-correct.6"),
            ("<xs:element name='h' type='xs:token' substitutionGroup='h'/>".into(), "e-props-correct.6"),
        ]);
    }
}
