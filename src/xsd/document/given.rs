//! Schema documents that somebody holds in memory.

use std::io;

use super::Documents;
use crate::xsd::SchemaDocument;

/// Documents given by name; a location that is none of the names finds one by its last part.
#[derive(Debug, Clone, Copy)]
pub(in crate::xsd) struct Given<'a>(pub(in crate::xsd) &'a [SchemaDocument<'a>]);

impl Documents for Given<'_> {
    fn resolve(&self, base: &str, location: &str) -> String {
        let last = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let has_name = |name: &str| self.0.iter().any(|document| document.name == name);
        let beside = match base.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{location}"),
            None => location.to_owned(),
        };
        let alike = || self.0.iter().find(|document| last(document.name) == last(location));
        match () {
            () if has_name(location) => location.to_owned(),
            () if has_name(&beside) => beside,
            () => alike().map_or_else(|| location.to_owned(), |document| document.name.to_owned()),
        }
    }

    fn read(&self, name: &str, _: usize) -> io::Result<Option<Vec<u8>>> {
        let mut named = self.0.iter().filter(|document| document.name == name).map(|document| document.bytes);
        let first = named.next();
        match named.all(|other| Some(other) == first) {
            true => Ok(first.map(<[u8]>::to_vec)),
            false => Err(io::Error::other("two documents have one name")),
        }
    }
}
