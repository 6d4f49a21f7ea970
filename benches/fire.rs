//! Exactly once under fire: every answer may be lost, the receiver throttles in storms, and the gateway is killed every few
//! seconds; then effects and receipts are counted, item by item.
//!
//! `SLUSE_FIRE="instances:100000 messages:100000" cargo bench --bench fire`: what is sent, and how many items of it.
//!
//! Batches over SOAP are sent to three receivers. `batches` takes a key that it has for what it is, and `asked-batches` refuses
//! it, but can be asked: of both every item is delivered. `refused-batches` refuses a key that it has, and cannot be asked: an
//! item is delivered, or its receipt says that nobody knows (FW-230); it is never sent on, and none is lost or taken twice.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails stops")]
#![expect(dead_code, reason = "the tests use more of the harness than this does")]

#[path = "../tests/it/support/gateway.rs"]
mod gateway;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use gateway::{Home, Receiver, Settings};
use sluse::generate::{self, Format, Options, Profile};
use sluse::simulator::{Call, Fault, FaultPlan, Rule, Simulator, SimulatorOptions};

#[tokio::main]
async fn main() {
    let Ok(runs) = std::env::var("SLUSE_FIRE") else {
        println!("nothing to do: SLUSE_FIRE names no runs, such as \"instances:100000\"");
        return;
    };
    println!(
        "| what | items | kills | storms | seconds | effects | twice | delivered by receipts | unclear by receipts |"
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
    receiver: fn(&Simulator) -> Receiver,
    /// Appended to the receiver's table.
    take: &'static str,
    options: fn() -> SimulatorOptions,
    /// The call that has the effect.
    effect: Call,
    /// What goes wrong with it in a storm.
    storm: &'static [(Fault, f64)],
    /// What goes wrong with it every day beside what always does.
    beside: &'static [(Fault, f64)],
    /// Effects, and those that happened twice.
    count: fn(&Simulator) -> (u64, u64),
    /// What becomes of the items.
    promise: Promise,
}

/// What becomes of the items.
#[derive(PartialEq, Eq)]
enum Promise {
    /// All are delivered.
    All,
    /// Those are that can be: the others were refused before anything was sent.
    Some,
    /// Each is delivered, or it is told that nobody knows whether it is there.
    Told,
}

const BATCHES: Target = Target {
    name: "batches",
    format: Format::DataBatch,
    route_format: "databatch",
    receiver: |simulator| Receiver::Soap(simulator.base_url().to_owned()),
    take: "batch_items = 10",
    options: SimulatorOptions::default,
    effect: Call::Batch,
    storm: &[(Fault::Down, 0.8), (Fault::Throttled(1), 1.0)],
    beside: &[(Fault::Down, 0.01), (Fault::DownAfter, 0.01), (Fault::Failed, 0.01)],
    count: |simulator| (simulator.batch_counts().items, simulator.batch_counts().repeated),
    promise: Promise::All,
};

const TARGETS: [Target; 6] = [
    Target {
        name: "instances",
        format: Format::Prefill,
        route_format: "prefill",
        receiver: |_| Receiver::Altinn,
        effect: Call::Instantiate,
        count: |simulator| (simulator.effects().total, simulator.effects().repeated.len() as u64),
        ..PLAIN
    },
    Target {
        name: "messages",
        format: Format::Correspondence,
        route_format: "correspondence",
        receiver: |_| Receiver::Messages,
        effect: Call::Message,
        count: |simulator| (simulator.message_counts().total, simulator.message_counts().repeated),
        ..PLAIN
    },
    // Every fourth recipient is an organisation; persons are refused.
    Target {
        name: "transfers",
        format: Format::Broker,
        route_format: "broker",
        receiver: |_| Receiver::Broker,
        effect: Call::TransferUpload,
        count: |simulator| {
            let seen = simulator.transfer_counts();
            (seen.uploaded_items, seen.uploaded - seen.uploaded_items)
        },
        promise: Promise::Some,
        ..PLAIN
    },
    BATCHES,
    Target { name: "asked-batches", take: ASKED, options: refusing, ..BATCHES },
    Target { name: "refused-batches", options: refusing, promise: Promise::Told, ..BATCHES },
];

/// What most of them have.
const PLAIN: Target = Target { take: "", storm: &[(Fault::Throttled(1), 1.0)], beside: &[], ..BATCHES };

/// With an address to ask at; the port is the simulator's.
const ASKED: &str = "batch_items = 10\nstatus_url = \"URL/soap/{key}\"";

fn refusing() -> SimulatorOptions {
    SimulatorOptions { refuse_known_batches: true, ..SimulatorOptions::default() }
}

/// Drops the items in files of some thousands, kills and throttles until all have their receipts, and counts.
async fn stand(target: &Target, items: u64) {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let simulator = Simulator::start(anywhere, (target.options)()).await.unwrap();
    let settings = Settings {
        format: target.route_format,
        receiver: (target.receiver)(&simulator),
        take: target.take.replace("URL", simulator.base_url()).leak(),
        quota_bytes: 1_000_000_000_000,
        log_filter: "error",
        ..Settings::default()
    };
    let home = Home::with(simulator, &settings);
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

/// For a while nothing is taken.
async fn storm(home: &Home, target: &Target) {
    let gateway = home.start(None);
    home.simulator.set_faults(plan(target, 1, target.storm));
    tokio::time::sleep(Duration::from_secs(2)).await;
    home.simulator.set_faults(everyday(target));
    gateway.kill();
}

/// Lost answers, resets before the effect, 500 after it, and single throttlings.
fn everyday(target: &Target) -> FaultPlan {
    let always = [
        (Fault::ResetAfter, 0.05),
        (Fault::ResetBefore, 0.02),
        (Fault::ErrorAfter, 0.01),
        (Fault::Throttled(0), 0.001),
    ];
    plan(target, 5, &[&always[..], target.beside].concat())
}

fn plan(target: &Target, seed: u64, faults: &[(Fault, f64)]) -> FaultPlan {
    let rule = |(fault, probability): &(Fault, f64)| Rule {
        fault: *fault,
        call: target.effect,
        every: None,
        probability: Some(*probability),
        most: None,
    };
    FaultPlan { seed, rules: faults.iter().map(rule).collect() }
}

fn write(target: &Target, items: u64) -> Vec<Vec<u8>> {
    let count = items.div_ceil(FILE_ITEMS);
    let one = |number: u64| {
        let here = FILE_ITEMS.min(items - number * FILE_ITEMS);
        let sequence = (target.format != Format::Prefill && target.format != Format::Broker).then_some(number + 1);
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
    let (mut delivered, mut failed, mut unclear) = (0, 0, 0);
    for entry in client.list("/receipts").await.unwrap().iter().filter(|entry| entry.name.ends_with(".final.xml")) {
        let mut bytes = Vec::new();
        client.get(&format!("/receipts/{}", entry.name), &mut bytes).await.unwrap();
        let receipt = String::from_utf8(bytes).unwrap();
        delivered += count(&receipt, "delivered");
        failed += count(&receipt, "failed");
        unclear += receipt.matches("<ReceiptCode>FW-230<").count() as u64;
    }
    gateway.kill();
    let (effects, twice) = (target.count)(&home.simulator);
    let name = target.name;
    println!("| {name} | {items} | {kills} | {storms} | {seconds} | {effects} | {twice} | {delivered} | {unclear} |");
    // The receiver has what is unclear: it refuses only what it has.
    assert_eq!((effects, twice, failed), (delivered + unclear, 0, unclear), "{}", home.log());
    assert!(target.promise == Promise::Some || effects == items, "{}", home.log());
    assert!(target.promise == Promise::Told || unclear == 0, "{}", home.log());
}

/// The number in an attribute of the receipt's counts.
fn count(receipt: &str, attribute: &str) -> u64 {
    let counts = receipt.split_once("<Counts").unwrap().1;
    let value = counts.split_once(&format!("{attribute}=\"")).unwrap().1;
    value.split_once('"').unwrap().0.parse().unwrap()
}

/// Items of a file.
const FILE_ITEMS: u64 = 10_000;
