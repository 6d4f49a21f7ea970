//! What makes a directory a drop box: who may read, remove and replace what, names in every spelling, who fetched.

use russh_sftp::protocol::{OpenFlags, StatusCode};
use sluse::model::AreaPath;
use sluse::ports::Area as _;

use super::areas::{names, place};
use crate::support::sftp::{Gateway, RawClient, refusal, subsystem};

const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::TRUNCATE);

async fn fetch(client: &RawClient, path: &str, bytes: &[u8]) {
    let handle = client.open(path, OpenFlags::READ).await.unwrap();
    for (number, part) in bytes.chunks(100).enumerate() {
        assert_eq!(client.sftp.read(&*handle, number as u64 * 100, 100).await.unwrap().data, part);
    }
    client.sftp.close(handle).await.unwrap();
}

#[tokio::test]
async fn an_unfinished_file_belongs_to_the_login_that_began_it() {
    let gateway = Gateway::start().await;
    let (own, other) = (gateway.raw("etat").await, gateway.raw("etat-two").await);
    own.put("/inbox/a.part", b"mine").await.unwrap();
    assert_eq!(names(&other, "/inbox").await, ["a.part"], "a partner's logins see the same directory");
    let denied = StatusCode::PermissionDenied;
    let (code, text) = other.open("/inbox/a.part", OpenFlags::READ).await.unwrap_err();
    assert_eq!(code, denied);
    assert!(text.contains("another login"), "{text}");
    assert_eq!(other.open("/inbox/a.part", NEW).await.unwrap_err().0, denied);
    assert_eq!(refusal(other.sftp.remove("/inbox/a.part").await.unwrap_err()).0, denied);
    assert_eq!(refusal(other.sftp.rename("/inbox/a.part", "/inbox/a.xml").await.unwrap_err()).0, denied);
    let handle = own.open("/inbox/a.part", OpenFlags::READ).await.unwrap();
    assert_eq!(own.sftp.read(handle, 0, 10).await.unwrap().data, b"mine");
    own.sftp.rename("/inbox/a.part", "/inbox/a.xml").await.unwrap();
    // A claimed file has left its name to whoever comes next.
    other.put("/inbox/a.xml", b"theirs").await.unwrap();
    assert_eq!(gateway.node("/inbox/a.xml").await.unwrap().owner.as_deref(), Some("etat-two"));
}

#[tokio::test]
async fn files_of_ours_are_removed_only_where_the_routes_say_so() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    place(&gateway, "/receipts/r.xml", b"<receipt/>").await;
    place(&gateway, "/outbox/o.xml", b"<out/>").await;
    let (code, text) = refusal(client.sftp.remove("/receipts/r.xml").await.unwrap_err());
    assert_eq!(code, StatusCode::PermissionDenied);
    assert!(text.contains("its routes do not allow it"), "{text}");
    client.sftp.remove("/outbox/o.xml").await.unwrap();
    assert_eq!(refusal(client.sftp.remove("/outbox/o.xml").await.unwrap_err()).0, StatusCode::NoSuchFile);
}

#[tokio::test]
async fn the_ledger_knows_who_fetched_a_receipt_and_when() {
    let gateway = Gateway::start().await;
    let bytes = vec![b'r'; 250];
    place(&gateway, "/receipts/r.xml", &bytes).await;
    place(&gateway, "/receipts/empty.csv", b"").await;
    let (first, second) = (gateway.raw("etat").await, gateway.raw("etat-two").await);
    let fetches = async |path: &str| {
        let path: AreaPath = path.parse().unwrap();
        let known = gateway.ledger.fetches(&"etat".parse().unwrap(), &path).await.unwrap();
        known.into_iter().map(|fetch| (fetch.user, fetch.times, fetch.first <= fetch.last)).collect::<Vec<_>>()
    };
    // The beginning of a file, twice, is not the file.
    let handle = first.open("/receipts/r.xml", OpenFlags::READ).await.unwrap();
    for _ in 0..2 {
        first.sftp.read(&*handle, 0, 200).await.unwrap();
    }
    first.sftp.close(handle).await.unwrap();
    assert!(fetches("/receipts/r.xml").await.is_empty());
    fetch(&first, "/receipts/r.xml", &bytes).await;
    fetch(&first, "/receipts/r.xml", &bytes).await;
    fetch(&second, "/receipts/r.xml", &bytes).await;
    fetch(&second, "/receipts/empty.csv", b"").await;
    let expected = [("etat".to_owned(), 2, true), ("etat-two".to_owned(), 1, true)];
    assert_eq!(fetches("/receipts/r.xml").await, expected);
    assert_eq!(fetches("/receipts/empty.csv").await, [("etat-two".to_owned(), 1, true)]);
    // What a sender reads of its own unfinished files is nobody's receipt.
    first.put("/inbox/a.part", b"x").await.unwrap();
    fetch(&first, "/inbox/a.part", b"x").await;
    assert!(fetches("/inbox/a.part").await.is_empty());
}

#[tokio::test]
async fn a_name_is_the_same_in_every_spelling() {
    let gateway = Gateway::start().await;
    let client = gateway.raw("etat").await;
    let (composed, decomposed) = ("/inbox/påske.part", "/inbox/pa\u{30a}ske.part");
    client.put(decomposed, b"one").await.unwrap();
    assert_eq!(names(&client, "/inbox").await, ["påske.part"]);
    assert_eq!(client.sftp.stat(composed).await.unwrap().attrs.size, Some(3));
    let exclusive = NEW | OpenFlags::EXCLUDE;
    assert!(client.open(composed, exclusive).await.unwrap_err().1.contains("already there"));
    // Latin-1, which no client library of ours would send: the bytes of a REMOVE as an old client writes them.
    let ssh = gateway.log_in("etat").await;
    let mut channel = subsystem(&ssh).await;
    let mut bytes = vec![0, 0, 0, 5, 1, 0, 0, 0, 3];
    let name = b"/inbox/p\xe5ske.part";
    bytes.extend((9 + name.len() as u32).to_be_bytes());
    bytes.extend([13, 0, 0, 0, 1]);
    bytes.extend((name.len() as u32).to_be_bytes());
    bytes.extend(name);
    channel.data(&bytes[..]).await.unwrap();
    while gateway.node(composed).await.is_some() {
        channel.wait().await.unwrap();
    }
}
