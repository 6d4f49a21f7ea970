//! `sluse schema`.

use std::fs;

use super::{sluse, text};

#[test]
fn check_answers_0_for_right_and_2_with_place_and_rule() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &str| {
        let path = dir.path().join(name).display().to_string();
        let schema = format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n{content}\n</xs:schema>");
        fs::write(&path, schema).unwrap();
        path
    };
    let check = |files: &[&str]| {
        let output = sluse(["schema", "check"].iter().chain(files), b"", &[]);
        assert!(output.stdout.is_empty());
        (output.status.code(), text(&output.stderr))
    };
    let right = put("right.xsd", "<xs:element name='a' type='t'/>");
    let types = put("types.xsd", "<xs:simpleType name='t'><xs:restriction base='xs:int'/></xs:simpleType>");
    assert_eq!(check(&[&right, &types]), (Some(0), String::new()));
    let (code, err) = check(&[&right]);
    assert!(code == Some(2) && err.starts_with(&format!("{right}:2:")) && err.contains(" src-resolve"), "{err}");
    let whole = put("whole.xsd", "<xs:include schemaLocation='types.xsd'/><xs:element name='a' type='t'/>");
    assert_eq!(check(&[&whole]), (Some(0), String::new()));
    let several = "<xs:element name='a' type='gone'/>\n<xs:element name='b' typo=''/>\n<xs:element name='c'/>";
    let several = put("several.xsd", several);
    let (code, err) = check(&[&several]);
    let lines: Vec<&str> = err.lines().collect();
    assert!(code == Some(2) && lines.len() == 2, "{err}");
    assert!(lines[0].starts_with(&format!("{several}:2:")) && lines[1].starts_with(&format!("{several}:3:")), "{err}");
    let many: String = (0..200).map(|number| format!("<xs:element name='e{number}' type='gone'/>\n")).collect();
    let (code, err) = check(&[&put("many.xsd", &many)]);
    assert!(code == Some(2) && err.lines().count() == 101 && err.ends_with("no more than 100 are named.\n"), "{err}");
    let gone = dir.path().join("gone.xsd").display().to_string();
    assert!(matches!(check(&[&gone]), (Some(2), err) if err.contains("gone.xsd")));
}

/// Compares two schemas without a namespace, given their components.
fn diff(one: &str, other: &str) -> (Option<i32>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &str| {
        let path = dir.path().join(name).display().to_string();
        fs::write(&path, format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>{content}</xs:schema>"))
            .unwrap();
        path
    };
    let output = sluse(["schema", "diff", &put("one.xsd", one), &put("other.xsd", other)], b"", &[]);
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    (output.status.code(), text(&output.stdout).lines().map(str::to_owned).collect())
}

/// An element `order` of a type with the content model given, and lines of a type of their own that holds itself.
fn order(model: &str) -> String {
    format!(
        "<xs:element name='order'><xs:complexType>{model}</xs:complexType></xs:element>
         <xs:complexType name='line'><xs:sequence>
           <xs:element name='part' type='line' minOccurs='0' maxOccurs='unbounded'/>
         </xs:sequence></xs:complexType>"
    )
}

#[test]
fn schemas_that_accept_the_same_have_no_differences() {
    let tiny = "<xs:simpleType name='tiny'><xs:restriction base='xs:integer'>
        <xs:minInclusive value='-0128'/><xs:maxInclusive value='+127'/>
        </xs:restriction></xs:simpleType>";
    let (a, b) = ("<xs:element name='a' type='xs:byte'/>", "<xs:element name='b' type='xs:date'/>");
    let (lines, day) = ("<xs:element name='line' type='line'", "<xs:element name='day' type='xs:date'/>");
    let many = "minOccurs='0' maxOccurs='unbounded'";
    let same = [
        (
            order(&format!("<xs:sequence>{day}{lines} {many}/></xs:sequence>")),
            order(&format!(
                "<xs:sequence><xs:sequence>{day}</xs:sequence><xs:choice {many}>{lines}/></xs:choice></xs:sequence>"
            )),
        ),
        (
            order(&format!("<xs:all>{a}{b}</xs:all>")),
            order(&format!(
                "<xs:choice><xs:sequence>{a}{b}</xs:sequence><xs:sequence>{b}{a}</xs:sequence></xs:choice>"
            ))
            .replace("xs:byte", "tiny")
                + tiny,
        ),
    ];
    for (one, other) in same {
        assert_eq!(diff(&one, &other), (Some(0), vec![]));
    }
}

#[test]
fn each_difference_is_told_with_its_place_and_both_sides() {
    let element = |rest: &str| format!("<xs:sequence><xs:element name='a' {rest}/></xs:sequence>");
    let cases = [
        (
            order("<xs:sequence><xs:element name='a' maxOccurs='3'/></xs:sequence>"),
            order("<xs:sequence><xs:element name='a' maxOccurs='unbounded'/></xs:sequence>"),
            "/order: children: refuses a × 4: (a{1,3}) <> accepts a × 4: (a+)",
        ),
        (order(&element("type='xs:int'")), order(&element("type='xs:short'")), "/order/a: value: maxInclusive 2147483647 <> maxInclusive 32767"),
        (order(&element("nillable='true'")), order(&element("")), "/order/a: nillable: nillable <> not nillable"),
        (order(&element("fixed='1'")), order(&element("default='1'")), "/order/a: default: fixed \"1\" <> default \"1\""),
        (order(&element("type='line'")), order(&element("type='xs:string'")), "/order/a: content: elements <> a value of type string"),
        (
            order("<xs:attribute name='unit' use='required'/>"),
            order("<xs:attribute name='unit'/>"),
            "/order/@unit: attribute: required <> optional",
        ),
        (order("<xs:anyAttribute/>"), order(""), "/order/@*: attribute: others in any namespace (strict) <> no others"),
        (
            order("<xs:sequence><xs:any processContents='lax' namespace='urn:a'/></xs:sequence>"),
            order("<xs:sequence><xs:any processContents='skip' namespace='urn:a'/></xs:sequence>"),
            "/order: wildcard: any other in urn:a: lax <> any other in urn:a: skip",
        ),
        (order("") + "<xs:element name='new'/>", order(""), "/new: root: declared <> not declared"),
        (
            order(&element("type='line'")) + "<xs:complexType name='long'><xs:complexContent><xs:extension base='line'/></xs:complexContent></xs:complexType>",
            order(&element("type='line'")),
            "/order/a[xsi:type=long]: replacement: long may be named <> long may not be named",
        ),
        (
            order(&element("")).replace("</xs:complexType></xs:element>", "</xs:complexType><xs:key name='k'><xs:selector xpath='.//a'/><xs:field xpath='@id'/></xs:key></xs:element>"),
            order(&element("")),
            "/order: constraint: key of .//a by @id <> not asked",
        ),
    ];
    for (one, other, told) in cases {
        let (code, lines) = diff(&one, &other);
        assert_eq!(code, Some(1), "{told}");
        assert!(lines.iter().any(|line| line == told), "{told}\n{lines:#?}");
        assert_eq!(diff(&one, &one), (Some(0), vec![]));
    }
}

#[test]
fn schemas_that_cannot_be_used_cannot_be_compared() {
    let dir = tempfile::tempdir().unwrap();
    let right = dir.path().join("right.xsd").display().to_string();
    fs::write(&right, "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/>").unwrap();
    let gone = dir.path().join("gone.xsd").display().to_string();
    for args in [[&right, &gone], [&gone, &right]] {
        let output = sluse(["schema", "diff"].into_iter().chain(args.map(String::as_str)), b"", &[]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(text(&output.stderr).contains("gone.xsd"));
    }
}
