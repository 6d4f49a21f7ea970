//! Names that are no UTF-8, as texts and back: a byte that is none is a character that nobody uses.

use std::borrow::Cow;

/// The bytes as a text; `None` for those that hold such characters themselves.
pub fn text(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        if chunk.valid().chars().any(|c| byte(c).is_some()) {
            return None;
        }
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(FIRST + u32::from(*byte))));
    }
    Some(text)
}

/// The bytes that a text stands for.
pub fn bytes(text: &str) -> Cow<'_, [u8]> {
    if !text.chars().any(|c| byte(c).is_some()) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match byte(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The byte that a character stands for, if it is one that nobody uses.
pub fn byte(c: char) -> Option<u8> {
    u8::try_from(u32::from(c).checked_sub(FIRST)?).ok().filter(|byte| *byte >= 0x80)
}

/// In the second area for private use, near its end.
const FIRST: u32 = 0x0010_FE00;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_bytes_come_back(written in proptest::collection::vec(any::<u8>(), 1..40)) {
            if let Some(text) = text(&written) {
                prop_assert_eq!(bytes(&text).into_owned(), written);
            }
        }
    }

    #[test]
    fn two_names_are_never_one_text() {
        let latin_1 = b"\xe5.xml";
        assert_ne!(text(latin_1), text("å.xml".as_bytes()));
        assert_eq!(text("å.xml".as_bytes()).as_deref(), Some("å.xml"));
        assert_eq!(text(text(latin_1).unwrap().as_bytes()), None, "it would be taken for the other");
    }
}
