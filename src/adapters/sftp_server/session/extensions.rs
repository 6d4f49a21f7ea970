//! Extended requests of a session.

use bytes::Bytes;
use russh_sftp::protocol::Extended;

use super::super::checks::{self, Check};
use super::super::extended::{self, Fields, MAX_DATA_BYTES};
use super::super::handles::Source;
use super::super::packets::Write;
use super::super::tree::Target;
use super::super::{disk::on_disk, failure::Failure, names, replies::Replies, rights};
use super::Session;
use crate::model::NodeState;

impl Session {
    /// Answers an extended request.
    pub(super) async fn extended(&mut self, request: Extended, replies: &mut Replies) -> Result<(), Failure> {
        let (id, mut fields) = (request.id, Fields::new(request.data));
        match request.request.as_str() {
            extended::POSIX_RENAME => {
                let (from, to) = (fields.path()?, fields.path()?);
                names::rename(&self.premises, &self.tree, &mut self.recent, (&from, &to), true).await?;
                replies.ok(id);
            }
            extended::FSYNC => {
                self.upload(&fields.bytes()?)?.sync().await?;
                replies.ok(id);
            }
            extended::COPY_DATA => {
                self.copy(fields).await?;
                replies.ok(id);
            }
            extended::LIMITS => replies.extended(id, extended::limits(self.max_handles)?),
            extended::STATVFS => replies.extended(id, extended::room(&self.premises, &self.tree).await?),
            extended::CHECK_FILE | extended::CHECK_HANDLE => {
                let source = self.source(&fields.bytes()?)?;
                replies.extended(id, checked(source, Check::read(&mut fields)?).await?);
            }
            extended::CHECK_NAME => {
                let path = fields.path()?;
                let check = Check::read(&mut fields)?;
                let source = self.named(&path, check.is_of_all()).await?;
                replies.extended(id, checked(source, check).await?);
            }
            extended::HARDLINK => return Err(Failure::Unsupported("a link")),
            _ => return Err(Failure::Unsupported("this request")),
        }
        Ok(())
    }

    /// The bytes of a file whose hash may be told. Of one that is claimed its sender may ask for the hash of all, to check
    /// what we have; hashes of its parts would give it back byte by byte.
    async fn named(&self, path: &str, of_all: bool) -> Result<Source, Failure> {
        let Target::File(directory, path) = self.tree.resolve(path)? else {
            return Err(Failure::Refused("this is a directory".to_owned()));
        };
        let node = self.premises.area.stat(&self.tree.partner, &path).await?.ok_or(Failure::NoSuchFile)?;
        if node.state == NodeState::Claimed && of_all {
            rights::own(&self.tree, &node)?;
        } else {
            rights::read(&self.tree, directory, &node)?;
        }
        let source = match (node.blob, node.scratch) {
            (Some(blob), _) => self.premises.blob(blob).await?.map(Source::Blob),
            (None, Some(scratch)) => self.premises.arrived(scratch).await?,
            (None, None) => None,
        };
        source.ok_or(Failure::NoSuchFile)
    }

    /// Copies between two open handles, under the same limits as writes that come over the line.
    async fn copy(&mut self, mut fields: Fields) -> Result<(), Failure> {
        let (from, mut read_at, length) = (fields.bytes()?, fields.u64()?, fields.u64()?);
        let (to, mut write_at) = (fields.bytes()?, fields.u64()?);
        if from == to {
            return Err(Failure::Refused("a file is not copied onto itself".to_owned()));
        }
        let source = self.source(&from)?;
        let mut left = if length == 0 { u64::MAX } else { length };
        while left > 0 {
            let wanted = left.min(u64::from(MAX_DATA_BYTES)) as usize;
            let chunk = chunk(source.clone(), read_at, wanted).await?;
            let copied = chunk.len() as u64;
            if copied == 0 {
                let all = "the file ends before the bytes that were to be copied";
                return if length == 0 { Ok(()) } else { Err(Failure::Refused(all.to_owned())) };
            }
            let write = Write { id: 0, handle: to.clone(), offset: write_at, data: chunk };
            for (_id, outcome) in self.upload(&to)?.write(vec![write]).await {
                outcome?;
            }
            (read_at, write_at, left) =
                (read_at.saturating_add(copied), write_at.saturating_add(copied), left.saturating_sub(copied));
        }
        Ok(())
    }
}

/// The answer to a request for hashes.
async fn checked(source: Source, check: Check) -> Result<Vec<u8>, Failure> {
    let hashes = on_disk(move || checks::hashes(&source, &check)).await?.ok_or_else(checks::too_many)?;
    Ok(checks::answer(&hashes))
}

async fn chunk(source: Source, offset: u64, length: usize) -> Result<Bytes, Failure> {
    let read = on_disk(move || {
        let mut chunk = vec![0; length];
        let count = source.read_at(offset, &mut chunk)?;
        chunk.truncate(count);
        Ok(Bytes::from(chunk))
    });
    Ok(read.await?)
}
