//! Limits as an API gateway has them: we keep under what is published, and wait as long as a 429 says.

use std::sync::Arc;
use std::time::Duration;

use sluse::adapters::altinn::BrokerLimits;
use sluse::codes;
use sluse::generate::{Format, Options, Profile};
use sluse::ports::Receiver as _;
use sluse::simulator::{Call, Limit, LimitCounts, LimitPlan, Simulator, SimulatorOptions};

use super::faults::shown;
use super::letters::post_office;
use super::setup::LOOPBACK;
use super::transfers::{archive, courier, courier_within};
use crate::end_to_end::dropped;
use crate::support::batch::{Batch, generated, written};
use crate::support::gateway::{Home, Receiver, Settings};
use crate::support::receipts::count;

fn counts(simulator: &Simulator, call: Call) -> LimitCounts {
    simulator.limit_counts().get(&call).copied().unwrap_or_default()
}

#[tokio::test]
async fn what_is_published_is_kept_to_by_all_receivers_of_a_client_together() {
    // A fifth of it, since all the calls of a minute must fit into one.
    let mut plan = LimitPlan::published();
    plan.rules.iter_mut().for_each(|rule| rule.most /= 5);
    let simulator = post_office(|options| options.limits = plan).await;
    let limits = Arc::new(BrokerLimits::per_minute(Some(24), Some(2)));
    let (one, other) = (courier_within(&simulator, limits.clone()), courier_within(&simulator, limits));
    let delivered = one.deliver(&archive(0, 100)).await.unwrap();
    // A search for each item of which nothing is known.
    assert_eq!(one.look_up(&archive(1, 100)).await.unwrap(), None);
    assert_eq!(other.look_up(&archive(2, 100)).await.unwrap(), None);
    for _ in 0..12 {
        one.stand(&delivered.receivers_reference, 0).await.unwrap();
        other.stand(&delivered.receivers_reference, 0).await.unwrap();
    }
    // The next ones are not sent: they wait for the minute to pass.
    let (third, next) = (archive(3, 100), Duration::from_millis(200));
    assert!(tokio::time::timeout(next, other.look_up(&third)).await.is_err());
    assert!(tokio::time::timeout(next, one.stand(&delivered.receivers_reference, 0)).await.is_err());
    let full = |most: usize| LimitCounts { passed: most as u64, fullest: most, ..LimitCounts::default() };
    assert_eq!(counts(&simulator, Call::FindTransfer), full(2));
    assert_eq!(counts(&simulator, Call::TransferOverview), full(24));
}

#[tokio::test]
async fn one_call_too_many_is_told_how_long_to_wait() {
    let plan = LimitPlan { window_ms: 3_600_000, ..LimitPlan::published() };
    let simulator = post_office(|options| options.limits = plan).await;
    let here = courier(&simulator);
    let delivered = here.deliver(&archive(0, 100)).await.unwrap();
    for _ in 0..120 {
        here.stand(&delivered.receivers_reference, 0).await.unwrap();
    }
    let (what, code, after) = shown(here.stand(&delivered.receivers_reference, 0).await.unwrap_err());
    assert_eq!((what, code), ("later", Some(codes::THROTTLED)));
    assert!(after.is_some_and(|seconds| (1..=3_600).contains(&seconds)), "{after:?}");
    assert_eq!(counts(&simulator, Call::TransferOverview).refused, 1);
    // Another call of the same client, and the same one when the limits are off.
    here.deliver(&archive(1, 100)).await.unwrap();
    simulator.set_limits(&LimitPlan::default());
    here.stand(&delivered.receivers_reference, 0).await.unwrap();
}

/// Drops a batch on a gateway that knows of no limits; its receiver has some.
async fn throttled(receiver: Receiver, format: &'static str, batch: &Batch, limits: &[(Call, usize)]) -> Home {
    let rules = limits.iter().map(|(call, most)| Limit { call: *call, most: *most }).collect();
    let options = SimulatorOptions { limits: LimitPlan { window_ms: 8_000, rules }, ..SimulatorOptions::default() };
    let simulator = Simulator::start(LOOPBACK, options).await.unwrap();
    // One at a time: nothing is under way that could come before a wait is over.
    let route = "concurrency = 1".to_owned();
    let home = Home::with(simulator, &Settings { route, format, receiver, ..Settings::default() });
    let _gateway = home.start(None);
    let receipt = dropped(&home, "a.xml", &batch.bytes).await;
    assert_eq!(count(&receipt, "delivered"), batch.right, "{receipt}\n{}", home.log());
    for (call, most) in limits {
        let counts = counts(&home.simulator, *call);
        assert_eq!((counts.early, counts.fullest), (0, *most), "{call:?}: {counts:?}\n{}", home.log());
        assert!(counts.refused > 0, "{call:?}: {counts:?}");
    }
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_are_throttled_are_made_once_and_no_call_comes_too_early() {
    let batch = generated(5, Profile::Small, "0%", 91);
    let home = throttled(Receiver::Altinn, "prefill", &batch, &[(Call::Instantiate, 2)]).await;
    let seen = home.simulator.effects();
    assert_eq!((seen.total, seen.repeated), (5, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_throttled_are_sent_once_and_no_call_comes_too_early() {
    let options = Options { sequence: Some(1), ..Options::of(Format::Correspondence, 5, Profile::Small, 92) };
    let home = throttled(Receiver::Messages, "correspondence", &written(&options), &[(Call::Message, 2)]).await;
    let seen = home.simulator.message_counts();
    assert_eq!((seen.total, seen.repeated), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_throttled_are_transferred_once_and_no_call_comes_too_early() {
    // Every fourth recipient is an organisation.
    let batch = Batch { right: 5, ..written(&Options::of(Format::Broker, 20, Profile::Small, 93)) };
    let home = throttled(Receiver::Broker, "broker", &batch, &[(Call::TransferUpload, 2)]).await;
    let seen = home.simulator.transfer_counts();
    assert_eq!((seen.begun, seen.uploaded, seen.uploaded_items), (5, 5, 5));
}
