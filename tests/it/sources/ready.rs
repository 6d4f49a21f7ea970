//! When a file is taken, and when it is not.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use sluse::model::Wait;

use super::{Drop, QUICK, batch, effects, started};
use crate::support::receipts::{code, count};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_slowly_is_taken_when_it_is_whole() {
    let drop = Drop::new(&format!("{QUICK}after = 'delete'\nready = {{ stable_ms = 50 }}")).await;
    let _gateway = started(&drop);
    let batch = batch(3, 1);
    let (first, rest) = batch.bytes.split_at(batch.bytes.len() / 2);
    drop.put("slow.xml", first);
    drop.until_waiting("slow.xml", Wait::End).await;
    let mut file = fs::File::options().append(true).open(drop.path("slow.xml")).unwrap();
    file.write_all(rest).unwrap();
    let receipt = drop.finals("slow.xml", 1).await.remove(0);
    assert_eq!((count(&receipt, "delivered"), effects(&drop.home)), (3, 3), "{receipt}");
    drop.until("removed", || !drop.path("slow.xml").exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_names_and_links_stay_where_they_are() {
    let source = format!("{QUICK}after = 'delete'\ndepth = 1\nready = {{ stable_ms = 50, temporary = ['.lock'] }}");
    let drop = Drop::new(&source).await;
    fs::create_dir(drop.home.path("elsewhere")).unwrap();
    fs::write(drop.home.path("elsewhere/secret.xml"), &batch(1, 1).bytes).unwrap();
    symlink("../elsewhere/secret.xml", drop.path("link.xml")).unwrap();
    symlink("../elsewhere", drop.path("dir")).unwrap();
    for (seed, name) in [".a.xml", "b.xml.part", "c.xml.lock", "sub/d.xml.tmp"].into_iter().enumerate() {
        drop.put(name, &batch(1, 2 + seed as u64).bytes);
    }
    let _gateway = started(&drop);
    drop.put("sub/e.xml", &batch(1, 9).bytes);
    drop.finals("e.xml", 1).await;
    drop.looks(2).await;
    drop.until("the one that is ready alone removed", || drop.names("sub") == ["d.xml.tmp"]).await;
    assert_eq!(drop.names(""), [".a.xml", "b.xml.part", "c.xml.lock", "dir", "link.xml", "receipts", "sub"]);
    assert_eq!(effects(&drop.home), 1);
    fs::rename(drop.path("b.xml.part"), drop.path("b.xml")).unwrap();
    drop.finals("b.xml", 1).await;
    assert!(drop.home.path("elsewhere/secret.xml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_beside_say_when_and_whether_it_is_the_right_one() {
    let ready =
        "ready = { stable_ms = 0, done_file = '{name}.done', checksum_file = 'SHA256SUMS', incomplete_ms = 2_000 }";
    let drop = Drop::new(&format!("{QUICK}after = 'delete'\n{ready}")).await;
    let _gateway = started(&drop);
    let (right, wrong) = (batch(2, 1), batch(2, 2));
    drop.put("right.xml", &right.bytes);
    drop.put("wrong.xml", &wrong.bytes);
    drop.until_waiting("right.xml", Wait::DoneFile).await;
    drop.put("right.xml.done", b"");
    drop.put("wrong.xml.done", b"");
    drop.until_waiting("right.xml", Wait::Checksum).await;
    let digest = sha256(&right.bytes);
    drop.put("SHA256SUMS", format!("{digest}  wrong.xml\n").as_bytes());
    drop.until_waiting("right.xml", Wait::Checksum).await;
    drop.put("SHA256SUMS", format!("{digest}  wrong.xml\n{digest} *right.xml\n").as_bytes());
    let receipt = drop.finals("right.xml", 1).await.remove(0);
    assert_eq!(count(&receipt, "delivered"), 2, "{receipt}");
    let receipt = drop.finals("wrong.xml", 1).await.remove(0);
    assert_eq!(code(&receipt), "IN-103", "{receipt}");
    assert_eq!(effects(&drop.home), 2);
    drop.until("done-files removed", || drop.names("") == ["SHA256SUMS", "receipts"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_becomes_whole_is_refused_when_its_time_is_over() {
    let drop = Drop::new(&format!("{QUICK}after = 'delete'\nready = {{ stable_ms = 50, incomplete_ms = 500 }}")).await;
    let _gateway = started(&drop);
    let batch = batch(2, 1);
    drop.put("cut.xml", batch.bytes.split_at(batch.bytes.len() - 9).0);
    drop.put("empty.xml", b"");
    let receipt = drop.finals("cut.xml", 1).await.remove(0);
    assert!(code(&receipt).starts_with("XM-"), "{receipt}");
    let receipt = drop.finals("empty.xml", 1).await.remove(0);
    assert_eq!(code(&receipt), "IN-101", "{receipt}");
    assert_eq!(effects(&drop.home), 0);
    drop.until("removed", || drop.names("") == ["receipts"]).await;
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
