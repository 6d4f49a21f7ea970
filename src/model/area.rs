//! A partner's area: agreed directories, one level deep, with files in them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::{BlobId, ScratchId, ShipmentId};

/// A file's place in an area: a directory without slashes and a name in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AreaPath {
    /// The directory, such as `inbox`.
    pub dir: String,
    /// The file's name in it, 1 to 255 bytes.
    pub name: String,
}

/// A path that cannot name a file in an area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a path is a directory and a file name of 1 to 255 bytes without control characters")]
pub struct BadPath;

impl AreaPath {
    /// Makes a path of its two parts.
    pub fn new(dir: &str, name: &str) -> Result<Self, BadPath> {
        if is_segment(dir) && is_segment(name) {
            Ok(Self { dir: dir.to_owned(), name: name.to_owned() })
        } else {
            Err(BadPath)
        }
    }
}

impl FromStr for AreaPath {
    type Err = BadPath;

    /// Reads `/inbox/file.xml`; the first slash may be missing.
    fn from_str(text: &str) -> Result<Self, BadPath> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let (dir, name) = text.split_once('/').ok_or(BadPath)?;
        Self::new(dir, name)
    }
}

impl fmt::Display for AreaPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.dir, self.name)
    }
}

/// How far a file in an area has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// An upload is in progress or was cut off; it can be resumed and is never claimed.
    Partial,
    /// Complete and ours to serve, not claimed: a temporary name, a receipt, an outbox file.
    Whole,
    /// Claimed as a shipment; listed until that shipment's final receipt is there.
    Claimed,
}

/// One file of an area as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it is.
    pub path: AreaPath,
    /// Bytes: of the whole file, or of the partial as last recorded.
    pub size_bytes: u64,
    /// Bytes of the upload in progress as last recorded, which come on top of those of a whole file.
    pub scratch_bytes: u64,
    /// When it last changed.
    pub modified: Timestamp,
    /// How far it has come.
    pub state: NodeState,
    /// The finished bytes; `None` while there is only a partial.
    pub blob: Option<BlobId>,
    /// The upload in progress, also when it is about to replace `blob`.
    pub scratch: Option<ScratchId>,
    /// The shipment that claimed it.
    pub shipment: Option<ShipmentId>,
    /// The login that put it there; `None` for what the gateway placed.
    pub owner: Option<String>,
}

/// A file of ours that a login has fetched whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Who.
    pub user: String,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// How often.
    pub times: u64,
}

/// Tells a name that senders use while they are still writing: claimed only when renamed away.
pub fn is_temporary_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with('.') || [".part", ".filepart", ".tmp", ".writing"].iter().any(|end| lower.ends_with(end))
}

fn is_segment(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text != "."
        && text != ".."
        && !text.contains('/')
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_directory_and_one_name() {
        assert_eq!("/inbox/a.xml".parse::<AreaPath>().unwrap(), AreaPath::new("inbox", "a.xml").unwrap());
        for bad in ["", "/", "/inbox", "/inbox/", "/inbox/a/b", "/../a", "/inbox/..", "/inbox/a\n"] {
            assert!(bad.parse::<AreaPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn temporary_names_are_those_senders_use() {
        for name in [".x.xml", "x.xml.part", "x.xml.filepart", "x.TMP", "x.writing"] {
            assert!(is_temporary_name(name), "{name}");
        }
        assert!(!is_temporary_name("part.xml"));
    }
}
