//! What a document says of itself: types it names, elements that are nil, values it leaves to the schema.

use std::sync::Arc;

use proptest::prelude::*;
use sluse::xsd::{Kind, Plan, Schema, SchemaDocument};

use super::{findings, hear};

const SCHEMA: &str = r#"<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns="urn:i" targetNamespace="urn:i"
  xmlns:i="urn:i" elementFormDefault="qualified">
  <s:element name="r"><s:complexType><s:choice minOccurs="0" maxOccurs="unbounded">
    <s:element ref="any"/><s:element ref="shape"/><s:element ref="blocked"/><s:element ref="bare"/>
    <s:element name="free" type="s:anyType"/>
    <s:element name="fixed" type="s:decimal" fixed="1.0" nillable="true"/>
    <s:element name="given" type="s:token" default="a b"/>
    <s:element name="words" type="Words" fixed="a b"/>
    <s:element name="code" type="Either"/>
    <s:element name="name" type="s:QName" nillable="true"/>
    <s:element name="note" type="Noted"/>
    <s:element name="list"><s:simpleType><s:list itemType="s:int"/></s:simpleType></s:element>
    <s:element name="turn" type="Turn"/>
  </s:choice><s:attribute name="a" type="s:int" fixed="01"/></s:complexType>
  <s:key name="codes"><s:selector xpath="i:code"/><s:field xpath="."/></s:key></s:element>
  <s:complexType name="Turn"><s:sequence minOccurs="2" maxOccurs="3">
    <s:element name="x" type="s:int" minOccurs="2" maxOccurs="3"/><s:element name="y" minOccurs="0"/>
  </s:sequence></s:complexType>
  <s:complexType name="Words" mixed="true"><s:sequence><s:element name="w" minOccurs="0"/></s:sequence></s:complexType>
  <s:complexType name="Shape" abstract="true"><s:sequence><s:element name="n" type="s:int"/></s:sequence></s:complexType>
  <s:complexType name="Round"><s:complexContent><s:extension base="Shape"><s:attribute name="d" type="s:int"
    use="required"/></s:extension></s:complexContent></s:complexType>
  <s:complexType name="Base"><s:sequence><s:element name="n" type="s:int" minOccurs="0"/></s:sequence></s:complexType>
  <s:complexType name="More"><s:complexContent><s:extension base="Base"/></s:complexContent></s:complexType>
  <s:complexType name="Less"><s:complexContent><s:restriction base="Base"><s:sequence/></s:restriction>
    </s:complexContent></s:complexType>
  <s:complexType name="Noted"><s:all><s:element name="one" type="s:int"/><s:element name="two" minOccurs="0"/></s:all>
    <s:anyAttribute processContents="lax"/></s:complexType>
  <s:simpleType name="Either"><s:union memberTypes="s:int s:NCName"/></s:simpleType>
  <s:element name="any" abstract="true"/><s:element name="some" substitutionGroup="any" type="s:int"/>
  <s:element name="shape" type="Shape"/><s:element name="blocked" type="Base" block="extension"/>
  <s:element name="bare" type="s:anySimpleType"/>
  <s:attribute name="g" type="s:date"/>
</s:schema>"#;

fn plan() -> Plan {
    let schema = Schema::compile(&[SchemaDocument { name: "i.xsd", bytes: SCHEMA.as_bytes() }]).unwrap();
    Plan::new(Arc::new(schema), &[]).unwrap()
}

fn document(inside: &str) -> String {
    format!(
        "<r xmlns='urn:i' xmlns:i='urn:i' xmlns:x='http://www.w3.org/2001/XMLSchema-instance' \
         xmlns:s='http://www.w3.org/2001/XMLSchema'>{inside}</r>"
    )
}

const SOUND: [&str; 22] = [
    "<some>1</some>",
    "<shape x:type='Round' d='1'><n>1</n></shape>",
    "<blocked/><blocked x:type='Less'/><blocked x:type='i:Base'><n>1</n></blocked>",
    "<bare>x</bare><bare x:type='s:int'>1</bare><bare x:type='Either'>a</bare>",
    "<free x:type='Base'><n>1</n></free><free>text<a/><some>1</some></free><free x:type='s:date'>2024-02-29</free>",
    "<fixed/><fixed>1</fixed><fixed> 01.00 </fixed><fixed x:nil='false'>1</fixed>",
    "<given/><given>c</given>",
    "<words/><words>a b</words><words>a<![CDATA[ ]]>b</words>",
    "<code>1</code><code>a</code>",
    "<code x:type='s:int'>1</code><code x:type='s:NCName'>a</code>",
    "<name>s:int</name><name>none</name><name x:nil=' 1 '/><name x:nil='true'></name>",
    "<note i:g='2024-01-01' i:other='x' b='c'><two/><one>1</one></note>",
    "<note><one>1</one></note>",
    "<list/><list> 1  2\n3 </list>",
    "<turn><x>1</x><x>1</x><x>1</x><x>1</x></turn>",
    "<turn><x>1</x><x>1</x><y/><x>1</x><x>1</x><x>1</x><x>1</x><x>1</x></turn>",
    "<turn><x>1</x><x>1</x><x>1</x><x>1</x><x>1</x><x>1</x><x>1</x><x>1</x><x>1</x><y/></turn>",
    "<blocked x:schemaLocation='urn:none nowhere' x:noNamespaceSchemaLocation='nowhere'/>",
    "<!-- c --><?p i?><given><!-- c --></given>",
    "<free><free xmlns=''/><r a='1'/></free>",
    "<some>&#49;</some>",
    "<fixed>1<!-- -->.0</fixed>",
];

const BROKEN: [(&str, &[&str]); 33] = [
    ("<any/>", &["cvc-complex-type.2.4.a"]),
    ("<free><any/></free>", &["cvc-elt.2"]),
    ("<shape><n>1</n></shape>", &["cvc-type.2"]),
    ("<shape x:type='Shape'><n>1</n></shape>", &["cvc-type.2"]),
    ("<shape x:type='Round'><n>x</n></shape>", &["cvc-complex-type.4", "cvc-datatype-valid.1.2.1"]),
    ("<shape x:type='Base'/>", &["cvc-elt.4.3", "cvc-type.2"]),
    ("<blocked x:type='More'/>", &["cvc-elt.4.3"]),
    ("<blocked x:type='None'/>", &["cvc-elt.4.2"]),
    ("<blocked x:type='a:b:c'/>", &["cvc-elt.4.1"]),
    ("<bare x:type='s:int'>x</bare>", &["cvc-datatype-valid.1.2.1"]),
    ("<bare x:type='Base'/>", &["cvc-elt.4.3"]),
    ("<bare a='1'/>", &["cvc-type.3.1.1"]),
    ("<code x:type='s:date'>2024-01-01</code>", &["cvc-elt.4.3", "cvc-datatype-valid.1.2.3"]),
    ("<fixed>2</fixed>", &["cvc-elt.5.2.2.2.2"]),
    ("<fixed x:nil='true'/>", &["cvc-elt.3.2.2"]),
    ("<given x:nil='false'/>", &["cvc-elt.3.1"]),
    ("<given x:type='s:NMTOKEN'/>", &["cvc-elt.5.1.1"]),
    ("<words>a  b</words>", &["cvc-elt.5.2.2.2.1"]),
    ("<words>a b<w/></words>", &["cvc-elt.5.2.2.1"]),
    ("<code>1</code><code> 1 </code>", &["cvc-identity-constraint.4.2.2"]),
    ("<name>t:int</name>", &["cvc-datatype-valid.1.2.1"]),
    ("<name x:nil='true'>a</name>", &["cvc-elt.3.2.1"]),
    ("<name x:nil='true'><a/></name>", &["cvc-elt.3.2.1"]),
    ("<name x:nil='yes'>a</name>", &["cvc-datatype-valid.1.2.1"]),
    ("<note i:g='x'><one>1</one></note>", &["cvc-datatype-valid.1.2.1"]),
    ("<note><one>1</one><one>1</one></note>", &["cvc-complex-type.2.4.a"]),
    ("<note><two/></note>", &["cvc-complex-type.2.4.b"]),
    ("<note>text<one>1</one></note>", &["cvc-complex-type.2.3"]),
    ("<list>1 a</list>", &["cvc-datatype-valid.1.2.1"]),
    ("<turn><x>1</x><x>1</x><x>1</x></turn>", &["cvc-complex-type.2.4.b"]),
    ("<turn><x>1</x><y/><x>1</x></turn>", &["cvc-complex-type.2.4.a"]),
    ("<turn><y/></turn>", &["cvc-complex-type.2.4.a"]),
    ("<free><r a='2'/></free>", &["cvc-attribute.4"]),
];

#[test]
fn what_is_sound_has_no_findings() {
    let plan = plan();
    for inside in SOUND {
        assert_eq!(findings(&plan, &document(inside)), [], "{inside}");
    }
}

#[test]
fn what_is_broken_is_told_by_its_rule() {
    let plan = plan();
    for (inside, expected) in BROKEN {
        // Whatever surrounds it is heard too, and has no part in it.
        let found = findings(&plan, &document(&format!("<some>1</some>{inside}<given>x</given>")));
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, expected, "{inside}: {found:?}");
        assert!(found.iter().all(|finding| finding.path.starts_with("/r")), "{inside}: {found:?}");
    }
}

#[test]
fn a_root_may_name_its_type() {
    let plan = plan();
    let typed = |name: &str, text: &str| {
        let xsi = "xmlns:x='http://www.w3.org/2001/XMLSchema-instance' xmlns:s='http://www.w3.org/2001/XMLSchema'";
        let found = findings(&plan, &format!("<other {xsi} x:type='{name}'>{text}</other>"));
        found.iter().map(|finding| finding.kind).collect::<Vec<_>>()
    };
    assert_eq!(typed("s:int", "1"), []);
    assert_eq!(typed("s:int", "x"), [Kind::BadValue]);
    assert_eq!(typed("s:none", "x"), [Kind::UnknownRoot]);
}

proptest! {
    #[test]
    fn any_cutting_finds_the_same(
        sound in proptest::collection::vec(0..SOUND.len(), 0..6),
        broken in proptest::collection::vec(0..BROKEN.len(), 0..4),
        cuts in proptest::collection::vec(1_usize..30, 1..40),
    ) {
        let plan = plan();
        let parts = sound.iter().map(|index| SOUND[*index]).chain(broken.iter().map(|index| BROKEN[*index].0));
        let text = document(&parts.collect::<String>());
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let whole = hear(&plan, [text.as_bytes()]);
        prop_assert_eq!(hear(&plan, pieces), whole);
    }
}
