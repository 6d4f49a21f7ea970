//! Extended requests beyond those every client has.

use aws_lc_rs::digest::{SHA256, digest};
use russh_sftp::protocol::{OpenFlags, Packet, StatusCode};

use crate::support::sftp::{Gateway, RawClient};

const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::TRUNCATE);

/// The fields of a request, put together.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn text(mut self, text: &str) -> Self {
        self.0.extend((text.len() as u32).to_be_bytes());
        self.0.extend(text.as_bytes());
        self
    }

    fn long(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn word(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }
}

async fn ask(client: &RawClient, request: &str, fields: Fields) -> Result<Vec<u8>, (StatusCode, String)> {
    let answer = client.sftp.extended(request, fields.0).await.unwrap();
    if let Packet::ExtendedReply(reply) = answer {
        return Ok(reply.data);
    }
    let Packet::Status(status) = answer else { panic!("{answer:?}") };
    if status.status_code == StatusCode::Ok { Ok(Vec::new()) } else { Err((status.status_code, status.error_message)) }
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn hashes(answer: &[u8]) -> &[u8] {
    answer.strip_prefix(&Fields::default().text("check-file").text("sha256").0[..]).unwrap()
}

#[tokio::test]
async fn a_sender_compares_what_arrived_by_its_hash() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 253) as u8).collect();
    let handle = client.open("/inbox/a.xml", NEW | OpenFlags::READ).await.unwrap();
    for (number, part) in bytes.chunks(100_000).enumerate() {
        client.sftp.write(&*handle, number as u64 * 100_000, part.to_vec()).await.unwrap();
    }
    let whole = || Fields::default().text(&handle).text("md5,sha256").long(0).long(0).word(0);
    assert_eq!(hashes(&ask(&client, "check-file-handle", whole()).await.unwrap()), sha256(&bytes));
    assert_eq!(hashes(&ask(&client, "check-file", whole()).await.unwrap()), sha256(&bytes));
    client.sftp.close(handle).await.unwrap();
    // Claimed: its bytes are not given back, its hash is; hashes of parts would give back the bytes one by one.
    assert_eq!(hashes(&ask(&client, "check-file-name", named("/inbox/a.xml", 0, 0, 0)).await.unwrap()), sha256(&bytes));
    for (start, length, block) in [(1, 0, 0), (0, 1, 0), (0, 0, 350_000)] {
        let refused = ask(&client, "check-file-name", named("/inbox/a.xml", start, length, block)).await.unwrap_err();
        assert_eq!(refused.0, StatusCode::PermissionDenied);
    }
}

#[tokio::test]
async fn parts_of_an_unfinished_file_have_hashes_for_its_owner() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 253) as u8).collect();
    let (partial, claimed) = ("/inbox/a.part", "/inbox/a.xml");
    for path in [partial, claimed] {
        client.put(path, &bytes).await.unwrap();
    }
    let answer = ask(&client, "check-file-name", named(partial, 100, 150_000, 100_000)).await.unwrap();
    let expected = [sha256(&bytes[100..100_100]), sha256(&bytes[100_100..150_100])].concat();
    assert_eq!(hashes(&answer), expected);
    assert_eq!(hashes(&ask(&client, "check-file-name", named(partial, 200_000, 0, 0)).await.unwrap()), sha256(b""));
    let even = ask(&client, "check-file-name", named(partial, 0, 0, 100_000)).await.unwrap();
    assert_eq!(hashes(&even), [sha256(&bytes[..100_000]), sha256(&bytes[100_000..])].concat());
    let other = gateway.raw("etat-two").await;
    for path in [partial, claimed] {
        let refused = ask(&other, "check-file-name", named(path, 0, 0, 0)).await.unwrap_err();
        assert_eq!(refused.0, StatusCode::PermissionDenied, "of another login: {path}");
    }
}

#[tokio::test]
async fn what_has_come_so_far_has_a_hash_also_in_memory() {
    let gateway = Gateway::start().await;
    let (client, other) = (gateway.raw("etat").await, gateway.raw("etat").await);
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"half".to_vec()).await.unwrap();
    let answer = ask(&other, "check-file-name", named("/inbox/a.xml", 0, 0, 0)).await.unwrap();
    assert_eq!(hashes(&answer), sha256(b"half"));
}

fn named(path: &str, start: u64, length: u64, block: u32) -> Fields {
    Fields::default().text(path).text("sha256").long(start).long(length).word(block)
}

#[tokio::test]
async fn hashes_that_cannot_be_told_are_refused_in_words() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    client.put("/inbox/a.part", &vec![1; 255 * 1024]).await.unwrap();
    client.put("/inbox/b.part", &vec![1; 255 * 1024]).await.unwrap();
    let ask = async |name: &str, algorithm: &str, block| {
        let fields = Fields::default().text(name).text(algorithm).long(0).long(0).word(block);
        ask(&client, "check-file-name", fields).await.map(|answer| hashes(&answer).len())
    };
    assert_eq!(ask("/inbox/a.part", "md5,sha1", 0).await.unwrap_err().0, StatusCode::OpUnsupported);
    assert!(ask("/inbox/a.part", "sha256", 255).await.unwrap_err().1.contains("at least 256"));
    assert_eq!(ask("/inbox/a.part", "sha256", 256).await.unwrap(), 1020 * 32);
    assert_eq!(ask("/inbox", "sha256", 0).await.unwrap_err().0, StatusCode::Failure);
    assert_eq!(ask("/inbox/none", "sha256", 0).await.unwrap_err().0, StatusCode::NoSuchFile);
    let short = self::ask(&client, "check-file-name", Fields::default().text("/inbox/a.part")).await;
    assert_eq!(short.unwrap_err().0, StatusCode::BadMessage);
    let handle = client.open("/inbox/big.part", NEW).await.unwrap();
    client.sftp.write(&*handle, 4097 * 256, b"end".to_vec()).await.unwrap();
    assert!(ask("/inbox/big.part", "sha256", 256).await.unwrap_err().1.contains("at most 4096 blocks"));
}

#[tokio::test]
async fn copied_bytes_count_like_written_ones() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let bytes: Vec<u8> = (0..255_000_u32).map(|n| (n % 249) as u8).collect();
    client.put("/inbox/a.part", &bytes).await.unwrap();
    let from = client.open("/inbox/a.part", OpenFlags::READ).await.unwrap();
    let to = client.open("/inbox/b.xml", NEW).await.unwrap();
    let copy = |start, length, at| Fields::default().text(&from).long(start).long(length).text(&to).long(at);
    ask(&client, "copy-data", copy(0, 0, 3)).await.unwrap();
    ask(&client, "copy-data", copy(7, 3, 0)).await.unwrap();
    let beyond = ask(&client, "copy-data", copy(254_999, 2, 0)).await.unwrap_err();
    assert!(beyond.1.contains("ends before"), "{}", beyond.1);
    let onto_itself = Fields::default().text(&to).long(0).long(0).text(&to).long(9);
    assert!(ask(&client, "copy-data", onto_itself).await.is_err());
    // The two bytes of the copy that was refused stand where they were written.
    client.sftp.write(&*to, 0, bytes[7..10].to_vec()).await.unwrap();
    client.sftp.close(to).await.unwrap();
    let shipment = gateway.shipment("/inbox/b.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, [&bytes[7..10], &bytes[..]].concat());
}
