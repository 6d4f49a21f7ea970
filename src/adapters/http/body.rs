//! Request bodies: small ones are sent whole, long ones are streamed and watched.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use reqwest::Body;

/// A body to send.
pub(in crate::adapters) struct Outgoing {
    body: Body,
    watch: Arc<Watch>,
}

/// What a body's stream did while it was being sent.
#[derive(Default)]
pub(super) struct Watch {
    chunks: AtomicU64,
    fault: Mutex<Option<io::Error>>,
}

impl Outgoing {
    /// No body.
    pub(in crate::adapters) fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    /// A body in memory.
    pub(in crate::adapters) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { body: Body::from(bytes.into()), watch: Arc::default() }
    }

    /// Reads ahead a little: a body that ends there is sent whole, with its length, in one write. A longer one is
    /// streamed, and what fails in it later is found out by the sender.
    pub(in crate::adapters) async fn gather(mut content: BoxStream<'static, io::Result<Bytes>>) -> io::Result<Self> {
        let mut ahead = Vec::new();
        let mut held = 0;
        while held <= HELD_BYTES {
            match content.next().await {
                Some(chunk) => {
                    let chunk = chunk?;
                    held += chunk.len();
                    ahead.push(chunk);
                }
                None => return Ok(Self::whole(ahead.concat())),
            }
        }
        let watch = Arc::new(Watch::default());
        let watching = watch.clone();
        let rest = stream::iter(ahead).map(Ok).chain(content).map(move |chunk| watching.pass(chunk));
        Ok(Self { body: Body::wrap_stream(rest), watch })
    }

    pub(super) fn into_parts(self) -> (Body, Arc<Watch>) {
        (self.body, self.watch)
    }
}

impl Watch {
    /// Chunks handed to the connection so far.
    pub(super) fn moved(&self) -> u64 {
        self.chunks.load(Ordering::Relaxed)
    }

    /// The content's own failure, if it had one.
    pub(super) fn fault(&self) -> Option<io::Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn pass(&self, chunk: io::Result<Bytes>) -> Result<Bytes, BrokenOff> {
        self.chunks.fetch_add(1, Ordering::Relaxed);
        chunk.map_err(|error| {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            BrokenOff
        })
    }
}

/// What the connection is told; the real error goes to the watch.
#[derive(Debug, thiserror::Error)]
#[error("the content broke off")]
struct BrokenOff;

/// Bodies up to this size are sent whole; few items are larger.
const HELD_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(sizes: &[usize]) -> BoxStream<'static, io::Result<Bytes>> {
        let chunks: Vec<_> = sizes.iter().map(|size| Ok(Bytes::from(vec![b'x'; *size]))).collect();
        stream::iter(chunks).boxed()
    }

    #[tokio::test]
    async fn small_bodies_are_whole_and_long_ones_streamed() {
        let small = Outgoing::gather(chunks(&[10, 20])).await.unwrap();
        assert_eq!(small.into_parts().0.as_bytes().map(<[u8]>::len), Some(30));
        let long = Outgoing::gather(chunks(&[HELD_BYTES, 10])).await.unwrap();
        assert!(long.into_parts().0.as_bytes().is_none());
    }

    #[tokio::test]
    async fn content_that_fails_early_is_never_sent() {
        let failing = stream::iter([Ok(Bytes::from_static(b"a")), Err(io::Error::other("gone"))]).boxed();
        assert!(Outgoing::gather(failing).await.is_err());
    }
}
