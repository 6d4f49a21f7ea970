//! One SFTP session: requests out, replies in, by two tasks that end with it.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect};
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::connecting::{self, Line};
use super::packets::{self, Reply};
use super::peer::Peer;
use super::setback::{Setback, within};
use super::wire::{Waiting, Wire};
use crate::adapters::sftp_server::packets::Frames;
use crate::ports::StoreError;

/// A session that is open, or was.
pub(super) struct Session {
    wire: Arc<Wire>,
    /// What it can do beyond version 3.
    pub(super) offers: Offers,
    /// The most bytes in one read and one write.
    pub(super) chunk: usize,
}

/// Extensions that are used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Offers {
    pub(super) posix_rename: bool,
    pub(super) fsync: bool,
    pub(super) statvfs: bool,
    pub(super) check_file: bool,
    limits: bool,
}

impl Session {
    /// Connects, logs in and greets.
    pub(super) async fn open(peer: &Peer) -> Result<Self, Setback> {
        // Boxed, as it is large and short.
        let connected = Box::pin(connecting::connect(peer)).await?;
        let (mut read, write) = connected.channel.split();
        let (mut frames, wait) = (Frames::default(), peer.waits.answer);
        let greeted = async {
            write.data_bytes(greeting()).await?;
            version(&mut read, &mut frames).await
        };
        let offers = within(wait, greeted).await?;
        let (out, queue) = mpsc::unbounded_channel();
        let wire = Wire::new(out, wait);
        tokio::spawn(write_all(Arc::clone(&wire), queue, write));
        tokio::spawn(read_all(Arc::clone(&wire), frames, read, connected.line, peer.waits.idle));
        let mut session = Self { wire, offers, chunk: CHUNK_BYTES };
        if offers.limits {
            session.chunk = session.limits().await.map_err(|error| Setback::Line(error.to_string()))?;
        }
        Ok(session)
    }

    /// Sends a request; `room` is how many bytes `fill` is going to add, nearly.
    pub(super) fn send(&self, kind: u8, room: usize, fill: impl FnOnce(&mut BytesMut)) -> Waiting {
        self.wire.send(kind, room, fill)
    }

    /// Sends a request with one string and waits.
    pub(super) async fn ask(&self, kind: u8, text: &[u8]) -> Result<Reply, StoreError> {
        self.send(kind, text.len(), |packet| packets::put_string(packet, text)).reply().await
    }

    /// Sends a request of an extension and waits.
    pub(super) async fn extended(&self, name: &str, rest: &[&[u8]]) -> Result<Reply, StoreError> {
        let fill = |packet: &mut BytesMut| {
            packets::put_string(packet, name.as_bytes());
            rest.iter().for_each(|text| packets::put_string(packet, text));
        };
        self.send(packets::EXTENDED, 256, fill).reply().await
    }

    /// The most bytes in one read and one write, as the server tells.
    async fn limits(&self) -> Result<usize, StoreError> {
        // One that offers limits and does not tell them has the usual ones.
        let Reply::Extended(mut rest) = self.extended("limits@openssh.com", &[]).await? else { return Ok(CHUNK_BYTES) };
        let mut number = || rest.try_get_u64().unwrap_or(0);
        let (_packet, read, write) = (number(), number(), number());
        let told = [read, write].into_iter().filter(|told| *told > 0).min().unwrap_or(CHUNK_BYTES as u64);
        Ok(usize::try_from(told).unwrap_or(MOST_CHUNK_BYTES).clamp(FEWEST_CHUNK_BYTES, MOST_CHUNK_BYTES))
    }

    /// The session for one who uses it; `None` when it has ended.
    pub(super) fn lease(self: &Arc<Self>) -> Option<Lease> {
        self.wire.enter().then(|| Lease(Arc::clone(self)))
    }

    /// Tells whether it goes on.
    pub(super) fn is_open(&self) -> bool {
        self.wire.is_open()
    }

    /// Says goodbye, without waiting.
    pub(super) fn end(&self) {
        self.wire.end(Setback::Line("we ended the connection".to_owned()));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

/// A session in use: it is not ended for being idle.
pub(super) struct Lease(Arc<Session>);

impl std::ops::Deref for Lease {
    type Target = Arc<Session>;

    fn deref(&self) -> &Arc<Session> {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.wire.leave();
    }
}

fn greeting() -> Bytes {
    let mut packet = BytesMut::new();
    packet.put_u32(5);
    packet.put_u8(packets::INIT);
    packet.put_u32(3);
    packet.freeze()
}

/// Waits for VERSION, whatever else the server says before it on the side.
async fn version(read: &mut ChannelReadHalf, frames: &mut Frames) -> Result<Offers, Setback> {
    loop {
        let packet = frames.next().map_err(|_broken| Setback::Nonsense("what it speaks is not SFTP"))?;
        if let Some(mut packet) = packet {
            let kind = packet.try_get_u8().unwrap_or_default();
            let version = packet.try_get_u32().unwrap_or_default();
            if kind != packets::VERSION || version < 3 {
                return Err(Setback::Nonsense("its SFTP is older than version 3"));
            }
            return Ok(offers(packet));
        }
        match read.wait().await {
            Some(ChannelMsg::Data { data }) => frames.push(&data),
            Some(ChannelMsg::Failure) => return Err(Setback::Line("it has no SFTP for this login".to_owned())),
            Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return Err(hung_up()),
            Some(_) => {}
        }
    }
}

fn offers(rest: Bytes) -> Offers {
    let mut offers = Offers::default();
    for (name, _version) in packets::extensions(rest) {
        match &*name {
            b"posix-rename@openssh.com" => offers.posix_rename = true,
            b"fsync@openssh.com" => offers.fsync = true,
            b"statvfs@openssh.com" => offers.statvfs = true,
            b"limits@openssh.com" => offers.limits = true,
            b"check-file" | b"check-file-name" => offers.check_file = true,
            _ => {}
        }
    }
    offers
}

fn hung_up() -> Setback {
    Setback::Line("the server closed the connection".to_owned())
}

/// Sends requests as they come, small ones together.
async fn write_all(wire: Arc<Wire>, mut queue: mpsc::UnboundedReceiver<Bytes>, write: ChannelWriteHalf<Msg>) {
    let mut waiting = Vec::new();
    let sending = async {
        while queue.recv_many(&mut waiting, AT_ONCE).await > 0 {
            let mut small = BytesMut::new();
            for packet in waiting.drain(..) {
                if packet.len() < SMALL_BYTES {
                    small.extend_from_slice(&packet);
                    continue;
                }
                write.data_bytes(small.split().freeze()).await?;
                write.data_bytes(packet).await?;
            }
            write.data_bytes(small.freeze()).await?;
        }
        Ok::<(), russh::Error>(())
    };
    let sent = tokio::select! {
        sent = sending => sent,
        () = wire.ended.cancelled() => Ok(()),
    };
    if let Err(error) = sent {
        wire.end(Setback::from(error));
    }
}

/// Hands out replies until there is a reason to end, and then sees to it that the line is closed.
async fn read_all(wire: Arc<Wire>, mut frames: Frames, mut read: ChannelReadHalf, line: Line, idle: Duration) {
    let mut look = tokio::time::Instant::now() + idle;
    let why = loop {
        tokio::select! {
            message = read.wait() => match message {
                Some(ChannelMsg::Data { data }) => {
                    frames.push(&data);
                    if let Err(setback) = wire.take(&mut frames) {
                        break setback;
                    }
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => break hung_up(),
                Some(_) => {}
            },
            () = sleep_until(look) => match wire.end_unused(idle) {
                Some(later) => look = later,
                None => break hung_up(),
            },
            () = wire.ended.cancelled() => break hung_up(),
        }
    };
    wire.end(why);
    // A server that hears nothing any more does not keep the line open: it goes with `line`.
    let _ = timeout(GOODBYE, line.ssh.disconnect(Disconnect::ByApplication, "", "en")).await;
    let _ = timeout(GOODBYE, read.wait()).await;
}

/// Bytes in one read and one write that every server takes.
const CHUNK_BYTES: usize = 32 * 1024;
/// The most, and the fewest, that are put in one.
const MOST_CHUNK_BYTES: usize = 64 * 1024;
const FEWEST_CHUNK_BYTES: usize = 1024;
/// Requests taken from the queue at once.
const AT_ONCE: usize = 64;
/// Requests that are sent together.
const SMALL_BYTES: usize = 4 * 1024;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(200);
