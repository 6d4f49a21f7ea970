//! What the tokenizer hears, refuses, and how cutting does not matter.

use super::*;
use crate::xml::Namespace;
use proptest::prelude::*;

/// Writes down what it hears, with neighbouring texts joined.
#[derive(Default, Debug, PartialEq)]
struct Heard {
    events: Vec<String>,
    text: String,
}

impl Heard {
    fn note(&mut self, event: String) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.events.push(format!("text {text}"));
        }
        self.events.push(event);
    }
}

impl Sink for Heard {
    fn predict(&mut self, rest: &[u8]) -> usize {
        if rest.starts_with(b"known>") { 5 } else { 0 }
    }

    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let place = locator.position(tag.offset);
        let mut line = format!("start {} {:?} {place:?}", String::from_utf8_lossy(tag.name), tag.namespace);
        for attribute in tag.attributes() {
            let at = locator.position(attribute.offset).column;
            let [name, value] = [attribute.local, attribute.value].map(String::from_utf8_lossy);
            line.push_str(&format!(" {name}{:?}={value}@{at}", attribute.namespace));
        }
        self.note(line);
    }

    fn end(&mut self, from: u64, to: u64, _: &Scope, locator: &mut Locator<'_>) {
        let place = locator.position(from);
        self.note(format!("end {place:?} {to}"));
    }

    fn text(&mut self, raw: &[u8], _: u64, _: &mut Locator<'_>) {
        self.text.push_str(std::str::from_utf8(raw).unwrap());
    }

    fn character(&mut self, c: char, offset: u64, _: &mut Locator<'_>) {
        self.text.push_str(&format!("{{{c}@{offset}}}"));
    }
}

fn limits() -> Limits {
    Limits {
        depth: 8,
        attributes: 4,
        name_bytes: 20,
        attribute_bytes: 64,
        tag_bytes: 200,
        bindings: 3,
        ..Limits::default()
    }
}

fn hear<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Heard, Option<Fault>) {
    let mut tokenizer = Tokenizer::new(limits(), &["urn:a"]);
    let mut heard = Heard::default();
    for piece in pieces {
        if let Err(fault) = tokenizer.feed(piece, &mut heard) {
            return (heard, Some(*fault));
        }
    }
    let fault = tokenizer.finish(&mut heard).err().map(|fault| *fault);
    (heard, fault)
}

fn verdict(document: &[u8]) -> Option<FaultKind> {
    let whole = hear([document]);
    let bytewise = hear(document.chunks(1));
    // A fault may find text not yet delivered; everything else is alike.
    assert_eq!(whole.0.events, bytewise.0.events, "{}", String::from_utf8_lossy(document));
    assert_eq!(whole.1, bytewise.1, "{}", String::from_utf8_lossy(document));
    whole.1.map(|fault| fault.kind)
}

const SAMPLE: &str = "\u{FEFF}<?xml version=\"1.0\" encoding='utf-8'?>\r\n<!-- å - -->\n<?go  ?on?>\
<a xmlns='urn:a' xmlns:p=\"urn:b\" p:x='1&lt;&#xe6;\t2' x=''>æ]]å]<known>y</known>&amp;<![CDATA[]<x>]]]]><p:c\n/>\
<known/><known x='>'></known\n>\r\ntext <!--]]>--> ]]&gt; \u{1F600}</a>\n<!-- end -->";

#[test]
fn a_document_is_heard_whole() {
    let (heard, fault) = hear([SAMPLE.as_bytes()]);
    assert_eq!(fault, None);
    let at = Position { line: 3, column: 12, offset: SAMPLE.find("<a ").unwrap() as u64 };
    assert!(heard.events[0].starts_with(&format!("start a {:?} {at:?}", Namespace::known(0))), "{}", heard.events[0]);
    let attributes = format!("x{:?}=1<æ 2@45 x{:?}=@65", Namespace::OTHER, Namespace::NONE);
    assert!(heard.events[0].ends_with(&attributes), "{}", heard.events[0]);
    assert_eq!(heard.events[1], "text æ]]å]");
    assert_eq!(heard.events.iter().filter(|event| event.starts_with("start")).count(), 5);
}

#[test]
fn well_formed_documents_pass() {
    for good in ["<a/>", "<a></a>", "\n<a>\n</a>\n", "<a b='\"'/>", "<a:b xmlns:a='u'/>", "<a><?x?><!----></a>", "<å/>"]
    {
        assert_eq!(verdict(good.as_bytes()), None, "{good}");
    }
}

#[test]
fn faults_have_their_kind() {
    use FaultKind::*;
    for (bad, kind) in [
        (&b""[..], NotXml),
        (b" \n ", NotXml),
        (b"hello", NotXml),
        (b"\x1F\x8B\x08\x00", NotXml),
        (b"PK\x03\x04", NotXml),
        (b"<", Truncated),
        (b"<!-- -->", Truncated),
        (b"<a>", Truncated),
        (b"<a><b></b>", Truncated),
        (b"<a", Truncated),
        (b"<a>]]", Truncated),
        (b"<a/><!-- ", Truncated),
        (b"<a>\xC3", Truncated),
        (b"<a>\xC3\x28</a>", BadEncoding),
        (b"<a>\xE5</a>", BadEncoding),
        (b"<?xml version='1.0' encoding='us-ascii'?><a>\xC3\xA5</a>", BadEncoding),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", EncodingContradicted),
        (b"<?xml version='1.0' encoding='big5'?><a/>", UnsupportedEncoding),
        (b"\xFF\xFE\0\0<\0\0\0a\0\0\0", UnsupportedEncoding),
        (b"<a>\x00</a>", NotWellFormed),
        (b"<a>\xEF\xBF\xBE</a>", NotWellFormed),
        (b"<a></b>", NotWellFormed),
        (b"</a>", NotWellFormed),
        (b"<a/><a/>", NotWellFormed),
        (b"<a/>x", NotWellFormed),
        (b"<a/>&#32;", NotWellFormed),
        (b"<a/><![CDATA[]]>", NotWellFormed),
        (b"<![CDATA[x]]><a/>", NotWellFormed),
        (b"<a>]]></a>", NotWellFormed),
        (b"<a>x]]]></a>", NotWellFormed),
        (b"<a>&nbsp;</a>", NotWellFormed),
        (b"<a>&</a>", NotWellFormed),
        (b"<a b='&x;'/>", NotWellFormed),
        (b"<a b='<'/>", NotWellFormed),
        (b"<a b=x/>", NotWellFormed),
        (b"<a b/>", NotWellFormed),
        (b"<a b='1'c='2'/>", NotWellFormed),
        (b"<a b='1' b='2'/>", NotWellFormed),
        (b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", NotWellFormed),
        (b"<a xmlns:p='urn:a' xmlns:q='urn:a' p:b='1' q:b='2'/>", NotWellFormed),
        (b"<a xmlns='u' xmlns='v'/>", NotWellFormed),
        (b"<a / >", NotWellFormed),
        (b"<a></a b>", NotWellFormed),
        (b"< a/>", NotWellFormed),
        (b"<1/>", NotWellFormed),
        (b"<a:b:c/>", NotWellFormed),
        (b"<:a/>", NotWellFormed),
        (b"<a><!-- -- --></a>", NotWellFormed),
        (b"<a><!-- ---></a>", NotWellFormed),
        (b"<a><?xml version='1.0'?></a>", NotWellFormed),
        (b" <?xml version='1.0'?><a/>", NotWellFormed),
        (b"<a><?XmL x?></a>", NotWellFormed),
        (b"<a><? x?></a>", NotWellFormed),
        (b"<a><?x:y z?></a>", NotWellFormed),
        (b"<a><!x></a>", NotWellFormed),
        (b"<a <b/>", NotWellFormed),
        (b"<!DOCTYPE a><a/>", Dtd),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>", Dtd),
        (b"<p:a/>", UndeclaredPrefix),
        (b"<a p:b=''/>", UndeclaredPrefix),
        (b"<xmlns:a/>", UndeclaredPrefix),
        (b"<a><a><a><a><a><a><a><a><a>", TooDeep),
        (b"<abcdefghijklmnopqrstuvwxyz/>", NameTooLong),
        (b"<a abcdefghijklmnopqrstuvwxyz=''/>", NameTooLong),
        (b"<a b1='' b2='' b3='' b4='' b5=''/>", TooManyAttributes),
        (b"<a xmlns:a='1' xmlns:b='2' xmlns:c='3' xmlns:d='4'/>", TooManyNamespaces),
        (b"<a b='12345678901234567890123456789012345678901234567890123456789012345'/>", AttributeTooLong),
    ] {
        assert_eq!(verdict(bad), Some(kind), "{}", String::from_utf8_lossy(bad));
    }
}

#[test]
fn a_huge_attribute_is_refused_early() {
    let mut tokenizer = Tokenizer::new(Limits::default(), &[""; 0]);
    let mut heard = Heard::default();
    tokenizer.feed(b"<a b='", &mut heard).unwrap();
    let piece = vec![b'x'; 64 << 10];
    let fed = (0..1_000).take_while(|_| tokenizer.feed(&piece, &mut heard).is_ok()).count();
    assert!(fed <= 8, "{fed} pieces taken");
    assert!(tokenizer.held.capacity() <= 1 << 20);
}

#[test]
fn deep_nesting_ends_at_the_limit() {
    let mut tokenizer = Tokenizer::new(Limits::default(), &[""; 0]);
    let document = "<a>".repeat(100_000);
    let fault = tokenizer.feed(document.as_bytes(), &mut Heard::default()).unwrap_err();
    assert_eq!((fault.kind, fault.at.offset), (FaultKind::TooDeep, 256 * 3));
}

#[test]
fn namespaces_are_numbered_and_end_with_their_element() {
    let (heard, fault) = hear([&b"<a xmlns='urn:a'><b xmlns=''><c/></b><d/></a>"[..]]);
    assert_eq!(fault, None);
    let spaces: Vec<bool> = heard
        .events
        .iter()
        .filter(|event| event.starts_with("start"))
        .map(|event| event.contains(&format!("{:?}", Namespace::known(0))))
        .collect();
    assert_eq!(spaces, [true, false, false, true]);
}

proptest! {
    #[test]
    fn any_cutting_is_heard_alike(cuts in proptest::collection::vec(1_usize..40, 1..60)) {
        let mut pieces = Vec::new();
        let mut rest = SAMPLE.as_bytes();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(hear(pieces), hear([SAMPLE.as_bytes()]));
    }

    #[test]
    fn mutants_are_judged_alike_in_any_cutting(at in 0..SAMPLE.len(), byte: u8, cut in 1_usize..7) {
        let mut document = SAMPLE.as_bytes().to_vec();
        document[at] = byte;
        let whole = hear([&document[..]]);
        let pieces = hear(document.chunks(cut));
        prop_assert_eq!(whole.1, pieces.1);
        prop_assert_eq!(whole.0.events, pieces.0.events);
    }
}
