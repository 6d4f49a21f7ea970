use proptest::prelude::*;

use crate::xsd::components::{
    ANY_TYPE, ComplexDefinition, Components, ContentType, IdentityKind, Namespaces, QName, Term, TypeDefinition,
};
use crate::xsd::document::{Given, load};
use crate::xsd::{SchemaDocument, SchemaError, SchemaLimits};

/// Builds a schema from the contents of its documents, the first of which is the root; `@` stands for the attributes
/// of the schema element.
fn build(documents: &[(&str, &str)]) -> Result<Components, SchemaError> {
    let texts: Vec<(&str, String)> = documents.iter().map(|(name, content)| (*name, whole(content))).collect();
    let documents: Vec<SchemaDocument<'_>> =
        texts.iter().map(|(name, text)| SchemaDocument { name, bytes: text.as_bytes() }).collect();
    let limits = SchemaLimits::default();
    super::build(&load(&[documents[0].name], &Given(&documents), &limits)?, &limits)
}

fn whole(content: &str) -> String {
    let (attributes, content) = content.split_once('@').unwrap_or(("", content));
    format!("<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema' {attributes}>{content}</s:schema>")
}

fn complex<'a>(components: &'a Components, name: &str) -> &'a ComplexDefinition {
    let (_, id) = components.global_types.iter().find(|(known, _)| &*known.local == name).unwrap();
    match components.type_of(*id) {
        TypeDefinition::Complex(complex) => complex,
        TypeDefinition::Simple(_) => panic!("{name} is simple"),
    }
}

fn attribute_names(components: &Components, complex: &ComplexDefinition) -> Vec<String> {
    complex.attributes.iter().map(|one| components.attribute(one.attribute).name.to_string()).collect()
}

/// The names of the elements in a content, from the outside in.
fn children(components: &Components, content: &ContentType) -> Vec<String> {
    let ContentType::Elements { particle, .. } = content else { return Vec::new() };
    let mut names = Vec::new();
    let mut pending = vec![particle];
    while let Some(particle) = pending.pop() {
        match &particle.term {
            Term::Element(element) => names.push(components.element(*element).name.to_string()),
            Term::Any(_) => names.push("*".into()),
            Term::Group(group) => pending.extend(group.particles.iter().rev()),
        }
    }
    names
}

fn rule(documents: &[(&str, &str)]) -> &'static str {
    match build(documents) {
        Err(SchemaError::Invalid { rule, .. }) => rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_extension_has_what_its_base_has() {
    let schema = build(&[(
        "a",
        "xmlns='urn:a' targetNamespace='urn:a' elementFormDefault='qualified'@\
         <s:complexType name='derived' mixed='true'><s:complexContent><s:extension base='base'><s:sequence>\
         <s:element name='c'/><s:element name='d' form='unqualified' maxOccurs='0' minOccurs='0'/></s:sequence>\
         <s:attribute name='z'/><s:attributeGroup ref='more'/></s:extension></s:complexContent></s:complexType>\
         <s:complexType name='base' mixed='1'><s:choice><s:element name='b' type='s:int'/><s:group ref='g'/></s:choice>\
         <s:attributeGroup ref='more'/><s:attributeGroup ref='more'/></s:complexType>\
         <s:attributeGroup name='more'><s:attribute name='x' use='required'/><s:attribute ref='y' default='1'/>\
         </s:attributeGroup><s:attribute name='y' type='s:int'/>\
         <s:group name='g'><s:sequence><s:any/></s:sequence></s:group>",
    )])
    .unwrap();
    let derived = complex(&schema, "derived");
    assert_eq!(children(&schema, &derived.content), ["{urn:a}b", "*", "{urn:a}c"]);
    assert_eq!(attribute_names(&schema, derived), ["z", "x", "{urn:a}y"]);
    assert!(derived.attributes[1].required && derived.attributes[2].value.is_some());
    assert!(matches!(derived.content, ContentType::Elements { mixed: true, .. }));
}

#[test]
fn a_restriction_takes_attributes_away() {
    let schema = build(&[(
        "a",
        "@<s:complexType name='base'><s:attribute name='a'/><s:attribute name='b'/><s:attribute name='c'/>\
         <s:anyAttribute namespace='##other'/></s:complexType>\
         <s:complexType name='derived'><s:complexContent><s:restriction base='base'>\
         <s:attribute name='a' use='prohibited'/><s:attribute name='b' type='s:int'/></s:restriction>\
         </s:complexContent></s:complexType>",
    )])
    .unwrap();
    let derived = complex(&schema, "derived");
    assert_eq!(attribute_names(&schema, derived), ["b", "c"]);
    assert_eq!(derived.any_attribute, None);
    assert!(matches!(derived.content, ContentType::Empty));
    assert_eq!(complex(&schema, "base").any_attribute.as_ref().unwrap().namespaces, Namespaces::Not("".into()));
}

#[test]
fn wildcards_of_groups_meet_and_those_of_bases_add_up() {
    let schema = build(&[(
        "a",
        "targetNamespace='urn:a' xmlns='urn:a'@\
         <s:attributeGroup name='g'><s:anyAttribute namespace='urn:b urn:c'/></s:attributeGroup>\
         <s:complexType name='base'><s:attributeGroup ref='g'/><s:anyAttribute namespace='urn:c urn:d'/></s:complexType>\
         <s:complexType name='derived'><s:complexContent><s:extension base='base'>\
         <s:anyAttribute namespace='##local ##targetNamespace'/></s:extension></s:complexContent></s:complexType>",
    )])
    .unwrap();
    let names = |names: &[&str]| Namespaces::These(names.iter().map(|name| (*name).into()).collect());
    assert_eq!(complex(&schema, "base").any_attribute.as_ref().unwrap().namespaces, names(&["urn:c"]));
    let derived = complex(&schema, "derived").any_attribute.as_ref().unwrap();
    assert_eq!(derived.namespaces, names(&["", "urn:a", "urn:c"]));
}

#[test]
fn simple_content_is_that_of_the_base_with_more_facets() {
    let schema = build(&[(
        "a",
        "@<s:complexType name='mixed' mixed='true'><s:choice minOccurs='0'><s:element name='a'/></s:choice>\
         </s:complexType>\
         <s:complexType name='word'><s:simpleContent><s:restriction base='mixed'><s:simpleType>\
         <s:restriction base='s:string'/></s:simpleType><s:length value='3'/></s:restriction></s:simpleContent>\
         </s:complexType>\
         <s:complexType name='more'><s:simpleContent><s:extension base='word'><s:attribute name='x'/></s:extension>\
         </s:simpleContent></s:complexType>",
    )])
    .unwrap();
    let simple = |name| match complex(&schema, name).content {
        ContentType::Simple(id) => id,
        ContentType::Empty | ContentType::Elements { .. } => panic!("{name}"),
    };
    assert_eq!(simple("word"), simple("more"));
    assert!(matches!(schema.type_of(simple("word")), TypeDefinition::Simple(simple) if simple.name.is_none()));
}

#[test]
fn a_document_without_a_namespace_takes_that_of_the_one_that_includes_it() {
    let part = "@<s:element name='e' type='t'/><s:complexType name='t'><s:sequence><s:element ref='e'/></s:sequence>\
                </s:complexType>";
    let schema = build(&[
        (
            "a",
            "targetNamespace='urn:a'@<s:include schemaLocation='b'/><s:include schemaLocation='a'/>\
             <s:import namespace='urn:c' schemaLocation='c'/>",
        ),
        ("b", part),
        ("c", "targetNamespace='urn:c'@<s:include schemaLocation='b'/><s:import namespace='urn:a'/>"),
    ])
    .unwrap();
    let mut names: Vec<String> = schema.global_elements.keys().map(QName::to_string).collect();
    names.sort();
    assert_eq!(names, ["{urn:a}e", "{urn:c}e"]);
}

#[test]
fn a_redefinition_stands_on_what_it_redefines() {
    let schema = build(&[
        (
            "a",
            "@<s:redefine schemaLocation='b'>\
             <s:complexType name='t'><s:complexContent><s:extension base='t'><s:sequence><s:element name='y'/>\
             </s:sequence><s:attribute name='v'/></s:extension></s:complexContent></s:complexType>\
             <s:group name='g'><s:choice><s:group ref='g'/><s:element name='z'/></s:choice></s:group>\
             <s:attributeGroup name='h'><s:attribute name='w'/></s:attributeGroup></s:redefine>",
        ),
        (
            "b",
            "@<s:complexType name='t'><s:sequence><s:element name='x'/></s:sequence></s:complexType>\
             <s:group name='g'><s:sequence><s:element name='u'/></s:sequence></s:group>\
             <s:attributeGroup name='h'><s:attribute name='w'/><s:attribute name='q'/></s:attributeGroup>\
             <s:complexType name='user'><s:group ref='g'/><s:attributeGroup ref='h'/></s:complexType>",
        ),
    ])
    .unwrap();
    assert_eq!(children(&schema, &complex(&schema, "t").content), ["x", "y"]);
    assert!(schema.type_of(complex(&schema, "t").base).name().is_none());
    assert_eq!(children(&schema, &complex(&schema, "user").content), ["u", "z"]);
    assert_eq!(attribute_names(&schema, complex(&schema, "user")), ["w"]);
    assert_eq!((schema.redefined_groups.len(), schema.redefined_attribute_groups.len()), (0, 1));
}

#[test]
fn elements_have_the_type_of_their_head_and_defaults_of_their_document() {
    let schema = build(&[(
        "a",
        "blockDefault='#all' finalDefault='restriction list'@<s:element name='c' substitutionGroup='b'/>\
         <s:element name='b' substitutionGroup='a' block=''/><s:element name='a' type='s:int' final='#all'/>\
         <s:element name='free'/>",
    )])
    .unwrap();
    let element = |name: &str| schema.element(schema.global_elements[&QName::new("", name)]);
    assert_eq!(element("c").type_id, element("a").type_id);
    assert_eq!(element("free").type_id, ANY_TYPE);
    assert_eq!(element("c").substitutes, schema.global_elements.get(&QName::new("", "b")).copied());
    assert!(element("c").blocked.substitution && !element("b").blocked.substitution);
    assert!(element("c").finals.restriction && !element("c").finals.list && element("a").finals.extension);
}

#[test]
fn a_keyref_knows_its_key() {
    let schema = build(&[(
        "a",
        "xmlns:a='urn:a' targetNamespace='urn:a'@<s:element name='r'>\
         <s:keyref name='f' refer='a:k'><s:selector xpath='.//a:x'/><s:field xpath='@y'/></s:keyref>\
         <s:key name='k'><s:selector xpath='a:x|a:z'/><s:field xpath='.'/></s:key></s:element>",
    )])
    .unwrap();
    let kinds: Vec<IdentityKind> = schema.constraints.iter().map(|constraint| constraint.kind).collect();
    assert_eq!(kinds, [IdentityKind::KeyRef(1), IdentityKind::Key]);
    assert_eq!(schema.constraints[1].selector.len(), 2);
    assert_eq!(schema.elements[0].constraints, [0, 1]);
}

#[test]
fn attributes_of_xml_are_known_where_its_namespace_is_imported() {
    let content = "<s:complexType name='t'><s:attribute ref='xml:lang'/></s:complexType>";
    let import = "<s:import namespace='http://www.w3.org/XML/1998/namespace'/>";
    let schema = build(&[("a", &format!("@{import}{content}"))]).unwrap();
    assert_eq!(attribute_names(&schema, complex(&schema, "t")), ["{http://www.w3.org/XML/1998/namespace}lang"]);
    assert_eq!(rule(&[("a", &format!("@{content}"))]), "src-resolve.4.2");
}

#[test]
fn what_a_definition_says_wrongly_is_named_by_its_rule() {
    let cases: &[(&str, &str)] = &[
        ("@<s:element name='a' type='b'/>", "src-resolve"),
        ("@<s:element name='a' type='q:b'/>", "src-resolve"),
        ("@<s:element name='a'/><s:element name='a'/>", "sch-props-correct.2"),
        ("@<s:element name='a' type='s:int' default='1' fixed='1'/>", "src-element.1"),
        (
            "@<s:element name='a' type='s:int'><s:simpleType><s:list itemType='s:int'/></s:simpleType></s:element>",
            "src-element.3",
        ),
        ("@<s:element name='a' type='s:NOTATION'/>", "enumeration-required-notation"),
        (
            "@<s:element name='a' substitutionGroup='b'/><s:element name='b' substitutionGroup='a'/>",
            "e-props-correct.6",
        ),
        ("@<s:group name='g'><s:sequence><s:element/></s:sequence></s:group>", "src-element.2.1"),
        ("@<s:group name='g'><s:sequence><s:element ref='a' nillable='1'/></s:sequence></s:group>", "src-element.2.2"),
        ("@<s:group name='g'><s:sequence><s:any minOccurs='2'/></s:sequence></s:group>", "p-props-correct.2.1"),
        ("@<s:group name='g'><s:sequence><s:group ref='g'/></s:sequence></s:group>", "mg-props-correct.2"),
        ("@<s:attribute name='a' default='1' fixed='1'/>", "src-attribute.1"),
        (
            "@<s:attributeGroup name='g'><s:attribute name='a' use='required' default=''/></s:attributeGroup>",
            "src-attribute.2",
        ),
        ("@<s:attributeGroup name='g'><s:attribute/></s:attributeGroup>", "src-attribute.3.1"),
        ("@<s:attributeGroup name='g'><s:attributeGroup ref='g'/></s:attributeGroup>", "src-attribute_group.3"),
        ("@<s:simpleType name='t'><s:restriction base='t'/></s:simpleType>", "st-props-correct.2"),
        (
            "@<s:simpleType name='t'><s:union memberTypes='u'/></s:simpleType><s:simpleType name='u'><s:union memberTypes='t'/></s:simpleType>",
            "st-props-correct.2",
        ),
        ("@<s:simpleType name='t'><s:list/></s:simpleType>", "src-list-itemType-or-simpleType"),
        ("@<s:simpleType name='t'><s:union/></s:simpleType>", "src-union-memberTypes-or-simpleTypes"),
        ("@<s:simpleType name='t'><s:restriction/></s:simpleType>", "src-simple-type.2"),
        (
            "@<s:complexType name='t'><s:complexContent><s:extension base='t'/></s:complexContent></s:complexType>",
            "ct-props-correct.3",
        ),
        (
            "@<s:complexType name='t'><s:complexContent><s:extension base='s:int'/></s:complexContent></s:complexType>",
            "src-ct.1",
        ),
        (
            "@<s:complexType name='t'><s:simpleContent><s:restriction base='s:int'/></s:simpleContent></s:complexType>",
            "src-ct.2.1",
        ),
        (
            "@<s:element name='a'><s:key name='k'><s:selector xpath='@a'/><s:field xpath='a'/></s:key></s:element>",
            "c-selector-xpath",
        ),
        (
            "@<s:element name='a'><s:key name='k'><s:selector xpath='a'/><s:field xpath='/a'/></s:key></s:element>",
            "c-fields-xpaths",
        ),
        ("@<s:notation name='n'/>", "n-props-correct"),
        ("@<s:import/>", "src-import.1.2"),
        ("targetNamespace='u'@<s:import namespace='u'/>", "src-import.1.1"),
        ("@<s:element name='a' type='s:int'/><s:element name='b' type='s:nothing'/>", "src-resolve"),
    ];
    for (content, expected) in cases {
        assert_eq!(rule(&[("a", content)]), *expected, "{content}");
    }
    let other = ("b", "targetNamespace='urn:b'@<s:group name='g'><s:sequence/></s:group>");
    assert_eq!(rule(&[("a", "@<s:include schemaLocation='b'/>"), other]), "src-include.2");
    assert_eq!(rule(&[("a", "@<s:import namespace='urn:c' schemaLocation='b'/>"), other]), "src-import.3.1");
    let redefined = "targetNamespace='urn:b' xmlns='urn:b'@<s:redefine schemaLocation='b'>";
    let twice =
        "<s:group name='g'><s:sequence><s:group ref='g'/><s:group ref='g'/></s:sequence></s:group></s:redefine>";
    assert_eq!(rule(&[("a", &format!("{redefined}{twice}")), other]), "src-redefine.6.1");
    let many = "<s:group name='g'><s:sequence><s:group ref='g' minOccurs='0'/></s:sequence></s:group></s:redefine>";
    assert_eq!(rule(&[("a", &format!("{redefined}{many}")), other]), "src-redefine.6.1.2");
    let absent = "<s:group name='h'><s:sequence/></s:group></s:redefine>";
    assert_eq!(rule(&[("a", &format!("{redefined}{absent}")), other]), "src-redefine.6.2.1");
}

#[test]
fn groups_that_hold_each_other_twice_do_not_grow() {
    let mut content = String::from(
        "@<s:group name='g0'><s:sequence><s:element name='e' minOccurs='0'/></s:sequence></s:group><s:attributeGroup name='g0'><s:attribute name='a'/></s:attributeGroup>",
    );
    for level in 1..200 {
        let (kind, below) = ("sequence", level - 1);
        content += &format!(
            "<s:group name='g{level}'><s:{kind}><s:group ref='g{below}'/><s:group ref='g{below}'/></s:{kind}></s:group>\
             <s:attributeGroup name='g{level}'><s:attributeGroup ref='g{below}'/><s:attributeGroup ref='g{below}'/>\
             </s:attributeGroup>"
        );
    }
    content += "<s:complexType name='t'><s:group ref='g199'/><s:attributeGroup ref='g199'/></s:complexType>";
    let schema = build(&[("a", &content)]).unwrap();
    assert_eq!(attribute_names(&schema, complex(&schema, "t")), ["a"]);
}

#[test]
fn what_nests_too_deep_is_refused() {
    let mut types =
        String::from("@<s:complexType name='t0'><s:sequence><s:element name='e'/></s:sequence></s:complexType>");
    for level in 1..3_000 {
        let below = level - 1;
        types += &format!(
            "<s:complexType name='t{level}'><s:complexContent><s:extension base='t{below}'><s:sequence>\
             <s:element name='e'/></s:sequence></s:extension></s:complexContent></s:complexType>"
        );
    }
    assert!(matches!(build(&[("a", &types)]), Err(SchemaError::TooLarge { .. })));
    let (open, close) = ("<s:sequence>".repeat(200), "</s:sequence>".repeat(200));
    let deep = |more: &str| format!("@<s:group name='g'>{more}{open}{close}{}</s:group>", more.replace('<', "</"));
    assert!(build(&[("a", &deep(""))]).is_ok());
    assert!(matches!(build(&[("a", &deep(&"<s:choice>".repeat(60)))]), Err(SchemaError::TooLarge { .. })));
}

proptest! {
    /// Whatever refers to whatever: it is built or refused.
    #[test]
    fn any_references_are_followed_to_an_end(choices in proptest::collection::vec((0..9_usize, 0..4_u8, 0..4_u8), 0..12)) {
        let definition = |(kind, name, other): &(usize, u8, u8)| match kind {
            0 => format!("<s:element name='n{name}' substitutionGroup='n{other}'/>"),
            1 => format!("<s:element name='n{name}' type='n{other}'/>"),
            2 => format!("<s:simpleType name='n{name}'><s:union memberTypes='n{other} s:int'/></s:simpleType>"),
            3 => format!("<s:simpleType name='n{name}'><s:list itemType='n{other}'/></s:simpleType>"),
            4 => format!("<s:complexType name='n{name}'><s:group ref='n{other}'/></s:complexType>"),
            5 => format!(
                "<s:complexType name='n{name}'><s:complexContent><s:extension base='n{other}'><s:group ref='n{name}'/>\
                 </s:extension></s:complexContent></s:complexType>"
            ),
            6 => format!("<s:group name='n{name}'><s:choice><s:group ref='n{other}'/></s:choice></s:group>"),
            7 => format!("<s:attributeGroup name='n{name}'><s:attributeGroup ref='n{other}'/></s:attributeGroup>"),
            _ => format!("<s:group name='n{name}'><s:all/></s:group>"),
        };
        let content: String = choices.iter().map(definition).collect();
        let _ = build(&[("a", &format!("@{content}"))]);
        let _ = build(&[("a", &format!("@<s:redefine schemaLocation='b'>{}</s:redefine>", content.replace("<s:element", "<s:x"))), ("b", &format!("@{content}"))]);
    }
}
