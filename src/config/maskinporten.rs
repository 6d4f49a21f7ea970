//! Maskinporten clients: who we are to Altinn, and how we prove it.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::civil::Date;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use secrecy::{ExposeSecret as _, SecretString};

use super::files;
use super::partner::Partner;
use super::reader::Section;
use crate::model::PartnerId;

/// Where grants go; what is missing has been told.
pub(super) struct Office {
    pub(super) issuer: Option<String>,
    pub(super) token_url: Option<String>,
    pub(super) well_known_url: Option<String>,
}

/// A Maskinporten client.
#[derive(Debug, Clone)]
pub struct MaskinportenConfig {
    /// The issuer, exactly as its metadata writes it: the assertion's audience.
    pub issuer: String,
    /// The token endpoint.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// Scopes, with blanks between.
    pub scope: String,
    /// The private key, PEM.
    pub key: SecretString,
    /// How the assertion names the key.
    pub key_name: KeyName,
    /// The organisation a supplier acts for.
    pub consumer_org: Option<String>,
    /// Resource indicators; most scopes need none.
    pub resources: Vec<String>,
    /// Where the issuer tells its addresses; what it tells goes before those above.
    pub well_known_url: Option<String>,
    /// The system user we act as: an organisation's number, and the reference it was agreed under.
    pub system_user: Option<(String, Option<String>)>,
    /// The last day of a registered key.
    pub key_expires: Option<Date>,
}

/// How an assertion names its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyName {
    /// Registered on the client beforehand.
    Kid(String),
    /// The certificate chain, PEM, leaf first.
    Chain(String),
}

/// Reads the keys of a section that say who a client is. What it does not say of scopes and resources is as another has it.
pub(super) fn read(
    section: &Section<'_>,
    office: &Office,
    scope: &str,
    resources: &[String],
) -> Option<MaskinportenConfig> {
    let client_id = section.required("client_id");
    let scope = section.text("scope").unwrap_or_else(|| scope.to_owned());
    let kid = section.text("kid");
    let (key, key_name) = if section.has("keystore_file") {
        let (key, chain) = keystore(section).unzip();
        (key, kid.map(KeyName::Kid).or(chain.map(KeyName::Chain)))
    } else {
        (private_key(section), key_name(section, kid))
    };
    let consumer_org = organisation(section, "consumer_org");
    let system_user = system_user(section);
    let key_expires = section.parsed("key_expires");
    let resources = if section.has("resources") { section.texts("resources") } else { resources.to_vec() };
    Some(MaskinportenConfig {
        issuer: office.issuer.clone()?,
        token_url: office.token_url.clone()?,
        client_id: client_id?,
        scope,
        key: key?,
        key_name: key_name?,
        consumer_org,
        resources,
        well_known_url: office.well_known_url.clone(),
        system_user,
        key_expires,
    })
}

/// Reads `[receiver.<name>.client.<partner>]`: clients that are partners' own.
pub(super) fn clients(
    section: &Section<'_>,
    office: &Office,
    general: (&str, &[String]),
    partners: &[Partner],
) -> Vec<(PartnerId, MaskinportenConfig)> {
    let mut clients = Vec::new();
    for (name, own) in section.named("client") {
        let config = read(&own, office, general.0, general.1);
        match partners.iter().find(|partner| partner.id.as_str() == name) {
            Some(partner) => clients.extend(config.map(|config| (partner.id.clone(), config))),
            None => own.fault_here(format!("there is no [partner.{name}]")),
        }
    }
    clients
}

/// The system user, and the reference that only one may need.
fn system_user(section: &Section<'_>) -> Option<(String, Option<String>)> {
    let (organisation, reference) = (organisation(section, "system_user_org"), section.text("system_user_reference"));
    if organisation.is_none() && reference.is_some() {
        section.fault("system_user_reference", "needs system_user_org");
    }
    Some((organisation?, reference))
}

/// The private key and the certificates of a PKCS#12 file, both as PEM.
fn keystore(section: &Section<'_>) -> Option<(SecretString, String)> {
    for other in ["key_file", "certificate_chain_file"] {
        if section.has(other) {
            section.fault(other, "give this or keystore_file, not both");
        }
    }
    let path = section.path("keystore_file")?;
    files::warn_of_others(section, "keystore_file", &path);
    section.required("keystore_password_file");
    let password = files::secret(section, "keystore_password_file")?;
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            section.fault("keystore_file", format!("{}: {error}", path.display()));
            return None;
        }
    };
    let store = KeyStore::from_pkcs12(&bytes, password.expose_secret(), Pkcs12ImportPolicy::Strict);
    // Its own text may hold what is in the file.
    let Ok(store) = store else {
        section.fault("keystore_file", "cannot be read as PKCS#12 with that password");
        return None;
    };
    let Some((_, chain)) = store.private_key_chain() else {
        section.fault("keystore_file", "holds no private key with its certificate");
        return None;
    };
    let certificates = chain.certs().iter().map(|certificate| pem("CERTIFICATE", certificate.as_der())).collect();
    Some((SecretString::from(pem("PRIVATE KEY", chain.key().as_der())), certificates))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    for (index, c) in text.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    lines + &format!("\n-----END {label}-----\n")
}

fn private_key(section: &Section<'_>) -> Option<SecretString> {
    section.required("key_file")?;
    let key = files::secret(section, "key_file")?;
    if !key.expose_secret().starts_with("-----BEGIN") {
        section.fault("key_file", "does not hold a private key in PEM form");
        return None;
    }
    Some(key)
}

fn key_name(section: &Section<'_>, kid: Option<String>) -> Option<KeyName> {
    let has_chain = section.text("certificate_chain_file").is_some();
    let chain = files::text(section, "certificate_chain_file");
    match (kid, chain) {
        (Some(_), Some(_)) => {
            section.fault("kid", "give this or certificate_chain_file, not both");
            None
        }
        (Some(kid), None) => Some(KeyName::Kid(kid)),
        (None, Some(chain)) if chain.contains("-----BEGIN CERTIFICATE") => Some(KeyName::Chain(chain)),
        (None, Some(_)) => {
            section.fault("certificate_chain_file", "does not hold certificates in PEM form");
            None
        }
        (None, None) => {
            if !has_chain {
                section.fault("kid", "is missing: give this or certificate_chain_file");
            }
            None
        }
    }
}

fn organisation(section: &Section<'_>, key: &'static str) -> Option<String> {
    let org = section.text(key)?;
    if org.len() != 9 || !org.bytes().all(|byte| byte.is_ascii_digit()) {
        section.fault(key, "must be an organisation number of nine digits");
    }
    Some(org)
}
