//! Queue mode: what a receiver did not take when it was down goes before anything else.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sluse::generate::Profile;
use sluse::model::SoapVersion;

use super::delivery::home;
use crate::end_to_end::{dropped, final_of};
use crate::support::batch::generated;
use crate::support::gateway::{Home, PATIENCE};
use crate::support::receipts::count;
use crate::support::soap_receiver::{Act, SoapInbox};

async fn put(home: &Home, name: &str, items: u64, seed: u64) {
    let batch = generated(items, Profile::Small, "0%", seed);
    home.connect().await.unwrap().put(&format!("/inbox/{name}"), &mut &*batch.bytes).await.unwrap();
}

/// Waits until the receiver was asked so often.
async fn asked(inbox: &SoapInbox, times: usize, home: &Home) {
    let begun = Instant::now();
    while inbox.asked.lock().unwrap().len() < times {
        assert!(begun.elapsed() < PATIENCE, "{:?}\n{}", inbox.asked.lock().unwrap(), home.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_a_batch_that_met_a_fault() {
    let inbox = SoapInbox::new(SoapVersion::V11, true);
    let home = home(&inbox, "prefill", "batch_items = 1").await;
    let _gateway = home.start(None);
    inbox.script(&[Act::Take, Act::Fault, Act::Fault, Act::TakeAndLose, Act::Fail, Act::Fault]);
    let receipt = dropped(&home, "a.xml", &generated(4, Profile::Small, "0%", 81).bytes).await;
    assert_eq!(count(&receipt, "delivered"), 4, "{receipt}");
    let asked = inbox.asked.lock().unwrap();
    let mut order = asked.clone();
    order.dedup();
    assert_eq!((asked.len(), order.len()), (9, 4), "each is sent until it is taken: {asked:?}");
    assert!(asked[1..7].iter().all(|key| *key == asked[1]), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_shipments_wait_and_the_order_survives_a_restart() {
    let inbox = SoapInbox::new(SoapVersion::V12, false);
    *inbox.then.lock().unwrap() = Act::Fault;
    let home = home(&inbox, "prefill", "version = \"1.2\"\nmtom = false\nbatch_items = 1").await;
    let gateway = home.start(None);
    put(&home, "a.xml", 2, 82).await;
    asked(&inbox, 2, &home).await;
    put(&home, "b.xml", 2, 83).await;
    asked(&inbox, 5, &home).await;
    gateway.kill();
    let gateway = home.start(None);
    let before = inbox.asked.lock().unwrap().len();
    asked(&inbox, before + 3, &home).await;
    // Also while an attempt at it is under way, of which nobody knows what it came to.
    *inbox.then.lock().unwrap() = Act::TakeAndLose;
    let before = inbox.asked.lock().unwrap().len();
    asked(&inbox, before + 1, &home).await;
    gateway.kill();
    let _gateway = home.start(None);
    let before = inbox.asked.lock().unwrap().len();
    asked(&inbox, before + 1, &home).await;
    let first: BTreeSet<_> = inbox.asked.lock().unwrap().iter().cloned().collect();
    assert_eq!(first.len(), 1, "nothing but the first was sent: {first:?}\n{}", home.log());
    *inbox.then.lock().unwrap() = Act::Take;
    for name in ["a.xml", "b.xml"] {
        assert_eq!(count(&final_of(&home, name).await, "delivered"), 2);
    }
    assert_eq!(inbox.taken.lock().unwrap().len(), 4);
}
