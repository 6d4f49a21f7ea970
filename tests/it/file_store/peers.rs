//! The SFTP client's store against servers of others.

use sluse::adapters::sftp_client::SftpStore;
use sluse::ports::{FileStore as _, StoreError};

use super::conformance::conforms;
use crate::support::ssh_peers::{Kind, PASSWORD, SshPeer};

#[tokio::test(flavor = "multi_thread")]
async fn openssh_conforms() {
    let Some(server) = SshPeer::start(Kind::OpenSsh) else { return };
    conforms(&SftpStore::new(server.peer(), &server.path_of_root(), None), &server.root()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_conforms_below_the_logins_own_directory() {
    let Some(server) = SshPeer::start(Kind::OpenSsh) else { return };
    conforms(&SftpStore::new(server.peer(), "", None), &server.root()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proftpd_conforms() {
    let Some(server) = SshPeer::start(Kind::ProFtpd) else { return };
    conforms(&SftpStore::new(server.peer(), &server.path_of_root(), None), &server.root()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_proftpd_and_another_does_not() {
    let Some(server) = SshPeer::start(Kind::ProFtpd) else { return };
    let store = SftpStore::new(server.by_password(PASSWORD), "/", None);
    assert_eq!(store.stat("nothing").await.unwrap(), None);
    let store = SftpStore::new(server.by_password("another"), "/", None);
    assert!(matches!(store.stat("nothing").await, Err(StoreError::Login)));
}
