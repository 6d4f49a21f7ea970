//! Small uploads: no file is made of them, and nothing else is different.

use russh_sftp::protocol::OpenFlags;
use sluse::model::{BlobId, NodeState, ScratchId};
use sluse::ports::{Area, Blobs as _, NewUpload, SmallBlobs as _};

use crate::support::sftp::{Gateway, ROOMY};

const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::TRUNCATE);
const ON: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE);

impl Gateway {
    async fn small(&self) -> Vec<BlobId> {
        self.ledger.small_blobs(None, 100).await.unwrap()
    }

    async fn files(&self) -> usize {
        let (blobs, scratches) = self.blobs.inventory().await.unwrap();
        blobs.len() + scratches.len() - self.small().await.len()
    }
}

#[tokio::test]
async fn a_small_upload_is_in_the_ledger_and_a_large_one_a_file() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 3, b"second".to_vec()).await.unwrap();
    client.sftp.write(&*handle, 0, b"1st".to_vec()).await.unwrap();
    assert_eq!(client.sftp.fstat(&*handle).await.unwrap().attrs.size, Some(9));
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!((gateway.small().await, gateway.files().await), (vec![shipment.blob], 0));
    assert_eq!(gateway.bytes(&shipment).await, b"1stsecond");
    client.put("/inbox/large.xml", &vec![7; 70_000]).await.unwrap();
    assert_eq!((gateway.small().await.len(), gateway.files().await), (1, 1));
    let large = gateway.shipment("/inbox/large.xml").await.unwrap();
    assert_eq!(gateway.bytes(&large).await, vec![7; 70_000]);
}

#[tokio::test]
async fn a_small_file_is_replaced_and_removed_without_a_trace() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.part", b"one").await.unwrap();
    let first = gateway.node("/inbox/a.part").await.unwrap();
    let handle = client.open("/inbox/a.part", OpenFlags::WRITE | OpenFlags::APPEND).await.unwrap();
    client.sftp.write(&*handle, 0, b" and two".to_vec()).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    let second = gateway.node("/inbox/a.part").await.unwrap();
    assert_eq!((second.state, second.size_bytes), (NodeState::Whole, 11));
    assert_ne!(first.blob, second.blob);
    assert_eq!(gateway.small().await, second.blob.into_iter().collect::<Vec<_>>());
    client.sftp.remove("/inbox/a.part").await.unwrap();
    assert_eq!((gateway.small().await.len(), gateway.files().await), (0, 0));
}

#[tokio::test]
async fn what_was_synced_survives_a_crash_and_is_gone_on_with() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"synced".to_vec()).await.unwrap();
    client.sftp.fsync(&*handle).await.unwrap();
    let scratch = gateway.node("/inbox/a.xml").await.unwrap().scratch.unwrap();
    assert_eq!(gateway.ledger.small_blob(BlobId(scratch.0)).await.unwrap().as_deref(), Some(&b"synced"[..]));
    assert_eq!(gateway.files().await, 0);
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"synced");
    // The same without the CLOSE, in a process that is gone.
    let (partner, scratch) = ("etat".parse().unwrap(), ScratchId::new());
    let path: sluse::model::AreaPath = "/inbox/b.xml".parse().unwrap();
    let (at, owner, now) = (path.clone(), Some("etat".to_owned()), jiff::Timestamp::now());
    let upload = NewUpload { partner, path: at, owner, scratch, exclusive: false, quota: ROOMY, now };
    gateway.ledger.begin(&upload).await.unwrap();
    let blob = BlobId(scratch.0);
    gateway.ledger.safeguard(&upload.partner, &path, scratch, blob, b"half".to_vec()).await.unwrap();
    assert_eq!(client.sftp.stat("/inbox/b.xml").await.unwrap().attrs.size, Some(4));
    let handle = client.open("/inbox/b.xml", ON).await.unwrap();
    client.sftp.write(&*handle, 4, vec![b'x'; 70_000]).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/inbox/b.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, [&b"half"[..], &[b'x'; 70_000]].concat());
    assert_eq!((gateway.small().await.len(), gateway.files().await), (1, 1), "what was safeguarded is gone");
}

#[tokio::test]
async fn a_write_after_a_sync_is_in_the_file_and_a_cut_line_leaves_a_partial() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    for name in ["/inbox/a.xml", "/inbox/b.xml"] {
        let handle = client.open(name, NEW).await.unwrap();
        client.sftp.write(&*handle, 0, b"before".to_vec()).await.unwrap();
        client.sftp.fsync(&*handle).await.unwrap();
        client.sftp.write(&*handle, 2, b"-after".to_vec()).await.unwrap();
        if name == "/inbox/a.xml" {
            client.sftp.close(handle).await.unwrap();
        }
    }
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"be-after");
    client.cut().await;
    gateway.paused_at("/inbox/b.xml", 8).await;
    let client = gateway.raw("etat").await;
    assert_eq!(client.sftp.stat("/inbox/b.xml").await.unwrap().attrs.size, Some(8));
    let handle = client.open("/inbox/b.xml", ON).await.unwrap();
    client.sftp.write(&*handle, 8, b" cut".to_vec()).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/inbox/b.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"be-after cut");
}
