//! Our schemas against the official ones, where the reference folder is there.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use sluse::xsd::{Finding, Limits, Plan, Schema, SchemaDocument, Validator};

use crate::support::judged::fixtures;

const OURS: &str = "schemas/prefill/service-owner-2009-10.xsd";
const OFFICIAL: &str = "altinn2/xsd/schemas.altinn.no.services.intermediary.serviceinitiation.2009.10.xsd";
const SAMPLE: &str = "altinn2/samples/synthetic/serviceinitiation_prefill_and_subscription.xml";

#[test]
fn our_engine_says_the_same_by_our_schema_and_by_the_official_one() {
    let Some(reference) = reference() else { return };
    let (ours, official) = (plan(&repository(OURS)), plan(&reference.join(OFFICIAL)));
    let documents = documents(&reference);
    let mut accepted = 0;
    for (name, document) in &documents {
        // All but the wording, in which global elements may come in another order.
        let said = |plan: &Plan| -> Vec<_> {
            judged(plan, document).into_iter().map(|found| (found.kind, found.rule, found.at, found.path)).collect()
        };
        let (by_ours, by_official) = (said(&ours), said(&official));
        assert_eq!(by_ours, by_official, "{name}");
        accepted += usize::from(by_ours.is_empty());
    }
    // The documents must tell good from bad, or the comparison says nothing.
    assert!(accepted > 100 && documents.len() - accepted > 1_000, "{accepted} of {} accepted", documents.len());
}

#[test]
fn xmllint_says_the_same_by_our_schema_and_by_the_official_one() {
    let Some(reference) = reference() else { return };
    if !xmllint_is_here() {
        return;
    }
    let documents = documents(&reference);
    let dir = tempfile::tempdir().unwrap();
    for (name, document) in &documents {
        std::fs::write(dir.path().join(name), document).unwrap();
    }
    let by_ours = xmllint(dir.path(), &repository(OURS), &documents);
    let by_official = xmllint(dir.path(), &reference.join(OFFICIAL), &documents);
    assert_eq!(by_ours, by_official);
    let ours = plan(&repository(OURS));
    let differ: Vec<&String> = documents
        .iter()
        .filter(|(name, document)| by_ours.get(*name) != Some(&judged(&ours, document).is_empty()))
        .map(|(name, _)| name)
        .filter(|name| !XMLLINT_DIFFERS.iter().any(|known| name.contains(known)))
        .collect();
    assert!(differ.is_empty(), "xmllint and our engine differ on {differ:?}");
}

/// Documents that xmllint judges otherwise.
const XMLLINT_DIFFERS: &[&str] = &[
    // It passes over characters that base64 does not have.
    "-AttachmentData-",
    // It does not take the white space off a date.
    "white-space-around-values",
    // It reads it; we do not.
    "doctype",
];

fn reference() -> Option<PathBuf> {
    let found = std::env::var_os("SLUSE_REFERENCE").map(PathBuf::from);
    if found.is_none() {
        eprintln!("skipped: SLUSE_REFERENCE names no folder with the official schemas");
    }
    found
}

fn xmllint_is_here() -> bool {
    let here = Command::new("xmllint").arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(here || std::env::var_os("SLUSE_REQUIRE_ALL").is_none(), "xmllint is required and not installed");
    if !here {
        eprintln!("skipped: xmllint is not installed");
    }
    here
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn plan(schema: &Path) -> Plan {
    let bytes = std::fs::read(schema).unwrap();
    let schema = Schema::compile(&[SchemaDocument { name: "schema.xsd", bytes: &bytes }]).unwrap();
    Plan::new(Arc::new(schema), &[]).unwrap()
}

fn judged(plan: &Plan, document: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut validator = Validator::new(plan, Limits::default());
    validator.feed(document, &mut findings);
    validator.finish(&mut findings);
    findings
}

/// Which of the documents xmllint accepts.
fn xmllint(dir: &Path, schema: &Path, documents: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, bool> {
    let names: Vec<&String> = documents.keys().collect();
    let mut verdicts: BTreeMap<String, bool> = documents.keys().map(|name| (name.clone(), false)).collect();
    for names in names.chunks(500) {
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(schema)
            .args(names)
            .current_dir(dir)
            .output()
            .unwrap();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            if let Some(name) = line.strip_suffix(" validates") {
                verdicts.insert(name.to_owned(), true);
            }
        }
    }
    assert!(verdicts.values().any(|accepted| *accepted), "xmllint accepted nothing");
    verdicts
}

/// Fixtures, the sample, and mutants of a batch that has every element.
fn documents(reference: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut documents = BTreeMap::new();
    for folder in ["prefill/valid", "prefill/invalid"] {
        documents.extend(fixtures(folder).into_iter().map(|(name, path)| (name, std::fs::read(path).unwrap())));
    }
    documents.insert("sample".to_owned(), std::fs::read(reference.join(SAMPLE)).unwrap());
    let whole = String::from_utf8(documents["both-parts"].clone()).unwrap();
    let elements = elements(&whole);
    for (index, element) in elements.iter().enumerate() {
        let next = elements.iter().find(|other| other.range.start >= element.range.end && other.depth == element.depth);
        for (change, mutant) in mutants(&whole, element, next) {
            documents.insert(format!("{index:03}-{}-{change}", element.name), mutant.into_bytes());
        }
    }
    documents
}

/// An element of a document without attributes of note, comments or prefixes.
struct Element {
    name: String,
    depth: usize,
    /// From `<` to past the end tag's `>`.
    range: Range<usize>,
    /// Its content; empty at the end of an empty-element tag.
    content: Range<usize>,
    leaf: bool,
}

fn elements(text: &str) -> Vec<Element> {
    let mut found: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut at = text.find("<ServiceOwner").unwrap();
    while let Some(step) = text[at..].find('<') {
        at += step;
        if text[at..].starts_with("<![CDATA[") {
            at += text[at..].find("]]>").unwrap();
            continue;
        }
        let end = at + text[at..].find('>').unwrap() + 1;
        if text[at..].starts_with("</") {
            let element = &mut found[open.pop().unwrap()];
            element.content.end = at;
            element.range.end = end;
        } else {
            if let Some(parent) = open.last() {
                found[*parent].leaf = false;
            }
            let name = text[at + 1..end].split([' ', '/', '>']).next().unwrap().to_owned();
            found.push(Element { name, depth: open.len(), range: at..end, content: end..end, leaf: true });
            if !text[at..end].ends_with("/>") {
                open.push(found.len() - 1);
            }
        }
        at = end;
    }
    found
}

fn mutants(text: &str, element: &Element, next: Option<&Element>) -> Vec<(String, String)> {
    let own = &text[element.range.clone()];
    let content = &text[element.content.clone()];
    let put = |replacement: &str| {
        let (before, after) = (&text[..element.range.start], &text[element.range.end..]);
        format!("{before}{replacement}{after}")
    };
    let name = element.name.as_str();
    let with = |attributes: &str, content: &str| put(&format!("<{name} {attributes}>{content}</{name}>"));
    let mut all = vec![
        ("dropped".to_owned(), put("")),
        ("doubled".to_owned(), put(&format!("{own}{own}"))),
        ("renamed".to_owned(), put(&format!("<Other>{content}</Other>"))),
        ("wrapped".to_owned(), put(&format!("<{name}>{own}</{name}>"))),
        ("emptied".to_owned(), put(&format!("<{name}/>"))),
        ("text-before".to_owned(), put(&format!("<{name}>x{content}</{name}>"))),
        ("text-after".to_owned(), put(&format!("{own}x"))),
        ("child-before".to_owned(), put(&format!("<{name}><Other/>{content}</{name}>"))),
        ("child-after".to_owned(), put(&format!("<{name}>{content}<Other/></{name}>"))),
        ("comment-inside".to_owned(), put(&format!("<{name}><!-- c -->{content}<?p?></{name}>"))),
        ("case".to_owned(), put(&format!("<{0}>{content}</{0}>", name.to_lowercase()))),
    ];
    if let Some(next) = next {
        let swapped = format!(
            "{}{}{}{own}{}",
            &text[..element.range.start],
            &text[next.range.clone()],
            &text[element.range.end..next.range.start],
            &text[next.range.end..]
        );
        all.push(("swapped".to_owned(), swapped));
    }
    let xmlns = if name == "ServiceOwner" { SERVICE_OWNER } else { "" };
    let given = ATTRIBUTES
        .iter()
        .enumerate()
        .map(|(index, attributes)| (format!("attributes-{index}"), with(&format!("{xmlns} {attributes}"), content)));
    all.extend(given);
    all.push(("nil-empty".to_owned(), with(&format!("{xmlns} {NIL}"), "")));
    if name == "ServiceOwner" {
        // Without its namespace every change is the same one.
        all.retain(|(change, _)| !["renamed", "wrapped", "text-before"].contains(&change.as_str()));
    }
    if element.leaf {
        let values = VALUES.iter().enumerate().map(|(index, value)| (format!("value-{index}"), put_value(name, value)));
        all.extend(values.map(|(change, replacement)| (change, put(&replacement))));
        for length in [7, 8, 255, 256, 257] {
            all.push((format!("length-{length}"), put(&put_value(name, &"å".repeat(length)))));
        }
    }
    all
}

fn put_value(name: &str, value: &str) -> String {
    format!("<{name}>{value}</{name}>")
}

const SERVICE_OWNER: &str = "xmlns='http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10'";
const NIL: &str = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'";
const ATTRIBUTES: &[&str] = &[
    "a='1'",
    "xml:lang='nb'",
    "xmlns:b='urn:b' b:a='1'",
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'",
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='false'",
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='maybe'",
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='urn:a b.xsd'",
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:xs='http://www.w3.org/2001/XMLSchema' xsi:type='xs:string'",
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:xs='http://www.w3.org/2001/XMLSchema' xsi:type='xs:token'",
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='None'",
    "xmlns:b='urn:b'",
];
const VALUES: &[&str] = &[
    "",
    " ",
    "x",
    "0",
    "1",
    "-1",
    "true",
    "false",
    "TRUE",
    " true ",
    "2147483647",
    "2147483648",
    "-2147483648",
    "1.0",
    "+5",
    "2026-01-01",
    "2026-01-01Z",
    "2026-01-01+14:00",
    "2026-01-01+14:01",
    "2026-02-29",
    "2028-02-29",
    "2026-13-01",
    "2026-1-1",
    "2026-01-01T00:00:00",
    "-0001-01-01",
    "0000-01-01",
    "12026-01-01",
    "26-01-01",
    "aGk=",
    "aGk",
    "aGk==",
    "a G k =",
    "aGl=",
    "====",
    "&lt;",
    "<![CDATA[<a>]]>",
    "<![CDATA[2026-01-01]]>",
    "2026<!-- c -->-01-01",
    "&#50;026-01-01",
];
