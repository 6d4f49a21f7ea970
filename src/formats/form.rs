//! Form data: a document of its own inside an item, which the batch carries as text.
//!
//! It is judged while the batch is, piece by piece, and nothing of it is kept. Ciphertext passes by: it is no document
//! that anybody but its receiver could judge.

use super::redeclare::Redeclare;
use crate::xml::{Fault, Limits, Locator, Namespace, Scope, Sink, Tag, Tokenizer};
use crate::xsd::{self, Finding, Kind, Plan, Validator};

/// Judges the form data of one form.
pub struct FormData {
    stage: Stage,
    redeclare: Redeclare,
    /// Text on its way to the judges; kept for its memory.
    text: Vec<u8>,
    tokenizer: Tokenizer,
    outline: Outline,
    by_schema: Option<Validator<'static>>,
    /// The first finding by the schema.
    breach: Vec<Finding>,
    fault: Option<FormFault>,
}

/// What is wrong with form data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormFault {
    /// Which sort; one that is fatal means that it is no XML.
    pub kind: Kind,
    /// The schema's rule; empty for faults of XML.
    pub rule: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// Nothing but white space has come.
    Blank,
    /// It is a document.
    Document,
    /// It is base64: so many characters, of them so many at the end that fill up.
    Cipher { characters: u64, filling: u64 },
    /// It is neither.
    Neither,
}

/// What is looked for in a document besides its being one.
#[derive(Default)]
struct Outline {
    has_ciphertext: bool,
}

impl FormData {
    /// Form data that begins, to be judged by a schema where there is one.
    pub fn new(schema: Option<&'static Plan>) -> Self {
        let limits = xsd::Limits { findings: 1, ..xsd::Limits::default() };
        Self {
            stage: Stage::Blank,
            redeclare: Redeclare::default(),
            text: Vec::new(),
            tokenizer: Tokenizer::new(Limits::default(), &[ENCRYPTION]),
            outline: Outline::default(),
            by_schema: schema.map(|plan| Validator::new(plan, limits)),
            breach: Vec::new(),
            fault: None,
        }
    }

    /// Judges the next piece of its text.
    pub fn push(&mut self, piece: &[u8]) {
        let blank = piece.iter().position(|byte| !byte.is_ascii_whitespace());
        match (&mut self.stage, blank) {
            (Stage::Blank, None) | (Stage::Neither, _) => {}
            (Stage::Blank, Some(at)) => {
                let rest = piece.get(at..).unwrap_or_default();
                // A byte order mark stands before a document, too.
                let is_document = rest.starts_with(b"<") || rest.starts_with(b"\xef\xbb\xbf");
                self.stage = if is_document { Stage::Document } else { Stage::Cipher { characters: 0, filling: 0 } };
                self.push(rest);
            }
            (Stage::Document, _) => self.read(piece),
            (Stage::Cipher { characters, filling }, _) => {
                if !take_base64(piece, characters, filling) {
                    self.stage = Stage::Neither;
                }
            }
        }
    }

    /// Ends it: what is wrong with it, if something is.
    pub fn finish(mut self) -> Option<FormFault> {
        match self.stage {
            Stage::Document => self.end_document(),
            // Ciphers give whole blocks, of eight bytes or a multiple of it.
            Stage::Cipher { characters, filling }
                if characters % 4 == 0 && (characters / 4 * 3).saturating_sub(filling) % 8 == 0 =>
            {
                None
            }
            Stage::Blank | Stage::Cipher { .. } | Stage::Neither => Some(FormFault { kind: Kind::NotXml, rule: "" }),
        }
    }

    fn read(&mut self, piece: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        self.text.clear();
        self.redeclare.push(piece, &mut self.text);
        self.fault = self.tokenizer.feed(&self.text, &mut self.outline).err().map(of_xml);
        if let Some(validator) = self.by_schema.as_mut().filter(|_| self.breach.is_empty()) {
            validator.feed(&self.text, &mut self.breach);
        }
    }

    fn end_document(&mut self) -> Option<FormFault> {
        let ended = self.fault.take().or_else(|| self.tokenizer.finish(&mut self.outline).err().map(of_xml));
        if ended.is_some() || self.outline.has_ciphertext {
            return ended;
        }
        if let Some(validator) = self.by_schema.as_mut().filter(|_| self.breach.is_empty()) {
            validator.finish(&mut self.breach);
        }
        self.breach.first().map(|finding| FormFault { kind: finding.kind, rule: finding.rule })
    }
}

impl Sink for Outline {
    fn start(&mut self, tag: &Tag<'_>, _: &mut Locator<'_>) {
        self.has_ciphertext |= tag.namespace == Namespace::known(0) && tag.local == b"EncryptedData";
    }

    fn end(&mut self, _: u64, _: u64, _: &Scope, _: &mut Locator<'_>) {}

    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}

    fn character(&mut self, _: char, _: u64, _: &mut Locator<'_>) {}
}

#[expect(clippy::boxed_local, reason = "the tokenizer gives its faults in boxes")]
fn of_xml(fault: Box<Fault>) -> FormFault {
    FormFault { kind: fault.kind.into(), rule: "" }
}

/// Counts characters of base64; `false` when something else stands there, or something behind what fills up.
fn take_base64(piece: &[u8], characters: &mut u64, filling: &mut u64) -> bool {
    piece.iter().filter(|byte| !byte.is_ascii_whitespace()).all(|byte| {
        *characters += 1;
        match byte {
            b'=' => *filling += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if *filling == 0 => {}
            _ => return false,
        }
        *filling <= 2
    })
}

/// The namespace of XML Encryption.
const ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::xsd::{Schema, SchemaDocument};

    const SCHEMA: &[u8] = b"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='Melding'>\
        <xs:complexType><xs:sequence><xs:element name='Belop' type='xs:int'/></xs:sequence></xs:complexType>\
        </xs:element></xs:schema>";

    fn plan() -> &'static Plan {
        let schema = Schema::compile(&[SchemaDocument { name: "melding.xsd", bytes: SCHEMA }]).unwrap();
        Box::leak(Box::new(Plan::new(Arc::new(schema), &[]).unwrap()))
    }

    fn judged<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, schema: Option<&'static Plan>) -> Option<FormFault> {
        let mut form = FormData::new(schema);
        pieces.into_iter().for_each(|piece| form.push(piece));
        form.finish()
    }

    #[test]
    fn a_document_is_judged_by_xml_and_by_its_schema() {
        let plan = plan();
        for (text, xml, by_schema) in [
            ("<Melding><Belop>1</Belop></Melding>", None, None),
            ("\r\n <?xml version='1.0' encoding='UTF-16'?><Melding><Belop>1</Belop></Melding> ", None, None),
            ("\u{feff}<Melding><Belop>1</Belop></Melding>", None, None),
            (" \u{feff}\n<?xml version='1.0'?><Melding><Belop>1</Belop></Melding>", None, None),
            ("\u{feff} ", Some(Kind::NotXml), Some(Kind::NotXml)),
            ("<Melding><Belop>x</Belop></Melding>", None, Some(Kind::BadValue)),
            ("<Melding/>", None, Some(Kind::MissingElement)),
            ("<Other/>", None, Some(Kind::UnknownRoot)),
            ("<Melding><Belop>1</Melding>", Some(Kind::NotWellFormed), Some(Kind::NotWellFormed)),
            ("<Melding>", Some(Kind::Truncated), Some(Kind::Truncated)),
            ("<p:Melding/>", Some(Kind::UndeclaredPrefix), Some(Kind::UndeclaredPrefix)),
            ("<!DOCTYPE a><a/>", Some(Kind::Dtd), Some(Kind::Dtd)),
            ("Melding", Some(Kind::NotXml), Some(Kind::NotXml)),
            ("", Some(Kind::NotXml), Some(Kind::NotXml)),
            (" \n", Some(Kind::NotXml), Some(Kind::NotXml)),
        ] {
            assert_eq!(judged([text.as_bytes()], None).map(|fault| fault.kind), xml, "{text}");
            let fault = judged([text.as_bytes()], Some(plan));
            assert_eq!(fault.map(|fault| fault.kind), by_schema, "{text}");
            assert_eq!(fault.is_some_and(|fault| fault.kind.is_fatal()), xml.is_some(), "{text}");
        }
        let of_date = judged([&b"<Melding><Belop>x</Belop></Melding>"[..]], Some(plan)).unwrap();
        assert_eq!(of_date.rule, "cvc-datatype-valid.1.2.1");
    }

    #[test]
    fn ciphertext_passes_by() {
        let plan = plan();
        let encrypted =
            "<e:EncryptedData xmlns:e='http://www.w3.org/2001/04/xmlenc#'><e:CipherData/></e:EncryptedData>";
        let inside = format!("<Melding>{encrypted}</Melding>");
        let block = "MDEyMzQ1Njc4OWFiY2RlZg==";
        for text in [encrypted, &inside, block, &format!("\n {} ", block.replace('O', "O\r\n")), "U2FsdGVkX18="] {
            assert_eq!(judged([text.as_bytes()], Some(plan)), None, "{text}");
        }
        for text in ["<EncryptedData/>", "SGVsbG8=", "MDEyMzQ1Njc4OWFiY2RlZg==A", "MDEyMzQ1Njc4OWFiY2RlZ===", "abcd"] {
            assert!(judged([text.as_bytes()], Some(plan)).is_some(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_one_answer(which in 0..TEXTS.len(), cut in 1_usize..40) {
            let (text, plan) = (TEXTS[which], plan());
            prop_assert_eq!(judged(text.as_bytes().chunks(cut), Some(plan)), judged([text.as_bytes()], Some(plan)));
        }

        #[test]
        fn no_bytes_make_it_panic(pieces: Vec<Vec<u8>>, text: String) {
            let _ = judged(pieces.iter().map(Vec::as_slice), None);
            let _ = judged([text.as_bytes()], None);
        }
    }

    const TEXTS: [&str; 7] = [
        "<?xml version='1.0' encoding='ISO-8859-1'?>\n<Melding><!-- æ --><Belop>12</Belop></Melding>",
        "\r\n<Melding><Belop>12.</Belop></Melding>",
        "<Melding><Belop>1</Belop>",
        " MDEyMzQ1Njc4\nOWFiY2RlZg== ",
        "MDEyMzQ1Njc4OWFiY2RlZg=A",
        "",
        "no form",
    ];
}
