//! The turns of host keys: one is made and known before it is shown, and set aside after.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use russh::keys::{Algorithm, EcdsaCurve};

use super::{COMMENT, HostKey, Shown, certificate, read_host_keys, ready};
use crate::adapters::durable;
use crate::adapters::key_file::{self, KeyFileError};

/// What kind of key to make or to set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKeyKind {
    /// Ed25519, which every client of the last ten years knows.
    Ed25519,
    /// ECDSA; new ones are on the curve P-256.
    Ecdsa,
}

impl HostKeyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh_host_ed25519_key",
            Self::Ecdsa => "ssh_host_ecdsa_key",
        }
    }

    /// The algorithm of those that are made.
    fn made(self) -> Algorithm {
        match self {
            Self::Ed25519 => Algorithm::Ed25519,
            Self::Ecdsa => Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        }
    }

    fn is_of(self, key: &HostKey) -> bool {
        let algorithm = key.key.algorithm();
        match self {
            Self::Ed25519 => algorithm == Algorithm::Ed25519,
            Self::Ecdsa => algorithm.is_ecdsa(),
        }
    }
}

/// Makes a key: the first of its kind, or the one that is shown next; `None` when one waits already.
pub fn make(dir: &Path, kind: HostKeyKind) -> Result<Option<PathBuf>, KeyFileError> {
    ready(dir)?;
    let path = match turns(dir, kind)?.into_iter().find(|(current, _)| current.key.algorithm() == kind.made()) {
        None => dir.join(kind.name()),
        Some((current, None)) => current.path.with_file_name(after(&current.path)),
        Some((_current, Some(_next))) => return Ok(None),
    };
    match kind {
        HostKeyKind::Ed25519 => key_file::make(&path, COMMENT)?,
        HostKeyKind::Ecdsa => key_file::make_ecdsa(&path, COMMENT)?,
    };
    Ok(Some(path))
}

/// Sets the key that is shown aside, with its certificate, and gives its name to the one that waits; `None` when none does.
/// Tells where the old key is.
pub fn retire(dir: &Path, kind: HostKeyKind) -> Result<Option<PathBuf>, KeyFileError> {
    let keys = turns(dir, kind)?;
    for (current, _next) in &keys {
        if let Some(name) = broken_off(dir, current)? {
            step(&current.path, &name)?;
            return Ok(Some(aside(&name)));
        }
    }
    let waited_for = |(current, next): (HostKey, Option<HostKey>)| Some((current, next?));
    keys.into_iter().find_map(waited_for).map(|(current, next)| set_aside(current, &next)).transpose()
}

fn set_aside(current: HostKey, next: &HostKey) -> Result<PathBuf, KeyFileError> {
    let (certified, shown) = (certificate::path(&current.path), current.path);
    let old = [(&certified, aside(&certified)), (&shown, aside(&shown))];
    // Before anything is moved: what is refused has changed nothing.
    for (from, to) in &old {
        if from.exists() && to.exists() {
            return Err(there_already(to));
        }
    }
    // In this order there is a right key with a right certificate, or none, wherever it breaks off.
    for (from, to) in &old {
        step(from, to)?;
    }
    step(&certificate::path(&next.path), &certified)?;
    step(&next.path, &shown)?;
    Ok(aside(&shown))
}

/// The name that a key was to have when its turn broke off: its certificate has that name already.
fn broken_off(dir: &Path, key: &HostKey) -> Result<Option<PathBuf>, KeyFileError> {
    let disk = |source| KeyFileError::Disk { path: dir.to_owned(), source };
    for entry in fs::read_dir(dir).map_err(disk)? {
        let file = entry.map_err(disk)?.path();
        let name = file.to_str().and_then(|file| file.strip_suffix(certificate::ENDING)).map(PathBuf::from);
        let Some(name) = name.filter(|name| !name.exists() && aside(name).exists()) else { continue };
        // One of another key is none of a turn.
        if matches!(certificate::beside(&name, &key.key), Ok(Some(_))) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The keys of a kind that are shown, each with the one that waits for its turn.
fn turns(dir: &Path, kind: HostKeyKind) -> Result<Vec<(HostKey, Option<HostKey>)>, KeyFileError> {
    let keys = read_host_keys(dir)?.into_iter().filter(|key| kind.is_of(key) && key.shown != Shown::OlderClients);
    let (shown, mut waiting): (Vec<_>, Vec<_>) = keys.partition(|key| key.shown == Shown::Everybody);
    let with_next = |current: HostKey| {
        let next = waiting.iter().position(|next| next.algorithm() == current.algorithm());
        (current, next.map(|next| waiting.remove(next)))
    };
    Ok(shown.into_iter().map(with_next).collect())
}

/// A name that comes right after a key's in the order of names.
fn after(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{}_next_key", name.strip_suffix("_key").unwrap_or(&name)).into()
}

/// Where what is retired is set aside.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".retired");
    name.into()
}

/// Moves what is there.
fn step(from: &Path, to: &Path) -> Result<(), KeyFileError> {
    if !from.exists() {
        return Ok(());
    }
    if to.exists() {
        return Err(there_already(to));
    }
    durable::rename(from, to).map_err(|source| KeyFileError::Disk { path: to.to_owned(), source })
}

fn there_already(path: &Path) -> KeyFileError {
    let source = io::Error::new(io::ErrorKind::AlreadyExists, "it is there already: move it away first");
    KeyFileError::Disk { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use russh::keys::PrivateKey;
    use russh::keys::key::safe_rng;
    use russh::keys::ssh_key::LineEnding;
    use russh::keys::ssh_key::certificate::{Builder, CertType};
    use russh::keys::ssh_key::private::EcdsaKeypair;
    use rustix::process::geteuid;

    use super::*;

    fn shown(dir: &Path) -> Vec<(String, Shown)> {
        let name = |key: &HostKey| key.path.file_name().unwrap().to_string_lossy().into_owned();
        read_host_keys(dir).unwrap().iter().map(|key| (name(key), key.shown)).collect()
    }

    fn public(dir: &Path, name: &str) -> String {
        super::super::bare(key_file::read(&dir.join(name)).unwrap().public_key())
    }

    #[test]
    fn one_key_waits_and_takes_the_place_of_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        assert_eq!(retire(dir, HostKeyKind::Ed25519).unwrap(), None);
        for kind in [HostKeyKind::Ed25519, HostKeyKind::Ecdsa] {
            make(dir, kind).unwrap().unwrap();
        }
        assert_eq!(retire(dir, HostKeyKind::Ed25519).unwrap(), None);
        make(dir, HostKeyKind::Ed25519).unwrap().unwrap();
        assert_eq!(make(dir, HostKeyKind::Ed25519).unwrap(), None);
        let (ecdsa, first, next) = ("ssh_host_ecdsa_key", "ssh_host_ed25519_key", "ssh_host_ed25519_next_key");
        let named = |name: &str, shown| (name.to_owned(), shown);
        let expected = [named(ecdsa, Shown::Everybody), named(first, Shown::Everybody), named(next, Shown::Nobody)];
        assert_eq!(shown(dir), expected);

        let (old, new) = (public(dir, first), public(dir, next));
        let aside = retire(dir, HostKeyKind::Ed25519).unwrap().unwrap();
        assert_eq!(shown(dir), [named(ecdsa, Shown::Everybody), named(first, Shown::Everybody)]);
        assert_eq!(public(dir, first), new);
        assert_eq!(public(dir, aside.to_str().unwrap()), old);

        // The one set aside before is not lost to the next.
        make(dir, HostKeyKind::Ed25519).unwrap().unwrap();
        certify(dir, first);
        let error = retire(dir, HostKeyKind::Ed25519).unwrap_err();
        assert!(error.to_string().contains("ssh_host_ed25519_key.retired: it is there already"), "{error}");
        assert_eq!(shown(dir), expected);
        assert!(certificate::path(&dir.join(first)).exists(), "what is still shown keeps its certificate");
    }

    #[test]
    fn a_turn_that_broke_off_comes_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        for _turn in ["first", "next"] {
            make(dir, HostKeyKind::Ed25519).unwrap().unwrap();
        }
        let (first, next) = ("ssh_host_ed25519_key", "ssh_host_ed25519_next_key");
        certify(dir, next);
        let (new, [first, next]) = (public(dir, next), [first, next].map(|name| dir.join(name)));
        fs::rename(&first, aside(&first)).unwrap();
        fs::rename(certificate::path(&next), certificate::path(&first)).unwrap();
        // Here the machine stopped.
        assert_eq!(retire(dir, HostKeyKind::Ed25519).unwrap(), Some(aside(&first)));
        let keys = read_host_keys(dir).unwrap();
        assert_eq!((keys.len(), keys[0].public(), keys[0].path()), (1, new, &*first));
        assert!(keys[0].certified_until().is_some());
        assert_eq!(retire(dir, HostKeyKind::Ed25519).unwrap(), None);
    }

    #[test]
    fn a_key_on_another_curve_does_not_wait() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let older = PrivateKey::from(EcdsaKeypair::random(&mut safe_rng(), EcdsaCurve::NistP384).unwrap());
        older.write_openssh_file(dir.join("old_key"), LineEnding::LF).unwrap();
        let (first, next) = ("ssh_host_ecdsa_key", "ssh_host_ecdsa_next_key");
        assert_eq!(make(dir, HostKeyKind::Ecdsa).unwrap(), Some(dir.join(first)));
        assert_eq!(retire(dir, HostKeyKind::Ecdsa).unwrap(), None);
        assert_eq!(make(dir, HostKeyKind::Ecdsa).unwrap(), Some(dir.join(next)));
        assert_eq!(make(dir, HostKeyKind::Ecdsa).unwrap(), None);
        let new = public(dir, next);
        retire(dir, HostKeyKind::Ecdsa).unwrap().unwrap();
        assert_eq!((public(dir, first), public(dir, "old_key")), (new, super::super::bare(older.public_key())));
    }

    #[test]
    fn a_key_is_never_made_over_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        // Somebody's Ed25519 key under the name of another algorithm.
        let path = make(dir, HostKeyKind::Ed25519).unwrap().unwrap();
        let misnamed = dir.join("ssh_host_ecdsa_key");
        fs::rename(path, &misnamed).unwrap();
        let before = fs::read(&misnamed).unwrap();
        let refused = make(dir, HostKeyKind::Ecdsa).unwrap_err();
        assert!(refused.to_string().contains("ssh_host_ecdsa_key: "), "{refused}");
        assert_eq!(fs::read(&misnamed).unwrap(), before);
        assert_eq!(fs::read_dir(dir).unwrap().count(), 1, "nothing else is left behind");
    }

    /// Lays a certificate beside a key.
    fn certify(dir: &Path, name: &str) {
        let path = dir.join(name);
        let (authority, key) = (key_file::read(&path).unwrap(), key_file::read(&path).unwrap());
        let mut certificate = Builder::new(vec![7; 16], key.public_key().key_data().clone(), 0, u64::MAX).unwrap();
        certificate.cert_type(CertType::Host).unwrap().all_principals_valid().unwrap();
        let text = certificate.sign(&authority).unwrap().to_openssh().unwrap();
        fs::write(certificate::path(&path), text).unwrap();
    }

    #[test]
    fn a_key_belongs_to_whom_the_directory_belongs() {
        let dir = tempfile::tempdir().unwrap();
        // Only root gives files away; anybody else owns the directory.
        if geteuid().is_root() {
            std::os::unix::fs::chown(dir.path(), Some(4_242), Some(4_243)).unwrap();
        }
        let keys = dir.path().join("data/keys");
        let path = make(&keys, HostKeyKind::Ed25519).unwrap().unwrap();
        let owner = |path: &Path| std::fs::metadata(path).map(|file| (file.uid(), file.gid())).unwrap();
        for made in [&path, &keys, &dir.path().join("data")] {
            assert_eq!(owner(made), owner(dir.path()), "{}", made.display());
        }
    }
}
