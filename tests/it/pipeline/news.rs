//! What receivers have to tell after the final receipt: asked for in time, told once, and no longer than it matters.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sluse::adapters::ledger::SqliteLedger;
use sluse::model::LateEvent;
use sluse::pipeline::{follow, follow_all};
use sluse::ports::{Clock as _, Followed as _};
use tokio_util::sync::CancellationToken;

use super::{Rig, until};
use crate::support::receipts::{assert_valid, item_codes};

impl Rig {
    /// Some seconds go by.
    fn wait_seconds(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    fn tells(&self, events: &[LateEvent], is_over: bool) {
        *self.receiver.news.lock().unwrap() = Some((events.to_vec(), is_over));
    }

    /// Asks about what is due; how many supplements it led to, and how many questions it took.
    async fn follow(&self) -> (u64, usize) {
        // Another one on the same ledger, as after a restart.
        let ledger = SqliteLedger::open(&self.dir.path().join("ledger.sqlite")).await.unwrap();
        let before = self.receiver.looked.load(Ordering::SeqCst);
        let supplements = follow_all(&self.house, &ledger, &CancellationToken::new()).await.unwrap();
        ledger.close().await;
        (supplements, self.receiver.looked.load(Ordering::SeqCst) - before)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn news_are_asked_for_less_and_less_often_and_told_once() {
    let rig = Rig::new().await;
    rig.tells(&[], false);
    let id = rig.drop_batch(3, 1).await;
    let running = rig.run();
    rig.final_receipt(id).await;
    running.stop().await;
    assert_eq!(rig.follow().await, (0, 0), "it is too early");
    rig.wait_seconds(61);
    assert_eq!(rig.follow().await, (0, 3), "nothing has happened");
    assert_eq!(rig.follow().await, (0, 0));
    rig.tells(&[LateEvent::Published], false);
    rig.wait_seconds(61);
    assert_eq!(rig.follow().await, (0, 0), "the wait has doubled");
    rig.wait_seconds(60);
    assert_eq!(rig.follow().await, (1, 3));
    let first = rig.receipt(".supplement-1.xml").await;
    assert_valid(&first);
    assert_eq!(item_codes(&first), [("LN-005", 3)].into());
    rig.wait_seconds(300);
    assert_eq!(rig.follow().await, (0, 3), "that was told");
    rig.tells(&[LateEvent::Published, LateEvent::Read, LateEvent::Reserved], true);
    rig.wait_seconds(500);
    assert_eq!(rig.follow().await, (1, 3));
    let second = rig.receipt(".supplement-2.xml").await;
    assert_valid(&second);
    assert_eq!(item_codes(&second), [("LN-001", 3), ("LN-203", 3)].into());
    rig.wait_seconds(100_000);
    assert_eq!(rig.follow().await, (0, 0), "all is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_panics_is_not_the_last() {
    let rig = Rig::new().await;
    rig.tells(&[LateEvent::Published], true);
    let id = rig.drop_batch(1, 1).await;
    let running = rig.run();
    rig.final_receipt(id).await;
    running.stop().await;
    rig.receiver.broken.store(true, Ordering::SeqCst);
    rig.wait_seconds(61);
    let (stop, ledger) = (CancellationToken::new(), Arc::new(rig.ledger.clone()));
    let following = tokio::spawn(follow(rig.house.clone(), ledger.clone(), ledger, stop.clone()));
    until(async || rig.receiver.looked.load(Ordering::SeqCst) > 0).await;
    rig.receiver.broken.store(false, Ordering::SeqCst);
    until(async || rig.house.ledger.last_supplement(id).await.unwrap() == 1).await;
    stop.cancel();
    following.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_whose_look_panics_keeps_no_other_waiting() {
    let rig = Rig::new().await;
    rig.tells(&[LateEvent::Published], true);
    let running = rig.run();
    for seed in [1, 2] {
        let id = rig.drop_batch(1, seed).await;
        rig.final_receipt(id).await;
    }
    running.stop().await;
    rig.wait_seconds(61);
    let first = rig.ledger.followed_shipments(rig.clock.now()).await.unwrap()[0];
    *rig.receiver.poison.lock().unwrap() = Some(rig.items(first).await[0].found.key.to_string());
    assert_eq!(rig.follow().await.0, 1);
    assert_eq!(rig.house.ledger.last_supplement(first).await.unwrap(), 0);
    *rig.receiver.poison.lock().unwrap() = None;
    assert_eq!(rig.follow().await.0, 1);
    assert_eq!(rig.house.ledger.last_supplement(first).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_ends_and_a_receiver_that_is_gone_is_asked_again() {
    let mut rig = Rig::new().await;
    rig.tells(&[LateEvent::Read], false);
    let id = rig.drop_batch(1, 2).await;
    let running = rig.run();
    rig.final_receipt(id).await;
    running.stop().await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    rig.wait_seconds(61);
    assert_eq!(rig.follow().await, (0, 1));
    rig.receiver.gone.store(false, Ordering::SeqCst);
    let receivers = std::mem::take(&mut rig.house.receivers);
    rig.wait_seconds(130);
    assert_eq!(rig.follow().await, (0, 0), "its route is gone");
    rig.house.receivers = Arc::clone(&receivers);
    rig.wait_seconds(3_601);
    assert_eq!(rig.follow().await, (1, 1), "late, but it was asked for in time");
    rig.wait_seconds(10_000);
    assert_eq!(rig.follow().await, (0, 0), "nobody waits for ever");
}
