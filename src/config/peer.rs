//! Servers of others that are reached by SFTP: where, as whom, and by which key they are known.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::reader::Section;
use super::{files, partner};

/// A server and a login there.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The keys it may show, as OpenSSH lines.
    pub host_keys: Vec<String>,
    /// A private key in OpenSSH form.
    pub key_file: Option<PathBuf>,
    /// A certificate of that key.
    pub certificate_file: Option<PathBuf>,
    /// A password.
    pub password: Option<SecretString>,
    /// Longest wait for a connection.
    pub connect_ms: u64,
    /// Longest silence.
    pub timeout_ms: u64,
}

/// Reads the keys of a section that say where a server is and how to get in.
pub(super) fn read(section: &Section<'_>, (connect_ms, timeout_ms): (u64, u64)) -> Option<PeerConfig> {
    let (host, user) = (section.required("host"), section.required("user"));
    let port = section.number("port", 22, 1..=u64::from(u16::MAX));
    let host_keys = host_keys(section);
    let key_file = section.path("key_file");
    let certificate_file = section.path("certificate_file");
    let password = files::secret(section, "password_file");
    if key_file.is_none() && !section.has("password_file") {
        section.fault_here("needs key_file or password_file");
    }
    if key_file.is_none() && certificate_file.is_some() {
        section.fault("certificate_file", "needs key_file");
    }
    // Read where it is used; what it is, and who else may read it, is told here.
    if let Some(key) = files::secret(section, "key_file")
        && !key.expose_secret().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----")
    {
        section.fault("key_file", "does not hold a private key in OpenSSH's form; `ssh-keygen -t ed25519` makes one");
    }
    if host.as_ref().is_some_and(|host| host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/')) {
        section.fault("host", "must be a server's name or address");
    }
    Some(PeerConfig {
        host: host?,
        port: u16::try_from(port).unwrap_or(u16::MAX),
        user: user?,
        host_keys,
        key_file,
        certificate_file,
        password,
        connect_ms,
        timeout_ms,
    })
}

/// The pinned keys, as lines of a .pub file or of `ssh-keyscan`.
fn host_keys(section: &Section<'_>) -> Vec<String> {
    let mut keys = Vec::new();
    let mut take = |key: &'static str, line: &str| {
        let line = without_host(line);
        partner::check_host_key(section, key, line);
        keys.push(line.to_owned());
    };
    section.texts("host_keys").iter().for_each(|line| take("host_keys", line));
    if let Some(text) = files::text(section, "host_keys_file") {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.for_each(|line| take("host_keys_file", line));
    }
    if keys.is_empty() && !section.has("host_keys") && !section.has("host_keys_file") {
        section
            .fault_here("needs host_keys or host_keys_file, by which the server is known: ask its owner for the key");
    }
    keys
}

/// A line as `ssh-keyscan` prints it begins with the host.
fn without_host(line: &str) -> &str {
    match line.split_once(char::is_whitespace) {
        Some((first, rest)) if !partner::is_key_type(first) => rest.trim_start(),
        _ => line,
    }
}
