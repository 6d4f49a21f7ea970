//! Host keys: made once, kept for ever, several at a time so that one can be rotated in.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::ssh_key::{self, LineEnding};
use russh::keys::{HashAlg, PrivateKey};

/// Why a host key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// The directory or a file in it cannot be read or written.
    #[error("host keys in {}: {source}", path.display())]
    Disk {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds no private key in OpenSSH format without a passphrase.
    #[error("host key {} cannot be used: {source}", path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: ssh_key::Error,
    },
    /// The system gives no random bytes.
    #[error("no random bytes for a new host key")]
    Random,
}

/// Reads the host keys of a directory, in order of name; makes an Ed25519 key when there is none.
pub(super) fn load_or_make(dir: &Path) -> Result<Vec<PrivateKey>, HostKeyError> {
    let mut paths = key_paths(dir).map_err(|source| HostKeyError::Disk { path: dir.to_owned(), source })?;
    if paths.is_empty() {
        paths.push(make(dir)?);
    }
    let keys = paths.into_iter().map(load).collect::<Result<Vec<_>, _>>()?;
    for key in &keys {
        tracing::info!(fingerprint = %key.fingerprint(HashAlg::Sha256), algorithm = %key.algorithm(), "host key");
    }
    Ok(keys)
}

fn key_paths(dir: &Path) -> io::Result<Vec<PathBuf>> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_key")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn load(path: PathBuf) -> Result<PrivateKey, HostKeyError> {
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(source) => return Err(HostKeyError::Disk { path, source }),
    };
    match PrivateKey::from_openssh(&text) {
        Ok(key) if key.is_encrypted() => Err(HostKeyError::Key { path, source: ssh_key::Error::Encrypted }),
        Ok(key) => Ok(key),
        Err(source) => Err(HostKeyError::Key { path, source }),
    }
}

fn make(dir: &Path) -> Result<PathBuf, HostKeyError> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_unspecified| HostKeyError::Random)?;
    let path = dir.join("ssh_host_ed25519_key");
    let text = PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&seed)), "sluse")
        .and_then(|key| key.to_openssh(LineEnding::LF));
    let written = match text {
        Ok(text) => write_durably(dir, &path, text.as_bytes()),
        Err(source) => return Err(HostKeyError::Key { path, source }),
    };
    written.map_err(|source| HostKeyError::Disk { path: path.clone(), source })?;
    Ok(path)
}

/// A key half written would lock every partner out at the next start, so it appears whole or not at all.
fn write_durably(dir: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_the_owner_only_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        let first = load_or_make(&keys).unwrap();
        let file = keys.join("ssh_host_ed25519_key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = load_or_make(&keys).unwrap();
        assert_eq!(first[0].public_key(), again[0].public_key());
        fs::copy(&file, keys.join("z_next_key")).unwrap();
        assert_eq!(load_or_make(&keys).unwrap().len(), 2);
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("odd_key"), "nothing").unwrap();
        assert!(load_or_make(dir.path()).unwrap_err().to_string().contains("odd_key"));
    }
}
