//! What identity constraints and references ask of us, and where they are given up.

use std::sync::Arc;

use crate::xsd::{Finding, Kind, Limits, Plan, Schema, SchemaDocument, Validator};

/// Every section is a node of every section around it, and every entry below answers all of them.
const NESTED: &str = r#"<xs:element name="s"><xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">
  <xs:element ref="s"/><xs:element name="b"><xs:complexType><xs:attribute name="x"/><xs:attribute name="y" default="d"/>
  </xs:complexType></xs:element></xs:choice></xs:complexType><xs:unique name="u"><xs:selector xpath=".//s"/>
  <xs:field xpath=".//b/@x|.//s/b/@x|.//b/@*"/></xs:unique></xs:element>"#;

const REFERRING: &str = r#"<xs:element name="s"><xs:complexType><xs:sequence><xs:element name="i" maxOccurs="unbounded">
  <xs:complexType><xs:attribute name="r" type="xs:IDREF"/><xs:attribute name="n" type="xs:ID"/>
  <xs:attribute name="k"/><xs:attribute name="to"/></xs:complexType></xs:element></xs:sequence></xs:complexType>
  <xs:key name="k"><xs:selector xpath="k"/><xs:field xpath="@k"/></xs:key><xs:keyref name="to" refer="k">
  <xs:selector xpath="i"/><xs:field xpath="@to"/></xs:keyref></xs:element>"#;

fn plan(schema: &str) -> Plan {
    let schema = format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>{schema}</xs:schema>");
    let schema = Schema::compile(&[SchemaDocument { name: "s.xsd", bytes: schema.as_bytes() }]).unwrap();
    Plan::new(Arc::new(schema), &[]).unwrap()
}

fn judged(schema: &str, document: &str, limits: Limits) -> Vec<Finding> {
    let plan = plan(schema);
    let (mut found, mut validator) = (Vec::new(), Validator::new(&plan, limits));
    validator.feed(document.as_bytes(), &mut found);
    validator.finish(&mut found);
    found
}

fn nested(depth: usize, inside: &str) -> String {
    format!("{}{inside}{}", "<s>".repeat(depth), "</s>".repeat(depth))
}

#[test]
fn paths_cost_what_they_lead_to() {
    let plan = plan(NESTED);
    let steps = |entries: usize| {
        let mut validator = Validator::new(&plan, Limits { findings: 0, ..Limits::default() });
        validator.feed(nested(20, &"<b/>".repeat(entries)).as_bytes(), &mut Vec::new());
        validator.judge.identity.steps
    };
    // It has 190 nodes and 20 scopes, three paths each, and two attributes.
    let (none, hundred, more) = (steps(0), steps(100), steps(1_000));
    assert!(hundred - none <= 100 * 3 * (190 + 20) * 4, "{none} {hundred}");
    assert_eq!(more - none, 10 * (hundred - none));
}

#[test]
fn open_paths_take_no_more_room_with_each_level() {
    let plan = plan(NESTED);
    let mut validator = Validator::new(&plan, Limits::default());
    validator.feed("<s>".repeat(60).as_bytes(), &mut Vec::new());
    let identity = &validator.judge.identity;
    assert_eq!((identity.nodes.len(), identity.fields.len()), (1_770, 1_770));
    assert_eq!(identity.roaming.len(), 60 + 3 * 1_770);
    validator.feed("</s>".repeat(60).as_bytes(), &mut Vec::new());
    let identity = &validator.judge.identity;
    let left = [identity.roaming.len(), identity.threads.len(), identity.nodes.len(), identity.fields.len()];
    assert_eq!(left, [0; 4]);
}

#[test]
fn what_asks_too_much_is_given_up_and_told_once() {
    let document = nested(60, &"<b x='1'/>".repeat(100));
    let kinds = |limits| judged(NESTED, &document, limits).iter().map(|found| found.kind).collect::<Vec<_>>();
    assert_eq!(kinds(Limits { identity_steps: 1_000, ..Limits::default() }), [Kind::TooManyKeys]);
    assert_eq!(kinds(Limits { identity_entries: 1_000, ..Limits::default() }), [Kind::TooManyKeys]);
    let found = kinds(Limits::default());
    assert!(found.len() > 1_000 && found.iter().all(|kind| *kind == Kind::DuplicateKey), "{}", found.len());
}

#[test]
fn findings_and_references_cost_their_paths() {
    let sections = r#"<xs:element name="s"><xs:complexType><xs:sequence><xs:element ref="s" minOccurs="0"
      maxOccurs="unbounded"/></xs:sequence><xs:attribute name="x"/></xs:complexType>CONSTRAINT</xs:element>"#;
    let steps = |constraint: &str, leaf: &str, findings| {
        let plan = plan(&sections.replace("CONSTRAINT", constraint));
        let mut validator = Validator::new(&plan, Limits { findings, ..Limits::default() });
        let (open, close) = ("<s>".repeat(20), "</s>".repeat(20));
        let mut found = Vec::new();
        validator.feed(format!("{open}{}{close}", leaf.repeat(11)).as_bytes(), &mut found);
        assert_eq!((validator.judge.findings.min(findings), found.len()), (findings, findings as usize));
        validator.judge.identity.steps
    };
    let unique = "<xs:unique name='u'><xs:selector xpath='.//s'/><xs:field xpath='@x'/></xs:unique>";
    let (told, counted) = (steps(unique, "<s x='1'/>", 200), steps(unique, "<s x='1'/>", 0));
    assert_eq!(told - counted, 10 * 20 * 21, "only what is told has a path");
    let keyref = "<xs:key name='k'><xs:selector xpath='none'/><xs:field xpath='@x'/></xs:key>\
        <xs:keyref name='r' refer='k'><xs:selector xpath='.//s'/><xs:field xpath='@x'/></xs:keyref>";
    let (kept, none) = (steps(keyref, "<s x='1'/>", 0), steps(keyref, "<s/>", 0));
    assert!(kept - none >= 11 * 20 * 21, "{kept} {none}");
}

#[test]
fn long_values_are_told_apart_by_their_numbers() {
    let long = "k".repeat(60_000);
    let section = |end: &str| format!("<s><b x='{long}{end}'/></s>");
    let schema = NESTED.replace("|.//b/@*", "");
    assert!(judged(&schema, &format!("<s>{}{}</s>", section("1"), section("2")), Limits::default()).is_empty());
    let same = judged(&schema, &format!("<s>{}{}</s>", section("1"), section("1")), Limits::default());
    assert_eq!(same.iter().map(|found| found.kind).collect::<Vec<_>>(), [Kind::DuplicateKey]);
    // All nodes have the one value, of which each keeps a number.
    let plan = plan(&schema);
    let mut validator = Validator::new(&plan, Limits::default());
    validator.feed(nested(60, &format!("<b x='{long}'/>")).as_bytes(), &mut Vec::new());
    assert!(size_of_val(&validator.judge.identity.fields[..]) <= 1_770 * 32);
}

#[test]
fn an_attribute_that_several_paths_ask_for_is_one_value() {
    let schema = NESTED.replace("|.//b/@*", "|.//b/@x|s/b/@x|b/@x");
    assert!(judged(&schema, "<s><s><b x='1'/></s><s><b x='2'/></s></s>", Limits::default()).is_empty());
    // Of all attributes the default is one.
    let both = judged(NESTED, "<s><s><b x='1'/></s></s>", Limits::default());
    assert_eq!(both.iter().map(|found| found.kind).collect::<Vec<_>>(), [Kind::DuplicateKey]);
}

#[test]
fn references_beyond_the_room_for_paths_keep_their_places() {
    for attribute in ["r", "to"] {
        let document = format!("<s>{}</s>", (0..20).map(|n| format!("<i {attribute}='v{n}'/>")).collect::<String>());
        let paths = |path_bytes| {
            let found = judged(REFERRING, &document, Limits { path_bytes, ..Limits::default() });
            assert!(found.iter().all(|found| found.kind == Kind::UnknownKey));
            let offsets: Vec<u64> = found.iter().map(|found| found.at.offset).collect();
            assert!(offsets.len() == 20 && offsets.is_sorted_by(|one, other| one < other));
            found.into_iter().map(|found| found.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(1 << 20)[19], "/s/i[20]");
        let scarce = paths(40);
        assert_eq!((scarce[0].as_str(), scarce[19].as_str()), ("/s/i[1]", "/s"));
    }
}

#[test]
fn references_that_are_answered_make_room() {
    let answered = (0..20).map(|n| format!("<i r='v{n}'/><i n='v{n}'/>")).collect::<String>();
    let document = format!("<s>{answered}<i r='none'/></s>");
    let found = judged(REFERRING, &document, Limits { path_bytes: 20, ..Limits::default() });
    assert_eq!(found.iter().map(|found| found.path.as_str()).collect::<Vec<_>>(), ["/s/i[41]"]);
}
