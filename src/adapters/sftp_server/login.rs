//! Who may log in: public keys compared, passwords hashed, the same time for a user we do not know.

use std::collections::HashMap;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use russh::keys::PublicKey;
use russh::keys::ssh_key::public::KeyData;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::settings::{Login, PartnerAccess, SetupError};

/// The logins of all partners.
pub(super) struct Logins {
    users: HashMap<String, User>,
    /// Verified for users who are unknown or have no password, so that the answer takes as long.
    decoy: SecretString,
    /// One at a time: a verification takes 19 MiB and a core.
    hashing: Arc<Semaphore>,
}

struct User {
    partner: usize,
    keys: Vec<PublicKey>,
    password_hash: Option<SecretString>,
}

impl Logins {
    /// Reads the logins of the partners, whose place in the slice is their number.
    pub(super) fn read(partners: &[PartnerAccess]) -> Result<Self, SetupError> {
        let mut users = HashMap::new();
        for (partner, access) in partners.iter().enumerate() {
            for login in &access.logins {
                let user = read_user(partner, login)?;
                if users.insert(login.user.clone(), user).is_some() {
                    return Err(SetupError::UserTwice(login.user.clone()));
                }
            }
        }
        let decoy = decoy(partners.iter().flat_map(|access| &access.logins));
        Ok(Self { users, decoy, hashing: Arc::new(Semaphore::new(1)) })
    }

    /// The partner whose user has this key.
    pub(super) fn by_key(&self, user: &str, key: &PublicKey) -> Option<usize> {
        let user = self.users.get(user)?;
        user.keys.iter().any(|known| known.key_data() == key.key_data()).then_some(user.partner)
    }

    /// The partner whose user has this password.
    pub(super) async fn by_password(&self, user: &str, password: &str) -> Option<usize> {
        let known = self.users.get(user).and_then(|user| Some((user.partner, user.password_hash.clone()?)));
        let (partner, hash) = match known {
            Some((partner, hash)) => (Some(partner), hash),
            None => (None, self.decoy.clone()),
        };
        let password = SecretString::from(password);
        let permit = Arc::clone(&self.hashing).acquire_owned().await.ok()?;
        let right = tokio::task::spawn_blocking(move || {
            // Held here: dropping the future does not stop the thread.
            let _permit = permit;
            let password = password.expose_secret().as_bytes();
            PasswordHash::new(hash.expose_secret())
                .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
        });
        // A lost verification is a refused login.
        let right = right.await.unwrap_or(false);
        partner.filter(|_partner| right)
    }
}

fn read_user(partner: usize, login: &Login) -> Result<User, SetupError> {
    let mut keys = Vec::new();
    for (index, line) in login.public_keys.iter().enumerate() {
        let bad = |reason: String| SetupError::PublicKey { user: login.user.clone(), number: index + 1, reason };
        let key = PublicKey::from_openssh(line.trim()).map_err(|error| bad(error.to_string()))?;
        usable(&key).map_err(bad)?;
        keys.push(key);
    }
    if let Some(hash) = &login.password_hash {
        let argon2id = PasswordHash::new(hash.expose_secret()).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id");
        if !argon2id {
            return Err(SetupError::PasswordHash(login.user.clone()));
        }
    }
    Ok(User { partner, keys, password_hash: login.password_hash.clone() })
}

/// Whether signatures of a key are worth something. The timing weakness of the RSA implementation concerns private keys;
/// here signatures are verified with public ones, and host keys are never RSA.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is not taken")]
fn usable(key: &PublicKey) -> Result<(), String> {
    match key.key_data() {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        KeyData::Rsa(rsa) => match rsa.n().as_positive_bytes().map_or(0, bits) {
            size if size >= MIN_RSA_BITS => Ok(()),
            size => Err(format!("an RSA key needs {MIN_RSA_BITS} bits, this one has {size}")),
        },
        _ => Err(format!("{} keys are not taken; use ssh-ed25519", key.algorithm())),
    }
}

/// The bits of a number without leading zeros.
fn bits(bytes: &[u8]) -> usize {
    bytes.first().map_or(0, |first| bytes.len() * 8 - first.leading_zeros() as usize)
}

const MIN_RSA_BITS: usize = 3072;

/// A hash nobody's password has: it costs what the first configured one costs, and its result is never used.
fn decoy<'l>(mut logins: impl Iterator<Item = &'l Login>) -> SecretString {
    let like = logins.find_map(|login| login.password_hash.as_ref());
    let params = like.and_then(|hash| Params::try_from(&PasswordHash::new(hash.expose_secret()).ok()?).ok());
    let hash = Argon2::from(params.unwrap_or_default()).hash_password_with_salt(b"nobody", b"sixteen bytes it");
    SecretString::from(hash.map(|hash| hash.to_string()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Quota;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ nightly";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti other";

    fn access(logins: Vec<Login>) -> PartnerAccess {
        PartnerAccess {
            partner: "etat".parse().unwrap(),
            logins,
            inboxes: vec!["inbox".to_owned()],
            tests: vec![],
            receipts: vec![],
            outboxes: vec![],
            removable: vec![],
            addresses: vec![],
            older_algorithms: false,
            quota: Quota { bytes: 1, files: 1 },
            max_file_bytes: 1,
        }
    }

    fn login(user: &str, password: Option<&str>) -> Login {
        let hash = password.map(|password| {
            let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), b"some salt").unwrap();
            SecretString::from(hash.to_string())
        });
        Login { user: user.to_owned(), public_keys: vec![KEY.to_owned()], password_hash: hash }
    }

    #[tokio::test]
    async fn a_password_opens_for_its_user_only() {
        let logins = Logins::read(&[access(vec![login("a", Some("right")), login("b", None)])]).unwrap();
        assert_eq!(logins.by_password("a", "right").await, Some(0));
        assert_eq!(logins.by_password("a", "wrong").await, None);
        assert_eq!(logins.by_password("b", "right").await, None);
        // Not even the decoy's own password opens.
        assert_eq!(logins.by_password("nobody", "nobody").await, None);
    }

    #[test]
    fn an_unknown_user_costs_what_a_known_one_costs() {
        let dear = Argon2::from(Params::new(64, 3, 2, None).unwrap());
        let hash = dear.hash_password_with_salt(b"right", b"some salt").unwrap();
        let login = Login { password_hash: Some(SecretString::from(hash.to_string())), ..login("a", None) };
        let logins = Logins::read(&[access(vec![login])]).unwrap();
        let decoy = PasswordHash::new(logins.decoy.expose_secret()).unwrap();
        assert_eq!((decoy.algorithm, decoy.params), (hash.algorithm, hash.params));
    }

    #[test]
    fn a_key_opens_for_its_user_only() {
        let logins = Logins::read(&[access(vec![login("a", None)])]).unwrap();
        assert_eq!(logins.by_key("a", &PublicKey::from_openssh(KEY).unwrap()), Some(0));
        assert_eq!(logins.by_key("a", &PublicKey::from_openssh(OTHER).unwrap()), None);
        assert_eq!(logins.by_key("b", &PublicKey::from_openssh(KEY).unwrap()), None);
    }

    #[test]
    fn faults_of_logins_are_named() {
        let twice = Logins::read(&[access(vec![login("a", None)]), access(vec![login("a", None)])]);
        assert!(matches!(twice.err(), Some(SetupError::UserTwice(user)) if user == "a"));
        let mut bad = login("a", None);
        bad.public_keys.push("ssh-ed25519 nonsense".to_owned());
        let bad = Logins::read(&[access(vec![bad])]);
        assert!(matches!(bad.err(), Some(SetupError::PublicKey { number: 2, .. })));
        let mut plain = login("a", None);
        plain.password_hash = Some(SecretString::from("plain text"));
        assert!(matches!(Logins::read(&[access(vec![plain])]).err(), Some(SetupError::PasswordHash(_))));
    }
}
