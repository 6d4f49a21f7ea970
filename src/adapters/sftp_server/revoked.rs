//! Keys and certificates that open nothing any more, in the language of `ssh-keygen -k`.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use russh::keys::{Certificate, HashAlg, PublicKey};

use super::settings::SetupError;

/// What is revoked.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    /// Fingerprints, of users' keys and of authorities'.
    keys: HashSet<String>,
    serials: Vec<RangeInclusive<u64>>,
    ids: HashSet<String>,
}

impl Revoked {
    /// Reads the rules, one a line: a public key, `key: …`, `sha256: …`, `serial: N` or `N-M`, `id: …`.
    pub(super) fn read(text: &str) -> Result<Self, SetupError> {
        let mut revoked = Self::default();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |reason: String| SetupError::Revocation { line: index + 1, reason };
            revoked.add(line).map_err(bad)?;
        }
        Ok(revoked)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        match line.split_once(':').map(|(kind, rest)| (kind.trim(), rest.trim())) {
            Some(("serial", range)) => {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let number = |text: &str| text.trim().parse().map_err(|_| format!("{text} is no serial number"));
                self.serials.push(number(first)?..=number(last)?);
            }
            Some(("id", id)) => drop(self.ids.insert(id.to_owned())),
            Some(("sha256", print)) => {
                let print = if print.starts_with(SHA256) { print.to_owned() } else { format!("{SHA256}{print}") };
                self.keys.insert(print);
            }
            Some(("key", key)) => self.add_key(key)?,
            Some(_) | None => self.add_key(line)?,
        }
        Ok(())
    }

    fn add_key(&mut self, line: &str) -> Result<(), String> {
        let key = PublicKey::from_openssh(line).map_err(|error| error.to_string())?;
        self.keys.insert(print(&key));
        Ok(())
    }

    /// Whether a key is revoked.
    pub(super) fn has_key(&self, key: &PublicKey) -> bool {
        self.keys.contains(&print(key))
    }

    /// Whether a certificate, the key in it or its authority is revoked.
    pub(super) fn has(&self, certificate: &Certificate) -> bool {
        let keys = [certificate.public_key(), certificate.signature_key()];
        self.serials.iter().any(|range| range.contains(&certificate.serial()))
            || self.ids.contains(certificate.key_id())
            || keys.into_iter().any(|key| self.has_key(&PublicKey::new(key.clone(), "")))
    }
}

fn print(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

const SHA256: &str = "SHA256:";

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ nightly";

    #[test]
    fn every_kind_of_rule_is_read_and_a_wrong_one_is_named() {
        let key = PublicKey::from_openssh(KEY).unwrap();
        for rule in [KEY.to_owned(), format!("key: {KEY}"), format!("sha256: {}", print(&key))] {
            assert!(Revoked::read(&rule).unwrap().has_key(&key), "{rule}");
        }
        let rules = Revoked::read("# list\n\nserial: 5-7\nid: nightly 2026\n").unwrap();
        assert_eq!((rules.serials[0].clone(), rules.ids.contains("nightly 2026")), (5..=7, true));
        assert!(!rules.has_key(&key));
        for odd in ["serial: x", "nothing", "key: ssh-ed25519 AAAA"] {
            assert!(matches!(Revoked::read(odd), Err(SetupError::Revocation { line: 1, .. })), "{odd}");
        }
    }
}
