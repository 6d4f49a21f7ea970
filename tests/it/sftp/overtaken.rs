//! Uploads whose name another file has taken meanwhile: nothing of them is left, and whoever comes after has its own.

use std::time::{Duration, Instant};

use russh_sftp::client::RawSftpSession;
use russh_sftp::protocol::{OpenFlags, StatusCode};
use sluse::adapters::sftp_server::SftpLimits;
use sluse::ports::{Area as _, Blobs as _, Usage};

use crate::support::gateway::PATIENCE;
use crate::support::sftp::{Gateway, ROOMY, RawClient, refusal};

const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::TRUNCATE);
const TAKEN_OVER: &str = "another upload has taken over this file name";

/// Uploads under a temporary name and renames over what is at the final one.
async fn put_over(client: &RawClient, path: &str) {
    let temporary = format!("{path}.part");
    client.put(&temporary, b"second night").await.unwrap();
    let mut data = Vec::new();
    for path in [&temporary, path] {
        data.extend((path.len() as u32).to_be_bytes());
        data.extend(path.as_bytes());
    }
    let reply = client.sftp.extended("posix-rename@openssh.com", data).await.unwrap();
    let russh_sftp::protocol::Packet::Status(status) = reply else { panic!("a status") };
    assert_eq!(status.status_code, StatusCode::Ok, "{}", status.error_message);
}

/// Waits until nothing is kept but the bytes of the shipment at a path, and holds what is counted against them.
async fn only_the_shipment(gateway: &Gateway, path: &str) {
    let shipment = gateway.shipment(path).await.unwrap();
    let mut kept = gateway.blobs.inventory().await.unwrap();
    let begun = Instant::now();
    while kept != (vec![shipment.blob], vec![]) && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(2)).await;
        kept = gateway.blobs.inventory().await.unwrap();
    }
    assert_eq!(kept, (vec![shipment.blob], vec![]));
    let usage = gateway.ledger.usage(&"etat".parse().unwrap()).await.unwrap();
    assert_eq!(usage, Usage { bytes: shipment.size_bytes, files: 1 });
}

#[tokio::test]
async fn a_rename_over_a_partial_leaves_nothing_of_it() {
    for (size_bytes, synced) in [(200_000, false), (100, false), (100, true)] {
        let gateway = Gateway::start().await;
        let client = gateway.raw("etat").await;
        let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
        client.sftp.write(&*handle, 0, vec![1; size_bytes]).await.unwrap();
        if synced {
            client.sftp.fsync(&*handle).await.unwrap();
        }
        client.cut().await;
        gateway.paused_at("/inbox/a.xml", size_bytes as u64).await;
        put_over(&gateway.raw("etat").await, "/inbox/a.xml").await;
        only_the_shipment(&gateway, "/inbox/a.xml").await;
    }
}

#[tokio::test]
async fn an_upload_under_way_whose_name_a_rename_takes_is_told_so() {
    for size_bytes in [200_000, 100] {
        let gateway = Gateway::start().await;
        let (client, other) = (gateway.raw("etat").await, gateway.raw("etat").await);
        let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
        client.sftp.write(&*handle, 0, vec![1; size_bytes]).await.unwrap();
        put_over(&other, "/inbox/a.xml").await;
        only_the_shipment(&gateway, "/inbox/a.xml").await;
        let late = client.sftp.write(&*handle, 0, vec![2; size_bytes]).await;
        assert_eq!(refusal(late.unwrap_err()).1, TAKEN_OVER);
        assert_eq!(refusal(client.sftp.close(handle).await.unwrap_err()).1, TAKEN_OVER);
        only_the_shipment(&gateway, "/inbox/a.xml").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_begins_while_its_name_is_removed_is_left_alone() {
    let gateway = Gateway::start().await;
    let (first, second, third) = (gateway.raw("etat").await, gateway.raw("etat").await, gateway.raw("etat").await);
    for round in 0..30 {
        let path = format!("/inbox/{round}.part");
        let old = first.open(&path, NEW).await.unwrap();
        first.sftp.write(&*old, 0, b"old".to_vec()).await.unwrap();
        let (removed, opened) = tokio::join!(second.sftp.remove(&*path), third.open(&path, NEW));
        removed.unwrap();
        let new = opened.unwrap();
        let (written, late) = tokio::join!(third.sftp.write(&*new, 0, b"new".to_vec()), first.sftp.close(old));
        refusal(late.unwrap_err());
        // Whichever came first; who was removed is told so, and leaves nothing.
        let closed = third.sftp.close(new).await;
        match gateway.node(&path).await {
            Some(node) => assert_eq!((written.is_ok(), closed.is_ok(), node.size_bytes), (true, true, 3)),
            None => {
                assert_eq!(refusal(closed.unwrap_err()).1, TAKEN_OVER);
                assert_eq!(refusal(second.sftp.stat(&*path).await.unwrap_err()).0, StatusCode::NoSuchFile);
            }
        }
        let usage = gateway.ledger.usage(&"etat".parse().unwrap()).await.unwrap();
        let files = gateway.ledger.list(&"etat".parse().unwrap(), "inbox", None, 100).await.unwrap().len();
        assert_eq!((usage.bytes, usage.files), (files as u64 * 3, files as u64));
    }
    assert!(gateway.blobs.inventory().await.unwrap().1.is_empty());
}

/// A session that begins when the one before has come to its end.
async fn when_there_is_room(gateway: &Gateway) -> RawClient {
    let ssh = gateway.log_in("etat").await;
    let channel = loop {
        match ssh.channel_open_session().await {
            Ok(channel) => break channel,
            Err(_full) => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    };
    channel.request_subsystem(true, "sftp").await.unwrap();
    let sftp = RawSftpSession::new(channel.into_stream());
    sftp.set_timeout(60);
    sftp.init().await.unwrap();
    RawClient { sftp, ssh }
}

#[tokio::test]
async fn an_upload_whose_row_is_gone_leaves_nothing_when_its_line_is_cut() {
    for size_bytes in [200_000, 100] {
        let room_for_one =
            SftpLimits { max_channels_per_partner: 1, rejection_time: Duration::ZERO, ..SftpLimits::default() };
        let gateway = Gateway::with(room_for_one, ROOMY).await;
        let client = gateway.raw("etat").await;
        let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
        client.sftp.write(&*handle, 0, vec![1; size_bytes]).await.unwrap();
        client.sftp.stat("/inbox/a.xml").await.unwrap();
        // Behind the server's back.
        let (partner, path) = ("etat".parse().unwrap(), "/inbox/a.xml".parse().unwrap());
        gateway.ledger.remove(&partner, &path).await.unwrap();
        client.cut().await;
        when_there_is_room(&gateway).await.put("/inbox/b.xml", b"second night").await.unwrap();
        only_the_shipment(&gateway, "/inbox/b.xml").await;
    }
}

#[tokio::test]
async fn an_upload_whose_row_is_gone_leaves_nothing_to_who_takes_its_name() {
    let gateway = Gateway::start().await;
    let (client, other) = (gateway.raw("etat").await, gateway.raw("etat").await);
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"old".to_vec()).await.unwrap();
    client.sftp.stat("/inbox/a.xml").await.unwrap();
    // Behind the server's back.
    let (partner, path) = ("etat".parse().unwrap(), "/inbox/a.xml".parse().unwrap());
    gateway.ledger.remove(&partner, &path).await.unwrap();
    other.put("/inbox/a.xml", b"second night").await.unwrap();
    assert_eq!(refusal(client.sftp.close(handle).await.unwrap_err()).1, TAKEN_OVER);
    only_the_shipment(&gateway, "/inbox/a.xml").await;
}
