//! Type definitions: what their bases let them do (ct-props-correct, cos-ct-extends, derivation-ok-restriction,
//! st-props-correct, cos-st-restricts).

use super::attributes::{self, Attributes};
use super::{Done, Model, Rules, broken, particles};
use crate::xsd::Place;
use crate::xsd::components::{
    ANY_SIMPLE_TYPE, ANY_TYPE, ComplexDefinition, ContentType, Derivation, Derivations, SimpleDefinition,
    TypeDefinition, TypeId,
};
use crate::xsd::datatypes::Variety;

/// Judges a simple type by the types it is made of; its facets are judged where they are read.
pub(super) fn check_simple(rules: &Rules<'_>, simple: &SimpleDefinition) -> Done {
    let Some(place) = &simple.at else { return Ok(()) };
    let finals = |type_id: TypeId| match rules.components.type_of(type_id) {
        TypeDefinition::Simple(simple) => simple.finals,
        TypeDefinition::Complex(_) => Derivations::default(),
    };
    let parts = || simple.parts.iter().map(|part| finals(*part));
    let fault = |rule, problem| Err(broken(place, rule, problem));
    match simple.simple.variety() {
        Variety::List(_) if simple.base == ANY_SIMPLE_TYPE => match parts().any(|finals| finals.list) {
            true => fault("cos-st-restricts.2.3.1.1", "its item type is final for lists"),
            false => Ok(()),
        },
        Variety::Union(_) if simple.base == ANY_SIMPLE_TYPE => match parts().any(|finals| finals.union) {
            true => fault("cos-st-restricts.3.3.1.1", "a member type is final for unions"),
            false => Ok(()),
        },
        Variety::Any | Variety::Atomic | Variety::List(_) | Variety::Union(_) => {
            match finals(simple.base).restriction {
                true => fault("st-props-correct.3", "its base type is final for restrictions"),
                false => Ok(()),
            }
        }
    }
}

/// Judges a complex type, its content included.
pub(super) fn check_complex(rules: &Rules<'_>, complex: &ComplexDefinition) -> Done {
    let Some(place) = &complex.at else { return Ok(()) };
    attributes::check_type(rules, complex, place)?;
    if let ContentType::Elements { particle, .. } = &complex.content {
        rules.check_content(particle)?;
    }
    match (rules.components.type_of(complex.base), complex.derivation) {
        (TypeDefinition::Simple(base), Derivation::Extension) => check_simple_extension(complex, base, place),
        (TypeDefinition::Simple(_), Derivation::Restriction) => {
            Err(broken(place, "ct-props-correct.2", "a complex type can only extend a simple one"))
        }
        (TypeDefinition::Complex(base), Derivation::Extension) => check_extension(complex, base, place),
        (TypeDefinition::Complex(base), Derivation::Restriction) => check_restriction(rules, complex, base, place),
    }
}

fn check_simple_extension(complex: &ComplexDefinition, base: &SimpleDefinition, place: &Place) -> Done {
    if base.finals.extension {
        return Err(broken(place, "cos-ct-extends.2.2", "its base type is final for extensions"));
    }
    match complex.content {
        ContentType::Simple(content) if content == complex.base => Ok(()),
        ContentType::Simple(_) | ContentType::Empty | ContentType::Elements { .. } => {
            Err(broken(place, "cos-ct-extends.2.1", "its content is not of the simple type it extends"))
        }
    }
}

/// That the attributes and the particles of the base are part of an extension comes from how it is built.
fn check_extension(complex: &ComplexDefinition, base: &ComplexDefinition, place: &Place) -> Done {
    if base.finals.extension {
        return Err(broken(place, "cos-ct-extends.1.1", "its base type is final for extensions"));
    }
    match (&complex.content, &base.content) {
        (ContentType::Simple(ours), ContentType::Simple(theirs)) if ours == theirs => Ok(()),
        (ContentType::Empty | ContentType::Elements { .. }, ContentType::Empty) => Ok(()),
        (ContentType::Elements { mixed: ours, .. }, ContentType::Elements { mixed: theirs, .. }) if ours == theirs => {
            Ok(())
        }
        (ContentType::Elements { .. }, ContentType::Elements { .. }) => {
            let problem = "either it or its base has mixed content, but not both";
            Err(broken(place, "cos-ct-extends.1.4.2.2.2.1", problem))
        }
        _ => Err(broken(place, "cos-ct-extends.1.4", "its content is of another kind than that of its base")),
    }
}

fn check_restriction(rules: &Rules<'_>, complex: &ComplexDefinition, base: &ComplexDefinition, place: &Place) -> Done {
    if base.finals.restriction {
        return Err(broken(place, "derivation-ok-restriction.1", "its base type is final for restrictions"));
    }
    if complex.base == ANY_TYPE {
        return Ok(());
    }
    attributes::check_restriction(rules, Attributes::of(complex), Attributes::of(base), place)?;
    let fault = |rule, problem| Err(broken(place, rule, problem));
    match (&complex.content, &base.content) {
        (ContentType::Simple(ours), ContentType::Simple(theirs)) => {
            match rules.components.derives(*ours, *theirs, Derivations::default()) {
                true => Ok(()),
                false => {
                    fault("derivation-ok-restriction.5.2.2.1", "its content does not derive from that of its base")
                }
            }
        }
        (ContentType::Simple(_), ContentType::Elements { particle, mixed: true }) => {
            match Model::of(particle)?.is_emptiable() {
                true => Ok(()),
                false => fault("derivation-ok-restriction.5.2.2.2", "the content of its base may not be text alone"),
            }
        }
        (ContentType::Simple(_), _) => {
            fault("derivation-ok-restriction.5.2.2", "its content is simple, that of its base is not")
        }
        (ContentType::Empty, ContentType::Empty) => Ok(()),
        (ContentType::Empty, ContentType::Elements { particle, .. }) => match Model::of(particle)?.is_emptiable() {
            true => Ok(()),
            false => fault("derivation-ok-restriction.5.3.2", "it is empty, and the content of its base may not be"),
        },
        (ContentType::Empty, ContentType::Simple(_)) => {
            fault("derivation-ok-restriction.5.3", "it is empty, and its base has simple content")
        }
        (ContentType::Elements { mixed: true, .. }, ContentType::Elements { mixed: false, .. }) => {
            fault("derivation-ok-restriction.5.4.1", "its content is mixed, that of its base is not")
        }
        (ContentType::Elements { particle: ours, .. }, ContentType::Elements { particle: theirs, .. }) => {
            rules.check_content(theirs)?;
            particles::check(rules, ours, theirs)
        }
        (ContentType::Elements { .. }, ContentType::Empty | ContentType::Simple(_)) => {
            fault("derivation-ok-restriction.5.4", "it has elements in its content, and its base has none")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::xsd::rules::sample::assert_rules;

    /// A type derived from another in its complex content.
    fn derived(base: &str, way: &str, body: &str) -> String {
        format!(
            "<xs:complexType name='base' {base}</xs:complexType><xs:complexType name='derived'><xs:complexContent>\
             <xs:{way} base='base'>{body}</xs:{way}></xs:complexContent></xs:complexType>"
        )
    }

    const MIXED: &str = "mixed='true'><xs:sequence><xs:element name='a' minOccurs='0'/></xs:sequence>";
    const ONE: &str = "><xs:sequence><xs:element name='a'/></xs:sequence>";
    const OPTIONAL: &str = "><xs:sequence minOccurs='0'><xs:element name='a'/></xs:sequence>";
    const TEXT: &str = "><xs:simpleContent><xs:extension base='xs:string'/></xs:simpleContent>";

    #[test]
    fn an_extension_keeps_to_its_base() {
        let more = "<xs:sequence><xs:element name='b'/></xs:sequence>";
        assert_rules([
            (derived(ONE, "extension", more), ""),
            (derived(">", "extension", more), ""),
            (derived(TEXT, "extension", ""), ""),
            (derived(MIXED, "extension", ""), ""),
            (derived("final='restriction'>", "extension", more), ""),
            (derived("final='extension'>", "extension", more), "cos-ct-extends.1.1"),
            (derived(MIXED, "extension", more), "cos-ct-extends.1.4.2.2.2.1"),
            (derived("><xs:all><xs:element name='a'/></xs:all>", "extension", more), "cos-all-limited.1.2"),
            (derived("><xs:attribute name='a'/>", "extension", "<xs:attribute name='a'/>"), "ct-props-correct.4"),
        ]);
    }

    #[test]
    fn a_restriction_keeps_to_its_base() {
        let same = "<xs:sequence><xs:element name='a'/></xs:sequence>";
        assert_rules([
            (derived(ONE, "restriction", same), ""),
            (derived(OPTIONAL, "restriction", ""), ""),
            (derived("final='#all'>", "restriction", ""), "derivation-ok-restriction.1"),
            (derived(ONE, "restriction", ""), "derivation-ok-restriction.5.3.2"),
            (derived(TEXT, "restriction", ""), "derivation-ok-restriction.5.3"),
            (derived(">", "restriction", same), "derivation-ok-restriction.5.4"),
            (derived(ONE, "restriction", "<xs:sequence><xs:element name='b'/></xs:sequence>"), "rcase-NameAndTypeOK.1"),
        ]);
        let mixed =
            derived(ONE, "restriction", same).replace("<xs:complexContent>", "<xs:complexContent mixed='true'>");
        assert_rules([(mixed, "derivation-ok-restriction.5.4.1")]);
    }

    /// A type whose content is simple, derived from another.
    fn simple(base: &str, body: &str) -> String {
        derived(base, "restriction", body).replace("complexContent", "simpleContent")
    }

    #[test]
    fn simple_content_derives_from_that_of_the_base() {
        let token = "<xs:simpleType><xs:restriction base='xs:token'/></xs:simpleType>";
        let number = "<xs:simpleType><xs:restriction base='xs:int'/></xs:simpleType>";
        assert_rules([
            (simple(TEXT, token), ""),
            (simple(MIXED, token), ""),
            (simple(TEXT, number), "derivation-ok-restriction.5.2.2.1"),
        ]);
    }

    #[test]
    fn simple_types_keep_what_is_final() {
        let schema = |finals: &str, way: &str| {
            format!(
                "<xs:simpleType name='base' final='{finals}'><xs:restriction base='xs:token'/></xs:simpleType>\
                <xs:simpleType name='derived'><xs:{way}/></xs:simpleType>"
            )
        };
        assert_rules([
            (schema("list union", "restriction base='base'"), ""),
            (schema("restriction", "list itemType='base'"), ""),
            (schema("restriction", "restriction base='base'"), "st-props-correct.3"),
            (schema("list", "list itemType='base'"), "cos-st-restricts.2.3.1.1"),
            (schema("#all", "union memberTypes='xs:int base'"), "cos-st-restricts.3.3.1.1"),
        ]);
    }
}
