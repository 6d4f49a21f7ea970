//! Routes with several receivers: every item goes to each of them, and none waits for the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sluse::adapters::ledger::{Ordered, Record, Replayed, Wanted};
use sluse::codes;
use sluse::generate::{self, Options, Profile};
use sluse::model::{
    BatchLimits, FormatName, Item, ItemState, ReceiptKind, Route, ShipmentId, Stage, Standing, VerdictKind,
};
use sluse::pipeline::Destination;
use sluse::ports::{Progress as _, Receiver};

use super::{Rig, Running, Told, route, until};
use crate::support::judged::judged;
use crate::support::receipts::{assert_valid, count, item_codes};

/// A rig whose route leads to two receivers.
struct Fan {
    rig: Rig,
    second: Arc<Told>,
}

impl Fan {
    async fn new() -> Self {
        Self::with(route()).await
    }

    async fn with(route: Route) -> Self {
        let mut fan = Self { rig: Rig::with(route).await, second: Arc::new(Told::default()) };
        fan.lead_to(|destination| destination);
        fan
    }

    /// Has the route lead to both, the second made up as told.
    fn lead_to(&mut self, made_up: impl FnOnce(Destination) -> Destination) {
        let named = |receiver: &Arc<Told>, name: &str| {
            Destination::new(Arc::clone(receiver) as Arc<dyn Receiver>, Arc::default()).named(name)
        };
        let both = named(&self.rig.receiver, "first").beside(made_up(named(&self.second, "second")));
        self.rig.house.receivers = Arc::new(HashMap::from([(route().name, both)]));
    }

    async fn share(&self, id: ShipmentId) -> ShipmentId {
        until(async || !self.rig.house.ledger.shares(id).await.unwrap().is_empty()).await;
        self.rig.house.ledger.shares(id).await.unwrap()[0].id
    }

    /// The items as the second receiver has them.
    async fn shared(&self, id: ShipmentId) -> Vec<Item> {
        self.rig.items(self.share(id).await).await
    }

    /// What each receiver took; no item came twice to one.
    fn took(&self) -> [BTreeSet<u64>; 2] {
        [&self.rig.receiver, &self.second].map(|receiver| {
            let items = receiver.items.lock().unwrap();
            let numbers: BTreeSet<u64> = items.iter().map(|(number, _)| *number).collect();
            assert_eq!(numbers.len(), items.len(), "an item came twice");
            numbers
        })
    }

    /// Waits until nothing of the share is open.
    async fn settled(&self, share: ShipmentId) {
        until(async || self.rig.house.ledger.shipment(share).await.unwrap().unwrap().stage == Stage::Receipted).await;
    }

    /// A shipment of four items that the second receiver was gone for too long to take.
    async fn half_failed(&self) -> (ShipmentId, Running) {
        self.half_failed_but(4).await
    }

    /// The same; the first receiver takes so many.
    async fn half_failed_but(&self, taken: usize) -> (ShipmentId, Running) {
        self.second.gone.store(true, Ordering::SeqCst);
        let id = self.rig.drop_batch(4, 1).await;
        let running = self.rig.run();
        self.share(id).await;
        until(async || self.took()[0].len() == taken).await;
        until(async || {
            self.rig.wait_hours(1);
            self.rig.has(id, ReceiptKind::Final).await
        })
        .await;
        self.second.gone.store(false, Ordering::SeqCst);
        (id, running)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_receiver_gets_every_item_once_under_a_key_of_its_own() {
    let fan = Fan::new().await;
    let mut batch = Vec::new();
    let options = Options { errors: "10%".parse().unwrap(), ..Options::new(700, Profile::Small, 4) };
    generate::write(&options, &mut batch).unwrap();
    let id = fan.rig.drop_file("/inbox/a.xml", &batch).await;
    let running = fan.rig.run();
    fan.rig.final_receipt(id).await;
    let tally = fan.rig.tally(id).await;
    let right: BTreeSet<u64> = {
        let items = fan.rig.items(id).await;
        items.iter().filter(|item| item.state == ItemState::Delivered).map(|item| item.found.number).collect()
    };
    assert!(tally.refused > 0 && right.len() as u64 == tally.delivered, "{tally:?}");
    assert_eq!(fan.took(), [right.clone(), right]);
    let keys = |told: &Told| told.items.lock().unwrap().iter().map(|(_, key)| *key).collect::<BTreeSet<_>>();
    assert!(keys(&fan.rig.receiver).is_disjoint(&keys(&fan.second)));
    for receiver in [&fan.rig.receiver, &fan.second] {
        assert_eq!(*receiver.shipments.lock().unwrap(), [id].into(), "a receiver knows no shares");
    }

    let receipt = fan.rig.receipt(".final.xml").await;
    assert_valid(&receipt);
    assert_eq!(count(&receipt, "delivered"), tally.delivered);
    for name in ["first", "second"] {
        let line = format!("<Receiver name=\"{name}\" delivered=\"{}\" failed=\"0\"/>", tally.delivered);
        assert!(receipt.contains(&line), "{line}");
        let given = format!("<Reference type=\"ReceiversReference\" receiver=\"{name}\">");
        assert_eq!(receipt.matches(&given).count() as u64, tally.delivered);
    }
    assert!(fan.rig.history(id).await.contains(&("receiver-done".into(), "second".into())));

    let mut record = Record::open(&fan.rig.dir.path().join("ledger.sqlite")).await.unwrap();
    let listed = record.latest(&Wanted { limit: 9, ..Wanted::default() }).await.unwrap();
    assert_eq!(listed.iter().map(|shipment| shipment.id).collect::<Vec<_>>(), [id], "a share is no shipment");
    assert_eq!(record.shares(id).await.unwrap()[0].receiver, "second");
    assert!(record.ending_with(&fan.share(id).await.to_string()).await.unwrap().is_empty());
    record.close().await.unwrap();
    assert_eq!(fan.rig.house.ledger.counts().await.unwrap().receipted, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_refuses_is_told_by_its_name_and_not_offered_again() {
    let fan = Fan::new().await;
    fan.second.picky.store(true, Ordering::SeqCst);
    let id = fan.rig.drop_batch(5, 1).await;
    let running = fan.rig.run();
    fan.rig.final_receipt(id).await;
    assert_eq!(fan.took(), [(1..=5).collect(), [1, 3, 5].into()]);
    let receipt = fan.rig.receipt(".final.xml").await;
    assert_valid(&receipt);
    assert_eq!((count(&receipt, "delivered"), count(&receipt, "failed")), (3, 2), "{receipt}");
    assert_eq!(item_codes(&receipt), BTreeMap::from([("FW-000", 3), ("FW-201", 2)]));
    assert!(receipt.contains("<Receiver name=\"first\" delivered=\"5\" failed=\"0\"/>"), "{receipt}");
    assert!(receipt.contains("<Receiver name=\"second\" delivered=\"3\" failed=\"2\"/>"), "{receipt}");
    let finding =
        "<Finding code=\"FW-201\" status=\"Rejected\">The receiver refused the item: receiver second</Finding>";
    assert_eq!(receipt.matches(finding).count(), 2, "{receipt}");
    assert!(!fan.rig.has(id, ReceiptKind::Rest).await, "the first has all of them");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_refuse_is_offered_again() {
    let fan = Fan::new().await;
    for receiver in [&fan.rig.receiver, &fan.second] {
        receiver.picky.store(true, Ordering::SeqCst);
    }
    let id = fan.rig.drop_batch(5, 1).await;
    let running = fan.rig.run();
    fan.rig.final_receipt(id).await;
    let rest = fan.rig.receipt(".rest.xml").await;
    assert_eq!(rest.matches("<FormTask>").count(), 2, "{rest}");
    let receipt = fan.rig.receipt(".final.xml").await;
    assert_valid(&receipt);
    assert!(receipt.contains(": receiver first<") && receipt.contains(": receiver second<"), "{receipt}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_down_holds_nothing_up_but_the_receipt() {
    let fan = Fan::new().await;
    fan.second.gone.store(true, Ordering::SeqCst);
    let id = fan.rig.drop_batch(300, 1).await;
    let running = fan.rig.run();
    // What the receiver has is recorded a moment later.
    until(async || fan.rig.tally(id).await.delivered == 300).await;
    until(async || fan.shared(id).await.iter().any(|item| item.attempts > 0)).await;
    assert!(!fan.rig.has(id, ReceiptKind::Final).await);
    let under_way = fan.rig.ledger.under_way(9).await.unwrap();
    let open: Vec<_> = under_way.iter().map(|row| (row.id, row.receiver.as_deref(), row.open)).collect();
    assert_eq!(open, [(id, Some("first"), 0), (id, Some("second"), 300)]);
    assert_eq!(fan.rig.house.ledger.overdue(jiff::Timestamp::MAX, &[], 9).await.unwrap().len(), 1);
    let later = fan.rig.drop_batch(3, 2).await;
    until(async || fan.rig.tally(later).await.delivered == 3).await;
    fan.second.gone.store(false, Ordering::SeqCst);
    fan.rig.wait_hours(1);
    fan.rig.final_receipt(id).await;
    fan.rig.final_receipt(later).await;
    let states: BTreeSet<_> = fan.shared(id).await.iter().map(|item| item.state.as_str()).collect();
    assert!(states.is_subset(&["delivered", "failed"].into()), "{states:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_at_one_is_sent_again_to_that_one_alone() {
    let fan = Fan::new().await;
    let (id, running) = fan.half_failed().await;
    let receipt = fan.rig.receipt(".final.xml").await;
    assert_eq!((count(&receipt, "delivered"), count(&receipt, "failed")), (0, 4), "{receipt}");
    assert_eq!(fan.rig.replay(id, 4).await, Replayed::Items(1));
    fan.rig.wait_minutes(20);
    fan.rig.receipted(id).await;
    let told = fan.rig.receipt(".supplement-1.xml").await;
    assert_valid(&told);
    assert_eq!(item_codes(&told), [("LN-004", 1)].into());
    assert!(told.contains("receiver=\"first\"") && told.contains("receiver=\"second\""), "{told}");
    // The second was asked for what may have arrived, or got it; the first has heard nothing more.
    assert_eq!((fan.took()[0].len(), fan.rig.receiver.looked.load(Ordering::SeqCst)), (4, 0));

    assert_eq!(fan.rig.replay(id, 1).await, Replayed::Items(3));
    fan.rig.wait_minutes(20);
    fan.rig.receipted(id).await;
    assert_eq!(item_codes(&fan.rig.receipt(".supplement-2.xml").await), [("LN-004", 3)].into());
    assert!(fan.shared(id).await.iter().all(|item| item.state == ItemState::Delivered));
    assert_eq!((fan.took()[0].len(), fan.rig.receiver.looked.load(Ordering::SeqCst)), (4, 0));
    assert_eq!(fan.rig.replay(id, 1).await, Replayed::NothingFailed);
    assert_eq!(fan.rig.receipt(".final.xml").await, receipt, "it stays as it was");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_arrived_at_one_of_two_after_a_replay_is_no_news_yet() {
    let fan = Fan::new().await;
    for receiver in [&fan.rig.receiver, &fan.second] {
        receiver.picky.store(true, Ordering::SeqCst);
        receiver.forgets.store(true, Ordering::SeqCst);
    }
    let id = fan.rig.drop_batch(4, 1).await;
    let running = fan.rig.run();
    fan.rig.final_receipt(id).await;
    let supplements =
        async || fan.rig.names("receipts").await.iter().filter(|name| name.contains("supplement")).count();
    fan.second.picky.store(false, Ordering::SeqCst);
    assert_eq!(fan.rig.replay(id, 1).await, Replayed::Items(4), "two at each");
    fan.let_settle();
    fan.rig.receipted(id).await;
    assert_eq!(fan.took(), [[1, 3].into(), (1..=4).collect()]);
    assert_eq!(supplements().await, 0);
    fan.rig.receiver.picky.store(false, Ordering::SeqCst);
    assert_eq!(fan.rig.replay(id, 1).await, Replayed::Items(2));
    fan.let_settle();
    fan.rig.receipted(id).await;
    assert_eq!((fan.took()[0].len(), supplements().await), (4, 1));
    assert_eq!(item_codes(&fan.rig.receipt(".supplement-1.xml").await), [("LN-004", 2)].into());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_file_that_was_dropped_leaves_what_only_one_has() {
    let fan = Fan::new().await;
    fan.second.picky.store(true, Ordering::SeqCst);
    let mut batch = Vec::new();
    let options = Options { errors: "50%".parse().unwrap(), ..Options::new(8, Profile::Small, 5) };
    generate::write(&options, &mut batch).unwrap();
    let id = fan.rig.drop_file("/inbox/a.xml", &batch).await;
    let running = fan.rig.run();
    fan.rig.final_receipt(id).await;
    let failed = fan.shared(id).await.iter().filter(|item| item.state == ItemState::Failed).count() as u64;
    assert!(failed > 0, "choose another seed");
    let rest = fan.rig.receipt(".rest.xml").await;
    let dropped = fan.rig.drop_file("/inbox/rest.xml", rest.as_bytes()).await;
    fan.rig.final_receipt(dropped).await;
    fan.second.picky.store(false, Ordering::SeqCst);
    assert_eq!(fan.rig.replay(id, 1).await, Replayed::Items(failed));
    fan.rig.wait_minutes(20);
    fan.rig.receipted(id).await;
    assert!(fan.shared(id).await.iter().all(|item| item.state == ItemState::Delivered));
    running.stop().await;
}

/// What one receiver refused is in the rest file; the other has none of it, and takes the items in batches.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_an_item_that_is_in_a_dropped_rest_file_stays_as_it_is() {
    for (most, replayed) in [(4, Replayed::RestDropped), (1, Replayed::Some { items: 2, left: 4 })] {
        let mut fan = Fan::new().await;
        fan.lead_to(|second| second.in_batches(BatchLimits { items: most, ..BatchLimits::DEFAULT }));
        fan.rig.receiver.picky.store(true, Ordering::SeqCst);
        let (id, running) = fan.half_failed_but(2).await;
        let rest = fan.rig.receipt(".rest.xml").await;
        assert_eq!(rest.matches("<FormTask>").count(), 2, "{rest}");
        let dropped = fan.rig.drop_file("/inbox/rest.xml", rest.as_bytes()).await;
        fan.rig.final_receipt(dropped).await;
        assert_eq!(fan.rig.replay(id, 1).await, replayed);
        fan.rig.wait_minutes(11);
        fan.rig.receipted(id).await;
        let states: Vec<_> = fan.shared(id).await.iter().map(|item| item.state == ItemState::Delivered).collect();
        assert_eq!(states, [most == 1, false, most == 1, false]);
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_hold_for_every_receiver() {
    let fan = Fan::new().await;
    for receiver in [&fan.rig.receiver, &fan.second] {
        receiver.slow.store(true, Ordering::SeqCst);
        receiver.linger(21..=100);
    }
    let id = fan.rig.drop_batch(100, 1).await;
    let running = fan.rig.run();
    until(async || fan.took().iter().all(|took| !took.is_empty())).await;
    assert_eq!(fan.rig.order(id, Standing::Held).await, Ordered::Done);
    for receiver in [&fan.rig.receiver, &fan.second] {
        receiver.linger([]);
    }
    until(async || {
        let before = fan.took();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        before == fan.took()
    })
    .await;
    assert!(fan.took().iter().all(|took| took.len() < 100) && !fan.rig.has(id, ReceiptKind::Final).await);
    assert_eq!(fan.rig.order(id, Standing::Cancelled).await, Ordered::Done);
    fan.rig.wait_hours(1);
    fan.rig.final_receipt(id).await;
    let [first, second] = fan.took();
    assert!(first.len() < 100 && second.len() < 100, "{} {}", first.len(), second.len());
    let receipt = fan.rig.receipt(".final.xml").await;
    let both = first.intersection(&second).count() as u64;
    assert_eq!((count(&receipt, "delivered"), count(&receipt, "failed")), (both, 100 - both));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_taken_out_of_the_route_ends_its_share_alone() {
    let mut fan = Fan::new().await;
    fan.second.gone.store(true, Ordering::SeqCst);
    let id = fan.rig.drop_batch(3, 1).await;
    let running = fan.rig.run();
    fan.settle_first(id).await;
    running.stop().await;
    fan.rig.house.ledger.release_all(None).await.unwrap();
    let first = Destination::new(Arc::clone(&fan.rig.receiver) as Arc<dyn Receiver>, Arc::default()).named("first");
    fan.rig.house.receivers = Arc::new(HashMap::from([(route().name, first)]));
    let running = fan.rig.run();
    until(async || {
        fan.rig.wait_hours(25);
        fan.rig.has(id, ReceiptKind::Final).await
    })
    .await;
    assert_eq!(fan.rig.tally(id).await.delivered, 3);
    for item in fan.shared(id).await {
        assert!(item.state == ItemState::Failed, "{item:?}");
        assert!([Some(codes::NO_ROUTE), Some(codes::OUTCOME_UNKNOWN)].contains(&item.code), "{item:?}");
    }
    running.stop().await;
}

impl Fan {
    /// Goes on to when receivers have had time to finish, and nothing is given up yet.
    fn let_settle(&self) {
        self.rig.clock.0.fetch_add(20 * 60_000, Ordering::SeqCst);
    }

    /// Waits until the first has everything and the second was asked.
    async fn settle_first(&self, id: ShipmentId) {
        until(async || self.rig.tally(id).await.delivered == 3).await;
        until(async || self.shared(id).await.iter().any(|item| item.attempts > 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_takes_batches_and_the_other_items() {
    let mut fan = Fan::new().await;
    fan.lead_to(|second| second.in_batches(BatchLimits { items: 4, ..BatchLimits::DEFAULT }));
    let id = fan.rig.drop_batch(10, 1).await;
    let running = fan.rig.run();
    fan.rig.final_receipt(id).await;
    assert_eq!(fan.took(), [(1..=10).collect(), BTreeSet::new()]);
    let batches: Vec<u64> = fan.second.batches.lock().unwrap().iter().map(|took| took.items).collect();
    assert_eq!(batches.iter().sum::<u64>(), 10);
    assert_eq!(batches.len(), 3, "{batches:?}");
    let receipt = fan.rig.receipt(".final.xml").await;
    assert_eq!(count(&receipt, "delivered"), 10, "{receipt}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_behind_all_items_go_to_each_receiver() {
    let mut fan = Fan::with(Route { format: FormatName::DataBatch, ..route() }).await;
    fan.lead_to(|second| second.in_batches(BatchLimits { items: 9, ..BatchLimits::DEFAULT }));
    let units = include_str!("../../../fixtures/databatch/valid/two-units-with-attachments.xml");
    let id = fan.rig.drop_file("/inbox/a.xml", units.as_bytes()).await;
    let running = fan.rig.run();
    fan.rig.final_receipt(id).await;
    running.stop().await;
    let batches = fan.second.batches.lock().unwrap();
    let attached: usize = batches.iter().map(|took| judged(&took.bytes, &[]).attachments.len()).sum();
    assert_eq!((fan.took()[0].len(), attached), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_and_a_refused_file_go_to_nobody() {
    let fan = Fan::new().await;
    let mut batch = Vec::new();
    generate::write(&Options::new(3, Profile::Small, 1), &mut batch).unwrap();
    let running = fan.rig.run();
    let rehearsal = fan.rig.drop_file("/test/a.xml", &batch).await;
    fan.rig.final_receipt(rehearsal).await;
    let refused = fan.rig.drop_file("/inbox/b.xml", b"<no/>").await;
    fan.rig.final_receipt(refused).await;
    let verdict = fan.rig.house.ledger.shipment(refused).await.unwrap().unwrap().verdict.unwrap();
    assert_eq!(verdict.kind, VerdictKind::Refuse);
    assert_eq!(fan.rig.tally(rehearsal).await.delivered, 3);
    for id in [rehearsal, refused] {
        assert!(fan.rig.house.ledger.shares(id).await.unwrap().is_empty());
    }
    assert_eq!(fan.took(), [BTreeSet::new(), BTreeSet::new()]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_are_kept_for_all_and_let_go_of_once() {
    let fan = Fan::new().await;
    let id = fan.rig.drop_batch(2, 1).await;
    let running = fan.rig.run();
    fan.rig.final_receipt(id).await;
    running.stop().await;
    fan.settled(fan.share(id).await).await;
    let ledger = &fan.rig.house.ledger;
    let blob = ledger.shipment(id).await.unwrap().unwrap().blob;
    assert_eq!(ledger.referenced(&[blob], &[]).await.unwrap().0, [blob]);
    let later = fan.rig.clock_in_days(2);
    assert_eq!(ledger.expire(later, later, 9).await.unwrap(), [blob]);
    assert!(ledger.referenced(&[blob], &[]).await.unwrap().0.is_empty());
    assert!(ledger.expire(later, later, 9).await.unwrap().is_empty());
    assert_eq!(fan.rig.replay(id, 1).await, Replayed::Expired);
}

impl Rig {
    fn clock_in_days(&self, days: i64) -> jiff::Timestamp {
        use sluse::ports::Clock as _;
        self.wait_hours(24 * days);
        self.clock.now()
    }
}
