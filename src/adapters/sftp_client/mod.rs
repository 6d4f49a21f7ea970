//! A client of an SFTP server whose host keys are pinned.

use std::net::SocketAddr;
use std::sync::Arc;

use russh::Disconnect;
use russh::client::{self, AuthResult, Handle};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh_sftp::client::{Config, SftpSession};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// Whom to connect to, and as whom.
#[derive(Clone)]
pub struct Peer {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The keys it may show.
    pub host_keys: Vec<PublicKey>,
    /// The user to log in as.
    pub user: String,
    /// The user's key.
    pub key: Arc<PrivateKey>,
}

/// An open SFTP session.
pub struct SftpClient {
    sftp: SftpSession,
    connection: Handle<Pinned>,
}

/// A file in a remote directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its size in bytes, where the server tells.
    pub size_bytes: Option<u64>,
}

/// Why the server's files are out of reach.
#[derive(Debug, thiserror::Error)]
pub enum SftpClientError {
    /// SSH failed, or the server showed another key than the pinned ones.
    #[error("no SSH connection: {0}")]
    Ssh(#[from] russh::Error),
    /// The server does not accept our key.
    #[error("the server does not accept the login")]
    LoginRefused,
    /// The server refused a request; the text is its own.
    #[error("{0}")]
    Sftp(#[from] russh_sftp::client::error::Error),
    /// Our own end failed, or the connection broke while data flowed.
    #[error("transfer broke off: {0}")]
    Transfer(#[from] std::io::Error),
}

impl SftpClient {
    /// Connects and logs in.
    pub async fn connect(peer: &Peer) -> Result<Self, SftpClientError> {
        let config = client::Config { nodelay: true, window_size: WINDOW_BYTES, ..client::Config::default() };
        let pinned = Pinned { host_keys: peer.host_keys.clone() };
        let mut connection = client::connect(Arc::new(config), peer.address, pinned).await?;
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&peer.key), None);
        let AuthResult::Success = connection.authenticate_publickey(&peer.user, key).await? else {
            return Err(SftpClientError::LoginRefused);
        };
        let channel = connection.channel_open_session().await?;
        channel.request_subsystem(true, "sftp").await?;
        let config = Config { max_concurrent_writes: 64, max_concurrent_reads: 64, ..Config::default() };
        let sftp = SftpSession::new_with_config(channel.into_stream(), config).await?;
        Ok(Self { sftp, connection })
    }

    /// Writes a file and returns when the server has acknowledged its CLOSE.
    pub async fn put(&self, path: &str, from: &mut (impl AsyncRead + Unpin + ?Sized)) -> Result<u64, SftpClientError> {
        let mut file = self.sftp.create(path).await?;
        let copied = tokio::io::copy(from, &mut file).await?;
        file.shutdown().await?;
        Ok(copied)
    }

    /// Reads a file.
    pub async fn get(&self, path: &str, into: &mut (impl AsyncWrite + Unpin)) -> Result<u64, SftpClientError> {
        let mut file = self.sftp.open(path).await?;
        let copied = tokio::io::copy(&mut file, into).await?;
        into.flush().await?;
        Ok(copied)
    }

    /// Lists a directory.
    pub async fn list(&self, dir: &str) -> Result<Vec<Entry>, SftpClientError> {
        let entries = self.sftp.read_dir(dir).await?;
        Ok(entries.map(|entry| Entry { name: entry.file_name(), size_bytes: entry.metadata().size }).collect())
    }

    /// Renames a file.
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), SftpClientError> {
        Ok(self.sftp.rename(from, to).await?)
    }

    /// Removes a file.
    pub async fn remove(&self, path: &str) -> Result<(), SftpClientError> {
        Ok(self.sftp.remove_file(path).await?)
    }

    /// Says goodbye.
    pub async fn disconnect(self) -> Result<(), SftpClientError> {
        self.sftp.close().await?;
        Ok(self.connection.disconnect(Disconnect::ByApplication, "", "en").await?)
    }
}

/// Accepts the pinned host keys only.
struct Pinned {
    host_keys: Vec<PublicKey>,
}

impl client::Handler for Pinned {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                self.host_keys.iter().any(|pinned| pinned.key_data() == key.key_data())
            }
            PublicKeyOrCertificate::Certificate(_) => false,
        })
    }
}

/// The receive window of a channel.
const WINDOW_BYTES: u32 = 8 << 20;
