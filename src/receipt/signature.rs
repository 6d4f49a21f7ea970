//! Signatures of receipts: Ed25519, in a small file of their own.
//!
//! ```text
//! sluse receipt signature 1
//! sha256: <SHA-256 of the receipt, 64 hexadecimal digits>
//! key: <the first 16 hexadecimal digits of the SHA-256 of the public key's 32 bytes>
//! signature: <Ed25519 over the three lines above with their line feeds, in base64>
//! ```
//!
//! A receipt can be larger than memory, and Ed25519 reads its message twice: so what is signed is its hash.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::document::hex;

/// A private key that signs receipts.
pub struct Signer {
    key: Ed25519KeyPair,
    name: String,
}

/// A public key that receipts are held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is not what the file should hold.
    #[error("is no Ed25519 private key in PKCS#8 PEM form (BEGIN PRIVATE KEY, without a passphrase)")]
    Private,
    /// It is not what the file should hold.
    #[error("is no Ed25519 public key in PEM form (BEGIN PUBLIC KEY)")]
    Public,
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// The file is not of the form described.
    #[error("the signature file is not one of sluse")]
    Form,
    /// It belongs to other bytes.
    #[error("the signature belongs to another file, or the receipt was changed")]
    OtherFile,
    /// Made with another key.
    #[error("the signature was made with another key")]
    OtherKey,
    /// The lines were changed.
    #[error("the signature does not hold")]
    Wrong,
}

impl Signer {
    /// Reads a private key.
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        let der = unwrapped(pem, "PRIVATE KEY").ok_or(BadKey::Private)?;
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_rejected| BadKey::Private)?;
        let name = key_name(key.public_key().as_ref());
        Ok(Self { key, name })
    }

    /// The file that signs a receipt with the given SHA-256.
    pub fn sign(&self, sha256: &[u8; 32]) -> Vec<u8> {
        let mut lines = statement(sha256, &self.name);
        let signature = STANDARD.encode(self.key.sign(lines.as_bytes()));
        lines.push_str(LAST);
        lines.push_str(&signature);
        lines.push('\n');
        lines.into_bytes()
    }

    /// The public half.
    pub fn public_key(&self) -> Result<PublicKey, BadKey> {
        self.key.public_key().as_ref().try_into().map(PublicKey).map_err(|_| BadKey::Public)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.name)
    }
}

impl PublicKey {
    /// Reads a public key.
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        let der = unwrapped(pem, "PUBLIC KEY").ok_or(BadKey::Public)?;
        let bytes = der.strip_prefix(SPKI).ok_or(BadKey::Public)?;
        bytes.try_into().map(Self).map_err(|_| BadKey::Public)
    }

    /// Tells whether a signature file signs a receipt with the given SHA-256.
    pub fn check(&self, sha256: &[u8; 32], file: &[u8]) -> Result<(), BadSignature> {
        let text = std::str::from_utf8(file).map_err(|_| BadSignature::Form)?.replace("\r\n", "\n");
        let (lines, signature) = text.split_once(LAST).ok_or(BadSignature::Form)?;
        let mut fields = lines.lines();
        if fields.next() != Some(FIRST) {
            return Err(BadSignature::Form);
        }
        if fields.next().and_then(|line| line.strip_prefix("sha256: ")) != Some(&hex(sha256)) {
            return Err(BadSignature::OtherFile);
        }
        let name = key_name(&self.0);
        if fields.next().and_then(|line| line.strip_prefix("key: ")) != Some(&name) {
            return Err(BadSignature::OtherKey);
        }
        let signature = STANDARD.decode(signature.trim()).map_err(|_| BadSignature::Form)?;
        if lines != statement(sha256, &name) {
            return Err(BadSignature::Form);
        }
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(lines.as_bytes(), &signature).map_err(|_unspecified| BadSignature::Wrong)
    }
}

/// What is signed.
fn statement(sha256: &[u8; 32], key_name: &str) -> String {
    format!("{FIRST}\nsha256: {}\nkey: {key_name}\n", hex(sha256))
}

fn key_name(public_key: &[u8]) -> String {
    hex(digest(&SHA256, public_key).as_ref()).chars().take(16).collect()
}

/// The bytes in a PEM text.
fn unwrapped(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, after) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (inner, _) = after.split_once(&format!("-----END {label}-----"))?;
    STANDARD.decode(inner.split_ascii_whitespace().collect::<String>()).ok()
}

const FIRST: &str = "sluse receipt signature 1";
const LAST: &str = "signature: ";
/// What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
const SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of RFC 8410, section 10.3: a key that everybody knows.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn a_signature_holds_for_its_file_and_key_alone() {
        let (signer, key) = (Signer::from_pem(PRIVATE).unwrap(), PublicKey::from_pem(PUBLIC).unwrap());
        assert_eq!(signer.public_key(), Ok(key.clone()));
        let file = signer.sign(&[7; 32]);
        assert_eq!(key.check(&[7; 32], &file), Ok(()));
        assert_eq!(key.check(&[8; 32], &file), Err(BadSignature::OtherFile));
        assert_eq!(PublicKey([9; 32]).check(&[7; 32], &file), Err(BadSignature::OtherKey));
        let text = String::from_utf8(file).unwrap();
        assert_eq!(key.check(&[7; 32], text.replace('\n', "\r\n").as_bytes()), Ok(()));
        let forged = format!("{}{LAST}{}\n", statement(&[7; 32], &signer.name), STANDARD.encode([1; 64]));
        assert_eq!(key.check(&[7; 32], forged.as_bytes()), Err(BadSignature::Wrong));
        let more = text.replace(LAST, "also: this\nsignature: ");
        assert_eq!(key.check(&[7; 32], more.as_bytes()), Err(BadSignature::Form));
        assert_eq!(key.check(&[7; 32], b"hello"), Err(BadSignature::Form));
    }

    #[test]
    fn openssl_agrees() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let text = String::from_utf8(Signer::from_pem(PRIVATE).unwrap().sign(&[7; 32])).unwrap();
        let (lines, signature) = text.split_once(LAST).unwrap();
        std::fs::write(path("lines"), lines).unwrap();
        std::fs::write(path("signature"), STANDARD.decode(signature.trim()).unwrap()).unwrap();
        std::fs::write(path("receipts.pub"), PUBLIC).unwrap();
        let openssl = std::process::Command::new("openssl")
            .args(["pkeyutl", "-verify", "-pubin", "-inkey", "receipts.pub", "-rawin", "-in", "lines"])
            .args(["-sigfile", "signature"])
            .current_dir(dir.path())
            .output();
        match openssl {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(error) => {
                assert!(std::env::var_os("SLUSE_REQUIRE_ALL").is_none(), "openssl: {error}");
                eprintln!("skipped: openssl is not installed");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_there_is_an_answer(bytes in any::<Vec<u8>>(), pem in "(-----(BEGIN|END) (PUBLIC|PRIVATE) KEY-----|[A-Za-z0-9+/=\\n]){0,20}") {
            let key = PublicKey::from_pem(PUBLIC).unwrap();
            prop_assert!(key.check(&[7; 32], &bytes).is_err());
            let _ = (PublicKey::from_pem(&pem), Signer::from_pem(&pem));
        }
    }

    #[test]
    fn other_texts_are_no_keys() {
        assert_eq!(Signer::from_pem(PUBLIC).unwrap_err(), BadKey::Private);
        assert_eq!(PublicKey::from_pem(PRIVATE), Err(BadKey::Public));
        assert_eq!(
            Signer::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").unwrap_err(),
            BadKey::Private
        );
        assert!(!format!("{:?}", Signer::from_pem(PRIVATE).unwrap()).contains("1O5y"));
    }
}
