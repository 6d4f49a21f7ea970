//! Who a server is and who we are: pinned keys, their rotation, every way to log in.

use sluse::adapters::sftp_client::{Peer, SftpStore};
use sluse::ports::{FileStore as _, StoreError};

use crate::support::scripted_ssh::{Asks, PASSWORD, Scripted, key, public, sound};

async fn looks(peer: Peer) -> Result<(), StoreError> {
    SftpStore::new(peer, "", None).stat("a").await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_host_key_is_told_by_its_fingerprint_and_hears_no_password() {
    let server = Scripted::start(sound).await;
    server.change(|script| (script.keys, script.asks) = (vec![key(2)], Asks::Password));
    let error = looks(server.by_password(PASSWORD, false)).await.unwrap_err();
    let StoreError::HostKey { fingerprint } = &error else { panic!("{error}") };
    assert_eq!(*fingerprint, public(2).fingerprint(russh::keys::HashAlg::Sha256).to_string());
    assert!(error.to_string().contains("SHA256:"), "{error}");
    assert_eq!(server.secrets(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_host_key_is_pinned_beside_the_present_one() {
    let server = Scripted::start(sound).await;
    let both = Peer { host_keys: vec![public(1), public(2)], ..server.peer() };
    looks(both.clone()).await.unwrap();
    server.change(|script| script.keys = vec![key(2)]);
    looks(both).await.unwrap();
    assert!(matches!(looks(server.peer()).await, Err(StoreError::HostKey { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_several_keys_shows_the_kind_that_is_pinned() {
    use russh::keys::ssh_key::EcdsaCurve;
    use russh::keys::ssh_key::private::{EcdsaKeypair, KeypairData};
    let pair = EcdsaKeypair::random(&mut russh::keys::key::safe_rng(), EcdsaCurve::NistP256).unwrap();
    let ecdsa = russh::keys::PrivateKey::new(KeypairData::Ecdsa(pair), "").unwrap();
    let server = Scripted::start(sound).await;
    server.change(|script| script.keys = vec![key(2), ecdsa.clone()]);
    looks(Peer { host_keys: vec![ecdsa.public_key().clone()], ..server.peer() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_log_in_opens_the_door() {
    let server = Scripted::start(sound).await;
    let ways = [
        (Asks::Key, server.peer()),
        (Asks::Key, server.by_password(PASSWORD, true)),
        (Asks::Password, server.by_password(PASSWORD, false)),
        (Asks::Password, server.by_password(PASSWORD, true)),
        (Asks::Prompt, server.by_password(PASSWORD, false)),
        (Asks::KeyThenPassword, server.by_password(PASSWORD, true)),
        (Asks::KeyThenPrompt, server.by_password(PASSWORD, true)),
    ];
    for (asks, peer) in ways {
        server.change(|script| script.asks = asks);
        looks(peer).await.unwrap_or_else(|error| panic!("{asks:?}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_open_it_is_a_refused_login() {
    let server = Scripted::start(sound).await;
    let ways = [
        (Asks::Password, server.peer()),
        (Asks::Password, server.by_password("wrong", false)),
        (Asks::KeyThenPassword, server.peer()),
        (Asks::KeyThenPassword, server.by_password("wrong", true)),
        (Asks::Prompt, server.by_password("wrong", false)),
        (Asks::Key, server.by_password(PASSWORD, false)),
        (Asks::Prompts(0), server.by_password(PASSWORD, false)),
        (Asks::Prompts(1), server.by_password(PASSWORD, false)),
        (Asks::Prompts(2), server.by_password(PASSWORD, false)),
    ];
    for (asks, peer) in ways {
        server.change(|script| script.asks = asks);
        let with = format!("{:?}", peer.proof);
        let looked = looks(peer).await;
        assert!(matches!(looked, Err(StoreError::Login)), "{asks:?} {with}: {looked:?}");
    }
}
