//! Channels that are open and do not know yet what for.
//!
//! What comes for a channel waits in a short queue, and while that is full the whole connection stands still: a client that
//! sends its environment first, one request for each variable, must find somebody who reads.

use futures::future::BoxFuture;
use russh::server::Msg;
use russh::{Channel, ChannelMsg};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Serves a channel; the message is the first that came after the client had said what it wants.
type Work = Box<dyn FnOnce(Channel<Msg>, Option<ChannelMsg>) -> BoxFuture<'static, ()> + Send>;

/// A channel's other end: whoever has it can begin its work, and dropping it ends the channel.
pub(super) struct Waiting(oneshot::Sender<Work>);

impl Waiting {
    /// Takes a channel in hand. The future reads what comes, then does the work, and ends with it.
    pub(super) fn new(channel: Channel<Msg>, stop: CancellationToken) -> (Self, impl Future<Output = ()> + Send) {
        let (begin, work) = oneshot::channel();
        (Self(begin), wait(channel, work, stop))
    }

    /// Begins the work; `false` when the channel is gone.
    pub(super) fn begin<F>(self, work: impl FnOnce(Channel<Msg>, Option<ChannelMsg>) -> F + Send + 'static) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.send(Box::new(|channel, first| Box::pin(work(channel, first)))).is_ok()
    }
}

async fn wait(mut channel: Channel<Msg>, mut work: oneshot::Receiver<Work>, stop: CancellationToken) {
    loop {
        let message = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            begun = &mut work => {
                if let Ok(work) = begun {
                    work(channel, None).await;
                }
                return;
            }
            message = channel.wait() => message,
        };
        // The work is told of before anything comes that is for it, so this message is the first of that or is nobody's.
        if let Ok(work) = work.try_recv() {
            return work(channel, message).await;
        }
        if matches!(message, None | Some(ChannelMsg::Close)) {
            return;
        }
    }
}
