//! Names as partners spell them: UTF-8 in either normal form, or the Latin-1 of clients that know nothing else.
//!
//! A name is kept in normal form C, so that `å` is one name whether a Mac or a Windows machine sent it. Bytes that are no
//! UTF-8 are read as windows-1252, in which every byte is a character of its own: two names never become one because
//! of what could not be read.

use std::borrow::Cow;

use bytes::{BufMut as _, Bytes, BytesMut};
use encoding_rs::WINDOWS_1252;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::packets::{names_in, string};

/// A name or path as we spell it.
pub(super) fn text(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_latin_1) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    };
    composed(&text).into_owned()
}

/// A text in normal form C.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// A request with its names as we spell them; one that cannot be read, or has none, as it is.
pub(super) fn respelled(packet: Bytes) -> Bytes {
    let count = packet.first().map_or(0, |kind| names_in(*kind));
    if count == 0 || packet.is_ascii() {
        return packet;
    }
    respell(&packet, count).unwrap_or(packet)
}

fn respell(packet: &Bytes, count: usize) -> Option<Bytes> {
    let mut respelled = BytesMut::with_capacity(packet.len());
    // The kind and the id.
    respelled.extend_from_slice(packet.get(..HEAD_BYTES)?);
    let mut rest = packet.slice(HEAD_BYTES..);
    for _ in 0..count {
        let name = text(&string(&mut rest)?);
        respelled.put_u32(u32::try_from(name.len()).ok()?);
        respelled.put(name.as_bytes());
    }
    respelled.put(rest);
    Some(respelled.freeze())
}

const HEAD_BYTES: usize = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use russh_sftp::protocol::{Packet, Rename};

    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_the_same_name() {
        let composed = "skjema æøå é.xml";
        let decomposed = "skjema æøa\u{30a} e\u{301}.xml";
        let latin_1 = b"skjema \xe6\xf8\xe5 \xe9.xml";
        for spelling in [composed.as_bytes(), decomposed.as_bytes(), latin_1] {
            assert_eq!(text(spelling), composed);
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_stay_different_names() {
        let mut names: Vec<String> = (0x80..=0xff_u8).map(|byte| text(&[b'a', byte])).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 128);
    }

    #[test]
    fn both_names_of_a_rename_are_respelled_and_nothing_else() {
        let rename = Rename { id: 0xe6e6_e6e6, oldpath: "/inbox/1".to_owned(), newpath: "/inbox/2".to_owned() };
        let framed = Bytes::try_from(Packet::from(rename)).unwrap();
        let latin_1: Vec<u8> = framed.slice(4..).iter().map(|b| if *b == b'2' { 0xe5 } else { *b }).collect();
        let Packet::Rename(back) = Packet::try_from(&mut respelled(Bytes::from(latin_1))).unwrap() else { panic!() };
        assert_eq!((back.id, back.oldpath.as_str(), back.newpath.as_str()), (0xe6e6_e6e6, "/inbox/1", "/inbox/å"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_respelled_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let once = respelled(Bytes::from(bytes));
            prop_assert_eq!(respelled(once.clone()), once);
        }
    }
}
