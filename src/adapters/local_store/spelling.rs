//! Names that are no UTF-8, as texts and back: a byte that is none is a character that nobody uses.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// The name as a text; `None` for one that holds such characters itself.
pub(super) fn text(name: &OsStr) -> Option<String> {
    let mut text = String::with_capacity(name.len());
    for chunk in name.as_bytes().utf8_chunks() {
        if chunk.valid().chars().any(|c| byte(c).is_some()) {
            return None;
        }
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(FIRST + u32::from(*byte))));
    }
    Some(text)
}

/// The name that a text stands for.
pub(super) fn name(text: &str) -> OsString {
    let mut name = Vec::with_capacity(text.len());
    for c in text.chars() {
        match byte(c) {
            Some(byte) => name.push(byte),
            None => name.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    OsString::from_vec(name)
}

fn byte(c: char) -> Option<u8> {
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
        fn every_name_comes_back(bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
            let written = OsString::from_vec(bytes);
            if let Some(text) = text(&written) {
                prop_assert_eq!(name(&text), written);
            }
        }
    }

    #[test]
    fn two_names_are_never_one_text() {
        let latin_1 = OsString::from_vec(b"\xe5.xml".to_vec());
        assert_ne!(text(&latin_1), text(OsStr::new("å.xml")));
        assert_eq!(text(OsStr::new("å.xml")).as_deref(), Some("å.xml"));
        assert_eq!(text(OsStr::new(&text(&latin_1).unwrap())), None, "it would be taken for the other");
    }
}
