//! Keys made for one demo: the sender's SSH key and the simulator's Maskinporten client key.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use secrecy::ExposeSecret as _;

use crate::simulator::KeyPair;

/// The sender's key: the one of an earlier demo in the folder, or a new one.
pub(super) fn sender(path: &Path) -> anyhow::Result<Arc<PrivateKey>> {
    if path.exists() {
        return Ok(Arc::new(PrivateKey::read_openssh_file(path)?));
    }
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).context("no random numbers")?;
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    write_private(path, &key.to_openssh(LineEnding::LF)?)?;
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
