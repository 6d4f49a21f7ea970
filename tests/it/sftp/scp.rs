//! The old SCP protocol, for uploads, where it is allowed.

use std::process::{Command, Stdio};
use std::time::Duration;

use russh::ChannelMsg;
use sluse::adapters::sftp_server::SftpLimits;
use sluse::model::NodeState;

use crate::needs::has;
use crate::support::sftp::{Gateway, ROOMY, write_key};

fn with_scp() -> SftpLimits {
    SftpLimits { scp: true, rejection_time: Duration::ZERO, ..SftpLimits::default() }
}

/// Says something to `scp -t`, and gives what was answered and the exit status.
async fn say(gateway: &Gateway, words: &[u8]) -> (Vec<u8>, Option<u32>) {
    let ssh = gateway.log_in("etat").await;
    let mut channel = ssh.channel_open_session().await.unwrap();
    channel.exec(true, "scp -t /inbox").await.unwrap();
    channel.data(words).await.unwrap();
    channel.eof().await.unwrap();
    let (mut heard, mut status) = (Vec::new(), None);
    while let Some(message) = channel.wait().await {
        if let ChannelMsg::Data { data } = message {
            heard.extend_from_slice(&data);
        } else if let ChannelMsg::ExitStatus { exit_status } = message {
            status = Some(exit_status);
        }
    }
    (heard, status)
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_uploads_with_the_old_protocol() {
    if !has("scp") {
        return;
    }
    let gateway = Gateway::with(with_scp(), ROOMY).await;
    let dir = tempfile::tempdir().unwrap();
    write_key("etat", &dir.path().join("key"));
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 239) as u8).collect();
    std::fs::write(dir.path().join("a b.xml"), &bytes).unwrap();
    std::fs::write(dir.path().join("empty.xml"), b"").unwrap();
    let port = gateway.address.port().to_string();
    let scp = |files: &[&str], target: &str| {
        let mut command = Command::new("scp");
        command.current_dir(dir.path()).args(["-O", "-F", "none", "-P", &port, "-i", "key"]);
        command.args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
        command.args(files).arg(format!("etat@127.0.0.1:{target}")).stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let done = scp(&["a b.xml", "empty.xml"], "/inbox/").await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(gateway.bytes(&gateway.shipment("/inbox/a b.xml").await.unwrap()).await, bytes);
    assert_eq!(gateway.shipment("/inbox/empty.xml").await.unwrap().size_bytes, 0);
    let done = scp(&["a b.xml"], "/receipts/").await.unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && told.contains("inbox and test directories only"), "{told}");
}

#[tokio::test]
async fn what_does_not_come_whole_is_a_partial_and_no_success() {
    let gateway = Gateway::with(with_scp(), ROOMY).await;
    let (_, status) = say(&gateway, b"C0644 10 a.xml\nfive ").await;
    assert_eq!(status, Some(1));
    assert_eq!(gateway.node("/inbox/a.xml").await.unwrap().state, NodeState::Partial);
    let (heard, status) = say(&gateway, b"C0644 4 b.xml\nfour\0C0644 4 ../c.xml\nD0755 0 dir\nE\n").await;
    let text = String::from_utf8_lossy(&heard).into_owned();
    assert_eq!((heard.first(), status), (Some(&0), Some(1)), "{text}");
    assert!(text.contains("no such file") && text.contains("directories are agreed"), "{text}");
    assert!(gateway.shipment("/inbox/b.xml").await.is_some());
    let (_, status) = say(&gateway, b"Q what\n").await;
    assert_eq!(status, Some(1));
    let (_, status) = say(&gateway, &[b'C'; 10_000]).await;
    assert_eq!(status, Some(1));
}
