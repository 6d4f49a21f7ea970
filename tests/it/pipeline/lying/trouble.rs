//! Files that cannot be read and receipts that cannot be written keep nothing else waiting.

use super::*;

/// Files of which some cannot be read; the others are taken, and those when they can.
async fn others_are_taken(bad: &[(&str, Bad)]) {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::None));
    for (name, bad) in bad {
        store.put(name, format!("<a>{name}</a>").as_bytes(), 1_000);
        store.bad.lock().unwrap().insert((*name).to_owned(), *bad);
    }
    store.put("z.xml", &document(10), 1_000);
    let task = bench.run(source("liar", &store, After::Delete));
    until(async || bench.claimed().await == 1 && !store.has("z.xml")).await;
    // They are tried again, and so are others that come meanwhile.
    until(async || bench.alarms().await.contains(&("source/liar/rest".into(), "failing".into()))).await;
    store.put("zz.xml", &document(20), 2_000);
    until(async || bench.claimed().await == 2 && !store.has("zz.xml")).await;
    store.bad.lock().unwrap().clear();
    until(async || bench.claimed().await == 2 + bad.len() as u64).await;
    until(async || bench.alarms().await.is_empty()).await;
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_keeps_no_other_waiting() {
    others_are_taken(&[("a.xml", Bad::Failing), ("b.xml", Bad::Failing), ("c.xml", Bad::Failing)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_bytes_never_come_keeps_no_other_waiting() {
    others_are_taken(&[("a.xml", Bad::Hanging)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_makes_us_panic_keeps_no_other_waiting() {
    others_are_taken(&[("a.xml", Bad::Poisonous)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_at_which_the_line_breaks_keep_no_other_waiting() {
    others_are_taken(&[("a.xml", Bad::Dropping), ("b.xml", Bad::Dropping), ("c.xml", Bad::Hanging)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_trouble_like_any_other() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::Poison));
    store.put("a.xml", &document(10), 1_000);
    let task = bench.run(source("liar", &store, After::Delete));
    until(async || bench.alarms().await == [("source/liar".into(), "failing".into())]).await;
    store.tell(Lie::None);
    until(async || bench.claimed().await == 1 && !store.has("a.xml")).await;
    until(async || bench.alarms().await.is_empty()).await;
    bench.stop.cancel();
    task.await.unwrap();
}

/// Receipts that cannot be written back; files are taken all the same.
async fn files_are_taken_beside(lie: Lie) {
    let (bench, store) = (Bench::new().await, Liar::new(lie));
    let pipeline = bench.rig.run();
    store.put("a.xml", &document(10), 1_000);
    let quick = source("liar", &store, After::Delete);
    let rules = Rules { receipts: Some("answers".to_owned()), ..quick.rules.clone() };
    let task = bench.run(Source { rules, ..quick });
    until(async || bench.alarms().await.contains(&("source/liar/rest".into(), "failing".into()))).await;
    store.put("b.xml", &document(20), 2_000);
    until(async || !store.has("b.xml")).await;
    let answers = || store.files.lock().unwrap().keys().filter(|path| path.starts_with("answers/")).count();
    assert_eq!(answers(), 0);
    store.tell(Lie::None);
    until(async || answers() == 2).await;
    until(async || bench.alarms().await.is_empty()).await;
    bench.stop.cancel();
    task.await.unwrap();
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_meet_a_full_disk_keep_no_file_waiting() {
    files_are_taken_beside(Lie::Full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_at_which_the_line_breaks_keep_no_file_waiting() {
    files_are_taken_beside(Lie::Unwritable).await;
}
