//! Uploads whose name another file has taken meanwhile: nothing of them is left, and whoever comes after has its own.

use russh_sftp::protocol::OpenFlags;
use sluse::ports::{Area as _, Blobs as _, Usage};

use crate::support::sftp::{Gateway, RawClient, refusal};

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
    assert_eq!(status.status_code, russh_sftp::protocol::StatusCode::Ok, "{}", status.error_message);
}

/// Waits until nothing is kept but the bytes of the shipment at a path, and holds what is counted against them.
async fn only_the_shipment(gateway: &Gateway, path: &str) {
    let shipment = gateway.shipment(path).await.unwrap();
    let mut kept = gateway.blobs.inventory().await.unwrap();
    for _ in 0..5_000 {
        if kept == (vec![shipment.blob], vec![]) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
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

#[tokio::test]
async fn an_upload_whose_row_is_gone_leaves_nothing_when_its_line_is_cut() {
    for size_bytes in [200_000, 100] {
        let gateway = Gateway::start().await;
        let client = gateway.raw("etat").await;
        let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
        client.sftp.write(&*handle, 0, vec![1; size_bytes]).await.unwrap();
        client.sftp.stat("/inbox/a.xml").await.unwrap();
        // Behind the server's back.
        let (partner, path) = ("etat".parse().unwrap(), "/inbox/a.xml".parse().unwrap());
        gateway.ledger.remove(&partner, &path).await.unwrap();
        client.cut().await;
        gateway.raw("etat").await.put("/inbox/b.xml", b"second night").await.unwrap();
        only_the_shipment(&gateway, "/inbox/b.xml").await;
    }
}
