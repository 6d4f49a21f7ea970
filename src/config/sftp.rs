//! The SFTP server and its defender.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::files;
use super::reader::Section;

/// The SFTP server.
#[derive(Debug, Clone)]
pub struct SftpConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where host keys lie; made on first start.
    pub host_key_dir: PathBuf,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections of one address that have not logged in.
    pub max_strangers_per_address: usize,
    /// Connections of one partner.
    pub max_connections_per_partner: usize,
    /// Refused logins before the connection is cut.
    pub max_login_attempts: usize,
    /// Open handles of one channel.
    pub max_handles: usize,
    /// Open handles of one partner.
    pub max_handles_per_partner: usize,
    /// Channels of one partner.
    pub max_channels_per_partner: usize,
    /// Whether files may also be uploaded with the old SCP protocol.
    pub scp: bool,
    /// A connection without traffic is closed after so long.
    pub idle_ms: u64,
    /// A connection that has not logged in is closed after so long.
    pub login_ms: u64,
    /// A refused login is answered after so long at least.
    pub rejection_ms: u64,
    /// Load balancers, whose connections begin with a PROXY header.
    pub proxies: Vec<IpNet>,
    /// Rules for keys and certificates that open nothing any more.
    pub revoked: String,
    /// What is done about those who guess.
    pub defence: DefenderConfig,
}

/// What is done about those who guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefenderConfig {
    /// Refused logins of one address until it is kept out; 0 turns the defender off.
    pub ban_score: u32,
    /// How long a refused login is counted.
    pub window_ms: u64,
    /// How long the first ban lasts.
    pub ban_ms: u64,
    /// How much longer each refused login waits than the one before.
    pub wait_ms: u64,
    /// The longest wait.
    pub longest_wait_ms: u64,
    /// Addresses that are never counted.
    pub allow: Vec<IpNet>,
}

/// Reads `[sftp]`.
pub(super) fn read(section: &Section<'_>, data_dir: Option<&Path>, defence: DefenderConfig) -> Option<SftpConfig> {
    let listen = if section.text("listen").is_some() {
        section.parsed("listen")
    } else {
        Some(SocketAddr::from(([127, 0, 0, 1], 2222)))
    };
    let host_key_dir = section.path("host_key_dir").or_else(|| data_dir.map(|dir| dir.join("host-keys")));
    let count = |key, default| usize::try_from(section.number(key, default, 1..=100_000)).unwrap_or(usize::MAX);
    let config = SftpConfig {
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 2222))),
        host_key_dir: host_key_dir.clone().unwrap_or_default(),
        max_connections: count("max_connections", 256),
        max_strangers_per_address: count("max_strangers_per_address", 16),
        max_connections_per_partner: count("max_connections_per_partner", 64),
        max_login_attempts: count("max_login_attempts", 6),
        max_handles: count("max_handles", 64),
        max_handles_per_partner: count("max_handles_per_partner", 256),
        max_channels_per_partner: count("max_channels_per_partner", 128),
        scp: section.flag("scp", false),
        idle_ms: section.number("idle_ms", 600_000, 1_000..=86_400_000),
        login_ms: section.number("login_ms", 60_000, 1_000..=600_000),
        rejection_ms: section.number("rejection_ms", 1_000, 0..=60_000),
        proxies: networks(section, "proxies"),
        revoked: files::text(section, "revoked_file").unwrap_or_default(),
        defence,
    };
    listen.and(host_key_dir).map(|_both| config)
}

/// Reads `[defender]`.
pub(super) fn defender(section: &Section<'_>) -> DefenderConfig {
    let ban_score = section.number("ban_score", 20, 0..=1_000_000);
    DefenderConfig {
        ban_score: u32::try_from(ban_score).unwrap_or(u32::MAX),
        window_ms: section.number("window_ms", 600_000, 1_000..=86_400_000),
        ban_ms: section.number("ban_ms", 900_000, 1_000..=86_400_000),
        wait_ms: section.number("wait_ms", 500, 0..=60_000),
        longest_wait_ms: section.number("longest_wait_ms", 10_000, 0..=60_000),
        allow: networks(section, "allow"),
    }
}

/// Addresses and networks, as `192.0.2.7` or `192.0.2.0/24`.
pub(super) fn networks(section: &Section<'_>, key: &'static str) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in section.texts(key) {
        match text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => networks.push(network),
            Err(_) => section.fault(key, format!("{text:?} is no address such as 192.0.2.7 or 192.0.2.0/24")),
        }
    }
    networks
}
