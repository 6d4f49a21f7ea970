//! What is sent again: a reference that is free again, whose items have new keys, and what nobody can look up.

use sluse::generate::{Format, Options, Profile};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

use super::effects::{At, Effects};
use super::{check, dies, put, was_killed};
use crate::support::batch::{generated, written};
use crate::support::gateway::{Home, PATIENCE, Settings, simulator};
use crate::support::kills::{Kill, at_every_point, at_every_point_around};
use crate::support::receipts::Receipts;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_items_get_keys_of_their_own() {
    at_every_point_around(&["judge.own_keys"], 1, FEWEST_POINTS, async |kill| Some(own_keys_killed_at(kill).await))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_what_is_in_doubt_is_sent_again() {
    at_every_point(FEWEST_POINTS, async |kill| doubt_killed_at(kill).await).await;
}

/// The same shipment again, when its reference is free: everything takes effect once more.
async fn own_keys_killed_at(kill: Kill) -> bool {
    let batch = generated(2, Profile::Small, "0%", 21);
    let home = Home::new(simulator().await, "rules = { reference_days = 30 }");
    let (first, again) = ("first.xml".to_owned(), "again.xml".to_owned());
    let gateway = home.start(None);
    assert!(put(&home, &first, &batch.bytes).await);
    Receipts::wait(&home, std::slice::from_ref(&first)).await;
    assert!(gateway.terminate().success());
    let passed = sqlx::query("UPDATE shipments SET claimed_at = claimed_at - 31 * 86400000");
    assert_eq!(passed.execute(&mut ledger(&home).await).await.unwrap().rows_affected(), 1);
    let gateway = home.start_armed(&kill.variables());
    let mut acknowledged = false;
    let work = async {
        acknowledged = put(&home, &again, &batch.bytes).await;
        acknowledged && Receipts::arrive(&home, std::slice::from_ref(&again)).await.is_ok()
    };
    let killed = was_killed(&home, gateway, work).await;
    let _gateway = home.start(None);
    while !acknowledged {
        acknowledged = put(&home, &again, &batch.bytes).await;
    }
    check(&home, &Effects::of_simulator(), &[first, again], Some(2 * batch.right)).await;
    killed
}

/// A receiver that cannot be asked took a batch, and the process died before it heard so: it is sent again, marked.
async fn doubt_killed_at(kill: Kill) -> Option<bool> {
    let options = Options { sequence: Some(1), ..Options::of(Format::DataBatch, 2, Profile::Attachment, 22) };
    let (batch, name) = (written(&options), "doubt.xml".to_owned());
    let (effects, receiver) = Effects::begin(At::Soap).await?;
    let settings = Settings { format: "databatch", take: "batch_items = 1", receiver, ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    let mut gateway = home.start_armed(&[("SLUSE_KILL_AT", "soap.post.after+1")]);
    assert!(put(&home, &name, &batch.bytes).await);
    assert!(dies(&mut gateway).await, "{}", home.log());
    let gateway = home.start_armed(&kill.variables());
    let work = async { Receipts::arrive(&home, std::slice::from_ref(&name)).await.is_ok() };
    let killed = was_killed(&home, gateway, Box::pin(work)).await;
    let _gateway = home.start(None);
    check(&home, &effects, std::slice::from_ref(&name), Some(batch.right)).await;
    let doubtful = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM items WHERE doubtful = 1");
    assert!(doubtful.fetch_one(&mut ledger(&home).await).await.unwrap() > 0, "{}", home.log());
    Some(killed)
}

async fn ledger(home: &Home) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(home.path("data/ledger.sqlite")).busy_timeout(PATIENCE);
    options.connect().await.unwrap()
}

/// Fewer kill points than this, and the tests do not look where they should.
const FEWEST_POINTS: usize = 10;
