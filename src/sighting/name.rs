//! Names in a source, and what they are called in an inbox.

use unicode_normalization::UnicodeNormalization as _;

use crate::model::spelling;

/// The last name of a path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Another name in the directory of a path.
pub(super) fn in_dir_of(path: &str, name: &str) -> String {
    path.rsplit_once('/').map_or_else(|| name.to_owned(), |(dir, _)| format!("{dir}/{name}"))
}

/// Tells whether a path, as a store tells it, names a file at most so many levels down, and nothing else.
pub(super) fn is_sound(path: &str, depth: u32) -> bool {
    let is_short = |name: &str| name.len() <= MOST_NAME_BYTES || spelling::bytes(name).len() <= MOST_NAME_BYTES;
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && is_short(name) && !name.contains('\0');
    path.len() <= MOST_PATH_BYTES
        && path.split('/').all(is_name)
        && path.matches('/').count() <= usize::try_from(depth).unwrap_or(usize::MAX)
}

/// Tells whether a path lies in a directory or below it.
pub fn is_within(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a file is called in an inbox: its own name where it can be, else one that resembles it.
pub fn inbox_name(path: &str) -> String {
    let cleaned: String = last(path).nfc().map(plain).collect();
    let name = shortened(&cleaned, MOST_INBOX_BYTES);
    if matches!(name.as_str(), "" | "." | "..") { "_".to_owned() } else { name }
}

/// A path with a number in its name: `a.xml` is `a-2.xml` then. The first is the path itself.
pub fn numbered(path: &str, number: u32) -> String {
    if number < 2 {
        return path.to_owned();
    }
    let name = last(path);
    in_dir_of(
        path,
        &match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => format!("{stem}-{number}.{extension}"),
            Some(_) | None => format!("{name}-{number}"),
        },
    )
}

/// A character as it may stand in an inbox. Stores spell a byte that is no UTF-8 as one for private use; it will have
/// been Latin-1.
fn plain(c: char) -> char {
    let c = spelling::byte(c).map_or(c, char::from);
    if c.is_control() || c == '/' { '_' } else { c }
}

/// A name cut in its middle: what it ends with tells what it is.
pub(super) fn shortened(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extension = if extension.len() <= MOST_EXTENSION_BYTES { extension } else { "" };
    let room = most.saturating_sub(extension.len() + 1);
    let mut stem = String::new();
    for c in name.chars() {
        if stem.len() + c.len_utf8() > room {
            break;
        }
        stem.push(c);
    }
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

const MOST_NAME_BYTES: usize = 255;
const MOST_PATH_BYTES: usize = 4_096;
/// Room is left for a number.
const MOST_INBOX_BYTES: usize = 240;
const MOST_EXTENSION_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::AreaPath;

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for path in ["a.xml", "in/a.xml", "...", "a b.xml"] {
            assert!(is_sound(path, 1), "{path}");
        }
        for path in ["", "/a", "a/", "..", "../a", "in/../a", "in//a", "./a", "a\0", "a/b/c"] {
            assert!(!is_sound(path, 1), "{path:?}");
        }
        assert!(!is_sound(&"a".repeat(256), 0));
        assert!(is_sound(&"\u{10fee5}".repeat(255), 0) && !is_sound(&"\u{10fee5}".repeat(256), 0));
    }

    #[test]
    fn odd_names_get_plain_ones() {
        assert_eq!(inbox_name("in/skjema a\u{30a}.xml"), "skjema å.xml");
        assert_eq!(inbox_name("a\nb.xml"), "a_b.xml");
        assert_eq!(inbox_name("\u{10fee5}.xml"), "å.xml");
        let long = format!("{}.xml", "å".repeat(125));
        assert!(inbox_name(&long).ends_with("å.xml") && inbox_name(&long).len() <= MOST_INBOX_BYTES);
        assert_eq!(numbered("a.b.xml", 2), "a.b-2.xml");
        assert_eq!((numbered("in.d/a", 2), numbered("in/.a", 2)), ("in.d/a-2".into(), "in/.a-2".into()));
        assert_eq!((numbered("a", 3), numbered(".a", 2), numbered("a", 1)), ("a-3".into(), ".a-2".into(), "a".into()));
    }

    #[test]
    fn a_directory_holds_what_is_in_it_alone() {
        assert!(is_within("done/a.xml", "done") && is_within("done", "done"));
        assert!(!is_within("done-not/a.xml", "done") && !is_within("a/done", "done"));
    }

    proptest! {
        #[test]
        fn every_name_can_be_kept_in_an_inbox(path in "\\PC{0,300}", odd in any::<String>(), number in 1..10_000_u32) {
            for path in [path, odd] {
                prop_assert!(AreaPath::new("inbox", &numbered(&inbox_name(&path), number)).is_ok());
            }
        }
    }
}
