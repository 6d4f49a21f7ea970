//! What is under way at a receiver when the ledger fails.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sluse::model::{ItemState, Route, ShipmentId};
use sqlx::Connection as _;

use super::{Rig, route, until};
use crate::support::ledger::beside;

impl Rig {
    async fn sql(&self, text: &'static str) {
        let mut ledger = beside(&self.dir.path().join("ledger.sqlite")).await;
        sqlx::query(text).execute(&mut ledger).await.unwrap();
        ledger.close().await.unwrap();
    }

    async fn states(&self, id: ShipmentId) -> Vec<ItemState> {
        self.items(id).await.iter().map(|item| item.state).collect()
    }
}

/// The ledger does not take the first item's outcome.
const FULL: &str = "CREATE TRIGGER full BEFORE UPDATE OF state ON items WHEN NEW.number = 1 AND NEW.state = 2 \
     BEGIN SELECT RAISE(ABORT, 'on purpose'); END";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_cut_off_and_what_is_not_recorded_settles_from_its_end() {
    let rig = Rig::with(Route { concurrency: 2, ..route() }).await;
    rig.sql(FULL).await;
    rig.receiver.linger([1, 2]);
    let id = rig.drop_batch(2, 1).await;
    let running = rig.run();
    until(async || rig.states(id).await == [ItemState::Sending; 2]).await;
    // Long bodies.
    rig.wait_hours(1);
    rig.receiver.linger([2]);
    until(async || rig.took() == 1).await;
    // Long enough for the error to have cut off the other, which is not seen from here.
    tokio::time::sleep(Duration::from_millis(300)).await;
    rig.receiver.linger([]);
    until(async || rig.states(id).await == [ItemState::Sending, ItemState::Delivered]).await;
    assert_eq!(rig.took(), 2);
    rig.sql("DROP TRIGGER full").await;

    // The setback's wait is over, and the receiver may still be at the first.
    rig.clock.0.fetch_add(60_000, Ordering::SeqCst);
    let soon = rig.clock.0.load(Ordering::SeqCst);
    until(async || {
        let due = rig.house.ledger.next_due(id).await.unwrap().unwrap();
        due > sluse::ports::Clock::now(rig.clock.as_ref())
    })
    .await;
    assert_eq!((rig.receiver.looked.load(Ordering::SeqCst), rig.clock.0.load(Ordering::SeqCst)), (0, soon));
    rig.wait_hours(1);
    rig.final_receipt(id).await;
    assert_eq!((rig.receiver.looked.load(Ordering::SeqCst), rig.took()), (1, 2));
    assert_eq!(rig.tally(id).await.delivered, 2);
    running.stop().await;
}
