//! The schema files that a document's root tag names: `xsi:schemaLocation` and `xsi:noNamespaceSchemaLocation`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::xml::{Limits, Locator, Namespace, Scope, Sink, Tag, Tokenizer};

/// Reads up to the root tag; answers what was read and the local files that the tag names, as seen from the document.
///
/// What is wrong with the document is for the validator to say; it has no hints then.
pub(super) fn of_root(bytes: &mut dyn Read, document: &Path) -> io::Result<(Vec<u8>, Vec<PathBuf>)> {
    let mut tokenizer = Tokenizer::new(Limits::default(), &[XSI]);
    let mut root = Root::default();
    let mut head = Vec::new();
    let mut buffer = vec![0; PIECE_BYTES];
    while !root.seen && head.len() < HEAD_BYTES {
        let count = match bytes.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (piece, _) = buffer.split_at(count.min(buffer.len()));
        head.extend_from_slice(piece);
        if piece.is_empty() || tokenizer.feed(piece, &mut root).is_err() {
            break;
        }
    }
    let folder = document.parent().unwrap_or(Path::new(""));
    let mut files: Vec<PathBuf> = root.locations.iter().filter_map(|location| local(location, folder)).collect();
    files.dedup();
    Ok((head, files))
}

/// The file of a location, if it is one here: nothing is fetched.
fn local(location: &str, folder: &Path) -> Option<PathBuf> {
    let path = location.strip_prefix("file://").unwrap_or(location);
    (!path.contains("://")).then(|| folder.join(path))
}

/// Hears of the root tag and of no other.
#[derive(Default)]
struct Root {
    seen: bool,
    locations: Vec<String>,
}

impl Sink for Root {
    fn start(&mut self, tag: &Tag<'_>, _: &mut Locator<'_>) {
        if std::mem::replace(&mut self.seen, true) {
            return;
        }
        for attribute in tag.attributes().filter(|attribute| attribute.namespace == Namespace::known(0)) {
            let words: Vec<String> =
                String::from_utf8_lossy(attribute.value).split_ascii_whitespace().map(str::to_owned).collect();
            match attribute.local {
                // Pairs of a namespace and a place.
                b"schemaLocation" => self.locations.extend(words.into_iter().skip(1).step_by(2)),
                b"noNamespaceSchemaLocation" => self.locations.extend(words.into_iter().take(1)),
                _ => {}
            }
        }
    }

    fn end(&mut self, _: u64, _: u64, _: &Scope, _: &mut Locator<'_>) {}

    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}

    fn character(&mut self, _: char, _: u64, _: &mut Locator<'_>) {}
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const PIECE_BYTES: usize = 4 << 10;
/// How far the root tag is looked for.
const HEAD_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(document: &str) -> Vec<String> {
        let mut bytes = document.as_bytes();
        let (head, files) = of_root(&mut bytes, Path::new("in/a.xml")).unwrap();
        assert_eq!([head.as_slice(), bytes].concat(), document.as_bytes(), "nothing is lost");
        files.iter().map(|file| file.display().to_string()).collect()
    }

    #[test]
    fn the_root_tag_names_files() {
        let tag =
            |attributes: &str| format!("<!-- c --><a xmlns:i='{XSI}' {attributes}><b i:schemaLocation='u x'/></a>");
        assert_eq!(hints(&tag("i:schemaLocation='urn:a a.xsd\n urn:b ../b.xsd'")), ["in/a.xsd", "in/../b.xsd"]);
        assert_eq!(hints(&tag("i:noNamespaceSchemaLocation=' c.xsd '")), ["in/c.xsd"]);
        assert_eq!(hints(&tag("i:schemaLocation='urn:a file:///s/a.xsd urn:b http://b/b.xsd urn:c'")), ["/s/a.xsd"]);
        assert!(hints(&tag("schemaLocation='urn:a a.xsd'")).is_empty());
        assert!(hints("<a").is_empty() && hints("").is_empty() && hints("<a>").is_empty());
    }
}
