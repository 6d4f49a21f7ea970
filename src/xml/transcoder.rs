//! From other encodings to UTF-8, piece by piece.

use encoding_rs::{DecoderResult, ISO_8859_15, UTF_16BE, UTF_16LE, WINDOWS_1252, mem};

use super::encoding::Encoding;

/// Turns the bytes of a document into UTF-8 as they come. What a piece cuts off is kept for the next, and no more.
pub struct Transcoder {
    encoding: Encoding,
    decoder: Option<encoding_rs::Decoder>,
    text: Vec<u8>,
}

/// Bytes that are no character in the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are no character in the document's encoding")]
pub struct BadBytes;

impl Transcoder {
    /// A transcoder for text of an encoding, without byte order mark.
    pub fn new(encoding: Encoding) -> Self {
        let decoder = match encoding {
            Encoding::Utf8 | Encoding::Ascii | Encoding::Latin1 => None,
            Encoding::Latin9 => Some(ISO_8859_15),
            Encoding::Windows1252 => Some(WINDOWS_1252),
            Encoding::Utf16Le => Some(UTF_16LE),
            Encoding::Utf16Be => Some(UTF_16BE),
        };
        let decoder = decoder.map(encoding_rs::Encoding::new_decoder_without_bom_handling);
        Self { encoding, decoder, text: Vec::new() }
    }

    /// Takes some bytes from the front of `raw` and gives their text, and whether it ends at bytes that are none. Where
    /// it does, the text ends exactly before them, and nothing can follow.
    pub fn next(&mut self, raw: &mut &[u8]) -> (&[u8], Result<(), BadBytes>) {
        let (piece, rest) = raw.split_at(raw.len().min(PIECE));
        *raw = rest;
        if self.encoding.is_utf8() {
            self.text.clear();
            self.text.extend_from_slice(piece);
            return (&self.text, Ok(()));
        }
        // Three bytes for a unit at most, and a character kept from before; the one more is what `mem` asks for.
        self.text.resize(ROOM, 0);
        let sound = piece.split(|byte| self.is_undefined(*byte)).next().unwrap_or_default();
        let (written, ended) = self.decode(sound);
        let ended = if sound.len() < piece.len() { Err(BadBytes) } else { ended };
        (self.text.get(..written).unwrap_or_default(), ended)
    }

    /// Tells that no more bytes come, and whether they end with a whole character.
    pub fn finish(&mut self) -> Result<(), BadBytes> {
        if self.cut_bytes() == 0 { Ok(()) } else { Err(BadBytes) }
    }

    /// The bytes of the character that the last one cuts off; no more may come.
    pub(super) fn cut_bytes(&mut self) -> usize {
        let Some(mut decoder) = self.decoder.take() else { return 0 };
        match decoder.decode_to_utf8_without_replacement(&[], &mut [0; 16], true).0 {
            DecoderResult::InputEmpty | DecoderResult::OutputFull => 0,
            DecoderResult::Malformed(bytes, _) => bytes.into(),
        }
    }

    fn decode(&mut self, piece: &[u8]) -> (usize, Result<(), BadBytes>) {
        if self.encoding == Encoding::Latin1 {
            let (_, written) = mem::convert_latin1_to_utf8_partial(piece, &mut self.text);
            return (written, Ok(()));
        }
        let Some(decoder) = &mut self.decoder else { return (0, Err(BadBytes)) };
        let (result, _, written) = decoder.decode_to_utf8_without_replacement(piece, &mut self.text, false);
        match result {
            DecoderResult::InputEmpty | DecoderResult::OutputFull => (written, Ok(())),
            DecoderResult::Malformed(..) => (written, Err(BadBytes)),
        }
    }

    /// encoding_rs gives these the controls of their numbers, as browsers do; windows-1252 has no such characters.
    fn is_undefined(&self, byte: u8) -> bool {
        self.encoding == Encoding::Windows1252 && matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)
    }
}

impl std::fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcoder").field("encoding", &self.encoding).finish_non_exhaustive()
    }
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
            assert!(transcoder.next(&mut &b"a\0"[..]).1.is_err());
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
