//! Public keys that may open a login.

use jiff::Timestamp;
use russh::keys::ssh_key::authorized_keys::Entry;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{HashAlg, PublicKey, ssh_key};

use crate::model::LoginKey;

/// Why a line is no key that may open a login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadKey(String);

impl From<ssh_key::Error> for BadKey {
    fn from(error: ssh_key::Error) -> Self {
        Self(error.to_string())
    }
}

/// A key that is worth something, and its last moment.
pub(super) struct ReadKey {
    pub(super) key: PublicKey,
    pub(super) expires: Option<Timestamp>,
}

/// Reads a user's key from a line of `authorized_keys`: a strong one, without options but `expiry-time`.
pub fn read_key(user: &str, line: &str) -> Result<(LoginKey, String), BadKey> {
    let ReadKey { key, expires } = read_line(line)?;
    let mut bare = key.clone();
    bare.set_comment("");
    let text = bare.to_openssh()?;
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let comment = key.comment().to_string();
    Ok((LoginKey { user: user.to_owned(), key: text.trim_end().to_owned(), comment, until: expires }, fingerprint))
}

pub(super) fn read_line(line: &str) -> Result<ReadKey, BadKey> {
    let entry = line.trim().parse::<Entry>()?;
    let key = entry.public_key().clone();
    usable(&key)?;
    let expires = expiry(entry.config_opts().as_str())?;
    Ok(ReadKey { key, expires })
}

/// The moment in `expiry-time="20271231"`, the only option taken before a key; the day's end, in UTC.
fn expiry(options: &str) -> Result<Option<Timestamp>, BadKey> {
    if options.is_empty() {
        return Ok(None);
    }
    let odd = || BadKey(format!("{options} is no option taken here; expiry-time=\"YYYYMMDD\" is"));
    let day = options.strip_prefix("expiry-time=\"").and_then(|rest| rest.strip_suffix('"')).ok_or_else(odd)?;
    let date = jiff::civil::Date::strptime("%Y%m%d", day).map_err(|_| odd())?;
    let end = date.tomorrow().and_then(|next| next.to_zoned(jiff::tz::TimeZone::UTC)).map_err(|_| odd())?;
    Ok(Some(end.timestamp()))
}

/// Whether signatures of a key are worth something. The timing weakness of the RSA implementation concerns private keys;
/// here signatures are verified with public ones, and host keys are never RSA.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is not taken")]
pub(super) fn usable(key: &PublicKey) -> Result<(), BadKey> {
    match key.key_data() {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        KeyData::Rsa(rsa) => match rsa.n().as_positive_bytes().map_or(0, bits) {
            size if size >= MIN_RSA_BITS => Ok(()),
            size => Err(BadKey(format!("an RSA key needs {MIN_RSA_BITS} bits, this one has {size}"))),
        },
        _ => Err(BadKey(format!("{} keys are not taken; use ssh-ed25519", key.algorithm()))),
    }
}

/// The bits of a number without leading zeros.
fn bits(bytes: &[u8]) -> usize {
    bytes.first().map_or(0, |first| bytes.len() * 8 - first.leading_zeros() as usize)
}

const MIN_RSA_BITS: usize = 3072;
