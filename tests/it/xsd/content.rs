//! Content models against a matcher that tries everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use sluse::xsd::{Kind, Plan, Schema, SchemaDocument, SchemaError};

use super::findings;

/// A content model.
#[derive(Debug, Clone)]
enum Model {
    /// An element, by its letter.
    Element(char),
    Sequence(Vec<Part>),
    Choice(Vec<Part>),
}

/// A model, a number of times.
#[derive(Debug, Clone)]
struct Part {
    min: usize,
    max: Option<usize>,
    model: Model,
}

impl Part {
    /// The places where children may end that begin at `from` and fit.
    fn ends(&self, children: &[char], from: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([from]);
        let mut ends = if self.min == 0 { reached.clone() } else { BTreeSet::new() };
        // What comes to nothing may do so as often as it must: so many rounds tell all.
        for round in 1..=self.max.unwrap_or(self.min + children.len() + 1) {
            let before = reached.clone();
            reached = reached.iter().flat_map(|at| self.model.ends(children, *at)).collect();
            if reached == before && round > self.min {
                break;
            }
            if round >= self.min {
                ends.extend(&reached);
            }
        }
        ends
    }

    fn schema(&self) -> String {
        let max = self.max.map_or("unbounded".to_owned(), |max| max.to_string());
        let occurs = format!("minOccurs='{}' maxOccurs='{max}'", self.min);
        let inside = |parts: &[Part]| parts.iter().map(Part::schema).collect::<String>();
        match &self.model {
            Model::Element(name) => format!("<s:element name='{name}' type='s:string' {occurs}/>"),
            Model::Sequence(parts) => format!("<s:sequence {occurs}>{}</s:sequence>", inside(parts)),
            Model::Choice(parts) => format!("<s:choice {occurs}>{}</s:choice>", inside(parts)),
        }
    }

    /// Gives every element a name of its own, so that no model is ambiguous, but for every fifth.
    fn rename(&mut self, next: &mut u32) {
        match &mut self.model {
            Model::Element(name) => {
                *name = char::from_u32(u32::from('a') + *next * 4 / 5).unwrap();
                *next += 1;
            }
            Model::Sequence(parts) | Model::Choice(parts) => parts.iter_mut().for_each(|part| part.rename(next)),
        }
    }
}

impl Model {
    fn ends(&self, children: &[char], from: usize) -> BTreeSet<usize> {
        match self {
            Self::Element(name) => {
                children.get(from).filter(|child| *child == name).map(|_| from + 1).into_iter().collect()
            }
            Self::Sequence(parts) => parts.iter().fold(BTreeSet::from([from]), |reached, part| {
                reached.iter().flat_map(|at| part.ends(children, *at)).collect()
            }),
            Self::Choice(parts) => {
                // A part that may never come is no part at all, and a choice of no parts comes to nothing.
                let parts: Vec<&Part> = parts.iter().filter(|part| part.max != Some(0)).collect();
                match parts.is_empty() {
                    true => BTreeSet::from([from]),
                    false => parts.iter().flat_map(|part| part.ends(children, from)).collect(),
                }
            }
        }
    }

    /// Children that fit, as chance has it.
    fn sample(&self, chance: &mut impl FnMut(usize) -> usize, children: &mut Vec<char>) {
        match self {
            Self::Element(name) => children.push(*name),
            Self::Sequence(parts) => parts.iter().for_each(|part| part.sample(chance, children)),
            Self::Choice(parts) => {
                if let Some(part) = parts.get(chance(parts.len().max(1))) {
                    part.sample(chance, children);
                }
            }
        }
    }
}

impl Part {
    fn sample(&self, chance: &mut impl FnMut(usize) -> usize, children: &mut Vec<char>) {
        let most = self.max.unwrap_or(self.min + 3);
        let times = self.min + chance(most - self.min + 1);
        (0..times).for_each(|_| self.model.sample(chance, children));
    }
}

fn part() -> impl Strategy<Value = Part> {
    let element = Just(Model::Element('a'));
    let occurs = (0_usize..3, prop_oneof![3 => (0_usize..4).prop_map(Some), 1 => Just(None)]);
    let counted =
        |model: Model, (min, more): (usize, Option<usize>)| Part { min, max: more.map(|more| min + more), model };
    let leaf = (element, occurs.clone()).prop_map(move |(model, occurs)| counted(model, occurs));
    leaf.prop_recursive(4, 12, 3, move |inner| {
        let group = (any::<bool>(), proptest::collection::vec(inner, 1..4));
        let group =
            group.prop_map(|(choice, parts)| if choice { Model::Choice(parts) } else { Model::Sequence(parts) });
        (group, occurs.clone()).prop_map(move |(model, occurs)| counted(model, occurs))
    })
}

/// The schema of an element `x` with a content model; nothing if it is ambiguous.
fn plan(model: &Part) -> Option<Plan> {
    let model = Part { min: 1, max: Some(1), model: Model::Sequence(vec![model.clone()]) };
    let text = format!(
        "<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'><s:element name='x'><s:complexType>{}</s:complexType>\
         </s:element></s:schema>",
        model.schema()
    );
    match Schema::compile(&[SchemaDocument { name: "x.xsd", bytes: text.as_bytes() }]) {
        Ok(schema) => Some(Plan::new(Arc::new(schema), &[]).unwrap()),
        Err(SchemaError::Invalid { rule, .. }) if rule.starts_with("cos-") => None,
        Err(error) => panic!("{error}: {text}"),
    }
}

fn document(children: &[char]) -> String {
    let children: String = children.iter().map(|name| format!("<{name}/>")).collect();
    format!("<x>{children}</x>")
}

fn fits(plan: &Plan, children: &[char]) -> bool {
    let found = findings(plan, &document(children));
    assert!(found.len() <= 1, "one mistake, one finding: {found:?}");
    found.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn models_take_what_the_simplest_matcher_takes(
        mut model in part(),
        numbers in proptest::collection::vec(any::<u16>(), 40),
        letters in proptest::collection::vec(0_u32..6, 0..9),
        at in any::<prop::sample::Index>(),
    ) {
        model.rename(&mut 0);
        let Some(plan) = plan(&model) else { return Ok(()) };
        let mut turns = numbers.iter().cycle().enumerate();
        let mut chance = |most: usize| {
            let (turn, number) = turns.next().unwrap();
            (usize::from(*number) + turn / 40) % most
        };
        for _ in 0..6 {
            let mut children = Vec::new();
            model.sample(&mut chance, &mut children);
            children.truncate(40);
            let expected = model.ends(&children, 0).contains(&children.len());
            prop_assert_eq!(fits(&plan, &children), expected, "{:?}", children);
            if !children.is_empty() {
                children.remove(at.index(children.len()));
                let expected = model.ends(&children, 0).contains(&children.len());
                prop_assert_eq!(fits(&plan, &children), expected, "{:?}", children);
            }
        }
        let children: Vec<char> = letters.iter().map(|letter| char::from_u32(u32::from('a') + letter).unwrap()).collect();
        let expected = model.ends(&children, 0).contains(&children.len());
        prop_assert_eq!(fits(&plan, &children), expected, "{:?}", children);
    }
}

fn element(name: char, min: usize, max: Option<usize>) -> Part {
    Part { min, max, model: Model::Element(name) }
}

fn sequence(min: usize, max: Option<usize>, parts: Vec<Part>) -> Part {
    Part { min, max, model: Model::Sequence(parts) }
}

#[test]
fn counts_in_the_thousands_are_no_states() {
    let many = plan(&element('a', 2, Some(3000))).unwrap();
    for (times, expected) in [(1, false), (2, true), (2999, true), (3000, true), (3001, false)] {
        assert_eq!(fits(&many, &vec!['a'; times]), expected, "{times}");
    }
    let pair = sequence(500, Some(100_000), vec![element('a', 1, Some(1)), element('b', 0, Some(70_000))]);
    let pairs = plan(&pair).unwrap();
    for (times, expected) in [(499, false), (500, true), (20_000, true)] {
        assert_eq!(fits(&pairs, &['a', 'b', 'b'].repeat(times)), expected, "{times}");
    }
    let least = plan(&sequence(70_000, None, vec![element('a', 1, Some(1)), element('b', 1, Some(1))])).unwrap();
    assert!(!fits(&least, &['a', 'b'].repeat(69_999)));
    assert!(fits(&least, &['a', 'b'].repeat(70_001)));
}

#[test]
fn counts_may_be_seen_in_several_ways() {
    // Three may be one round or begin the second of two.
    let model = sequence(2, Some(2), vec![element('a', 2, Some(3)), element('b', 0, Some(1))]);
    let plan = plan(&model).unwrap();
    for (children, expected) in [
        ("aaa", false),
        ("aaaa", true),
        ("aaaaa", true),
        ("aaaaaa", true),
        ("aaaaaaa", false),
        ("aabaa", true),
        ("aba", false),
    ] {
        assert_eq!(fits(&plan, &children.chars().collect::<Vec<_>>()), expected, "{children}");
    }
}

fn one(model: &str, more: &str) -> Plan {
    let text = format!(
        "<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema' xmlns='urn:t' targetNamespace='urn:t' \
         elementFormDefault='qualified'><s:element name='x'><s:complexType>{model}</s:complexType></s:element>{more}\
         </s:schema>"
    );
    let schema = Schema::compile(&[SchemaDocument { name: "x.xsd", bytes: text.as_bytes() }]).expect(&text);
    Plan::new(Arc::new(schema), &[]).unwrap()
}

fn rules(plan: &Plan, inside: &str) -> Vec<&'static str> {
    let xsi = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance'";
    let document = format!("<x xmlns='urn:t' xmlns:o='urn:o' {xsi}>{inside}</x>");
    findings(plan, &document).iter().map(|finding| finding.rule).collect()
}

#[test]
fn members_of_all_groups_come_in_any_order() {
    let members: String = (0..100)
        .map(|number| format!("<s:element name='e{number}' type='s:int' minOccurs='{}'/>", u8::from(number < 2)))
        .collect();
    let plan = one(&format!("<s:all>{members}</s:all>"), "");
    let none: [&str; 0] = [];
    assert_eq!(rules(&plan, "<e1>1</e1><e0>1</e0>"), none);
    assert_eq!(rules(&plan, "<e99>1</e99><e0>1</e0><e50>1</e50><e1>1</e1>"), none);
    assert_eq!(rules(&plan, "<e99>1</e99><e0>1</e0>"), ["cvc-complex-type.2.4.b"]);
    assert_eq!(rules(&plan, ""), ["cvc-complex-type.2.4.b"]);
    assert_eq!(rules(&plan, "<e0>1</e0><e1>1</e1><e0>x</e0>"), ["cvc-complex-type.2.4.a", "cvc-datatype-valid.1.2.1"]);
    let optional = one(&format!("<s:all minOccurs='0'>{members}</s:all>"), "");
    assert_eq!(rules(&optional, ""), none);
    assert_eq!(rules(&optional, "<e2>1</e2>"), ["cvc-complex-type.2.4.b"]);
}

#[test]
fn wildcards_come_behind_names() {
    let model = "<s:sequence><s:element name='a' type='s:int'/>\
        <s:any namespace='##other' processContents='PROCESS' minOccurs='1' maxOccurs='2'/>\
        <s:element name='b' type='s:int' minOccurs='0'/></s:sequence><s:anyAttribute namespace='##other' \
        processContents='PROCESS'/>";
    let more = "<s:element name='g' type='s:int'/><s:attribute name='q' type='s:int'/>";
    let [skip, lax, strict] = ["skip", "lax", "strict"].map(|process| one(&model.replace("PROCESS", process), more));
    let none: [&str; 0] = [];
    for plan in [&skip, &lax] {
        assert_eq!(rules(plan, "<a>1</a><o:any o:q='x'><a>x</a></o:any><o:any/><b>1</b>"), none);
        assert_eq!(rules(plan, "<a>1</a><o:any/><o:any/><o:any/>"), ["cvc-complex-type.2.4.a"]);
        assert_eq!(rules(plan, "<a>1</a><z/>"), ["cvc-complex-type.2.4.a"]);
        assert_eq!(rules(plan, "<a>1</a>"), ["cvc-complex-type.2.4.b"]);
    }
    assert_eq!(rules(&skip, "<a>1</a><o:any><g>x</g></o:any>"), none);
    assert_eq!(rules(&lax, "<a>1</a><o:any><g>x</g></o:any>"), ["cvc-datatype-valid.1.2.1"]);
    assert_eq!(rules(&lax, "<a>1</a><o:any i:type='g'/>"), ["cvc-elt.4.2"]);
    assert_eq!(rules(&strict, "<a>1</a><o:any><g>x</g></o:any>"), ["cvc-complex-type.2.4.c"]);
    let typed = "<o:any xmlns:s='http://www.w3.org/2001/XMLSchema' i:type='s:int'>TEXT</o:any>";
    assert_eq!(rules(&strict, &format!("<a>1</a>{}", typed.replace("TEXT", "1"))), none);
    assert_eq!(rules(&strict, &format!("<a>1</a>{}", typed.replace("TEXT", "x"))), ["cvc-datatype-valid.1.2.1"]);
}

#[test]
fn substitutes_stand_where_their_head_may() {
    let more = "<s:element name='head' type='s:string' abstract='true'/><s:element name='near' substitutionGroup='head' \
        type='s:token'/><s:element name='far' substitutionGroup='near'/><s:element name='closed' block='substitution' \
        type='s:string'/><s:element name='never' substitutionGroup='closed'/>";
    let model = "<s:sequence><s:element ref='head' maxOccurs='3'/><s:element ref='closed' minOccurs='0'/></s:sequence>";
    let plan = one(model, more);
    let none: [&str; 0] = [];
    assert_eq!(rules(&plan, "<near/><far/><near/>"), none);
    assert_eq!(rules(&plan, "<near/><closed/>"), none);
    assert_eq!(rules(&plan, "<near/><never/>"), ["cvc-complex-type.2.4.a"]);
    let found = findings(&plan, "<x xmlns='urn:t'><head/></x>");
    assert_eq!((found[0].kind, found[0].text.as_str()), (Kind::UnexpectedElement, "expected near or far, found head"));
}
