//! Uploads: complete, cut off, resumed, taken over, refused.

use std::time::{Duration, Instant};

use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use sluse::adapters::sftp_server::SftpLimits;
use sluse::model::NodeState;
use sluse::ports::{Area, Blobs as _, Quota};

use crate::support::gateway::{PATIENCE, free_port};
use crate::support::sftp::{Gateway, ROOMY, RawClient, refusal};

const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::TRUNCATE);
const ON: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE);

/// Bytes that differ everywhere.
fn pattern(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

#[tokio::test]
async fn writes_in_any_order_make_the_file_and_close_claims_it() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let bytes = pattern(3_000_000);
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    let chunks: Vec<(usize, &[u8])> = bytes.chunks(30_011).enumerate().map(|(n, c)| (n * 30_011, c)).collect();
    let writes = chunks.iter().rev().map(|(at, chunk)| client.sftp.write(&*handle, *at as u64, chunk.to_vec()));
    for written in futures::future::join_all(writes).await {
        written.unwrap();
    }
    assert_eq!(client.sftp.fstat(&*handle).await.unwrap().attrs.size, Some(3_000_000));
    assert!(gateway.shipment("/inbox/a.xml").await.is_none());
    client.sftp.close(handle).await.unwrap();
    gateway.claimed.notified().await;
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert!(!shipment.preflight);
    assert_eq!(gateway.bytes(&shipment).await, bytes);
}

#[tokio::test]
async fn a_gap_reads_as_zeros_and_an_empty_file_is_a_file() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/test/gap.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 5, b"end".to_vec()).await.unwrap();
    // A write of nothing, however far out, extends nothing.
    client.sftp.write(&*handle, u64::MAX, Vec::new()).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/test/gap.xml").await.unwrap();
    assert!(shipment.preflight);
    assert_eq!(gateway.bytes(&shipment).await, b"\0\0\0\0\0end");
    let handle = client.open("/inbox/empty.xml", NEW).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    assert_eq!(gateway.shipment("/inbox/empty.xml").await.unwrap().size_bytes, 0);
}

#[tokio::test]
async fn a_cut_line_leaves_a_partial_that_is_resumed() {
    let gateway = Gateway::start().await;
    let bytes = pattern(500_000);
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, bytes[..200_000].to_vec()).await.unwrap();
    client.cut().await;
    gateway.paused_at("/inbox/a.xml", 200_000).await;
    let node = gateway.node("/inbox/a.xml").await.unwrap();
    assert_eq!((node.state, node.shipment), (NodeState::Partial, None));

    let client = gateway.raw("etat").await;
    assert_eq!(client.sftp.stat("/inbox/a.xml").await.unwrap().attrs.size, Some(200_000));
    let renamed = client.sftp.rename("/inbox/a.xml", "/inbox/b.xml").await;
    assert!(refusal(renamed.unwrap_err()).1.contains("not finished"));
    let handle = client.open("/inbox/a.xml", ON).await.unwrap();
    for (number, chunk) in bytes[200_000..].chunks(100_000).enumerate() {
        client.sftp.write(&*handle, 200_000 + number as u64 * 100_000, chunk.to_vec()).await.unwrap();
    }
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, bytes);
}

#[tokio::test]
async fn append_goes_to_the_end_whatever_the_offset_says() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.tmp", b"one ").await.unwrap();
    let handle = client.open("/inbox/a.tmp", ON | OpenFlags::APPEND).await.unwrap();
    client.sftp.write(&*handle, 0, b"two ".to_vec()).await.unwrap();
    client.sftp.write(&*handle, 0, b"three".to_vec()).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    client.sftp.rename("/inbox/a.tmp", "/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&gateway.shipment("/inbox/a.xml").await.unwrap()).await, b"one two three");
}

#[tokio::test]
async fn a_temporary_name_is_claimed_when_renamed_away_and_a_rename_never_overwrites() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.xml.part", b"first").await.unwrap();
    assert_eq!(gateway.node("/inbox/a.xml.part").await.unwrap().state, NodeState::Whole);
    client.sftp.rename("/inbox/a.xml.part", "/inbox/a.xml").await.unwrap();
    gateway.claimed.notified().await;
    assert_eq!(gateway.bytes(&gateway.shipment("/inbox/a.xml").await.unwrap()).await, b"first");
    client.put("/inbox/b.part", b"second").await.unwrap();
    let taken = refusal(client.sftp.rename("/inbox/b.part", "/inbox/a.xml").await.unwrap_err());
    assert_eq!(taken, (StatusCode::Failure, "a file of that name is already there".to_owned()));

    client.put("/inbox/c.part", b"third").await.unwrap();
    posix_rename(&client, "/inbox/b.part", "/inbox/c.part").await;
    let handle = client.open("/inbox/c.part", OpenFlags::READ).await.unwrap();
    assert_eq!(client.sftp.read(handle, 0, 100).await.unwrap().data, b"second");
    assert!(gateway.node("/inbox/b.part").await.is_none());
}

async fn posix_rename(client: &RawClient, from: &str, to: &str) {
    let mut data = Vec::new();
    for path in [from, to] {
        data.extend((path.len() as u32).to_be_bytes());
        data.extend(path.as_bytes());
    }
    let reply = client.sftp.extended("posix-rename@openssh.com", data).await.unwrap();
    let russh_sftp::protocol::Packet::Status(status) = reply else { panic!("a status") };
    assert_eq!(status.status_code, StatusCode::Ok);
}

#[tokio::test]
async fn the_later_open_takes_over_and_the_earlier_close_says_so() {
    let gateway = Gateway::start().await;
    let (first, second) = (gateway.raw("etat").await, gateway.raw("etat").await);
    let old = first.open("/inbox/a.xml", NEW).await.unwrap();
    first.sftp.write(&*old, 0, b"old bytes".to_vec()).await.unwrap();
    // Resuming shares the scratch file; starting anew does not. Neither lets the earlier one write on.
    let new = second.open("/inbox/a.xml", ON).await.unwrap();
    let late = refusal(first.sftp.write(&*old, 0, b"OLD".to_vec()).await.unwrap_err());
    assert!(late.1.contains("taken over"), "{}", late.1);
    second.sftp.write(&*new, 9, b" and new".to_vec()).await.unwrap();
    assert!(first.sftp.close(old).await.is_err());
    first.cut().await;
    second.sftp.close(new).await.unwrap();
    assert_eq!(gateway.bytes(&gateway.shipment("/inbox/a.xml").await.unwrap()).await, b"old bytes and new");
}

#[tokio::test]
async fn an_open_that_fails_for_quota_leaves_the_running_upload_alone() {
    let limits = SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() };
    let gateway = Gateway::with(limits, Quota { bytes: 1_000, files: 10 }).await;
    let (first, second) = (gateway.raw("etat").await, gateway.raw("etat").await);
    let running = first.open("/inbox/a.xml", NEW).await.unwrap();
    second.put("/inbox/b.part", &[b'x'; 1_000]).await.unwrap();
    for flags in [NEW, ON] {
        assert_eq!(second.open("/inbox/a.xml", flags).await.unwrap_err().1, "quota of 1 kB reached");
    }
    second.sftp.remove("/inbox/b.part").await.unwrap();
    first.sftp.write(&*running, 0, b"whole file".to_vec()).await.unwrap();
    first.sftp.close(running).await.unwrap();
    assert_eq!(gateway.bytes(&gateway.shipment("/inbox/a.xml").await.unwrap()).await, b"whole file");
}

#[tokio::test]
async fn exclusive_create_refuses_and_leaves_the_upload_there_alone() {
    let gateway = Gateway::start().await;
    let (first, second) = (gateway.raw("etat").await, gateway.raw("etat").await);
    let handle = first.open("/inbox/a.xml", NEW | OpenFlags::EXCLUDE).await.unwrap();
    assert_eq!(second.open("/inbox/a.xml", NEW | OpenFlags::EXCLUDE).await.unwrap_err().0, StatusCode::Failure);
    assert_eq!(second.open("/inbox/none.xml", OpenFlags::WRITE).await.unwrap_err().0, StatusCode::NoSuchFile);
    first.sftp.write(&*handle, 0, b"x".to_vec()).await.unwrap();
    first.sftp.close(handle).await.unwrap();
    assert!(gateway.shipment("/inbox/a.xml").await.is_some());
}

#[tokio::test]
async fn a_replaced_file_stays_until_the_new_one_is_closed() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.part", b"old").await.unwrap();
    let handle = client.open("/inbox/a.part", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"n".to_vec()).await.unwrap();
    let read = client.open("/inbox/a.part", OpenFlags::READ).await.unwrap();
    assert_eq!(client.sftp.read(read, 0, 100).await.unwrap().data, b"old");
    client.sftp.close(handle).await.unwrap();
    let read = client.open("/inbox/a.part", OpenFlags::READ).await.unwrap();
    assert_eq!(client.sftp.read(read, 0, 100).await.unwrap().data, b"n");
}

#[tokio::test]
async fn over_quota_is_told_in_words_and_never_claimed() {
    let limits = SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() };
    let gateway = Gateway::with(limits, Quota { bytes: 1_000_000, files: 3 }).await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/big.xml", NEW).await.unwrap();
    for number in 0..10 {
        client.sftp.write(&*handle, number * 100_000, vec![b'x'; 100_000]).await.unwrap();
    }
    let refused = refusal(client.sftp.write(&*handle, 1_000_000, b"x".to_vec()).await.unwrap_err());
    assert_eq!(refused, (StatusCode::Failure, "quota of 1 MB reached".to_owned()));
    // What clients do next; what has arrived must not pass for the whole.
    assert_eq!(refusal(client.sftp.close(handle).await.unwrap_err()).1, "quota of 1 MB reached");
    let node = gateway.node("/inbox/big.xml").await.unwrap();
    assert_eq!((node.state, node.size_bytes, node.shipment), (NodeState::Partial, 1_000_000, None));
    assert_eq!(client.put("/inbox/next.xml", b"x").await.unwrap_err().1, "quota of 1 MB reached");

    client.sftp.remove("/inbox/big.xml").await.unwrap();
    for number in 0..3 {
        client.put(&format!("/inbox/{number}.part"), b"x").await.unwrap();
    }
    assert_eq!(client.put("/inbox/4.part", b"x").await.unwrap_err().1, "quota of 3 files reached");
}

#[tokio::test]
async fn two_uploads_share_one_quota() {
    let limits = SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() };
    let gateway = Gateway::with(limits, Quota { bytes: 300_000, files: 10 }).await;
    let (first, second) = (gateway.raw("etat").await, gateway.raw("etat").await);
    let (a, b) = (first.open("/inbox/a.xml", NEW).await.unwrap(), second.open("/inbox/b.xml", NEW).await.unwrap());
    first.sftp.write(&*a, 0, vec![0; 200_000]).await.unwrap();
    assert_eq!(refusal(second.sftp.write(&*b, 0, vec![0; 200_000]).await.unwrap_err()).1, "quota of 300 kB reached");
    first.sftp.close(a).await.unwrap();
    // What was refused is not claimed, and room that comes back is seen by an upload that is open already.
    assert!(second.sftp.close(b).await.is_err());
    let b = second.open("/inbox/b.xml", NEW).await.unwrap();
    second.sftp.write(&*b, 0, vec![0; 50_000]).await.unwrap();
    finish(&gateway, &gateway.shipment("/inbox/a.xml").await.unwrap()).await;
    second.sftp.write(&*b, 50_000, vec![0; 200_000]).await.unwrap();
    second.sftp.close(b).await.unwrap();
}

#[tokio::test]
async fn files_that_were_opened_early_share_the_quota_with_those_closed_since() {
    let limits = SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() };
    for ends in ["closed", "synced", "cut"] {
        let gateway = Gateway::with(limits.clone(), Quota { bytes: 1_000_000, files: 10 }).await;
        let (client, other) = (gateway.raw("etat").await, gateway.raw("etat").await);
        let first = other.open("/inbox/1.xml", NEW).await.unwrap();
        let (second, third) = (client.open("/inbox/2.xml", NEW).await, client.open("/inbox/3.xml", NEW).await);
        other.sftp.write(&*first, 0, vec![1; 200_000]).await.unwrap();
        other.sftp.write(&*first, 200_000, vec![1; 200_000]).await.unwrap();
        match ends {
            "closed" => drop(other.sftp.close(first).await.unwrap()),
            "synced" => drop(other.sftp.fsync(&*first).await.unwrap()),
            _ => {
                other.cut().await;
                gateway.paused_at("/inbox/1.xml", 400_000).await;
            }
        }
        let (second, third) = (second.unwrap(), third.unwrap());
        for at in [0, 200_000] {
            client.sftp.write(&*second, at, vec![2; 200_000]).await.unwrap();
        }
        client.sftp.close(second).await.unwrap();
        client.sftp.write(&*third, 0, vec![3; 200_000]).await.unwrap();
        let over = refusal(client.sftp.write(&*third, 200_000, vec![3; 1]).await.unwrap_err());
        assert_eq!(over.1, "quota of 1 MB reached", "{ends}");
    }
}

#[tokio::test]
async fn a_replacement_that_is_gone_on_with_is_counted_once() {
    let limits = SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() };
    let gateway = Gateway::with(limits, Quota { bytes: 300_000, files: 10 }).await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.part", &[1; 100_000]).await.unwrap();
    let handle = client.open("/inbox/a.part", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, vec![2; 100_000]).await.unwrap();
    client.cut().await;
    let etat = "etat".parse().unwrap();
    let begun = Instant::now();
    while gateway.ledger.usage(&etat).await.unwrap().bytes < 200_000 {
        assert!(begun.elapsed() < PATIENCE, "what was cut off is not kept");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.part", ON).await.unwrap();
    client.sftp.write(&*handle, 100_000, vec![2; 100_000]).await.unwrap();
    let full = refusal(client.sftp.write(&*handle, 200_000, vec![2; 1]).await.unwrap_err());
    assert_eq!(full.1, "quota of 300 kB reached");
}

#[tokio::test]
async fn attributes_never_fail_a_good_upload() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let attrs = FileAttributes {
        permissions: Some(0o100_644),
        uid: Some(0),
        gid: Some(0),
        atime: Some(1_700_000_000),
        mtime: Some(1_700_000_000),
        ..FileAttributes::empty()
    };
    let handle = client.open("/inbox/a.part", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"x".to_vec()).await.unwrap();
    client.sftp.fsetstat(&*handle, attrs.clone()).await.unwrap();
    client.sftp.fsync(&*handle).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    assert_eq!(client.sftp.stat("/inbox/a.part").await.unwrap().attrs.mtime, Some(1_700_000_000));
    client.sftp.setstat("/inbox/a.part", FileAttributes { mtime: Some(1_700_000_007), ..attrs.clone() }).await.unwrap();
    assert_eq!(client.sftp.stat("/inbox/a.part").await.unwrap().attrs.mtime, Some(1_700_000_007));
    client.sftp.setstat("/inbox", attrs.clone()).await.unwrap();
    assert_eq!(refusal(client.sftp.setstat("/inbox/none", attrs).await.unwrap_err()).0, StatusCode::NoSuchFile);
}

#[tokio::test]
async fn a_name_that_is_being_processed_is_opened_without_cutting_for_a_new_file_only() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.xml", b"first").await.unwrap();
    let first = gateway.shipment("/inbox/a.xml").await.unwrap();
    let received = "the file has been received and is being processed; it can no longer be changed";
    for flags in [OpenFlags::WRITE, ON | OpenFlags::APPEND] {
        assert_eq!(client.open("/inbox/a.xml", flags).await.unwrap_err().1, received);
    }
    // The rest of the file that is there, or nothing at all: its CLOSE was done, and its answer was lost.
    for at in [None, Some(5), Some(2)] {
        let handle = client.open("/inbox/a.xml", ON).await.unwrap();
        client.sftp.write(&*handle, 5, Vec::new()).await.unwrap();
        client.sftp.fsync(&*handle).await.unwrap();
        if let Some(offset) = at {
            assert_eq!(refusal(client.sftp.write(&*handle, offset, b"rest".to_vec()).await.unwrap_err()).1, received);
        }
        assert_eq!(client.sftp.stat("/inbox/a.xml").await.unwrap().attrs.size, Some(5));
        assert_eq!(refusal(client.sftp.close(handle).await.unwrap_err()).1, received);
        assert_eq!(gateway.shipment("/inbox/a.xml").await.unwrap().id, first.id);
    }
    // One whose line is cut before it began leaves the name, too.
    let cut = gateway.raw("etat").await;
    cut.open("/inbox/a.xml", ON).await.unwrap();
    cut.cut().await;
    for bytes in [b"second".to_vec(), vec![b'x'; 100_000], Vec::new()] {
        let handle = client.open("/inbox/a.xml", ON).await.unwrap();
        let sent = FileAttributes { size: Some(bytes.len() as u64), ..FileAttributes::empty() };
        client.sftp.write(&*handle, 0, bytes.clone()).await.unwrap();
        client.sftp.fsetstat(&*handle, sent).await.unwrap();
        client.sftp.close(handle).await.unwrap();
        let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
        assert!(shipment.id != first.id && gateway.bytes(&shipment).await == bytes);
    }
    // The server need not have noticed yet that the line was cut.
    let begun = Instant::now();
    while !gateway.blobs.inventory().await.unwrap().1.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "an upload that never began is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_file_is_seen_by_its_session_after_the_pipeline_took_it() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.xml", b"12345").await.unwrap();
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    finish(&gateway, &shipment).await;
    assert!(gateway.node("/inbox/a.xml").await.is_none());
    assert_eq!(client.sftp.stat("/inbox/a.xml").await.unwrap().attrs.size, Some(5));
    let attrs = FileAttributes { mtime: Some(1_700_000_000), ..FileAttributes::empty() };
    client.sftp.setstat("/inbox/a.xml", attrs).await.unwrap();
    assert_eq!(client.sftp.lstat("/inbox/a.xml").await.unwrap().attrs.mtime, Some(1_700_000_000));
    let other = gateway.raw("etat").await;
    assert_eq!(refusal(other.sftp.stat("/inbox/a.xml").await.unwrap_err()).0, StatusCode::NoSuchFile);
}

/// Ends a shipment as the pipeline does: the final receipt is placed and the claimed file leaves the tree.
async fn finish(gateway: &Gateway, shipment: &sluse::model::Shipment) {
    use sluse::ports::{Ledger, PlacedReceipt};
    let receipt = PlacedReceipt {
        shipment: shipment.id,
        kind: sluse::model::ReceiptKind::Final,
        partner: shipment.partner.clone(),
        dir: "receipts".to_owned(),
        files: vec![sluse::ports::ReceiptFile {
            form: sluse::model::ReceiptForm::Document,
            name: "a.final.xml".to_owned(),
            blob: sluse::model::BlobId::new(),
            size_bytes: 1,
            sha256: [1; 32],
        }],
        numbers: None,
        news: Vec::new(),
        now: shipment.claimed_at,
    };
    assert!(gateway.ledger.place_receipt(&receipt).await.unwrap().is_placed());
}

#[tokio::test]
async fn removing_a_partial_throws_its_bytes_away() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"x".to_vec()).await.unwrap();
    client.sftp.remove("/inbox/a.xml").await.unwrap();
    assert!(client.sftp.close(handle).await.is_err());
    assert_eq!(gateway.blobs.inventory().await.unwrap(), (vec![], vec![]));
    assert_eq!(gateway.ledger.usage(&"etat".parse().unwrap()).await.unwrap(), sluse::ports::Usage::default());
}

#[tokio::test]
async fn a_silent_connection_is_ended_and_its_upload_kept() {
    let limits =
        SftpLimits { rejection_time: Duration::ZERO, idle_time: Duration::from_secs(2), ..SftpLimits::default() };
    let gateway = Gateway::with(limits, ROOMY).await;
    let begun = Instant::now();
    // On a busy machine it may be ended before it has written anything: then it is tried again.
    let _silent = loop {
        match begins(&gateway).await {
            Ok(silent) => break silent,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    };
    gateway.paused_at("/inbox/a.xml", 16).await;
}

/// A client that has begun an upload.
async fn begins(gateway: &Gateway) -> anyhow::Result<RawClient> {
    let client = gateway.try_raw("etat").await?;
    let opened = client.sftp.open("/inbox/a.xml", NEW, FileAttributes::empty()).await?;
    client.sftp.write(&*opened.handle, 0, b"and then nothing".to_vec()).await?;
    Ok(client)
}

#[tokio::test]
async fn a_graceful_stop_keeps_the_upload_as_a_partial() {
    // Nobody else listens there afterwards.
    let gateway = Gateway::changed(|settings| settings.listen.set_port(free_port())).await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, vec![1; 50_000]).await.unwrap();
    let address = gateway.address;
    let (_dir, ledger, _blobs) = gateway.stop().await;
    let node = ledger.stat(&"etat".parse().unwrap(), &"/inbox/a.xml".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((node.state, node.size_bytes), (NodeState::Partial, 50_000));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
