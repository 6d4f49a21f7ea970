//! What the ledger says of partners beside the configuration.

use jiff::Timestamp;

use super::PartnerId;

/// Partners, logins and keys that operators added while the gateway ran, and what they took away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amendments {
    /// Partners that the configuration does not name.
    pub partners: Vec<AddedPartner>,
    /// Logins that the configuration does not name, and new passwords of those it does.
    pub logins: Vec<AmendedLogin>,
    /// Keys beside those of the configuration, and last moments of any key.
    pub keys: Vec<OwnedKey>,
    /// Partners that may not log in.
    pub disabled: Vec<PartnerId>,
}

/// A partner that has what a configured one has, in an area of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedPartner {
    /// Its short name.
    pub id: PartnerId,
    /// The configured partner whose routes, directories and limits it has, too.
    pub like: PartnerId,
    /// Networks its logins may come from, such as `192.0.2.0/24`; empty means anywhere.
    pub addresses: Vec<String>,
}

/// A login of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendedLogin {
    /// User name.
    pub user: String,
    /// Whose.
    pub partner: PartnerId,
    /// Argon2id hash of the password, in place of the configured one.
    pub password_hash: Option<String>,
    /// Whether a command made the login; otherwise it is the configuration's to have or to take away.
    pub is_added: bool,
    /// Digest of the configuration's hash that the password was put in place of, where that is known: it holds until the
    /// configuration says another.
    pub in_place_of: Option<[u8; 32]>,
}

/// A key of a login, and the partner it was said of: the configuration may have given the user to another since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedKey {
    /// Whose login it was.
    pub partner: PartnerId,
    /// The key.
    pub key: LoginKey,
}

/// A public key of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginKey {
    /// User name.
    pub user: String,
    /// Type and data as OpenSSH writes them, without options and comment.
    pub key: String,
    /// The key's comment.
    pub comment: String,
    /// When it opens nothing any more.
    pub until: Option<Timestamp>,
}

/// What an operator did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What, such as `key added`.
    pub what: String,
    /// To whom.
    pub partner: String,
    /// To which login or file of theirs, and how.
    pub detail: String,
    /// Why.
    pub reason: String,
}
