//! Servers that end what they have begun, and keep what was made there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sluse::adapters::sftp_client::{Peer, PeerWaits, SftpStore};
use sluse::ports::FileStore as _;

use crate::support::scripted_ssh::{Scripted, sound, status};

/// A store with patience: what is asked for is answered.
fn store(server: &Scripted, writable: Option<String>) -> SftpStore {
    SftpStore::new(Peer { waits: PeerWaits::default(), ..server.peer() }, "", writable)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_each_session_is_not_dialled_without_end() {
    let server = Scripted::start(|kind, id, body| match kind {
        // Behind its version comes a packet that none is as long as.
        1 => [sound(kind, id, body), vec![0xff; 8]].concat(),
        _ => sound(kind, id, body),
    })
    .await;
    assert!(store(&server, None).stat("a").await.is_err());
    assert!(server.connections() <= 2, "{}", server.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_tells_the_time_and_stays_is_made_once() {
    let made = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&made);
    let server = Scripted::start(move |kind, id, body| match kind {
        3 => {
            counting.fetch_add(1, Ordering::SeqCst);
            sound(kind, id, body)
        }
        13 => status(id, 3),
        _ => sound(kind, id, body),
    })
    .await;
    let store = store(&server, Some("receipts".to_owned()));
    for _ in 0..2 {
        assert!(store.now().await.unwrap().is_some());
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
}
