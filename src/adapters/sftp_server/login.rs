//! Who may log in: public keys compared, passwords hashed, the same time for a user we do not know.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use jiff::Timestamp;
use russh::keys::{Certificate, PublicKey};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::model::PartnerId;

use super::certificates;
use super::login_key::{BadKey, ReadKey, read_line, usable};
use super::revoked::Revoked;
use super::settings::{Login, PartnerAccess, PublicKeyLine, SetupError};

/// The logins of all partners.
pub(super) struct Logins {
    users: HashMap<String, User>,
    revoked: Revoked,
    /// Whether any user may come with a certificate.
    has_authorities: bool,
    /// Verified for users who are unknown or have no password, so that the answer takes as long.
    decoy: SecretString,
    /// One at a time: a verification takes 19 MiB and a core.
    hashing: Arc<Semaphore>,
}

struct User {
    partner: PartnerId,
    keys: Vec<UserKey>,
    authorities: Vec<PublicKey>,
    principals: Vec<String>,
    password_hash: Option<SecretString>,
    needs_both: bool,
}

struct UserKey {
    key: PublicKey,
    expires: Option<Timestamp>,
}

/// What a right key, certificate or password opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entrance {
    /// Whose area.
    pub(super) partner: PartnerId,
    /// Whether the other of key and password is needed, too.
    pub(super) needs_both: bool,
    /// When what opened it will no longer.
    pub(super) expires: Option<Timestamp>,
}

impl Logins {
    /// Reads the logins of the partners.
    pub(super) fn read(partners: &[PartnerAccess], revoked: &str) -> Result<Self, SetupError> {
        let mut users = HashMap::new();
        for access in partners {
            for login in &access.logins {
                let user = read_user(&access.partner, login)?;
                if users.insert(login.user.clone(), user).is_some() {
                    return Err(SetupError::UserTwice(login.user.clone()));
                }
            }
        }
        let decoy = decoy(partners.iter().flat_map(|access| &access.logins));
        let has_authorities = users.values().any(|user: &User| !user.authorities.is_empty());
        Ok(Self {
            users,
            revoked: Revoked::read(revoked)?,
            has_authorities,
            decoy,
            hashing: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether an offered key may be worth its signature: it is the user's, or may be in a certificate.
    pub(super) fn may_open(&self, user: &str, key: &PublicKey, now: Timestamp) -> bool {
        // russh offers the key of a certificate without the certificate.
        let may_have_certificate = match self.users.get(user) {
            Some(user) => !user.authorities.is_empty(),
            None => self.has_authorities && is_decoy(user),
        };
        may_have_certificate || self.by_key(user, key, now).is_some()
    }

    /// Whether there is such a user.
    pub(super) fn knows(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }

    /// What a user's key opens.
    pub(super) fn by_key(&self, name: &str, key: &PublicKey, now: Timestamp) -> Option<Entrance> {
        let user = self.users.get(name)?;
        let known = user.keys.iter().find(|known| known.key.key_data() == key.key_data())?;
        if known.expires.is_some_and(|expires| expires <= now) || self.revoked.has_key(key) {
            tracing::warn!(user = name, "the key has expired or is revoked");
            return None;
        }
        Some(Entrance { partner: user.partner.clone(), needs_both: user.needs_both, expires: known.expires })
    }

    /// What a certificate opens for a user; its dates and its signature have been checked.
    pub(super) fn by_certificate(&self, name: &str, certificate: &Certificate, from: IpAddr) -> Option<Entrance> {
        let user = self.users.get(name)?;
        let wrong = certificates::wrong(certificate, &user.authorities, &user.principals, from);
        let wrong = wrong.or_else(|| self.revoked.has(certificate).then_some("it is revoked"));
        if let Some(reason) = wrong {
            tracing::warn!(user = name, serial = certificate.serial(), reason, "a certificate opens nothing");
            return None;
        }
        Some(Entrance { partner: user.partner.clone(), needs_both: user.needs_both, expires: None })
    }

    /// What a user's password opens.
    pub(super) async fn by_password(&self, user: &str, password: &str) -> Option<Entrance> {
        let known = self.users.get(user).and_then(|user| {
            let entrance = Entrance { partner: user.partner.clone(), needs_both: user.needs_both, expires: None };
            Some((entrance, user.password_hash.clone()?))
        });
        let (entrance, hash) = match known {
            Some((entrance, hash)) => (Some(entrance), hash),
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
        entrance.filter(|_entrance| right)
    }
}

fn read_user(partner: &PartnerId, login: &Login) -> Result<User, SetupError> {
    let bad = |index, reason: BadKey| SetupError::PublicKey {
        user: login.user.clone(),
        number: index + 1,
        reason: reason.to_string(),
    };
    let mut keys = Vec::new();
    for (index, PublicKeyLine { line, until }) in login.public_keys.iter().enumerate() {
        let ReadKey { key, expires } = read_line(line).map_err(|reason| bad(index, reason))?;
        let expires = expires.into_iter().chain(*until).min();
        if let Some(expires) = expires {
            tracing::info!(user = login.user, number = index + 1, %expires, "the key has a last moment");
        }
        keys.push(UserKey { key, expires });
    }
    let mut authorities = Vec::new();
    for (index, line) in login.authorities.iter().enumerate() {
        let key = PublicKey::from_openssh(line.trim()).map_err(|error| bad(index, error.into()))?;
        usable(&key).map_err(|reason| bad(index, reason))?;
        authorities.push(key);
    }
    if let Some(hash) = &login.password_hash {
        let argon2id = PasswordHash::new(hash.expose_secret()).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id");
        if !argon2id {
            return Err(SetupError::PasswordHash(login.user.clone()));
        }
    }
    // As in OpenSSH, a certificate is for the user of its own name unless others are agreed.
    let own_name = vec![login.user.clone()];
    Ok(User {
        partner: partner.clone(),
        keys,
        authorities,
        principals: if login.principals.is_empty() { own_name } else { login.principals.clone() },
        password_hash: login.password_hash.clone(),
        needs_both: login.needs_both,
    })
}

/// Whether a user that nobody is looks like one with certificates: every other name does, so that none stands out.
fn is_decoy(user: &str) -> bool {
    static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    SECRET.hash_one(user).is_multiple_of(2)
}

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
    #[test]
    fn unknown_users_look_like_those_with_certificates() {
        let key = PublicKey::from_openssh(OTHER).unwrap();
        let probed = |logins: &Logins, user: &str| logins.may_open(user, &key, Timestamp::UNIX_EPOCH);
        let strangers: Vec<_> = (0..100).map(|number| format!("user{number}")).collect();
        let mut certified = login("etat", None);
        certified.authorities = vec![KEY.to_owned()];
        let logins = Logins::read(&[access(vec![certified, login("annen", None)])], "").unwrap();
        assert!(probed(&logins, "etat") && !probed(&logins, "annen"));
        let first: Vec<_> = strangers.iter().map(|user| probed(&logins, user)).collect();
        assert!(first.contains(&true) && first.contains(&false));
        let again: Vec<_> = strangers.iter().map(|user| probed(&logins, user)).collect();
        assert_eq!(first, again);
        let plain = Logins::read(&[access(vec![login("annen", None)])], "").unwrap();
        assert!(strangers.iter().all(|user| !probed(&plain, user)));
    }

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
            hours: vec![],
            time_zone: jiff::tz::TimeZone::UTC,
            bytes_per_second: None,
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
        Login {
            user: user.to_owned(),
            public_keys: vec![KEY.to_owned().into()],
            authorities: vec![],
            principals: vec![],
            needs_both: false,
            password_hash: hash,
        }
    }

    #[tokio::test]
    async fn a_password_opens_for_its_user_only() {
        let logins = Logins::read(&[access(vec![login("a", Some("right")), login("b", None)])], "").unwrap();
        let opened = Entrance { partner: "etat".parse().unwrap(), needs_both: false, expires: None };
        assert_eq!(logins.by_password("a", "right").await, Some(opened));
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
        let logins = Logins::read(&[access(vec![login])], "").unwrap();
        let decoy = PasswordHash::new(logins.decoy.expose_secret()).unwrap();
        assert_eq!((decoy.algorithm, decoy.params), (hash.algorithm, hash.params));
    }

    #[test]
    fn a_key_opens_for_its_user_only() {
        let logins = Logins::read(&[access(vec![login("a", None)])], "").unwrap();
        let opens = |logins: &Logins, user: &str, key: &str, at: &str| {
            logins.by_key(user, &PublicKey::from_openssh(key).unwrap(), at.parse().unwrap()).is_some()
        };
        let now = "2026-11-27T12:00:00Z";
        assert!(opens(&logins, "a", KEY, now));
        assert!(!opens(&logins, "a", OTHER, now) && !opens(&logins, "b", KEY, now));
        let mut dated = login("a", None);
        dated.public_keys = vec![format!("expiry-time=\"20261127\" {KEY}").into(), OTHER.to_owned().into()];
        let logins = Logins::read(&[access(vec![dated])], &format!("# gone\n{OTHER}\n")).unwrap();
        assert!(opens(&logins, "a", KEY, now));
        assert!(!opens(&logins, "a", KEY, "2026-11-28T00:00:00Z") && !opens(&logins, "a", OTHER, now));
    }

    #[test]
    fn keys_of_every_strong_kind_are_taken_and_options_but_one_are_not() {
        let with = |line: &str| {
            let mut login = login("a", None);
            login.public_keys = vec![line.to_owned().into()];
            Logins::read(&[access(vec![login])], "").map(drop).map_err(|error| error.to_string())
        };
        let security_key = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAICFo/k5LU8863u66YC9eUO2\
                            170QduohPURkQnbLa/dczAAAABHNzaDo=";
        assert_eq!(with(security_key), Ok(()));
        assert!(with(&format!("no-pty {KEY}")).unwrap_err().contains("expiry-time"));
        assert!(with(&format!("expiry-time=\"soon\" {KEY}")).unwrap_err().contains("expiry-time"));
    }

    #[test]
    fn faults_of_logins_are_named() {
        let twice = Logins::read(&[access(vec![login("a", None)]), access(vec![login("a", None)])], "");
        assert!(matches!(twice.err(), Some(SetupError::UserTwice(user)) if user == "a"));
        let mut bad = login("a", None);
        bad.public_keys.push("ssh-ed25519 nonsense".to_owned().into());
        let bad = Logins::read(&[access(vec![bad])], "");
        assert!(matches!(bad.err(), Some(SetupError::PublicKey { number: 2, .. })));
        let mut plain = login("a", None);
        plain.password_hash = Some(SecretString::from("plain text"));
        assert!(matches!(Logins::read(&[access(vec![plain])], "").err(), Some(SetupError::PasswordHash(_))));
    }
}
