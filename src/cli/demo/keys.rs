//! Keys made for one demo: the sender's SSH key and the simulator's Maskinporten client key.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret as _;

use crate::adapters::key_file::{self, PrivateKey};
use crate::simulator::KeyPair;

/// The sender's key: the one of an earlier demo in the folder, or a new one.
pub(super) fn sender(path: &Path) -> anyhow::Result<Arc<PrivateKey>> {
    let key = if path.exists() { key_file::read(path)? } else { key_file::make(path, "sluse-demo")? };
    Ok(Arc::new(key))
}

/// Writes the private half of a fresh client key and returns the public one.
pub(super) fn maskinporten(path: &Path) -> anyhow::Result<String> {
    let pair = KeyPair::generate()?;
    write_private(path, pair.private_key.expose_secret())?;
    Ok(pair.public_key)
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
