//! A receiver that takes batches: what goes together, what becomes of it, and what is said of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sluse::codes;
use sluse::intake::Routes;
use sluse::model::{BatchLimits, FormatName, FormatRules, ItemState, ReceiptKind, Route, Strictness};
use sluse::pipeline::Destination;
use sluse::ports::Receiver;
use sqlx::Connection as _;

use super::{Rig, route, until};
use crate::support::judged::{Judged, judged};
use crate::support::ledger::beside;
use crate::support::receipts::{assert_valid, item_codes};

const UNITS: &str = include_str!("../../../fixtures/databatch/valid/two-units-with-attachments.xml");

fn units() -> Route {
    Route { format: FormatName::DataBatch, ..route() }
}

impl Rig {
    /// With one route, to a receiver that takes batches.
    async fn in_batches(route: Route, items: u64) -> Self {
        let mut rig = Self::with(route).await;
        rig.take(Some(BatchLimits { items, ..BatchLimits::DEFAULT }));
        rig
    }

    /// What the receiver takes from the next start on.
    fn take(&mut self, limits: Option<BatchLimits>) {
        let destination = Destination::new(Arc::clone(&self.receiver) as Arc<dyn Receiver>, Arc::default());
        let destination = match limits {
            Some(limits) => destination.in_batches(limits),
            None => destination,
        };
        self.house.receivers = Arc::new(HashMap::from([(route().name, destination)]));
    }

    /// The batches the receiver has, judged; each came once.
    fn taken(&self) -> Vec<(String, u64, Judged)> {
        let batches = self.receiver.batches.lock().unwrap();
        let keys: BTreeSet<_> = batches.iter().map(|took| took.key).collect();
        assert_eq!(keys.len(), batches.len(), "a batch came twice");
        let mut taken: Vec<_> =
            batches.iter().map(|took| (took.reference.clone(), took.items, judged(&took.bytes, &[]))).collect();
        taken.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        taken
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_go_in_valid_batches_and_the_receipt_names_them() {
    let rig = Rig::in_batches(route(), 4).await;
    let running = rig.run();
    let id = rig.drop_batch(10, 1).await;
    rig.final_receipt(id).await;
    running.stop().await;
    let taken = rig.taken();
    let sizes: Vec<u64> = taken.iter().map(|(_, items, _)| *items).collect();
    assert_eq!((sizes, rig.receiver.took.load(Ordering::SeqCst)), (vec![4, 4, 2], 0));
    let receipt = rig.receipt(".final.xml").await;
    assert_valid(&receipt);
    for (number, (reference, items, judged)) in taken.iter().enumerate() {
        assert!(reference.ends_with(&format!("-{:03}", number + 1)), "{reference}");
        let found = (judged.judgement.refusal, judged.findings.len(), judged.items.len() as u64);
        assert_eq!(found, (None, 0, *items));
        assert_eq!(judged.judgement.envelope.as_ref().unwrap().parts[0].reference, *reference);
        let named = format!("<Reference type=\"BatchReference\">{reference}</Reference>");
        assert_eq!(receipt.matches(&named).count() as u64, *items);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_go_with_their_units_and_counts_are_the_batchs_own() {
    let rig = Rig::in_batches(units(), 1).await;
    let running = rig.run();
    let id = rig.drop_file("/inbox/a.xml", UNITS.as_bytes()).await;
    rig.final_receipt(id).await;
    running.stop().await;
    let mut attached = Vec::new();
    for (_, items, judged) in rig.taken() {
        assert_eq!((judged.judgement.refusal, judged.findings.len(), items), (None, 0, 1));
        let of_item = |reference: &String| *reference == judged.items[0].senders_reference;
        assert!(judged.attachments.iter().all(|attachment| of_item(&attachment.reference)));
        attached.push(judged.attachments.len());
    }
    attached.sort_unstable();
    assert_eq!(attached, [1, 2]);
    let receipt = rig.receipt(".final.xml").await;
    assert!(receipt.contains("<Reference type=\"BatchReference\">2</Reference>"), "{receipt}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_fate_is_unknown_is_looked_up_as_one_also_when_batches_are_no_longer_taken() {
    let mut rig = Rig::in_batches(route(), 5).await;
    rig.receiver.mute.store(true, Ordering::SeqCst);
    let running = rig.run();
    let id = rig.drop_batch(5, 1).await;
    until(async || rig.tally(id).await.sending == 5 && rig.taken().len() == 1).await;
    running.stop().await;
    rig.take(None);
    rig.wait_hours(1);
    let running = rig.run();
    rig.final_receipt(id).await;
    running.stop().await;
    assert_eq!((rig.tally(id).await.delivered, rig.taken().len()), (5, 1));
    assert_eq!((rig.receiver.looked.load(Ordering::SeqCst), rig.receiver.took.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_grouped_stays_so_when_the_limits_change() {
    let mut rig = Rig::in_batches(route(), 4).await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let running = rig.run();
    let id = rig.drop_batch(10, 1).await;
    until(async || rig.items(id).await.iter().any(|item| item.attempts > 0)).await;
    running.stop().await;
    let grouped =
        |items: Vec<sluse::model::Item>| items.into_iter().map(|item| item.batch.unwrap()).collect::<Vec<_>>();
    let before = grouped(rig.items(id).await);
    assert_eq!(before, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]);
    rig.take(Some(BatchLimits { items: 7, ..BatchLimits::DEFAULT }));
    rig.receiver.gone.store(false, Ordering::SeqCst);
    let running = rig.run();
    rig.final_receipt(id).await;
    running.stop().await;
    assert_eq!(grouped(rig.items(id).await), before);
    assert_eq!(rig.taken().iter().map(|(_, items, _)| *items).collect::<Vec<_>>(), [4, 4, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_not_valid_is_never_sent() {
    let lenient = FormatRules { check_digits: Strictness::Off, ..FormatRules::default() };
    let mut rig = Rig::in_batches(Route { rules: lenient, ..units() }, 1).await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let running = rig.run();
    let wrong = UNITS.replace("reportee=\"910000004\"", "reportee=\"910000005\"");
    let id = rig.drop_file("/inbox/a.xml", wrong.as_bytes()).await;
    until(async || rig.items(id).await.iter().any(|item| item.attempts > 0)).await;
    running.stop().await;
    // Since then the operator wants check digits to be right.
    rig.house.routes = Arc::new(Routes::new([units()]));
    rig.receiver.gone.store(false, Ordering::SeqCst);
    let running = rig.run();
    rig.final_receipt(id).await;
    running.stop().await;
    assert_eq!(rig.taken().len(), 1);
    let receipt = rig.receipt(".final.xml").await;
    assert_eq!(item_codes(&receipt), [("FW-000", 1), ("FW-205", 1)].into(), "{receipt}");
    let rest = rig.receipt(".rest.xml").await;
    assert!(rest.contains("910000005") && !rest.contains("14878510187"), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_for_good_leaves_every_item_of_a_batch_alike() {
    let rig = Rig::in_batches(route(), 3).await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let running = rig.run();
    let id = rig.drop_batch(8, 1).await;
    until(async || rig.items(id).await.iter().any(|item| item.attempts > 1)).await;
    rig.wait_hours(2);
    rig.final_receipt(id).await;
    running.stop().await;
    let items = rig.items(id).await;
    assert!(items.iter().all(|item| (item.state, item.code) == (ItemState::Failed, Some(codes::UNREACHABLE))));
    assert_eq!(judged(rig.receipt(".rest.xml").await.as_bytes(), &[]).items.len(), 8);
}

/// More than one item may have, so that it is not sent; the sender gets back all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_rest_file_has_every_attachment_of_a_unit_however_many() {
    const MANY: usize = 10_100;
    for items in [None, Some(2)] {
        let mut rig = Rig::with(units()).await;
        rig.take(items.map(|items| BatchLimits { items, ..BatchLimits::DEFAULT }));
        let running = rig.run();
        let attachment = |nth: usize| {
            format!(
                "<Attachment archiveReference=\"AR2\" fileName=\"{nth}.pdf\" internalFileName=\"{nth}\" \
                 attachmentType=\"application_pdf\" isEncrypted=\"false\">JVBERi0=</Attachment>\n"
            )
        };
        let more: String = (0..MANY).map(attachment).collect();
        let text = UNITS.replace("  </Attachments>", &format!("{more}</Attachments>"));
        let id = rig.drop_file("/inbox/a.xml", text.as_bytes()).await;
        rig.final_receipt(id).await;
        running.stop().await;
        let receipt = rig.receipt(".final.xml").await;
        assert_eq!(item_codes(&receipt), [("FM-108", 1), ("FW-000", 1)].into(), "{receipt}");
        let rest = judged(rig.receipt(".rest.xml").await.as_bytes(), &[]);
        assert_eq!((rest.judgement.refusal, rest.items.len(), rest.attachments.len()), (None, 1, MANY + 1));
        let names: BTreeSet<_> = rest.attachments.iter().map(|attachment| attachment.range.start).collect();
        assert_eq!(names.len(), MANY + 1);
    }
}

/// Nothing that this program does leaves a batch so; a ledger that was mended by hand may.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_open_in_part_is_given_up_and_not_tried_for_ever() {
    let mut rig = Rig::in_batches(route(), 4).await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(4, 1).await;
    let running = rig.run();
    until(async || rig.house.ledger.last_batch(id).await.unwrap().is_some()).await;
    running.stop().await;
    let mut ledger = beside(&rig.dir.path().join("ledger.sqlite")).await;
    sqlx::query("UPDATE items SET state = 5, code = 'FW-201' WHERE number = 1").execute(&mut ledger).await.unwrap();
    ledger.close().await.unwrap();
    rig.receiver.gone.store(false, Ordering::SeqCst);
    rig.take(Some(BatchLimits { items: 4, ..BatchLimits::DEFAULT }));
    rig.house.ledger.release_all(None).await.unwrap();
    let running = rig.run();
    until(async || {
        rig.wait_minutes(30);
        rig.has(id, ReceiptKind::Final).await
    })
    .await;
    assert_eq!(item_codes(&rig.receipt(".final.xml").await), [("FW-201", 1), ("FW-304", 3)].into());
    running.stop().await;
}
