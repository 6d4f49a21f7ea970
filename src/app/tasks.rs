//! The gateway's tasks: each lives as long as the gateway, and a death is noticed.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The parts of a gateway that run.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    running: TaskTracker,
    stop: CancellationToken,
    lost: CancellationToken,
}

impl Tasks {
    /// What tells all of them to end.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts one, which ends when it is told to. Whatever ends before, or dies, is missed without a word by everybody who
    /// waits for its work: that is noticed here.
    pub(crate) fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let (stop, lost) = (self.stop.clone(), self.lost.clone());
        self.running.spawn(async move {
            let died = AssertUnwindSafe(task).catch_unwind().await.is_err();
            if died || !stop.is_cancelled() {
                tracing::error!(task = name, died, "a part of the gateway has ended");
                lost.cancel();
            }
        });
    }

    /// Waits until one of them has ended by itself.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Tells all of them to end, and waits until they have.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        self.running.close();
        self.running.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;

    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_or_dies_before_it_is_told_to_is_noticed() {
        let tasks = Tasks::default();
        let stop = tasks.stop();
        tasks.spawn("stays", async move { stop.cancelled().await });
        tokio::task::yield_now().await;
        assert!(tasks.lost().now_or_never().is_none());
        tasks.end().await;
        assert!(tasks.lost().now_or_never().is_none(), "it was told to");

        let tasks = Tasks::default();
        tasks.spawn("ends", async {});
        tasks.lost().await;

        let tasks = Tasks::default();
        tasks.spawn("dies", async { resume_unwind(Box::new("on purpose")) });
        tasks.lost().await;
        tasks.end().await;
    }
}
