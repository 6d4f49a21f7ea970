//! HTTP services: where they are, what they know us by, and what is sent along.

use secrecy::{ExposeSecret as _, SecretString};

use super::reader::Section;
use super::{files, receiver};
use crate::model::{BatchLimits, HeaderTemplate};

/// An HTTP service.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where items are posted.
    pub url: String,
    /// An address with `{key}` in it that tells whether the service has an item.
    pub status_url: Option<String>,
    /// What the service knows us by.
    pub credential: Option<HttpCredential>,
    /// Headers beside our own.
    pub headers: Vec<HeaderTemplate>,
    /// A secret that requests are signed with.
    pub signing_secret: Option<SecretString>,
    /// Our certificate with its chain and private key, PEM.
    pub client_certificate: Option<SecretString>,
    /// Authorities that the service's certificate must come from, PEM, in place of the machine's.
    pub authorities: Option<String>,
    /// Longest wait for a connection.
    pub connect_ms: u64,
    /// Longest wait for a whole answer.
    pub timeout_ms: u64,
    /// How large batches may be, where it takes them.
    pub batches: Option<BatchLimits>,
}

/// What an HTTP service knows us by.
#[derive(Debug, Clone)]
pub enum HttpCredential {
    /// Sent as a bearer token.
    Bearer(SecretString),
    /// A bearer token that an authorization server gives for client credentials.
    Oauth {
        /// Where tokens are asked for.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// The client's secret.
        client_secret: SecretString,
        /// Scopes, with blanks between.
        scope: Option<String>,
    },
    /// Sent in a header of the service's choice.
    Header {
        /// The header's name.
        name: String,
        /// What is sent in it.
        value: SecretString,
    },
}

/// Reads a receiver of kind `http`.
pub(super) fn read(section: &Section<'_>) -> Option<HttpConfig> {
    let headers = headers(section);
    let signing_secret = files::secret(section, "signing_secret_file");
    let batches = receiver::batches(section);
    Some(HttpConfig { headers, signing_secret, batches, ..service(section, false)? })
}

/// What every service that is reached by HTTP has; what is sent may carry secrets beside the credential.
pub(super) fn service(section: &Section<'_>, sends_secret: bool) -> Option<HttpConfig> {
    section.required("url");
    let oauth = oauth(&section.section("oauth"));
    let credential = credential(section);
    if oauth.is_some() && credential.is_some() {
        section.fault("oauth", "give this or a fixed credential, not both");
    }
    let carries_secret = sends_secret
        || oauth.is_some()
        || ["bearer_token_file", "credential_file"].iter().any(|key| section.text(key).is_some());
    let client_certificate = client_certificate(section);
    let authorities = authorities(section);
    let url = service_address(section, "url", carries_secret);
    let status_url = service_address(section, "status_url", carries_secret);
    if status_url.as_ref().is_some_and(|url| !url.contains("{key}")) {
        section.fault("status_url", "must have {key} where the item's key goes");
    }
    let (connect_ms, timeout_ms) = waits(section);
    Some(HttpConfig {
        url: url?,
        status_url,
        credential: oauth.or(credential),
        headers: Vec::new(),
        signing_secret: None,
        client_certificate,
        authorities,
        connect_ms,
        timeout_ms,
        batches: None,
    })
}

/// `[receiver.<name>.oauth]`: a client of an authorization server.
fn oauth(section: &Section<'_>) -> Option<HttpCredential> {
    if !section.is_written() {
        return None;
    }
    section.required("token_url");
    let token_url = service_address(section, "token_url", true);
    let client_id = section.required("client_id");
    section.required("client_secret_file");
    let client_secret = files::secret(section, "client_secret_file");
    let scope = section.text("scope");
    Some(HttpCredential::Oauth { token_url: token_url?, client_id: client_id?, client_secret: client_secret?, scope })
}

fn headers(section: &Section<'_>) -> Vec<HeaderTemplate> {
    let mut headers = Vec::new();
    for line in section.texts("headers") {
        match line.parse() {
            Ok(header) => headers.push(header),
            Err(error) => section.fault("headers", format!("{error}")),
        }
    }
    headers
}

/// One PEM file with the certificate, its chain and the private key.
fn client_certificate(section: &Section<'_>) -> Option<SecretString> {
    let pem = files::secret(section, "client_certificate_file")?;
    let text = pem.expose_secret();
    if !text.contains("-----BEGIN CERTIFICATE-----") || !text.contains("PRIVATE KEY-----") {
        section.fault("client_certificate_file", "must hold a certificate and its private key, both in PEM form");
        return None;
    }
    Some(pem)
}

fn authorities(section: &Section<'_>) -> Option<String> {
    let pem = files::text(section, "ca_file")?;
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        section.fault("ca_file", "does not hold certificates in PEM form");
        return None;
    }
    Some(pem)
}

/// An address of an HTTP service. A secret must not be readable on the way; items alone are the operator's choice.
fn service_address(section: &Section<'_>, key: &'static str, carries_secret: bool) -> Option<String> {
    let url = section.text(key)?;
    if !is_url(&url) {
        section.fault(key, "must be an address that begins with https:// or http://");
        return None;
    }
    if is_private(&url) {
        return Some(url);
    }
    if carries_secret {
        section
            .fault(key, "must begin with https://, since a secret is sent there; plain http is to this machine only");
        return None;
    }
    section.source().warn(format!("{}: items travel unencrypted to another machine", section.place(key)));
    Some(url)
}

pub(super) fn credential(section: &Section<'_>) -> Option<HttpCredential> {
    let bearer = files::secret(section, "bearer_token_file");
    let name = section.text("credential_header");
    let value = files::secret(section, "credential_file");
    let given = |key: &'static str| section.text(key).is_some();
    if given("bearer_token_file") && name.is_some() {
        section.fault("credential_header", "give this or bearer_token_file, not both");
        return None;
    }
    if name.is_some() != given("credential_file") {
        section.fault("credential_header", "credential_header and credential_file go together");
        return None;
    }
    if name.as_ref().is_some_and(|name| name.is_empty() || !name.bytes().all(is_header_byte)) {
        section.fault("credential_header", "must be the name of a header, such as \"X-Api-Key\"");
        return None;
    }
    let secret = bearer.as_ref().map(|secret| ("bearer_token_file", secret));
    if let Some((key, secret)) = secret.or(value.as_ref().map(|secret| ("credential_file", secret)))
        && !secret.expose_secret().bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    {
        section.fault(key, "must hold one line of visible characters");
        return None;
    }
    let header = name.zip(value).map(|(name, value)| HttpCredential::Header { name, value });
    bearer.map(HttpCredential::Bearer).or(header)
}

fn is_header_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

pub(super) fn waits(section: &Section<'_>) -> (u64, u64) {
    (section.number("connect_ms", 10_000, 1..=600_000), section.number("timeout_ms", 100_000, 1..=3_600_000))
}

pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) && !text.contains(char::is_whitespace)
}

/// Tells whether nobody between here and there can read along.
pub(super) fn is_private(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return true };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.strip_prefix(local).is_some_and(|port| port.is_empty() || port.starts_with(':')))
}
