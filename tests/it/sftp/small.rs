//! Small uploads: no file is made of them, and nothing else is different.

use russh_sftp::protocol::{OpenFlags, StatusCode};
use sluse::adapters::sftp_server::SftpLimits;
use sluse::model::{BlobId, NodeState, ScratchId};
use sluse::ports::{Area, Blobs as _, NewUpload, Quota, SmallBlobs as _, SmallUpload};

use crate::support::sftp::{Gateway, ROOMY, refusal};

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

/// What a process that is gone has left of an upload: four bytes, kept by an fsync.
async fn synced_before_a_crash(gateway: &Gateway, path: &str) {
    let (partner, scratch) = ("etat".parse().unwrap(), ScratchId::new());
    let path: sluse::model::AreaPath = path.parse().unwrap();
    let (at, owner, now) = (path.clone(), Some("etat".to_owned()), jiff::Timestamp::now());
    let upload = NewUpload { partner, path: at, owner, scratch, exclusive: false, quota: ROOMY, now };
    gateway.ledger.begin(&upload).await.unwrap();
    let small = SmallUpload { partner: upload.partner, path, scratch, blob: BlobId(scratch.0) };
    gateway.ledger.safeguard(&small, b"half".to_vec(), None).await.unwrap();
}

#[tokio::test]
async fn what_was_synced_survives_a_second_crash_once_it_is_resumed() {
    let gateway = Gateway::start().await;
    synced_before_a_crash(&gateway, "/inbox/a.xml").await;
    // Kept open: the end of its line would bring the bytes to disk.
    let client = gateway.raw("etat").await;
    client.open("/inbox/a.xml", ON).await.unwrap();
    // All that a crash leaves: the ledger, and the file that it names.
    let scratch = gateway.node("/inbox/a.xml").await.unwrap().scratch.unwrap();
    let mut bytes = [0; 8];
    assert_eq!(gateway.blobs.scratch(scratch).await.unwrap().read_at(0, &mut bytes).unwrap(), 4);
    assert_eq!(&bytes[..4], b"half");
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
    // The same without the CLOSE.
    synced_before_a_crash(&gateway, "/inbox/b.xml").await;
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

#[tokio::test]
async fn an_upload_that_the_ledger_does_not_know_yet_is_there_for_who_looks() {
    let gateway = Gateway::with(SftpLimits::default(), Quota { bytes: 1_000_000, files: 4 }).await;
    let (client, other) = (gateway.raw("etat").await, gateway.raw("etat").await);
    let begun = async |name: &str| {
        let handle = client.open(name, NEW).await.unwrap();
        client.sftp.write(&*handle, 0, b"half".to_vec()).await.unwrap();
        assert!(gateway.node(name).await.is_none(), "recorded for nobody");
        handle
    };
    let first = begun("/inbox/a.xml").await;
    assert_eq!(other.sftp.stat("/inbox/a.xml").await.unwrap().attrs.size, Some(4));
    assert_eq!(gateway.node("/inbox/a.xml").await.unwrap().state, NodeState::Partial);
    let second = begun("/inbox/b.part").await;
    let listed = other.sftp.opendir("/inbox").await.unwrap().handle;
    let names = other.sftp.readdir(listed).await.unwrap().files;
    assert!(names.iter().any(|file| file.filename == "b.part" && file.attrs.size == Some(4)), "{names:?}");
    begun("/inbox/c.part").await;
    let exclusive = other.open("/inbox/c.part", NEW | OpenFlags::EXCLUDE).await.unwrap_err();
    assert_eq!(exclusive.1, "a file of that name is already there");
    let fourth = begun("/inbox/d.part").await;
    assert_eq!(other.put("/inbox/e.xml", b"x").await.unwrap_err().1, "quota of 4 files reached");
    let unfinished = refusal(other.sftp.rename("/inbox/d.part", "/inbox/d.xml").await.unwrap_err()).1;
    assert_eq!(unfinished, "the upload of this file is not finished; send the rest of it first");
    client.sftp.close(fourth).await.unwrap();
    other.sftp.rename("/inbox/d.part", "/inbox/d.xml").await.unwrap();
    other.sftp.remove("/inbox/b.part").await.unwrap();
    refusal(client.sftp.close(second).await.unwrap_err());
    client.sftp.close(first).await.unwrap();
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"half");
    client.cut().await;
    gateway.paused_at("/inbox/c.part", 4).await;
}

#[tokio::test]
async fn an_upload_that_outgrows_memory_or_is_taken_over_is_recorded() {
    let gateway = Gateway::start().await;
    let (client, other) = (gateway.raw("etat").await, gateway.raw("etat").await);
    let grows = client.open("/inbox/a.part", NEW).await.unwrap();
    client.sftp.write(&*grows, 0, vec![7; 70_000]).await.unwrap();
    assert_eq!(gateway.node("/inbox/a.part").await.unwrap().state, NodeState::Partial);
    let lost = client.open("/inbox/b.xml", NEW).await.unwrap();
    client.sftp.write(&*lost, 0, b"first ".to_vec()).await.unwrap();
    let taken = other.open("/inbox/b.xml", ON).await.unwrap();
    other.sftp.write(&*taken, 6, b"second".to_vec()).await.unwrap();
    for refused in [client.sftp.fsync(&*lost).await, client.sftp.close(lost).await] {
        assert_eq!(refusal(refused.unwrap_err()).1, "another upload has taken over this file name");
    }
    other.sftp.close(taken).await.unwrap();
    let shipment = gateway.shipment("/inbox/b.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"first second");
    assert_eq!((gateway.small().await.len(), gateway.files().await), (0, 2));
}

#[tokio::test]
async fn there_is_room_for_what_has_begun_whatever_comes_before_its_end() {
    let gateway = Gateway::with(SftpLimits::default(), Quota { bytes: 1_000_000, files: 1 }).await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"admitted".to_vec()).await.unwrap();
    let (partner, path) = ("etat".parse().unwrap(), "/inbox/b.part".parse().unwrap());
    let (scratch, now) = (ScratchId::new(), jiff::Timestamp::now());
    let upload = NewUpload { partner, path, owner: None, scratch, exclusive: false, quota: ROOMY, now };
    gateway.ledger.begin(&upload).await.unwrap();
    assert_eq!(client.put("/inbox/c.xml", b"x").await.unwrap_err().1, "quota of 1 files reached");
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"admitted");
}

#[tokio::test]
async fn an_open_that_waits_for_a_close_finds_nothing_to_go_on_with() {
    let gateway = Gateway::start().await;
    let (client, other) = (gateway.raw("etat").await, gateway.raw("etat").await);
    for round in 0..20 {
        let name = format!("/inbox/{round}.part");
        let handle = client.open(&name, NEW).await.unwrap();
        client.sftp.write(&*handle, 0, b"first".to_vec()).await.unwrap();
        let (closed, opened) = tokio::join!(client.sftp.close(handle), other.open(&name, NEW));
        // Whichever was first.
        closed.map_or_else(|error| assert_eq!(refusal(error).0, StatusCode::Failure), |_| ());
        let handle = opened.unwrap();
        other.sftp.write(&*handle, 0, b"second".to_vec()).await.unwrap();
        other.sftp.close(handle).await.unwrap();
        assert_eq!((gateway.small().await.len(), gateway.files().await), (round + 1, 0));
    }
}

#[tokio::test]
async fn what_is_synced_of_a_large_upload_is_in_the_ledger() {
    let gateway = Gateway::with(SftpLimits::default(), Quota { bytes: 100_000, files: 10 }).await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, vec![1; 70_000]).await.unwrap();
    client.sftp.fsync(&*handle).await.unwrap();
    assert_eq!(gateway.node("/inbox/a.xml").await.unwrap().size_bytes, 70_000);
    // Counted once.
    client.sftp.write(&*handle, 70_000, vec![2; 30_000]).await.unwrap();
    let full = refusal(client.sftp.write(&*handle, 100_000, vec![3; 1]).await.unwrap_err());
    assert_eq!(full.1, "quota of 100 kB reached");
}
