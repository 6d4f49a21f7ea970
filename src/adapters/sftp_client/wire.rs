//! Who waits for which reply on a connection, and how it ends for all of them at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::packets::{self, Reply};
use super::setback::Setback;
use crate::adapters::sftp_server::packets::Frames;
use crate::ports::StoreError;

/// The requests of one connection that have no reply yet.
pub(super) struct Wire {
    state: Mutex<State>,
    out: mpsc::UnboundedSender<Bytes>,
    /// Cancelled when the connection is to end, or has ended.
    pub(super) ended: CancellationToken,
    /// Longest silence.
    pub(super) answer: Duration,
}

struct State {
    waiting: HashMap<u32, oneshot::Sender<Reply>>,
    next: u32,
    heard: Instant,
    /// How many use the connection, and since when nobody does.
    users: usize,
    unused_since: Instant,
    end: Option<Setback>,
}

impl Wire {
    /// A wire whose requests go into the queue; every request there has somebody who waits for its reply, and none sends
    /// more than a few at once, which bounds it.
    pub(super) fn new(out: mpsc::UnboundedSender<Bytes>, answer: Duration) -> Arc<Self> {
        let now = Instant::now();
        let state = State { waiting: HashMap::new(), next: 0, heard: now, users: 0, unused_since: now, end: None };
        Arc::new(Self { state: Mutex::new(state), out, ended: CancellationToken::new(), answer })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request of a kind, filled in by `fill`.
    pub(super) fn send(self: &Arc<Self>, kind: u8, room: usize, fill: impl FnOnce(&mut bytes::BytesMut)) -> Waiting {
        let (given, reply) = oneshot::channel();
        let mut state = self.state();
        let id = state.next;
        state.next = id.wrapping_add(1);
        if state.end.is_none() {
            state.waiting.insert(id, given);
        }
        drop(state);
        let mut packet = packets::begun(kind, id, room);
        fill(&mut packet);
        // Nobody takes requests any more when the connection has ended; the reply tells why.
        let _ = self.out.send(packets::sealed(packet));
        Waiting { reply, wire: Arc::clone(self) }
    }

    /// Takes what came.
    pub(super) fn take(&self, frames: &mut Frames) -> Result<(), Setback> {
        while let Some(mut packet) = frames.next().map_err(|_broken| Setback::Nonsense("the length of a packet"))? {
            let kind = packet.try_get_u8();
            let id = packet.try_get_u32().map_err(|_short| Setback::Nonsense("a packet too short for a reply"))?;
            let reply = kind.ok().and_then(|kind| packets::decode(kind, packet));
            let reply = reply.ok_or(Setback::Nonsense("a reply that cannot be read"))?;
            let mut state = self.state();
            let waits = state.waiting.remove(&id).ok_or(Setback::Nonsense("a reply to what was not asked"))?;
            state.heard = Instant::now();
            drop(state);
            // Who waited may have left.
            let _ = waits.send(reply);
        }
        Ok(())
    }

    /// Ends the connection for everyone who waits. The first reason stays.
    pub(super) fn end(&self, why: Setback) {
        let mut state = self.state();
        state.end.get_or_insert(why);
        state.waiting.clear();
        drop(state);
        self.ended.cancel();
    }

    /// Why it ended.
    fn why(&self) -> Setback {
        self.state().end.clone().unwrap_or_else(|| Setback::Line("the connection ended".to_owned()))
    }

    /// One more user; `false` when the connection has ended.
    pub(super) fn enter(&self) -> bool {
        let mut state = self.state();
        let open = state.end.is_none();
        if open {
            state.users = state.users.saturating_add(1);
        }
        open
    }

    /// One user less.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.users = state.users.saturating_sub(1);
        state.unused_since = Instant::now();
    }

    /// Tells whether it goes on.
    pub(super) fn is_open(&self) -> bool {
        self.state().end.is_none()
    }

    /// Ends the connection when nobody has used it for so long; else tells when to look again.
    pub(super) fn end_unused(&self, idle: Duration) -> Option<Instant> {
        let mut state = self.state();
        let now = Instant::now();
        if state.users > 0 {
            return Some(now + idle);
        }
        let due = state.unused_since + idle;
        if due > now {
            return Some(due);
        }
        state.end.get_or_insert(Setback::Line("nobody used the connection".to_owned()));
        None
    }

    /// When it is too late for a reply that has been waited for since then. Others' replies show that the server works,
    /// but not for ever.
    fn too_late(&self, since: Instant) -> Instant {
        (self.state().heard.max(since) + self.answer).min(since + self.answer * MOST_WAITS)
    }
}

/// A request whose reply is to come.
pub(super) struct Waiting {
    reply: oneshot::Receiver<Reply>,
    wire: Arc<Wire>,
}

impl Waiting {
    /// Waits for the reply. A server that does not give one is not asked again on this connection.
    pub(super) async fn reply(mut self) -> Result<Reply, StoreError> {
        let since = Instant::now();
        loop {
            let late = self.wire.too_late(since);
            tokio::select! {
                biased;
                reply = &mut self.reply => return reply.map_err(|_gone| self.wire.why().into()),
                () = sleep_until(late) => if self.wire.too_late(since) <= Instant::now() {
                    self.wire.end(Setback::Silent(self.wire.answer));
                    return Err(StoreError::Silent(self.wire.answer));
                },
            }
        }
    }
}

/// So many times the longest silence is the longest wait for one reply while others come.
const MOST_WAITS: u32 = 4;
