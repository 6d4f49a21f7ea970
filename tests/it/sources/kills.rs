//! The process is killed at every point of taking a file; it is taken once, and answered once.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use super::{Drop, batch, effects, names_in};
use crate::support::gateway::PATIENCE;
use crate::support::kills::{Kill, at_every_point, at_every_step};
use crate::support::receipts::count;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_a_file_is_taken_and_moved() {
    let run = async |kill| Some(run_killed(kill, "after = 'move'\nmove_to = 'taken'", &["taken"]).await);
    at_every_point(FEWEST_POINTS, run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_a_file_is_taken_and_removed() {
    let source = "after = 'delete'\n[source.drop.ready]\ndone_file = '{name}.done'";
    at_every_step(FEWEST_POINTS, async |kill| Some(run_killed(kill, source, &[]).await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_a_file_is_taken_and_left() {
    let run = async |kill| Some(run_killed(kill, "after = 'leave'", &["nightly.xml"]).await);
    at_every_step(FEWEST_POINTS, run).await;
}

/// One run; `false` when the process came through.
async fn run_killed(kill: Kill, source: &str, left: &[&str]) -> bool {
    let ready = if source.contains("ready") { "stable_ms = 1" } else { "ready = { stable_ms = 1 }" };
    let drop = Drop::new(&format!("every_ms = 1_000\n{source}\n{ready}")).await;
    let batch = batch(2, 1);
    drop.put("nightly.xml", &batch.bytes);
    drop.put("nightly.xml.done", b"");
    let mut gateway = drop.home.start_armed(&kill.variables());
    let done = || answered(&drop) && (source.contains("leave") || !drop.path("nightly.xml").exists());
    let begun = Instant::now();
    while gateway.ended().is_none() && !done() {
        assert!(begun.elapsed() < PATIENCE, "it is not taken\n{}", drop.home.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let killed = match gateway.ended() {
        Some(end) => end.signal() == Some(9),
        // What follows, and a graceful stop, pass kill points, too.
        None => gateway.terminate().signal() == Some(9),
    };
    let gateway = drop.home.start(None);
    let receipt = drop.finals("nightly.xml", 1).await.remove(0);
    assert_eq!((count(&receipt, "delivered"), effects(&drop.home)), (2, 2), "{receipt}\n{}", drop.home.log());
    let kept = |name: &String| name != "receipts" && !name.ends_with(".done");
    let here = || drop.names("").into_iter().filter(kept).collect::<Vec<_>>();
    drop.until("tidied up", || here() == left).await;
    drop.until("receipts only", || drop.names("receipts").iter().all(|name| name.ends_with(".xml"))).await;
    assert_eq!(drop.names("receipts").len(), 2, "{:?}", drop.names("receipts"));
    // Nothing comes again.
    drop.looks(1).await;
    assert_eq!((effects(&drop.home), drop.names("receipts").len()), (2, 2), "{}", drop.home.log());
    assert_eq!(names_in(&drop.home.path("data/blobs/scratch")), [""; 0], "fetched bytes are left over");
    gateway.kill();
    killed
}

fn answered(drop: &Drop) -> bool {
    drop.names("receipts").iter().any(|name| name.ends_with(".final.xml"))
}

/// Fewer kill points than this, and the test does not look where it should.
const FEWEST_POINTS: usize = 20;
