//! Host keys as OpenSSH's client trusts them: pinned or certified, one now and the next.

use std::fs;
use std::path::Path;

use sluse::adapters::sftp_server::{HostKey, HostKeyKind, Shown, make_host_key, read_host_keys, retire_host_key};

use super::keys::{gets_in, keygen, public, with_keys};
use crate::needs::has;
use crate::support::sftp::Gateway;

/// A gateway with the host keys of a folder, which takes the folder's user key.
async fn shows(dir: &Path) -> Gateway {
    let (keys, key) = (dir.join("host-keys"), public(dir, "key"));
    Gateway::changed(move |settings| {
        settings.host_key_dir = keys;
        with_keys(settings, vec![key]);
    })
    .await
}

/// Whether a client that trusts these lines only gets in.
async fn trusts(gateway: &Gateway, dir: &Path, lines: &[String]) -> bool {
    let known = dir.join("known_hosts");
    let host = format!("[127.0.0.1]:{}", gateway.address.port());
    let lines: String = lines.iter().map(|line| line.replace("HOST", &host) + "\n").collect();
    fs::write(&known, lines).unwrap();
    let file = format!("UserKnownHostsFile={}", known.display());
    gets_in(gateway, dir, "key", &["-o", "StrictHostKeyChecking=yes", "-o", &file]).await
}

/// Has the authority sign a host key, as an operator would.
fn certify(dir: &Path, key: &HostKey, options: &[&str]) {
    let file = format!("{}.pub", key.path().display());
    fs::write(&file, key.public()).unwrap();
    keygen(dir, &[&["-s", "ca", "-I", "drop box"], options, &[file.as_str()]].concat());
}

/// The key that all clients are shown.
fn for_everybody(keys: &Path) -> HostKey {
    read_host_keys(keys).unwrap().into_iter().find(|key| key.shown() == Shown::Everybody).unwrap()
}

fn pinned(key: &HostKey) -> [String; 1] {
    [format!("HOST {}", key.public())]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_key_is_pinned_before_it_is_shown() {
    if !has("sftp") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    keygen(dir, &["-t", "ed25519", "-N", "", "-f", "key"]);
    let keys = dir.join("host-keys");
    let kind = HostKeyKind::Ed25519;
    for _turn in ["first", "next"] {
        make_host_key(&keys, kind).unwrap().unwrap();
    }
    let found = read_host_keys(&keys).unwrap();
    let (first, next) = (pinned(&found[0]), pinned(&found[1]));
    let both = [first.clone(), next.clone()].concat();
    let gateway = shows(dir).await;
    assert!(trusts(&gateway, dir, &first).await && trusts(&gateway, dir, &both).await);
    assert!(!trusts(&gateway, dir, &next).await, "it waits");
    retire_host_key(&keys, kind).unwrap().unwrap();
    let gateway = shows(dir).await;
    assert!(trusts(&gateway, dir, &next).await && trusts(&gateway, dir, &both).await);
    assert!(!trusts(&gateway, dir, &first).await, "it is retired");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_trusts_the_authority_needs_no_pin() {
    if !has("sftp") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for name in ["ca", "key"] {
        keygen(dir, &["-t", "ed25519", "-N", "", "-f", name]);
    }
    let keys = dir.join("host-keys");
    for _turn in ["first", "next"] {
        make_host_key(&keys, HostKeyKind::Ed25519).unwrap().unwrap();
    }
    let found = read_host_keys(&keys).unwrap();
    let authority = [format!("@cert-authority HOST {}", public(dir, "ca"))];
    assert!(!trusts(&shows(dir).await, dir, &authority).await, "nothing is certified");
    // The name in a certificate is the host's, without the port.
    certify(dir, &found[1], &["-h", "-n", "127.0.0.1"]);
    assert!(!trusts(&shows(dir).await, dir, &authority).await, "what is certified waits");
    certify(dir, &found[0], &["-h", "-n", "127.0.0.1", "-V", "-1h:+1h"]);
    let gateway = shows(dir).await;
    assert!(trusts(&gateway, dir, &authority).await);
    assert!(trusts(&gateway, dir, &pinned(&found[0])).await, "who has pinned the key goes on");
    let certified = for_everybody(&keys);
    assert_eq!(certified.authority().unwrap(), public(dir, "ca").rsplit_once(' ').unwrap().0);
    assert!(certified.certified_until().unwrap().is_some());

    certify(dir, &found[0], &["-h", "-n", "127.0.0.1", "-V", "-2h:-1h"]);
    let gateway = shows(dir).await;
    assert!(!trusts(&gateway, dir, &authority).await, "it has ended");
    assert!(trusts(&gateway, dir, &pinned(&found[0])).await);

    retire_host_key(&keys, HostKeyKind::Ed25519).unwrap().unwrap();
    let gateway = shows(dir).await;
    assert!(trusts(&gateway, dir, &authority).await, "the certificate of the next went with it");
    assert!(trusts(&gateway, dir, &pinned(&found[1])).await);
    assert_eq!(for_everybody(&keys).certified_until(), Some(None));
}

#[test]
fn a_certificate_that_says_nothing_of_the_key_is_a_fault() {
    if !has("ssh-keygen") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for name in ["ca", "other"] {
        keygen(dir, &["-t", "ed25519", "-N", "", "-f", name]);
    }
    let keys = dir.join("host-keys");
    let path = make_host_key(&keys, HostKeyKind::Ecdsa).unwrap().unwrap();
    let certificate = format!("{}-cert.pub", path.display());
    let found = read_host_keys(&keys).unwrap();
    certify(dir, &found[0], &["-n", "etat"]);
    let refusal = || read_host_keys(&keys).err().unwrap().to_string();
    assert!(refusal().ends_with("ecdsa_key-cert.pub cannot be used: it is no host certificate"), "{}", refusal());
    keygen(dir, &["-s", "ca", "-I", "x", "-h", "other.pub"]);
    fs::copy(dir.join("other-cert.pub"), &certificate).unwrap();
    assert!(refusal().ends_with("it is for another key"), "{}", refusal());
    fs::write(&certificate, public(dir, "other")).unwrap();
    assert!(refusal().ends_with("it is none in OpenSSH's form"), "{}", refusal());
    certify(dir, &found[0], &["-h"]);
    assert!(read_host_keys(&keys).is_ok());
}
