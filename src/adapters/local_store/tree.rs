//! Paths in the directory, walked without following a link.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use crate::model::spelling;
use crate::ports::FileSeen;

/// A walk through a directory, and those below it, that goes on entry by entry.
pub(super) struct Walk {
    root: OwnedFd,
    /// Being read: where it is, how many levels may follow, its entries.
    open: Option<(String, u32, OwnedFd, Dir)>,
    /// Still to be read.
    later: Vec<(String, u32)>,
    /// Entries and directories that cannot be read.
    skipped: u64,
}

impl Walk {
    /// Begins in a directory, with so many levels below it.
    pub(super) fn begin(root: &Path, dir: &str, depth: u32) -> io::Result<Self> {
        let root = open_root(root)?;
        let mut walk = Self { root, open: None, later: Vec::new(), skipped: 0 };
        walk.enter(dir.to_owned(), depth)?;
        Ok(walk)
    }

    fn enter(&mut self, dir: String, depth: u32) -> io::Result<()> {
        let fd = open_dir(self.root.as_fd(), &dir)?;
        let entries = Dir::read_from(&fd)?;
        self.open = Some((dir, depth, fd, entries));
        Ok(())
    }

    /// Goes to the next directory that is still there and may be read; `false` at the end.
    fn enter_next(&mut self) -> io::Result<bool> {
        while let Some((dir, depth)) = self.later.pop() {
            let Err(error) = self.enter(dir, depth) else { return Ok(true) };
            match Errno::from_io_error(&error) {
                // Removed, or replaced by a link, since it was listed.
                Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                // Closed to us, as lost+found is: the others are there all the same.
                Some(Errno::ACCESS | Errno::PERM) => self.skipped += 1,
                _ => return Err(error),
            }
        }
        Ok(false)
    }

    /// The next regular file; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<FileSeen>> {
        loop {
            let Some((dir, depth, fd, entries)) = &mut self.open else {
                if self.enter_next()? {
                    continue;
                }
                return Ok(None);
            };
            let Some(entry) = entries.read() else {
                self.open = None;
                continue;
            };
            let entry = entry?;
            let raw = entry.file_name();
            if raw.to_bytes() == b"." || raw.to_bytes() == b".." {
                continue;
            }
            let Some(path) = join(dir, raw.to_bytes()) else { continue };
            match rustix::fs::statat(&*fd, raw, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_file() => return Ok(Some(seen(path, &stat))),
                Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_dir() && *depth > 0 => {
                    self.later.push((path, *depth - 1));
                }
                Ok(_) | Err(Errno::NOENT) => {}
                Err(Errno::ACCESS | Errno::PERM | Errno::IO | Errno::STALE) => self.skipped += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        if self.skipped > 0 {
            tracing::warn!(
                skipped = self.skipped,
                "entries of a watched directory cannot be read: they are passed over"
            );
        }
    }
}

fn join(dir: &str, name: &[u8]) -> Option<String> {
    let name = spelling::text(name)?;
    Some(if dir.is_empty() { name } else { format!("{dir}/{name}") })
}

/// A name as the disk has it.
fn raw(name: &str) -> OsString {
    OsString::from_vec(spelling::bytes(name).into_owned())
}

/// A regular file's attributes; `None` when no such file is there.
pub(super) fn stat(root: &Path, path: &str) -> io::Result<Option<FileSeen>> {
    let root = open_root(root)?;
    let found =
        parent(&root, path).and_then(|(dir, name)| Ok(rustix::fs::statat(&dir, raw(name), AtFlags::SYMLINK_NOFOLLOW)?));
    match found {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_file() => Ok(Some(seen(path.to_owned(), &stat))),
        Ok(_) => Ok(None),
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Opens a regular file to read from an offset. What is none, such as a pipe that would keep us waiting, is not there.
pub(super) fn open(root: &Path, path: &str, offset: u64) -> io::Result<File> {
    let (dir, name) = parent(&open_root(root)?, path)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    regular(rustix::fs::openat(dir, raw(name), flags, Mode::empty())?.into(), offset)
}

/// Opens a file to write from an offset; 0 makes it anew. There are no holes in a file.
pub(super) fn create(root: &Path, path: &str, offset: u64) -> io::Result<File> {
    let (dir, name) = parent(&open_root(root)?, path)?;
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if offset == 0 {
        return Ok(anew(&dir, &raw(name), flags)?.into());
    }
    let file = regular(rustix::fs::openat(dir, raw(name), flags, Mode::empty())?.into(), offset)?;
    file.set_len(offset)?;
    Ok(file)
}

/// Makes a file that nobody has: what was there is neither emptied under another name that it has, nor under the hands of
/// a thread that is late.
fn anew(dir: &OwnedFd, name: &OsString, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let make = || rustix::fs::openat(dir, name, flags | OFlags::CREATE | OFlags::EXCL, Mode::from_raw_mode(0o660));
    let is_file = || {
        let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file())
    };
    match make() {
        Err(Errno::EXIST) if is_file() => {
            rustix::fs::unlinkat(dir, name, AtFlags::empty())?;
            make()
        }
        made => made,
    }
}

/// The file, if it is a regular one that reaches to an offset.
fn regular(file: File, offset: u64) -> io::Result<File> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    if found.len() < offset { Err(io::ErrorKind::InvalidData.into()) } else { Ok(file) }
}

/// Renames durably.
pub(super) fn rename(root: &Path, from: &str, to: &str, replace: bool) -> io::Result<()> {
    let root = open_root(root)?;
    let ((from_dir, from), (to_dir, to)) = (parent(&root, from)?, parent(&root, to)?);
    let (from, to) = (raw(from), raw(to));
    if replace {
        rustix::fs::renameat(&from_dir, &from, &to_dir, &to)?;
    } else {
        match rustix::fs::renameat_with(&from_dir, &from, &to_dir, &to, RenameFlags::NOREPLACE) {
            // Some network file systems cannot.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rename_by_link((&from_dir, &from), (&to_dir, &to))?,
            done => done?,
        }
    }
    sync(&to_dir)?;
    sync(&from_dir)
}

/// A second name and then taking away the first is as good. Where a file has but one name, the new one is looked at just
/// before.
fn rename_by_link(from: (&OwnedFd, &OsString), to: (&OwnedFd, &OsString)) -> rustix::io::Result<()> {
    match rustix::fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty()) {
        Err(Errno::NOSYS | Errno::NOTSUP | Errno::PERM) => {
            match rustix::fs::statat(to.0, to.1, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => Err(Errno::EXIST),
                Err(Errno::NOENT) => rustix::fs::renameat(from.0, from.1, to.0, to.1),
                Err(error) => Err(error),
            }
        }
        linked => linked.and_then(|()| rustix::fs::unlinkat(from.0, from.1, AtFlags::empty())),
    }
}

/// Removes a file durably; one that is not there is no error.
pub(super) fn remove(root: &Path, path: &str) -> io::Result<()> {
    let (dir, name) = match parent(&open_root(root)?, path) {
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    match rustix::fs::unlinkat(&dir, raw(name), AtFlags::empty()) {
        Ok(()) => sync(&dir),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes a directory and those above it.
pub(super) fn make_dir(root: &Path, path: &str) -> io::Result<()> {
    let mut at = open_root(root)?;
    for name in names(path)? {
        match rustix::fs::mkdirat(&at, raw(name), Mode::from_raw_mode(0o770)) {
            Ok(()) => sync(&at)?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        at = enter(at.as_fd(), name)?;
    }
    Ok(())
}

/// The operator names the root, and may name it by a link.
fn open_root(root: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(CWD, root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The directory that a path lies in, and its last name.
fn parent<'p>(root: &OwnedFd, path: &'p str) -> io::Result<(OwnedFd, &'p str)> {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    names(name)?;
    if name.is_empty() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok((open_dir(root.as_fd(), dir)?, name))
}

fn open_dir(root: impl AsFd, dir: &str) -> io::Result<OwnedFd> {
    let mut at =
        rustix::fs::openat(root.as_fd(), ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    for name in names(dir)? {
        at = enter(at.as_fd(), name)?;
    }
    Ok(at)
}

fn enter(at: impl AsFd, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(at.as_fd(), raw(name), flags, Mode::empty())?)
}

/// The names a path consists of; none of them leads up.
fn names(path: &str) -> io::Result<Vec<&str>> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<_> = path.split('/').collect();
    let is_sound = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
    if names.iter().all(|name| is_sound(name)) { Ok(names) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

fn sync(dir: &OwnedFd) -> io::Result<()> {
    Ok(rustix::fs::fsync(dir)?)
}

fn seen(path: String, stat: &Stat) -> FileSeen {
    FileSeen { path, size_bytes: u64::try_from(stat.st_size).unwrap_or(0), modified: modified(stat) }
}

/// A time that no calendar has is the last that ours has.
fn modified(stat: &Stat) -> Timestamp {
    let nanosecond = i32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Timestamp::new(stat.st_mtime, nanosecond).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_directory_that_is_closed_to_us_hides_no_other() {
        if rustix::process::geteuid().is_root() {
            // Who may enter everything sees nothing of it: somebody else looks.
            let name = "adapters::local_store::tree::tests::a_directory_that_is_closed_to_us_hides_no_other";
            let mut command = Command::new(std::env::current_exe().unwrap());
            // A folder of our own for what is temporary is closed to them.
            command.args(["--exact", name]).current_dir("/").env_remove("TMPDIR").uid(65_534).gid(65_534);
            match command.status() {
                Ok(status) => assert!(status.success()),
                // They may not start it either.
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
            }
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        for (name, mode) in [("lost+found", 0o000), ("names", 0o400), ("open", 0o700)] {
            let below = dir.path().join(name);
            fs::create_dir(&below).unwrap();
            fs::write(below.join("a.xml"), "a").unwrap();
            fs::set_permissions(&below, Permissions::from_mode(mode)).unwrap();
        }
        fs::write(dir.path().join("b.xml"), "b").unwrap();
        let mut walk = Walk::begin(dir.path(), "", 1).unwrap();
        let mut paths: Vec<_> = std::iter::from_fn(|| walk.next().unwrap()).map(|seen| seen.path).collect();
        paths.sort();
        assert_eq!((paths, walk.skipped), (vec!["b.xml".to_owned(), "open/a.xml".to_owned()], 2));
        for name in ["lost+found", "names"] {
            fs::set_permissions(dir.path().join(name), Permissions::from_mode(0o700)).unwrap();
        }
    }
}
