//! Element content as bytes: markup undone, base64 decoded, in pieces of any size.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ReadItemError;
use super::redeclare::Redeclare;
use super::text::TextDecoder;

/// How an element's content stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Text: CDATA sections and references stand for characters.
    Text,
    /// Text that is a document of its own: nothing will stand before it, and its XML declaration will name UTF-8, in
    /// which it is sent, if it names any.
    Document,
    /// Text that is base64, white space anywhere.
    Base64,
    /// Markup as it stands.
    Markup,
}

/// Decodes the raw content of one element. Any chunking gives the same bytes; it holds a few bytes between calls.
#[derive(Debug)]
pub struct Decoder {
    text: TextDecoder,
    then: Then,
    /// Text on its way to what is done then; kept for its allocation.
    between: Vec<u8>,
}

/// What is done with the text.
#[derive(Debug)]
enum Then {
    Nothing,
    /// Nor is its markup undone.
    Markup,
    Redeclare(Redeclare),
    Base64(Base64Decoder),
}

impl Decoder {
    /// Makes a decoder for one element's content.
    pub fn new(coding: Coding) -> Self {
        let then = match coding {
            Coding::Text => Then::Nothing,
            Coding::Markup => Then::Markup,
            Coding::Document => Then::Redeclare(Redeclare::default()),
            Coding::Base64 => Then::Base64(Base64Decoder::default()),
        };
        Self { text: TextDecoder::default(), then, between: Vec::new() }
    }

    /// Decodes the next bytes of the content, adding to `out`.
    pub fn push(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), ReadItemError> {
        self.between.clear();
        match &mut self.then {
            Then::Nothing => self.text.push(raw, out),
            Then::Markup => {
                out.extend_from_slice(raw);
                Ok(())
            }
            Then::Redeclare(redeclare) => {
                self.text.push(raw, &mut self.between)?;
                redeclare.push(&self.between, out);
                Ok(())
            }
            Then::Base64(base64) => {
                self.text.push(raw, &mut self.between)?;
                base64.push(&self.between, out)
            }
        }
    }

    /// Ends the content; an error when it ends in the middle of something.
    pub fn finish(self) -> Result<(), ReadItemError> {
        self.text.finish()?;
        match self.then {
            Then::Nothing | Then::Markup | Then::Redeclare(_) => Ok(()),
            Then::Base64(base64) => base64.finish(),
        }
    }
}

/// Base64 without its white space, in whole groups of four.
#[derive(Debug, Default)]
struct Base64Decoder {
    /// Characters not yet decoded: after each call at most three.
    held: Vec<u8>,
    padded: bool,
}

impl Base64Decoder {
    fn push(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), ReadItemError> {
        self.held.extend(text.iter().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')));
        let whole = self.held.len() - self.held.len() % 4;
        let (groups, _) = self.held.split_at(whole);
        if groups.is_empty() {
            return Ok(());
        }
        if self.padded {
            return Err(NOT_BASE64);
        }
        self.padded = groups.ends_with(b"=");
        ENGINE.decode_vec(groups, out).map_err(|_| NOT_BASE64)?;
        self.held.drain(..whole);
        Ok(())
    }

    fn finish(&self) -> Result<(), ReadItemError> {
        if self.held.is_empty() { Ok(()) } else { Err(NOT_BASE64) }
    }
}

/// Bits past the last byte may be set: old encoders leave them so, and no byte depends on them.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

const NOT_BASE64: ReadItemError = ReadItemError::Changed("an attachment is not base64");

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose;
    use proptest::prelude::*;

    use super::*;

    fn decode(coding: Coding, chunks: &[&[u8]]) -> Result<Vec<u8>, ReadItemError> {
        let mut decoder = Decoder::new(coding);
        let mut out = Vec::new();
        for chunk in chunks {
            decoder.push(chunk, &mut out)?;
        }
        decoder.finish()?;
        Ok(out)
    }

    #[test]
    fn base64_is_decoded_through_white_space_and_markup() {
        let cases: [(&str, &[u8]); 6] = [
            ("SGVsbG8=", b"Hello"),
            ("\r\n SGVs\n\tbG8= \n", b"Hello"),
            ("SGVs<![CDATA[bG8]]>&#61;", b"Hello"),
            ("<!-- AAAA -->SGVsbG8h", b"Hello!"),
            ("", b""),
            ("SGVsbG9=", b"Hello"),
        ];
        for (raw, expected) in cases {
            assert_eq!(decode(Coding::Base64, &[raw.as_bytes()]).unwrap(), expected, "{raw}");
        }
    }

    #[test]
    fn what_is_not_base64_is_an_error() {
        for raw in ["A", "SGVsbG8", "SGV*", "SGVsbG8=SGVs", "SGVsbG8=AAAA", "====", "SG=s"] {
            assert!(decode(Coding::Base64, &[raw.as_bytes()]).is_err(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn base64_in_any_chunks_gives_the_bytes_back(bytes: Vec<u8>, cuts in chunk_sizes(), width in 1_usize..80) {
            let encoded = general_purpose::STANDARD.encode(&bytes);
            let lines: Vec<String> =
                encoded.as_bytes().chunks(width).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
            let raw = lines.join("\r\n");
            prop_assert_eq!(decode(Coding::Base64, &cut(raw.as_bytes(), &cuts)).unwrap(), bytes);
        }

        #[test]
        fn text_in_any_chunks_gives_the_same(pieces in prop::collection::vec(0..PIECES.len(), 0..12), cuts in chunk_sizes()) {
            let raw: String = pieces.iter().map(|piece| PIECES[*piece].0).collect();
            let whole = decode(Coding::Text, &[raw.as_bytes()]).unwrap();
            prop_assert_eq!(&decode(Coding::Text, &cut(raw.as_bytes(), &cuts)).unwrap(), &whole);
            if !raw.contains('\r') {
                let expected: String = pieces.iter().map(|piece| PIECES[*piece].1).collect();
                prop_assert_eq!(String::from_utf8(whole).unwrap(), expected);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(raw: Vec<u8>, cuts in chunk_sizes()) {
            let _ = decode(Coding::Text, &cut(&raw, &cuts));
            let _ = decode(Coding::Base64, &cut(&raw, &cuts));
        }
    }

    /// Raw content and what it stands for.
    const PIECES: [(&str, &str); 14] = [
        ("plain æøå 🙂", "plain æøå 🙂"),
        ("&lt;a&gt;&amp;&quot;&apos;", "<a>&\"'"),
        ("&#65;&#xE6;&#x1F642;", "Aæ🙂"),
        ("<![CDATA[<b att=\"&amp;\">]] ] ]>]]>", "<b att=\"&amp;\">]] ] ]>"),
        ("<![CDATA[]]>", ""),
        ("<![CDATA[]]]]>", "]]"),
        ("<!-- & ]]> <a> - -->", ""),
        ("<!---->", ""),
        ("<?target ?? & <a>?>", ""),
        ("\r\n", "\n"),
        ("\r", "\n"),
        ("&#13;", "\r"),
        ("<![CDATA[\r\n]\r]]>", "\n]\n"),
        ("]", "]"),
    ];

    fn chunk_sizes() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(1_usize..9, 0..40)
    }

    fn cut<'a>(mut raw: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
        let mut chunks = Vec::new();
        for size in sizes {
            let (chunk, rest) = raw.split_at((*size).min(raw.len()));
            chunks.push(chunk);
            raw = rest;
        }
        chunks.push(raw);
        chunks
    }
}
