//! A directory with very many files.

use std::fs;

use sluse::model::Wait;

use super::{Drop, batch, effects, started};
use crate::bad_input::huge::{MOST_GROWTH_KIB, peak_kib};

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat_over_twenty_thousand_names() {
    let drop = Drop::new("every_ms = 1_000\nafter = 'leave'\nevents = false\n[source.drop.ready]\nstable_ms = 1\ndone_file = '{stem}.done'").await;
    for number in 0..FILES {
        fs::write(drop.path(&format!("{number:06}-a-name-of-a-usual-length.xml")), b"<a/>").unwrap();
    }
    let gateway = started(&drop);
    drop.home.connect().await.unwrap();
    let at_start_kib = peak_kib(gateway.pid());
    drop.put("ready.xml", &batch(1, 1).bytes);
    drop.put("ready.done", b"");
    drop.finals("ready.xml", 1).await;
    drop.looks(3).await;
    let waiting = drop.waiting().await;
    let counts: Vec<_> = waiting.iter().map(|(wait, number, _)| (*wait, *number)).collect();
    assert_eq!(counts, [(Wait::Taken, 1), (Wait::Beside, 1), (Wait::DoneFile, FILES)], "{}", drop.home.log());
    assert_eq!(effects(&drop.home), 1);
    let grown_kib = peak_kib(gateway.pid()) - at_start_kib;
    assert!(grown_kib < MOST_GROWTH_KIB, "{grown_kib} KiB");
}

const FILES: u64 = 20_000;
