//! Altinn 3: Maskinporten, token exchange, app instances, messages, transfers of files.
//!
//! One item becomes one app instance. The API has no idempotency key, so every instance carries its item's key in
//! `dataValues`, and an unknown outcome is settled by listing the owner's instances and looking for that key. A message
//! becomes one correspondence for each recipient; those carry keys of their own, made of the item's. An archive becomes one
//! transfer for each recipient, whose id is kept before the first byte goes out.
//! Neither reportees nor bodies of answers are ever logged.

mod answers;
mod broker;
mod client;
mod finish;
mod grant;
mod instance;
mod issuer;
mod later;
mod look_up;
mod message;
mod news;
mod problem;
mod receiver;
mod tokens;

use jiff::Timestamp;
use secrecy::SecretString;

pub use super::http::{AddressError, Waits};
pub use broker::{BrokerLimits, BrokerReceiver, BrokerSettings};
pub use grant::KeyError;
pub use message::MessageReceiver;
pub use news::NewsSettings;
pub use receiver::AppReceiver;

/// Where Altinn is, and who we are to it.
#[derive(Debug, Clone)]
pub struct AltinnSettings {
    /// How we get tokens.
    pub maskinporten: MaskinportenSettings,
    /// Base of the platform's APIs, such as `https://platform.altinn.no`.
    pub platform_base: String,
    /// Base of the apps, such as `https://{org}.apps.altinn.no`; `{org}` stands for the app's owner.
    pub apps_base: String,
    /// Asks the exchange for a token of the test organisation.
    pub test_exchange: bool,
    /// `Ocp-Apim-Subscription-Key`, where an agreement asks for one.
    pub subscription_key: Option<SecretString>,
    /// How long to wait.
    pub waits: Waits,
}

/// A Maskinporten client.
#[derive(Debug, Clone)]
pub struct MaskinportenSettings {
    /// Token endpoint, such as `https://maskinporten.no/token`.
    pub token_url: String,
    /// Issuer that grants are addressed to, such as `https://maskinporten.no/`.
    pub audience: String,
    /// Client id.
    pub client_id: String,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// The client's RSA key, PEM.
    pub private_key: SecretString,
    /// How Maskinporten knows the key.
    pub identity: KeyIdentity,
    /// The organisation a supplier acts for.
    pub consumer_org: Option<String>,
    /// Resource indicators; most scopes need none.
    pub resources: Vec<String>,
    /// Where the issuer tells its addresses; what it tells goes before `token_url` and `audience`.
    pub well_known_url: Option<String>,
    /// The system user that we act as.
    pub system_user: Option<SystemUser>,
    /// When a registered key ends.
    pub key_ends_at: Option<Timestamp>,
}

/// A system user: what an organisation lets a system do for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemUser {
    /// The organisation's number.
    pub organisation: String,
    /// The reference it was agreed under, where it has several.
    pub reference: Option<String>,
}

/// How Maskinporten knows a key: exactly one of the two.
#[derive(Debug, Clone)]
pub enum KeyIdentity {
    /// The id of a key registered on the client (`kid`).
    KeyId(String),
    /// A certificate chain in PEM, the client's own first (`x5c`).
    Certificates(String),
}

/// Settings that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The key or its certificates.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A secret that cannot stand in a header.
    #[error("the subscription key is not one line of visible characters")]
    BadSubscriptionKey,
    /// An app that cannot stand in an address.
    #[error("`{0}` is not an app: give owner and name in letters, digits and '-'")]
    BadApp(String),
    /// A resource that cannot stand in a request.
    #[error("`{0}` is not a resource: give its id in letters, digits, '-' and '_'")]
    BadResource(String),
    /// The machine's TLS set-up.
    #[error("no HTTPS client can be made: are the machine's CA certificates installed?")]
    Tls(#[source] reqwest::Error),
}
