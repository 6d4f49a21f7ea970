//! An SFTP server that does what a test tells it to, also what no server should.

use std::borrow::Cow;
use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use secrecy::SecretString;
use sluse::adapters::sftp_client::{Peer, PeerWaits, Proof};
use tokio::net::TcpListener;

use super::gateway::PATIENCE;

/// What it does. Changes count from the next connection or request on.
#[derive(Clone)]
pub(crate) struct Script {
    /// Where it stops to say anything.
    pub(crate) hang: Option<Hang>,
    /// The keys it shows.
    pub(crate) keys: Vec<PrivateKey>,
    /// What it asks for.
    pub(crate) asks: Asks,
    /// What it answers to a request of a kind, with an id and a body: packets as they go out.
    pub(crate) answer: Arc<Answer>,
}

/// From kind, id and body of a request to packets.
type Answer = dyn Fn(u8, u32, &[u8]) -> Vec<u8> + Send + Sync;

/// A place to hang before SFTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hang {
    Greeting,
    KeyExchange,
    Login,
    Channel,
    Subsystem,
}

/// What a login takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Key,
    Password,
    /// So many prompts without echo, again and again.
    Prompts(usize),
    /// One prompt, once.
    Prompt,
    KeyThenPassword,
    KeyThenPrompt,
}

/// A running one.
pub(crate) struct Scripted {
    port: u16,
    script: Arc<Mutex<Script>>,
    connections: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
    secrets: Arc<Mutex<Vec<String>>>,
}

/// The password it takes.
pub(crate) const PASSWORD: &str = "correct horse";
/// The only file of a sound one.
pub(crate) const CONTENT: &[u8] = b"what is in the file";

impl Scripted {
    /// Starts one that is sound, with a way to answer.
    pub(crate) async fn start(answer: impl Fn(u8, u32, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let script = Script { hang: None, keys: vec![key(1)], asks: Asks::Key, answer: Arc::new(answer) };
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            script: Arc::new(Mutex::new(script)),
            connections: Arc::default(),
            ended: Arc::default(),
            secrets: Arc::default(),
        };
        let (script, secrets) = (Arc::clone(&server.script), Arc::clone(&server.secrets));
        let (connections, ended) = (Arc::clone(&server.connections), Arc::clone(&server.ended));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let one = Connection { script: Arc::clone(&script), secrets: Arc::clone(&secrets), unread: Vec::new() };
                let ended = Arc::clone(&ended);
                tokio::spawn(async move {
                    serve(stream, one).await;
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    /// Changes what it does.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    /// How often it was connected to.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// How many of these connections have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.ended.load(Ordering::SeqCst)
    }

    /// Passwords it was told.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.secrets.lock().unwrap().clone()
    }

    /// How to get in.
    pub(crate) fn peer(&self) -> Peer {
        let waits = PeerWaits { connect: PATIENCE, answer: PATIENCE, ..PeerWaits::default() };
        Peer {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: self.port,
            host_keys: vec![key(1).public_key().clone()],
            user: "etat".to_owned(),
            proof: Proof::by_key(Arc::new(key(9))),
            waits,
        }
    }

    /// The same with little patience, for a server that hangs. One that does not may also seem to, where the machine is busy.
    pub(crate) fn hasty(&self) -> Peer {
        let waits = PeerWaits { connect: WAIT, answer: WAIT, ..PeerWaits::default() };
        Peer { waits, ..self.peer() }
    }

    /// How to get in by password, with or without the key.
    pub(crate) fn by_password(&self, password: &str, with_key: bool) -> Peer {
        let password = Some(SecretString::from(password));
        let proof = if with_key { Proof::by_key(Arc::new(key(9))) } else { Proof::default() };
        Peer { proof: Proof { password, ..proof }, ..self.peer() }
    }
}

/// How long a client with little patience waits.
pub(crate) const WAIT: Duration = Duration::from_millis(1500);

/// Keys by number.
pub(crate) fn key(number: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[number; 32]))
}

/// Its public half.
pub(crate) fn public(number: u8) -> PublicKey {
    key(number).public_key().clone()
}

async fn serve(stream: tokio::net::TcpStream, connection: Connection) {
    let script = connection.script.lock().unwrap().clone();
    match script.hang {
        Some(Hang::Greeting) => pending().await,
        Some(Hang::KeyExchange) => {
            stream.writable().await.unwrap();
            stream.try_write(b"SSH-2.0-Silent\r\n").unwrap();
            pending().await
        }
        Some(Hang::Login | Hang::Channel | Hang::Subsystem) | None => {}
    }
    let config = Config {
        keys: script.keys,
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        nodelay: true,
        ..Config::default()
    };
    // A client that leaves is no failure of the server.
    if let Ok(session) = run_stream(Arc::new(config), stream, connection).await {
        let _ = session.await;
    }
}

struct Connection {
    script: Arc<Mutex<Script>>,
    secrets: Arc<Mutex<Vec<String>>>,
    unread: Vec<u8>,
}

impl Connection {
    fn script(&self) -> Script {
        self.script.lock().unwrap().clone()
    }

    async fn hang_at(&self, place: Hang) {
        if self.script().hang == Some(place) {
            pending().await
        }
    }
}

fn wants(methods: &[MethodKind], partial_success: bool) -> Auth {
    Auth::Reject { proceed_with_methods: Some(MethodSet::from(methods)), partial_success }
}

fn prompts(number: usize) -> Auth {
    let prompts = vec![(Cow::Borrowed("Password: "), false); number];
    Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _user: &str, _key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        self.hang_at(Hang::Login).await;
        Ok(match self.script().asks {
            Asks::Key => Auth::Accept,
            Asks::Password => wants(&[MethodKind::Password], false),
            Asks::Prompts(_) | Asks::Prompt => wants(&[MethodKind::KeyboardInteractive], false),
            Asks::KeyThenPassword => wants(&[MethodKind::Password], true),
            Asks::KeyThenPrompt => wants(&[MethodKind::KeyboardInteractive], true),
        })
    }

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, Self::Error> {
        self.hang_at(Hang::Login).await;
        self.secrets.lock().unwrap().push(password.to_owned());
        let right = password == PASSWORD;
        Ok(match self.script().asks {
            Asks::Password | Asks::KeyThenPassword if right => Auth::Accept,
            Asks::Password | Asks::KeyThenPassword => wants(&[MethodKind::Password], false),
            Asks::Key => wants(&[MethodKind::PublicKey], false),
            Asks::Prompts(_) | Asks::Prompt | Asks::KeyThenPrompt => wants(&[MethodKind::KeyboardInteractive], false),
        })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        self.hang_at(Hang::Login).await;
        let answers: Vec<Vec<u8>> = response.into_iter().flatten().map(|answer| answer.to_vec()).collect();
        let told = answers.iter().map(|answer| String::from_utf8(answer.clone()).unwrap());
        self.secrets.lock().unwrap().extend(told);
        Ok(match (self.script().asks, answers.first()) {
            (Asks::Prompts(number), _) => prompts(number),
            (Asks::Prompt | Asks::KeyThenPrompt, None) => prompts(1),
            (Asks::Prompt | Asks::KeyThenPrompt, Some(answer)) if answer == PASSWORD.as_bytes() => Auth::Accept,
            _ => Auth::reject(),
        })
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.hang_at(Hang::Channel).await;
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.hang_at(Hang::Subsystem).await;
        session.channel_success(channel)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        self.unread.extend_from_slice(data);
        while let Some(length) = self.unread.first_chunk::<4>().map(|head| u32::from_be_bytes(*head) as usize) {
            if self.unread.len() < 4 + length {
                break;
            }
            let packet: Vec<u8> = self.unread.drain(..4 + length).skip(4).collect();
            let id = u32::from_be_bytes(packet[1..5].try_into().unwrap());
            let answer = (self.script().answer)(packet[0], id, &packet[5..]);
            if !answer.is_empty() {
                session.data(channel, answer)?;
            }
        }
        Ok(())
    }
}

/// A packet with its length.
pub(crate) fn framed(kind: u8, id: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = (body.len() as u32 + 5).to_be_bytes().to_vec();
    packet.push(kind);
    packet.extend(id.to_be_bytes());
    packet.extend(body);
    packet
}

/// A string of the protocol.
pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// STATUS.
pub(crate) fn status(id: u32, code: u32) -> Vec<u8> {
    framed(101, id, &[code.to_be_bytes().to_vec(), string(b""), string(b"")].concat())
}

/// Attributes of a regular file, with what is told.
pub(crate) fn attributes(size: Option<u64>, mode: Option<u32>, modified: Option<u32>) -> Vec<u8> {
    let flags = u32::from(size.is_some()) | u32::from(mode.is_some()) << 2 | u32::from(modified.is_some()) << 3;
    let mut out = flags.to_be_bytes().to_vec();
    size.iter().for_each(|size| out.extend(size.to_be_bytes()));
    mode.iter().for_each(|mode| out.extend(mode.to_be_bytes()));
    modified.iter().for_each(|time| out.extend([time.to_be_bytes(), time.to_be_bytes()].concat()));
    out
}

/// NAME of regular files.
pub(crate) fn names(id: u32, names: &[&[u8]]) -> Vec<u8> {
    let entry = |name: &&[u8]| [string(name), string(b""), attributes(Some(1), Some(0o100_644), Some(1))].concat();
    let entries: Vec<u8> = names.iter().flat_map(entry).collect();
    framed(104, id, &[(names.len() as u32).to_be_bytes().to_vec(), entries].concat())
}

/// What a sound server with one file answers.
pub(crate) fn sound(kind: u8, id: u32, body: &[u8]) -> Vec<u8> {
    match kind {
        1 => {
            let mut version = framed(2, 3, b"");
            version.truncate(9);
            version
        }
        3 | 11 => framed(102, id, &string(b"h")),
        5 => {
            let (offset, length) = (&body[5..13], &body[13..17]);
            let offset = u64::from_be_bytes(offset.try_into().unwrap()) as usize;
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            let rest = CONTENT.get(offset..).unwrap_or_default();
            if rest.is_empty() { status(id, 1) } else { framed(103, id, &string(&rest[..length.min(rest.len())])) }
        }
        7 | 8 | 17 => framed(105, id, &attributes(Some(CONTENT.len() as u64), Some(0o100_644), Some(1))),
        12 => status(id, 1),
        _ => status(id, 0),
    }
}
