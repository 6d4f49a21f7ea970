//! Stores in which a file is not what it was when it is put away.

use super::*;

/// Every way to put a file away.
fn ways() -> [(After, Option<&'static str>); 3] {
    let moved = After::Move("done".parse().unwrap());
    let renamed = After::Rename("{name}.taken".parse().unwrap());
    [(After::Delete, None), (moved, Some("done/a.xml")), (renamed, Some("a.xml.taken"))]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_time_by_a_new_name_is_no_new_file() {
    for (after, put_away) in ways() {
        let (bench, store) = (Bench::new().await, Liar::new(Lie::Touching));
        store.put("a.xml", &document(2_000), 1_000);
        let task = bench.run(source("liar", &store, after.clone()));
        until(async || bench.claimed().await > 0 && !store.has("a.xml")).await;
        bench.looks("liar", 8).await;
        assert_eq!((bench.claimed().await, store.has("a.xml")), (1, false), "{after:?}");
        let left: Vec<_> = store.files.lock().unwrap().keys().cloned().collect();
        assert_eq!(left, put_away.into_iter().collect::<Vec<_>>());
        bench.stop.cancel();
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_anew_at_the_last_moment_comes_back_and_is_taken() {
    for (after, _) in ways() {
        let (bench, store) = (Bench::new().await, Liar::new(Lie::Overtaking));
        store.put("a.xml", &document(2_000), 1_000);
        let task = bench.run(source("liar", &store, after.clone()));
        until(async || bench.claimed().await == 2 && !store.has("a.xml")).await;
        bench.looks("liar", 5).await;
        assert_eq!((bench.claimed().await, store.has("a.xml")), (2, false), "{after:?}");
        bench.stop.cancel();
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_looks_empty_for_a_moment_is_no_reason_to_take_a_file_twice() {
    for (after, _) in ways() {
        let (bench, store) = (Bench::new().await, Liar::new(Lie::Stuck));
        store.put("a.xml", &document(10), 1_000);
        let task = bench.run(source("liar", &store, after.clone()));
        until(async || bench.claimed().await == 1).await;
        store.tell(Lie::Empty);
        until(async || bench.ledger.open_takes("liar", Timestamp::MAX, 10).await.unwrap().is_empty()).await;
        store.tell(Lie::None);
        bench.looks("liar", 8).await;
        assert_eq!(bench.claimed().await, 1, "{after:?}");
        // What was put there anew is another file.
        store.put("a.xml", &document(20), 2_000);
        until(async || bench.claimed().await == 2 && !store.has("a.xml")).await;
        bench.stop.cancel();
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_written_anew_before_they_were_put_away_are_taken() {
    for (after, _) in ways() {
        let (bench, store) = (Bench::new().await, Liar::new(Lie::Stuck));
        store.put("a.xml", &document(10), 1_000);
        let task = bench.run(source("liar", &store, after.clone()));
        until(async || bench.claimed().await == 1).await;
        store.put("a.xml", &document(10), 2_000);
        store.tell(Lie::None);
        until(async || bench.claimed().await == 2 && !store.has("a.xml")).await;
        bench.stop.cancel();
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_file_may_be_renamed_what_was_written_anew_is_not_removed_untaken() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::Forbidding));
    store.put("a.xml", &document(10), 1_000);
    let task = bench.run(source("liar", &store, After::Delete));
    until(async || bench.claimed().await == 2 && !store.has("a.xml")).await;
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_renaming_keeps_failing_a_file_is_removed_where_it_is() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::Stuck));
    store.put("a.xml", &document(10), 1_000);
    let task = bench.run(source("liar", &store, After::Delete));
    until(async || !store.has("a.xml")).await;
    assert_eq!(bench.claimed().await, 1);
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_done_file_of_a_stem_stays_until_the_last_of_it_is_taken() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::None));
    for (path, bytes) in [("a.xml", document(10)), ("a.zml", document(20)), ("a.ok", vec![]), ("a.b.xml", document(30))]
    {
        store.put(path, &bytes, 1_000);
    }
    let quick = source("liar", &store, After::Delete);
    let readiness = Readiness { done_file: Some("{stem}.ok".parse().unwrap()), ..quick.rules.readiness.clone() };
    // One after the other: before the second is taken the first is put away.
    let rules = Rules { readiness, include: vec!["*.?ml".parse().unwrap()], most: 1, ..quick.rules.clone() };
    let task = bench.run(Source { rules, ..quick });
    until(async || bench.claimed().await == 2 && !store.has("a.ok")).await;
    let left: Vec<_> = store.files.lock().unwrap().keys().cloned().collect();
    assert_eq!(left, ["a.b.xml"], "it waits for another one");
    bench.stop.cancel();
    task.await.unwrap();
}
