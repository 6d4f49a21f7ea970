//! One channel: bytes in, replies out, never waiting for the one without taking care of the other.
//!
//! The SSH session hands us bytes through a short queue and stops reading the line while it is full. A reply waits for the
//! client's window; meanwhile more bytes are taken in, up to a limit, since the client's next window adjustment may stand
//! behind them. What a client can make us hold is that limit and one batch of replies, and all channels of a partner
//! together share what goes beyond a little of each.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::backlog::{Backlog, OWN_BYTES};
use super::bandwidth::Bandwidth;
use super::line::Ends;
use super::packets::{Broken, Frames};
use super::replies::Replies;
use super::roster::Shares;
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
    shares: Shares,
    ends: Ends,
) {
    let (reader, writer) = channel.split();
    let (backlog, bandwidth) = (Backlog::new(shares.backlog), shares.bandwidth);
    let mut talk = Talk { reader, writer, inbound: Inbound::default(), backlog, bandwidth, cut: ends.cut };
    if first.is_some() {
        talk.inbound.take(first);
    }
    let end = match talk.converse(&mut session, &ends.stop).await {
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
    inbound: Inbound,
    backlog: Backlog,
    bandwidth: Option<Arc<Bandwidth>>,
    /// Cancelled when nobody is at the other end of the line: the window that replies wait for will not come.
    cut: CancellationToken,
}

enum Never {}

impl Talk {
    async fn converse(&mut self, session: &mut Session, stop: &CancellationToken) -> Result<Never, End> {
        let mut replies = Replies::default();
        loop {
            // Before anything more is taken in: what came first may be all that the client says until it is answered.
            self.answer(session, &mut replies).await?;
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Stopping),
                took = self.take_in() => took?,
            }
        }
    }

    /// Answers the requests that have come whole.
    async fn answer(&mut self, session: &mut Session, replies: &mut Replies) -> Result<(), End> {
        loop {
            // Also what was taken in while replies waited.
            let came_bytes = self.inbound.frames.came();
            self.pay(came_bytes).await;
            let answered = session.answer(&mut self.inbound.frames, replies).await;
            // Also when the stream has broken: what came before that is answered.
            if replies.len() > 0 {
                self.pay(replies.len()).await;
                self.send(replies.take()).await?;
            }
            if self.backlog.fit(self.inbound.frames.len()) {
                self.inbound.frames.renew();
            }
            if !answered? {
                return Ok(());
            }
        }
    }

    /// Waits until so many bytes are within the partner's share of the line.
    async fn pay(&self, bytes: usize) {
        if let Some(bandwidth) = self.bandwidth.as_ref().filter(|_| bytes > 0) {
            bandwidth.spend(bytes).await;
        }
    }

    /// Waits for bytes and takes all that are there, within bounds.
    async fn take_in(&mut self) -> Result<(), End> {
        let Self { reader, inbound, .. } = self;
        if inbound.until != Until::More {
            return Err(End::Closed);
        }
        inbound.take(reader.wait().await);
        while inbound.until == Until::More && inbound.frames.len() < OWN_BYTES {
            let Some(message) = reader.wait().now_or_never() else { break };
            inbound.take(message);
        }
        Ok(())
    }

    /// Sends replies, taking bytes in meanwhile.
    async fn send(&mut self, replies: Bytes) -> Result<(), End> {
        let Self { reader, writer, inbound, backlog, cut, .. } = self;
        let sending = writer.data_bytes(replies);
        tokio::pin!(sending);
        let mut patience = Patience::default();
        // The window these replies wait for does not come when nobody is there.
        while inbound.until != Until::Gone {
            let has_ended = inbound.until == Until::End;
            let is_full = has_ended || inbound.frames.len() >= WAITING_BYTES;
            let has_room = inbound.frames.len() < backlog.room_bytes();
            patience.look(is_full, inbound.frames.len(), Instant::now());
            tokio::select! {
                biased;
                sent = &mut sending => return sent.map_err(|_gone| End::Closed),
                () = cut.cancelled() => return Err(End::Closed),
                // Behind the end nothing comes but the word that the channel is given up.
                message = reader.wait(), if has_ended || (!is_full && has_room) => inbound.take(message),
                () = backlog.grow(), if !is_full && !has_room => {}
                () = patience.ends() => return Err(End::Stalled),
            }
        }
        Err(End::Closed)
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

/// How long replies may wait to be read. With little unanswered a client may take its time: the idle time of the connection
/// is the limit then.
#[derive(Debug, Default)]
struct Patience {
    /// When what waits was more than the channel's own room for the first time.
    over: Option<Instant>,
    /// When there was no more to take in.
    full: Option<Instant>,
}

impl Patience {
    fn look(&mut self, is_full: bool, waiting_bytes: usize, now: Instant) {
        if is_full {
            self.full.get_or_insert(now);
        }
        if waiting_bytes >= OWN_BYTES {
            self.over.get_or_insert(now);
        }
    }

    fn end(&self) -> Option<Instant> {
        let ends = [self.full.map(|since| since + STALL), self.over.map(|since| since + SLOW)];
        ends.into_iter().flatten().min()
    }

    async fn ends(&self) {
        match self.end() {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }
}

/// What has come from the client.
#[derive(Debug, Default)]
struct Inbound {
    frames: Frames,
    until: Until,
}

/// How far the client has come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    /// More may come.
    #[default]
    More,
    /// It has no more to say, but listens.
    End,
    /// Nobody is there.
    Gone,
}

impl Inbound {
    fn take(&mut self, message: Option<ChannelMsg>) {
        let until = match message {
            Some(ChannelMsg::Data { data }) if self.until == Until::More => {
                self.frames.push(&data);
                Until::More
            }
            Some(ChannelMsg::Eof) => Until::End,
            Some(ChannelMsg::Close) | None => Until::Gone,
            // Nothing that concerns us.
            Some(_) => Until::More,
        };
        self.until = self.until.max(until);
    }
}

/// Bytes taken in while replies wait for the client's window: its adjustment may stand behind that much of an upload.
const WAITING_BYTES: usize = FAR_WINDOW_BYTES as usize;
/// How long a client that fills its backlog may leave replies unread.
const STALL: Duration = Duration::from_secs(30);
/// How long one may that has more on its way than its own room: a window of 16 MiB takes two minutes at a megabit a second.
const SLOW: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use russh::keys::ssh_key::private::Ed25519Keypair;
    use russh::keys::{PrivateKey, PublicKeyOrCertificate};
    use russh::server::{Auth, ChannelOpenHandle};
    use russh::{client, server};
    use russh_sftp::protocol::{Init, Packet};
    use tokio::io::duplex;
    use tokio::sync::Semaphore;

    use crate::adapters::blobs::LocalBlobs;
    use crate::adapters::ledger::SqliteLedger;
    use crate::model::{BlobId, ShipmentId};
    use crate::ports::{Arrival, Arrivals, Arriving, SystemClock};

    use super::super::deferred::Deferred;
    use super::super::offers::{Age, config};
    use super::super::premises::Premises;
    use super::super::settings::SftpLimits;
    use super::super::tree::{self, Tree};
    use super::*;

    /// Looks at nothing.
    struct Blind;

    impl Arrivals for Blind {
        fn begins(&self, _upload: Arriving) -> Box<dyn Arrival> {
            unreachable!("nothing is uploaded here")
        }

        fn shipment_of(&self, _blob: BlobId) -> Option<ShipmentId> {
            None
        }
    }

    async fn session(dir: &Path) -> Session {
        let premises = Premises {
            area: Deferred::new(Arc::new(SqliteLedger::open(&dir.join("ledger.db")).await.unwrap())),
            blobs: Arc::new(LocalBlobs::open(&dir.join("bytes")).unwrap()),
            arrivals: Arc::new(Blind),
            clock: Arc::new(SystemClock),
            claimed: Arc::default(),
            ongoing: Default::default(),
        };
        let tree = Tree::new(&tree::tests::access()).unwrap();
        Session::new(Arc::new(premises), Arc::new(tree), 1, Arc::new(Semaphore::new(1)))
    }

    /// Serves a channel from its first bytes on, which it has in hand by then.
    struct Late(Option<Session>);

    impl server::Handler for Late {
        type Error = russh::Error;

        async fn auth_none(&mut self, _user: &str) -> Result<Auth, Self::Error> {
            Ok(Auth::Accept)
        }

        async fn channel_open_session(
            &mut self,
            mut channel: Channel<Msg>,
            reply: ChannelOpenHandle,
            connection: &mut server::Session,
        ) -> Result<(), Self::Error> {
            reply.accept().await;
            let (handle, session) = (connection.handle(), self.0.take().unwrap());
            let shares = Shares::new(&tree::tests::access(), &SftpLimits::default());
            tokio::spawn(async move {
                let first = channel.wait().await;
                assert!(matches!(first, Some(ChannelMsg::Data { .. })), "{first:?}");
                let ends = Ends { stop: CancellationToken::new(), cut: CancellationToken::new() };
                serve((channel, first), handle, session, shares, ends).await;
            });
            Ok(())
        }
    }

    struct Trusting;

    impl client::Handler for Trusting {
        type Error = russh::Error;

        async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
            Ok(true)
        }
    }

    #[tokio::test]
    async fn what_came_before_the_session_began_is_answered_without_more() {
        let dir = tempfile::tempdir().unwrap();
        let late = Late(Some(session(dir.path()).await));
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&[1; 32]));
        let offer = Arc::new(config(&SftpLimits::default(), Age::Modern, vec![key], Vec::new()));
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(async move { server::run_stream(offer, ours, late).await.unwrap().await });
        let mut ssh = client::connect_stream(Arc::default(), theirs, Trusting).await.unwrap();
        assert!(ssh.authenticate_none("etat").await.unwrap().success());
        let mut channel = ssh.channel_open_session().await.unwrap();
        channel.data_bytes(Bytes::try_from(Packet::from(Init::default())).unwrap()).await.unwrap();
        let answer = async {
            loop {
                if let Some(ChannelMsg::Data { data }) = channel.wait().await {
                    return data;
                }
            }
        };
        let answer = timeout(Duration::from_secs(60), answer).await.expect("an answer to INIT");
        assert!(matches!(Packet::try_from(&mut answer.slice(4..)), Ok(Packet::Version(_))));
    }

    #[test]
    fn patience_ends_from_the_first_moment_on_and_sooner_without_room() {
        let (mut patience, start) = (Patience::default(), Instant::now());
        patience.look(false, OWN_BYTES - 1, start);
        assert_eq!(patience.end(), None);
        patience.look(false, OWN_BYTES, start);
        // More that trickles in, or is taken out, prolongs nothing.
        patience.look(false, OWN_BYTES + 1, start + Duration::from_secs(29));
        assert_eq!(patience.end(), Some(start + SLOW));
        patience.look(true, WAITING_BYTES, start + Duration::from_secs(40));
        patience.look(true, WAITING_BYTES, start + Duration::from_secs(50));
        assert_eq!(patience.end(), Some(start + Duration::from_secs(40) + STALL));
    }
}
