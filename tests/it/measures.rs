//! What a collector reads of a running gateway, and that the page of measures says it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use sluse::generate::Profile;
use sluse::measures::{CONTENT_TYPE, Kind, MEASURES};

use crate::support::batch::generated;
use crate::support::gateway::{Home, PATIENCE, Receiver, Settings, free_port, simulator};
use crate::support::receipts::Receipts;

/// The answer to a GET.
fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_reads_what_happened_and_no_personal_data() {
    let port = free_port();
    let more = format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n");
    let home = Home::with(simulator().await, &Settings { receiver: Receiver::Directory, more, ..Settings::default() });
    let gateway = home.start(None);
    let client = home.connect().await.unwrap();
    let batch = generated(5, Profile::Small, "0", 7);
    client.put("/inbox/a.xml", &mut batch.text().as_bytes()).await.unwrap();
    client.put("/inbox/b.xml", &mut &b"no batch"[..]).await.unwrap();
    Receipts::wait(&home, &["a.xml".to_owned(), "b.xml".to_owned()]).await;
    let size_bytes = batch.text().len() + b"no batch".len();
    let lines = [
        "sluse_uploads_total{partner=\"etat\"} 2",
        &format!("sluse_uploaded_bytes_total{{partner=\"etat\"}} {size_bytes}"),
        "sluse_sftp_logins_refused_total 0",
        "sluse_sftp_logins_total{partner=\"etat\"} 2",
        "sluse_shipments_judged_total{route=\"etat\",verdict=\"pass\"} 1",
        "sluse_shipments_judged_total{route=\"\",verdict=\"refuse\"} 1",
        "sluse_judging_seconds_count 2",
        "sluse_attempts_total{route=\"etat\",outcome=\"delivered\",code=\"\"} 5",
        "sluse_delivering_seconds_count{route=\"etat\"} 5",
        "sluse_receipts_total{kind=\"accepted\"} 2",
        "sluse_receipts_total{kind=\"final\"} 2",
        "sluse_shipments_overdue 0",
    ];
    // A receipt is there a moment before it is counted.
    let begun = Instant::now();
    let answer = loop {
        let answer = get(port, "/metrics");
        if begun.elapsed() > PATIENCE || lines.iter().all(|line| answer.lines().any(|found| found == *line)) {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(CONTENT_TYPE), "{answer}");
    for line in lines {
        assert!(answer.lines().any(|found| found == line), "{line}: {answer}");
    }
    let here = answer.lines().find_map(|line| line.strip_prefix("sluse_sftp_connections ")).unwrap();
    assert!((1..=2).contains(&here.parse::<u64>().unwrap()), "the second may still be leaving: {here}");
    for reportee in crate::support::batch::contents(batch.text(), "Reportee") {
        assert!(!answer.contains(reportee), "{reportee}");
    }
    assert!(get(port, "/").starts_with("HTTP/1.1 404"));
    gateway.kill();
}

#[test]
fn the_page_of_measures_is_theirs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let page = fs::read_to_string(path).unwrap();
    let (text, _) = page.split_once("|---|---|---|---|\n").unwrap();
    let rows = MEASURES.iter().map(|measure| {
        let kind = match measure.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        format!("| `{}` | {kind} | {} | {} |\n", measure.name, measure.labels, measure.help)
    });
    let expected = format!("{text}|---|---|---|---|\n{}", rows.collect::<String>());
    if std::env::var_os("SLUSE_BLESS").is_some() {
        fs::write(path, &expected).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
}
