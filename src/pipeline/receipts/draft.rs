//! A file being rendered: a little of it in memory, the rest in scratch.

use std::io;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use crate::blocking::Lost;
use crate::model::{BlobId, ByteRange, ScratchId};
use crate::pipeline::{House, StepError};
use crate::ports::{Blob, Scratch};
use crate::split::Piece;

/// A file being rendered, from scratch to blob.
pub(super) struct Draft {
    scratch: ScratchId,
    pen: Option<Pen>,
}

/// The writing end of a draft. Blocks.
pub(super) struct Pen {
    file: Arc<dyn Scratch>,
    written: u64,
    hash: Context,
    /// What is held; receipts are rendered into it.
    pub(super) out: Vec<u8>,
}

impl Draft {
    /// Begins an empty one.
    pub(super) async fn begin(house: &House) -> Result<Self, StepError> {
        let scratch = house.blobs.create().await?;
        let file = house.blobs.scratch(scratch).await?;
        Ok(Self { scratch, pen: Some(Pen { file, written: 0, hash: Context::new(&SHA256), out: Vec::new() }) })
    }

    /// Writes a part of it on a blocking thread.
    pub(super) async fn write<T: Send + 'static>(
        &mut self,
        house: &House,
        part: impl FnOnce(&mut Pen) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StepError> {
        let mut pen = self.pen.take().ok_or(Lost)?;
        let (pen, written) = house
            .disk
            .run(move || {
                let written = part(&mut pen);
                (pen, written)
            })
            .await?;
        self.pen = Some(pen);
        Ok(written?)
    }

    /// Makes it a blob; returns its size in bytes and its SHA-256.
    pub(super) async fn seal(&mut self, house: &House, blob: BlobId) -> Result<(u64, [u8; 32]), StepError> {
        let sealed = self.write(house, |pen| Ok((pen.flush()?, pen.sha256()))).await?;
        house.blobs.seal(self.scratch, blob).await?;
        Ok(sealed)
    }

    /// Gives its room on the disk back.
    pub(super) async fn abandon(self, house: &House) {
        if let Err(error) = house.blobs.discard(self.scratch).await {
            tracing::warn!(%error, scratch = %self.scratch, "a scratch file is left until the next start");
        }
    }
}

impl Pen {
    /// Writes out what is held when it has become much.
    pub(super) fn turn(&mut self) -> io::Result<()> {
        if self.out.len() < PAGE_BYTES { Ok(()) } else { self.flush().map(|_| ()) }
    }

    /// Copies pieces of the staged file.
    pub(super) fn copy(&mut self, blob: &dyn Blob, pieces: Vec<Piece>) -> io::Result<()> {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.out.extend_from_slice(&text),
                Piece::Bytes(mut range) => {
                    while !range.is_empty() {
                        self.read_on(blob, &mut range)?;
                        self.turn()?;
                    }
                }
            }
        }
        self.turn()
    }

    /// Appends the front of a range to what is held, and shortens the range by it.
    fn read_on(&mut self, blob: &dyn Blob, range: &mut ByteRange) -> io::Result<()> {
        let (begin, want) = (self.out.len(), usize::try_from(range.len()).unwrap_or(PAGE_BYTES).min(PAGE_BYTES));
        self.out.resize(begin + want, 0);
        let read = blob.read_at(range.start, self.out.get_mut(begin..).unwrap_or_default())?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.out.truncate(begin + read);
        range.start += read as u64;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<u64> {
        self.file.write_at(self.written, &self.out)?;
        self.hash.update(&self.out);
        self.written += self.out.len() as u64;
        self.out.clear();
        Ok(self.written)
    }

    /// Of what is written out.
    fn sha256(&self) -> [u8; 32] {
        let mut sha256 = [0; 32];
        sha256.iter_mut().zip(self.hash.clone().finish().as_ref()).for_each(|(to, from)| *to = *from);
        sha256
    }
}

/// Bytes of a rendering held before they are written out.
const PAGE_BYTES: usize = 64 * 1024;
