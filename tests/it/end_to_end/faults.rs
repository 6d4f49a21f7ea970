//! Each way in which the receiver fails: the receipt tells the truth, and effects are counted once.

use std::time::{Duration, Instant};

use sluse::generate::Profile;
use sluse::simulator::{Call, Fault, FaultPlan, Rule};

use super::dropped;
use crate::support::batch::generated;
use crate::support::gateway::{CONSUMER_ORG, Gateway, Home, simulator};
use crate::support::receipts::{count, item_codes};

const ITEMS: u64 = 40;

/// A gateway with a simulator that fails as told, one drop after another.
struct Trial {
    home: Home,
    _gateway: Gateway,
    drops: u64,
}

impl Trial {
    async fn begin() -> Self {
        let home = Home::new(simulator().await, "concurrency = 4");
        let gateway = home.start(None);
        Self { home, _gateway: gateway, drops: 0 }
    }

    /// Drops a batch while the simulator fails so; the code that comes instead of a delivery, with how many items get it.
    async fn drop_under(&mut self, rules: &[Rule], failed: Option<(&str, u64)>) {
        self.home.simulator.reset().unwrap();
        self.home.simulator.set_faults(FaultPlan { seed: 1, rules: rules.to_vec() });
        self.drops += 1;
        let batch = generated(ITEMS, Profile::Small, "0", 1_000 + self.drops);
        let receipt = dropped(&self.home, &format!("trial-{}.xml", self.drops), &batch.bytes).await;

        let failures = failed.map_or(0, |(_, count)| count);
        let mut codes: std::collections::BTreeMap<_, _> = [("FW-000", ITEMS - failures)].into();
        codes.extend(failed);
        assert_eq!(item_codes(&receipt), codes, "{rules:?}\n{}", self.home.log());
        assert_eq!(
            (count(&receipt, "delivered"), count(&receipt, "failed")),
            (ITEMS - failures, failures),
            "{rules:?}"
        );
        assert_eq!(receipt.contains("<RestFile>"), failures > 0, "{rules:?}: what was refused comes back\n{receipt}");
        let effects = self.home.simulator.effects();
        assert_eq!(effects.repeated, [], "{rules:?}\n{}", self.home.log());
        assert_eq!(effects.total, ITEMS - failures, "{rules:?}\n{}", self.home.log());
    }
}

/// A fault at every n-th call.
fn every(n: u64, fault: Fault, call: Call) -> Rule {
    Rule { fault, call, every: Some(n), probability: None, most: None }
}

/// A fault at the first calls.
fn first(most: u64, fault: Fault, call: Call) -> Rule {
    Rule { fault, call, every: None, probability: None, most: Some(most) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_delays_and_is_delivered_once() {
    let mut trial = Trial::begin().await;
    for fault in [
        Fault::Latency(40),
        Fault::Unauthorized,
        Fault::Forbidden,
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::ResetBefore,
        Fault::ResetAfter,
    ] {
        trial.drop_under(&[every(3, fault, Call::Instantiate)], None).await;
    }
    let grant = trial.home.simulator.last_grant().unwrap();
    assert_eq!(grant.consumer_org.as_deref(), Some(CONSUMER_ORG));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_receiver_refuses_is_told_and_not_sent_again() {
    let mut trial = Trial::begin().await;
    for (fault, code) in [
        (Fault::BadRequest, "FW-201"),
        (Fault::NotInstantiable, "FW-201"),
        (Fault::UnknownParty, "FW-202"),
        (Fault::Conflict, "FW-203"),
        (Fault::TooLarge, "FW-204"),
    ] {
        trial.drop_under(&[every(4, fault, Call::Instantiate)], Some((code, ITEMS / 4))).await;
        assert_eq!(trial.home.simulator.effects().instantiations, ITEMS, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_for_patience_is_granted() {
    let mut trial = Trial::begin().await;
    for fault in [Fault::Throttled(1), Fault::Unavailable(1)] {
        let begun = Instant::now();
        trial.drop_under(&[first(1, fault, Call::Instantiate)], None).await;
        assert!(begun.elapsed() >= Duration::from_secs(1), "{fault:?}: {:?}", begun.elapsed());
        assert_eq!(trial.home.simulator.effects().instantiations, ITEMS + 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_beside_the_effect_does_no_harm() {
    let mut trial = Trial::begin().await;
    let tokens = [first(2, Fault::ResetBefore, Call::Grant), first(2, Fault::ErrorBefore, Call::Exchange)];
    trial.drop_under(&tokens, None).await;
    // Effects whose answers are lost, and a list of instances that fails, too: looking is done again, sending is not.
    let blind = [
        every(3, Fault::ResetAfter, Call::Instantiate),
        first(3, Fault::ErrorBefore, Call::List),
        every(4, Fault::Throttled(0), Call::List),
    ];
    trial.drop_under(&blind, None).await;
    assert_eq!(trial.home.simulator.effects().instantiations, ITEMS, "{}", trial.home.log());
}
