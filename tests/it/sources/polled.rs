//! Files that are taken from SFTP servers of others, which are killed meanwhile.

use std::fs;
use std::time::Duration;

use sluse::generate::Profile;

use super::names_in;
use crate::support::batch::generated;
use crate::support::gateway::{Home, PATIENCE, Settings, simulator};
use crate::support::receipts::count;
use crate::support::ssh_peers::{Kind, SshPeer};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_from_openssh_that_is_killed_meanwhile() {
    fetched_from(Kind::OpenSsh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_from_proftpd_that_is_killed_meanwhile() {
    fetched_from(Kind::ProFtpd).await;
}

async fn fetched_from(kind: Kind) {
    let Some(mut server) = SshPeer::start(kind) else { return };
    let home = home(kind, &server).await;
    let batch = generated(400, Profile::Medium, "0%", 1);
    fs::create_dir(server.root().join("in")).unwrap();
    fs::write(server.root().join("in/nightly.xml"), &batch.bytes).unwrap();
    let mut gateway = home.start(None);
    let root = server.root();
    let receipts = || {
        let names = names_in(&root.join("in/answers"));
        names.into_iter().filter(|name| name.ends_with(".final.xml")).collect::<Vec<_>>()
    };
    // While it is looked at, fetched and answered: the server goes away again and again.
    let begun = std::time::Instant::now();
    let mut kills = 0;
    while receipts().is_empty() {
        assert!(begun.elapsed() < PATIENCE * 2, "no receipt\n{}\n{}", home.log(), server.log());
        assert!(gateway.ended().is_none(), "{}", home.log());
        tokio::time::sleep(Duration::from_millis(150 + 170 * kills)).await;
        if kills < KILLS {
            server.kill();
            server.run();
            kills += 1;
        }
    }
    let names = names_in(&server.root().join("in/answers"));
    let name = names.iter().find(|name| name.ends_with(".final.xml")).unwrap();
    let receipt = fs::read_to_string(server.root().join("in/answers").join(name)).unwrap();
    assert_eq!(count(&receipt, "delivered"), batch.items, "{receipt}");
    while names_in(&server.root().join("in/done")) != ["nightly.xml"] {
        assert!(begun.elapsed() < PATIENCE * 2, "not put away\n{}", home.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fs::read(server.root().join("in/done/nightly.xml")).unwrap(), batch.bytes);
    let seen = home.simulator.effects();
    assert_eq!((seen.total, seen.repeated.len()), (batch.items, 0), "{}", home.log());
    assert_eq!(receipts().len(), 1);
}

async fn home(kind: Kind, server: &SshPeer) -> Home {
    let (peer, root) = (server.peer(), server.root());
    let path = match kind {
        Kind::OpenSsh => root.join("in").to_str().unwrap().to_owned(),
        Kind::ProFtpd => "/in".to_owned(),
    };
    let key = peer.host_keys[0].to_openssh().unwrap();
    let more = format!(
        "[source.theirs]\nkind = 'polled'\nhost = '127.0.0.1'\nport = {}\nuser = '{}'\nhost_keys = ['{key}']\n\
         key_file = 'source.key'\npath = '{path}'\npartner = 'etat'\nroute = 'etat'\nevery_ms = 1_000\ntimeout_ms = 3_000\n\
         receipts = 'answers'\nafter = 'move'\nmove_to = 'done'\nready = {{ stable_ms = 200 }}\n",
        peer.port, peer.user
    );
    let home = Home::with(simulator().await, &Settings { more, ..Settings::default() });
    fs::write(home.path("source.key"), crate::support::ssh_peers::client_key_text()).unwrap();
    home
}

/// How often the server is killed.
const KILLS: u64 = 6;
