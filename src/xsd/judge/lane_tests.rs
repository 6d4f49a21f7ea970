//! What goes through the lane is heard as it is heard without it: byte by byte, no part is whole enough for the lane.

use std::ops::Range;
use std::sync::Arc;

use proptest::prelude::*;

use crate::xml::Spot;
use crate::xsd::{Finding, Limits, Observer, Plan, Schema, SchemaDocument, Validator, Watch, WatchKind};

const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" xmlns="urn:a"
 elementFormDefault="qualified">
 <xs:simpleType name="short"><xs:restriction base="xs:string"><xs:maxLength value="4"/></xs:restriction></xs:simpleType>
 <xs:simpleType name="colour"><xs:restriction base="xs:token">
  <xs:enumeration value="red"/><xs:enumeration value="green"/></xs:restriction></xs:simpleType>
 <xs:complexType name="money"><xs:simpleContent><xs:extension base="xs:decimal">
  <xs:attribute name="currency" type="colour" use="required"/></xs:extension></xs:simpleContent></xs:complexType>
 <xs:complexType name="nothing"><xs:attribute name="at" type="xs:date"/></xs:complexType>
 <xs:element name="list"><xs:complexType><xs:sequence>
  <xs:element name="head" type="xs:string"/>
  <xs:element name="item" minOccurs="0" maxOccurs="5"><xs:complexType><xs:sequence>
   <xs:element name="id" type="xs:string"/>
   <xs:element name="when" type="xs:date" minOccurs="0"/>
   <xs:element name="anElementWithANameOfMoreThanThirtyTwoBytes" type="xs:int" minOccurs="0"/>
   <xs:choice minOccurs="0" maxOccurs="3"><xs:element name="a" type="short"/><xs:element name="ab" type="colour"/>
    <xs:element name="price" type="money"/><xs:element name="mark" type="nothing"/></xs:choice>
   <xs:element name="own" type="xs:string" form="unqualified" minOccurs="0"/>
   <xs:element name="note" minOccurs="0" maxOccurs="2"><xs:complexType mixed="true"><xs:sequence>
    <xs:element name="b" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
   <xs:element name="data" type="xs:base64Binary" nillable="true" minOccurs="0"/>
  </xs:sequence><xs:attribute name="n" type="xs:int" use="required"/><xs:attribute name="kind" type="colour"/>
   <xs:attribute name="x" type="xs:string"/></xs:complexType></xs:element>
 </xs:sequence></xs:complexType></xs:element>
</xs:schema>"#;

const WATCHES: [Watch; 8] = [
    Watch { path: "/list/item", kind: WatchKind::Element },
    Watch { path: "/list/item/id", kind: WatchKind::Value },
    Watch { path: "/list/item/price", kind: WatchKind::Element },
    Watch { path: "/list/item/price/@currency", kind: WatchKind::Value },
    Watch { path: "/list/item/mark/@at", kind: WatchKind::Value },
    Watch { path: "/list/head", kind: WatchKind::Text },
    Watch { path: "/list/item/own", kind: WatchKind::Text },
    Watch { path: "/list/item/a", kind: WatchKind::Text },
];

const DOCUMENT: &str = r#"<?xml version="1.0"?>
<list xmlns="urn:a" xmlns:p="urn:a">
  <head>one &amp; two</head>
  <item n="1" kind="red" x='"'>
    <id>1-æ]1</id>
    <when>2024-02-29</when>
    <anElementWithANameOfMoreThanThirtyTwoBytes>12</anElementWithANameOfMoreThanThirtyTwoBytes>
    <a>abcd</a><ab> red </ab><price currency="green">1.50</price>
    <own xmlns="">mine</own>
    <note>text <b>bold</b> and <b><![CDATA[<x>]]></b> more</note>
    <data>QUJD</data>
  </item>
  <p:item x="" n="2">
    <p:id>&lt;two&gt;</p:id>
    <p:mark at="2024-01-31"/><p:mark></p:mark><p:price currency='red' >12</p:price>
    <note/>
    <data xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>
  </p:item>
  <item n="3"><id><![CDATA[three]]> and more text, so that it is longer than what is looked at first: æøå</id><!-- c -->
    <ab>green</ab>
  </item>
  <q:item xmlns:q="urn:a" n="4"><q:id>4</q:id><q:a/></q:item>
</list>
"#;

const SNIPPETS: [&str; 30] = [
    " ",
    "\n",
    "<",
    ">",
    "/",
    "\"",
    "'",
    "&",
    "&amp;",
    "&#32;",
    "]]>",
    "<![CDATA[",
    "<!--x-->",
    "<a>",
    "</a>",
    "<a/>",
    "</item>",
    "<item n=\"5\">",
    " n=\"1\"",
    " n='x'",
    " xmlns=\"\"",
    " xmlns:p=\"urn:b\"",
    "p:",
    "0",
    "text",
    "æ",
    "\r\n",
    "<id>",
    "</id>",
    "<ab>blue</ab>",
];

/// Writes down what it hears.
#[derive(Default)]
struct Heard(Vec<String>);

impl Observer for Heard {
    fn open(&mut self, watch: usize, mut at: Spot<'_, '_>) {
        self.0.push(format!("open {watch} {:?}", at.position()));
    }

    /// Not one of those that are asked.
    fn hears(&mut self, watch: usize) -> bool {
        watch != 7
    }

    fn text(&mut self, watch: usize, piece: &[u8]) {
        let piece = std::str::from_utf8(piece).unwrap();
        match self.0.last_mut().filter(|last| last.starts_with("text")) {
            Some(last) => last.push_str(piece),
            None => self.0.push(format!("text {watch} {piece}")),
        }
    }

    fn value(&mut self, watch: usize, text: &str, complete: bool, content: Range<u64>, mut at: Spot<'_, '_>) {
        self.0.push(format!("value {watch} {text} {complete} {content:?} {:?}", at.position()));
    }

    fn close(&mut self, watch: usize, end: u64, sound: bool) {
        self.0.push(format!("close {watch} {end} {sound}"));
    }

    fn finding(&mut self, finding: Finding) {
        self.0.push(format!("{finding:?}"));
    }
}

fn plan() -> Plan {
    let schema = Schema::compile(&[SchemaDocument { name: "a.xsd", bytes: SCHEMA.as_bytes() }]).unwrap();
    Plan::new(Arc::new(schema), &WATCHES).unwrap()
}

fn heard<'a>(plan: &Plan, limits: &Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut heard = Heard::default();
    let mut validator = Validator::new(plan, limits.clone());
    for piece in pieces {
        validator.feed(piece, &mut heard);
    }
    validator.finish(&mut heard);
    heard.0
}

#[test]
fn a_document_is_heard_alike_in_the_lane() {
    let plan = plan();
    let limits = Limits::default();
    let whole = heard(&plan, &limits, [DOCUMENT.as_bytes()]);
    assert_eq!(whole.iter().filter(|line| line.starts_with("open")).count(), 10, "{whole:#?}");
    let texts: Vec<_> = whole.iter().filter(|line| line.starts_with("text")).collect();
    assert_eq!(texts, ["text 5 one & two", "text 6 mine"], "{whole:#?}");
    assert_eq!(whole.iter().filter(|line| line.starts_with("Finding")).count(), 0, "{whole:#?}");
    let attributes: Vec<_> =
        whole.iter().filter(|line| line.starts_with("value 3") || line.starts_with("value 4")).collect();
    assert_eq!(attributes.len(), 3, "{whole:#?}");
    let content = DOCUMENT.find("2024-01-31").unwrap();
    assert!(
        attributes[1].starts_with(&format!("value 4 2024-01-31 true {content}..{} ", content + 10)),
        "{attributes:?}"
    );
    assert_eq!(whole, heard(&plan, &limits, DOCUMENT.as_bytes().chunks(1)));
}

#[test]
fn limits_hold_in_the_lane() {
    let plan = plan();
    for (depth, attributes, attribute_bytes, tag_bytes) in
        [(2, 9, 99, 999), (3, 9, 99, 999), (9, 1, 99, 999), (9, 9, 2, 999), (9, 9, 99, 20)]
    {
        let xml = crate::xml::Limits { depth, attributes, attribute_bytes, tag_bytes, ..Default::default() };
        let limits = Limits { xml, ..Limits::default() };
        let whole = heard(&plan, &limits, [DOCUMENT.as_bytes()]);
        assert_eq!(whole, heard(&plan, &limits, DOCUMENT.as_bytes().chunks(1)));
        assert_eq!(whole.iter().filter(|line| line.starts_with("Finding")).count(), 1, "{whole:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutants_are_heard_alike_in_the_lane(
        changes in proptest::collection::vec((0..DOCUMENT.len(), 0_usize..6, 0..SNIPPETS.len()), 1..4),
        cut in 1_usize..300,
    ) {
        let mut document = DOCUMENT.to_owned();
        for (at, len, snippet) in changes {
            let from = document.floor_char_boundary(at.min(document.len()));
            let to = document.ceil_char_boundary((from + len).min(document.len()));
            document.replace_range(from..to, SNIPPETS[snippet]);
        }
        let (plan, limits) = (plan(), Limits::default());
        let bytewise = heard(&plan, &limits, document.as_bytes().chunks(1));
        prop_assert_eq!(&heard(&plan, &limits, [document.as_bytes()]), &bytewise, "{}", document);
        prop_assert_eq!(&heard(&plan, &limits, document.as_bytes().chunks(cut)), &bytewise, "{}", document);
    }
}
