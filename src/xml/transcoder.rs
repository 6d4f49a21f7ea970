//! From other encodings to UTF-8, piece by piece.

use encoding_rs::{DecoderResult, ISO_8859_15, UTF_16BE, UTF_16LE, WINDOWS_1252, mem};

use super::encoding::Encoding;

/// Turns the bytes of a document into UTF-8 as they come. What a piece cuts off is kept for the next, and no more. Those of
/// UTF-8 and US-ASCII pass as they are, and are not looked at.
#[derive(Debug, Clone)]
pub struct Transcoder {
    encoding: Encoding,
    /// The bytes of a character that is not whole: fewer than four.
    kept: Vec<u8>,
    text: Vec<u8>,
}

/// Bytes that are no character in the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are no character in the document's encoding")]
pub struct BadBytes;

impl Transcoder {
    /// A transcoder for text of an encoding, without byte order mark.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, kept: Vec::new(), text: Vec::new() }
    }

    /// Takes some bytes from the front of `raw` and gives their text, and whether it ends at bytes that are none. Where
    /// it does, the text ends exactly before them, and nothing can follow.
    pub fn next(&mut self, raw: &mut &[u8]) -> (&[u8], Result<(), BadBytes>) {
        let (piece, rest) = raw.split_at(raw.len().min(PIECE));
        *raw = rest;
        // Three bytes for a unit at most, and a character kept from before; the one more is what `mem` asks for.
        self.text.resize(ROOM, 0);
        let (written, ended) = match self.encoding {
            Encoding::Utf8 | Encoding::Ascii => self.copy(piece),
            Encoding::Latin1 => (mem::convert_latin1_to_utf8_partial(piece, &mut self.text).1, Ok(())),
            Encoding::Latin9 => self.decode(piece, ISO_8859_15),
            Encoding::Windows1252 => {
                let sound = piece.iter().position(|byte| is_undefined(*byte)).and_then(|end| piece.get(..end));
                let (written, ended) = self.decode(sound.unwrap_or(piece), WINDOWS_1252);
                (written, if sound.is_some() { Err(BadBytes) } else { ended })
            }
            Encoding::Utf16Le => self.decode(piece, UTF_16LE),
            Encoding::Utf16Be => self.decode(piece, UTF_16BE),
        };
        (self.text.get(..written).unwrap_or_default(), ended)
    }

    /// Tells that no more bytes come, and whether they end with a whole character.
    pub fn finish(&self) -> Result<(), BadBytes> {
        if self.kept.is_empty() { Ok(()) } else { Err(BadBytes) }
    }

    /// How many bytes of a character have come that is not whole.
    pub(super) fn cut_bytes(&self) -> usize {
        self.kept.len()
    }

    fn copy(&mut self, piece: &[u8]) -> (usize, Result<(), BadBytes>) {
        self.text.clear();
        self.text.extend_from_slice(piece);
        (piece.len(), Ok(()))
    }

    /// Every piece has a decoder of its own, so that all the state there is are the bytes kept.
    fn decode(&mut self, piece: &[u8], encoding: &'static encoding_rs::Encoding) -> (usize, Result<(), BadBytes>) {
        let mut decoder = encoding.new_decoder_without_bom_handling();
        // Alone they are no character, so nothing is written.
        let _ = decoder.decode_to_utf8_without_replacement(&self.kept, &mut self.text, false);
        let (result, _, written) = decoder.decode_to_utf8_without_replacement(piece, &mut self.text, false);
        if let DecoderResult::Malformed(..) = result {
            return (written, Err(BadBytes));
        }
        let text = self.text.get(..written).unwrap_or_default();
        let whole = usize::try_from(self.encoding.sent_bytes(text)).unwrap_or(usize::MAX);
        let cut = (self.kept.len() + piece.len()).saturating_sub(whole);
        self.kept.extend_from_slice(piece.get(piece.len().saturating_sub(cut)..).unwrap_or_default());
        self.kept.drain(..self.kept.len().saturating_sub(cut));
        (written, Ok(()))
    }
}

/// encoding_rs gives these the controls of their numbers, as browsers do; windows-1252 has no such characters.
fn is_undefined(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)
}

/// Bytes turned at once.
const PIECE: usize = 8 << 10;
const ROOM: usize = 3 * PIECE + 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn turned<'a>(encoding: Encoding, pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, bool) {
        let mut transcoder = Transcoder::new(encoding);
        let mut text = Vec::new();
        for mut piece in pieces {
            while !piece.is_empty() {
                let (more, ended) = transcoder.next(&mut piece);
                text.extend_from_slice(more);
                if ended.is_err() {
                    return (String::from_utf8(text).unwrap(), false);
                }
            }
        }
        let whole = transcoder.finish().is_ok();
        (String::from_utf8(text).unwrap(), whole)
    }

    #[test]
    fn every_byte_of_one_is_the_character_it_should_be() {
        let all: Vec<u8> = (0..=255).collect();
        let latin1: String = (0..=255).map(char::from).collect();
        assert_eq!(turned(Encoding::Latin1, [&all[..]]), (latin1.clone(), true));
        let latin9: String = latin1
            .chars()
            .map(|c| match c {
                '¤' => '€',
                '¦' => 'Š',
                '¨' => 'š',
                '´' => 'Ž',
                '¸' => 'ž',
                '¼' => 'Œ',
                '½' => 'œ',
                '¾' => 'Ÿ',
                c => c,
            })
            .collect();
        assert_eq!(turned(Encoding::Latin9, [&all[..]]), (latin9, true));
        assert_eq!(turned(Encoding::Windows1252, [&b"\x80\x8E\x9C\xE6"[..]]), ("€Žœæ".to_owned(), true));
        for byte in [0x81, 0x8D, 0x8F, 0x90, 0x9D] {
            assert_eq!(turned(Encoding::Windows1252, [&[b'a', byte, b'b'][..]]), ("a".to_owned(), false));
        }
    }

    #[test]
    fn broken_surrogates_end_the_text_before_them() {
        for (units, text) in [
            (&[0x61, 0xD83D, 0x62][..], "a"),
            (&[0x61, 0xDE00, 0x62], "a"),
            (&[0x61, 0xD83D, 0xD83D, 0xDE00], "a"),
            (&[0x61, 0xD83D], "a"),
            (&[0xD83D, 0xDE00, 0xDE00], "\u{1F600}"),
        ] {
            let little: Vec<u8> = units.iter().flat_map(|unit: &u16| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for (encoding, bytes) in [(Encoding::Utf16Le, little), (Encoding::Utf16Be, big)] {
                assert_eq!(turned(encoding, [&bytes[..]]), (text.to_owned(), false), "{units:X?}");
                assert_eq!(turned(encoding, bytes.chunks(1)), (text.to_owned(), false), "{units:X?}");
            }
        }
        for (end, cut) in [(&b"a\0b"[..], 1), (b"\x3D\xD8", 2), (b"\x3D\xD8\0", 3), (b"a\0", 0)] {
            let mut transcoder = Transcoder::new(Encoding::Utf16Le);
            let mut rest = end;
            assert!(transcoder.next(&mut rest).1.is_ok() && rest.is_empty());
            assert_eq!(transcoder.cut_bytes(), cut);
        }
    }

    proptest! {
        #[test]
        fn any_cutting_gives_one_text(text: String, long in 0_usize..9_000, cut in 1_usize..9) {
            let text = format!("{}{text}", "å".repeat(long));
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert_eq!(turned(Encoding::Utf16Le, [&bytes[..]]), (text.clone(), true));
            prop_assert_eq!(turned(Encoding::Utf16Le, bytes.chunks(cut)), (text, true));
        }

        #[test]
        fn any_bytes_in_any_cutting_end_alike(bytes: Vec<u8>, cut in 1_usize..9) {
            for encoding in [Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Windows1252, Encoding::Latin1] {
                let whole = turned(encoding, [&bytes[..]]);
                prop_assert_eq!(&whole, &turned(encoding, bytes.chunks(cut)));
                prop_assert!(encoding.sent_bytes(whole.0.as_bytes()) <= bytes.len() as u64);
            }
        }
    }
}
