//! An operator's word on a shipment, given beside the gateway that works on it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sluse::adapters::ledger::{Order, Ordered, Replay, Replayed, Said, order, replay, reprint};
use sluse::codes;
use sluse::generate::{self, Format, Options, Profile};
use sluse::model::{FormatName, ItemState, ReceiptKind, Route, ShipmentId, Stage, Standing, VerdictKind};
use sluse::ports::{Clock, Intent, Progress as _};

use super::{Rig, route, until};
use crate::support::receipts::{assert_valid, item_codes};

impl Rig {
    pub(super) async fn order(&self, shipment: ShipmentId, standing: Standing) -> Ordered {
        let said = self.said("the service is down");
        order(&self.dir.path().join("ledger.sqlite"), &Order { shipment, standing, said }).await.unwrap()
    }

    /// Has failed items from the given one on sent again.
    pub(super) async fn replay(&self, shipment: ShipmentId, from_item: u64) -> Replayed {
        replay(&self.dir.path().join("ledger.sqlite"), &self.wish(shipment, from_item)).await.unwrap()
    }

    fn wish(&self, shipment: ShipmentId, from_item: u64) -> Replay {
        Replay { shipment, from_item, said: self.said("the service is up again") }
    }

    fn said(&self, reason: &str) -> Said {
        Said { who: "kari".to_owned(), reason: reason.to_owned(), now: self.clock.now() }
    }

    pub(super) async fn receipted(&self, id: ShipmentId) {
        until(async || self.house.ledger.shipment(id).await.unwrap().unwrap().stage == Stage::Receipted).await;
    }

    pub(super) fn took(&self) -> usize {
        self.receiver.took.load(Ordering::SeqCst)
    }

    pub(super) async fn history(&self, id: ShipmentId) -> Vec<(String, String)> {
        let events = self.house.ledger.events(id).await.unwrap();
        events.into_iter().map(|event| (event.what, event.detail)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_shipment_waits_for_its_release() {
    let rig = Rig::new().await;
    rig.receiver.slow.store(true, Ordering::SeqCst);
    rig.receiver.linger(21..=100);
    let id = rig.drop_batch(100, 1).await;
    let running = rig.run();
    until(async || rig.took() > 0).await;
    assert_eq!(rig.order(id, Standing::Held).await, Ordered::Done);
    assert_eq!(rig.order(id, Standing::Held).await, Ordered::Already);
    rig.receiver.linger([]);
    // What is under way ends within a turn; then nothing moves.
    until(async || {
        let before = rig.took();
        tokio::time::sleep(Duration::from_millis(400)).await;
        before == rig.took()
    })
    .await;
    let tally = rig.tally(id).await;
    assert!(tally.open() > 0 && tally.failed == 0 && !rig.has(id, ReceiptKind::Final).await, "{tally:?}");
    rig.receiver.slow.store(false, Ordering::SeqCst);
    assert_eq!(rig.order(id, Standing::Free).await, Ordered::Done);
    rig.wait_hours(1);
    rig.final_receipt(id).await;
    assert_eq!((rig.tally(id).await.delivered, rig.took()), (100, 100));
    let said = |what: &str| (what.to_owned(), "by kari: the service is down".to_owned());
    let history = rig.history(id).await;
    assert!(history.contains(&said("held")) && history.contains(&said("released")), "{history:?}");
    assert_eq!(rig.order(id, Standing::Held).await, Ordered::Receipted);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_shipment_has_all_its_time_again() {
    let rig = Rig::new().await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let held = rig.drop_batch(500, 1).await;
    let running = rig.run();
    until(async || rig.attempts(held).await > 0).await;
    running.stop().await;
    rig.order(held, Standing::Held).await;
    let running = rig.run();
    // The receiver takes nothing of another shipment either, until that is given up.
    let other = rig.drop_batch(500, 2).await;
    rig.ends_meanwhile(other).await;
    let before = rig.attempts(held).await;
    rig.order(held, Standing::Free).await;
    until(async || rig.attempts(held).await > before).await;
    rig.receiver.gone.store(false, Ordering::SeqCst);
    rig.final_receipt(held).await;
    assert_eq!(rig.tally(held).await.delivered, 500);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_shipment_ends_with_what_was_sent() {
    let rig = Rig::new().await;
    rig.receiver.slow.store(true, Ordering::SeqCst);
    rig.receiver.linger(21..=100);
    let id = rig.drop_batch(100, 1).await;
    let running = rig.run();
    until(async || rig.took() > 0).await;
    assert_eq!(rig.order(id, Standing::Cancelled).await, Ordered::Done);
    assert_eq!(rig.order(id, Standing::Free).await, Ordered::Cancelled);
    rig.receiver.linger([]);
    rig.final_receipt(id).await;
    let tally = rig.tally(id).await;
    assert_eq!((tally.delivered as usize, tally.delivered + tally.failed), (rig.took(), 100), "{tally:?}");
    let receipt = rig.receipt(".final.xml").await;
    assert_valid(&receipt);
    assert_eq!(item_codes(&receipt)["FW-206"], tally.failed);
    running.stop().await;
}

/// A shipment of two items that is cancelled while the second may be on its way.
async fn cancelled_halfway(rig: &Rig) -> ShipmentId {
    let id = rig.drop_batch(2, 1).await;
    let running = rig.run();
    rig.judged(id).await;
    running.stop().await;
    rig.house
        .ledger
        .intend(Intent { shipment: id, number: 2, now: rig.clock.now(), is_doubtful: false })
        .await
        .unwrap();
    rig.house.ledger.release_all(None).await.unwrap();
    assert_eq!(rig.order(id, Standing::Cancelled).await, Ordered::Done);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_is_looked_up_before_it_is_given_up() {
    let mut rig = Rig::new().await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let id = cancelled_halfway(&rig).await;
    rig.receiver.gone.store(false, Ordering::SeqCst);
    rig.wait_hours(1);
    rig.house.started = rig.clock.now();
    rig.wait_hours(1);
    let running = rig.run();
    rig.final_receipt(id).await;
    let tally = rig.tally(id).await;
    assert_eq!((tally.delivered, tally.failed, rig.took()), (1, 1, 0), "{tally:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_and_cannot_be_looked_up_is_not_offered_again() {
    let mut rig = Rig::new().await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    rig.receiver.blind.store(true, Ordering::SeqCst);
    let id = cancelled_halfway(&rig).await;
    rig.house.started = rig.clock.now();
    rig.wait_minutes(11);
    let running = rig.run();
    rig.final_receipt(id).await;
    assert_eq!(item_codes(&rig.receipt(".final.xml").await), [("FW-206", 1), ("FW-304", 1)].into());
    assert_eq!(rig.receipt(".rest.xml").await.matches("<FormTask>").count(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doubt_outlives_an_attempt_that_surely_came_to_nothing() {
    let mut rig = Rig::new().await;
    rig.receiver.mute.store(true, Ordering::SeqCst);
    rig.receiver.blind.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(1, 1).await;
    let item = async |rig: &Rig| rig.house.ledger.items(id, &[], 0, 1).await.unwrap().remove(0);
    let running = rig.run();
    rig.judged(id).await;
    until(async || item(&rig).await.attempts == 1 && item(&rig).await.is_doubtful).await;
    running.stop().await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    rig.house.ledger.release_all(None).await.unwrap();
    rig.house.started = rig.clock.now();
    rig.wait_minutes(11);
    let running = rig.run();
    // It is sent again, since there is no other way to learn of it, and nobody is there.
    until(async || item(&rig).await.attempts > 1 && item(&rig).await.state == ItemState::Ready).await;
    assert!(item(&rig).await.is_doubtful);
    rig.order(id, Standing::Cancelled).await;
    rig.final_receipt(id).await;
    assert_eq!(item_codes(&rig.receipt(".final.xml").await), [("FW-304", 1)].into());
    assert!(!rig.has(id, ReceiptKind::Rest).await, "the receiver has it");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_cancelled_before_it_is_judged_is_refused() {
    let rig = Rig::new().await;
    let id = rig.drop_batch(3, 1).await;
    assert_eq!(rig.order(id, Standing::Cancelled).await, Ordered::Done);
    let running = rig.run();
    rig.final_receipt(id).await;
    let verdict = rig.house.ledger.shipment(id).await.unwrap().unwrap().verdict.unwrap();
    assert_eq!((verdict.kind, verdict.code, rig.took()), (VerdictKind::Refuse, Some(codes::CANCELLED), 0));
    assert_valid(&rig.receipt(".final.xml").await);
    running.stop().await;
}

/// A shipment of three items that all failed, for the receiver was gone too long.
async fn failed(rig: &Rig) -> ShipmentId {
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(3, 1).await;
    let running = rig.run();
    rig.judged(id).await;
    until(async || {
        rig.wait_hours(1);
        rig.has(id, ReceiptKind::Final).await
    })
    .await;
    running.stop().await;
    rig.receiver.gone.store(false, Ordering::SeqCst);
    assert_eq!(rig.tally(id).await.failed, 3);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_items_are_sent_again_once_and_told_of() {
    let rig = Rig::new().await;
    let id = failed(&rig).await;
    let receipt = rig.receipt(".final.xml").await;
    assert_eq!(rig.replay(id, 3).await, Replayed::Items(1));
    assert_eq!(rig.replay(id, 1).await, Replayed::NotReceipted, "one replay after the other");
    rig.wait_minutes(20);
    let running = rig.run();
    rig.receipted(id).await;
    let tally = rig.tally(id).await;
    assert_eq!((tally.delivered, tally.failed), (1, 2), "{tally:?}");
    let told = rig.receipt(".supplement-1.xml").await;
    assert_valid(&told);
    assert_eq!(item_codes(&told), [("LN-004", 1)].into());

    assert_eq!(rig.replay(id, 1).await, Replayed::Items(2));
    rig.wait_minutes(20);
    rig.receipted(id).await;
    assert_eq!(rig.tally(id).await.delivered, 3);
    assert_eq!(item_codes(&rig.receipt(".supplement-2.xml").await), [("LN-004", 2)].into());
    assert_eq!(rig.receipt(".final.xml").await, receipt, "it stays as it was");
    assert_eq!(rig.replay(id, 1).await, Replayed::NothingFailed);
    // What was tried before is looked up first; this receiver finds whatever it is asked for.
    assert_eq!(rig.took() + rig.receiver.looked.load(Ordering::SeqCst), 3);
    let history = rig.history(id).await;
    assert!(
        history.iter().any(|(what, detail)| what == "replayed" && detail.contains("2 items, by kari")),
        "{history:?}"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_due_at_the_deadline_after_that() {
    let rig = Rig::new().await;
    let id = failed(&rig).await;
    rig.wait_hours(30);
    let now = rig.clock.now();
    assert_eq!(rig.replay(id, 1).await, Replayed::Items(3));
    let under_way = rig.ledger.under_way(10).await.unwrap();
    assert_eq!(under_way.len(), 1);
    assert!(under_way[0].claimed_at.as_millisecond() >= now.as_millisecond(), "{under_way:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_again_ends_again_without_news() {
    let rig = Rig::new().await;
    let id = failed(&rig).await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    assert_eq!(rig.replay(id, 1).await, Replayed::Items(3));
    let running = rig.run();
    until(async || {
        rig.house.ledger.next_due(id).await.unwrap().is_none() || {
            rig.wait_hours(1);
            false
        }
    })
    .await;
    rig.receipted(id).await;
    let tally = rig.tally(id).await;
    assert_eq!(tally.delivered + tally.failed, 3, "{tally:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_file_and_a_replay_exclude_each_other() {
    let rig = Rig::new().await;
    let id = failed(&rig).await;
    let rest = rig.receipt(".rest.xml").await;
    let running = rig.run();
    let dropped = rig.drop_file("/inbox/rest.xml", rest.as_bytes()).await;
    rig.final_receipt(dropped).await;
    assert_eq!(rig.tally(dropped).await.delivered, 3);
    assert_eq!(rig.replay(id, 1).await, Replayed::RestDropped);
    running.stop().await;

    let rig = Rig::new().await;
    let id = failed(&rig).await;
    let rest = rig.receipt(".rest.xml").await;
    assert_eq!(rig.replay(id, 1).await, Replayed::Items(3));
    rig.wait_minutes(20);
    let running = rig.run();
    rig.receipted(id).await;
    let dropped = rig.drop_file("/inbox/rest.xml", rest.as_bytes()).await;
    rig.final_receipt(dropped).await;
    let verdict = rig.house.ledger.shipment(dropped).await.unwrap().unwrap().verdict.unwrap();
    assert_eq!(verdict.kind, VerdictKind::Refuse);
    running.stop().await;
}

/// Its rest file cannot be told from a new shipment.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_rest_file_without_a_reference_offers_is_not_sent_again() {
    let rig = Rig::with(Route { format: FormatName::AltUt, ..route() }).await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let mut batch = Vec::new();
    generate::write(&Options::of(Format::AltUt, 3, Profile::Small, 1), &mut batch).unwrap();
    let id = rig.drop_file("/inbox/a.xml", &batch).await;
    let running = rig.run();
    rig.judged(id).await;
    until(async || {
        rig.wait_hours(1);
        rig.has(id, ReceiptKind::Final).await
    })
    .await;
    rig.receiver.gone.store(false, Ordering::SeqCst);
    assert!(rig.has(id, ReceiptKind::Rest).await && rig.tally(id).await.failed == 3);
    assert_eq!(rig.replay(id, 1).await, Replayed::RestOffered);
    let rest = rig.receipt(".rest.xml").await;
    let dropped = rig.drop_file("/inbox/rest.xml", rest.as_bytes()).await;
    rig.final_receipt(dropped).await;
    assert_eq!((rig.tally(dropped).await.delivered, rig.took()), (3, 3));
    assert_eq!(rig.replay(id, 1).await, Replayed::RestOffered);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_nothing_leaves_the_rest_file_to_the_sender() {
    let rig = Rig::new().await;
    let mut batch = Vec::new();
    let options = Options { errors: "50%".parse().unwrap(), ..Options::new(4, Profile::Small, 5) };
    generate::write(&options, &mut batch).unwrap();
    let id = rig.drop_file("/inbox/a.xml", &batch).await;
    let running = rig.run();
    rig.final_receipt(id).await;
    let (refused, rest) = (rig.tally(id).await.refused, rig.receipt(".rest.xml").await);
    assert!(refused > 0);
    assert_eq!(rig.replay(id, 1).await, Replayed::NothingFailed);
    let dropped = rig.drop_file("/inbox/rest.xml", rest.as_bytes()).await;
    rig.final_receipt(dropped).await;
    let verdict = rig.house.ledger.shipment(dropped).await.unwrap().unwrap().verdict.unwrap();
    assert_eq!((verdict.kind, rig.tally(dropped).await.refused), (VerdictKind::Pass, refused));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_final_receipt_that_was_lost_is_placed_again() {
    let rig = Rig::new().await;
    let id = failed(&rig).await;
    let (receipt, ledger) = (rig.receipt(".final.xml").await, rig.dir.path().join("ledger.sqlite"));
    let partner = "ttd".parse().unwrap();
    let nodes = rig.area.list(&partner, "receipts", None, 10).await.unwrap();
    let node = nodes.iter().find(|node| node.path.name.ends_with(".final.xml")).unwrap();
    rig.area.remove(&partner, &node.path).await.unwrap();
    assert!(reprint(&ledger, &rig.wish(id, 1)).await.unwrap());
    assert_eq!(rig.order(id, Standing::Held).await, Ordered::Receipted, "nothing is left to send");
    let running = rig.run();
    rig.receipted(id).await;
    let again = rig.receipt(".final.xml").await;
    assert_valid(&again);
    let without_time =
        |text: &str| text.lines().filter(|line| !line.contains("<LastChanged>")).collect::<Vec<_>>().join("\n");
    assert_eq!(without_time(&again), without_time(&receipt));
    assert_eq!(rig.tally(id).await.failed, 3);

    // One that is there is replaced, and nothing is left of it.
    let blobs = async || rig.house.blobs.inventory().await.unwrap().0.len();
    let before = blobs().await;
    assert!(reprint(&ledger, &rig.wish(id, 1)).await.unwrap());
    rig.receipted(id).await;
    assert_eq!(blobs().await, before);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_forgets_why_an_item_was_refused() {
    let rig = Rig::new().await;
    rig.receiver.wordy.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(2, 1).await;
    let running = rig.run();
    rig.receipted(id).await;
    assert_eq!((rig.tally(id).await.failed, rig.house.ledger.notes(id, 1, 2).await.unwrap().len()), (2, 2));
    rig.receiver.wordy.store(false, Ordering::SeqCst);
    assert_eq!(rig.replay(id, 2).await, Replayed::Items(1));
    rig.wait_minutes(20);
    until(async || rig.tally(id).await.delivered == 1).await;
    rig.receipted(id).await;
    let noted = rig.house.ledger.notes(id, 1, 2).await.unwrap();
    assert_eq!(noted.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [1], "the other is as it was");
    running.stop().await;
}
