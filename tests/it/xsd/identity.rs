//! Identity constraints, IDs and references to them.

use std::sync::Arc;

use sluse::xsd::{Finding, Kind, Limits, Observer, Plan, Schema, SchemaDocument, Validator};

use super::{Heard, findings};

fn plan(constraints: &str) -> Plan {
    let text = format!(
        "<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema' xmlns:t='urn:t' targetNamespace='urn:t' \
         elementFormDefault='qualified'><s:element name='r'><s:complexType><s:choice maxOccurs='unbounded'>\
         <s:element name='part'><s:complexType><s:choice minOccurs='0' maxOccurs='unbounded'>\
         <s:element name='id' type='s:decimal' nillable='true'/><s:element name='no' type='s:int'/>\
         <s:element name='deep' type='s:anyType'/></s:choice><s:attribute name='k' type='s:string'/>\
         <s:attribute name='n' type='s:int' default='7'/></s:complexType></s:element>\
         <s:element name='ref'><s:complexType><s:attribute name='to' type='s:decimal'/><s:attribute name='k' \
         type='s:string'/></s:complexType></s:element><s:element ref='t:g'/></s:choice></s:complexType>\
         {constraints}</s:element><s:element name='g'><s:complexType><s:sequence><s:element name='v' type='s:string' \
         maxOccurs='unbounded'/></s:sequence></s:complexType><s:key name='inner'><s:selector xpath='t:v'/>\
         <s:field xpath='.'/></s:key></s:element></s:schema>"
    );
    let schema = Schema::compile(&[SchemaDocument { name: "r.xsd", bytes: text.as_bytes() }]).expect(&text);
    Plan::new(Arc::new(schema), &[]).unwrap()
}

fn judge(plan: &Plan, inside: &str) -> Vec<Finding> {
    let xsi = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance' xmlns:d='http://www.w3.org/2001/XMLSchema'";
    findings(plan, &format!("<r xmlns='urn:t' {xsi}>{inside}</r>"))
}

fn rules(plan: &Plan, inside: &str) -> Vec<&'static str> {
    judge(plan, inside).iter().map(|finding| finding.rule).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn keys_stand_once_and_are_there() {
    let plan = plan("<s:key name='key'><s:selector xpath='t:part'/><s:field xpath='@k'/><s:field xpath='@n'/></s:key>");
    assert_eq!(rules(&plan, "<part k='a' n='1'/><part k='a' n='2'/><part k='b'/><part k='b' n='6'/>"), NONE);
    assert_eq!(rules(&plan, "<part k='a'/><part k='b'/><part k='a' n=' 07'/>"), ["cvc-identity-constraint.4.2.2"]);
    assert_eq!(rules(&plan, "<part k='a'/><part n='1'/>"), ["cvc-identity-constraint.4.2.1"]);
    let found = judge(&plan, "<part k='a'/>\n<part k='a'/>");
    assert_eq!((found[0].kind, found[0].path.as_str()), (Kind::DuplicateKey, "/r/part[2]"));
    assert_eq!((found[0].at.line, found[0].at.column), (2, 1));
    assert_eq!(found[0].text, "the values of key are there already");
}

#[test]
fn values_are_compared_as_values() {
    let plan = plan("<s:unique name='one'><s:selector xpath='.//t:id|t:ref'/><s:field xpath='.|@to'/></s:unique>");
    assert_eq!(
        rules(&plan, "<part><id>1</id><id>2</id></part><ref/><ref/><ref to='3'/>"),
        ["cvc-identity-constraint.3"; 3]
    );
    let plan = self::plan("<s:unique name='one'><s:selector xpath='.//t:id'/><s:field xpath='.'/></s:unique>");
    assert_eq!(rules(&plan, "<part><id>1</id></part><part><id>1.5</id></part>"), NONE);
    assert_eq!(rules(&plan, "<part><id>1</id></part><part><id> 01.0 </id></part>"), ["cvc-identity-constraint.4.1"]);
    assert_eq!(rules(&plan, "<part><id>x</id></part><part><id>x</id></part>"), ["cvc-datatype-valid.1.2.1"; 2]);
    assert_eq!(rules(&plan, "<part><id i:nil='true'/><id i:nil='true'/></part>"), NONE);
}

#[test]
fn fields_lead_to_one_simple_value() {
    let plan = plan("<s:key name='key'><s:selector xpath='t:part'/><s:field xpath='t:no|t:deep'/></s:key>");
    assert_eq!(rules(&plan, "<part><no>1</no></part><part><no>2</no></part>"), NONE);
    assert_eq!(rules(&plan, "<part><no>1</no><no>2</no></part>"), ["cvc-identity-constraint.3"]);
    assert_eq!(rules(&plan, "<part><deep>1</deep></part>"), ["cvc-identity-constraint.3"]);
    assert_eq!(rules(&plan, "<part><deep i:type='d:int'>1</deep></part><part><no>1</no></part>").len(), 1);
    let nillable = self::plan("<s:key name='key'><s:selector xpath='t:part'/><s:field xpath='t:id'/></s:key>");
    assert_eq!(rules(&nillable, "<part><id>1</id></part>"), ["cvc-identity-constraint.4.2.3"]);
}

#[test]
fn references_lead_to_keys() {
    let plan = plan(
        "<s:key name='key'><s:selector xpath='t:part'/><s:field xpath='t:no'/></s:key>\
         <s:keyref name='to' refer='t:key'><s:selector xpath='t:ref'/><s:field xpath='@to'/></s:keyref>",
    );
    assert_eq!(rules(&plan, "<part><no>1</no></part><ref to='1.0'/><ref/>"), NONE);
    assert_eq!(rules(&plan, "<ref to='1'/><part><no>1</no></part>"), NONE);
    let found = judge(&plan, "<ref to='1'/>\n<ref to='2'/><part><no>1</no></part>");
    assert_eq!((found.len(), found[0].kind, found[0].path.as_str()), (1, Kind::UnknownKey, "/r/ref[2]"));
    assert_eq!((found[0].rule, found[0].at.line), ("cvc-identity-constraint.4.3", 2));
}

#[test]
fn keys_of_children_count_unless_two_have_them() {
    let plan = plan("<s:keyref name='to' refer='t:inner'><s:selector xpath='t:ref'/><s:field xpath='@k'/></s:keyref>");
    assert_eq!(rules(&plan, "<g><v>a</v></g><g><v>b</v></g><ref k='a'/><ref k='b'/>"), NONE);
    assert_eq!(rules(&plan, "<g><v>a</v></g><g><v>a</v></g><ref k='a'/>"), ["cvc-identity-constraint.4.3"]);
    assert_eq!(rules(&plan, "<g><v>a</v><v>a</v></g>"), ["cvc-identity-constraint.4.2.2"]);
}

#[test]
fn a_hundred_thousand_keys_take_no_longer_each() {
    let plan = plan(
        "<s:key name='key'><s:selector xpath='.//t:part'/><s:field xpath='@k'/></s:key>\
         <s:keyref name='to' refer='t:key'><s:selector xpath='t:ref'/><s:field xpath='@k'/></s:keyref>",
    );
    let parts: String = (0..100_000).map(|number| format!("<part k='{number}'/>\n")).collect();
    let refs: String = (0..100_000).rev().map(|number| format!("<ref k='{number}'/>\n")).collect();
    assert_eq!(rules(&plan, &format!("{refs}{parts}")), NONE);
    assert_eq!(rules(&plan, &format!("{parts}{refs}<ref k='x'/>")), ["cvc-identity-constraint.4.3"]);
    // Far more than it takes, and far less than if each were compared with each.
}

#[test]
fn more_keys_than_the_limit_are_refused() {
    let plan = plan("<s:key name='key'><s:selector xpath='t:part'/><s:field xpath='@k'/></s:key>");
    let parts: String = (0..20).map(|number| format!("<part k='{}'/>", number % 15)).collect();
    let limits = Limits { identity_entries: 10, ..Limits::default() };
    let mut heard = Heard::default();
    let mut validator = Validator::new(&plan, limits);
    validator.feed(format!("<r xmlns='urn:t'>{parts}</r>").as_bytes(), &mut heard);
    assert!(validator.finish(&mut heard).complete);
    let found: Vec<(Kind, &str)> = heard.findings.iter().map(|finding| (finding.kind, finding.path.as_str())).collect();
    // Of these ten two are the open element's own: its path and its field.
    assert_eq!(found, [(Kind::TooManyKeys, "/r/part[9]")]);
}

fn ids() -> Plan {
    let text = "<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'><s:element name='r'><s:complexType><s:sequence>\
        <s:element name='a' minOccurs='0' maxOccurs='unbounded'><s:complexType><s:sequence><s:element name='c' \
        type='s:ID' minOccurs='0'/></s:sequence><s:attribute name='id' type='s:ID'/><s:attribute name='to' \
        type='s:IDREFS'/><s:attribute name='e' type='s:ENTITY'/></s:complexType></s:element></s:sequence>\
        </s:complexType></s:element></s:schema>";
    let schema = Schema::compile(&[SchemaDocument { name: "ids.xsd", bytes: text.as_bytes() }]).unwrap();
    Plan::new(Arc::new(schema), &[]).unwrap()
}

#[test]
fn ids_are_there_once_and_references_lead_to_them() {
    let plan = ids();
    let rules = |inside: &str| {
        let found = findings(&plan, &format!("<r>{inside}</r>"));
        found.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules("<a to='y x'/><a id='x'/><a id='y' to='x'/>"), NONE);
    assert_eq!(rules("<a id='x'/><a id=' x '/>"), ["cvc-id.2"]);
    assert_eq!(rules("<a to='x'><c>x</c></a>"), NONE);
    assert_eq!(rules("<a><c>x</c></a><a id='x'/>"), ["cvc-id.2"]);
    assert_eq!(rules("<a to='x y z'/><a id='y'/>"), ["cvc-id.1", "cvc-id.1"]);
    assert_eq!(rules("<a e='x'/>"), ["cvc-simple-type.2.1"]);
}

#[test]
fn findings_beyond_the_limit_are_counted_only() {
    struct Count(u64);
    impl Observer for Count {
        fn finding(&mut self, _: Finding) {
            self.0 += 1;
        }
    }
    let plan = ids();
    let mut validator = Validator::new(&plan, Limits { findings: 3, ..Limits::default() });
    let mut count = Count(0);
    validator.feed(format!("<r>{}</r>", "<a x='1'/>".repeat(10)).as_bytes(), &mut count);
    assert_eq!((validator.finish(&mut count).findings, count.0), (10, 3));
}
