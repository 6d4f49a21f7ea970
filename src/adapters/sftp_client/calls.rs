//! Single requests, and what each status means.

use bytes::{Buf as _, BufMut as _, Bytes};

use super::packets::{self, Attributes, Kind, Names, Reply};
use super::session::{Lease, Session};
use crate::adapters::sftp_server::packets::string;
use crate::model::spelling::bytes as raw;
use crate::ports::{FileSeen, StoreError};

/// What a status other than OK means. Texts are not looked at.
///
/// | status | meaning |
/// |---|---|
/// | 2 no such file, 10 no such path | not found |
/// | 3 permission denied, 12 write protect | denied |
/// | 6, 7 no connection | out of reach |
/// | 11 file already exists | exists |
/// | 14 no space, 15 quota exceeded | full |
/// | 1 end of file, where there is none | nonsense |
/// | any other | failed |
pub(super) fn failure(status: u32) -> StoreError {
    match status {
        packets::END_OF_FILE => StoreError::Nonsense("an end of file where none can be"),
        2 | 10 => StoreError::NotFound,
        3 | 12 => StoreError::Denied,
        6 | 7 => StoreError::Unreachable("the server has lost what lies behind it".to_owned()),
        11 => StoreError::Exists,
        14 | 15 => StoreError::Full,
        _ => StoreError::Failed(status),
    }
}

/// A reply that can only be a status.
pub(super) fn done(reply: Reply) -> Result<(), StoreError> {
    if matches!(reply, Reply::Status(packets::OK)) { Ok(()) } else { Err(unexpected(&reply)) }
}

/// What it means that a reply is not the one hoped for.
pub(super) fn unexpected(reply: &Reply) -> StoreError {
    if let Reply::Status(status) = reply
        && *status != packets::OK
    {
        return failure(*status);
    }
    StoreError::Nonsense("a reply of another kind than was asked for")
}

/// `None` where nothing of the name is there.
fn found<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Session {
    /// What a name stands for, links not followed; `None` where it is free.
    pub(super) async fn lstat(&self, path: &str) -> Result<Option<Attributes>, StoreError> {
        found(attributes(self.ask(packets::LSTAT, &raw(path)).await?))
    }

    /// The same with links followed.
    pub(super) async fn stat(&self, path: &str) -> Result<Option<Attributes>, StoreError> {
        found(attributes(self.ask(packets::STAT, &raw(path)).await?))
    }

    /// Renames as version 3 does.
    pub(super) async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let fill = |packet: &mut bytes::BytesMut| {
            packets::put_string(packet, &raw(from));
            packets::put_string(packet, &raw(to));
        };
        done(self.send(packets::RENAME, from.len() + to.len(), fill).reply().await?)
    }

    /// Renames over what is there, in one step.
    pub(super) async fn posix_rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        done(self.extended("posix-rename@openssh.com", &[&raw(from), &raw(to)]).await?)
    }

    /// Removes a file.
    pub(super) async fn remove(&self, path: &str) -> Result<(), StoreError> {
        done(self.ask(packets::REMOVE, &raw(path)).await?)
    }

    /// Makes one directory.
    pub(super) async fn make_dir(&self, path: &str) -> Result<(), StoreError> {
        let fill = |packet: &mut bytes::BytesMut| {
            packets::put_string(packet, &raw(path));
            packet.put_u32(0);
        };
        done(self.send(packets::MKDIR, path.len(), fill).reply().await?)
    }

    /// SHA-256 of bytes of a file as the server has them; `None` where it does not tell.
    pub(super) async fn hash(&self, path: &str, start: u64, length: u64) -> Result<Option<Bytes>, StoreError> {
        let fill = |packet: &mut bytes::BytesMut| {
            packets::put_string(packet, b"check-file-name");
            packets::put_string(packet, &raw(path));
            packets::put_string(packet, HASH);
            packet.put_u64(start);
            packet.put_u64(length);
            packet.put_u32(0);
        };
        let reply = self.send(packets::EXTENDED, path.len() + 64, fill).reply().await?;
        // A hash that cannot be had proves nothing, either way.
        let Reply::Extended(mut rest) = reply else { return Ok(None) };
        let mut word = || string(&mut rest);
        let told = word().is_some_and(|what| &*what == b"check-file") && word().is_some_and(|kind| &*kind == HASH);
        Ok(Some(rest).filter(|hash| told && hash.len() == HASH_BYTES))
    }

    /// Tells whether the disk where something lies has no room left; `false` where the server does not tell.
    pub(super) async fn is_full(&self, path: &str) -> bool {
        if !self.offers.statvfs {
            return false;
        }
        // Only a hint at the reason of a failure that is told anyway.
        let Ok(Reply::Extended(mut rest)) = self.extended("statvfs@openssh.com", &[&raw(path)]).await else {
            return false;
        };
        let mut number = || rest.try_get_u64().unwrap_or(u64::MAX);
        let (_size, fragment, _blocks, _free, available) = (number(), number(), number(), number(), number());
        available.saturating_mul(fragment) < ROOM_BYTES
    }
}

fn attributes(reply: Reply) -> Result<Attributes, StoreError> {
    if let Reply::Attributes(found) = reply { Ok(found) } else { Err(unexpected(&reply)) }
}

/// A file as the port has it; an error where the server does not tell what one must know.
pub(super) fn seen(path: &str, found: Attributes) -> Result<Option<FileSeen>, StoreError> {
    if matches!(found.kind(), Some(Kind::Directory | Kind::Other)) {
        return Ok(None);
    }
    let size_bytes = found.size_bytes.ok_or(StoreError::Nonsense("a file without a size"))?;
    let modified = found.modified().ok_or(StoreError::Nonsense("a file without a time"))?;
    Ok(Some(FileSeen { path: path.to_owned(), size_bytes, modified }))
}

/// The next page of an open directory; `None` at its end.
pub(super) async fn page(open: &Open) -> Result<Option<Names>, StoreError> {
    let reply = open.session.ask(packets::READDIR, &open.handle).await?;
    if matches!(reply, Reply::Status(packets::END_OF_FILE)) {
        return Ok(None);
    }
    if let Reply::Names(page) = reply { Ok(Some(page)) } else { Err(unexpected(&reply)) }
}

/// An open file or directory; it is closed when dropped, without waiting.
pub(super) struct Open {
    pub(super) session: Lease,
    pub(super) handle: Bytes,
    closed: bool,
}

impl Open {
    /// Opens a file.
    pub(super) async fn file(session: Lease, path: &str, flags: u32) -> Result<Self, StoreError> {
        let fill = |packet: &mut bytes::BytesMut| {
            packets::put_string(packet, &raw(path));
            packet.put_u32(flags);
            packet.put_u32(0);
        };
        let reply = session.send(packets::OPEN, path.len(), fill).reply().await?;
        Self::of(session, reply)
    }

    /// Opens a directory.
    pub(super) async fn dir(session: Lease, path: &str) -> Result<Self, StoreError> {
        let reply = session.ask(packets::OPENDIR, &raw(path)).await?;
        Self::of(session, reply)
    }

    fn of(session: Lease, reply: Reply) -> Result<Self, StoreError> {
        let Reply::Handle(handle) = reply else { return Err(unexpected(&reply)) };
        Ok(Self { session, handle, closed: false })
    }

    /// What is known of the open file.
    pub(super) async fn attributes(&self) -> Result<Attributes, StoreError> {
        attributes(self.session.ask(packets::FSTAT, &self.handle).await?)
    }

    /// Cuts the open file.
    pub(super) async fn cut(&self, size_bytes: u64) -> Result<(), StoreError> {
        let fill = |packet: &mut bytes::BytesMut| {
            packets::put_string(packet, &self.handle);
            packet.put_u32(packets::SIZE);
            packet.put_u64(size_bytes);
        };
        done(self.session.send(packets::FSETSTAT, 64, fill).reply().await?)
    }

    /// Closes it and waits for the server's word.
    pub(super) async fn close(mut self) -> Result<(), StoreError> {
        self.closed = true;
        done(self.session.ask(packets::CLOSE, &self.handle).await?)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.closed {
            let handle = std::mem::take(&mut self.handle);
            drop(self.session.send(packets::CLOSE, handle.len(), |packet| packets::put_string(packet, &handle)));
        }
    }
}

/// The hash that is asked for.
const HASH: &[u8] = b"sha256";
const HASH_BYTES: usize = 32;
/// Less room than this is none.
const ROOM_BYTES: u64 = 64 * 1024;
