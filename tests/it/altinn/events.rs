//! The simulator's events: what happened is listed once, in order, as CloudEvents.

use reqwest::{Response, StatusCode};
use serde_json::Value;
use sluse::ports::{Content, Receiver as _};
use sluse::simulator::{Simulator, SimulatorOptions};

use super::contract::Description;
use super::letters::{letter, message, post_office, postman, target};
use super::setup::{item, receiver};
use super::transfers::{archive, courier};
use crate::needs::reference;

async fn asked(url: &str, token: &str) -> Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(url).bearer_auth(token).send().await.unwrap()
}

/// All events of a list, page by page as the answers lead.
async fn all(simulator: &Simulator, list: &str) -> Vec<Value> {
    let (token, mut events) = (simulator.token(), Vec::new());
    let mut next = Some(format!("{}/events/api/v1/{list}", simulator.base_url()));
    while let Some(url) = next {
        let answer = asked(&url, &token).await;
        assert_eq!(answer.status(), StatusCode::OK, "{url}");
        next = answer.headers().get("next").map(|next| next.to_str().unwrap().to_owned());
        let page: Vec<Value> = answer.json().await.unwrap();
        assert_eq!(page.is_empty(), next.is_none());
        events.extend(page);
    }
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap().rsplit_once("altinn.").map_or("", |(_, kind)| kind))
        .collect()
}

fn of<'a>(events: &'a [Value], id: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["resourceinstance"] == id).collect()
}

#[tokio::test]
async fn instances_tell_that_they_were_made() {
    let simulator = post_office(|_| {}).await;
    let here = receiver(&simulator);
    let mut made = Vec::new();
    for number in 1..=5 {
        made.push(here.deliver(&item(number)).await.unwrap().receivers_reference);
    }
    let events = all(&simulator, "app/ttd/skjema?after=0&size=2").await;
    let ids: Vec<_> = events.iter().map(|event| event["resourceinstance"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, made, "each once, in order");
    let first = &events[0];
    assert_eq!(first["type"], "app.instance.created");
    assert_eq!(first["resource"], "urn:altinn:resource:app_ttd_skjema");
    assert!(first["source"].as_str().unwrap().ends_with(&format!("/ttd/skjema/instances/{}", made[0])));
    assert_eq!(first["subject"], format!("/party/{}", made[0].split_once('/').unwrap().0));
    let text = serde_json::to_string(&events).unwrap();
    assert!(!text.contains(super::setup::ORGANISATION), "whose it is is not kept");
    let list = "events?resource=urn:altinn:resource:app_ttd_skjema&after=0";
    assert_eq!(all(&simulator, list).await, events);
    let none = "app/ttd/skjema?from=2096-01-01T00:00:00Z";
    assert!(all(&simulator, none).await.is_empty());
}

#[tokio::test]
async fn messages_and_files_tell_what_becomes_of_them() {
    let simulator = post_office(|options: &mut SimulatorOptions| options.publish_ms = 3_600_000).await;
    postman(&simulator, target()).deliver(&letter(1, message("a"))).await.unwrap();
    let resource = target().resource;
    let list = format!("events?resource=urn:altinn:resource:{resource}&after=0");
    let initialized = "correspondence.correspondenceinitialized";
    assert_eq!(kinds(&all(&simulator, &list).await), [initialized], "it is not published yet");
    let simulator = post_office(|_| {}).await;
    let sent = postman(&simulator, target()).deliver(&letter(1, message("a"))).await.unwrap().receivers_reference;
    assert!(simulator.set_message_status(sent.parse().unwrap(), "Read"));
    let events = all(&simulator, &list).await;
    let expected = [initialized, "correspondence.correspondencepublished", "correspondence.correspondencereceiverread"];
    assert_eq!((kinds(&events), of(&events, &sent).len()), (expected.to_vec(), 3));
    let read = format!("{list}&type=no.altinn.correspondence.correspondencereceiverread");
    assert_eq!(all(&simulator, &read).await, events[2..]);

    let mut infected = archive(2, 0);
    infected.batch = Content::from_bytes("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
    infected.parcel.as_mut().unwrap().size_bytes = 68;
    let here = courier(&simulator);
    let good = here.deliver(&archive(1, 100)).await.unwrap().receivers_reference;
    let bad = here.deliver(&infected).await.unwrap().receivers_reference;
    assert!(simulator.set_transfer_status(good.parse().unwrap(), "DownloadConfirmed"));
    let events = all(&simulator, "events?resource=urn:altinn:resource:ttd-formidling&after=0").await;
    let of_good: Vec<Value> = of(&events, &good).into_iter().cloned().collect();
    let expected = ["filetransferinitialized", "uploadprocessing", "published", "published", "downloadconfirmed"];
    let told = kinds(&of_good);
    assert_eq!(told[..5], expected.map(|kind| format!("broker.{kind}")), "{told:?}");
    assert_eq!(told[5..], ["broker.allconfirmeddownloaded"]);
    let roles: Vec<_> = of_good.iter().map(|event| event["data"]["Role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["Sender", "Sender", "Sender", "Recipient", "Sender", "Sender"]);
    let of_bad: Vec<Value> = of(&events, &bad).into_iter().cloned().collect();
    assert_eq!(kinds(&of_bad)[1..], ["broker.uploadprocessing", "broker.uploadfailed"]);
}

#[tokio::test]
async fn an_instance_that_is_driven_on_tells_each_step() {
    let simulator = post_office(|_| {}).await;
    let id = receiver(&simulator).deliver(&item(1)).await.unwrap().receivers_reference;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..2 {
        let url = format!("{}/ttd/skjema/instances/{id}/process/next", simulator.base_url());
        let answer = client.put(url).bearer_auth(simulator.token()).json(&serde_json::json!({})).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let events = all(&simulator, "app/ttd/skjema?after=0").await;
    let told: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(told, ["app.instance.created", "app.instance.process.movedTo.Task_2", "app.instance.process.completed"]);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused() {
    let simulator = post_office(|_| {}).await;
    let (base, token) = (simulator.base_url(), simulator.token());
    let list = "events?resource=urn:altinn:resource:r";
    let wrong = [
        "events?after=0".to_owned(),
        "events?resource=r&after=0".to_owned(),
        list.to_owned(),
        format!("{list}&after=7"),
        format!("{list}&after=0&size=0"),
        format!("{list}&after=0&size=1001"),
        "app/ttd/skjema".to_owned(),
        "app/ttd/skjema?from=yesterday".to_owned(),
    ];
    for query in wrong {
        let answer = asked(&format!("{base}/events/api/v1/{query}"), &token).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    let answer = asked(&format!("{base}/events/api/v1/{list}&after=0"), "nobody's").await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn events_are_as_the_platform_describes_them() {
    let Some(folder) = reference() else { return };
    let judge = Description::read(&folder, "altinn-platform-subset.derived.json").judge("CloudEvent");
    let simulator = post_office(|_| {}).await;
    receiver(&simulator).deliver(&item(1)).await.unwrap();
    courier(&simulator).deliver(&archive(1, 100)).await.unwrap();
    let mut events = all(&simulator, "app/ttd/skjema?after=0").await;
    events.extend(all(&simulator, "events?resource=urn:altinn:resource:ttd-formidling&after=0").await);
    assert_eq!(events.len(), 5);
    for event in &events {
        let wrong: Vec<_> = judge.iter_errors(event).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{event}: {wrong:#?}");
    }
    let mut without = events[0].clone();
    without.as_object_mut().unwrap().remove("source");
    assert!(!judge.is_valid(&without));
}
