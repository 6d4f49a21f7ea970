//! Where a source is: a local directory, or one of an SFTP server.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::files;
use super::reader::Section;

/// Where a source is.
#[derive(Debug, Clone)]
pub enum PlaceConfig {
    /// A local directory.
    Watched(WatchedConfig),
    /// A directory of an SFTP server.
    Polled(Box<PolledConfig>),
}

/// A local directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedConfig {
    /// Which.
    pub path: PathBuf,
    /// The kernel is asked to tell of changes: not where other machines write.
    pub events: bool,
}

/// A directory of an SFTP server.
#[derive(Debug, Clone)]
pub struct PolledConfig {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The keys it may show, as OpenSSH lines.
    pub host_keys: Vec<String>,
    /// Whom we log in as.
    pub user: String,
    /// Our key, in OpenSSH's form and without a passphrase.
    pub key: Option<SecretString>,
    /// Our password.
    pub password: Option<SecretString>,
    /// The directory; empty for the login's own.
    pub path: String,
    /// Longest wait for a connection.
    pub connect_ms: u64,
}

impl PlaceConfig {
    /// Its word in the configuration, and where it is, for people.
    pub fn told(&self) -> String {
        match self {
            Self::Watched(place) => format!("watched {}", place.path.display()),
            Self::Polled(place) => format!("polled {}@{}:{} {}", place.user, place.host, place.port, place.path),
        }
    }

    /// Tells two sources that would take the same file.
    pub(super) fn is_also(&self, other: &Self, (depth, other_depth): (u32, u32)) -> bool {
        match (self, other) {
            (Self::Watched(one), Self::Watched(other)) => {
                let [one, other] = [one, other].map(|place| place.path.components().collect::<PathBuf>());
                // One inside the other is reached by its depth alone.
                one == other || depth > 0 && other.starts_with(&one) || other_depth > 0 && one.starts_with(&other)
            }
            (Self::Polled(one), Self::Polled(other)) => {
                let place = |place: &PolledConfig| {
                    let path = place.path.trim_end_matches('/').to_owned();
                    (place.host.to_lowercase(), place.port, place.user.clone(), path)
                };
                place(one) == place(other)
            }
            (Self::Watched(_), Self::Polled(_)) | (Self::Polled(_), Self::Watched(_)) => false,
        }
    }
}

/// Reads `kind` and what goes with it.
pub(super) fn read(section: &Section<'_>) -> Option<PlaceConfig> {
    match section.required("kind")?.as_str() {
        "watched" => {
            section.required("path");
            let (path, events) = (section.path("path"), section.flag("events", true));
            Some(PlaceConfig::Watched(WatchedConfig { path: path?, events }))
        }
        "polled" => polled(section).map(|place| PlaceConfig::Polled(Box::new(place))),
        _ => {
            section.fault("kind", "must be \"watched\" or \"polled\"");
            section.leave();
            None
        }
    }
}

fn polled(section: &Section<'_>) -> Option<PolledConfig> {
    let (host, user) = (section.required("host"), section.required("user"));
    let port = u16::try_from(section.number("port", 22, 1..=65_535)).ok();
    let host_keys = section.texts("host_keys");
    if host_keys.is_empty() {
        section.fault("host_keys", "is missing: `ssh-keyscan` shows the server's; have its operator confirm it");
    }
    for key in host_keys.iter().filter(|key| !is_public_key(key)) {
        section
            .fault("host_keys", format!("{key:?} is not a public key in OpenSSH's form, such as `ssh-ed25519 AAAA…`"));
    }
    let (key, password) = (files::secret(section, "key_file"), files::secret(section, "password_file"));
    if !section.has("key_file") && !section.has("password_file") {
        section.fault("key_file", "is missing: give this or password_file");
    }
    if key.as_ref().is_some_and(|key| !key.expose_secret().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----")) {
        section.fault("key_file", "does not hold a private key in OpenSSH's form; `ssh-keygen -t ed25519` makes one");
    }
    let path = section.text("path").unwrap_or_default();
    let connect_ms = section.number("connect_ms", 10_000, 10..=600_000);
    Some(PolledConfig { host: host?, port: port?, host_keys, user: user?, key, password, path, connect_ms })
}

fn is_public_key(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let (kind, data) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let data = BASE64_STANDARD.decode(data).unwrap_or_default();
    // The key's own bytes begin with the length and the name of its type.
    ["ssh-ed25519", "ssh-rsa"].contains(&kind) | kind.starts_with("ecdsa-sha2-nistp")
        && data.get(4..).is_some_and(|rest| rest.starts_with(kind.as_bytes()))
}
