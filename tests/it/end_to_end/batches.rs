//! Receivers that take batches: what they get, and what their answers mean for the items.

use std::fs;

use axum::http::StatusCode;
use sluse::generate::{Format, Options, Profile};

use super::{dropped, read_rest};
use crate::support::batch::{contents, generated, written};
use crate::support::gateway::{Home, Receiver, Settings, simulator};
use crate::support::http_receiver::{Inbox, serve};
use crate::support::judged::judged;
use crate::support::receipts::{count, item_codes};

async fn home(take: &'static str, format: &'static str, receiver: Receiver) -> Home {
    Home::with(simulator().await, &Settings { take, format, receiver, ..Settings::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_receiver_gets_valid_batches_each_with_a_key() {
    let inbox = Inbox::default();
    let receiver = Receiver::Http(serve(inbox.clone()).await);
    let home = home("take = \"batches\"", "prefill", receiver).await;
    let _gateway = home.start(None);
    let batch = generated(250, Profile::Small, "4%", 61);
    let receipt = dropped(&home, "a.xml", &batch.bytes).await;
    let delivered = count(&receipt, "delivered");
    assert_eq!(count(&receipt, "refused") + delivered, 250, "{receipt}");

    let taken = inbox.taken.lock().unwrap();
    let mut total = 0;
    for (key, (headers, body)) in taken.iter() {
        let judged = judged(body, &[]);
        let items: u64 = headers["x-sluse-items"].to_str().unwrap().parse().unwrap();
        let found = (judged.judgement.refusal, judged.findings.len(), judged.items.len() as u64);
        assert_eq!(found, (None, 0, items), "{}", String::from_utf8_lossy(body));
        assert!(items <= 100 && headers["content-type"] == "application/xml");
        let number: u64 = headers["x-sluse-batch"].to_str().unwrap().parse().unwrap();
        let reference = headers["x-sluse-shipment-reference"].to_str().unwrap();
        assert!(reference.ends_with(&format!("-{number:03}")), "{reference}");
        for (name, of) in [("BatchReference", reference), ("ReceiversReference", &format!("R-{key}"))] {
            let named = format!("<Reference type=\"{name}\">{of}</Reference>");
            assert_eq!(receipt.matches(&named).count() as u64, items, "{named}");
        }
        total += items;
    }
    assert_eq!((total, taken.len()), (delivered, 3));
    assert!(inbox.again.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_gets_batches_with_their_attachments_and_no_larger_than_told() {
    let home = home("take = \"batches\"\nbatch_bytes = 60_000", "databatch", Receiver::Directory).await;
    let _gateway = home.start(None);
    let batch = written(&Options::of(Format::DataBatch, 12, Profile::Attachment, 62));
    let receipt = dropped(&home, "a.xml", &batch.bytes).await;
    assert_eq!(count(&receipt, "delivered"), 12, "{receipt}");
    let whole = judged(&batch.bytes, &[]);
    let (mut items, mut attachments) = (0, 0);
    for entry in fs::read_dir(home.path("out")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let judged = judged(&bytes, &[]);
        assert_eq!((judged.judgement.refusal, judged.findings.len()), (None, 0));
        assert!(judged.items.len() == 1 || bytes.len() <= 61_000, "{} bytes", bytes.len());
        items += judged.items.len();
        attachments += judged.attachments.len();
    }
    assert_eq!((items, attachments), (12, whole.attachments.len()));
    assert!(attachments > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_batch_fails_its_items_and_they_come_back() {
    let inbox = Inbox::default();
    *inbox.answer.lock().unwrap() = Some(StatusCode::UNPROCESSABLE_ENTITY);
    let receiver = Receiver::Http(serve(inbox.clone()).await);
    let home = home("take = \"batches\"\nbatch_items = 3", "prefill", receiver).await;
    let _gateway = home.start(None);
    let receipt = dropped(&home, "a.xml", &generated(7, Profile::Small, "0%", 63).bytes).await;
    assert_eq!(item_codes(&receipt), [("FW-201", 7)].into(), "{receipt}");
    let batches = contents(&receipt, "Reference").len() + receipt.matches("\"BatchReference\"").count();
    assert!(batches >= 7, "also what failed is told with its batch: {receipt}");
    assert_eq!(judged(&read_rest(&home, "a.xml").await, &[]).items.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_are_looked_up_and_nothing_is_sent_again() {
    let inbox = Inbox::default();
    *inbox.lost.lock().unwrap() = 2;
    let receiver = Receiver::Http(serve(inbox.clone()).await);
    let home = home("take = \"batches\"\nbatch_items = 3", "prefill", receiver).await;
    let _gateway = home.start(None);
    let receipt = dropped(&home, "a.xml", &generated(12, Profile::Small, "0%", 64).bytes).await;
    assert_eq!((count(&receipt, "delivered"), inbox.taken.lock().unwrap().len()), (12, 4), "{receipt}");
    assert!(inbox.again.lock().unwrap().is_empty());
}
