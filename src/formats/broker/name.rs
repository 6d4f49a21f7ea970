//! Names of entries: what may be unpacked on any system, and which of them are the same there.

use aws_lc_rs::digest;
use unicode_normalization::{UnicodeNormalization as _, is_nfc_quick};

use super::limits::Limits;
use crate::codes;
use crate::model::Code;

/// A name that may stay, as it is compared: what is one file on some system is one here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// In composed form and lower case, without what Windows leaves out.
    pub(super) folded: String,
    /// It names a folder.
    pub(super) is_folder: bool,
}

impl Name {
    /// Reads a name. Without the flag that says UTF-8 it is taken for it all the same, if it can be.
    pub(super) fn read(raw: &[u8], limits: &Limits) -> Result<Self, (Code, &'static str)> {
        let text = std::str::from_utf8(raw).map_err(|_| (codes::ZIP_NAME_NOT_UTF8, ""))?;
        if raw.len() > limits.name_bytes {
            return Err((codes::ZIP_NAME_TOO_LONG, ""));
        }
        let composed = composed(text);
        let path = composed.strip_suffix('/').unwrap_or(&composed);
        if let Some(reason) = unsafe_part(path) {
            return Err((codes::ZIP_UNSAFE_NAME, reason));
        }
        if path.split('/').any(|part| part.len() > PART_BYTES) {
            return Err((codes::ZIP_NAME_TOO_LONG, "one part of it has more than 255 bytes"));
        }
        Ok(Self { folded: folded(path), is_folder: composed.ends_with('/') })
    }

    /// What tells it from other names, in sixteen bytes.
    pub(super) fn key(&self) -> NameKey {
        let hash = digest::digest(&digest::SHA256, self.folded.as_bytes());
        hash.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

/// The hash of a folded name.
pub(super) type NameKey = [u8; 16];

fn composed(text: &str) -> String {
    if text.is_ascii() || is_nfc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes {
        return text.to_owned();
    }
    text.nfc().collect()
}

/// Why a path is not safe, if it is not.
fn unsafe_part(path: &str) -> Option<&'static str> {
    if path.starts_with('/') {
        return Some("it begins with a slash");
    }
    if path.contains('\\') {
        return Some("it has a backslash");
    }
    // A drive, or a second stream of a file.
    if path.contains(':') {
        return Some("it has a colon");
    }
    if path.chars().any(|c| c.is_control() || is_direction(c)) {
        return Some("it has a control character");
    }
    // Windows leaves dots and blanks at the end out, so that more than two names lead upwards.
    path.split('/').any(|part| part.trim_end_matches(['.', ' ']).is_empty()).then_some("a part of it is empty or dots")
}

/// Characters that show a name in another order than it has.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn folded(path: &str) -> String {
    if path.is_ascii() && !path.contains([' ', '.']) {
        return path.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(path.len());
    for part in path.split('/') {
        if !folded.is_empty() {
            folded.push('/');
        }
        // Lower, upper, lower: what differs in case only, on either way, comes out alike.
        let part = part.trim_end_matches(['.', ' ']).chars();
        let upper = part.flat_map(char::to_lowercase).flat_map(char::to_uppercase);
        folded.extend(upper.flat_map(char::to_lowercase));
    }
    composed(&folded)
}

/// What file systems take for one part of a path.
const PART_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(name: &str) -> Result<Name, (Code, &'static str)> {
        Name::read(name.as_bytes(), &Limits::default())
    }

    fn folded(name: &str) -> String {
        read(name).unwrap().folded
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "",
            "/",
            "/etc/passwd",
            "//host/share",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "a/.",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "..\\a",
            "C:a",
            "c:/a",
            "a:b",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}",
            "a\u{202e}fdp.exe",
            "...",
            ".. ",
            "a/ /b",
            "a/.. ./b",
        ] {
            let bad = read(name).map_err(|(code, _)| code);
            // A folder's name alone is fine.
            assert!(bad == Err(codes::ZIP_UNSAFE_NAME) || name == "a/", "{name:?}");
        }
        assert!(read("a/").unwrap().is_folder);
    }

    #[test]
    fn ordinary_names_stay() {
        for name in
            ["manifest.xml", "a/b/c.txt", ".hidden", "..a", "a..b", "vedlegg æøå.pdf", "日本/語.txt", "a (1).xml"]
        {
            assert!(read(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_is_one_file_somewhere_is_one_here() {
        for (one, other) in [
            ("Manifest.XML", "manifest.xml"),
            ("BLÅBÆR.txt", "blåbær.TXT"),
            ("a\u{30a}.txt", "å.txt"),
            ("STRASSE", "straße"),
            ("STRAẞE", "straße"),
            ("\u{212a}.txt", "k.txt"),
            ("a.txt.", "a.txt"),
            ("a /b", "a/b"),
            ("a/", "a"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("a.txt"), folded("b.txt"));
        assert_ne!(folded("ab/c"), folded("a/bc"));
    }

    #[test]
    fn names_are_utf8_and_not_too_long() {
        let code = |raw: &[u8]| Name::read(raw, &Limits::default()).map_err(|(code, _)| code);
        assert_eq!(code(b"bl\x86b\x91r.txt"), Err(codes::ZIP_NAME_NOT_UTF8));
        assert!(code("a".repeat(255).as_bytes()).is_ok());
        assert_eq!(code("a".repeat(256).as_bytes()), Err(codes::ZIP_NAME_TOO_LONG));
        assert!(code("abc/".repeat(256).as_bytes()).is_ok());
        assert_eq!(code("abc/".repeat(257).as_bytes()), Err(codes::ZIP_NAME_TOO_LONG));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_folding_is_stable(raw: Vec<u8>, text in "\\PC{0,20}") {
            let _ = Name::read(&raw, &Limits::default());
            if let Ok(name) = read(&text) {
                let again = folded(&name.folded);
                prop_assert_eq!(again, name.folded);
            }
        }
    }
}
