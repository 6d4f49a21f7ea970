//! OpenSSH's client, as agencies' batch files use it.

use std::time::{Duration, SystemTime};

use sluse::model::NodeState;
use tempfile::TempDir;

use crate::needs::has;
use crate::support::openssh::OpenSsh;
use crate::support::sftp::{Gateway, write_key};

fn client(gateway: &Gateway, user: &str) -> (OpenSsh, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    write_key(user, &key);
    (OpenSsh::new(gateway.address, user, &key, dir.path()), dir)
}

/// Runs a batch off the async threads.
async fn batch(client: OpenSsh, options: &'static [&'static str], commands: &'static str) -> (OpenSsh, bool, String) {
    tokio::task::spawn_blocking(move || {
        let (success, text) = client.batch(options, commands);
        (client, success, text)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nightly_batch_puts_renames_lists_gets_and_removes() {
    if !has("sftp") {
        return;
    }
    let gateway = Gateway::start().await;
    let (client, dir) = client(&gateway, "etat");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(dir.path().join("batch.xml"), &bytes).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    std::fs::File::open(dir.path().join("batch.xml")).unwrap().set_modified(old).unwrap();
    let commands = "put batch.xml /inbox/now.xml\nput -p batch.xml /inbox/keep.part\ncd inbox\nput batch.xml later.part\n\
                    rename later.part later.xml\nls -l\nget keep.part back.xml\nls -l /\npwd\ndf\n-mkdir new\n";
    let (client, success, text) = batch(client, &[], commands).await;
    assert!(success, "{text}");
    assert_eq!(std::fs::read(dir.path().join("back.xml")).unwrap(), bytes);
    assert!(text.contains("-rw-------    1 etat     etat      3000000 Sep 13  2020 keep.part"), "{text}");
    // OpenSSH's client shows its own words for a status.
    assert!(text.contains("remote mkdir \"/inbox/new\": Permission denied"), "{text}");
    for name in ["now.xml", "later.xml"] {
        let shipment = gateway.shipment(&format!("/inbox/{name}")).await.unwrap();
        assert_eq!(gateway.bytes(&shipment).await, bytes);
    }
    let (_client, success, text) =
        batch(client, &[], "rm /inbox/keep.part\nls /inbox\n-rm /inbox/now.xml\nbye\n").await;
    assert!(success && !text.contains("\n/inbox/keep.part"), "{text}");
    assert!(gateway.node("/inbox/keep.part").await.is_none());
    assert!(gateway.node("/inbox/now.xml").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn reput_goes_on_where_the_line_was_cut() {
    if !has("sftp") {
        return;
    }
    let gateway = Gateway::start().await;
    let (client, dir) = client(&gateway, "etat");
    let bytes: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 241) as u8).collect();
    std::fs::write(dir.path().join("a.xml"), &bytes).unwrap();
    let cut = gateway.raw("etat").await;
    let flags = russh_sftp::protocol::OpenFlags::WRITE | russh_sftp::protocol::OpenFlags::CREATE;
    let handle = cut.open("/inbox/a.xml", flags).await.unwrap();
    for (number, chunk) in bytes[..700_000].chunks(100_000).enumerate() {
        cut.sftp.write(&*handle, number as u64 * 100_000, chunk.to_vec()).await.unwrap();
    }
    cut.cut().await;
    gateway.paused_at("/inbox/a.xml", 700_000).await;
    assert_eq!(gateway.node("/inbox/a.xml").await.unwrap().state, NodeState::Partial);
    let (_client, success, text) = batch(client, &[], "reput a.xml /inbox/a.xml\n").await;
    assert!(success, "{text}");
    assert_eq!(gateway.bytes(&gateway.shipment("/inbox/a.xml").await.unwrap()).await, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cipher_offered_works_and_old_algorithms_are_not_offered() {
    if !has("sftp") {
        return;
    }
    let gateway = Gateway::start().await;
    let (mut client, dir) = client(&gateway, "etat");
    std::fs::write(dir.path().join("a"), vec![b'x'; 300_000]).unwrap();
    const GOOD: [&[&str]; 6] = [
        &["-o", "Ciphers=chacha20-poly1305@openssh.com"],
        &["-o", "Ciphers=aes256-gcm@openssh.com"],
        &["-o", "Ciphers=aes256-ctr", "-o", "MACs=hmac-sha2-512-etm@openssh.com"],
        &["-o", "Ciphers=aes128-ctr", "-o", "MACs=hmac-sha2-256-etm@openssh.com"],
        &["-o", "KexAlgorithms=curve25519-sha256"],
        &["-o", "RekeyLimit=100K"],
    ];
    for options in GOOD {
        let (back, success, text) = batch(client, options, "put a /inbox/a.part\nget /inbox/a.part b\n").await;
        assert!(success, "{options:?}: {text}");
        assert_eq!(std::fs::read(dir.path().join("b")).unwrap(), vec![b'x'; 300_000]);
        client = back;
    }
    const BAD: [&[&str]; 3] = [
        &["-o", "MACs=hmac-sha1", "-o", "Ciphers=aes128-ctr"],
        &["-o", "KexAlgorithms=diffie-hellman-group14-sha256"],
        &["-o", "HostKeyAlgorithms=rsa-sha2-512"],
    ];
    for options in BAD {
        let (back, success, text) = batch(client, options, "pwd\n").await;
        assert!(!success, "{options:?}: {text}");
        client = back;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scp_sends_a_name_whose_earlier_file_is_being_processed() {
    if !has("scp") {
        return;
    }
    let gateway = Gateway::start().await;
    let (mut client, dir) = client(&gateway, "etat");
    for (night, bytes) in [vec![b'1'; 200_000], vec![b'2'; 100], Vec::new()].into_iter().enumerate() {
        std::fs::write(dir.path().join("a.xml"), &bytes).unwrap();
        let copying = tokio::task::spawn_blocking(move || {
            let (success, text) = client.copy("a.xml", "/inbox/a.xml");
            (client, success, text)
        });
        let (back, success, text) = copying.await.unwrap();
        assert!(success, "night {night}: {text}");
        assert_eq!(gateway.bytes(&gateway.shipment("/inbox/a.xml").await.unwrap()).await, bytes);
        client = back;
    }
}
