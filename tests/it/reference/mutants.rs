//! Documents that differ from one in one place.

use std::ops::Range;

/// Mutants of a document, each with a name of its own.
pub(super) fn of(whole: &str) -> Vec<(String, String)> {
    let elements = elements(whole);
    let mut all = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        let next = elements.iter().find(|other| other.range.start >= element.range.end && other.depth == element.depth);
        let mut mutants = changed(whole, element, next);
        mutants.extend(with_attributes(whole, element));
        if element.leaf {
            mutants.extend(with_values(whole, element));
        }
        all.extend(
            mutants.into_iter().map(|(change, mutant)| (format!("{index:03}-{}-{change}", element.name), mutant)),
        );
    }
    all
}

/// An element of a document without comments, instructions or prefixes.
struct Element {
    name: String,
    depth: usize,
    /// From `<` to past the end tag's `>`.
    range: Range<usize>,
    /// Its content; empty at the end of an empty-element tag.
    content: Range<usize>,
    /// Its attributes with the space before each: name, whole, value.
    attributes: Vec<(String, Range<usize>, Range<usize>)>,
    leaf: bool,
}

fn elements(text: &str) -> Vec<Element> {
    let mut found: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut at = text.find("?>").unwrap();
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
            let attributes = attributes(text, at + 1 + name.len()..end);
            found.push(Element { name, depth: open.len(), range: at..end, content: end..end, attributes, leaf: true });
            if !text[at..end].ends_with("/>") {
                open.push(found.len() - 1);
            }
        }
        at = end;
    }
    found
}

fn attributes(text: &str, within: Range<usize>) -> Vec<(String, Range<usize>, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = within.start;
    while let Some(equals) = text[at..within.end].find("=\"") {
        let value = at + equals + 2;
        let end = value + text[value..].find('"').unwrap();
        found.push((text[at..at + equals].trim().to_owned(), at..end + 1, value..end));
        at = end + 1;
    }
    found
}

/// Mutants of the element itself and of what is around it.
fn changed(text: &str, element: &Element, next: Option<&Element>) -> Vec<(String, String)> {
    let own = &text[element.range.clone()];
    let content = &text[element.content.clone()];
    let put = |replacement: String| with(text, &element.range, &replacement);
    let name = element.name.as_str();
    let tag = format!("{name}{}", own_attributes(text, element));
    let mut all = vec![
        ("dropped".to_owned(), put(String::new())),
        ("doubled".to_owned(), put(format!("{own}{own}"))),
        ("renamed".to_owned(), put(format!("<Other{}>{content}</Other>", own_attributes(text, element)))),
        ("wrapped".to_owned(), put(format!("<{tag}>{own}</{name}>"))),
        ("emptied".to_owned(), put(format!("<{tag}/>"))),
        ("text-before".to_owned(), put(format!("<{tag}>x{content}</{name}>"))),
        ("text-after".to_owned(), put(format!("{own}x"))),
        ("child-before".to_owned(), put(format!("<{tag}><Other/>{content}</{name}>"))),
        ("child-after".to_owned(), put(format!("<{tag}>{content}<Other/></{name}>"))),
        ("comment-inside".to_owned(), put(format!("<{tag}><!-- c -->{content}<?p?></{name}>"))),
        (
            "case".to_owned(),
            put(format!("<{0}{1}>{content}</{0}>", name.to_lowercase(), own_attributes(text, element))),
        ),
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
    all
}

/// Mutants by attributes: others in their place, and each of the element's own dropped, renamed and with other values.
fn with_attributes(text: &str, element: &Element) -> Vec<(String, String)> {
    let name = element.name.as_str();
    let content = &text[element.content.clone()];
    let xmlns = own(text, element, |name| name.starts_with("xmlns"));
    let mut all = Vec::new();
    for (index, added) in ATTRIBUTES.iter().enumerate() {
        // A second declaration of a prefix would be a fault of its own.
        let xmlns = if added.contains("xmlns:xsi") { xmlns.replace("xmlns:xsi", "xmlns:own") } else { xmlns.clone() };
        let others = own(text, element, |name| !name.starts_with("xmlns") && !name.starts_with("xsi:"));
        let put = |attributes: &str, content: &str| {
            with(text, &element.range, &format!("<{name}{attributes}>{content}</{name}>"))
        };
        all.push((format!("attributes-{index}"), put(&format!("{xmlns} {added}"), content)));
        all.push((format!("attributes-{index}-more"), put(&format!("{xmlns}{others} {added}"), content)));
        all.push((format!("attributes-{index}-empty"), put(&format!("{xmlns}{others} {added}"), "")));
    }
    for (name, range, value) in element.attributes.iter().filter(|(name, _, _)| !name.starts_with("xmlns")) {
        all.push((format!("{name}-dropped"), with(text, range, "")));
        all.push((format!("{name}-renamed"), with(text, range, &text[range.clone()].replace(name, "Other"))));
        for (change, other) in values() {
            // As an attribute has it: no markup of elements.
            if !other.contains('<') {
                all.push((format!("{name}-{change}"), with(text, value, &other)));
            }
        }
    }
    all.into_iter().map(|(change, mutant)| (change.replace(':', "."), mutant)).collect()
}

fn with_values(text: &str, element: &Element) -> Vec<(String, String)> {
    let tag = format!("{}{}", element.name, own_attributes(text, element));
    let put = |value: &str| with(text, &element.range, &format!("<{tag}>{value}</{}>", element.name));
    values().into_iter().map(|(change, value)| (change, put(&value))).collect()
}

/// Values that some types take and others do not.
fn values() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        VALUES.iter().enumerate().map(|(index, value)| (format!("value-{index}"), (*value).to_owned())).collect();
    for length in LENGTHS {
        all.push((format!("length-{length}"), "å".repeat(*length)));
    }
    all
}

fn with(text: &str, range: &Range<usize>, replacement: &str) -> String {
    format!("{}{replacement}{}", &text[..range.start], &text[range.end..])
}

fn own_attributes(text: &str, element: &Element) -> String {
    own(text, element, |_| true)
}

fn own(text: &str, element: &Element, which: impl Fn(&str) -> bool) -> String {
    element.attributes.iter().filter(|(name, _, _)| which(name)).map(|(_, range, _)| &text[range.clone()]).collect()
}

/// Around the lengths that schemas allow.
const LENGTHS: &[usize] = &[2, 3, 7, 8, 9, 10, 11, 12, 15, 16, 50, 51, 160, 161, 255, 256, 257, 500, 501, 512, 513];
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
    "9223372036854775807",
    "9223372036854775808",
    "4294967295",
    "4",
    "5",
    "25",
    "26",
    "128",
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
    "2026-01-01T00:00:00.5Z",
    "2026-01-01T24:00:00",
    "2026-01-01T25:00:00",
    "sensitive",
    "OK",
    "FAILED",
    "CopyAltinn",
    "a b",
    "urn:a",
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
