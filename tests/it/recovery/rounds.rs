//! Subscriptions come round while the process is killed: each once.

use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan as _};

use super::was_killed;
use crate::support::gateway::{Gateway, Home, PATIENCE, Settings, simulator};
use crate::support::kills::{Kill, at_every_point};
use crate::support::receipts::{Receipts, item_codes};

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_subscriptions_come_round() {
    at_every_point(FEWEST_POINTS, async |kill| Some(run_killed(kill).await)).await;
}

/// One run; `false` when the process came through.
async fn run_killed(kill: Kill) -> bool {
    let point = kill.variables();
    let more = "[prefill]\nat = \"00:00\"\n[route.kept]\npartner = \"etat\"\nformat = \"prefill\"\nreceiver = \"altinn\"\n\
                inbox = \"kept\"\ntest = \"kept-test\"\nretry = { first_wait_ms = 20, max_wait_ms = 200, settle_ms = 300 }\n\
                [[route.kept.service]]\ncode = \"H\"\napp = \"ttd/holdt\"\nmode = \"hold\"\ndrive_to = \"end\"\n\
                [[route.kept.service.data_type]]\nformat_id = \"5\"\ndata_type = \"model\"\n";
    let home = Home::with(simulator().await, &Settings { more: more.to_owned(), ..Settings::default() });
    let gateway = home.start_armed(&point);
    let mut acknowledged = false;
    let work = async {
        acknowledged = put(&home).await;
        acknowledged && is_told(&home, None).await
    };
    let killed = was_killed(&home, gateway, work).await;
    let gateway = home.start(None);
    let begun = Instant::now();
    while !acknowledged {
        assert!(begun.elapsed() < PATIENCE, "nothing is acknowledged\n{}", home.log());
        acknowledged = put(&home).await;
    }
    assert!(is_told(&home, Some(&gateway)).await, "killed at {point:?}\n{}", home.log());
    let effects = home.simulator.effects();
    assert!(home.simulator.instances().iter().all(|instance| instance.steps == 2), "killed at {point:?}");
    assert_eq!((effects.total, effects.repeated), (2, Vec::new()), "killed at {point:?}\n{}", home.log());
    killed
}

/// Two subscriptions whose only turn is due, one of them with a set that is kept for it.
fn batch() -> String {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Europe/Oslo").unwrap()).date();
    let (first, last) = (today - 30.days(), today + 30.days());
    let subscription = |identifying: &str, period: &str| {
        format!(
            "<FormTask><ExternalServiceCode>H</ExternalServiceCode><StartDate>{first}</StartDate>\
             <NextScheduledDate>{first}</NextScheduledDate><NextDueDate>{last}</NextDueDate><PeriodType>{period}</PeriodType>\
             <IdentifyingFields><IdentifyingField>{identifying}</IdentifyingField></IdentifyingFields></FormTask>"
        )
    };
    format!(
        "<ServiceOwner xmlns='http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10'>\
         <ServiceOwnerName>TTD</ServiceOwnerName><Subscription><ExternalShipmentReference>sub</ExternalShipmentReference>\
         <Reportee><Id>910000004</Id>{}{}</Reportee></Subscription><Prefill>\
         <ExternalShipmentReference>pre</ExternalShipmentReference><Reportee><Id>910000004</Id><FormTask>\
         <ExternalServiceCode>H</ExternalServiceCode><ExternalServiceEditionCode>1</ExternalServiceEditionCode>\
         <ValidFrom>{first}</ValidFrom><ValidTo>{last}</ValidTo><SendersReference>S</SendersReference>\
         <IdentifyingFields><IdentifyingField>x</IdentifyingField></IdentifyingFields><Form><DataFormatId>5</DataFormatId>\
         <DataFormatVersion>1</DataFormatVersion><SendersReference>F</SendersReference><FormData><![CDATA[<S/>]]></FormData>\
         </Form></FormTask></Reportee></Prefill></ServiceOwner>",
        subscription("x", "Once"),
        subscription("y", "Once"),
    )
}

async fn put(home: &Home) -> bool {
    let Ok(client) = home.connect().await else { return false };
    client.put("/kept/a.xml", &mut batch().as_bytes()).await.is_ok()
}

/// Waits until supplements have told of every turn, each once; without a gateway to look at, for as long as it takes.
async fn is_told(home: &Home, gateway: Option<&Gateway>) -> bool {
    if Receipts::arrive(home, &["a.xml".to_owned()]).await.is_err() {
        return false;
    }
    let begun = Instant::now();
    loop {
        let told = told(home).await;
        if told == Some(TOLD) {
            return true;
        }
        assert!(told.is_none_or(|told| told < TOLD), "told too often\n{}", home.log());
        if gateway.is_some() && begun.elapsed() > PATIENCE {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn told(home: &Home) -> Option<u64> {
    let client = home.connect().await.ok()?;
    let mut told = 0;
    for entry in client.list("/receipts").await.ok()? {
        if entry.name.contains(".supplement-") && entry.name.ends_with(".xml") {
            let mut bytes = Vec::new();
            client.get(&format!("/receipts/{}", entry.name), &mut bytes).await.ok()?;
            told += item_codes(std::str::from_utf8(&bytes).ok()?).get("LN-021").copied().unwrap_or_default();
        }
    }
    Some(told)
}

/// The set once, and every subscription once.
const TOLD: u64 = 3;

/// Fewer kill points than this, and the test does not look where it should.
const FEWEST_POINTS: usize = 30;
