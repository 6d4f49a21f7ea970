//! Whom to connect to, as whom, and how long to wait.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Certificate, PrivateKey, PublicKey};
use secrecy::SecretString;

use crate::adapters::key_file::{self, KeyFileError};

/// A server and a login there.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The keys it may show: the one it has, and the one it is going to have.
    pub host_keys: Vec<PublicKey>,
    /// The user to log in as.
    pub user: String,
    /// What the login is proved by.
    pub proof: Proof,
    /// How long to wait.
    pub waits: PeerWaits,
}

/// What a login is proved by; with both, the server decides whether it wants one or both.
#[derive(Clone, Default)]
pub struct Proof {
    /// The user's key.
    pub key: Option<Arc<PrivateKey>>,
    /// What an authority signed of the key.
    pub certificate: Option<Certificate>,
    /// The user's password; also given where the server asks for one by keyboard-interactive.
    pub password: Option<SecretString>,
}

impl Proof {
    /// Reads what lies in files: a private key in OpenSSH form, and a certificate of it.
    pub fn read(
        key: Option<&Path>,
        certificate: Option<&Path>,
        password: Option<SecretString>,
    ) -> Result<Self, KeyFileError> {
        let certificate = certificate.map(|path| {
            let text = fs::read_to_string(path);
            let text = text.map_err(|source| KeyFileError::Disk { path: path.to_owned(), source })?;
            let unusable = |source| KeyFileError::Key { path: path.to_owned(), source };
            Certificate::from_openssh(text.trim()).map_err(unusable)
        });
        let key = key.map(key_file::read).transpose()?.map(Arc::new);
        Ok(Self { key, certificate: certificate.transpose()?, password })
    }

    /// A key alone.
    pub fn by_key(key: Arc<PrivateKey>) -> Self {
        Self { key: Some(key), ..Self::default() }
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("key", &self.key.is_some()).field("password", &self.password.is_some()).finish()
    }
}

/// How long to wait for a server.
#[derive(Debug, Clone, Copy)]
pub struct PeerWaits {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait in which nothing comes from the server: key exchange, each step of the login, each request.
    pub answer: Duration,
    /// How long a connection that nobody uses is kept.
    pub idle: Duration,
}

impl Default for PeerWaits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(30), idle: Duration::from_secs(60) }
    }
}
