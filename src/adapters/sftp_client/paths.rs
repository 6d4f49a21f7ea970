//! Names from a server, and paths to it.

use crate::model::spelling;
use crate::ports::StoreError;

/// Where something is on the server: below the root, never out of it.
pub(super) fn below(root: &str, path: &str) -> Result<String, StoreError> {
    let sound = path.is_empty() || path.split('/').all(is_name);
    if !sound {
        return Err(StoreError::Denied);
    }
    Ok(match (root, path) {
        ("", "") => ".".to_owned(),
        ("", path) => path.to_owned(),
        (root, "") => root.to_owned(),
        (root, path) if root.ends_with('/') => format!("{root}{path}"),
        (root, path) => format!("{root}/{path}"),
    })
}

/// A path of an entry in a directory.
pub(super) fn joined(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// The name of an entry, where it is a single name that we can write; bytes that are no UTF-8 are spelled.
pub(super) fn name(bytes: &[u8]) -> Option<String> {
    spelling::text(bytes).filter(|name| is_name(name))
}

fn is_name(name: &str) -> bool {
    (1..=MOST_NAME_BYTES).contains(&name.len()) && name != "." && name != ".." && !name.contains(['/', '\0'])
}

/// The entries of every directory that are no entries.
pub(super) fn is_itself_or_parent(bytes: &[u8]) -> bool {
    bytes == b"." || bytes == b".."
}

/// The directory in which something lies on the server.
pub(super) fn dir_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((dir, _)) => dir,
        None => ".",
    }
}

/// Another name beside a path on the server.
pub(super) fn beside(path: &str, name: impl FnOnce(&str) -> String) -> String {
    match path.rsplit_once('/') {
        Some((dir, last)) => format!("{dir}/{}", name(last)),
        None => name(path),
    }
}

/// Longer names are nobody's: 255 characters are the most that file systems take.
const MOST_NAME_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_root() {
        for path in ["..", "a/..", "../a", "/a", "a//b", "a/", ".", "a/./b", "a\0b"] {
            assert!(below("/out", path).is_err(), "{path:?}");
        }
        assert_eq!(below("/out", "a/b c").unwrap(), "/out/a/b c");
        assert_eq!(below("/", "a").unwrap(), "/a");
        assert_eq!((below("", "").unwrap(), below("", "a").unwrap()), (".".into(), "a".into()));
        assert_eq!(below("/out", "").unwrap(), "/out");
    }

    #[test]
    fn only_single_names_are_names() {
        let ambiguous = "k\u{10fee6}re";
        for bytes in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", ambiguous.as_bytes(), b"../../etc/passwd"] {
            assert_eq!(name(bytes), None, "{bytes:?}");
        }
        for sound in ["kjære.xml".as_bytes(), b"...", b"k\xe6re"] {
            assert_eq!(spelling::bytes(&name(sound).unwrap()).as_ref(), sound);
        }
    }
}
