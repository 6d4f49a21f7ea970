//! Keys and certificates that OpenSSH makes, and its client that shows them.

use std::path::Path;
use std::process::{Command, Stdio};

use sluse::adapters::sftp_server::{Network, SftpSettings};

use crate::needs::has;
use crate::support::openssh::OpenSsh;
use crate::support::sftp::Gateway;

/// Runs `ssh-keygen` in a directory.
pub(super) fn keygen(dir: &Path, options: &[&str]) {
    let mut command = Command::new("ssh-keygen");
    command.current_dir(dir).arg("-q").args(options).stdin(Stdio::null()).stdout(Stdio::null());
    assert!(command.status().unwrap().success(), "{options:?}");
}

pub(super) fn public(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(format!("{name}.pub"))).unwrap().trim().to_owned()
}

/// Whether a client with a key file gets in, with more options.
pub(super) async fn gets_in(gateway: &Gateway, dir: &Path, key: &str, options: &[&str]) -> bool {
    let client = OpenSsh::new(gateway.address, "etat", &dir.join(key), dir);
    let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        client.batch(&options.iter().map(String::as_str).collect::<Vec<_>>(), "pwd\n").0
    })
    .await
    .unwrap()
}

pub(super) fn with_keys(settings: &mut SftpSettings, keys: Vec<String>) {
    settings.partners[0].logins[0].public_keys = keys.into_iter().map(Into::into).collect();
}

#[tokio::test(flavor = "multi_thread")]
async fn rsa_signs_with_sha_2_only_and_ecdsa_opens_too() {
    if !has("sftp") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, kind, bits) in [("rsa", "rsa", "3072"), ("p256", "ecdsa", "256"), ("p521", "ecdsa", "521")] {
        keygen(dir.path(), &["-t", kind, "-b", bits, "-N", "", "-f", name]);
    }
    let keys = ["rsa", "p256", "p521"].map(|name| public(dir.path(), name)).to_vec();
    let gateway = Gateway::changed(|settings| with_keys(settings, keys)).await;
    for key in ["rsa", "p256", "p521"] {
        assert!(gets_in(&gateway, dir.path(), key, &[]).await, "{key}");
    }
    assert!(gets_in(&gateway, dir.path(), "rsa", &["-o", "PubkeyAcceptedAlgorithms=rsa-sha2-256"]).await);
    assert!(!gets_in(&gateway, dir.path(), "rsa", &["-o", "PubkeyAcceptedAlgorithms=ssh-rsa"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_opens_for_its_principal_from_its_address_until_it_is_revoked() {
    if !has("sftp") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for name in ["ca", "other-ca", "key"] {
        keygen(dir, &["-t", "ed25519", "-N", "", "-f", name]);
    }
    let authority = public(dir, "ca");
    let trusting = |revoked: &str| {
        let (authority, revoked) = (authority.clone(), revoked.to_owned());
        Gateway::changed(move |settings: &mut SftpSettings| {
            with_keys(settings, vec![]);
            settings.partners[0].logins[0].authorities = vec![authority];
            settings.partners[0].logins[0].principals = vec!["nightly".to_owned()];
            settings.revoked = revoked;
        })
    };
    let gateway = trusting("").await;
    assert!(!gets_in(&gateway, dir, "key", &[]).await, "without a certificate");
    let sign = |ca: &str, options: &[&str]| {
        keygen(dir, &[&["-s", ca, "-I", "job 7", "-z", "42"], options, &["key.pub"]].concat());
    };
    let good = ["-n", "other,nightly", "-V", "-1h:+1h"];
    sign("ca", &good);
    assert!(gets_in(&gateway, dir, "key", &[]).await);
    for rule in ["serial: 40-50", "id: job 7", &public(dir, "key"), &authority] {
        assert!(!gets_in(&trusting(rule).await, dir, "key", &[]).await, "{rule}");
    }
    sign("ca", &[&good[..], &["-O", "source-address=127.0.0.0/8,192.0.2.7"]].concat());
    assert!(gets_in(&gateway, dir, "key", &[]).await);
    let bad: [&[&str]; 5] = [
        &["-n", "nightly", "-V", "-2h:-1h"],
        &["-n", "etat", "-V", "-1h:+1h"],
        &["-V", "-1h:+1h"],
        &["-n", "nightly", "-O", "source-address=192.0.2.7"],
        &["-n", "nightly", "-O", "force-command=/bin/true"],
    ];
    for options in bad {
        sign("ca", options);
        assert!(!gets_in(&gateway, dir, "key", &[]).await, "{options:?}");
    }
    keygen(dir, &["-t", "rsa", "-b", "2048", "-N", "", "-f", "weak"]);
    keygen(dir, &[&["-s", "ca", "-I", "job 8"], &good[..], &["weak.pub"]].concat());
    assert!(!gets_in(&gateway, dir, "weak", &[]).await, "a weak key, whoever signed it");
    sign("other-ca", &good);
    assert!(!gets_in(&gateway, dir, "key", &[]).await, "another authority");
    sign("ca", &[&good[..], &["-h"]].concat());
    assert!(!gets_in(&gateway, dir, "key", &[]).await, "a host's certificate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_old_algorithms_gets_in_from_the_addresses_that_asked_for_it_only() {
    if !has("sftp") {
        return;
    }
    const OLD: &[&str] = &[
        "-o",
        "KexAlgorithms=diffie-hellman-group14-sha256",
        "-o",
        "HostKeyAlgorithms=ecdsa-sha2-nistp256",
        "-o",
        "MACs=hmac-sha1",
        "-o",
        "Ciphers=aes128-ctr",
    ];
    let dir = tempfile::tempdir().unwrap();
    keygen(dir.path(), &["-t", "ed25519", "-N", "", "-f", "key"]);
    let key = public(dir.path(), "key");
    let asking = |network: &str, older: bool, which: usize| {
        let (network, key): (Network, _) = (network.parse().unwrap(), key.clone());
        Gateway::changed(move |settings| {
            with_keys(settings, vec![key]);
            let access = &mut settings.partners[which];
            (access.addresses, access.older_algorithms) = (vec![network], older);
        })
    };
    assert!(gets_in(&asking("127.0.0.0/8", true, 0).await, dir.path(), "key", OLD).await);
    assert!(gets_in(&asking("127.0.0.0/8", false, 0).await, dir.path(), "key", &[]).await);
    assert!(!gets_in(&asking("127.0.0.0/8", false, 0).await, dir.path(), "key", OLD).await);
    assert!(!gets_in(&asking("192.0.2.0/24", true, 0).await, dir.path(), "key", &[]).await, "not its address");
    // Another partner of the same address asked for it; this one did not.
    assert!(!gets_in(&asking("127.0.0.0/8", true, 1).await, dir.path(), "key", OLD).await);
}
