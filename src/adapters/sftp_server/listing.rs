//! READDIR: a directory in pages, in order of name, each page one look at the ledger.

use russh_sftp::protocol::File;

use crate::model::Node;

use super::attributes;
use super::failure::Failure;
use super::premises::Premises;
use super::tree::{Target, Tree};

/// A listing under way.
pub(super) enum Listing {
    /// Of `/`.
    Root {
        /// Whether its one page has been given.
        given: bool,
    },
    /// Of an agreed directory.
    Directory {
        /// Which.
        dir: String,
        /// The last name given.
        after: Option<String>,
        /// Whether the last page has been given.
        ended: bool,
    },
}

impl Listing {
    /// Opens a directory.
    pub(super) fn open(target: &Target<'_>) -> Result<Self, Failure> {
        match target {
            Target::Root => Ok(Self::Root { given: false }),
            Target::Directory(directory) => {
                Ok(Self::Directory { dir: directory.name.clone(), after: None, ended: false })
            }
            Target::File(..) => Err(Failure::NoSuchFile),
        }
    }

    /// The next page; empty at the end.
    pub(super) async fn page(&mut self, premises: &Premises, tree: &Tree) -> Result<Vec<File>, Failure> {
        let now = premises.now();
        let owner = tree.partner.as_str();
        match self {
            Self::Root { given: true } | Self::Directory { ended: true, .. } => Ok(Vec::new()),
            Self::Root { given } => {
                *given = true;
                let entry = |name: &str| attributes::entry(name, attributes::directory(false), owner, now);
                Ok(tree.directories().iter().map(|directory| entry(&directory.name)).collect())
            }
            Self::Directory { dir, after, ended } => {
                let nodes = premises.area.list(&tree.partner, dir, after.as_deref(), PAGE).await?;
                let are_last = nodes.len() < PAGE as usize;
                let (mut files, mut bytes) = (Vec::with_capacity(nodes.len()), 0);
                for node in nodes {
                    bytes += 2 * node.path.name.len() + ENTRY_BYTES;
                    if bytes > PAGE_BYTES {
                        return Ok(files);
                    }
                    let attrs = attributes::file(shown_size(premises, &node).await, node.modified);
                    files.push(attributes::entry(&node.path.name, attrs, owner, now));
                    *after = Some(node.path.name);
                }
                *ended = are_last;
                Ok(files)
            }
        }
    }
}

async fn shown_size(premises: &Premises, node: &Node) -> u64 {
    premises.size_bytes(node).await.unwrap_or_else(|error| {
        // One odd file must not hide its directory.
        tracing::warn!(%error, path = %node.path.logged(), "a partial's size cannot be read");
        node.size_bytes
    })
}

/// Files looked up at once.
const PAGE: u32 = 1024;
/// What a page may take: clients take packets of 256 KiB.
const PAGE_BYTES: usize = 240 * 1024;
/// What an entry takes beside its name, twice: lengths, attributes, and the rest of the long name with an owner of 64 bytes.
const ENTRY_BYTES: usize = 240;
