//! From an address to an SFTP channel: the line, the key exchange, the host key, the login. No step waits for ever.

use std::net::{Shutdown, TcpStream as StdTcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse, Prompt};
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Channel, MethodKind, MethodSet, Preferred};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpStream;

use super::peer::{Peer, Proof};
use super::setback::{Setback, within};

/// A connection that is logged in and speaks SFTP.
pub(super) struct Connected {
    pub(super) channel: Channel<client::Msg>,
    pub(super) line: Line,
}

/// What keeps a connection up; dropping it ends the connection, whatever the other end does.
pub(super) struct Line {
    pub(super) ssh: Handle<Pinned>,
    _socket: Socket,
}

/// Shuts the line down when dropped: a task that waits on a server which neither reads nor writes would never end.
struct Socket(StdTcpStream);

impl Drop for Socket {
    fn drop(&mut self) {
        // One that is down already needs no second end.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Connects and logs in.
pub(super) async fn connect(peer: &Peer) -> Result<Connected, Setback> {
    let wait = peer.waits.answer;
    let (stream, socket) = dial(peer).await?;
    let shown = Arc::new(Mutex::new(None));
    let pinned = Pinned { host_keys: peer.host_keys.clone(), refused: Arc::clone(&shown) };
    let ssh = within(wait, client::connect_stream(Arc::new(config(peer)), stream, pinned)).await;
    let mut ssh = ssh.map_err(|setback| {
        let refused = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
        refused.map_or(setback, Setback::HostKey)
    })?;
    log_in(&mut ssh, peer).await?;
    let channel = within(wait, ssh.channel_open_session()).await?;
    within(wait, channel.request_subsystem(true, "sftp")).await?;
    Ok(Connected { channel, line: Line { ssh, _socket: socket } })
}

async fn dial(peer: &Peer) -> Result<(TcpStream, Socket), Setback> {
    let broken = |error: std::io::Error| Setback::Line(error.to_string());
    let dialled = TcpStream::connect((peer.host.as_str(), peer.port));
    let stream = tokio::time::timeout(peer.waits.connect, dialled).await;
    let stream = stream.map_err(|_elapsed| Setback::Silent(peer.waits.connect))?.map_err(broken)?;
    stream.set_nodelay(true).map_err(broken)?;
    let stream = stream.into_std().map_err(broken)?;
    let socket = Socket(stream.try_clone().map_err(broken)?);
    Ok((TcpStream::from_std(stream).map_err(broken)?, socket))
}

fn config(peer: &Peer) -> client::Config {
    client::Config {
        nodelay: true,
        window_size: WINDOW_BYTES,
        maximum_packet_size: PACKET_BYTES,
        keepalive_interval: Some(peer.waits.answer),
        keepalive_max: 2,
        preferred: Preferred { key: algorithms(&peer.host_keys).into(), ..Preferred::DEFAULT },
        ..client::Config::default()
    }
}

/// Those of the pinned keys first: a server with several keys must show one that can be known. The others follow, so
/// that one which has changed the kind of its key still tells which it has.
fn algorithms(pinned: &[PublicKey]) -> Vec<Algorithm> {
    let is_pinned = |algorithm: &&Algorithm| {
        pinned.iter().any(|key| match (key.algorithm(), algorithm) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
            (own, algorithm) => own == **algorithm,
        })
    };
    // SHA-1 signatures prove nothing any more.
    let known = Preferred::DEFAULT.key.iter().filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None });
    let (mut first, rest): (Vec<_>, Vec<_>) = known.partition(is_pinned);
    first.extend(rest);
    first.into_iter().cloned().collect()
}

/// Offers what there is until the server is content: key, password, password once more where it asks by prompts.
async fn log_in(ssh: &mut Handle<Pinned>, peer: &Peer) -> Result<(), Setback> {
    let Proof { key, password, .. } = &peer.proof;
    let mut open = MethodSet::client_supported();
    if key.is_some() {
        match offer_key(ssh, peer).await? {
            Progress::In => return Ok(()),
            Progress::Wants(methods) => open = methods,
        }
    }
    let Some(password) = password else { return Err(Setback::Login) };
    if open.contains(&MethodKind::Password) {
        let offered = ssh.authenticate_password(&peer.user, password.expose_secret());
        match progress(within(peer.waits.answer, offered).await?) {
            Progress::In => return Ok(()),
            Progress::Wants(methods) => open = methods,
        }
    }
    if open.contains(&MethodKind::KeyboardInteractive) && answer_prompts(ssh, peer, password).await? {
        return Ok(());
    }
    Err(Setback::Login)
}

/// How far a login is.
enum Progress {
    In,
    Wants(MethodSet),
}

fn progress(result: AuthResult) -> Progress {
    match result {
        AuthResult::Success => Progress::In,
        AuthResult::Failure { remaining_methods, .. } => Progress::Wants(remaining_methods),
    }
}

async fn offer_key(ssh: &mut Handle<Pinned>, peer: &Peer) -> Result<Progress, Setback> {
    let Some(key) = &peer.proof.key else { return Ok(Progress::Wants(MethodSet::client_supported())) };
    if let Some(certificate) = &peer.proof.certificate {
        let offered = ssh.authenticate_openssh_cert(&peer.user, Arc::clone(key), certificate.clone());
        let offered = within(peer.waits.answer, offered).await?;
        if offered.success() {
            return Ok(Progress::In);
        }
    }
    let hash = if key.algorithm().is_rsa() {
        let known = within(peer.waits.answer, ssh.best_supported_rsa_hash()).await?;
        known.flatten().or(Some(HashAlg::Sha512))
    } else {
        None
    };
    let offered = ssh.authenticate_publickey(&peer.user, PrivateKeyWithHashAlg::new(Arc::clone(key), hash));
    Ok(progress(within(peer.waits.answer, offered).await?))
}

/// Gives the password to what is asked without echo, once.
async fn answer_prompts(ssh: &mut Handle<Pinned>, peer: &Peer, password: &SecretString) -> Result<bool, Setback> {
    let wait = peer.waits.answer;
    let mut said = within(wait, ssh.authenticate_keyboard_interactive_start(&peer.user, None)).await?;
    let mut given = false;
    for _ in 0..MOST_PROMPTS {
        let prompts = match said {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let hidden = |prompt: &&Prompt| !prompt.echo;
        let asked = prompts.iter().filter(hidden).count();
        if asked > 1 || asked != prompts.len() || (asked == 1 && given) {
            return Ok(false);
        }
        given |= asked == 1;
        let answers = prompts.iter().map(|_| password.expose_secret().to_owned()).collect();
        said = within(wait, ssh.authenticate_keyboard_interactive_respond(answers)).await?;
    }
    Ok(false)
}

/// Accepts the pinned host keys only.
pub(super) struct Pinned {
    host_keys: Vec<PublicKey>,
    refused: Arc<Mutex<Option<String>>>,
}

impl Pinned {
    fn knows(&self, shown: &PublicKey) -> bool {
        self.host_keys.iter().any(|pinned| pinned.key_data() == shown.key_data())
    }
}

impl client::Handler for Pinned {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let fingerprint = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } if self.knows(key) => return Ok(true),
            PublicKeyOrCertificate::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256),
            PublicKeyOrCertificate::Certificate(certificate) => certificate.public_key().fingerprint(HashAlg::Sha256),
        };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint.to_string());
        Ok(false)
    }

    /// Tells of keys a server is going to have, so that they are pinned before it shows them.
    async fn openssh_ext_host_keys_announced(
        &mut self,
        keys: Vec<PublicKey>,
        _session: &mut client::Session,
    ) -> Result<(), Self::Error> {
        let same_kind = |key: &&PublicKey| self.host_keys.iter().any(|pinned| pinned.algorithm() == key.algorithm());
        for key in keys.iter().take(MOST_ANNOUNCED).filter(|key| !self.knows(key)).filter(same_kind) {
            let fingerprint = key.fingerprint(HashAlg::Sha256);
            tracing::info!(%fingerprint, "the server announces a host key that is not pinned; ask its owner, then pin it");
        }
        Ok(())
    }
}

/// The receive window of a channel.
const WINDOW_BYTES: u32 = 8 << 20;
/// The longest SSH packet.
const PACKET_BYTES: u32 = 65_535;
/// Rounds of prompts in one login.
const MOST_PROMPTS: usize = 4;
/// Announced keys that are looked at.
const MOST_ANNOUNCED: usize = 16;
