//! Servers that end what they have begun.

use sluse::adapters::sftp_client::{Peer, PeerWaits, SftpStore};
use sluse::ports::FileStore as _;

use crate::support::scripted_ssh::{Scripted, sound};

/// A store with patience: what is asked for is answered.
fn store(server: &Scripted) -> SftpStore {
    SftpStore::new(Peer { waits: PeerWaits::default(), ..server.peer() }, "", None)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_each_session_is_not_dialled_without_end() {
    let server = Scripted::start(|kind, id, body| match kind {
        // Behind its version comes a packet that none is as long as.
        1 => [sound(kind, id, body), vec![0xff; 8]].concat(),
        _ => sound(kind, id, body),
    })
    .await;
    assert!(store(&server).stat("a").await.is_err());
    assert!(server.connections() <= 2, "{}", server.connections());
}
