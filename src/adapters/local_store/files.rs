//! What takes more than a moment, in pieces: a listing, a file that is read, one that is written.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream, Stream};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::{failure, tree::Walk};
use crate::kill_point::kill_point;
use crate::ports::{FileSeen, StoreError};

/// The files of a walk, read some hundreds at a time: nothing is read before it is asked for.
pub(super) fn pages(walk: Walk) -> impl Stream<Item = io::Result<FileSeen>> + Send + 'static {
    let pages = stream::unfold(Some(walk), |walk| async move {
        let mut walk = walk?;
        let read = tokio::task::spawn_blocking(move || {
            let mut page = Vec::new();
            let mut more = true;
            while page.len() < PAGE && more {
                match walk.next() {
                    Ok(Some(seen)) => page.push(Ok(seen)),
                    Ok(None) => more = false,
                    Err(error) => {
                        page.push(Err(error));
                        more = false;
                    }
                }
            }
            (page, more.then_some(walk))
        });
        Some(read.await.unwrap_or_else(|lost| (vec![Err(io::Error::other(lost))], None)))
    });
    pages.flat_map(stream::iter)
}

/// A file's bytes from an offset; in an error is what it means.
pub(super) fn bytes(file: File, offset: u64) -> BoxStream<'static, io::Result<Bytes>> {
    let pieces = stream::unfold(Some((file, Some(offset))), |open| async move {
        let (mut file, seek) = open?;
        let read = tokio::task::spawn_blocking(move || {
            if let Some(offset) = seek {
                file.seek(SeekFrom::Start(offset))?;
            }
            let mut piece = vec![0; PIECE_BYTES];
            let count = file.read(&mut piece)?;
            piece.truncate(count);
            Ok((Bytes::from(piece), file))
        });
        match read.await.map_err(io::Error::other).flatten() {
            Ok((piece, _)) if piece.is_empty() => None,
            Ok((piece, file)) => Some((Ok(piece), Some((file, None)))),
            Err(error) => Some((Err(io::Error::new(error.kind(), failure(error))), None)),
        }
    });
    pieces.boxed()
}

/// Writes from an offset, and brings it to disk.
pub(super) async fn write(
    file: File,
    offset: u64,
    mut bytes: BoxStream<'static, io::Result<Bytes>>,
) -> Result<u64, StoreError> {
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(offset)).await.map_err(failure)?;
    let mut size_bytes = offset;
    while let Some(piece) = bytes.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                // What came before stays.
                file.flush().await.map_err(failure)?;
                return Err(StoreError::Unreadable(error));
            }
        };
        file.write_all(&piece).await.map_err(failure)?;
        size_bytes = size_bytes.saturating_add(piece.len() as u64);
        kill_point("store.write.piece");
    }
    file.flush().await.map_err(failure)?;
    file.sync_all().await.map_err(failure)?;
    kill_point("store.write.synced");
    Ok(size_bytes)
}

/// Files listed at once.
const PAGE: usize = 512;

/// Bytes read at once.
const PIECE_BYTES: usize = 256 * 1024;
