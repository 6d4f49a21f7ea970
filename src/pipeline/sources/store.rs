//! A store whose every call has an end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;

use crate::ports::{FileSeen, FileStore, StoreError};

/// Another store, without its patience.
pub(super) struct Punctual {
    inner: Arc<dyn FileStore>,
    timeout: Duration,
}

impl Punctual {
    pub(super) fn new(inner: Arc<dyn FileStore>, timeout: Duration) -> Self {
        Self { inner, timeout }
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        tokio::time::timeout(self.timeout, call).await.unwrap_or(Err(StoreError::Silent(self.timeout)))
    }
}

#[async_trait]
impl FileStore for Punctual {
    async fn list(
        &self,
        dir: &str,
        depth: u32,
    ) -> Result<BoxStream<'static, Result<FileSeen, StoreError>>, StoreError> {
        let files = self.in_time(self.inner.list(dir, depth)).await?;
        Ok(punctual(files, self.timeout, StoreError::Silent))
    }

    async fn stat(&self, path: &str) -> Result<Option<FileSeen>, StoreError> {
        self.in_time(self.inner.stat(path)).await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.in_time(self.inner.now()).await
    }

    async fn read(&self, path: &str, offset: u64) -> Result<BoxStream<'static, io::Result<Bytes>>, StoreError> {
        let bytes = self.in_time(self.inner.read(path, offset)).await?;
        let late = |timeout| io::Error::new(io::ErrorKind::TimedOut, StoreError::Silent(timeout));
        Ok(punctual(bytes, self.timeout, late))
    }

    /// Receipts are small beside a timeout: all of one is written within it.
    async fn write(
        &self,
        path: &str,
        offset: u64,
        bytes: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<u64, StoreError> {
        let timeout = self.timeout.saturating_mul(WRITE_TIMEOUTS);
        let written = tokio::time::timeout(timeout, self.inner.write(path, offset, bytes)).await;
        written.unwrap_or(Err(StoreError::Silent(timeout)))
    }

    async fn rename(&self, from: &str, to: &str, replace: bool) -> Result<(), StoreError> {
        self.in_time(self.inner.rename(from, to, replace)).await
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.in_time(self.inner.remove(path)).await
    }

    async fn make_dir(&self, path: &str) -> Result<(), StoreError> {
        self.in_time(self.inner.make_dir(path)).await
    }
}

/// The same stream, which ends with an error when nothing comes for too long.
fn punctual<T: Send + 'static, E: Send + 'static>(
    inner: BoxStream<'static, Result<T, E>>,
    timeout: Duration,
    late: fn(Duration) -> E,
) -> BoxStream<'static, Result<T, E>> {
    let next = move |inner: Option<BoxStream<'static, Result<T, E>>>| async move {
        let mut inner = inner?;
        match tokio::time::timeout(timeout, inner.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(value))) => Some((Ok(value), Some(inner))),
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Err(_elapsed) => Some((Err(late(timeout)), None)),
        }
    };
    stream::unfold(Some(inner), next).boxed()
}

/// A receipt of a large shipment has some megabytes.
const WRITE_TIMEOUTS: u32 = 10;
