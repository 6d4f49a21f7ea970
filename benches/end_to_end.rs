//! The whole gateway: drop a generated batch over SFTP, wait for its final receipt, and say how long it took and how
//! much memory the gateway's process had at most.
//!
//! `SLUSE_BENCH_RUNS="small:1000000 attachment:2700" cargo bench --bench end_to_end`: profile and items of each run.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails stops")]
#![expect(dead_code, reason = "the tests use more of the harness than this does")]

#[path = "../tests/it/support/gateway.rs"]
mod gateway;

use std::fs;
use std::io::BufWriter;
use std::path::Path;
use std::time::{Duration, Instant};

use gateway::{Gateway, Home, Settings, simulator};
use sluse::adapters::sftp_client::SftpClient;
use sluse::generate::{self, Options, Profile, Summary};

#[tokio::main]
async fn main() {
    let Ok(runs) = std::env::var("SLUSE_BENCH_RUNS") else {
        println!("nothing to do: SLUSE_BENCH_RUNS names no runs, such as \"small:100000\"");
        return;
    };
    println!("| profile | items | MB | CLOSE OK s | accepted s | final s | items/s | peak MiB | at start MiB |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for run in runs.split_whitespace() {
        let (profile, items) = run.split_once(':').unwrap();
        measure(profile.parse().unwrap(), items.parse().unwrap()).await;
    }
}

async fn measure(profile: Profile, items: u64) {
    let route = "concurrency = 32\nmax_file_bytes = 100_000_000_000".to_owned();
    let settings = Settings { route, quota_bytes: 1_000_000_000_000, ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    let batch = home.path("batch.xml");
    let summary = write(profile, items, &batch);
    let gateway = home.start(None);
    let client = home.connect().await.unwrap();
    let at_start = peak_mib(&gateway);
    let begun = Instant::now();
    client.put("/inbox/batch.xml", &mut tokio::fs::File::open(&batch).await.unwrap()).await.unwrap();
    let closed = begun.elapsed();
    let accepted = wait_for(&client, ".accepted.xml", begun).await;
    let last = wait_for(&client, ".final.xml", begun).await;
    println!(
        "| {} | {} | {:.0} | {:.1} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} |",
        profile.as_str(),
        summary.items,
        summary.bytes as f64 / 1e6,
        closed.as_secs_f64(),
        accepted.as_secs_f64(),
        last.as_secs_f64(),
        summary.items as f64 / last.as_secs_f64(),
        peak_mib(&gateway),
        at_start
    );
    let effects = home.simulator.effects();
    assert!(effects.repeated.is_empty());
    assert!(gateway.terminate().success(), "{}", home.log());
}

fn write(profile: Profile, items: u64, path: &Path) -> Summary {
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(path).unwrap());
    let summary = generate::write(&Options::new(items, profile, 1), &mut out).unwrap();
    std::io::Write::flush(&mut out).unwrap();
    summary
}

async fn wait_for(client: &SftpClient, end: &str, begun: Instant) -> Duration {
    while !client.list("/receipts").await.unwrap().iter().any(|entry| entry.name.ends_with(end)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

/// Peak resident memory of the process so far, as the kernel counts it.
fn peak_mib(gateway: &Gateway) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}
