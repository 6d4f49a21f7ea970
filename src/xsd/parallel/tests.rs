//! What many find is what one finds, however the document is cut and wherever the cuts are wrong.

use std::fmt::Write;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::xsd::{Schema, SchemaDocument, Watch, WatchKind};

const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" xmlns="urn:a"
 elementFormDefault="qualified">
 <xs:element name="list"><xs:complexType><xs:sequence>
  <xs:element name="head" type="xs:string"/>
  <xs:element name="part"><xs:complexType><xs:sequence>
   <xs:element name="item" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="id" type="xs:int"/>
    <xs:element name="text" type="xs:string" minOccurs="0" maxOccurs="3"/>
    <xs:element name="key" type="xs:NMTOKEN" minOccurs="0"/>
   </xs:sequence></xs:complexType></xs:element>
   <xs:element name="end" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
 </xs:sequence></xs:complexType></xs:element>
</xs:schema>"#;

const WATCHES: [Watch; 3] = [
    Watch { path: "/list/part", kind: WatchKind::Element },
    Watch { path: "/list/part/item", kind: WatchKind::Element },
    Watch { path: "/list/part/item/id", kind: WatchKind::Value },
];

const SNIPPETS: [&str; 14] = [
    "x",
    "\n",
    "<",
    "æ",
    "</item>",
    "<item>",
    "<![CDATA[</item>]]>",
    "<!-- </item> -->",
    "<id>x</id>",
    "</part>",
    "&",
    "<text>a</text>",
    "<text><![CDATA[</item></item>]]></text>",
    " xmlns:p=\"urn:a\"",
];

fn document(items: usize) -> String {
    let mut text = String::from("<list xmlns=\"urn:a\">\n <head/>\n <part>\n");
    for id in 0..items {
        // Some items share a line, and some look as if they ended sooner.
        let _ = match id % 4 {
            0 => write!(text, "  <item><id>{id}</id></item>"),
            1 => writeln!(text, "<item><id> {id} </id><text>æøå\n</text><key>k</key></item>"),
            2 => writeln!(text, "  <item>\n   <id>{id}</id><text><![CDATA[</item>]]></text>\n  </item>"),
            _ => writeln!(text, "  <item><id>{id}</id>\n<text>{}</text></item>", "long ".repeat(id % 40)),
        };
    }
    text + "  <end>over</end>\n </part>\n</list>\n"
}

fn shown(heard: Vec<Event>) -> Vec<String> {
    let line = |event| match event {
        Event::Open(watch, at) => format!("open {watch} {at:?}"),
        Event::Value(watch, Value { text, complete, content, at }) => {
            format!("value {watch} {text} {complete} {content:?} {at:?}")
        }
        Event::Close(watch, end, sound) => format!("close {watch} {end} {sound}"),
        Event::Finding(finding) => format!("{finding:?}"),
    };
    heard.into_iter().map(line).collect()
}

fn plan() -> Plan {
    let schema = Schema::compile(&[SchemaDocument { name: "a.xsd", bytes: SCHEMA.as_bytes() }]).unwrap();
    Plan::new(Arc::new(schema), &WATCHES).unwrap()
}

fn by_one(plan: &Plan, limits: &Limits, document: &str) -> (Vec<String>, End) {
    let mut recorder = Recorder::default();
    let mut validator = Validator::new(plan, limits.clone());
    validator.feed(document.as_bytes(), &mut recorder);
    let end = validator.finish(&mut recorder);
    (shown(recorder.heard), end)
}

fn by_many(plan: &Plan, limits: &Limits, document: &str, part_bytes: u64) -> (Vec<String>, End) {
    let mut recorder = Recorder::default();
    let source = document.as_bytes().to_vec();
    let end = validate_in_parts(3, part_bytes, plan, limits, &source, &mut recorder).unwrap();
    (shown(recorder.heard), end)
}

#[test]
fn many_hear_what_one_hears() {
    let (plan, limits, document) = (plan(), Limits::default(), document(300));
    let one = by_one(&plan, &limits, &document);
    assert_eq!((one.0.len(), one.1.sound), (1 + 300 * 5 + 1, true));
    for part_bytes in [100, 313, 1_000, 5_000, 1_000_000] {
        assert_eq!(by_many(&plan, &limits, &document, part_bytes), one, "{part_bytes}");
    }
}

#[test]
fn parts_are_taken_where_guesses_are_right() {
    let (plan, limits, document) = (plan(), Limits::default(), document(300).replace("<![CDATA[</item>]]>", ""));
    let mut front = Front {
        validator: Validator::new(&plan, limits.clone()),
        at: 0,
        source: &document.into_bytes(),
        buffer: vec![0; PIECE_BYTES],
    };
    let mut recorder = Recorder::default();
    front.go(Some(500), &mut recorder).unwrap();
    let cuts = front.first_cut(&mut recorder).unwrap().unwrap();
    assert_eq!(cuts.needle(), b"</item>");
    let template = branch(&front.validator, &plan, &limits, front.at).unwrap();
    let (source, start) = (front.source, front.at);
    let job = Job { plan: &plan, limits: &limits, source, template: &template, cuts: &cuts, start, part_bytes: 500 };
    let mut buffer = vec![0; PIECE_BYTES];
    let part = job.part(3, &mut buffer).unwrap().unwrap();
    assert!(part.validator.is_some() && part.cut.start > start + 1_500 && !part.heard.is_empty());
    assert!(job.part(1_000, &mut buffer).unwrap().is_none());
}

#[test]
fn findings_are_limited_alike() {
    let plan = plan();
    let limits = Limits { findings: 5, ..Limits::default() };
    let document = document(100).replace("<key>k", "<key>k k");
    assert_eq!(by_many(&plan, &limits, &document, 300), by_one(&plan, &limits, &document));
}

proptest! {
    #[test]
    fn mutants_are_heard_alike_by_many(
        changes in proptest::collection::vec((0_usize..8_000, 0_usize..9, 0..SNIPPETS.len()), 0..5),
        part_bytes in 60_u64..1_500,
    ) {
        let mut document = document(120);
        for (at, len, snippet) in changes {
            let from = document.floor_char_boundary(at.min(document.len()));
            let to = document.ceil_char_boundary((from + len).min(document.len()));
            document.replace_range(from..to, SNIPPETS[snippet]);
        }
        let (plan, limits) = (plan(), Limits::default());
        prop_assert_eq!(by_many(&plan, &limits, &document, part_bytes), by_one(&plan, &limits, &document), "{}", document);
    }
}
