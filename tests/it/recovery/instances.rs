//! Instances are brought up to date, and deleted after their last day, while the process is killed: each once.

use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan as _};
use sqlx::Connection as _;

use super::{dies, was_killed};
use crate::support::gateway::{Home, PATIENCE, Settings, simulator};
use crate::support::kills::{Kill, at_every_point};
use crate::support::ledger::beside;
use crate::support::receipts::{Receipts, item_codes};

const REPORTEE: &str = "910000004";

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_a_later_set_is_put_into_an_instance() {
    at_every_point(FEWEST_POINTS, async |kill| Some(update_killed_at(kill).await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_instances_are_deleted_after_their_last_day() {
    at_every_point(FEWEST_POINTS_OF_AN_END, async |kill| Some(deletion_killed_at(kill).await)).await;
}

/// An answer that was lost, and somebody who opens the instance before it is looked at again: nobody can tell what he saw, so
/// the set goes nowhere else, also when the process dies before that is recorded of its item.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_put_into_an_instance_that_is_opened_then_goes_nowhere_else() {
    let home = with_instance().await;
    let mut gateway = home.start_armed(&[("SLUSE_KILL_AT", "altinn.put.after+1")]);
    assert!(put(&home, "b").await);
    assert!(dies(&mut gateway).await, "{}", home.log());
    assert_eq!(home.simulator.effects().puts, 1);
    assert!(home.simulator.use_instance(&home.simulator.instances()[0].id, "opened"));
    let mut gateway = home.start_armed(&[("SLUSE_KILL_AT", "later.halfway+1")]);
    assert!(dies(&mut gateway).await, "{}", home.log());
    let _gateway = home.start(None);
    let receipts = Receipts::wait(&home, &["b.xml".to_owned()]).await;
    receipts.assert_one_final_each();
    assert_eq!((codes(&home, ".final.xml", "FW-255").await, home.simulator.effects().total), (Some(1), 1));
    assert!(!home.log().contains(REPORTEE));
}

/// One run; `false` when the process came through.
async fn update_killed_at(kill: Kill) -> bool {
    let point = kill.variables();
    let home = with_instance().await;
    let gateway = home.start_armed(&point);
    let mut acknowledged = false;
    let work = async {
        acknowledged = put(&home, "b").await;
        acknowledged && are_told(&home, "LN-023").await
    };
    let killed = was_killed(&home, gateway, work).await;
    let _gateway = home.start(None);
    let begun = Instant::now();
    while !acknowledged {
        assert!(begun.elapsed() < PATIENCE, "nothing is acknowledged\n{}", home.log());
        acknowledged = put(&home, "b").await;
    }
    assert!(are_told(&home, "LN-023").await, "killed at {point:?}\n{}", home.log());
    Receipts::wait(&home, &["b.xml".to_owned()]).await.assert_one_final_each();
    let (effects, instance) = (home.simulator.effects(), home.simulator.instances().remove(0));
    assert_eq!((effects.total, instance.parts[0].size_bytes), (1, form("b").len() as u64), "killed at {point:?}");
    killed
}

async fn deletion_killed_at(kill: Kill) -> bool {
    let point = kill.variables();
    let home = with_instance().await;
    // The days pass.
    let mut ledger = beside(&home.path("data/ledger.sqlite")).await;
    let passed = sqlx::query("UPDATE instances SET valid_to = '2020-01-01'").execute(&mut ledger).await.unwrap();
    assert_eq!(passed.rows_affected(), 1);
    ledger.close().await.unwrap();
    let gateway = home.start_armed(&point);
    let killed = was_killed(&home, gateway, are_told(&home, "LN-223")).await;
    let _gateway = home.start(None);
    assert!(are_told(&home, "LN-223").await, "killed at {point:?}\n{}", home.log());
    let effects = home.simulator.effects();
    assert_eq!(
        (effects.total, effects.soft_deleted, effects.deleted),
        (1, 1, 0),
        "killed at {point:?}\n{}",
        home.log()
    );
    killed
}

/// A home where a set has become an instance, and nobody works.
async fn with_instance() -> Home {
    let home = home().await;
    let gateway = home.start(None);
    assert!(put(&home, "a").await);
    Receipts::wait(&home, &["a.xml".to_owned()]).await.assert_one_final_each();
    assert!(gateway.terminate().success());
    home
}

async fn home() -> Home {
    let more = "[prefill]\nat = \"00:00\"\n[route.kept]\npartner = \"etat\"\nformat = \"prefill\"\nreceiver = \"altinn\"\n\
                inbox = \"kept\"\ntest = \"kept-test\"\nretry = { first_wait_ms = 20, max_wait_ms = 200, settle_ms = 300 }\n\
                [[route.kept.service]]\ncode = \"H\"\napp = \"ttd/oppdatert\"\nlater = \"update\"\nafter_valid_to = \"delete\"\n\
                [[route.kept.service.data_type]]\nformat_id = \"5\"\ndata_type = \"model\"\n";
    Home::with(simulator().await, &Settings { more: more.to_owned(), ..Settings::default() })
}

/// Drops a shipment with a set that is the same in every shipment, but for its form.
async fn put(home: &Home, name: &str) -> bool {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Europe/Oslo").unwrap()).date();
    let (first, last, form) = (today - 30.days(), today + 30.days(), form(name));
    let batch = format!(
        "<ServiceOwner xmlns='http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10'>\
         <ServiceOwnerName>TTD</ServiceOwnerName><Prefill><ExternalShipmentReference>{name}</ExternalShipmentReference>\
         <Reportee><Id>{REPORTEE}</Id><FormTask><ExternalServiceCode>H</ExternalServiceCode>\
         <ExternalServiceEditionCode>1</ExternalServiceEditionCode><ValidFrom>{first}</ValidFrom><ValidTo>{last}</ValidTo>\
         <SendersReference>S-{name}</SendersReference><Form><DataFormatId>5</DataFormatId>\
         <DataFormatVersion>1</DataFormatVersion><SendersReference>F</SendersReference>\
         <FormData><![CDATA[{form}]]></FormData></Form></FormTask></Reportee></Prefill></ServiceOwner>"
    );
    let Ok(client) = home.connect().await else { return false };
    client.put(&format!("/kept/{name}.xml"), &mut batch.as_bytes()).await.is_ok()
}

/// Another length for every name.
fn form(name: &str) -> String {
    format!("<Skjema>{}</Skjema>", if name == "a" { "1" } else { "22" })
}

/// Waits until a supplement has told one thing once; it is never told again.
async fn are_told(home: &Home, code: &str) -> bool {
    let begun = Instant::now();
    loop {
        let told = codes(home, ".supplement-", code).await;
        assert!(told.is_none_or(|told| told < 2), "told too often\n{}", home.log());
        if told == Some(1) || begun.elapsed() > PATIENCE {
            return told == Some(1);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How often the receipts of a kind have a code.
async fn codes(home: &Home, kind: &str, code: &str) -> Option<u64> {
    let client = home.connect().await.ok()?;
    let mut found = 0;
    for entry in client.list("/receipts").await.ok()? {
        if entry.name.contains(kind) && entry.name.ends_with(".xml") {
            let mut bytes = Vec::new();
            client.get(&format!("/receipts/{}", entry.name), &mut bytes).await.ok()?;
            found += item_codes(std::str::from_utf8(&bytes).ok()?).get(code).copied().unwrap_or_default();
        }
    }
    Some(found)
}

/// Fewer kill points than these, and the tests do not look where they should.
const FEWEST_POINTS: usize = 25;
const FEWEST_POINTS_OF_AN_END: usize = 8;
