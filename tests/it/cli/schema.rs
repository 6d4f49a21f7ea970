//! `sluse schema`.

use std::fs;

use super::{sluse, text};

#[test]
fn check_answers_0_for_right_and_2_with_every_place() {
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
    assert!(matches!(check(&[&right]), (Some(2), err) if err.starts_with(&format!("{right}:2:"))));
    let gone = dir.path().join("gone.xsd").display().to_string();
    assert!(matches!(check(&[&gone]), (Some(2), err) if err.contains("gone.xsd")));
}
