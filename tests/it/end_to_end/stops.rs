//! A graceful stop in the middle of forwarding.

use std::time::{Duration, Instant};

use sluse::adapters::ledger::SqliteLedger;
use sluse::generate::Profile;
use sluse::model::{Stage, WorkerId};
use sluse::ports::{Clock as _, Ledger as _, SystemClock};
use sluse::simulator::{Call, Fault, FaultPlan, Rule};

use super::final_of;
use crate::support::batch::generated;
use crate::support::gateway::{Home, PATIENCE, simulator};
use crate::support::receipts::count;

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_deliveries_finish_and_the_rest_go_on_at_once() {
    let home = Home::new(simulator().await, "concurrency = 4");
    let slow = Rule { fault: Fault::Latency(500), call: Call::Instantiate, every: None, probability: None, most: None };
    home.simulator.set_faults(FaultPlan { seed: 0, rules: vec![slow] });
    let batch = generated(200, Profile::Small, "0", 21);
    let gateway = home.start(None);
    home.connect().await.unwrap().put("/inbox/a.xml", &mut &*batch.bytes).await.unwrap();
    wait_for_effects(&home, 4).await;

    let end = gateway.terminate();
    assert!(end.success(), "{end}\n{}", home.log());
    let before = home.simulator.effects();
    assert!(before.total < batch.items, "it stopped in the middle");
    assert_eq!(before.instantiations, before.total, "what was under way was finished");
    lease_is_free(&home).await;

    home.simulator.set_faults(FaultPlan::default());
    let _gateway = home.start(None);
    let begun = Instant::now();
    wait_for_effects(&home, before.total + 1).await;
    // Neither a lease, which is a minute long, nor a doubt about an item had to run out.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let receipt = final_of(&home, "a.xml").await;
    assert_eq!(count(&receipt, "delivered"), batch.items, "{receipt}");
    let effects = home.simulator.effects();
    assert_eq!((effects.total, effects.instantiations), (batch.items, batch.items));
    assert_eq!((effects.repeated.len(), effects.look_ups), (0, 0), "every outcome was known");
}

/// Another worker gets the shipment before any lease can have run out.
async fn lease_is_free(home: &Home) {
    let ledger = SqliteLedger::open(&home.path("data/ledger.sqlite")).await.unwrap();
    let (worker, now) = (WorkerId::new(), SystemClock.now());
    let shipment = ledger.lease(Stage::Judged, worker, now, now).await.unwrap().expect("the lease was given back");
    ledger.release(shipment.id, worker, now).await.unwrap();
}

async fn wait_for_effects(home: &Home, count: u64) {
    let begun = Instant::now();
    while home.simulator.effects().total < count {
        assert!(begun.elapsed() < PATIENCE, "{}", home.log());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
