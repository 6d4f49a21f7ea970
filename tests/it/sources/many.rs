//! A directory with very many files.

use std::fs;

use sluse::model::Wait;

use super::{Drop, batch, effects, started};

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat_over_twenty_thousand_names() {
    let drop = Drop::new("every_ms = 1_000\nafter = 'leave'\nevents = false\n[source.drop.ready]\nstable_ms = 1\ndone_file = '{stem}.done'").await;
    for number in 0..FILES {
        fs::write(drop.path(&format!("{number:06}-a-name-of-a-usual-length.xml")), b"<a/>").unwrap();
    }
    drop.put("ready.xml", &batch(1, 1).bytes);
    drop.put("ready.done", b"");
    let gateway = started(&drop);
    drop.finals("ready.xml", 1).await;
    drop.looks(3).await;
    let waiting = drop.waiting().await;
    let counts: Vec<_> = waiting.iter().map(|(wait, number, _)| (*wait, *number)).collect();
    assert_eq!(counts, [(Wait::Taken, 1), (Wait::Beside, 1), (Wait::DoneFile, FILES)], "{}", drop.home.log());
    assert_eq!(effects(&drop.home), 1);
    let peak_kib = peak_kib(gateway.pid());
    eprintln!("{FILES} files waiting: peak {} MiB", peak_kib / 1024);
    assert!(peak_kib < 64 * 1024, "{peak_kib} KiB");
}

fn peak_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

const FILES: u64 = 20_000;
