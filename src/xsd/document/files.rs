//! Schema documents in the file system.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use super::Documents;

/// Reads schema documents from files; locations are paths, or URIs of files, seen from the document that names them.
///
/// Locations with another scheme, like `http`, name nothing that it can read.
///
/// ```
/// use sluse::xsd::{Files, Schema, SchemaError, SchemaLimits};
///
/// let schema = Schema::load(&["nowhere/order.xsd"], &Files, &SchemaLimits::default());
/// assert!(matches!(schema, Err(SchemaError::Missing { .. })));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

impl Documents for Files {
    fn resolve(&self, base: &str, location: &str) -> String {
        let location = location.split_once('#').map_or(location, |(location, _)| location);
        if has_other_scheme(location) {
            return location.to_owned();
        }
        let location = location.strip_prefix("file://").or(location.strip_prefix("file:")).unwrap_or(location);
        let joined = |location: &str| {
            let folder = Path::new(base).parent().unwrap_or(Path::new(""));
            plain(&folder.join(location)).to_string_lossy().into_owned()
        };
        let written = joined(location);
        match unescaped(location).filter(|_| !Path::new(&written).exists()) {
            Some(unescaped) => joined(&unescaped),
            None => written,
        }
    }

    fn read(&self, name: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        if has_other_scheme(name) {
            return Ok(None);
        }
        let file = match File::open(name) {
            Ok(file) => file,
            Err(fault) if matches!(fault.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        if file.metadata()?.is_dir() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(most as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// A scheme has two letters at least, lest the drive of a path be taken for one.
fn has_other_scheme(location: &str) -> bool {
    let Some((scheme, _)) = location.split_once(':') else { return false };
    let is_scheme =
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme && !scheme.eq_ignore_ascii_case("file")
}

/// The path without `.` and, where that can be told, without `..`: the same document reached twice has one name.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                plain.push(component);
            }
        }
    }
    plain
}

/// The location with its percent signs read, if it has any.
fn unescaped(location: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(location.len());
    let mut rest = location.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(read) => {
                bytes.push(read);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok().filter(|unescaped| unescaped != location)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_seen_from_the_document_that_names_them() {
        let cases = [
            ("a/b.xsd", "c.xsd", "a/c.xsd"),
            ("a/b.xsd", "./../c.xsd#part", "c.xsd"),
            ("b.xsd", "../c.xsd", "../c.xsd"),
            ("a/b.xsd", "file:///d/c%20c.xsd", "/d/c c.xsd"),
            ("a/b.xsd", "http://example.org/c.xsd", "http://example.org/c.xsd"),
        ];
        for (base, location, name) in cases {
            assert_eq!(Files.resolve(base, location), name, "{location}");
        }
    }

    #[test]
    fn what_is_not_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("a.xsd"), b"0123456789").unwrap();
        assert_eq!(Files.read(&path("a.xsd"), 100).unwrap().as_deref(), Some(&b"0123456789"[..]));
        assert_eq!(Files.read(&path("a.xsd"), 4).unwrap().map(|bytes| bytes.len()), Some(5));
        for absent in [path("b.xsd"), path("a.xsd/c.xsd"), path(""), "http://example.org/".into()] {
            assert_eq!(Files.read(&absent, 100).unwrap(), None, "{absent}");
        }
    }
}
