//! What a partner sees, and what they do not.

use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use sluse::model::{AreaPath, BlobId, NodeState, PartnerId, ScratchId};
use sluse::ports::{Area, Blobs, Close, NewUpload};

use crate::support::sftp::{Gateway, ROOMY, RawClient, refusal};

/// Puts a file into the area as the pipeline does.
pub(crate) async fn place(gateway: &Gateway, path: &str, bytes: &[u8]) {
    let (scratch, blob) = (gateway.blobs.create().await.unwrap(), BlobId::new());
    gateway.blobs.scratch(scratch).await.unwrap().write_at(0, bytes).unwrap();
    gateway.blobs.seal(scratch, blob).await.unwrap();
    list(gateway, path, (scratch, blob), bytes.len() as u64).await;
}

/// Puts a file into the ledger.
async fn list(gateway: &Gateway, path: &str, (scratch, blob): (ScratchId, BlobId), size_bytes: u64) {
    let partner: PartnerId = "etat".parse().unwrap();
    let path: AreaPath = path.parse().unwrap();
    let now = "2026-11-21T05:00:00Z".parse().unwrap();
    let (for_close, close_path) = (partner.clone(), path.clone());
    let upload = NewUpload { partner, path, owner: None, scratch, exclusive: false, quota: ROOMY, now };
    gateway.ledger.begin(&upload).await.unwrap();
    let close = Close { partner: for_close, path: close_path, scratch, blob, size_bytes, claim: None, now };
    Area::close(&gateway.ledger, &close).await.unwrap();
}

pub(super) async fn names(client: &RawClient, dir: &str) -> Vec<String> {
    let handle = client.sftp.opendir(dir).await.unwrap().handle;
    let mut names = Vec::new();
    while let Ok(page) = client.sftp.readdir(&*handle).await {
        names.extend(page.files.into_iter().map(|file| file.filename));
    }
    client.sftp.close(handle).await.unwrap();
    names
}

#[tokio::test]
async fn partners_do_not_see_each_other() {
    let gateway = Gateway::start().await;
    let (own, other) = (gateway.raw("etat").await, gateway.raw("annen").await);
    own.put("/inbox/a.part", b"mine").await.unwrap();
    assert_eq!(names(&own, "/inbox").await, ["a.part"]);
    assert!(names(&other, "/inbox").await.is_empty());
    assert_eq!(other.open("/inbox/a.part", OpenFlags::READ).await.unwrap_err().0, StatusCode::NoSuchFile);
    assert_eq!(refusal(other.sftp.remove("/inbox/a.part").await.unwrap_err()).0, StatusCode::NoSuchFile);
    let renamed = other.sftp.rename("/inbox/a.part", "/inbox/a.xml").await;
    assert_eq!(refusal(renamed.unwrap_err()).0, StatusCode::NoSuchFile);
}

#[tokio::test]
async fn the_root_has_the_agreed_directories_and_no_way_out() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    assert_eq!(names(&client, "/").await, ["inbox", "test", "receipts", "outbox"]);
    let real = client.sftp.realpath("inbox/../../../etc/./x").await.unwrap();
    assert_eq!(real.files[0].filename, "/etc/x");
    for path in ["/etc/passwd", "../../../../etc/passwd", "/inbox/../../etc/passwd", "/inbox/a/b", "/inbox2/a"] {
        assert_eq!(client.open(path, OpenFlags::READ).await.unwrap_err().0, StatusCode::NoSuchFile, "{path}");
        let put = client.put(path, b"x").await.unwrap_err();
        assert_eq!(put.0, StatusCode::NoSuchFile, "{path}");
    }
    for dir in ["/", "/inbox", "inbox/", "/inbox/."] {
        assert!(client.sftp.stat(dir).await.unwrap().attrs.is_dir(), "{dir}");
    }
    assert!(client.put("/inbox/a\nb", b"x").await.is_err());
    assert!(client.put(&format!("/inbox/{}", "x".repeat(256)), b"x").await.is_err());
    client.put(&format!("/inbox/{}", "x".repeat(255)), b"x").await.unwrap();
    client.put("/inbox/blåbærsyltetøy.xml", b"x").await.unwrap();
}

#[tokio::test]
async fn directories_are_neither_made_nor_removed() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let made = refusal(client.sftp.mkdir("/inbox", FileAttributes::empty()).await.unwrap_err());
    assert_eq!(made.0, StatusCode::Failure);
    for path in ["/new", "/inbox/new"] {
        let made = refusal(client.sftp.mkdir(path, FileAttributes::empty()).await.unwrap_err());
        assert_eq!(made.0, StatusCode::PermissionDenied);
        assert!(made.1.contains("agreed in the configuration"), "{}", made.1);
    }
    assert_eq!(refusal(client.sftp.rmdir("/inbox").await.unwrap_err()).0, StatusCode::PermissionDenied);
    assert_eq!(refusal(client.sftp.symlink("/inbox/a", "/b").await.unwrap_err()).0, StatusCode::OpUnsupported);
    assert_eq!(refusal(client.sftp.readlink("/inbox/a").await.unwrap_err()).0, StatusCode::OpUnsupported);
    assert_eq!(refusal(client.sftp.hardlink("/inbox/a", "/inbox/b").await.unwrap_err()).0, StatusCode::OpUnsupported);
}

#[tokio::test]
async fn receipts_are_read_and_nothing_is_put_there() {
    let gateway = Gateway::start().await;
    place(&gateway, "/receipts/r.xml", b"<receipt/>").await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/receipts/r.xml", OpenFlags::READ).await.unwrap();
    assert_eq!(client.sftp.read(&*handle, 2, 100).await.unwrap().data, b"eceipt/>");
    for (offset, length) in [(10, 1), (u64::MAX, u32::MAX), (0, 0)] {
        assert_eq!(refusal(client.sftp.read(&*handle, offset, length).await.unwrap_err()).0, StatusCode::Eof);
    }
    client.sftp.close(handle).await.unwrap();
    for path in ["/receipts/new.xml", "/outbox/new.xml"] {
        assert_eq!(client.put(path, b"x").await.unwrap_err().0, StatusCode::PermissionDenied);
    }
    let moved = client.sftp.rename("/receipts/r.xml", "/inbox/r.xml").await;
    assert_eq!(refusal(moved.unwrap_err()).0, StatusCode::PermissionDenied);
}

#[tokio::test]
async fn a_claimed_file_stays_as_it_is_and_is_not_given_back() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.xml", b"<a/>").await.unwrap();
    let read = client.open("/inbox/a.xml", OpenFlags::READ).await.unwrap_err();
    assert_eq!(read.0, StatusCode::PermissionDenied, "{}", read.1);
    let removed = refusal(client.sftp.remove("/inbox/a.xml").await.unwrap_err());
    assert!(removed.1.contains("has been received"), "{}", removed.1);
    assert!(client.sftp.rename("/inbox/a.xml", "/inbox/b.xml").await.is_err());
    assert_eq!(gateway.node("/inbox/a.xml").await.unwrap().state, NodeState::Claimed);
}

#[tokio::test]
async fn long_directories_come_in_pages() {
    let gateway = Gateway::start().await;
    // At once, so that they share their commits.
    let placing = (0..1_300).map(|number| {
        let gateway = &gateway;
        async move { list(gateway, &format!("/outbox/{number:04}.xml"), (ScratchId::new(), BlobId::new()), 1).await }
    });
    futures::future::join_all(placing).await;
    let listed = names(&gateway.raw("etat").await, "/outbox").await;
    assert_eq!(listed.len(), 1_300);
    assert!(listed.is_sorted());
}

#[tokio::test]
async fn the_quota_is_what_the_file_system_has_room_for() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let limits = client.sftp.limits().await.unwrap();
    assert_eq!((limits.max_packet_len, limits.max_write_len), (262_144, 261_120));
    client.put("/inbox/a.part", &[0; 8192]).await.unwrap();
    let room = client.sftp.statvfs("/").await.unwrap();
    assert_eq!(room.blocks - room.blocks_free, 2);
    assert_eq!(room.inodes - room.inodes_free, 1);
}
