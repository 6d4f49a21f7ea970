//! Host keys: made once, kept for ever, several at a time so that one can be rotated in.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use russh::keys::{HashAlg, PrivateKey};

use crate::adapters::key_file::{self, KeyFileError};

/// Reads the host keys of a directory, in order of name; makes an Ed25519 key when there is none.
pub(super) fn load_or_make(dir: &Path) -> Result<Vec<PrivateKey>, KeyFileError> {
    let mut paths = key_paths(dir).map_err(|source| KeyFileError::Disk { path: dir.to_owned(), source })?;
    if paths.is_empty() {
        paths.push(make(dir)?);
    }
    let keys = paths.iter().map(|path| key_file::read(path)).collect::<Result<Vec<_>, _>>()?;
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
