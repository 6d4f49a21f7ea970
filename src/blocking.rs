//! The one door to the blocking side: CPU work and disk reads, one permit per core.
//!
//! Work that waits only for the disk for a moment (an open, an fsync) may use tokio's own pool; what reads a whole batch comes through here.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tracing::Span;

/// The job was lost: it panicked, or the runtime is going down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("blocking work was lost before it ended")]
pub struct Lost;

/// A bounded door to threads that may block.
#[derive(Debug, Clone)]
pub struct Blocking {
    permits: Arc<Semaphore>,
}

impl Blocking {
    /// Lets so many jobs run at once, at least one.
    pub fn new(permits: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(permits.max(1))) }
    }

    /// Lets one job run per core.
    pub fn per_core() -> Self {
        Self::new(available_parallelism().map_or(1, usize::from))
    }

    /// Runs the job on a blocking thread as soon as a permit is free.
    pub async fn run<T, F>(&self, job: F) -> Result<T, Lost>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_closed| Lost)?;
        let span = Span::current();
        let work = tokio::task::spawn_blocking(move || {
            // Held here, not by the caller: dropping the future does not stop the thread,
            // and a permit freed early would let a second batch share its core.
            let _permit = permit;
            span.in_scope(job)
        });
        work.await.map_err(|_panicked_or_cancelled| Lost)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn no_more_jobs_run_at_once_than_there_are_permits() {
        let door = Blocking::new(2);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs = (0..32).map(|_| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            door.run(move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
            })
        });
        for done in futures::future::join_all(jobs).await {
            done.unwrap();
        }
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    }

    #[tokio::test]
    async fn a_dropped_caller_does_not_free_the_permit() {
        let door = Blocking::new(1);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (began, beginning) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let door = door.clone();
            async move {
                door.run(move || {
                    let _ = began.send(());
                    wait.recv()
                })
                .await
            }
        });
        beginning.await.unwrap();
        first.abort();
        let _ = first.await;
        assert_eq!(door.permits.available_permits(), 0);
        go.send(()).unwrap();
        door.run(|| ()).await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_lost_and_gives_its_permit_back() {
        let door = Blocking::new(1);
        assert_eq!(door.run(|| panic!("on purpose")).await, Err::<(), _>(Lost));
        assert_eq!(door.run(|| 7).await, Ok(7));
    }
}
