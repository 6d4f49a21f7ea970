//! What the targets do with their bytes. The test suite runs the same on mutants of its own, so that they keep holding
//! where cargo-fuzz is not installed.

use std::sync::Arc;

use sluse::xml::{self, Locator, Scope, Sink, Tag, Tokenizer};
use sluse::xsd::{Finding, Limits, Plan, Schema, SchemaDocument, Validator};

/// Between a schema and a document.
pub const BETWEEN: &[u8] = b"\n%%\n";
/// Documents are cut at so many places.
const CUTS: usize = 3;

/// Any bytes, cut in two anywhere, are heard alike, and never panic.
pub fn xml_tokenizer(data: &[u8]) {
    let Some((cut, document)) = data.split_first() else { return };
    let (head, tail) = document.split_at(usize::from(*cut).min(document.len()));
    assert_eq!(heard(&[document]), heard(&[head, tail]));
}

/// Any bytes as a schema are compiled or refused, and never panic.
pub fn xsd_compile(data: &[u8]) {
    let _ = compiled(data);
}

/// Any schema that can be compiled judges any document, and never panics.
pub fn xsd_validate(data: &[u8]) {
    let between = data.windows(BETWEEN.len()).position(|bytes| bytes == BETWEEN);
    let Some((schema, document)) = between.map(|at| data.split_at(at)) else { return };
    let Some(plan) = compiled(schema) else { return };
    let document = document.get(BETWEEN.len()..).unwrap_or_default();
    let findings = findings(&plan, document, &[]);
    // An accepted document stays accepted, however often it is asked.
    assert_eq!(findings.is_empty(), self::findings(&plan, document, &[]).is_empty());
}

/// A pattern on the first line is compiled or refused; what it takes, it takes again.
pub fn xsd_pattern(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (pattern, value) = text.split_once('\n').unwrap_or((&text, ""));
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let schema = format!(
        "<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'><s:element name='v'><s:simpleType>\
         <s:restriction base='s:string'><s:pattern value=\"{}\"/></s:restriction></s:simpleType></s:element></s:schema>",
        escaped(pattern)
    );
    let Some(plan) = compiled(schema.as_bytes()) else { return };
    let document = format!("<v>{}</v>", escaped(value));
    findings(&plan, document.as_bytes(), &[]);
}

/// A schema and a document behind places to cut it at: any pieces give the same findings.
pub fn chunking(data: &[u8]) {
    let Some((places, data)) = data.split_at_checked(CUTS) else { return };
    let between = data.windows(BETWEEN.len()).position(|bytes| bytes == BETWEEN);
    let Some((schema, document)) = between.map(|at| data.split_at(at)) else { return };
    let Some(plan) = compiled(schema) else { return };
    let document = document.get(BETWEEN.len()..).unwrap_or_default();
    let mut cuts: Vec<usize> = places.iter().map(|place| usize::from(*place) * (document.len() + 1) / 256).collect();
    cuts.sort_unstable();
    let whole = findings(&plan, document, &[]);
    assert_eq!(whole, findings(&plan, document, &cuts), "cut at {cuts:?}");
    let bytes: Vec<usize> = (0..document.len()).collect();
    assert_eq!(whole, findings(&plan, document, &bytes), "byte by byte");
}

fn compiled(schema: &[u8]) -> Option<Plan> {
    let schema = Schema::compile(&[SchemaDocument { name: "fuzz.xsd", bytes: schema }]).ok()?;
    Plan::new(Arc::new(schema), &[]).ok()
}

fn findings(plan: &Plan, document: &[u8], cuts: &[usize]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut validator = Validator::new(plan, Limits::default());
    let mut from = 0;
    for cut in cuts.iter().copied().chain([document.len()]) {
        validator.feed(document.get(from..cut).unwrap_or_default(), &mut found);
        from = cut;
    }
    let end = validator.finish(&mut found);
    assert_eq!(end.sound, found.is_empty());
    found
}

fn heard(pieces: &[&[u8]]) -> (Option<xml::Fault>, Counter) {
    let mut tokenizer = Tokenizer::new(xml::Limits::default(), &["urn:a"]);
    let mut counter = Counter::default();
    let fed = pieces.iter().try_for_each(|piece| tokenizer.feed(piece, &mut counter));
    let fault = fed.and_then(|()| tokenizer.finish(&mut counter)).err();
    (fault.map(|fault| *fault), counter)
}

/// Counts what it hears.
#[derive(Default, PartialEq, Debug)]
struct Counter(u64, u64, u64);

impl Sink for Counter {
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        self.0 += locator.position(tag.offset).column + tag.attributes().count() as u64;
    }

    fn end(&mut self, _: u64, to: u64, _: &Scope, _: &mut Locator<'_>) {
        self.1 += to;
    }

    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}

    fn character(&mut self, c: char, _: u64, _: &mut Locator<'_>) {
        self.2 += u64::from(c);
    }
}
