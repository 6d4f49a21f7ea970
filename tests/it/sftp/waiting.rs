//! Channels that nobody has asked for anything yet, and clients that do not listen.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use russh::client::{self, AuthResult};
use russh::keys::PrivateKeyWithHashAlg;
use russh::{ChannelOpenFailure, Error};
use russh_sftp::client::RawSftpSession;
use russh_sftp::protocol::{Init, Packet};
use sluse::adapters::sftp_server::SftpLimits;
use tokio::time::timeout;

use crate::support::openssh::OpenSsh;
use crate::support::sftp::{Gateway, ROOMY, Trusting, subsystem, user_key, write_key};

use crate::needs::has;

/// More than the queue of a channel holds.
const MANY: usize = 200;

#[tokio::test]
async fn a_client_may_send_its_whole_environment_first() {
    let gateway = Gateway::start().await;
    let ssh = gateway.log_in("etat").await;
    let idle = ssh.channel_open_session().await.unwrap();
    let channel = ssh.channel_open_session().await.unwrap();
    for number in 0..MANY {
        for channel in [&idle, &channel] {
            channel.set_env(false, format!("V{number}"), "x").await.unwrap();
        }
    }
    channel.request_subsystem(true, "sftp").await.unwrap();
    let sftp = RawSftpSession::new(channel.into_stream());
    sftp.set_timeout(60);
    sftp.init().await.unwrap();
    assert_eq!(sftp.realpath(".").await.unwrap().files[0].filename, "/");
    idle.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_may_send_its_whole_environment_first() {
    if !has("sftp") {
        return;
    }
    let gateway = Gateway::start().await;
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    write_key("etat", &key);
    let client = OpenSsh::new(gateway.address, "etat", &key, dir.path());
    let variables: String = (0..40).map(|number| format!("V{number}=x ")).collect();
    let (done, told) = tokio::task::spawn_blocking(move || {
        client.batch(&["-o", &format!("SetEnv={}", variables.trim_end())], "pwd\n")
    })
    .await
    .unwrap();
    assert!(done, "{told}");
}

/// Logs in as a client that takes no byte in any of its channels.
async fn deaf(gateway: &Gateway) -> client::Handle<Trusting> {
    let config = client::Config { window_size: 0, ..client::Config::default() };
    let mut ssh = client::connect(Arc::new(config), gateway.address, Trusting).await.unwrap();
    let key = PrivateKeyWithHashAlg::new(Arc::new(user_key("etat")), None);
    assert!(matches!(ssh.authenticate_publickey("etat", key).await.unwrap(), AuthResult::Success));
    ssh
}

#[tokio::test]
async fn a_channel_that_is_given_up_unread_ends_alone_and_gives_its_place_back() {
    let limits = SftpLimits { max_channels_per_partner: 1, rejection_time: Duration::ZERO, ..SftpLimits::default() };
    let gateway = Gateway::with(limits, ROOMY).await;
    let ssh = deaf(&gateway).await;
    let channel = subsystem(&ssh).await;
    let init = Bytes::try_from(Packet::from(Init::default())).unwrap();
    channel.data_bytes(init).await.unwrap();
    channel.eof().await.unwrap();
    channel.close().await.unwrap();
    while let Err(refused) = ssh.channel_open_session().await {
        let is_full = matches!(refused, Error::ChannelOpenFailure(ChannelOpenFailure::ResourceShortage));
        assert!(is_full, "its connection was cut: {refused}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_client_of_scp_that_does_not_listen_holds_up_itself_alone() {
    let limits = SftpLimits { scp: true, rejection_time: Duration::ZERO, ..SftpLimits::default() };
    let gateway = Gateway::with(limits, ROOMY).await;
    let ssh = deaf(&gateway).await;
    let channel = ssh.channel_open_session().await.unwrap();
    channel.exec(true, "scp -t /inbox").await.unwrap();
    for _message in 0..MANY {
        channel.data(&b"E\n"[..]).await.unwrap();
    }
    timeout(Duration::from_secs(60), ssh.channel_open_session()).await.unwrap().unwrap();
}
