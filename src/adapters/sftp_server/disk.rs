//! Work that waits for the local disk a moment: on tokio's own pool, so that judging a batch never holds up an upload.

use std::io;

/// Runs a short piece of disk work off the async threads.
pub(super) async fn on_disk<T, F>(work: F) -> io::Result<T>
where
    F: FnOnce() -> io::Result<T> + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
