//! Exactly once under fire: every answer may be lost, the receiver throttles in storms, and the gateway is killed every few
//! seconds; then effects and receipts are counted, item by item.
//!
//! `SLUSE_FIRE="instances:100000 messages:100000" cargo bench --bench fire`: what is sent, and how many items of it.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails stops")]
#![expect(dead_code, reason = "the tests use more of the harness than this does")]

#[path = "../tests/it/support/gateway.rs"]
mod gateway;

use std::time::{Duration, Instant};

use gateway::{Home, Receiver, Settings, simulator};
use sluse::generate::{self, Format, Options, Profile};
use sluse::simulator::{Call, Fault, FaultPlan, Rule, Simulator};

#[tokio::main]
async fn main() {
    let Ok(runs) = std::env::var("SLUSE_FIRE") else {
        println!("nothing to do: SLUSE_FIRE names no runs, such as \"instances:100000\"");
        return;
    };
    println!(
        "| what | items | kills | storms | seconds | effects | twice | delivered by receipts | failed by receipts |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for run in runs.split_whitespace() {
        let (what, items) = run.split_once(':').unwrap();
        let target = TARGETS.iter().find(|target| target.name == what).unwrap();
        stand(target, items.parse().unwrap()).await;
    }
}

/// What is sent.
struct Target {
    name: &'static str,
    format: Format,
    /// As routes name it.
    route_format: &'static str,
    receiver: fn() -> Receiver,
    /// The call that has the effect.
    effect: Call,
    /// Effects, and those that happened twice.
    count: fn(&Simulator) -> (u64, u64),
}

const TARGETS: [Target; 3] = [
    Target {
        name: "instances",
        format: Format::Prefill,
        route_format: "prefill",
        receiver: || Receiver::Altinn,
        effect: Call::Instantiate,
        count: |simulator| (simulator.effects().total, simulator.effects().repeated.len() as u64),
    },
    Target {
        name: "messages",
        format: Format::Correspondence,
        route_format: "correspondence",
        receiver: || Receiver::Messages,
        effect: Call::Message,
        count: |simulator| (simulator.message_counts().total, simulator.message_counts().repeated),
    },
    // Every fourth recipient is an organisation; persons are refused.
    Target {
        name: "transfers",
        format: Format::Broker,
        route_format: "broker",
        receiver: || Receiver::Broker,
        effect: Call::TransferUpload,
        count: |simulator| {
            let seen = simulator.transfer_counts();
            (seen.uploaded_items, seen.uploaded - seen.uploaded_items)
        },
    },
];

/// Drops the items in files of some thousands, kills and throttles until all have their receipts, and counts.
async fn stand(target: &Target, items: u64) {
    let settings = Settings {
        format: target.route_format,
        receiver: (target.receiver)(),
        quota_bytes: 1_000_000_000_000,
        log_filter: "error",
        ..Settings::default()
    };
    let home = Home::with(simulator().await, &settings);
    home.simulator.set_faults(everyday(target));
    let files = write(target, items);
    let (begun, mut chance) = (Instant::now(), fastrand::Rng::with_seed(items));
    let (mut kills, mut storms, mut dropped, mut is_over) = (0, 0, 0, false);
    while !is_over {
        let gateway = home.start(None);
        let life = Duration::from_millis(chance.u64(2_000..6_000));
        let work = async {
            is_over = work_on(&home, &files, &mut dropped).await;
        };
        if tokio::time::timeout(life, work).await.is_err() {
            gateway.kill();
            kills += 1;
        }
        if chance.u8(..4) == 0 && !is_over {
            storms += 1;
            storm(&home, target).await;
        }
    }
    tell(target, &home, (items, kills, storms), begun).await;
}

/// One life of the gateway: drops what is not acknowledged, then waits for the receipts; `true` when all are there.
async fn work_on(home: &Home, files: &[Vec<u8>], dropped: &mut usize) -> bool {
    let Ok(client) = home.connect().await else { return false };
    while let Some(file) = files.get(*dropped) {
        if client.put(&format!("/inbox/{dropped}.xml"), &mut &file[..]).await.is_err() {
            return false;
        }
        *dropped += 1;
    }
    loop {
        let Ok(receipts) = client.list("/receipts").await else { return false };
        let ends = |end: &str| receipts.iter().filter(|entry| entry.name.ends_with(end)).count();
        // A file whose CLOSE was done and not answered was dropped again: then there is a shipment more.
        if ends(".final.xml") >= files.len() && ends(".final.xml") == ends(".accepted.xml") {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// For a while everything is throttled.
async fn storm(home: &Home, target: &Target) {
    let gateway = home.start(None);
    let throttled =
        Rule { fault: Fault::Throttled(1), call: target.effect, every: None, probability: None, most: None };
    home.simulator.set_faults(FaultPlan { seed: 1, rules: vec![throttled] });
    tokio::time::sleep(Duration::from_secs(2)).await;
    home.simulator.set_faults(everyday(target));
    gateway.kill();
}

/// Lost answers, resets before the effect, 500 after it, and single throttlings.
fn everyday(target: &Target) -> FaultPlan {
    let rule = |fault, probability| Rule {
        fault,
        call: target.effect,
        every: None,
        probability: Some(probability),
        most: None,
    };
    let rules = vec![
        rule(Fault::ResetAfter, 0.05),
        rule(Fault::ResetBefore, 0.02),
        rule(Fault::ErrorAfter, 0.01),
        rule(Fault::Throttled(0), 0.001),
    ];
    FaultPlan { seed: 5, rules }
}

fn write(target: &Target, items: u64) -> Vec<Vec<u8>> {
    let count = items.div_ceil(FILE_ITEMS);
    let one = |number: u64| {
        let here = FILE_ITEMS.min(items - number * FILE_ITEMS);
        let sequence = (target.format == Format::Correspondence).then_some(number + 1);
        let options = Options { sequence, ..Options::of(target.format, here, Profile::Small, 1_000 + number) };
        let mut bytes = Vec::new();
        generate::write(&options, &mut bytes).unwrap();
        bytes
    };
    (0..count).map(one).collect()
}

async fn tell(target: &Target, home: &Home, (items, kills, storms): (u64, u64, u64), begun: Instant) {
    let seconds = begun.elapsed().as_secs();
    let gateway = home.start(None);
    let client = home.connect().await.unwrap();
    let (mut delivered, mut failed) = (0, 0);
    for entry in client.list("/receipts").await.unwrap().iter().filter(|entry| entry.name.ends_with(".final.xml")) {
        let mut bytes = Vec::new();
        client.get(&format!("/receipts/{}", entry.name), &mut bytes).await.unwrap();
        let receipt = String::from_utf8(bytes).unwrap();
        delivered += count(&receipt, "delivered");
        failed += count(&receipt, "failed");
    }
    gateway.kill();
    let (effects, twice) = (target.count)(&home.simulator);
    let name = target.name;
    println!("| {name} | {items} | {kills} | {storms} | {seconds} | {effects} | {twice} | {delivered} | {failed} |");
    assert_eq!((effects, twice, failed), (delivered, 0, 0), "{}", home.log());
    assert!(target.format == Format::Broker || delivered == items, "{}", home.log());
}

/// The number in an attribute of the receipt's counts.
fn count(receipt: &str, attribute: &str) -> u64 {
    let counts = receipt.split_once("<Counts").unwrap().1;
    let value = counts.split_once(&format!("{attribute}=\"")).unwrap().1;
    value.split_once('"').unwrap().0.parse().unwrap()
}

/// Items of a file.
const FILE_ITEMS: u64 = 10_000;
