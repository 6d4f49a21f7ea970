//! What the server is told: where to listen, who may log in, what each partner has, how much is too much.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::SecretString;

use crate::model::{PartnerId, WeekHours};
use crate::ports::{LedgerError, Quota};

use crate::adapters::key_file::KeyFileError;

/// Everything the server needs to know.
#[derive(Debug, Clone)]
pub struct SftpSettings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Directory of host keys (`*_key`, OpenSSH format); an Ed25519 key is made when there is none.
    pub host_key_dir: PathBuf,
    /// The partners.
    pub partners: Vec<PartnerAccess>,
    /// How much is too much.
    pub limits: SftpLimits,
    /// What is done about those who guess.
    pub defence: Defence,
    /// Load balancers, whose connections begin with a PROXY header.
    pub proxies: Vec<Network>,
    /// Keys and certificates that open nothing any more, a rule a line as `ssh-keygen -k` reads them.
    pub revoked: String,
}

/// What is done about those who guess.
#[derive(Debug, Clone)]
pub struct Defence {
    /// Refused logins of one address until it is kept out; 0 keeps nobody out and lets nobody wait.
    pub ban_score: u32,
    /// How long a refused login is counted.
    pub window: Duration,
    /// How long an address is kept out the first time; it doubles from there.
    pub ban_time: Duration,
    /// How much longer each refused login waits for its answer than the one before.
    pub wait: Duration,
    /// The longest wait for an answer.
    pub longest_wait: Duration,
    /// Addresses that are never counted.
    pub allow: Vec<Network>,
}

impl Default for Defence {
    fn default() -> Self {
        Self {
            ban_score: 20,
            window: Duration::from_secs(600),
            ban_time: Duration::from_secs(900),
            wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(10),
            allow: Vec::new(),
        }
    }
}

/// A network of addresses, such as `192.0.2.0/24`.
pub type Network = ipnet::IpNet;

/// What one partner has here.
#[derive(Debug, Clone)]
pub struct PartnerAccess {
    /// Who.
    pub partner: PartnerId,
    /// How they log in.
    pub logins: Vec<Login>,
    /// Directories whose closed files become shipments.
    pub inboxes: Vec<String>,
    /// Directories whose closed files are judged and receipted, never sent.
    pub tests: Vec<String>,
    /// Directories of our receipts.
    pub receipts: Vec<String>,
    /// Directories of files for the partner.
    pub outboxes: Vec<String>,
    /// Those of the receipts and outbox directories whose files the partner may remove.
    pub removable: Vec<String>,
    /// When its logins are taken; empty means always.
    pub hours: Vec<WeekHours>,
    /// The clock of these hours.
    pub time_zone: TimeZone,
    /// Bytes a second its connections take together.
    pub bytes_per_second: Option<u64>,
    /// Where its logins may come from; empty means anywhere.
    pub addresses: Vec<Network>,
    /// Whether connections from these addresses are offered older algorithms, too.
    pub older_algorithms: bool,
    /// What the partner may hold.
    pub quota: Quota,
    /// The largest file a route takes. A file a little larger is let in, so that its refusal is a receipt.
    pub max_file_bytes: u64,
}

/// One way for a partner to log in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user name; one user belongs to one partner.
    pub user: String,
    /// Public keys that open it.
    pub public_keys: Vec<PublicKeyLine>,
    /// Keys of authorities whose certificates open it.
    pub authorities: Vec<String>,
    /// Names one of which a certificate must carry.
    pub principals: Vec<String>,
    /// Whether a key, or a certificate, and the password are both needed.
    pub needs_both: bool,
    /// An Argon2id hash in PHC format; `None` means keys only.
    pub password_hash: Option<SecretString>,
}

/// A public key as OpenSSH writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyLine {
    /// Type, data and comment; `expiry-time="YYYYMMDD"` may stand before.
    pub line: String,
    /// When it opens nothing any more, besides what the line says.
    pub until: Option<Timestamp>,
}

impl From<String> for PublicKeyLine {
    fn from(line: String) -> Self {
        Self { line, until: None }
    }
}

/// How much is too much.
#[derive(Debug, Clone)]
pub struct SftpLimits {
    /// Connections in all.
    pub max_connections: usize,
    /// Connections of one address that have not logged in.
    pub max_strangers_per_address: usize,
    /// Connections of one partner.
    pub max_connections_per_partner: usize,
    /// Refused logins before the connection is cut.
    pub max_login_attempts: usize,
    /// Open handles of one channel.
    pub max_handles: usize,
    /// Open handles of one partner, over all its connections: each may be an open file of ours.
    pub max_handles_per_partner: usize,
    /// Channels of one partner, over all its connections.
    pub max_channels_per_partner: usize,
    /// Whether files may also be uploaded with the old SCP protocol.
    pub scp: bool,
    /// How long a login may take.
    pub login_time: Duration,
    /// How long a connection may be silent.
    pub idle_time: Duration,
    /// How long each refused login takes at least.
    pub rejection_time: Duration,
    /// How long a graceful stop waits for running requests.
    pub drain_time: Duration,
}

impl Default for SftpLimits {
    fn default() -> Self {
        Self {
            max_connections: 256,
            max_strangers_per_address: 16,
            max_connections_per_partner: 64,
            max_login_attempts: 6,
            max_handles: 64,
            max_handles_per_partner: 256,
            max_channels_per_partner: 128,
            scp: false,
            login_time: Duration::from_secs(60),
            idle_time: Duration::from_secs(600),
            rejection_time: Duration::from_secs(1),
            drain_time: Duration::from_secs(10),
        }
    }
}

/// Why the server cannot start; every variant is for the operator to mend.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}, which is sftp.listen")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A host key cannot be read or made.
    #[error(transparent)]
    HostKey(#[from] KeyFileError),
    /// A public key of a login cannot be read.
    #[error("public key number {number} of user `{user}` cannot be used: {reason}")]
    PublicKey {
        /// Whose.
        user: String,
        /// Which, from 1.
        number: usize,
        /// Why not.
        reason: String,
    },
    /// A rule of the revocation list is none.
    #[error("line {line} of the revocation list is no rule: {reason}")]
    Revocation {
        /// Which.
        line: usize,
        /// Why not.
        reason: String,
    },
    /// The bans cannot be read.
    #[error("the ledger's bans cannot be read: {0}")]
    Bans(#[from] LedgerError),
    /// A password hash is no Argon2id hash.
    #[error("the password hash of user `{0}` is not an Argon2id hash in PHC format")]
    PasswordHash(String),
    /// Two logins have one user name.
    #[error("user `{0}` is given twice")]
    UserTwice(String),
    /// A directory's name cannot be one, or two directories of a partner have the same.
    #[error("directory `{dir}` of partner `{partner}` is no usable name or is given twice")]
    Directory {
        /// Whose.
        partner: PartnerId,
        /// Which.
        dir: String,
    },
}
