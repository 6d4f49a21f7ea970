//! Many at once, and directories of half a million.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh_sftp::protocol::OpenFlags;
use sluse::adapters::sftp_server::SftpLimits;
use sqlx::Connection as _;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

use super::areas::names;
use crate::support::gateway::PATIENCE;
use crate::support::ledger::beside;
use crate::support::sftp::{Gateway, ROOMY, refusal};

fn quick() -> SftpLimits {
    SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_that_say_nothing_keep_nobody_out() {
    let gateway = Gateway::with(quick(), ROOMY).await;
    let working = gateway.raw("etat").await;
    let mut silent = Vec::new();
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        // A silent connection within the limits stays; the others are closed without a word, and their place is free.
        let mut byte = [0];
        match tokio::time::timeout(Duration::from_millis(1), stream.read(&mut byte)).await {
            Ok(Ok(1)) | Err(_) if silent.len() < 300 => silent.push(stream),
            Ok(_) | Err(_) => {}
        }
    }
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "nobody is refused");
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        let mut byte = [0];
        match tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await.expect("a word or an end") {
            Ok(0) | Err(_) => break,
            Ok(_) => silent.push(stream),
        }
    }
    working.put("/inbox/a.xml", b"<a/>").await.unwrap();
    assert!(gateway.shipment("/inbox/a.xml").await.is_some());
    drop(silent);
    // Whoever comes when they have gone finds room.
    let (begun, mut greeting) = (Instant::now(), [0; 8]);
    let mut next = TcpStream::connect(gateway.address).await.unwrap();
    while next.read_exact(&mut greeting).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "there is no room");
        tokio::task::yield_now().await;
        next = TcpStream::connect(gateway.address).await.unwrap();
    }
    assert_eq!(&greeting, b"SSH-2.0-");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_from_many_addresses_give_way() {
    let few = SftpLimits { max_connections: 8, max_strangers_per_address: 2, ..quick() };
    let gateway = Gateway::with(few, ROOMY).await;
    let working = gateway.raw("etat").await;
    let mut silent = Vec::new();
    for number in 0..7_u8 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 2 + number / 2], 0))).unwrap();
        let mut stream = socket.connect(gateway.address).await.unwrap();
        let mut greeting = [0; 8];
        stream.read_exact(&mut greeting).await.unwrap();
        silent.push(stream);
    }
    // Every seat is taken, and who logs in gets one all the same.
    let begun = Instant::now();
    let next = loop {
        // Whoever is shown out may take a moment longer than is waited for.
        match gateway.try_raw("etat").await {
            Ok(next) => break next,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    };
    next.put("/inbox/a.xml", b"<a/>").await.unwrap();
    working.put("/inbox/b.xml", b"<b/>").await.unwrap();
    let mut rest = Vec::new();
    // It ends, with or without a word.
    let _ = tokio::time::timeout(PATIENCE, silent[0].read_to_end(&mut rest)).await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sessions_upload_at_once() {
    let many = SftpLimits {
        max_strangers_per_address: 300,
        max_connections_per_partner: 300,
        max_channels_per_partner: 300,
        max_handles_per_partner: 300,
        ..quick()
    };
    let gateway = Arc::new(Gateway::with(many, ROOMY).await);
    let uploads = (0..200_u32).map(|number| {
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let client = gateway.raw("etat").await;
            let path = format!("/inbox/{number}.xml");
            let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
            let handle = client.open(&path, flags).await.unwrap();
            for part in 0..4 {
                client.sftp.write(&*handle, part * 20_000, vec![number as u8; 20_000]).await.unwrap();
            }
            client.sftp.close(handle).await.unwrap();
            let shipment = gateway.shipment(&path).await.unwrap();
            assert_eq!(gateway.bytes(&shipment).await, vec![number as u8; 80_000]);
        })
    });
    for uploaded in futures::future::join_all(uploads).await {
        uploaded.unwrap();
    }
}

#[tokio::test]
async fn half_a_million_files_are_listed_each_once() {
    const FILES: usize = 500_000;
    let gateway = Gateway::start().await;
    let mut connection = beside(&gateway.dir.path().join("ledger.db")).await;
    let rows = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499999) \
                INSERT INTO nodes (partner, dir, name, state, size_bytes, scratch_bytes, modified, blob) \
                SELECT 'etat', 'receipts', printf('r%06d.final.xml', i), 1, 10, 0, 0, randomblob(16) FROM n";
    sqlx::query(rows).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let client = gateway.raw("etat").await;
    let started = std::time::Instant::now();
    let listed = names(&client, "/receipts").await;
    eprintln!("{FILES} names in {:?}", started.elapsed());
    assert_eq!(listed.len(), FILES);
    assert!(listed.is_sorted_by(|one, next| one < next), "each once, in order");
}

#[tokio::test]
async fn a_line_cut_in_any_phase_of_an_upload_loses_nothing_and_claims_nothing_twice() {
    let gateway = Gateway::start().await;
    let bytes = vec![3; 100_000];
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    for phase in ["opened", "writing", "written", "closing"] {
        let path = format!("/inbox/{phase}.xml");
        let client = gateway.raw("etat").await;
        let handle = client.open(&path, flags).await.unwrap();
        let write = client.sftp.write(&*handle, 0, bytes.clone());
        match phase {
            "opened" => drop(write),
            "writing" => drop(futures::future::select(Box::pin(write), Box::pin(tokio::task::yield_now())).await),
            "written" => drop(write.await.unwrap()),
            _ => {
                write.await.unwrap();
                let close = client.sftp.close(&*handle);
                drop(futures::future::select(Box::pin(close), Box::pin(tokio::task::yield_now())).await);
            }
        }
        client.cut().await;
        let next = gateway.raw("etat").await;
        // The sender goes on where it was cut off, or anew.
        let begun = next.sftp.stat(&*path).await.map_or(0, |found| found.attrs.size.unwrap_or(0)) as usize;
        let handle = next.open(&path, flags).await.unwrap();
        next.sftp.write(&*handle, begun as u64, bytes[begun..].to_vec()).await.unwrap();
        // The CLOSE was done although its answer did not come.
        if let Err(told) = next.sftp.close(handle).await.map_err(|error| refusal(error).1) {
            assert!(phase == "closing" && told.contains("has been received"), "{phase}: {told}");
        }
        let kept = gateway.bytes(&gateway.shipment(&path).await.unwrap()).await;
        assert!(kept == bytes, "{phase}: {} bytes", kept.len());
    }
}
