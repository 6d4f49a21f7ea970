//! Requests about names: look, rename, remove, set attributes.

use russh_sftp::protocol::FileAttributes;

use crate::kill_point::kill_point;
use crate::model::{AreaPath, NodeState, ScratchId};
use crate::ports::AreaError;

use super::attributes;
use super::failure::Failure;
use super::ongoing::Taking;
use super::premises::Premises;
use super::recent::{Handed, Recent};
use super::rights;
use super::tree::{Directory, Target, Tree};
use super::upload::claim_of;

/// Attributes of what a path names.
pub(super) async fn stat(
    premises: &Premises,
    tree: &Tree,
    recent: &mut Recent,
    path: &str,
) -> Result<FileAttributes, Failure> {
    let path = match tree.resolve(path)? {
        Target::Root => return Ok(attributes::directory(true)),
        Target::Directory(_) => return Ok(attributes::directory(false)),
        Target::File(_, path) => path,
    };
    if let Some(node) = premises.area.stat(&tree.partner, &path).await? {
        return Ok(attributes::file(premises.size_bytes(&node).await?, node.modified));
    }
    let handed = recent.find(&path).ok_or(Failure::NoSuchFile)?;
    Ok(attributes::file(handed.size_bytes, handed.modified))
}

/// Sets what can be set: the time. Permissions mean nothing here and are agreed to, since clients that set them after
/// an upload would call it failed.
pub(super) async fn set_attributes(
    premises: &Premises,
    tree: &Tree,
    recent: &mut Recent,
    path: &str,
    attrs: &FileAttributes,
) -> Result<(), Failure> {
    let Target::File(_, path) = tree.resolve(path)? else { return Ok(()) };
    let node = premises.area.stat(&tree.partner, &path).await?;
    let size_bytes = match (&node, recent.find(&path)) {
        (Some(node), _) => premises.size_bytes(node).await?,
        (None, Some(handed)) => {
            handed.modified = attributes::modified(attrs).unwrap_or(handed.modified);
            handed.size_bytes
        }
        (None, None) => return Err(Failure::NoSuchFile),
    };
    if attrs.size.is_some_and(|asked| asked != size_bytes) {
        return Err(Failure::Unsupported("changing the size of a file that is not open"));
    }
    if let (Some(_), Some(modified)) = (&node, attributes::modified(attrs)) {
        premises.area.touch(&tree.partner, &path, modified).await?;
    }
    Ok(())
}

/// Renames within the directories that take files; away from a temporary name the file is claimed.
pub(super) async fn rename(
    premises: &Premises,
    tree: &Tree,
    recent: &mut Recent,
    (from, to): (&str, &str),
    replace: bool,
) -> Result<(), Failure> {
    let (_, from) = renamable(tree, from)?;
    let (directory, to) = renamable(tree, to)?;
    // Whoever uploads to the new name waits: its upload may be thrown away.
    let taking = premises.ongoing.take(&tree.partner, &to).await;
    let node = premises.area.stat(&tree.partner, &from).await?.ok_or(Failure::NoSuchFile)?;
    if node.state == NodeState::Partial || node.scratch.is_some() {
        return Err(AreaError::Incomplete.into());
    }
    rights::change(tree, &node)?;
    if let Some(target) = premises.area.stat(&tree.partner, &to).await? {
        rights::change(tree, &target)?;
    }
    let shipment = node.blob.and_then(|blob| premises.arrivals.shipment_of(blob));
    let claim = claim_of(directory.purpose, &to, shipment);
    let now = premises.now();
    kill_point("sftp.rename.before");
    let replaced = premises.area.rename(&tree.partner, (&from, &to), replace, claim, now).await?;
    kill_point("sftp.rename.after");
    if let Some(scratch) = replaced.scratch {
        end_upload(premises, taking, scratch).await;
    }
    if let Some(blob) = replaced.blob {
        premises.remove(blob).await;
    }
    recent.forget(&from);
    recent.forget(&to);
    let partner = &tree.partner;
    match claim {
        Some((shipment, _)) => {
            let (old, new, size_bytes) = (from.logged(), to.logged(), node.size_bytes);
            tracing::info!(%partner, from = %old, to = %new, size_bytes, %shipment, "received by rename");
            premises.claimed.notify_one();
            recent.remember(Handed { path: to, size_bytes: node.size_bytes, modified: node.modified });
        }
        None => tracing::info!(%partner, from = %from.logged(), to = %to.logged(), "renamed"),
    }
    Ok(())
}

/// Removes a file that is not claimed.
pub(super) async fn remove(premises: &Premises, tree: &Tree, recent: &mut Recent, path: &str) -> Result<(), Failure> {
    let Target::File(directory, path) = tree.resolve(path)? else {
        return Err(Failure::Refused("this is a directory".to_owned()));
    };
    // Taken before the file is gone: an upload that begins at once after it is another one, and waits meanwhile.
    let taking = premises.ongoing.take(&tree.partner, &path).await;
    let node = premises.area.stat(&tree.partner, &path).await?.ok_or(Failure::NoSuchFile)?;
    rights::remove(tree, directory, &node)?;
    let node = premises.area.remove(&tree.partner, &path).await?;
    recent.forget(&path);
    if let Some(scratch) = node.scratch {
        end_upload(premises, taking, scratch).await;
    }
    if let Some(blob) = node.blob {
        premises.remove(blob).await;
    }
    tracing::info!(partner = %tree.partner, path = %path.logged(), "removed");
    Ok(())
}

/// Throws an upload away that no row names any more. Whoever is still writing to it is told so; nothing of it may come back.
async fn end_upload(premises: &Premises, taking: Taking<'_>, scratch: ScratchId) {
    taking.vacate();
    premises.throw_away(scratch).await;
}

/// Directories are agreed, not made.
pub(super) fn make_directory(tree: &Tree, path: &str) -> Result<(), Failure> {
    match tree.resolve(path) {
        Ok(Target::Root | Target::Directory(_)) => Err(Failure::Refused("the directory is already there".to_owned())),
        Ok(Target::File(..)) | Err(_) => Err(Failure::Denied(AGREED)),
    }
}

/// Directories are agreed, not removed.
pub(super) fn remove_directory(tree: &Tree, path: &str) -> Result<(), Failure> {
    match tree.resolve(path)? {
        Target::Root | Target::Directory(_) => Err(Failure::Denied(AGREED)),
        Target::File(..) => Err(Failure::Refused("this is not a directory".to_owned())),
    }
}

fn renamable<'t>(tree: &'t Tree, path: &str) -> Result<(&'t Directory, AreaPath), Failure> {
    match tree.resolve(path)? {
        Target::File(directory, path) if directory.purpose.takes_files() => Ok((directory, path)),
        Target::File(..) => Err(Failure::Denied("files can be renamed in the inbox and test directories only")),
        Target::Root | Target::Directory(_) => Err(Failure::Denied(AGREED)),
    }
}

const AGREED: &str = "directories are agreed in the configuration; ask the operator";
