//! Password hashes.

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use aws_lc_rs::rand;
use secrecy::{ExposeSecret as _, SecretString};

/// Bytes of a salt, as RFC 9106 recommends.
const SALT_BYTES: usize = 16;

/// Why a password was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// There is nothing to hash.
    #[error("the password is empty")]
    Empty,
    /// The system gave no random salt, or memory is short.
    #[error("the password could not be hashed")]
    Failed,
}

/// Hashes a password with argon2id and a fresh salt, in the form `password_hash` takes.
pub fn hash_password(password: &SecretString) -> Result<SecretString, PasswordError> {
    let password = password.expose_secret().as_bytes();
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt).map_err(|_| PasswordError::Failed)?;
    let hash = Argon2::default().hash_password_with_salt(password, &salt).map_err(|_| PasswordError::Failed)?;
    Ok(SecretString::from(hash.to_string()))
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier as _;
    use argon2::password_hash::phc::PasswordHash;

    use super::*;

    #[test]
    fn a_hash_opens_with_its_password_only() {
        let hash = hash_password(&"hemmelig".into()).unwrap();
        let parsed = PasswordHash::new(hash.expose_secret()).unwrap();
        assert_eq!(parsed.algorithm.as_str(), "argon2id");
        assert!(Argon2::default().verify_password(b"hemmelig", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"Hemmelig", &parsed).is_err());
        assert!(hash_password(&"".into()).is_err());
    }
}
