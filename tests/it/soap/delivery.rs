//! From a drop to a SOAP receiver and back, through the real binary.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sluse::generate::{Format, Options, Profile};
use sluse::model::SoapVersion;

use crate::end_to_end::dropped;
use crate::support::batch::{generated, written};
use crate::support::gateway::{Home, Receiver, Settings, simulator};
use crate::support::judged::judged;
use crate::support::receipts::{count, item_codes};
use crate::support::soap_receiver::{Act, SoapInbox};

pub(super) async fn home(inbox: &SoapInbox, format: &'static str, take: &'static str) -> Home {
    let receiver = Receiver::Soap(inbox.serve().await);
    Home::with(simulator().await, &Settings { take, format, receiver, ..Settings::default() })
}

/// The attachments of a DataBatch by internalFileName, read with the simplest means.
fn attachments(batch: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for element in batch.split("<Attachment ").skip(1) {
        let name = element.split_once("internalFileName=\"").unwrap().1.split_once('"').unwrap().0;
        let content = element.split_once('>').unwrap().1.split_once("</Attachment>").unwrap().0;
        let content: String = content.split_whitespace().collect();
        found.insert(name.to_owned(), BASE64_STANDARD.decode(content).unwrap());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_arrive_valid_and_their_attachments_beside_them_byte_for_byte() {
    for (version, mtom, take) in [
        (SoapVersion::V11, true, "version = \"1.1\"\nbatch_items = 5"),
        (SoapVersion::V12, false, "version = \"1.2\"\nmtom = false\nbatch_items = 5"),
    ] {
        let inbox = SoapInbox::new(version, mtom);
        let home = home(&inbox, "databatch", take).await;
        let _gateway = home.start(None);
        let batch = written(&Options::of(Format::DataBatch, 12, Profile::Attachment, 71));
        let receipt = dropped(&home, "a.xml", &batch.bytes).await;
        assert_eq!(count(&receipt, "delivered"), 12, "{receipt}\n{}", home.log());
        let (mut items, mut arrived) = (0, BTreeMap::new());
        for (key, took) in inbox.taken.lock().unwrap().iter() {
            let judged = judged(&took.batch, &[]);
            assert_eq!((judged.judgement.refusal, judged.findings.len()), (None, 0));
            items += judged.items.len();
            let text = std::str::from_utf8(&took.batch).unwrap();
            let elements = attachments(text);
            assert!(elements.values().all(Vec::is_empty), "their content is in the archive");
            assert!(elements.keys().eq(took.attachments.keys()));
            arrived.extend(took.attachments.clone());
            let named = format!("<Reference type=\"ReceiversReference\">{key}</Reference>");
            assert_eq!(receipt.matches(&named).count(), judged.items.len(), "{receipt}");
        }
        let sent = attachments(batch.text());
        assert!(items == 12 && !sent.is_empty() && arrived == sent);
        assert_eq!(inbox.asked.lock().unwrap().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_that_an_archive_cannot_name_stay_in_the_batch() {
    let inbox = SoapInbox::new(SoapVersion::V11, true);
    let home = home(&inbox, "databatch", "").await;
    let _gateway = home.start(None);
    let batch = written(&Options::of(Format::DataBatch, 2, Profile::Attachment, 72));
    let first = batch.text().split_once("internalFileName=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let text = batch.text().replace(&first, "../../etc/passwd");
    let receipt = dropped(&home, "a.xml", text.as_bytes()).await;
    assert_eq!(count(&receipt, "delivered"), 2, "{receipt}");
    let taken = inbox.taken.lock().unwrap();
    let took = taken.values().next().unwrap();
    assert!(took.attachments.is_empty());
    assert_eq!(attachments(std::str::from_utf8(&took.batch).unwrap()), attachments(&text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_tried_again_and_one_for_good_is_not() {
    let inbox = SoapInbox::new(SoapVersion::V11, true);
    let home = home(&inbox, "prefill", "batch_items = 2").await;
    let _gateway = home.start(None);
    inbox.script(&[Act::Fail, Act::FailForGood, Act::Fail]);
    let receipt = dropped(&home, "a.xml", &generated(6, Profile::Small, "0%", 73).bytes).await;
    assert_eq!((count(&receipt, "delivered"), count(&receipt, "failed")), (4, 2), "{receipt}");
    assert_eq!(item_codes(&receipt).get("FW-201"), Some(&2), "{receipt}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_answer_the_key_is_sent_again_and_a_refusal_then_is_told_for_what_it_is() {
    let inbox = SoapInbox::new(SoapVersion::V11, true);
    let home = home(&inbox, "prefill", "batch_items = 2").await;
    let _gateway = home.start(None);
    inbox.script(&[Act::TakeAndLose]);
    let receipt = dropped(&home, "a.xml", &generated(4, Profile::Small, "0%", 74).bytes).await;
    assert_eq!((count(&receipt, "delivered"), inbox.asked.lock().unwrap().len()), (4, 3), "{receipt}");
    *inbox.then.lock().unwrap() = Act::RefuseRepeats;
    for (round, lost) in [Act::TakeAndLose, Act::TakeAndFault].into_iter().enumerate() {
        inbox.script(&[lost]);
        let (name, seed) = (format!("b{round}.xml"), 75 + round as u64);
        let receipt = dropped(&home, &name, &generated(2, Profile::Small, "0%", seed).bytes).await;
        assert_eq!(item_codes(&receipt).get("FW-230"), Some(&2), "{receipt}");
        assert!(!receipt.contains("<RestFile>"), "the receiver has them: {receipt}");
    }
    assert_eq!(inbox.taken.lock().unwrap().len(), 4, "each was taken once");
}
