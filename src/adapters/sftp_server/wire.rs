//! What a stranger's bytes come to, for whoever tries all of them: the fuzz targets and the tests that run the same.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Handler, run_stream};
use russh_sftp::protocol::Packet;
use tokio::io::{AsyncWriteExt as _, copy, duplex, sink, split};

use super::offers::{Age, config};
use super::packets::{Frames, Request, decode};
use super::proxy;
use super::settings::SftpLimits;

/// What the bytes of an SFTP channel come to.
#[derive(Debug, PartialEq, Eq)]
pub struct Heard {
    /// The requests, in their order.
    pub requests: Vec<String>,
    /// Why nothing more can be understood, if so.
    pub broken: Option<String>,
}

/// Hears the bytes of a channel in pieces of at most so many; also tells how much memory they took in waiting.
pub fn hear(stream: &[u8], piece_bytes: usize) -> (Heard, usize) {
    let (mut frames, mut requests, mut held_bytes) = (Frames::default(), Vec::new(), 0);
    for piece in stream.chunks(piece_bytes.max(1)) {
        frames.push(piece);
        held_bytes = held_bytes.max(frames.room());
        loop {
            match frames.next().and_then(|packet| packet.map(decode).transpose()) {
                Ok(Some(request)) => requests.push(said(&request)),
                Ok(None) => break,
                Err(broken) => return (Heard { requests, broken: Some(broken.to_string()) }, held_bytes),
            }
        }
    }
    (Heard { requests, broken: None }, held_bytes)
}

/// A request, the same for the same bytes: INIT's extensions have no order.
fn said(request: &Request) -> String {
    if let Request::Other(packet) = request
        && let Packet::Init(init) = &**packet
    {
        return format!("Init {} {:?}", init.version, BTreeMap::from_iter(&init.extensions));
    }
    format!("{request:?}")
}

/// How long the PROXY header is that the bytes begin with, and the address in it; `None` when there is none, or not yet.
pub fn proxied(bytes: &[u8]) -> Option<(usize, Option<SocketAddr>)> {
    proxy::header(bytes)
}

/// Lets the SSH side answer the first bytes of a client that says no more; how many bytes it answers with.
pub async fn greet(bytes: &[u8]) -> u64 {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[1; 32]));
    let offer = Arc::new(config(&SftpLimits::default(), Age::Modern, vec![key], Vec::new()));
    let (client, server) = duplex(PIPE_BYTES);
    let (mut reader, mut writer) = split(client);
    let talk = async {
        // Who has heard enough hangs up.
        let _ = writer.write_all(bytes).await;
        let _ = writer.shutdown().await;
    };
    let serve = async {
        if let Ok(running) = run_stream(offer, server, Nobody).await {
            let _ = running.await;
        }
    };
    let mut nowhere = sink();
    let (answered, (), ()) = tokio::join!(copy(&mut reader, &mut nowhere), talk, serve);
    answered.unwrap_or_default()
}

/// Lets nobody in.
struct Nobody;

impl Handler for Nobody {
    type Error = russh::Error;
}

const PIPE_BYTES: usize = 64 * 1024;
