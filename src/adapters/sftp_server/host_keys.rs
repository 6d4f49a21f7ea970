//! Host keys: made once, kept for ever, several at a time so that one can be rotated in.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use russh::keys::HashAlg;

use crate::adapters::key_file::{self, KeyFileError};

use super::offers::Keys;

/// Reads the host keys of a directory, in order of name; makes an Ed25519 key when there is none.
///
/// Clients that need older algorithms know no Ed25519: for them, and shown to them alone, there is an ECDSA key.
pub(super) fn load_or_make(dir: &Path, for_older: bool) -> Result<Keys, KeyFileError> {
    let mut paths = key_paths(dir).map_err(|source| KeyFileError::Disk { path: dir.to_owned(), source })?;
    let older = dir.join(OLDER);
    paths.retain(|path| *path != older);
    if paths.is_empty() {
        paths.push(make(dir)?);
    }
    if for_older && !older.exists() {
        key_file::make_ecdsa(&older, "sluse")?;
    }
    let keys = paths.iter().map(|path| key_file::read(path)).collect::<Result<Vec<_>, _>>()?;
    let older_only = for_older.then(|| key_file::read(&older)).transpose()?.into_iter().collect::<Vec<_>>();
    for key in keys.iter().chain(&older_only) {
        tracing::info!(fingerprint = %key.fingerprint(HashAlg::Sha256), algorithm = %key.algorithm(), "host key");
    }
    Ok(Keys { keys, older_only })
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

/// The key for older clients.
const OLDER: &str = "older_clients_ecdsa_key";

fn make(dir: &Path) -> Result<PathBuf, KeyFileError> {
    let path = dir.join("ssh_host_ed25519_key");
    key_file::make(&path, "sluse")?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_the_owner_only_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        let first = load_or_make(&keys, false).unwrap().keys;
        let file = keys.join("ssh_host_ed25519_key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = load_or_make(&keys, false).unwrap().keys;
        assert_eq!(first[0].public_key(), again[0].public_key());
        fs::copy(&file, keys.join("z_next_key")).unwrap();
        assert_eq!(load_or_make(&keys, false).unwrap().keys.len(), 2);
        let with_older = load_or_make(&keys, true).unwrap();
        assert_eq!((with_older.keys.len(), with_older.older_only.len()), (2, 1));
        assert_eq!(load_or_make(&keys, false).unwrap().keys.len(), 2);
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("odd_key"), "nothing").unwrap();
        assert!(load_or_make(dir.path(), false).err().unwrap().to_string().contains("odd_key"));
    }
}
