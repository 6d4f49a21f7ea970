//! Host keys: made once, kept for ever, several at a time so that the next one is known before it is shown.
//!
//! A directory holds files `*_key` in OpenSSH's form. Of each algorithm the first in order of name is shown; those after
//! it wait for their turn. A certificate `*_key-cert.pub` beside a key is shown with it, to clients that ask for
//! certificates. One of a key that waits is not: OpenSSH asks for certificates also where it has pinned the plain key.

mod certificate;
mod turns;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, PublicKey};
use rustix::process::geteuid;

pub use self::turns::{HostKeyKind, make as make_host_key, retire as retire_host_key};

use self::certificate::Validity;
use super::offers::Keys;
use crate::adapters::key_file::{self, KeyFileError};

/// A key of the directory.
pub struct HostKey {
    path: PathBuf,
    key: PrivateKey,
    certificate: Option<Certificate>,
    shown: Shown,
}

/// To whom a key is shown without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// All.
    Everybody,
    /// Those that may know no Ed25519.
    OlderClients,
    /// Nobody until the key before it is retired.
    Nobody,
}

impl HostKey {
    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// To whom it is shown.
    pub fn shown(&self) -> Shown {
        self.shown
    }

    /// The name of its algorithm in SSH, such as `ssh-ed25519`.
    pub fn algorithm(&self) -> String {
        self.key.algorithm().to_string()
    }

    /// Its fingerprint, such as `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// When its certificate ends; `Some(None)` for one without an end.
    pub fn certified_until(&self) -> Option<Option<Timestamp>> {
        self.certificate.as_ref().map(certificate::until)
    }

    /// Itself as clients keep it in known_hosts files: type and data.
    pub fn public(&self) -> String {
        bare(self.key.public_key())
    }

    /// The authority that speaks for it, in the same form.
    pub fn authority(&self) -> Option<String> {
        self.certificate.as_ref().map(|certificate| bare(&certificate.signature_key().clone().into()))
    }
}

/// A public key's type and data.
fn bare(key: &PublicKey) -> String {
    let text = key.to_openssh().unwrap_or_default();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Reads the host keys of a directory, in order of name; none when there is no directory.
pub fn read_host_keys(dir: &Path) -> Result<Vec<HostKey>, KeyFileError> {
    let mut seen: Vec<Algorithm> = Vec::new();
    let mut keys = Vec::new();
    for path in paths(dir).map_err(|source| KeyFileError::Disk { path: dir.to_owned(), source })? {
        let key = key_file::read(&path)?;
        let certificate = certificate::beside(&path, &key)?;
        let shown = if path.ends_with(OLDER) {
            Shown::OlderClients
        } else if seen.contains(&key.algorithm()) {
            Shown::Nobody
        } else {
            seen.push(key.algorithm());
            Shown::Everybody
        };
        keys.push(HostKey { path, key, certificate, shown });
    }
    Ok(keys)
}

/// Reads the host keys of a directory; makes an Ed25519 key when there is none, and an ECDSA key for clients that may know
/// no Ed25519, shown to them alone.
pub(super) fn load_or_make(dir: &Path, now: Timestamp) -> Result<Keys, KeyFileError> {
    ready(dir)?;
    if read_host_keys(dir)?.iter().all(|key| key.shown == Shown::OlderClients) {
        unless_there(turns::make(dir, HostKeyKind::Ed25519))?;
    }
    if !dir.join(OLDER).exists() {
        unless_there(key_file::make_ecdsa(&dir.join(OLDER), COMMENT))?;
    }
    Ok(parted(read_host_keys(dir)?, now))
}

/// Whoever else makes keys just now may have been quicker: then theirs is the one to read.
fn unless_there<T>(made: Result<T, KeyFileError>) -> Result<(), KeyFileError> {
    match made {
        Err(KeyFileError::Disk { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// The keys by what they are for, told to the log.
fn parted(found: Vec<HostKey>, now: Timestamp) -> Keys {
    let mut keys = Keys { keys: Vec::new(), older_only: Vec::new(), certificates: Vec::new() };
    for HostKey { path, key, certificate, shown } in found {
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        tracing::info!(%fingerprint, algorithm = %key.algorithm(), waits = shown == Shown::Nobody, "host key");
        let certificate = certificate.filter(|_certificate| shown != Shown::Nobody);
        match certificate::validity(certificate.as_ref(), now) {
            Validity::None => {}
            Validity::Good => keys.certificates.extend(certificate),
            Validity::EndsSoon(until) => {
                tracing::warn!(path = %path.display(), %until, "the certificate of a host key ends soon");
                keys.certificates.extend(certificate);
            }
            Validity::Not => tracing::warn!(
                path = %path.display(),
                "the certificate of a host key is not valid now; the key is shown without it"
            ),
        }
        let list = if shown == Shown::OlderClients { &mut keys.older_only } else { &mut keys.keys };
        list.push(key);
    }
    keys
}

fn ready(dir: &Path) -> Result<(), KeyFileError> {
    let made = || -> io::Result<()> {
        let missing: Vec<_> = dir.ancestors().take_while(|dir| !dir.exists()).collect();
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let above = missing.last().and_then(|dir| dir.parent());
        if let Some(above) = above.filter(|_| geteuid().is_root()) {
            // Made by root for the gateway, as its keys are.
            let owner = fs::metadata(above)?;
            missing.iter().try_for_each(|dir| chown(dir, Some(owner.uid()), Some(owner.gid())))?;
        }
        Ok(())
    };
    made().map_err(|source| KeyFileError::Disk { path: dir.to_owned(), source })
}

fn paths(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_key")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The key for older clients.
const OLDER: &str = "older_clients_ecdsa_key";
const COMMENT: &str = "sluse";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn load(dir: &Path) -> Keys {
        load_or_make(dir, Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_key_is_made_once_for_the_owner_only_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        assert!(read_host_keys(&keys).unwrap().is_empty());
        let first = load(&keys);
        let file = keys.join("ssh_host_ed25519_key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = load(&keys);
        assert_eq!(first.keys[0].public_key(), again.keys[0].public_key());
        assert_eq!(first.older_only[0].public_key(), again.older_only[0].public_key());
        assert_eq!((again.keys.len(), again.older_only.len()), (1, 1));
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("odd_key"), "nothing").unwrap();
        let error = load_or_make(dir.path(), Timestamp::UNIX_EPOCH).err().unwrap();
        assert!(error.to_string().contains("odd_key"));
    }
}
