//! Who gets in, and to what.

use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::ChannelMsg;
use russh::client::AuthResult;
use russh::keys::PrivateKeyWithHashAlg;
use sluse::adapters::sftp_server::SftpLimits;

use crate::support::gateway::PATIENCE;
use crate::support::sftp::{Gateway, PASSWORD, ROOMY, refusal, user_key};

fn quick() -> SftpLimits {
    SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() }
}

#[tokio::test]
async fn the_right_password_or_key_opens_and_a_wrong_one_does_not() {
    let gateway = Gateway::start().await;
    let mut session = gateway.connect().await;
    for (user, password) in [("etat", "wrong"), ("nobody", PASSWORD), ("etat", "")] {
        assert!(matches!(session.authenticate_password(user, password).await.unwrap(), AuthResult::Failure { .. }));
    }
    assert!(matches!(session.authenticate_password("etat", PASSWORD).await.unwrap(), AuthResult::Success));
    let mut session = gateway.connect().await;
    for (user, key) in [("etat", "annen"), ("nobody", "etat")] {
        let key = PrivateKeyWithHashAlg::new(Arc::new(user_key(key)), None);
        assert!(matches!(session.authenticate_publickey(user, key).await.unwrap(), AuthResult::Failure { .. }));
    }
    gateway.log_in("etat").await;
}

#[tokio::test]
async fn guessing_ends_the_connection() {
    let gateway = Gateway::with(SftpLimits { max_login_attempts: 2, ..quick() }, ROOMY).await;
    let mut session = gateway.connect().await;
    for _ in 0..2 {
        assert!(matches!(session.authenticate_password("etat", "wrong").await, Ok(AuthResult::Failure { .. })));
    }
    assert!(!matches!(session.authenticate_password("etat", PASSWORD).await, Ok(AuthResult::Success)));
}

#[tokio::test]
async fn a_connection_that_does_not_log_in_is_ended() {
    let gateway = Gateway::with(SftpLimits { login_time: Duration::from_secs(1), ..quick() }, ROOMY).await;
    // On a busy machine the second may be over before there is a word: then it is tried again.
    let (begun, mut greeting) = (Instant::now(), Vec::new());
    while !greeting.starts_with(b"SSH-2.0-sluse_") {
        assert!(begun.elapsed() < PATIENCE, "{greeting:?}");
        greeting.clear();
        let mut silent = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let end = tokio::time::timeout(PATIENCE, tokio::io::AsyncReadExt::read_to_end(&mut silent, &mut greeting));
        let _ = end.await.expect("an end");
    }
    let begun = Instant::now();
    let idle = loop {
        match gateway.try_connect().await {
            Ok(idle) => break idle,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    };
    // Ended is enough; waiting for ever would be the fault.
    let _ = tokio::time::timeout(PATIENCE, idle).await.expect("an end");
}

#[tokio::test]
async fn connections_are_counted_in_all_and_per_partner() {
    let limits = SftpLimits { max_connections: 2, max_connections_per_partner: 1, ..quick() };
    let gateway = Gateway::with(limits, ROOMY).await;
    let first = gateway.raw("etat").await;
    let mut second = gateway.connect().await;
    assert!(matches!(second.authenticate_password("etat", PASSWORD).await.unwrap(), AuthResult::Failure { .. }));
    assert!(matches!(second.authenticate_password("annen", PASSWORD).await.unwrap(), AuthResult::Success));
    let mut third = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let mut greeting = Vec::new();
    // A server full of logins closes at once, and says nothing.
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut third, &mut greeting).await;
    assert!(ended.is_err() || greeting.is_empty());
    first.sftp.realpath(".").await.unwrap();
}

#[tokio::test]
async fn silent_connections_of_one_address_leave_seats_for_others() {
    let gateway = Gateway::with(SftpLimits { max_strangers_per_address: 2, ..quick() }, ROOMY).await;
    let logged_in = gateway.raw("etat").await;
    let connect = || async {
        let mut stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let mut greeting = [0; 8];
        let greeted = tokio::io::AsyncReadExt::read_exact(&mut stream, &mut greeting).await;
        greeted.map(|_| stream)
    };
    // Who has logged in does not count.
    let (first, _second) = (connect().await.unwrap(), connect().await.unwrap());
    connect().await.unwrap_err();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut elsewhere = socket.connect(gateway.address).await.unwrap();
    tokio::io::AsyncReadExt::read_exact(&mut elsewhere, &mut [0; 8]).await.unwrap();
    drop(first);
    // The place is free once the server has seen the end of the line.
    let begun = Instant::now();
    while connect().await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "the place does not become free");
        tokio::task::yield_now().await;
    }
    logged_in.sftp.realpath(".").await.unwrap();
}

#[tokio::test]
async fn a_partners_connections_share_their_handles_and_channels() {
    let limits = SftpLimits { max_handles_per_partner: 3, max_channels_per_partner: 2, ..quick() };
    let gateway = Gateway::with(limits, ROOMY).await;
    let (first, second) = (gateway.raw("etat").await, gateway.raw("etat").await);
    second.ssh.channel_open_session().await.unwrap_err();
    let handle = first.sftp.opendir("/inbox").await.unwrap().handle;
    first.sftp.opendir("/inbox").await.unwrap();
    second.sftp.opendir("/inbox").await.unwrap();
    let (_, told) = refusal(second.sftp.opendir("/inbox").await.unwrap_err());
    assert!(told.contains("close some first"), "{told}");
    gateway.raw("annen").await.sftp.opendir("/inbox").await.unwrap();
    first.sftp.close(handle).await.unwrap();
    second.sftp.opendir("/inbox").await.unwrap();
}

#[tokio::test]
async fn shell_command_and_forwarding_are_refused_and_sftp_goes_on() {
    let gateway = Gateway::start().await;
    let ssh = gateway.log_in("etat").await;
    for ask in ["shell", "exec", "subsystem"] {
        let mut channel = ssh.channel_open_session().await.unwrap();
        match ask {
            "shell" => channel.request_shell(true).await.unwrap(),
            "exec" => channel.exec(true, "scp -t /inbox").await.unwrap(),
            _ => channel.request_subsystem(true, "netconf").await.unwrap(),
        }
        let answer = loop {
            match channel.wait().await {
                Some(ChannelMsg::WindowAdjusted { .. }) => {}
                other => break other,
            }
        };
        assert!(matches!(answer, Some(ChannelMsg::Failure)), "{ask}: {answer:?}");
    }
    ssh.channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1).await.unwrap_err();
    ssh.tcpip_forward("127.0.0.1", 0).await.unwrap_err();
    gateway.raw("etat").await.sftp.realpath(".").await.unwrap();
}
