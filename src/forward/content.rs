//! Contents of an item as streams over the staged bytes: one chunk in memory, opened as often as needed.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, unfold};
use jiff::Timestamp;

use crate::blocking::Blocking;
use crate::formats::broker::{self, Delivery, Pieces as ArchivePieces, Unpacker};
use crate::formats::{Coding, Decoder, Encoding, Excerpt, ReadItemError, Span};
use crate::model::{ArchiveContents, ArchiveMember, ByteRange, Reportee};
use crate::ports::{Blob, Content};
use crate::split::Piece;

/// The decoded content of a form or an attachment.
pub(super) fn decoded(blob: &Arc<dyn Blob>, encoding: Encoding, span: &Span, disk: &Blocking) -> Content {
    let (blob, disk, range, coding) = (Arc::clone(blob), disk.clone(), span.content, span.coding);
    Content::new(move || chunks(DecodedReader::new(&blob, encoding, range, coding), disk.clone()))
}

/// Decodes a content small enough to be held whole. Blocks.
pub(super) fn decode_now(blob: &Arc<dyn Blob>, encoding: Encoding, span: &Span) -> Result<Content, ReadItemError> {
    let mut reader = DecodedReader::new(blob, encoding, span.content, span.coding);
    let mut whole = Vec::new();
    while let Some(chunk) = reader.next_chunk()? {
        whole.extend_from_slice(&chunk);
    }
    Ok(Content::from_bytes(whole))
}

/// The pieces of a batch, some at a time; they are cut when they are asked for.
pub(super) type Cuts = Box<dyn Iterator<Item = io::Result<Vec<Piece>>> + Send>;

/// A batch in UTF-8 made of pieces of the staged file, cut anew whenever the stream is opened.
pub(super) fn pieced(
    blob: &Arc<dyn Blob>,
    encoding: Encoding,
    cuts: impl Fn() -> Cuts + Send + Sync + 'static,
    disk: &Blocking,
) -> Content {
    let (blob, disk) = (Arc::clone(blob), disk.clone());
    Content::new(move || chunks(PieceReader::new(&blob, encoding, cuts()), disk.clone()))
}

/// The same, for who reads it on a thread.
pub(super) fn reading(blob: &Arc<dyn Blob>, encoding: Encoding, cuts: Cuts) -> Reading {
    Reading { pieces: PieceReader::new(blob, encoding, cuts), chunk: Bytes::new() }
}

/// A batch being read. Blocks.
pub(super) struct Reading {
    pieces: PieceReader,
    /// What is left of the chunk that was read last.
    chunk: Bytes,
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() {
            self.chunk = self.pieces.next_chunk()?.unwrap_or_default();
        }
        let now = self.chunk.split_to(self.chunk.len().min(into.len()));
        if let Some(place) = into.get_mut(..now.len()) {
            place.copy_from_slice(&now);
        }
        Ok(now.len())
    }
}

/// An archive for one recipient, sent at the given time; it is planned when the stream is opened.
pub(super) fn archived(
    blob: &Arc<dyn Blob>,
    contents: ArchiveContents,
    (to, sent): (Reportee, Timestamp),
    disk: &Blocking,
) -> Content {
    let (blob, disk) = (Arc::clone(blob), disk.clone());
    Content::new(move || {
        let reader = ArchiveReader { blob: Arc::clone(&blob), contents, to: to.clone(), sent, pieces: None };
        chunks(reader, disk.clone())
    })
}

/// The plan of such an archive. Blocks.
pub(super) fn addressed(
    blob: &dyn Blob,
    contents: &ArchiveContents,
    to: &Reportee,
    sent: Timestamp,
) -> Result<Delivery, ReadItemError> {
    let sent = sent.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    broker::for_recipient(blob, contents, to.expose(), Some(&sent))
}

/// A file out of an archive, unpacked as it is read.
pub(super) fn unpacked(blob: &Arc<dyn Blob>, member: ArchiveMember, disk: &Blocking) -> Content {
    let (blob, disk) = (Arc::clone(blob), disk.clone());
    Content::new(move || {
        chunks(UnpackReader { blob: Arc::clone(&blob), unpacker: Unpacker::new(&member) }, disk.clone())
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
    excerpt: Excerpt,
    decoder: Option<Decoder>,
}

impl DecodedReader {
    fn new(blob: &Arc<dyn Blob>, encoding: Encoding, range: ByteRange, coding: Coding) -> Self {
        let decoder = Some(Decoder::new(coding));
        Self { blob: Arc::clone(blob), excerpt: Excerpt::new(range, encoding), decoder }
    }
}

impl ChunkReader for DecodedReader {
    fn next_chunk(&mut self) -> Result<Option<Bytes>, ReadItemError> {
        let Some(mut decoder) = self.decoder.take() else { return Ok(None) };
        let mut out = Vec::new();
        while out.is_empty() {
            let raw = self.excerpt.read(self.blob.as_ref())?;
            if raw.is_empty() {
                decoder.finish()?;
                return Ok(None);
            }
            decoder.push(&raw, &mut out)?;
        }
        self.decoder = Some(decoder);
        Ok(Some(Bytes::from(out)))
    }
}

struct PieceReader {
    blob: Arc<dyn Blob>,
    encoding: Encoding,
    cuts: Cuts,
    /// Pieces that are cut and not read yet.
    left: VecDeque<Piece>,
    /// The piece that is being read.
    excerpt: Option<Excerpt>,
}

impl PieceReader {
    fn new(blob: &Arc<dyn Blob>, encoding: Encoding, cuts: Cuts) -> Self {
        Self { blob: Arc::clone(blob), encoding, cuts, left: VecDeque::new(), excerpt: None }
    }
}

impl ChunkReader for PieceReader {
    fn next_chunk(&mut self) -> Result<Option<Bytes>, ReadItemError> {
        let mut out = Vec::new();
        while out.len() < CHUNK_BYTES {
            if let Some(excerpt) = &mut self.excerpt {
                let text = excerpt.read(self.blob.as_ref())?;
                if text.is_empty() {
                    self.excerpt = None;
                }
                out.extend_from_slice(&text);
                continue;
            }
            match self.left.pop_front() {
                None => match self.cuts.next() {
                    Some(pieces) => self.left.extend(pieces?),
                    None => break,
                },
                Some(Piece::Text(text)) => out.extend_from_slice(&text),
                Some(Piece::Bytes(range)) => self.excerpt = Some(Excerpt::new(range, self.encoding)),
            }
        }
        Ok((!out.is_empty()).then(|| Bytes::from(out)))
    }
}

struct ArchiveReader {
    blob: Arc<dyn Blob>,
    contents: ArchiveContents,
    to: Reportee,
    sent: Timestamp,
    pieces: Option<ArchivePieces>,
}

impl ChunkReader for ArchiveReader {
    fn next_chunk(&mut self) -> Result<Option<Bytes>, ReadItemError> {
        let mut pieces = match self.pieces.take() {
            Some(pieces) => pieces,
            None => addressed(self.blob.as_ref(), &self.contents, &self.to, self.sent)?.pieces(),
        };
        let piece = pieces.read(self.blob.as_ref())?;
        let chunk = (!piece.is_empty()).then(|| Bytes::copy_from_slice(piece));
        self.pieces = Some(pieces);
        Ok(chunk)
    }
}

struct UnpackReader {
    blob: Arc<dyn Blob>,
    unpacker: Unpacker,
}

impl ChunkReader for UnpackReader {
    fn next_chunk(&mut self) -> Result<Option<Bytes>, ReadItemError> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let count = self.unpacker.next(self.blob.as_ref(), &mut chunk)?;
        chunk.truncate(count);
        Ok((count > 0).then(|| Bytes::from(chunk)))
    }
}

/// Bytes of a batch that are sent at once, or a little more.
const CHUNK_BYTES: usize = 64 * 1024;
