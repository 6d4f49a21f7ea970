//! SSH keys in files: made once for their owner only, read ever after.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::private::{EcdsaKeypair, Ed25519Keypair, KeypairData};
use russh::keys::ssh_key::{self, EcdsaCurve, LineEnding};
use rustix::process::geteuid;
use uuid::Uuid;

use super::durable;
use crate::kill_point::kill_point;

pub use russh::keys::{PrivateKey, PublicKey};

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It, or its directory, cannot be read or written.
    #[error("{}: {source}", path.display())]
    Disk {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds no private key in OpenSSH format without a passphrase.
    #[error("the key {} cannot be used: {source}", path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: ssh_key::Error,
    },
    /// The certificate beside a key cannot be used.
    #[error("the certificate {} cannot be used: {reason}", path.display())]
    Certificate {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// The system gives no random bytes.
    #[error("no random bytes for a new key")]
    Random,
}

/// Reads a key.
pub fn read(path: &Path) -> Result<PrivateKey, KeyFileError> {
    let text = fs::read(path).map_err(|source| KeyFileError::Disk { path: path.to_owned(), source })?;
    let unusable = |source| KeyFileError::Key { path: path.to_owned(), source };
    let key = PrivateKey::from_openssh(&text).map_err(unusable)?;
    if key.is_encrypted() { Err(unusable(ssh_key::Error::Encrypted)) } else { Ok(key) }
}

/// Makes an Ed25519 key and writes it.
pub fn make(path: &Path, comment: &str) -> Result<PrivateKey, KeyFileError> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_unspecified| KeyFileError::Random)?;
    keep(path, Ed25519Keypair::from_seed(&seed).into(), comment)
}

/// Makes an ECDSA key on the curve P-256 and writes it, for clients that know nothing newer.
pub fn make_ecdsa(path: &Path, comment: &str) -> Result<PrivateKey, KeyFileError> {
    let unusable = |source| KeyFileError::Key { path: path.to_owned(), source };
    let pair = EcdsaKeypair::random(&mut safe_rng(), EcdsaCurve::NistP256).map_err(unusable)?;
    keep(path, pair.into(), comment)
}

fn keep(path: &Path, pair: KeypairData, comment: &str) -> Result<PrivateKey, KeyFileError> {
    let unusable = |source| KeyFileError::Key { path: path.to_owned(), source };
    let key = PrivateKey::new(pair, comment).map_err(unusable)?;
    let text = key.to_openssh(LineEnding::LF).map_err(unusable)?;
    write_durably(path, text.as_bytes()).map_err(|source| KeyFileError::Disk { path: path.to_owned(), source })?;
    Ok(key)
}

/// A key half written would lock everyone out at the next start, so it appears whole or not at all. Never in the place of
/// what is there: that may be the key that everybody has pinned.
fn write_durably(path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.new", Uuid::new_v4()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let handed_over = hand_over(&file, path.parent().unwrap_or(Path::new(".")));
    let written = handed_over.and_then(|()| file.write_all(text)).and_then(|()| file.sync_all());
    kill_point("key.written");
    let named = written.and_then(|()| fs::hard_link(&unfinished, path));
    kill_point("key.named");
    fs::remove_file(&unfinished)?;
    named?;
    path.parent().map_or(Ok(()), durable::sync_dir)?;
    kill_point("key.synced");
    Ok(())
}

/// What root makes for the gateway, whose directory it is, the gateway could not read: it would not start.
fn hand_over(file: &File, dir: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(dir)?;
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}
