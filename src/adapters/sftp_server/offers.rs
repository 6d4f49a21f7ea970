//! Which algorithms a connection is offered.
//!
//! By default the post-quantum key exchange first, and nothing that a scanner would object to but for curve25519, which
//! clients from before 2024 need. A client library whose version line says that it may have nothing better is offered what
//! it has: message authentication of the plain, or NIST's curve P-256. The version lines are part of what a host key signs,
//! so nobody on the way can make a better client look like one. What is older still is offered to the addresses of
//! partners that ask for it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PrivateKey};
use russh::server::Config;
use russh::{MethodKind, MethodSet, Preferred, SshId, cipher, kex, mac};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::settings::{Network, PartnerAccess, SftpLimits};
use super::window::WINDOW_BYTES;

/// How old what is offered may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    /// What is good today.
    Modern,
    /// Message authentication of the encrypted with the plain, too.
    Plain,
    /// Key exchange and a host key on NIST's curve P-256, too.
    Nist,
    /// Key exchanges and host keys of twenty years ago, too; nothing broken.
    Older,
}

/// What each connection is offered.
pub(super) struct Offers {
    modern: Arc<Config>,
    plain: Arc<Config>,
    nist: Arc<Config>,
    older: Arc<Config>,
    older_from: Vec<Network>,
}

impl Offers {
    /// The offers of a server with these keys; those for older clients only are shown to none but these.
    pub(super) fn new(limits: &SftpLimits, keys: Keys, partners: &[PartnerAccess]) -> Self {
        let Keys { keys, older_only, certificates } = keys;
        let config = |age, keys| Arc::new(config(limits, age, keys, certificates.clone()));
        let with_older: Vec<_> = keys.iter().chain(&older_only).cloned().collect();
        let older_from = partners.iter().filter(|access| access.older_algorithms);
        Self {
            modern: config(Age::Modern, keys.clone()),
            plain: config(Age::Plain, keys),
            nist: config(Age::Nist, with_older.clone()),
            older: config(Age::Older, with_older),
            older_from: older_from.flat_map(|access| access.addresses.iter().copied()).collect(),
        }
    }

    /// Says our version line and chooses by the client's what it is offered.
    pub(super) async fn choose(&self, stream: &mut TcpStream, address: IpAddr) -> io::Result<(Age, Arc<Config>)> {
        stream.write_all(GREETING.as_bytes()).await?;
        if self.older_from.iter().any(|network| network.contains(&address.to_canonical())) {
            return Ok((Age::Older, Arc::clone(&self.older)));
        }
        let age = version_line(stream).await?.map_or(Age::Modern, |line| age_of(&line));
        let config = match age {
            Age::Modern | Age::Older => &self.modern,
            Age::Plain => &self.plain,
            Age::Nist => &self.nist,
        };
        Ok((age, Arc::clone(config)))
    }

    /// What everybody is offered.
    pub(super) fn modern(&self) -> &Config {
        &self.modern
    }
}

/// The keys of a host.
pub(super) struct Keys {
    /// Shown to all.
    pub(super) keys: Vec<PrivateKey>,
    /// Shown to clients that may know no Ed25519.
    pub(super) older_only: Vec<PrivateKey>,
    /// What authorities say of them, shown to clients that ask for it.
    pub(super) certificates: Vec<Certificate>,
}

/// The client's version line without taking it from the stream; `None` when that is too long for one, or ends before.
async fn version_line(stream: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut line = [0; 255];
    let mut pause = LOOK_AGAIN;
    loop {
        let count = stream.peek(&mut line).await?;
        let came = line.get(..count).unwrap_or_default();
        if let Some(end) = came.iter().position(|byte| *byte == b'\n') {
            return Ok(came.get(..end).map(<[u8]>::to_vec));
        }
        if count == 0 || count == line.len() {
            return Ok(None);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LOOK_AGAIN_AT_LAST);
    }
}

/// What a client that begins with this version line is offered.
fn age_of(line: &[u8]) -> Age {
    if NIST_ALONE.iter().any(|library| line.starts_with(library)) {
        Age::Nist
    } else if lacks_etm(line) {
        Age::Plain
    } else {
        Age::Modern
    }
}

/// Whether a client has neither authenticated encryption nor encrypt-then-MAC: libssh2, curl's library, before 1.11.
fn lacks_etm(line: &[u8]) -> bool {
    let minor = line.strip_prefix(b"SSH-2.0-libssh2_1.").and_then(|rest| rest.split(|b| !b.is_ascii_digit()).next());
    let minor = minor.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok());
    minor.is_some_and(|minor| minor < 11)
}

/// What the SSH side of a connection keeps to.
pub(super) fn config(limits: &SftpLimits, age: Age, keys: Vec<PrivateKey>, certificates: Vec<Certificate>) -> Config {
    Config {
        server_id: SshId::Standard(GREETING.trim_end().into()),
        methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password, MethodKind::KeyboardInteractive][..]),
        auth_rejection_time: limits.rejection_time,
        // OpenSSH begins by asking which methods there are; that is no guess.
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys,
        certificates,
        window_size: WINDOW_BYTES,
        maximum_packet_size: 65_535,
        channel_buffer_size: 16,
        event_buffer_size: 8,
        preferred: preferred(age),
        max_auth_attempts: limits.max_login_attempts,
        inactivity_timeout: Some(limits.idle_time),
        nodelay: true,
        ..Config::default()
    }
}

fn preferred(age: Age) -> Preferred {
    let mut exchanges = vec![kex::MLKEM768X25519_SHA256, kex::CURVE25519, kex::CURVE25519_PRE_RFC_8731];
    let mut macs = vec![mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM];
    if age >= Age::Plain {
        macs.extend([mac::HMAC_SHA512, mac::HMAC_SHA256]);
    }
    if age >= Age::Nist {
        exchanges.push(kex::ECDH_SHA2_NISTP256);
    }
    if age >= Age::Older {
        exchanges.extend([kex::DH_GEX_SHA256, kex::DH_G16_SHA512, kex::DH_G14_SHA256]);
        macs.push(mac::HMAC_SHA1);
    }
    // Strict key exchange: no packet can be dropped or added before the keys are in use (Terrapin).
    exchanges.extend([kex::EXTENSION_SUPPORT_AS_SERVER, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER]);
    Preferred {
        kex: exchanges.into(),
        key: KEYS.to_vec().into(),
        cipher: vec![cipher::CHACHA20_POLY1305, cipher::AES_256_GCM, cipher::AES_256_CTR, cipher::AES_128_CTR].into(),
        mac: macs.into(),
        compression: vec![russh::compression::NONE].into(),
        host_key_certificates: Preferred::DEFAULT.host_key_certificates,
    }
}

/// Of host keys those are shown that there are; of user keys clients are told that all of these are taken.
const KEYS: [Algorithm; 8] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::SkEd25519,
    Algorithm::SkEcdsaSha2NistP256,
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];
/// Libraries that know neither curve25519 nor Ed25519: JSch before 0.2 at all, and JSch, net-ssh for Ruby and Apache MINA SSHD
/// for Java where an optional part of theirs is not installed, of which their version lines tell nothing.
const NIST_ALONE: [&[u8]; 3] = [b"SSH-2.0-JSCH", b"SSH-2.0-Ruby/Net::SSH_", b"SSH-2.0-APACHE-SSHD-"];
/// Our version line. Said before the client is known, so that none waits for it.
pub(super) const GREETING: &str = concat!("SSH-2.0-sluse_", env!("CARGO_PKG_VERSION"), "\r\n");
/// The pauses between looks at a version line that came in pieces.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const LOOK_AGAIN_AT_LAST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_without_better_is_known_by_its_version_line() {
        for (line, age) in [
            ("SSH-2.0-libssh2_1.10.0\r", Age::Plain),
            ("SSH-2.0-libssh2_1.4.3", Age::Plain),
            ("SSH-2.0-JSCH-0.1.54\r", Age::Nist),
            ("SSH-2.0-JSCH_0.2.19\r", Age::Nist),
            ("SSH-2.0-Ruby/Net::SSH_7.0.1 x86_64-linux-gnu", Age::Nist),
            ("SSH-2.0-APACHE-SSHD-2.13.2", Age::Nist),
            ("SSH-2.0-libssh2_1.11.1\r", Age::Modern),
            ("SSH-2.0-OpenSSH_7.5", Age::Modern),
            ("SSH-2.0-libssh2_", Age::Modern),
            ("GET / HTTP/1.1", Age::Modern),
            ("", Age::Modern),
        ] {
            assert_eq!(age_of(line.as_bytes()), age, "{line}");
        }
    }

    #[test]
    fn each_age_offers_what_the_one_before_it_does() {
        let modern = preferred(Age::Modern);
        assert_eq!(modern.kex.first(), Some(&kex::MLKEM768X25519_SHA256));
        for age in [Age::Modern, Age::Plain, Age::Nist, Age::Older] {
            let offered = preferred(age);
            assert!(modern.mac.iter().all(|mac| offered.mac.contains(mac)), "{age:?}");
            assert!(offered.kex.contains(&kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER), "{age:?}");
            assert_eq!(offered.kex.contains(&kex::ECDH_SHA2_NISTP256), age >= Age::Nist, "{age:?}");
            assert_eq!(offered.kex.contains(&kex::DH_G14_SHA256), age == Age::Older, "{age:?}");
            assert_eq!(offered.mac.contains(&mac::HMAC_SHA1), age == Age::Older, "{age:?}");
        }
    }
}
