//! The clock is set, by an hour and both ways, while partners are connected.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use russh_sftp::protocol::OpenFlags;
use sluse::adapters::sftp_server::Defence;
use sluse::ports::{Area as _, Clock};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::support::sftp::Gateway;

const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::TRUNCATE);
const HOUR: i64 = 3_600;

/// A clock that somebody sets.
#[derive(Default)]
struct Set(AtomicI64);

impl Set {
    fn by(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

async fn gateway(defence: Defence) -> (Gateway, Arc<Set>) {
    let clock = Arc::new(Set::default());
    let by = Arc::clone(&clock) as Arc<dyn Clock>;
    (Gateway::by_clock(by, |settings| settings.defence = defence).await, clock)
}

#[tokio::test]
async fn sessions_and_uploads_go_on_whatever_the_clock_says() {
    let (gateway, clock) = gateway(Defence::default()).await;
    let client = gateway.raw("etat").await;
    let handles = [client.open("/inbox/a.xml", NEW).await.unwrap(), client.open("/inbox/b.part", NEW).await.unwrap()];
    for (number, jump) in [HOUR, -HOUR, -HOUR, HOUR].into_iter().enumerate() {
        clock.by(jump);
        for handle in &handles {
            let bytes = vec![b'0' + number as u8; 40_000];
            client.sftp.write(&**handle, number as u64 * 40_000, bytes).await.unwrap();
        }
        // Others come and go meanwhile.
        let other = gateway.raw("etat").await;
        other.put(&format!("/inbox/{number}.xml"), b"<a/>").await.unwrap();
        other.cut().await;
    }
    clock.by(-HOUR);
    for handle in handles {
        client.sftp.close(handle).await.unwrap();
    }
    clock.by(2 * HOUR);
    client.sftp.rename("/inbox/b.part", "/inbox/b.xml").await.unwrap();
    for name in ["a", "b"] {
        let shipment = gateway.shipment(&format!("/inbox/{name}.xml")).await.unwrap();
        let bytes = gateway.bytes(&shipment).await;
        assert!(bytes.chunks(40_000).zip(b"0123").all(|(part, byte)| part.iter().all(|b| b == byte)));
        assert_eq!(bytes.len(), 160_000);
    }
    let usage = gateway.ledger.usage(&"etat".parse().unwrap()).await.unwrap();
    assert_eq!((usage.files, usage.bytes), (6, 2 * 160_000 + 4 * 4), "each once");
}

#[tokio::test]
async fn a_clock_that_was_ahead_keeps_nobody_out_for_longer_than_was_told() {
    let defence = Defence {
        ban_score: 2,
        ban_time: Duration::from_secs(60),
        wait: Duration::ZERO,
        allow: Vec::new(),
        ..Defence::default()
    };
    let (gateway, clock) = gateway(defence).await;
    clock.by(HOUR);
    for _ in 0..2 {
        let guess = gateway.connect().await.authenticate_password("etat", "wrong").await;
        assert!(!guess.unwrap().success());
    }
    let mut greeting = Vec::new();
    let _ = TcpStream::connect(gateway.address).await.unwrap().read_to_end(&mut greeting).await;
    assert!(greeting.is_empty(), "two guesses are one too many");
    clock.by(-HOUR);
    gateway.raw("etat").await.put("/inbox/a.xml", b"<a/>").await.unwrap();
    assert!(gateway.shipment("/inbox/a.xml").await.is_some());
}
