//! A throw-away key for demo, tests and dry runs.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::SimulatorError;

/// An RSA key made on the spot, as PEM.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// For the sender's settings.
    pub private_key: SecretString,
    /// For [`super::SimulatorOptions::public_key`].
    pub public_key: String,
}

impl KeyPair {
    /// Makes one; takes a noticeable part of a second.
    pub fn generate() -> Result<Self, SimulatorError> {
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_| SimulatorError::BadKey)?;
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| SimulatorError::BadKey)?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| SimulatorError::BadKey)?;
        Ok(Self {
            private_key: SecretString::from(pem("PRIVATE KEY", private.as_ref())),
            public_key: pem("PUBLIC KEY", public.as_ref()),
        })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, c) in STANDARD.encode(der).chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}
