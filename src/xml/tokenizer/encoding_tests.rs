//! Documents in other encodings say the same at the sender's own places.

use super::*;
use crate::xml::BadBytes;
use proptest::prelude::*;

/// Writes down what it hears and where, with neighbouring texts joined.
#[derive(Default, Debug, PartialEq)]
struct Heard {
    text: String,
    places: Vec<Position>,
}

impl Sink for Heard {
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        self.places.push(locator.position(tag.offset));
        self.text.push_str(&format!("<{}", String::from_utf8_lossy(tag.name)));
        for attribute in tag.attributes() {
            self.places.push(locator.position(attribute.offset));
            self.text.push_str(&format!(" {}", String::from_utf8_lossy(attribute.value)));
        }
        self.text.push('>');
    }

    fn end(&mut self, from: u64, to: u64, _: &Scope, locator: &mut Locator<'_>) {
        let (from, to) = (locator.position(from), locator.sent(to));
        self.places.extend([from, Position { offset: to, ..from }]);
        self.text.push_str("</>");
    }

    fn text(&mut self, raw: &[u8], _: u64, _: &mut Locator<'_>) {
        self.text.push_str(std::str::from_utf8(raw).unwrap());
    }

    fn character(&mut self, c: char, offset: u64, locator: &mut Locator<'_>) {
        self.places.push(locator.position(offset));
        self.text.push(c);
    }
}

fn hear<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Heard, Option<Fault>) {
    let mut tokenizer = Tokenizer::new(Limits::default(), &[""; 0]);
    let mut heard = Heard::default();
    for piece in pieces {
        if let Err(fault) = tokenizer.feed(piece, &mut heard) {
            return (heard, Some(*fault));
        }
    }
    let fault = tokenizer.finish(&mut heard).err().map(|fault| *fault);
    (heard, fault)
}

/// The text as the encoding writes it.
fn written(encoding: Encoding, text: &str) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 | Encoding::Ascii => text.into(),
        Encoding::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
        Encoding::Latin9 => encoding_rs::ISO_8859_15.encode(text).0.into_owned(),
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

const BODY: &str = "<!-- ø -->\r\n<rot å='&#248;' b='ø&lt;\tæ'\n>æøå<![CDATA[Å]]>&amp;\n <é/>È</rot>\n<?ø ÿ?>";

/// Marks, names declared, and the encodings they are true of.
const BEGINNINGS: [(&str, Option<&str>, Encoding); 11] = [
    ("", None, Encoding::Utf8),
    ("\u{FEFF}", Some("UTF-8"), Encoding::Utf8),
    ("", Some("ISO-8859-1"), Encoding::Latin1),
    ("", Some("Latin-9"), Encoding::Latin9),
    ("", Some("Windows-1252"), Encoding::Windows1252),
    ("\u{FEFF}", Some("UTF-16"), Encoding::Utf16Le),
    ("\u{FEFF}", Some("utf-16"), Encoding::Utf16Be),
    ("\u{FEFF}", None, Encoding::Utf16Le),
    ("", Some("UTF-16LE"), Encoding::Utf16Le),
    ("", Some("UTF-16"), Encoding::Utf16Be),
    ("", None, Encoding::Utf16Be),
];

fn document(mark: &str, name: Option<&str>) -> String {
    let declaration = name.map(|name| format!("<?xml version='1.0'\n encoding='{name}'?>")).unwrap_or_default();
    format!("{mark}{declaration}{BODY}")
}

/// The place of the sender's file that `inner`, a place in the same text as UTF-8, stands for.
fn sent(text: &str, encoding: Encoding, inner: Position) -> Position {
    let before = text.get(..inner.offset as usize).unwrap();
    Position { offset: written(encoding, before).len() as u64, ..inner }
}

#[test]
fn every_encoding_is_heard_alike_at_its_own_places() {
    for (mark, name, encoding) in BEGINNINGS {
        let (text, plain) = (document(mark, name), document(mark, name.map(|_| "utf-8")));
        let bytes = written(encoding, &text);
        let (heard, fault) = hear([&bytes[..]]);
        assert_eq!(fault, None, "{name:?} {encoding:?}");
        let (expected, _) = hear([plain.as_bytes()]);
        assert_eq!(heard.text, expected.text, "{name:?} {encoding:?}");
        let longer = text.len() as i64 - plain.len() as i64;
        for (found, inner) in heard.places.iter().zip(&expected.places) {
            let offset = (inner.offset as i64 + longer) as u64;
            assert_eq!(*found, sent(&text, encoding, Position { offset, ..*inner }), "{name:?} {encoding:?}");
        }
        for size in [1, 2, 3, 7] {
            assert_eq!(hear(bytes.chunks(size)), (hear([&bytes[..]]).0, None), "{name:?} {size}");
        }
    }
}

#[test]
fn bad_bytes_are_told_at_their_own_place() {
    use FaultKind::*;
    let wide = |units: &[u16]| -> Vec<u8> { units.iter().flat_map(|unit| unit.to_le_bytes()).collect() };
    let a = |units: &[u16]| [&[0xFEFF, b'<'.into(), b'a'.into(), b'>'.into(), b'\n'.into()], units].concat();
    for (bytes, kind, line, column, offset) in [
        (wide(&a(&[0x78, 0xDE00])), BadEncoding, 2, 2, 12),
        (wide(&a(&[0xD83D, 0x78])), BadEncoding, 2, 1, 10),
        (wide(&a(&[0xFFFE])), NotWellFormed, 2, 1, 10),
        (wide(&a(&[0])), NotWellFormed, 2, 1, 10),
        (wide(&a(&[0xD83D])), Truncated, 2, 1, 12),
        ([wide(&a(&[0x78])), vec![b'<']].concat(), Truncated, 2, 2, 13),
        ([written(Encoding::Utf16Le, "\u{FEFF}<a/>"), vec![b'\n']].concat(), BadEncoding, 1, 5, 10),
        (b"<?xml version='1.0' encoding='cp1252'?>\n<a>\x80\x81".into(), BadEncoding, 2, 5, 44),
        (b"<?xml version='1.0' encoding='ascii'?>\n<a>\xE6".into(), BadEncoding, 2, 4, 42),
        (b"<?xml version='1.0' encoding='latin1'?>\n<a>\xE6&\x8F;".into(), NotWellFormed, 2, 5, 44),
        (b"\xEF\xBB\xBF<a>\n\xE6".into(), Truncated, 2, 1, 8),
        (b"\xEF\xBB\xBF<a>\n\xE6</a>".into(), BadEncoding, 2, 1, 7),
        (b"<a/>\n\xC3".into(), BadEncoding, 2, 1, 5),
        (b"\xEF\xBB\xBF<?xml version='1.0' encoding='latin1'?><a/>".into(), EncodingContradicted, 1, 31, 33),
        (
            written(Encoding::Utf16Be, "\u{FEFF}<?xml version='1.0' encoding='utf-8'?><a/>"),
            EncodingContradicted,
            1,
            31,
            62,
        ),
        (b"\xFE\xFF<?xml version='1.0' encoding='utf-8'?><a/>".into(), NotXml, 1, 1, 2),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>".into(), EncodingContradicted, 1, 31, 30),
        (b"<?xml version='1.0' encoding='utf-16'?>\xFE\xFF\0<".into(), EncodingContradicted, 1, 31, 30),
    ] {
        let (_, fault) = hear([&bytes[..]]);
        let fault = fault.unwrap_or_else(|| panic!("{bytes:X?} is taken"));
        assert_eq!((fault.kind, fault.at), (kind, Position { line, column, offset }), "{bytes:X?}");
        assert_eq!(hear(bytes.chunks(1)).1.as_ref(), Some(&fault), "{bytes:X?}");
        assert_eq!(hear(bytes.chunks(3)).1.as_ref(), Some(&fault), "{bytes:X?}");
    }
}

#[test]
fn a_long_document_needs_no_memory_of_its_own() {
    let mut tokenizer = Tokenizer::new(Limits::default(), &[""; 0]);
    let mut heard = Heard::default();
    tokenizer.feed(&written(Encoding::Utf16Le, "\u{FEFF}<a>"), &mut heard).unwrap();
    let piece = written(Encoding::Utf16Le, &"ø".repeat(100_000));
    for _ in 0..20 {
        tokenizer.feed(&piece, &mut heard).unwrap();
        heard.text.clear();
    }
    tokenizer.feed(&written(Encoding::Utf16Le, "</a>"), &mut heard).unwrap();
    tokenizer.finish(&mut heard).unwrap();
    assert_eq!(tokenizer.position().offset, 2 + 2 * (7 + 2_000_000));
    assert_eq!(tokenizer.encoding(), Encoding::Utf16Le);
    assert!(tokenizer.held.capacity() < 1_000);
    assert_eq!(BadBytes.to_string(), "bytes that are no character in the document's encoding");
}

proptest! {
    #[test]
    fn mutants_are_judged_alike_in_any_cutting(
        which in 0..BEGINNINGS.len(),
        edits in prop::collection::vec((0_usize..300, any::<u8>()), 1..3),
        cut in 1_usize..9,
    ) {
        let (mark, name, encoding) = BEGINNINGS[which];
        let mut bytes = written(encoding, &document(mark, name));
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let (whole, pieces) = (hear([&bytes[..]]), hear(bytes.chunks(cut)));
        prop_assert_eq!(&whole.1, &pieces.1);
        prop_assert_eq!(whole.0.places, pieces.0.places);
        if let Some(fault) = whole.1 {
            prop_assert!(fault.at.offset <= bytes.len() as u64);
        }
    }
}
