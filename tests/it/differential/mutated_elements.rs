//! Mutants of documents: elements, attributes and texts changed, still XML mostly.

use std::ops::Range;

use super::chance::Chance;
use super::parts::{Element, Parts};

/// What is put into documents.
pub(crate) struct Words {
    /// Texts and attribute values.
    texts: &'static [&'static str],
    attributes: &'static [&'static str],
    elements: &'static [&'static str],
}

/// What stands in documents of the seeds, and sometimes is right.
#[rustfmt::skip]
pub(crate) const DOCUMENT: Words = Words {
    texts: &[
        "", " ", "x", "1", "-1", "0", "+1", "1.0", "1.50", "0.00", "4", "128", "5001", "true", "false", "1e2", "INF",
        "NaN", "2024-01-01", " 2024-01-01 ", "2024-02-30", "2024-01-01Z", "0000-01-01", "24:00:00",
        "2024-01-01T24:00:00", "2024", "P1Y", "P1M", "-P1D", "P", "PT", "AB123", "ab123", "AB12345", "ø:x", "red",
        " dark \n blue ", "dark&#32;blue", "dark&#10;blue", "one", "two", "three", "u1", "u2", "u3", "u1 u2", "u1 u9",
        "head", "clerk", "kr", "nb-NO", "a b c d", "a  b", "QUJD", "QUJ", "QQ==", "QR==", "0aFF10", "0aFF1", "xml:lang",
        "no:prefix", "xs:int", "z:Cat", "z:Ghost", "http://a/%", "a b", "1999", "&lt;", "<![CDATA[1]]>", "1<!-- -->2",
        "1<?a b?>", "10.500", "99", "101", "æøå æøå æøå",
    ],
    attributes: &[
        "xsi:nil=\"true\"", "xsi:nil=\"false\"", "xsi:nil=\" 1 \"", "xsi:nil=\"x\"", "xsi:type=\"xs:int\"",
        "xsi:type=\"xs:string\"", "xsi:type=\"z:Cat\"", "xsi:type=\"z:Tiger\"", "xsi:type=\"z:Animal\"",
        "xsi:type=\"z:Ghost\"", "xsi:type=\"z:SmallPrice\"", "xsi:type=\"none\"", "xsi:type=\"\"", "xsi:other=\"1\"",
        "xsi:schemaLocation=\"a b\"", "xml:lang=\"nb\"", "id=\"u1\"", "id=\"u7\"", "number=\"2\"", "number=\"7\"",
        "unit=\"u2\"", "role=\"head\"", "kind=\"one\"", "a:x=\"1\"", "c=\"1\"", "other=\"1\"", "w:number=\"1\"",
        "w:number=\"x\"", "w:none=\"1\"", "z:unit=\"kr\"", "z:tag=\"1\"", "xmlns=\"\"", "xmlns=\"urn:a\"",
    ],
    elements: &[
        "<a:x/>", "<x/>", "<y xmlns=\"\"/>", "<A>1</A>", "<B>1</B>", "<C>2024</C>", "<Empty/>",
        "<w:Number>1</w:Number>", "<w:Number>x</w:Number>", "<w:None/>", "<z:Cat/>", "<z:Dog><z:Name/></z:Dog>",
        "<k:Link number=\"3\"/>", "<k:Link number=\"9\"/>", "<x xsi:type=\"xs:int\">1</x>",
        "<x xsi:type=\"xs:int\">x</x>", "<x xsi:type=\"xs:none\"/>", "<z:Animal><z:Name/></z:Animal>", "<!-- c -->",
        "<?p i?>", "text", " ", "&#32;", "&#x9;", "<![CDATA[]]>", "<![CDATA[ ]]>",
    ],
};

/// What stands in schemas.
#[rustfmt::skip]
pub(crate) const SCHEMA: Words = Words {
    texts: &[
        "", "0", "1", "2", "5", "-1", "unbounded", "xs:int", "xs:string", "xs:date", "xs:ID", "xs:anyType", "xs:NOTATION",
        "xs:decimal", "xs:none", "Named", "Animal", "Cat", "Tiger", "Price", "All", "Count", "Pick", "Tail", "Mixed", "Code",
        "Words", "A", "B", "C", "Name", "1x", "x:y", "required", "optional", "prohibited", "true", "false", "qualified",
        "unqualified", "##any", "##other", "##local", "##targetNamespace", "urn:a", "lax", "strict", "skip", "extension",
        "restriction", "#all", "substitution", "extension restriction", "k:numbers", "k:names", "@role", ".//k:Person",
        "k:Unit|k:Link", "k:Unit/@id", "//x", "collapse", "preserve", "replace", "[a-z]+", "[", "\\p{X}", "P1D", "2024-01-01",
        "red", "x",
    ],
    attributes: &[
        "minOccurs=\"0\"", "minOccurs=\"3\"", "maxOccurs=\"0\"", "maxOccurs=\"2\"", "maxOccurs=\"unbounded\"",
        "type=\"xs:int\"", "type=\"xs:ID\"", "name=\"A\"", "ref=\"Animal\"", "ref=\"w:Number\"", "use=\"prohibited\"",
        "use=\"required\"", "default=\"x\"", "default=\"1\"", "fixed=\"1\"", "fixed=\"true\"", "nillable=\"true\"",
        "abstract=\"true\"", "mixed=\"true\"", "final=\"#all\"", "final=\"extension\"", "block=\"restriction\"",
        "block=\"x\"", "form=\"unqualified\"", "substitutionGroup=\"Animal\"", "substitutionGroup=\"Cat\"",
        "processContents=\"lax\"", "namespace=\"##local\"", "id=\"a\"", "xml:lang=\"nb\"", "other=\"1\"", "a:b=\"1\"",
    ],
    elements: &[
        "<xs:element name=\"A\" type=\"xs:int\"/>", "<xs:element name=\"B\" minOccurs=\"0\"/>", "<xs:element ref=\"Cat\"/>",
        "<xs:any/>", "<xs:any namespace=\"##other\"/>", "<xs:anyAttribute/>", "<xs:attribute name=\"x\"/>",
        "<xs:attribute name=\"kind\" type=\"xs:string\"/>", "<xs:attribute name=\"i\" type=\"xs:ID\"/>", "<xs:sequence/>",
        "<xs:choice/>", "<xs:all/>", "<xs:all><xs:element name=\"Q\"/></xs:all>", "<xs:annotation/>", "<xs:complexType/>",
        "<xs:simpleType><xs:restriction base=\"xs:int\"/></xs:simpleType>", "<xs:pattern value=\"a*\"/>",
        "<xs:minLength value=\"3\"/>", "<xs:maxLength value=\"2\"/>", "<xs:length value=\"3\"/>", "<xs:enumeration value=\"red\"/>",
        "<xs:enumeration value=\"7\"/>", "<xs:maxInclusive value=\"100\"/>", "<xs:minExclusive value=\"7\"/>",
        "<xs:totalDigits value=\"0\"/>", "<xs:fractionDigits value=\"9\"/>", "<xs:whiteSpace value=\"preserve\"/>",
        "<xs:group ref=\"Tail\"/>", "<xs:attributeGroup ref=\"none\"/>", "<xs:notation name=\"n\" public=\"p\"/>",
        "<xs:key name=\"k\"><xs:selector xpath=\"x\"/><xs:field xpath=\"@y\"/></xs:key>", "<xs:simpleType name=\"S\"/>",
        "<xs:element name=\"G\"/>", "text", "<!-- c -->", "<xs:none/>", "<a:b xmlns:a=\"urn:a\"/>",
    ],
};

/// A document with some elements, attributes or texts changed; still well-formed, mostly.
pub(crate) fn mutant(document: &str, words: &Words, chance: &mut Chance) -> String {
    let mut mutant = document.to_owned();
    for _ in 0..1 + chance.below(3) {
        let parts = Parts::of(&mutant);
        let (range, put) = change(&mutant, &parts, words, chance);
        mutant.replace_range(range, &put);
    }
    mutant
}

fn change(text: &str, parts: &Parts, words: &Words, chance: &mut Chance) -> (Range<usize>, String) {
    // The root stays.
    let element = |chance: &mut Chance| parts.elements[1 + chance.below(parts.elements.len().max(2) - 1)].clone();
    let (one, other) = match parts.elements.len() {
        0 | 1 => return (0..0, String::new()),
        _ => (element(chance), element(chance)),
    };
    let whole = |element: &Element| text[element.whole.clone()].to_owned();
    match chance.below(12) {
        0 => (one.whole, String::new()),
        1 => (one.whole.end..one.whole.end, whole(&one)),
        2 => (one.whole.start..one.whole.start, whole(&other)),
        3 => (one.whole.clone(), whole(&other)),
        4 => swapped(text, parts, &one),
        5 => (one.content.clone(), text[other.content].to_owned()),
        6 | 7 => (one.content, chance.pick(words.texts).to_owned()),
        8 => (one.name.end..one.name.end, format!(" {}", chance.pick(words.attributes))),
        9 => attribute(parts, words, chance),
        10 => (one.content.start..one.content.start, chance.pick(words.elements).to_owned()),
        _ => (one.whole.end..one.whole.end, chance.pick(words.elements).to_owned()),
    }
}

/// An element and the one behind it in each other's place.
fn swapped(text: &str, parts: &Parts, one: &Element) -> (Range<usize>, String) {
    let next = parts.elements.iter().find(|next| next.depth == one.depth && next.whole.start >= one.whole.end);
    let Some(next) = next else { return (one.whole.clone(), String::new()) };
    let between = &text[one.whole.end..next.whole.start];
    let put = format!("{}{between}{}", &text[next.whole.clone()], &text[one.whole.clone()]);
    (one.whole.start..next.whole.end, put)
}

fn attribute(parts: &Parts, words: &Words, chance: &mut Chance) -> (Range<usize>, String) {
    if parts.attributes.is_empty() {
        return (0..0, String::new());
    }
    let (whole, value) = parts.attributes[chance.below(parts.attributes.len())].clone();
    match chance.below(3) {
        0 => (whole, String::new()),
        _ => (value, chance.pick(words.texts).replace('<', "&lt;")),
    }
}
