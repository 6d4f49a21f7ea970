//! The one durable rename: bytes, then the name, then the directories.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::kill_point::kill_point;

/// Gives a finished file its name. After an error either nothing has happened, or only the directories may be unsynced.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    kill_point("durable.rename.before");
    fs::rename(from, to)?;
    kill_point("durable.rename.after");
    sync_directories(from, to)?;
    kill_point("durable.rename.synced");
    Ok(())
}

/// Brings the entries of both names to disk.
pub(super) fn sync_directories(from: &Path, to: &Path) -> io::Result<()> {
    to.parent().map_or(Ok(()), sync_dir)?;
    if from.parent() == to.parent() { Ok(()) } else { from.parent().map_or(Ok(()), sync_dir) }
}

/// Brings a directory's entries to disk.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
