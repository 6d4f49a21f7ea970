//! Partners and their logins.

use argon2::password_hash::phc::PasswordHash;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ipnet::IpNet;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};

use super::files;
use super::reader::Section;
use super::sftp::networks;
use crate::model::{PartnerId, WeekHours, is_user_name};

/// Key types the SFTP server takes.
const KEY_TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    RSA,
];

/// RSA keys sign with SHA-2 here, whatever the name of their type says.
const RSA: &str = "ssh-rsa";

/// A modulus of 3072 bits, with the byte before it that keeps it positive.
const MIN_RSA_MODULUS_BYTES: usize = 385;

/// The same of 2048 bits, which is what many a server has.
const LEAST_RSA_MODULUS_BYTES: usize = 257;

/// A party with an area.
#[derive(Debug, Clone)]
pub struct Partner {
    /// Its short name.
    pub id: PartnerId,
    /// Who may log in to its area.
    pub logins: Vec<Login>,
    /// Where its logins may come from; empty means anywhere.
    pub addresses: Vec<IpNet>,
    /// Whether connections from these addresses are offered older algorithms, too.
    pub older_algorithms: bool,
    /// When its logins are taken; empty means always.
    pub hours: Vec<WeekHours>,
    /// The clock of these hours.
    pub time_zone: TimeZone,
    /// Bytes a second its connections take together.
    pub bytes_per_second: Option<u64>,
    /// Bytes its area may hold.
    pub quota_bytes: u64,
    /// Files its area may hold.
    pub quota_files: u64,
}

/// One SFTP login.
#[derive(Debug, Clone)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Public keys that open it, as OpenSSH lines.
    pub public_keys: Vec<String>,
    /// Keys of authorities whose certificates open it.
    pub authorities: Vec<String>,
    /// Names one of which a certificate must carry; empty means the user name.
    pub principals: Vec<String>,
    /// Whether a key, or a certificate, and the password are both needed.
    pub needs_both: bool,
    /// Argon2id hash of the password that opens it.
    pub password_hash: Option<SecretString>,
}

/// Reads `[partner.<id>]`.
pub(super) fn read(root: &Section<'_>) -> Vec<Partner> {
    let mut partners = Vec::new();
    for (name, section) in root.named("partner") {
        let partner = partner(&name, &section);
        partners.extend(partner);
    }
    if !root.has_table("partner") {
        root.fault("partner", "is missing: nobody could log in; add [partner.<name>]");
    }
    partners
}

fn partner(name: &str, section: &Section<'_>) -> Option<Partner> {
    let quota_bytes = section.number("quota_bytes", 100_000_000_000, 1..=u64::MAX >> 1);
    let quota_files = section.number("quota_files", 100_000, 1..=1_000_000_000);
    let logins: Vec<_> = section.named("login").iter().filter_map(|(user, login)| read_login(user, login)).collect();
    if !section.has_table("login") {
        section.fault("login", format!("is missing: nobody could log in; add [partner.{name}.login.<user>]"));
    }
    let addresses = networks(section, "addresses");
    let hours = hours(section);
    let time_zone = time_zone(section);
    let bytes_per_second = section.optional_number("bytes_per_second", 1_000..=u64::MAX >> 1);
    let older_algorithms = section.flag("older_algorithms", false);
    if older_algorithms && addresses.is_empty() {
        section.fault("older_algorithms", "needs addresses: who connects is not known before algorithms are agreed");
    }
    match name.parse() {
        Ok(id) => Some(Partner {
            id,
            logins,
            addresses,
            older_algorithms,
            hours,
            time_zone,
            bytes_per_second,
            quota_bytes,
            quota_files,
        }),
        Err(error) => {
            section.fault_here(format!("{error}"));
            None
        }
    }
}

/// Hours of the week.
fn hours(section: &Section<'_>) -> Vec<WeekHours> {
    let mut hours = Vec::new();
    for text in section.texts("hours") {
        match text.parse() {
            Ok(some) => hours.push(some),
            Err(error) => section.fault("hours", format!("{text:?} {error}")),
        }
    }
    hours
}

fn time_zone(section: &Section<'_>) -> TimeZone {
    let name = section.text("time_zone").unwrap_or_else(|| "Europe/Oslo".to_owned());
    TimeZone::get(&name).unwrap_or_else(|_unknown| {
        section.fault("time_zone", format!("{name:?} is no time zone such as \"Europe/Oslo\""));
        TimeZone::UTC
    })
}

fn read_login(user: &str, section: &Section<'_>) -> Option<Login> {
    let mut public_keys = section.texts("public_keys");
    for key in &public_keys {
        check_key(section, "public_keys", key);
    }
    if let Some(text) = files::text(section, "public_keys_file") {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            check_key(section, "public_keys_file", line);
            public_keys.push(line.to_owned());
        }
    }
    let authorities = section.texts("certificate_authorities");
    for key in &authorities {
        check_key(section, "certificate_authorities", key);
    }
    let principals = section.texts("principals");
    let password_hash = password_hash(section);
    let needs_both = section.flag("key_and_password", false);
    if needs_both && (password_hash.is_none() || public_keys.is_empty() && authorities.is_empty()) {
        section.fault("key_and_password", "needs a password hash and a key or an authority");
    }
    let ways = ["certificate_authorities", "public_keys", "public_keys_file", "password_hash", "password_hash_file"];
    if public_keys.is_empty()
        && authorities.is_empty()
        && password_hash.is_none()
        && !ways.iter().any(|key| section.has(key))
    {
        section.fault_here("needs public_keys, public_keys_file, password_hash or password_hash_file");
    }
    if !is_user_name(user) {
        section.fault_here("a user name has 1 to 64 characters and no blanks");
        return None;
    }
    Some(Login { user: user.to_owned(), public_keys, authorities, principals, needs_both, password_hash })
}

fn password_hash(section: &Section<'_>) -> Option<SecretString> {
    let inline = section.text("password_hash").map(SecretString::from);
    let filed = files::secret(section, "password_hash_file");
    if inline.is_some() && filed.is_some() {
        section.fault("password_hash", "give this or password_hash_file, not both");
    }
    let (key, hash) = match (inline, filed) {
        (Some(hash), _) => ("password_hash", hash),
        (None, Some(hash)) => ("password_hash_file", hash),
        (None, None) => return None,
    };
    let good = PasswordHash::new(hash.expose_secret()).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id");
    if !good {
        section.fault(key, "is not an argon2id hash; make one with `sluse hash-password`");
        return None;
    }
    Some(hash)
}

/// Checks a public key.
pub(super) fn check_key(section: &Section<'_>, key: &'static str, line: &str) {
    if modulus_of(section, key, line).is_some_and(|bytes| bytes < MIN_RSA_MODULUS_BYTES) {
        section.fault(key, "is an RSA key of less than 3072 bits; make one with `ssh-keygen -t ed25519`");
    }
}

/// Checks the key by which a server of others is known: its strength is its owner's to mend.
pub(super) fn check_host_key(section: &Section<'_>, key: &'static str, line: &str) {
    match modulus_of(section, key, line) {
        Some(bytes) if bytes < LEAST_RSA_MODULUS_BYTES => {
            section.fault(key, "is an RSA key of less than 2048 bits; ask the server's owner for a stronger one");
        }
        Some(bytes) if bytes < MIN_RSA_MODULUS_BYTES => section.source().warn(format!(
            "{}: is an RSA key of less than 3072 bits; ask the server's owner for a stronger one",
            section.place(key)
        )),
        Some(_) | None => {}
    }
}

/// Checks the form of a public key; returns how long the modulus of an RSA key is.
fn modulus_of(section: &Section<'_>, key: &'static str, line: &str) -> Option<usize> {
    let Some(line) = without_expiry(line) else {
        section.fault(key, "begins with an option other than expiry-time=\"YYYYMMDD\", which is the one that is taken");
        return None;
    };
    let mut words = line.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default();
    let data = words.next().and_then(|data| BASE64_STANDARD.decode(data).ok());
    // The key's own bytes begin with the length and the name of its type.
    let fits = |bytes: &[u8]| bytes.get(4..).is_some_and(|rest| rest.starts_with(kind.as_bytes()));
    if !KEY_TYPES.contains(&kind) || !data.as_ref().is_some_and(|bytes| fits(bytes)) {
        section.fault(key, "is not a public key in OpenSSH's form, such as `ssh-ed25519 AAAA… comment`");
        return None;
    }
    data.filter(|_| kind == RSA).map(|bytes| modulus_bytes(&bytes))
}

/// Tells whether a word is the type of a key.
pub(super) fn is_key_type(word: &str) -> bool {
    KEY_TYPES.contains(&word)
}

/// The length of an RSA key's modulus: the third of the fields, each behind its own length.
fn modulus_bytes(mut key: &[u8]) -> usize {
    let mut length = 0;
    for _type_exponent_modulus in 0..3 {
        let Some((head, rest)) = key.split_first_chunk::<4>() else { return 0 };
        length = u32::from_be_bytes(*head) as usize;
        let Some(next) = rest.get(length..) else { return 0 };
        key = next;
    }
    length
}

/// A key line without its last day; `None` when the day is none, or another option stands there.
fn without_expiry(line: &str) -> Option<&str> {
    let Some(rest) = line.strip_prefix("expiry-time=\"") else {
        let first = line.split_ascii_whitespace().next().unwrap_or_default();
        return (!first.contains(['=', '"'])).then_some(line);
    };
    let (day, key) = rest.split_once('"')?;
    jiff::civil::Date::strptime("%Y%m%d", day).ok()?;
    key.strip_prefix(' ')
}
