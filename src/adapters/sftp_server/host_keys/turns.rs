//! The turns of host keys: one is made and known before it is shown, and set aside after.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use russh::keys::Algorithm;
use russh::keys::ssh_key::EcdsaCurve;

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

    /// Of new keys.
    fn algorithm(self) -> Algorithm {
        match self {
            Self::Ed25519 => Algorithm::Ed25519,
            Self::Ecdsa => Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        }
    }

    fn is_of(self, key: &HostKey) -> bool {
        match self {
            Self::Ed25519 => key.key.algorithm() == Algorithm::Ed25519,
            Self::Ecdsa => key.key.algorithm().is_ecdsa(),
        }
    }
}

/// Makes a key: the first of its kind, or the one that is shown next; `None` when one waits already.
pub fn make(dir: &Path, kind: HostKeyKind) -> Result<Option<PathBuf>, KeyFileError> {
    ready(dir)?;
    let keys = of_kind(dir, kind)?;
    let mut same = keys.iter().filter(|key| key.key.algorithm() == kind.algorithm());
    let path = match (same.next(), same.next()) {
        (None, _none) if !dir.join(kind.name()).exists() => dir.join(kind.name()),
        // A key on another curve has the name: it is shown, and this one beside it.
        (None, _none) => dir.join(NEW_CURVE),
        (Some(current), None) => current.path.with_file_name(after(&current.path)),
        (Some(_current), Some(_next)) => return Ok(None),
    };
    if path.exists() {
        return Err(KeyFileError::Disk { path, source: taken() });
    }
    match kind {
        HostKeyKind::Ed25519 => key_file::make(&path, COMMENT)?,
        HostKeyKind::Ecdsa => key_file::make_ecdsa(&path, COMMENT)?,
    };
    Ok(Some(path))
}

/// Sets the key that is shown aside, with its certificate, and gives its name to the one that waits; `None` when none does.
/// Tells where the old key is.
pub fn retire(dir: &Path, kind: HostKeyKind) -> Result<Option<PathBuf>, KeyFileError> {
    let keys = of_kind(dir, kind)?;
    let next_of = |current: &HostKey| {
        let mut waiting = keys.iter().filter(|key| key.shown == Shown::Nobody);
        waiting.find(|key| key.key.algorithm() == current.key.algorithm())
    };
    let mut shown = keys.iter().filter(|key| key.shown == Shown::Everybody);
    let Some((current, next)) = shown.find_map(|current| Some((current, next_of(current)?))) else { return Ok(None) };
    let aside = with(&current.path, ".retired");
    // In this order there is a right key with a right certificate, or none, wherever it breaks off.
    for (from, to) in [
        (certificate::path(&current.path), with(&certificate::path(&current.path), ".retired")),
        (current.path.clone(), aside.clone()),
        (certificate::path(&next.path), certificate::path(&current.path)),
        (next.path.clone(), current.path.clone()),
    ] {
        step(&from, &to).map_err(|source| KeyFileError::Disk { path: to, source })?;
    }
    Ok(Some(aside))
}

/// The keys of a kind that have turns. Each curve has its own, as each is shown.
fn of_kind(dir: &Path, kind: HostKeyKind) -> Result<Vec<HostKey>, KeyFileError> {
    let keys = read_host_keys(dir)?.into_iter();
    Ok(keys.filter(|key| kind.is_of(key) && key.shown != Shown::OlderClients).collect())
}

/// A name that comes right after a key's in the order of names.
fn after(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{}_next_key", name.strip_suffix("_key").unwrap_or(&name)).into()
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn step(from: &Path, to: &Path) -> io::Result<()> {
    if !from.exists() {
        return Ok(());
    }
    if to.exists() {
        return Err(taken());
    }
    durable::rename(from, to)
}

fn taken() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "it is there already: move it away first")
}

/// The name of a P-256 key where one on another curve has the usual name.
const NEW_CURVE: &str = "ssh_host_ecdsa_nistp256_key";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use russh::keys::PrivateKey;
    use russh::keys::key::safe_rng;
    use russh::keys::ssh_key::LineEnding;
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
        let error = retire(dir, HostKeyKind::Ed25519).unwrap_err();
        assert!(error.to_string().contains("ssh_host_ed25519_key.retired: it is there already"), "{error}");
        assert_eq!(shown(dir), expected);
    }

    #[test]
    fn keys_on_two_curves_have_turns_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let p384 = |name: &str| {
            let pair = EcdsaKeypair::random(&mut safe_rng(), EcdsaCurve::NistP384).unwrap();
            let text = PrivateKey::new(pair.into(), "c").unwrap().to_openssh(LineEnding::LF).unwrap();
            std::fs::write(dir.join(name), text).unwrap();
        };
        let (own, other) = ("ssh_host_ecdsa_key", "ssh_host_ecdsa_nistp256_key");
        p384(own);
        let named = |name: &str, shown| (name.to_owned(), shown);
        make(dir, HostKeyKind::Ecdsa).unwrap().unwrap();
        assert_eq!(shown(dir), [named(own, Shown::Everybody), named(other, Shown::Everybody)]);
        assert_eq!(retire(dir, HostKeyKind::Ecdsa).unwrap(), None, "none waits, and both are shown");
        let next = make(dir, HostKeyKind::Ecdsa).unwrap().unwrap();
        assert!(next.ends_with("ssh_host_ecdsa_nistp256_next_key"), "{}", next.display());
        assert_eq!(make(dir, HostKeyKind::Ecdsa).unwrap(), None);
        let (first, waits) = (public(dir, own), public(dir, "ssh_host_ecdsa_nistp256_next_key"));
        retire(dir, HostKeyKind::Ecdsa).unwrap().unwrap();
        assert_eq!((public(dir, own), public(dir, other)), (first, waits), "the one of its own curve makes room");
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
