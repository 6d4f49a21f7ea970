//! Contents of an item as streams over the staged bytes: one chunk in memory, opened as often as needed.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, unfold};

use crate::blocking::Blocking;
use crate::formats::{Coding, Decoder, ReadItemError};
use crate::model::ByteRange;
use crate::ports::{Blob, Content};
use crate::split::Piece;

/// The decoded content of a form or an attachment.
pub(super) fn decoded(blob: &Arc<dyn Blob>, range: ByteRange, coding: Coding, disk: &Blocking) -> Content {
    let (blob, disk) = (Arc::clone(blob), disk.clone());
    Content::new(move || {
        let reader = DecodedReader { blob: Arc::clone(&blob), range, decoder: Some(Decoder::new(coding)) };
        chunks(reader, disk.clone())
    })
}

/// Decodes a content small enough to be held whole. Blocks.
pub(super) fn decode_now(blob: &Arc<dyn Blob>, range: ByteRange, coding: Coding) -> Result<Content, ReadItemError> {
    let mut reader = DecodedReader { blob: Arc::clone(blob), range, decoder: Some(Decoder::new(coding)) };
    let mut whole = Vec::new();
    while let Some(chunk) = reader.next_chunk()? {
        whole.extend_from_slice(&chunk);
    }
    Ok(Content::from_bytes(whole))
}

/// A batch made of pieces of the staged file; the pieces are asked for when the stream is opened.
pub(super) fn pieced(
    blob: &Arc<dyn Blob>,
    pieces: impl Fn() -> io::Result<Vec<Piece>> + Clone + Send + Sync + 'static,
    disk: &Blocking,
) -> Content {
    let (blob, disk) = (Arc::clone(blob), disk.clone());
    Content::new(move || {
        let reader = PieceReader { blob: Arc::clone(&blob), pieces: Pieces::Asked(Box::new(pieces.clone())) };
        chunks(reader, disk.clone())
    })
}

/// Reads bytes chunk by chunk. Blocks.
trait ChunkReader: Send + 'static {
    fn next_chunk(&mut self) -> Result<Option<Bytes>, ReadItemError>;
}

fn chunks(reader: impl ChunkReader, disk: Blocking) -> BoxStream<'static, io::Result<Bytes>> {
    unfold(Some((reader, disk)), |state| async {
        let (mut reader, disk) = state?;
        let read = disk.run(move || {
            let chunk = reader.next_chunk();
            (reader, chunk)
        });
        match read.await {
            Ok((reader, Ok(Some(chunk)))) => Some((Ok(chunk), Some((reader, disk)))),
            Ok((_, Ok(None))) => None,
            Ok((_, Err(error))) => Some((Err(error.into()), None)),
            Err(lost) => Some((Err(io::Error::other(lost)), None)),
        }
    })
    .boxed()
}

struct DecodedReader {
    blob: Arc<dyn Blob>,
    range: ByteRange,
    decoder: Option<Decoder>,
}

impl ChunkReader for DecodedReader {
    fn next_chunk(&mut self) -> Result<Option<Bytes>, ReadItemError> {
        let Some(mut decoder) = self.decoder.take() else { return Ok(None) };
        let mut out = Vec::new();
        while out.is_empty() {
            if self.range.is_empty() {
                decoder.finish()?;
                return Ok(None);
            }
            let raw = read_some(self.blob.as_ref(), &mut self.range)?;
            decoder.push(&raw, &mut out)?;
        }
        self.decoder = Some(decoder);
        Ok(Some(Bytes::from(out)))
    }
}

struct PieceReader {
    blob: Arc<dyn Blob>,
    pieces: Pieces,
}

enum Pieces {
    Asked(Box<dyn Fn() -> io::Result<Vec<Piece>> + Send + Sync>),
    Left(VecDeque<Piece>),
}

impl ChunkReader for PieceReader {
    fn next_chunk(&mut self) -> Result<Option<Bytes>, ReadItemError> {
        if let Pieces::Asked(ask) = &self.pieces {
            self.pieces = Pieces::Left(ask()?.into());
        }
        let Pieces::Left(left) = &mut self.pieces else { return Ok(None) };
        let mut out = Vec::new();
        while out.len() < CHUNK_BYTES {
            match left.pop_front() {
                None => break,
                Some(Piece::Text(text)) => out.extend_from_slice(text.as_bytes()),
                Some(Piece::Bytes(mut range)) => {
                    out.extend_from_slice(&read_some(self.blob.as_ref(), &mut range)?);
                    if !range.is_empty() {
                        left.push_front(Piece::Bytes(range));
                    }
                }
            }
        }
        Ok((!out.is_empty()).then(|| Bytes::from(out)))
    }
}

/// Reads the front of a range, and shortens the range by what was read.
fn read_some(blob: &dyn Blob, range: &mut ByteRange) -> io::Result<Vec<u8>> {
    let want = usize::try_from(range.len()).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
    let mut raw = vec![0; want];
    let read = blob.read_at(range.start, &mut raw)?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    raw.truncate(read);
    range.start += read as u64;
    Ok(raw)
}

/// Bytes read from the staged file at once.
const CHUNK_BYTES: usize = 64 * 1024;
