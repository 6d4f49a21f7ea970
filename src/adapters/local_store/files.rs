//! What takes more than a moment, in pieces: a listing, a file that is read, one that is written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream, Stream};

use super::{failure, tree::Walk};
use crate::blocking::Blocking;
use crate::kill_point::kill_point;
use crate::ports::{FileSeen, StoreError};

/// Does what may take its time on one of a directory's threads.
pub(super) async fn through<T: Send + 'static>(
    door: &Blocking,
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    door.run(job).await.map_err(io::Error::other).flatten()
}

/// The files of a walk, read some hundreds at a time: nothing is read before it is asked for.
pub(super) fn pages(walk: Walk, door: Blocking) -> impl Stream<Item = io::Result<FileSeen>> + Send + 'static {
    let pages = stream::unfold(Some((walk, door)), |open| async move {
        let (mut walk, door) = open?;
        let read = door.run(move || {
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
        let (page, walk) = read.await.unwrap_or_else(|lost| (vec![Err(io::Error::other(lost))], None));
        Some((page, walk.map(|walk| (walk, door))))
    });
    pages.flat_map(stream::iter)
}

/// A file's bytes from an offset; in an error is what it means.
pub(super) fn bytes(file: File, offset: u64, door: Blocking) -> BoxStream<'static, io::Result<Bytes>> {
    let pieces = stream::unfold(Some((file, offset, door)), |open| async move {
        let (file, at, door) = open?;
        let read = through(&door, move || {
            let mut piece = vec![0; PIECE_BYTES];
            let count = file.read_at(&mut piece, at)?;
            piece.truncate(count);
            Ok((Bytes::from(piece), file))
        });
        match read.await {
            Ok((piece, _)) if piece.is_empty() => None,
            Ok((piece, file)) => {
                let next = at.saturating_add(piece.len() as u64);
                Some((Ok(piece), Some((file, next, door))))
            }
            Err(error) => Some((Err(io::Error::new(error.kind(), failure(error))), None)),
        }
    });
    pieces.boxed()
}

/// Writes from an offset, and brings it to disk.
pub(super) async fn write(
    mut file: File,
    offset: u64,
    mut bytes: BoxStream<'static, io::Result<Bytes>>,
    door: &Blocking,
) -> Result<u64, StoreError> {
    let mut size_bytes = offset;
    while let Some(piece) = bytes.next().await {
        // What came before stays.
        let piece = piece.map_err(StoreError::Unreadable)?;
        let (at, length) = (size_bytes, piece.len() as u64);
        file = through(door, move || file.write_all_at(&piece, at).map(|()| file)).await.map_err(failure)?;
        size_bytes = size_bytes.saturating_add(length);
        kill_point("store.write.piece");
    }
    through(door, move || file.sync_all()).await.map_err(failure)?;
    kill_point("store.write.synced");
    Ok(size_bytes)
}

/// Files listed at once.
const PAGE: usize = 512;

/// Bytes read at once.
const PIECE_BYTES: usize = 256 * 1024;
