//! The JWT bearer grant that asks Maskinporten for a token (RFC 7523).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use uuid::Uuid;

use super::{KeyIdentity, MaskinportenSettings, SystemUser};
use crate::adapters::certificate;

/// Signs grants for one client.
pub(super) struct Signer {
    header: Header,
    key: EncodingKey,
    settings: MaskinportenSettings,
}

/// A key that cannot sign grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an RSA private key in PEM.
    #[error("the Maskinporten key is not an RSA private key in PEM")]
    NotAKey,
    /// Not certificates in PEM.
    #[error("the Maskinporten certificate chain holds no certificate in PEM")]
    NoCertificate,
}

/// Every claim Maskinporten knows; it refuses a grant with any other.
#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    scope: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_org: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    resource: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<[SystemUserClaim<'a>; 1]>,
}

/// The system user that an organisation has given rights.
#[derive(Serialize)]
struct SystemUserClaim<'a> {
    r#type: &'static str,
    systemuser_org: Party,
    #[serde(rename = "externalRef", skip_serializing_if = "Option::is_none")]
    external_ref: Option<&'a str>,
}

#[derive(Serialize)]
struct Party {
    authority: &'static str,
    #[serde(rename = "ID")]
    id: String,
}

impl<'a> From<&'a SystemUser> for SystemUserClaim<'a> {
    fn from(user: &'a SystemUser) -> Self {
        let systemuser_org = Party { authority: "iso6523-actorid-upis", id: format!("0192:{}", user.organisation) };
        Self { r#type: "urn:altinn:systemuser", systemuser_org, external_ref: user.reference.as_deref() }
    }
}

impl Signer {
    /// Checks the key and its identity by signing once.
    pub(super) fn new(settings: MaskinportenSettings) -> Result<Self, KeyError> {
        let mut header = Header::new(Algorithm::RS256);
        match &settings.identity {
            KeyIdentity::KeyId(id) => header.kid = Some(id.clone()),
            KeyIdentity::Certificates(pem) => header.x5c = Some(certificates(pem)?),
        }
        let key = encoding_key(&settings.private_key)?;
        let signer = Self { header, key, settings };
        signer.sign(Timestamp::UNIX_EPOCH, "")?;
        Ok(signer)
    }

    /// When the key can be used no longer, as far as that is known.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        let certificate = match &self.settings.identity {
            KeyIdentity::KeyId(_) => None,
            KeyIdentity::Certificates(pem) => certificate::ends_at(pem),
        };
        self.settings.key_ends_at.into_iter().chain(certificate).min()
    }

    /// Makes a grant for an audience that has never been used before.
    pub(super) fn sign(&self, now: Timestamp, audience: &str) -> Result<String, KeyError> {
        let iat = now.as_second();
        let claims = Claims {
            aud: audience,
            iss: &self.settings.client_id,
            scope: &self.settings.scope,
            iat,
            exp: iat + GRANT_SECONDS,
            jti: Uuid::new_v4().to_string(),
            consumer_org: self.settings.consumer_org.as_deref(),
            resource: &self.settings.resources,
            authorization_details: self.settings.system_user.as_ref().map(|user| [user.into()]),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.key).map_err(|_| KeyError::NotAKey)
    }
}

fn encoding_key(pem: &SecretString) -> Result<EncodingKey, KeyError> {
    EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes()).map_err(|_| KeyError::NotAKey)
}

/// The base64 between the marks of each certificate, checked and on one line as `x5c` wants it.
fn certificates(pem: &str) -> Result<Vec<String>, KeyError> {
    let mut chain = Vec::new();
    for block in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (content, _) = block.split_once("-----END CERTIFICATE-----").ok_or(KeyError::NoCertificate)?;
        let content: String = content.split_ascii_whitespace().collect();
        let der = STANDARD.decode(&content).map_err(|_| KeyError::NoCertificate)?;
        if der.first() != Some(&DER_SEQUENCE) {
            return Err(KeyError::NoCertificate);
        }
        chain.push(content);
    }
    if chain.is_empty() { Err(KeyError::NoCertificate) } else { Ok(chain) }
}

/// Maskinporten takes at most 120; less leaves room for the machine's clock.
const GRANT_SECONDS: i64 = 110;
/// Every certificate begins as an ASN.1 SEQUENCE.
const DER_SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_every_certificate_in_order() {
        let pem = |text: &str| format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        let chain = format!("subject=leaf\n{}\n{}", pem("MAEC\nAwQF"), pem("MAUGBw=="));
        assert_eq!(certificates(&chain).unwrap(), ["MAECAwQF", "MAUGBw=="]);
        for bad in ["", "MAEC", "-----BEGIN CERTIFICATE-----\nMAEC", &pem("%%%"), &pem("AAAA")] {
            assert_eq!(certificates(bad), Err(KeyError::NoCertificate), "{bad}");
        }
    }

    #[test]
    fn a_key_that_cannot_sign_is_found_at_once_and_not_shown() {
        let settings = MaskinportenSettings {
            token_url: "http://127.0.0.1/token".into(),
            audience: "http://127.0.0.1/".into(),
            client_id: "client".into(),
            scope: "altinn:serviceowner".into(),
            private_key: SecretString::from("not-a-key-7c1d"),
            identity: KeyIdentity::KeyId("kid".into()),
            consumer_org: None,
            resources: Vec::new(),
            well_known_url: None,
            system_user: None,
            key_ends_at: None,
        };
        assert!(!format!("{settings:?}").contains("7c1d"));
        let error = Signer::new(settings).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("7c1d"));
    }
}
