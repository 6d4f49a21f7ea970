//! `sluse schedule`: what runs when, and running it by hand, beside a gateway and without one.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sluse::adapters::ledger::Bystander;
use sluse::ports::RunEnd;
use tempfile::TempDir;

use super::{MINIMAL, sluse, text};
use crate::support::gateway::{Home, PATIENCE, Receiver, Settings, simulator};

const SCHEDULES: &str = "
[calendar.bank]
half_days = ['easter-4']
cut_off = '15:00'
[schedule.cleaning]
job = 'retention'
cron = '30 2 * * *'
[schedule.counting]
job = 'report'
every_ms = 600_000
[expected.nightly]
partner = 'etat'
by = 'cut-off'
calendar = 'bank'
";

fn folder(more: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("sluse.toml"), format!("{MINIMAL}{more}")).unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    dir
}

fn schedule(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let config = dir.join("sluse.toml");
    let args = ["schedule"].iter().chain(args).copied().chain(["--config", config.to_str().unwrap()]);
    let output = sluse(args, b"", &[]);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_next_runs_are_listed_as_the_wall_clock_shows_them() {
    let dir = folder(SCHEDULES);
    let (code, listed, _) = schedule(dir.path(), &["list", "--count", "2", "--from", "2026-03-28T12:00:00Z"]);
    let expected = "\
cleaning: retention 30 2 * * * (Europe/Oslo)
  Sun 2026-03-29 03:00:00 +02:00
  Mon 2026-03-30 02:30:00 +02:00
counting: report every 600000 ms (Europe/Oslo)
  Sat 2026-03-28 13:10:00 +01:00
  Sat 2026-03-28 13:20:00 +01:00
expected nightly (partner etat): by
  Mon 2026-03-30 15:00:00 +02:00
  Tue 2026-03-31 15:00:00 +02:00
";
    assert_eq!((code, listed.as_str()), (Some(0), expected));
    assert!(!dir.path().join("data").exists(), "nothing is made");
    let (_, ten, _) = schedule(dir.path(), &["list"]);
    assert_eq!(ten.lines().count(), 3 * 11);
    assert!(schedule(folder("").path(), &["list"]).1.starts_with("there is no [schedule"));
}

#[test]
fn without_a_gateway_a_schedule_runs_here() {
    let dir = folder(SCHEDULES);
    let (code, told, errors) = schedule(dir.path(), &["run", "counting"]);
    assert_eq!(code, Some(0), "{errors}");
    let note = "shipments: 0 not judged, 0 under way, 0 with their final receipt";
    assert_eq!(told, format!("counting ended well: {note}\n"));
    let (_, listed, _) = schedule(dir.path(), &["list", "--count", "1"]);
    assert!(listed.contains(&format!(" ended well: {note}\n")), "{listed}");
    let (code, _, errors) = schedule(dir.path(), &["run", "nothing"]);
    assert_eq!((code, errors.contains("there is no [schedule.nothing]")), (Some(2), true), "{errors}");
    fs::write(dir.path().join("sluse.toml"), "data_dir = 7").unwrap();
    assert_eq!(schedule(dir.path(), &["list"]).0, Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_gateway_runs_what_it_is_asked_for() {
    let settings = Settings { more: SCHEDULES.to_owned(), receiver: Receiver::Directory, ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    // The process dies at every place before it is done: what it began is done again by the next.
    let config = home.path("sluse.toml");
    let args = ["schedule", "run", "counting", "--config", config.to_str().unwrap()];
    let killed = (1..)
        .take_while(|place: &u32| sluse(args, b"", &[("SLUSE_KILL_AT", &place.to_string())]).status.code().is_none());
    assert!(killed.count() >= 8, "it dies before and after each change");
    let gateway = home.start(None);
    home.connect().await.unwrap();
    let (code, told, errors) = schedule(&home.path("."), &["run", "cleaning", "--wait", "60"]);
    assert_eq!((code, told.as_str()), (Some(0), "cleaning ended well: removed the bytes of 0 shipments\n"), "{errors}");
    let ledger = Bystander::open(&home.path("data/ledger.sqlite")).await;
    let (mut ledger, begun) = (ledger.unwrap(), Instant::now());
    loop {
        let runs = ledger.runs("counting", 100).await.unwrap();
        let ends: Vec<_> = runs.iter().map(|run| run.ended.map(|(end, _)| end)).collect();
        if ends.first() == Some(&Some(RunEnd::Done)) && !ends.contains(&None) {
            assert!(ends.contains(&Some(RunEnd::CutOff)), "{runs:#?}");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{runs:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ledger.close().await.unwrap();
    assert!(gateway.terminate().success());
    assert!(home.log().contains("a scheduled run has ended"), "{}", home.log());
}

#[test]
fn a_ledger_that_cannot_be_read_is_not_one_that_knows_nothing() {
    let dir = folder(SCHEDULES);
    assert_eq!(schedule(dir.path(), &["list"]).0, Some(0), "there is none");
    fs::create_dir_all(dir.path().join("data/ledger.sqlite")).unwrap();
    let config = dir.path().join("sluse.toml");
    for command in ["schedule", "source"] {
        let output = sluse([command, "list", "--config", config.to_str().unwrap()], b"", &[]);
        let (code, error) = (output.status.code(), String::from_utf8_lossy(&output.stderr));
        assert!(code != Some(0) && error.contains("ledger.sqlite"), "{command}: {code:?} {error}");
    }
}
