//! The routes that do not lead to Altinn: every item arrives once, as a valid batch of its own.

use std::collections::BTreeSet;
use std::fs;

use sluse::generate::Profile;

use super::dropped;
use crate::support::batch::generated;
use crate::support::gateway::{Home, Receiver, Settings, simulator};
use crate::support::http_receiver::{Inbox, serve};
use crate::support::judged::judged;
use crate::support::receipts::count;

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_http_receiver_gets_every_item() {
    let inbox = Inbox::default();
    let receiver = Receiver::Http(serve(inbox.clone()).await);
    let home = Home::with(simulator().await, &Settings { receiver, ..Settings::default() });
    let _gateway = home.start(None);
    let batch = generated(24, Profile::Attachment, "25%", 31);
    let receipt = dropped(&home, "a.xml", &batch.bytes).await;
    // Without rows for services the route takes every service: one of the mistakes is none here.
    let right = batch.right + 1;
    assert_eq!((count(&receipt, "items"), count(&receipt, "delivered")), (batch.items, right), "{receipt}");

    let taken = inbox.taken.lock().unwrap();
    assert_eq!(taken.len() as u64, right);
    for (headers, body) in taken.values() {
        assert_eq!(headers["content-type"], "application/xml");
        assert_item(body);
    }
    let references: BTreeSet<&str> = taken.keys().map(String::as_str).collect();
    assert_eq!(references, given_references(&receipt).iter().map(|given| given.trim_start_matches("R-")).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_gets_every_item() {
    let home = Home::with(simulator().await, &Settings { receiver: Receiver::Directory, ..Settings::default() });
    let _gateway = home.start(None);
    let batch = generated(50, Profile::Field, "20%", 32);
    let receipt = dropped(&home, "a.xml", &batch.bytes).await;
    assert_eq!((count(&receipt, "items"), count(&receipt, "delivered")), (batch.items, batch.right), "{receipt}");

    let entries = fs::read_dir(home.path("out")).unwrap().map(|entry| entry.unwrap());
    let mut names = BTreeSet::new();
    for entry in entries {
        assert_item(&fs::read(entry.path()).unwrap());
        names.insert(entry.file_name().into_string().unwrap());
    }
    assert_eq!(names.len() as u64, batch.right);
    assert_eq!(names.iter().map(String::as_str).collect::<BTreeSet<_>>(), given_references(&receipt));
}

/// A batch of one item with nothing wrong in it.
fn assert_item(bytes: &[u8]) {
    let judged = judged(bytes, &[]);
    let judgement = judged.judgement;
    let found = (judgement.findings_total, judgement.items_total, judgement.items_refused);
    assert_eq!(found, (0, 1, 0), "{}", String::from_utf8_lossy(bytes));
}

/// The receiver's own references, from the receipt.
fn given_references(receipt: &str) -> BTreeSet<&str> {
    let references = receipt.split("<Reference type=\"ReceiversReference\">").skip(1);
    references.map(|rest| rest.split_once('<').unwrap().0).collect()
}
