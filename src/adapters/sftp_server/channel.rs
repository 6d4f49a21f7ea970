//! One channel: bytes in, replies out, never waiting for the one without taking care of the other.
//!
//! The SSH session hands us bytes through a short queue and stops reading the line while it is full. A reply waits for the
//! client's window; meanwhile more bytes are taken in, up to a limit, since the client's next window adjustment may stand
//! behind them. What a client can make us hold is that limit and one batch of replies.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::bandwidth::Bandwidth;
use super::packets::{Broken, Frames};
use super::replies::Replies;
use super::session::Session;
use super::window::FAR_WINDOW_BYTES;

/// Why a channel ended.
#[derive(Debug, thiserror::Error)]
enum End {
    /// The client said so, or the line was cut.
    #[error("closed")]
    Closed,
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
    /// What came is no SFTP.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The client sends and does not read.
    #[error("replies were not read")]
    Stalled,
}

/// Serves one channel until it ends; what was not closed is a partial then.
pub(super) async fn serve(
    (channel, first): (Channel<Msg>, Option<ChannelMsg>),
    connection: Handle,
    mut session: Session,
    bandwidth: Option<Arc<Bandwidth>>,
    stop: CancellationToken,
) {
    let (reader, writer) = channel.split();
    let mut talk = Talk { reader, writer, frames: Frames::default(), ended: false, bandwidth };
    if let Some(first) = first {
        talk.ended = taken(&mut talk.frames, Some(first)) != Took::Bytes;
    }
    let end = match talk.converse(&mut session, &stop).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    session.leave().await;
    match &end {
        End::Closed => tracing::debug!("session ended"),
        End::Stopping => tracing::debug!("session ended: the server is stopping"),
        End::Broken(_) | End::Stalled => {
            tracing::warn!(%end, "session cut");
            // The connection may be gone already, which is as good.
            let _ = connection.disconnect(Disconnect::ProtocolError, end.to_string(), "en".to_owned()).await;
        }
    }
    talk.close().await;
}

struct Talk {
    reader: ChannelReadHalf,
    writer: ChannelWriteHalf<Msg>,
    frames: Frames,
    ended: bool,
    bandwidth: Option<Arc<Bandwidth>>,
}

enum Never {}

impl Talk {
    async fn converse(&mut self, session: &mut Session, stop: &CancellationToken) -> Result<Never, End> {
        let mut replies = Replies::default();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Stopping),
                took = self.take_in() => took?,
            }
            self.pay(self.frames.len()).await;
            loop {
                let answered = session.answer(&mut self.frames, &mut replies).await;
                // Also when the stream has broken: what came before that is answered.
                if replies.len() > 0 {
                    self.pay(replies.len()).await;
                    self.send(replies.take()).await?;
                }
                if !answered? {
                    break;
                }
            }
        }
    }

    /// Waits until so many bytes are within the partner's share of the line.
    async fn pay(&self, bytes: usize) {
        if let Some(bandwidth) = &self.bandwidth {
            bandwidth.spend(bytes).await;
        }
    }

    /// Waits for bytes and takes all that are there, within bounds.
    async fn take_in(&mut self) -> Result<(), End> {
        if self.ended {
            return Err(End::Closed);
        }
        let first = self.reader.wait().await;
        self.ended = taken(&mut self.frames, first) != Took::Bytes;
        while !self.ended && self.frames.len() < BACKLOG_BYTES {
            match self.reader.wait().now_or_never() {
                Some(message) => self.ended = taken(&mut self.frames, message) != Took::Bytes,
                None => break,
            }
        }
        Ok(())
    }

    /// Sends replies, taking bytes in meanwhile.
    async fn send(&mut self, replies: Bytes) -> Result<(), End> {
        let Self { reader, writer, frames, ended, .. } = self;
        let sending = writer.data_bytes(replies);
        tokio::pin!(sending);
        loop {
            let has_room = !*ended && frames.len() < WAITING_BYTES;
            tokio::select! {
                biased;
                sent = &mut sending => return sent.map_err(|_gone| End::Closed),
                message = reader.wait(), if has_room => match taken(frames, message) {
                    Took::Bytes => {}
                    Took::End => *ended = true,
                    // The window these replies wait for will not come.
                    Took::Gone => return Err(End::Closed),
                },
                // With room left, a client may take its time; the idle time of the connection is the limit then.
                () = tokio::time::sleep(STALL), if !has_room => return Err(End::Stalled),
            }
        }
    }

    /// Says good-bye; nobody may be there to hear it.
    async fn close(self) {
        let farewell = async {
            let _ = self.writer.exit_status(0).await;
            let _ = self.writer.eof().await;
            let _ = self.writer.close().await;
        };
        let _ = timeout(STALL, farewell).await;
    }
}

/// What a message was.
#[derive(Debug, PartialEq, Eq)]
enum Took {
    /// Bytes, or nothing that concerns us.
    Bytes,
    /// The client has no more to say, but listens.
    End,
    /// Nobody is there.
    Gone,
}

fn taken(frames: &mut Frames, message: Option<ChannelMsg>) -> Took {
    match message {
        Some(ChannelMsg::Data { data }) => {
            frames.push(&data);
            Took::Bytes
        }
        Some(ChannelMsg::Eof) => Took::End,
        Some(ChannelMsg::Close) | None => Took::Gone,
        Some(_) => Took::Bytes,
    }
}

/// Bytes taken in and answered at once.
const BACKLOG_BYTES: usize = 512 * 1024;
/// Bytes taken in while replies wait for the client's window: its adjustment may stand behind that much of an upload.
const WAITING_BYTES: usize = FAR_WINDOW_BYTES as usize;
/// How long a client that fills its backlog may leave replies unread.
const STALL: Duration = Duration::from_secs(30);
