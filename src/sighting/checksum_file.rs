//! Checksum files as the coreutils write them, and what a file is held against.
//!
//! A line is the digits, a blank, a blank or `*`, and the name; a backslash before it says that `\n`, `\r` and `\\` in the
//! name stand for what they say. `SHA256 (name) = digits` is the other form. A file for one file may hold the digits alone.

use super::name::{in_dir_of, last};
use crate::model::spelling;

/// A checksum; its length tells which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// MD5.
    Md5([u8; 16]),
    /// SHA-256.
    Sha256([u8; 32]),
}

/// What was computed of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// MD5, where it was asked for.
    pub md5: Option<[u8; 16]>,
    /// SHA-256.
    pub sha256: [u8; 32],
}

impl Checksum {
    /// Tells whether the file is the one that it is of.
    pub fn is_of(&self, digests: &Digests) -> bool {
        match self {
            Self::Md5(md5) => Some(*md5) == digests.md5,
            Self::Sha256(sha256) => *sha256 == digests.sha256,
        }
    }
}

/// Finds a file's checksum in a checksum file. `own`: the file is for this one alone, so that a line for a name of
/// another directory, or without any, is its.
pub fn find(text: &[u8], checksum_path: &str, path: &str, own: bool) -> Option<Checksum> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    // Spelled as the names of files are, so that one which is no UTF-8 is found, too.
    let lines = text.split(|byte| *byte == b'\n').filter_map(|bytes| line(&spelling::text(bytes)?));
    let lines: Vec<(Checksum, Option<String>)> = lines.collect();
    let named = |name: &String| {
        let name = name.strip_prefix("./").unwrap_or(name);
        in_dir_of(checksum_path, name) == path
    };
    let exact = lines.iter().rev().find(|(_, name)| name.as_ref().is_some_and(named));
    // What one job wrote with full paths on another machine is still about this name.
    let is_alike = |name: &String| own && (last(name) == last(path) || name.rsplit('\\').next() == Some(last(path)));
    let alike = || lines.iter().rev().find(|(_, name)| name.as_ref().is_some_and(is_alike));
    let bare = || lines.iter().find(|(_, name)| own && name.is_none());
    exact.or_else(alike).or_else(bare).map(|(checksum, _)| *checksum)
}

fn line(line: &str) -> Option<(Checksum, Option<String>)> {
    let line = line.trim_end_matches(['\r', '\n']);
    let (escaped, line) = line.strip_prefix('\\').map_or((false, line), |line| (true, line));
    let spelled = |name: &str| if escaped { unescaped(name) } else { name.to_owned() };
    // A name may look like the other form, but no other form begins with digits enough.
    if let Some((checksum, name)) = line.split_once(' ').and_then(|(digits, name)| Some((checksum(digits)?, name))) {
        let name = name.strip_prefix(['*', ' ']).unwrap_or(name);
        return Some((checksum, (!name.is_empty()).then(|| spelled(name))));
    }
    if let Some((name, digits)) = line.split_once(" (").and_then(|(_, rest)| rest.rsplit_once(") = ")) {
        return Some((checksum(digits.trim())?, Some(spelled(name))));
    }
    Some((checksum(line.trim())?, None))
}

fn checksum(digits: &str) -> Option<Checksum> {
    let mut bytes = Vec::with_capacity(32);
    for pair in digits.as_bytes().chunks(2) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2 && !pair.starts_with('+'))?;
        bytes.push(u8::from_str_radix(pair, 16).ok()?);
    }
    match bytes.len() {
        16 => bytes.try_into().ok().map(Checksum::Md5),
        32 => bytes.try_into().ok().map(Checksum::Sha256),
        _ => None,
    }
}

fn unescaped(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some(other)) => plain.push(other),
            (other, _) => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGITS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

    fn found(text: &str, path: &str, own: bool) -> bool {
        find(text.as_bytes(), "in/sums", path, own).is_some()
    }

    #[test]
    fn the_forms_of_the_coreutils_are_read() {
        for line in [
            format!("{DIGITS}  a b.xml\n"),
            format!("{DIGITS} *a b.xml\r\n"),
            format!("{MD5}  a b.xml"),
            format!("SHA256 (a b.xml) = {DIGITS}\n"),
            format!("MD5 (a b.xml) = {MD5}\n"),
            format!("other line\n{}  ./a b.xml\n", DIGITS.to_uppercase()),
            format!("\u{feff}{DIGITS}  a b.xml\n"),
        ] {
            assert!(found(&line, "in/a b.xml", false), "{line}");
            assert!(!found(&line, "in/a.xml", false), "{line}");
            assert!(!found(&line, "a b.xml", false), "{line}");
        }
        assert!(found(&format!("\\{DIGITS}  a\\nb\\\\.xml\n"), "in/a\nb\\.xml", false));
        assert!(found(&format!("{DIGITS}  sub/a.xml\n"), "in/sub/a.xml", false));
        for name in ["\t", " ", "a (b) = c", "*a"] {
            assert!(found(&format!("{DIGITS}  {name}\n"), &format!("in/{name}"), false), "{name:?}");
        }
    }

    #[test]
    fn a_file_of_its_own_may_be_short() {
        for text in [
            format!("{DIGITS}\n"),
            MD5.to_owned(),
            format!("{DIGITS}  /home/job/out/a.xml\n"),
            format!("{DIGITS} *C:\\out\\a.xml\r\n"),
        ] {
            assert!(found(&text, "in/a.xml", true), "{text}");
            assert!(!found(&text, "in/a.xml", false), "{text}");
        }
        for text in ["", "abc", "zz", DIGITS.trim_start_matches('e'), &format!("{DIGITS}  b.xml")] {
            assert!(!found(text, "in/a.xml", true), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_no_utf_8_has_its_line() {
        let latin_1 = b"skjema \xe6\xf8\xe5.xml";
        let path = format!("in/{}", spelling::text(latin_1).unwrap());
        for ends in [&b"\n"[..], b"\r\n", b""] {
            let text = [format!("{MD5}  å.xml\n{DIGITS}  ").as_bytes(), latin_1, ends].concat();
            assert!(matches!(find(&text, "in/sums", &path, false), Some(Checksum::Sha256(_))));
        }
        let tagged = [b"SHA256 (", &latin_1[..], format!(") = {DIGITS}\n").as_bytes()].concat();
        assert!(find(&tagged, "in/sums", &path, false).is_some());
        // Such a name is another than the one that is its like.
        assert!(find(&tagged, "in/sums", "in/skjema æøå.xml", false).is_none());
    }

    #[test]
    fn the_last_line_of_a_name_counts() {
        let text = format!("{MD5}  a.xml\n{DIGITS}  a.xml\n");
        assert!(matches!(find(text.as_bytes(), "sums", "a.xml", false), Some(Checksum::Sha256(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            find(&bytes, "sums", "a.xml", true);
        }

        #[test]
        fn what_the_coreutils_write_is_found(name in "[^/\\x00]{1,30}", binary in any::<bool>()) {
            prop_assume!(!matches!(name.as_str(), "." | ".."));
            // Sources have no name with a character that stands for a byte.
            prop_assume!(spelling::text(name.as_bytes()).is_some());
            let escaped = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
            let (slash, star) = (if escaped == name { "" } else { "\\" }, if binary { '*' } else { ' ' });
            let text = format!("{slash}{DIGITS} {star}{escaped}\n");
            // Other line ends than these are not known to the coreutils.
            prop_assert!(find(text.as_bytes(), "sums", &name, false).is_some(), "{}", text);
        }
    }
}
