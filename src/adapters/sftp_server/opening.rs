//! OPEN: what a file handle reads or writes, and where a resumed upload goes on.

use std::io;
use std::sync::Arc;

use russh_sftp::protocol::OpenFlags;

use crate::kill_point::kill_point;
use crate::model::{AreaPath, Node, NodeState, ScratchId};
use crate::ports::{AreaError, Arriving, Begun, Blob, Look, NewUpload, Scratch};

use super::disk::on_disk;
use super::failure::Failure;
use super::handles::Reading;
use super::premises::{Premises, sealed_as};
use super::rights;
use super::tree::{Directory, Purpose, Tree};
use super::upload::Upload;
use super::writeback::Writeback;

/// Opens a file for reading.
pub(super) async fn read(
    premises: &Premises,
    tree: &Tree,
    directory: &Directory,
    path: AreaPath,
) -> Result<Reading, Failure> {
    let node = premises.area.stat(&tree.partner, &path).await?.ok_or(Failure::NoSuchFile)?;
    rights::read(tree, directory, &node)?;
    let Some(id) = node.blob else {
        return Err(Failure::Refused("the upload of this file is not finished".to_owned()));
    };
    let blob = premises.blob(id).await?.ok_or(Failure::NoSuchFile)?;
    let ours = !directory.purpose.takes_files();
    Ok(Reading { path, blob, modified: node.modified, ours, read_bytes: 0, reach_bytes: 0 })
}

/// Opens a file for writing: anew, or where an earlier upload stopped.
pub(super) async fn write(
    premises: &Arc<Premises>,
    tree: &Arc<Tree>,
    purpose: Purpose,
    path: AreaPath,
    flags: OpenFlags,
) -> Result<Upload, Failure> {
    // Looked at before the name is taken: an OPEN that fails must not disturb the upload that has it.
    if premises.ongoing.is_held(&tree.partner, &path) {
        check(purpose, tree, premises.area.stat(&tree.partner, &path).await?.as_ref(), flags)?;
    }
    let taking = premises.ongoing.take(&tree.partner, &path).await;
    let former = taking.former();
    // Who resumes an upload finds on disk what it had in memory alone.
    if let Some((_, former)) = former.clone().filter(|(_, former)| former.in_memory().is_some()) {
        on_disk(move || former.sync()).await?;
    }
    let Beginning { start, later, recorded_bytes, usage_bytes, settled_bytes } =
        begin(premises, tree, purpose, &path, flags).await?;
    // From here on the ledger knows this upload and no other of the name.
    let hold = taking.done(Some((start.id, Arc::clone(&start.scratch))));
    hold.grown(start.size_bytes.saturating_sub(recorded_bytes));
    // Also where no row names it, so that beginning did not.
    if let Some((former, _)) = former.filter(|(former, _)| *former != start.id) {
        premises.throw_away(former).await;
    }
    tracing::info!(partner = %tree.partner, path = %path.logged(), from_bytes = start.size_bytes, "upload begins");
    let arriving = Arriving {
        partner: tree.partner.clone(),
        dir: path.dir.clone(),
        blob: sealed_as(start.id),
        scratch: Arc::clone(&start.scratch),
        size_bytes: start.size_bytes,
    };
    Ok(Upload {
        premises: Arc::clone(premises),
        tree: Arc::clone(tree),
        path,
        purpose,
        hold,
        later,
        scratch_id: start.id,
        arrival: Some(premises.arrivals.begins(arriving)),
        scratch: start.scratch,
        writeback: Writeback::default(),
        safeguarded: false,
        size_bytes: start.size_bytes,
        recorded_bytes,
        usage_bytes,
        settled_bytes,
        looked_at_bytes: start.size_bytes,
        append: flags.contains(OpenFlags::APPEND),
        failed: None,
        modified: None,
    })
}

fn check(purpose: Purpose, tree: &Tree, node: Option<&Node>, flags: OpenFlags) -> Result<(), Failure> {
    if !purpose.takes_files() {
        return Err(Failure::Denied("files are taken in the inbox and test directories only"));
    }
    let appends = flags.contains(OpenFlags::APPEND);
    match node {
        Some(_) if flags.contains(OpenFlags::EXCLUDE) => Err(AreaError::Exists.into()),
        // Whoever goes on with a file whose CLOSE was done when the line was cut would make a shipment of nothing.
        Some(node) if is_kept(node, flags) && (appends || !flags.contains(OpenFlags::CREATE)) => {
            Err(AreaError::Claimed.into())
        }
        Some(node) => rights::change(tree, node),
        None if !flags.contains(OpenFlags::CREATE) => Err(Failure::NoSuchFile),
        None => Ok(()),
    }
}

/// Tells a file that is being processed, which the client did not ask to cut.
fn is_kept(node: &Node, flags: OpenFlags) -> bool {
    node.state == NodeState::Claimed && !flags.contains(OpenFlags::TRUNCATE)
}

/// Has the ledger begin the upload where it goes on, unless that waits for its first bytes.
async fn begin(
    premises: &Premises,
    tree: &Tree,
    purpose: Purpose,
    path: &AreaPath,
    flags: OpenFlags,
) -> Result<Beginning, Failure> {
    let settled_bytes = premises.ongoing.received(&tree.partner).settled_bytes;
    // Looked at again now that nobody else writes to it.
    let look = premises.area.look(&tree.partner, path).await?;
    check(purpose, tree, look.node.as_ref(), flags)?;
    let start = start(premises, look.node.as_ref(), flags.contains(OpenFlags::TRUNCATE)).await?;
    let upload = NewUpload {
        partner: tree.partner.clone(),
        path: path.clone(),
        owner: Some(tree.user.clone()),
        scratch: start.id,
        exclusive: flags.contains(OpenFlags::EXCLUDE),
        quota: tree.quota,
        now: premises.now(),
    };
    if look.node.as_ref().is_some_and(|node| is_kept(node, flags)) {
        let (later, usage_bytes) = (Some(upload), look.usage.bytes);
        return Ok(Beginning { start, later, recorded_bytes: 0, usage_bytes, settled_bytes });
    }
    let begun = enter(premises, upload, &look).await;
    if begun.is_err() && start.fresh {
        premises.discard(start.id).await;
    }
    let usage_bytes = begun?;
    // Also where it is to replace a whole file, which is counted beside it.
    let recorded_bytes = look.node.filter(|_| !start.fresh).map_or(0, |node| node.scratch_bytes);
    Ok(Beginning { start, later: None, recorded_bytes, usage_bytes, settled_bytes })
}

/// Has the ledger know of an upload; what the partner holds then.
pub(super) async fn enter(premises: &Premises, upload: NewUpload, look: &Look) -> Result<u64, AreaError> {
    kill_point("sftp.open.before");
    let begun = premises.area.begin(upload, look).await;
    kill_point("sftp.open.after");
    let Begun { former, held_bytes } = begun?;
    if let Some(former) = former {
        premises.throw_away(former).await;
    }
    Ok(held_bytes)
}

/// An upload that the ledger knows, or will know with its first bytes.
struct Beginning {
    start: Start,
    /// What it is told then.
    later: Option<NewUpload>,
    /// Bytes of it that the ledger has counted.
    recorded_bytes: u64,
    /// Bytes the partner holds, those among them.
    usage_bytes: u64,
    /// Bytes of the partner's uploads that the ledger had counted before that.
    settled_bytes: u64,
}

/// Where an upload's bytes go and how many are there already.
struct Start {
    id: ScratchId,
    scratch: Arc<dyn Scratch>,
    size_bytes: u64,
    fresh: bool,
}

async fn start(premises: &Premises, node: Option<&Node>, truncate: bool) -> Result<Start, Failure> {
    let Some(node) = node.filter(|node| !truncate && node.state != NodeState::Claimed) else {
        return empty(premises).await;
    };
    let Some(id) = node.scratch else {
        let Some(whole) = node.blob else { return empty(premises).await };
        return copied(premises, premises.blobs.open(whole).await?, false).await;
    };
    match premises.blobs.scratch(id).await {
        Ok(scratch) => {
            let size = Arc::clone(&scratch);
            let size_bytes = on_disk(move || size.size_bytes()).await?;
            Ok(Start { id, scratch, size_bytes, fresh: false })
        }
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => match premises.blobs.open(sealed_as(id)).await {
            // What an fsync has acknowledged is kept nowhere else once the ledger names the copy.
            Ok(sealed) => copied(premises, sealed, true).await,
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => empty(premises).await,
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// A new scratch file.
async fn empty(premises: &Premises) -> Result<Start, Failure> {
    let (id, scratch) = premises.blobs.begin().await?;
    Ok(Start { id, scratch, size_bytes: 0, fresh: true })
}

/// A new scratch file with the bytes of a blob, brought to disk where it is to be as durable as that.
async fn copied(premises: &Premises, blob: Arc<dyn Blob>, durably: bool) -> Result<Start, Failure> {
    let start = empty(premises).await?;
    let into = Arc::clone(&start.scratch);
    let copied = on_disk(move || {
        let size_bytes = copy(&*blob, &*into)?;
        if durably { into.sync().map(|()| size_bytes) } else { Ok(size_bytes) }
    })
    .await;
    if copied.is_err() {
        premises.discard(start.id).await;
    }
    Ok(Start { size_bytes: copied?, ..start })
}

fn copy(blob: &dyn Blob, scratch: &dyn Scratch) -> io::Result<u64> {
    let (mut chunk, mut offset) = (vec![0; COPY_BYTES], 0);
    loop {
        let count = blob.read_at(offset, &mut chunk)?;
        match chunk.get(..count) {
            None | Some([]) => return Ok(offset),
            Some(bytes) => scratch.write_at(offset, bytes)?,
        }
        offset += count as u64;
    }
}

const COPY_BYTES: usize = 256 * 1024;
