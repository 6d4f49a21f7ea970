//! Bytes of chance, where a version line or SFTP packets should be: each is answered or ended, and others go on.

use fastrand::Rng;
use russh::ChannelMsg;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::gateway::PATIENCE;
use crate::support::sftp::{Gateway, subsystem};

#[tokio::test(flavor = "multi_thread")]
async fn chance_instead_of_a_version_line_is_ended() {
    let gateway = Gateway::start().await;
    let mut rng = Rng::with_seed(5);
    for round in 0..60 {
        let mut bytes: Vec<u8> = (0..rng.usize(1..3_000)).map(|_| rng.u8(..)).collect();
        if round % 3 == 0 {
            // A good version line, and then a packet length of anything.
            bytes.splice(0..0, *b"SSH-2.0-noise\r\n");
        }
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        let mut heard = Vec::new();
        let talk = async {
            // The server may hang up in the middle of it.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut heard).await;
        };
        tokio::time::timeout(PATIENCE, talk).await.expect("an end");
        assert!(heard.len() < 10_000, "{} bytes for {}", heard.len(), bytes.len());
    }
    gateway.raw("etat").await.sftp.realpath(".").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn chance_instead_of_packets_is_answered_or_ended() {
    let gateway = Gateway::start().await;
    let mut rng = Rng::with_seed(7);
    for round in 0..40 {
        let ssh = gateway.log_in("etat").await;
        let mut channel = subsystem(&ssh).await;
        let mut bytes = vec![0, 0, 0, 5, 1, 0, 0, 0, 3];
        for _ in 0..rng.usize(1..30) {
            bytes.extend(packet(&mut rng));
        }
        if round % 4 == 0 {
            bytes.extend(rng.u32(..).to_be_bytes());
        }
        channel.data(&bytes[..]).await.unwrap();
        let _ = channel.eof().await;
        let talk = async {
            let mut heard = 0;
            while let Some(message) = channel.wait().await {
                if let ChannelMsg::Data { data } = message {
                    heard += data.len();
                }
            }
            heard
        };
        let heard = tokio::time::timeout(PATIENCE, talk).await.expect("an end");
        assert!(heard >= 9, "VERSION at least");
    }
    gateway.raw("etat").await.put("/inbox/good.xml", b"<a/>").await.unwrap();
    assert!(gateway.shipment("/inbox/good.xml").await.is_some());
}

/// A packet of a known or unknown kind with fields of chance, whose lengths are sometimes lies.
fn packet(rng: &mut Rng) -> Vec<u8> {
    let mut body = vec![if rng.bool() { rng.u8(3..21) } else { rng.choice([200, 16, 6, 5, 77]).unwrap() }];
    body.extend(rng.u32(..).to_be_bytes());
    for _ in 0..rng.usize(0..5) {
        let text = rng.choice(["/inbox/a.part", "/", "1", "copy-data", "check-file-name", "sha256", "\u{e5}"]).unwrap();
        match rng.u8(0..5) {
            0 => body.extend(rng.u64(..).to_be_bytes()),
            1 => body.extend(rng.u32(..).to_be_bytes()),
            2 => body.extend((rng.u32(0..70)).to_be_bytes()),
            _ => {
                body.extend((text.len() as u32).to_be_bytes());
                body.extend(text.as_bytes());
            }
        }
    }
    [(body.len() as u32).to_be_bytes().to_vec(), body].concat()
}
