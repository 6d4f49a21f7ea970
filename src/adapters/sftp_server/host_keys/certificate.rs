//! OpenSSH host certificates: an authority's word for a host key, so that clients that trust it need pin no key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, PrivateKey};

use crate::adapters::key_file::KeyFileError;

/// Reads the certificate beside a key's file (`X_key-cert.pub`), if there is one.
pub(super) fn beside(key_path: &Path, key: &PrivateKey) -> Result<Option<Certificate>, KeyFileError> {
    let path = path(key_path);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(KeyFileError::Disk { path, source }),
    };
    match Certificate::from_openssh(text.trim()) {
        Err(_unreadable) => Err(KeyFileError::Certificate { path, reason: "it is none in OpenSSH's form" }),
        Ok(certificate) => match wrong(&certificate, key) {
            Some(reason) => Err(KeyFileError::Certificate { path, reason }),
            None => Ok(Some(certificate)),
        },
    }
}

/// Where the certificate of a key is, if there is one.
pub(super) fn path(key_path: &Path) -> PathBuf {
    let mut name = key_path.as_os_str().to_owned();
    name.push(ENDING);
    name.into()
}

/// Why a certificate says nothing of a key, at any time.
fn wrong(certificate: &Certificate, key: &PrivateKey) -> Option<&'static str> {
    if certificate.cert_type() != CertType::Host {
        return Some("it is no host certificate");
    }
    if certificate.public_key() != key.public_key().key_data() {
        return Some("it is for another key");
    }
    if certificate.signature().algorithm() == (Algorithm::Rsa { hash: None }) {
        return Some("it is signed with SHA-1");
    }
    certificate.verify_signature().is_err().then_some("its signature is wrong")
}

/// Whether there is a certificate that holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Validity {
    /// There is none.
    None,
    /// It holds.
    Good,
    /// It holds, until then.
    EndsSoon(Timestamp),
    /// It does not hold yet, or no more.
    Not,
}

/// Whether a certificate holds now.
pub(super) fn validity(certificate: Option<&Certificate>, now: Timestamp) -> Validity {
    let Some(certificate) = certificate else { return Validity::None };
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    if seconds < certificate.valid_after() || seconds >= certificate.valid_before() {
        return Validity::Not;
    }
    match until(certificate) {
        Some(until) if until.duration_since(now).unsigned_abs() < SOON => Validity::EndsSoon(until),
        Some(_) | None => Validity::Good,
    }
}

/// The first moment at which a certificate is good for nothing any more; `None` when it never ends.
pub(super) fn until(certificate: &Certificate) -> Option<Timestamp> {
    i64::try_from(certificate.valid_before()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// What stands behind a key's name in that of its certificate.
pub(super) const ENDING: &str = "-cert.pub";
const SOON: Duration = Duration::from_hours(14 * 24);
