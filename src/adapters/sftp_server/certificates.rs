//! OpenSSH user certificates: which authority signed it, for whom, from where.

use std::net::IpAddr;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, PublicKey};

use super::login_key::usable;
use super::settings::Network;

/// Why a certificate does not open a login with these authorities and principals.
pub(super) fn wrong(
    certificate: &Certificate,
    authorities: &[PublicKey],
    principals: &[String],
    from: IpAddr,
) -> Option<&'static str> {
    if !authorities.iter().any(|authority| authority.key_data() == certificate.signature_key()) {
        return Some("its authority is not one of the login's");
    }
    if certificate.cert_type() != CertType::User {
        return Some("it is no user certificate");
    }
    if certificate.signature().algorithm() == (Algorithm::Rsa { hash: None }) {
        return Some("it is signed with SHA-1");
    }
    if usable(&certificate.public_key().clone().into()).is_err() {
        return Some("its key is too weak");
    }
    // One without principals would be good for every user there is.
    if !certificate.valid_principals().iter().any(|principal| principals.contains(principal)) {
        return Some("none of its principals is the login's");
    }
    certificate.critical_options().iter().find_map(|(name, value)| forbids(name, value, from))
}

/// Why a critical option forbids a login; one that we do not know does.
fn forbids(name: &str, value: &str, from: IpAddr) -> Option<&'static str> {
    match name {
        "source-address" => {
            let from = from.to_canonical();
            let holds = |network: &str| {
                let network = network.trim();
                network.parse::<IpAddr>().is_ok_and(|address| address == from)
                    || network.parse::<Network>().is_ok_and(|network| network.contains(&from))
            };
            (!value.split(',').any(holds)).then_some("it is not for this address")
        }
        "force-command" if value == "internal-sftp" => None,
        "verify-required" => Some("it asks for a check of the security key that is not made here"),
        _ => Some("it has a critical option that is not known here"),
    }
}
