//! What a login may do with a file that is there. Inbox and test directories are write-only: a sender resumes, renames,
//! removes and looks into its own unfinished files, and gets back nothing that was received.

use crate::model::{Node, NodeState};

use super::failure::Failure;
use super::tree::{Directory, Tree};

/// Whether the bytes may be read.
pub(super) fn read(tree: &Tree, directory: &Directory, node: &Node) -> Result<(), Failure> {
    if !directory.purpose.takes_files() {
        return Ok(());
    }
    if node.state == NodeState::Claimed {
        return Err(Failure::Denied("the file has been received; what is received is not given back"));
    }
    own(tree, node)
}

/// Whether a file of that name may be written, renamed or replaced. One that is claimed has left its name to the next.
pub(super) fn change(tree: &Tree, node: &Node) -> Result<(), Failure> {
    if node.state == NodeState::Claimed { Ok(()) } else { own(tree, node) }
}

/// Whether the file may be removed.
pub(super) fn remove(tree: &Tree, directory: &Directory, node: &Node) -> Result<(), Failure> {
    if directory.purpose.takes_files() {
        return change(tree, node);
    }
    if directory.removable {
        return Ok(());
    }
    Err(Failure::Denied("files are not removed from this directory; its routes do not allow it"))
}

/// A partner's logins share directories and quota; an unfinished file belongs to the login that began it.
pub(super) fn own(tree: &Tree, node: &Node) -> Result<(), Failure> {
    match &node.owner {
        Some(owner) if *owner != tree.user => Err(Failure::Denied("this file belongs to another login of the partner")),
        Some(_) | None => Ok(()),
    }
}
