//! What each answer means, and that no failure to answer makes a second effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::routing::{get, post};
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::json;
use sluse::adapters::altinn::AppReceiver;
use sluse::codes;
use sluse::model::{Code, Reportee, ReporteeKind};
use sluse::ports::{Consignment, Content, DeliveryError, Receiver, SystemClock};
use sluse::simulator::{Call, Fault, FaultPlan, Rule, Simulator, SimulatorOptions};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use super::setup::{
    LOOPBACK, always, attachment, item, once, options, receiver, receiver_with, services, settings, simulator,
};

/// An error as a table row: its variant, its code, the wait it asks for.
pub(super) fn shown(error: DeliveryError) -> (&'static str, Option<Code>, Option<u64>) {
    match error {
        DeliveryError::RefusedFor { code, .. } | DeliveryError::Refused { code } => ("refused", Some(code), None),
        DeliveryError::Later { code, after } => ("later", Some(code), after.map(|wait| wait.as_secs())),
        DeliveryError::Credentials { code } => ("credentials", Some(code), None),
        DeliveryError::Unknown { code } => ("unknown", Some(code), None),
        DeliveryError::Unclear => ("unclear", None, None),
        DeliveryError::Unreadable(_) => ("unreadable", None, None),
    }
}

#[tokio::test]
async fn every_answer_means_one_thing() {
    let table = [
        (Fault::BadRequest, "refused", codes::RECEIVER_REFUSED, None, 0),
        (Fault::Unauthorized, "credentials", codes::CREDENTIALS_REFUSED, None, 0),
        (Fault::Forbidden, "credentials", codes::NOT_PERMITTED, None, 0),
        (Fault::NotInstantiable, "refused", codes::RECEIVER_REFUSED, None, 0),
        // The app's metadata take everybody: a text alone decides nothing.
        (Fault::WrongParty, "credentials", codes::NOT_PERMITTED, None, 0),
        (Fault::UnknownParty, "refused", codes::REPORTEE_UNKNOWN, None, 0),
        (Fault::Conflict, "refused", codes::RECEIVER_CONFLICT, None, 0),
        (Fault::TooLarge, "refused", codes::PAYLOAD_TOO_LARGE, None, 0),
        (Fault::Throttled(7), "later", codes::THROTTLED, Some(7), 0),
        (Fault::Unavailable(9), "later", codes::THROTTLED, Some(9), 0),
        (Fault::ErrorBefore, "unknown", codes::RECEIVER_FAULT, None, 0),
        (Fault::ErrorAfter, "unknown", codes::RECEIVER_FAULT, None, 1),
        (Fault::ResetBefore, "unknown", codes::OUTCOME_UNKNOWN, None, 0),
        (Fault::ResetAfter, "unknown", codes::OUTCOME_UNKNOWN, None, 1),
    ];
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    for (fault, variant, code, after, effects) in table {
        simulator.reset().unwrap();
        simulator.set_faults(always(Call::Instantiate, fault));
        let error = receiver.deliver(&item(1)).await.unwrap_err();
        assert_eq!(shown(error), (variant, Some(code), after), "{fault:?}");
        assert_eq!(simulator.effects().total, effects, "{fault:?}");
        // Looking tells what nobody knew.
        simulator.set_faults(FaultPlan::default());
        let found = receiver.look_up(&item(1)).await.unwrap();
        assert_eq!(found.is_some(), effects == 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_by_its_key_among_many_pages() {
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    for number in 1..=230 {
        receiver.deliver(&item(number)).await.unwrap();
    }
    simulator.set_faults(once(Call::Instantiate, Fault::ResetAfter));
    let lost = item(231);
    assert_eq!(shown(receiver.deliver(&lost).await.unwrap_err()).0, "unknown");
    let found = receiver.look_up(&lost).await.unwrap().unwrap();
    assert_eq!(found.receivers_reference, simulator.instances()[230].id);
    assert_eq!(receiver.look_up(&item(999)).await.unwrap(), None);
    assert_eq!(simulator.effects().look_ups, 6);
    assert!(simulator.effects().repeated.is_empty());
}

/// How a delivery fails once there is a token: on a slow machine that may take longer than an answer, too.
async fn failed(receiver: &AppReceiver, item: &Consignment) -> DeliveryError {
    loop {
        let error = receiver.deliver(item).await.unwrap_err();
        if !matches!(error, DeliveryError::Later { .. }) {
            return error;
        }
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_unknown() {
    let simulator = simulator().await;
    let mut settings = settings(simulator.base_url());
    settings.waits.answer_ms = 200;
    simulator.set_faults(always(Call::Instantiate, Fault::Latency(600_000)));
    let error = failed(&receiver_with(settings), &item(1)).await;
    assert_eq!(shown(error), ("unknown", Some(codes::OUTCOME_UNKNOWN), None));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_again() {
    let simulator = simulator().await;
    // Bound, so that nobody else listens there.
    let unused = TcpSocket::new_v4().unwrap();
    unused.bind(LOOPBACK).unwrap();
    let mut settings = settings(simulator.base_url());
    settings.apps_base = format!("http://{}", unused.local_addr().unwrap());
    let error = receiver_with(settings).deliver(&item(1)).await.unwrap_err();
    assert_eq!(shown(error), ("later", Some(codes::UNREACHABLE), None));
}

#[tokio::test]
async fn a_reportee_that_the_app_does_not_take_refuses_its_item_alone() {
    let (sub_unit, person) = ("910000012", Reportee::new(ReporteeKind::Person, "01017012345".into()));
    let mut options = options();
    options.apps[0].party_types = vec!["organisation".into()];
    options.sub_units = vec![sub_unit.into()];
    let simulator = Simulator::start(LOOPBACK, options).await.unwrap();
    let receiver = receiver(&simulator);
    let of = |number, reportee: &Reportee| Consignment { reportee: Some(reportee.clone()), ..item(number) };
    let refused = ("refused", Some(codes::RECEIVER_REFUSED), None);
    assert_eq!(shown(receiver.deliver(&of(1, &person)).await.unwrap_err()), refused);
    let sub_unit = Reportee::new(ReporteeKind::Organisation, sub_unit.into());
    assert_eq!(shown(receiver.deliver(&of(2, &sub_unit)).await.unwrap_err()), refused);
    receiver.deliver(&item(3)).await.unwrap();
    // What the platform does not allow is no fault of an organisation's; a person would not be taken anyway.
    simulator.set_faults(always(Call::Instantiate, Fault::Forbidden));
    let not_permitted = ("credentials", Some(codes::NOT_PERMITTED), None);
    assert_eq!(shown(receiver.deliver(&item(4)).await.unwrap_err()), not_permitted);
    assert_eq!(shown(receiver.deliver(&of(5, &person)).await.unwrap_err()), refused);
    simulator.set_faults(always(Call::Instantiate, Fault::WrongParty));
    assert_eq!(shown(receiver.deliver(&item(6)).await.unwrap_err()), refused);
    // While the app does not say whom it takes, nobody knows.
    let rule = |call, fault| Rule { fault, call, every: None, probability: None, most: None };
    for (fault, expected) in [
        (Fault::ErrorBefore, ("later", Some(codes::UNREACHABLE), None)),
        (Fault::ResetBefore, ("later", Some(codes::UNREACHABLE), None)),
        (Fault::Forbidden, not_permitted),
    ] {
        let rules = vec![rule(Call::Instantiate, Fault::WrongParty), rule(Call::AppMetadata, fault)];
        simulator.set_faults(FaultPlan { seed: 0, rules });
        assert_eq!(shown(receiver.deliver(&of(7, &person)).await.unwrap_err()), expected, "{fault:?}");
    }
    assert_eq!(simulator.effects().total, 1);
}

#[tokio::test]
async fn a_text_that_is_not_the_apps_refuses_no_item() {
    let metadata = || async { Json(json!({"partyTypesAllowed": {"organisation": true}})) };
    let forbidden = || async { (StatusCode::FORBIDDEN, "Forbidden") };
    let router = tokens()
        .route("/ttd/skjema/instances", post(forbidden))
        .route("/ttd/skjema/api/v1/applicationmetadata", get(metadata));
    let (base_url, server) = served(router).await;
    let error = receiver_with(settings(&base_url)).deliver(&item(1)).await.unwrap_err();
    assert_eq!(shown(error), ("credentials", Some(codes::NOT_PERMITTED), None));
    server.abort();
}

/// Of an algorithm that is never looked at, and good for centuries.
const TOKEN: &str = "\"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTl9.c2ln\"";

/// What every platform has.
fn tokens() -> axum::Router {
    axum::Router::new()
        .route("/token", post(|| async { Json(json!({"access_token": "a", "expires_in": 100})) }))
        .route("/authentication/api/v1/exchange/maskinporten", get(|| async { TOKEN }))
}

async fn served(router: axum::Router) -> (String, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    (base_url, tokio::spawn(async move { axum::serve(listener, router).await }))
}

#[tokio::test]
async fn a_wrong_app_in_the_settings_refuses_no_item() {
    let simulator = simulator().await;
    let mut services = services();
    services.rows[0].app.as_mut().unwrap().app = "skjemma".into();
    let receiver = AppReceiver::new(settings(simulator.base_url()), services, Arc::new(SystemClock)).unwrap();
    let error = receiver.deliver(&item(1)).await.unwrap_err();
    assert_eq!(shown(error), ("credentials", Some(codes::NOT_PERMITTED), None));
}

#[tokio::test]
async fn a_long_body_may_take_its_time_as_long_as_it_moves() {
    let simulator = simulator().await;
    let waiting = |answer_ms| {
        let mut settings = settings(simulator.base_url());
        settings.waits.answer_ms = answer_ms;
        receiver_with(settings)
    };
    // Longer than an answer may take, and each piece much shorter.
    let slow = Content::new(|| {
        stream::iter(0..25)
            .then(async |_| {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(Bytes::from(vec![0; 40 * 1024]))
            })
            .boxed()
    });
    let stuck = Content::new(|| {
        let moving = stream::iter(0..2).map(|_| Ok(Bytes::from(vec![0; 40 * 1024])));
        moving.chain(stream::pending()).boxed()
    });
    let with = |content| Consignment { parts: vec![attachment("a.pdf", content)], ..item(1) };
    let error = failed(&waiting(800), &with(stuck)).await;
    assert_eq!(shown(error), ("unknown", Some(codes::OUTCOME_UNKNOWN), None));
    waiting(4_000).deliver(&with(slow)).await.unwrap();
    assert_eq!(simulator.effects().total, 1);
}

#[tokio::test]
async fn a_look_that_fails_leaves_the_outcome_unknown() {
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    for fault in
        [Fault::Throttled(3), Fault::ErrorBefore, Fault::ResetBefore, Fault::UnknownParty, Fault::Unavailable(1)]
    {
        simulator.set_faults(always(Call::List, fault));
        assert_eq!(shown(receiver.look_up(&item(1)).await.unwrap_err()).0, "unknown", "{fault:?}");
    }
    for fault in [Fault::Throttled(3), Fault::ErrorBefore, Fault::ResetBefore] {
        simulator.revoke_tokens();
        let fresh = super::setup::receiver(&simulator);
        simulator.set_faults(always(Call::Grant, fault));
        assert_eq!(shown(fresh.look_up(&item(1)).await.unwrap_err()).0, "unknown", "{fault:?}");
    }
}

#[tokio::test]
async fn pages_elsewhere_are_not_followed() {
    let asked = Arc::new(AtomicU32::new(0));
    let listed = Arc::clone(&asked);
    let list = move || async move {
        listed.fetch_add(1, Ordering::SeqCst);
        Json(json!({"instances": [], "next": "http://127.0.0.1:9/storage/api/v1/instances"}))
    };
    let (base_url, server) = served(tokens().route("/storage/api/v1/instances", get(list))).await;
    let error = receiver_with(settings(&base_url)).look_up(&item(1)).await.unwrap_err();
    assert_eq!(shown(error), ("unknown", Some(codes::RECEIVER_FAULT), None));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    server.abort();
}

#[tokio::test]
async fn a_run_of_faults_ends_with_each_item_once() {
    let rule = |fault, probability| Rule {
        fault,
        call: Call::Instantiate,
        every: None,
        probability: Some(probability),
        most: None,
    };
    let rules = vec![
        rule(Fault::ResetAfter, 0.1),
        rule(Fault::ResetBefore, 0.1),
        rule(Fault::ErrorAfter, 0.1),
        rule(Fault::Throttled(0), 0.1),
        rule(Fault::Unauthorized, 0.05),
    ];
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    simulator.set_faults(FaultPlan { seed: 42, rules });
    for number in 1..=200 {
        let item = item(number);
        let mut unknown = false;
        loop {
            if unknown && receiver.look_up(&item).await.unwrap().is_some() {
                break;
            }
            match receiver.deliver(&item).await {
                Ok(_) => break,
                Err(error) => unknown = shown(error).0 == "unknown",
            }
        }
    }
    let effects = simulator.effects();
    assert_eq!((effects.total, effects.distinct), (200, 200));
    assert!(effects.repeated.is_empty() && effects.instantiations > 230, "{effects:?}");
}

#[tokio::test]
async fn a_simulator_with_a_journal_remembers_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let options = SimulatorOptions { journal: Some(dir.path().join("effects.jsonl")), ..options() };
    let first = Simulator::start(LOOPBACK, options.clone()).await.unwrap();
    let before = receiver(&first);
    before.deliver(&item(1)).await.unwrap();
    drop(before);
    first.stop().await;

    let second = Simulator::start(LOOPBACK, options).await.unwrap();
    let receiver = receiver(&second);
    assert!(receiver.look_up(&item(1)).await.unwrap().is_some());
    receiver.deliver(&item(1)).await.unwrap();
    assert_eq!(second.effects().repeated[0].count, 2);
}

#[tokio::test]
async fn the_simulator_is_controlled_over_http() {
    let simulator = simulator().await;
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let url = |path: &str| format!("{}/simulator/{path}", simulator.base_url());
    let plan = json!({"rules": [{"fault": {"throttled": 1}, "every": 1}]});
    assert_eq!(client.put(url("faults")).json(&plan).send().await.unwrap().status(), 204);
    assert_eq!(shown(receiver(&simulator).deliver(&item(1)).await.unwrap_err()).0, "later");
    assert_eq!(client.post(url("reset")).send().await.unwrap().status(), 204);
    receiver(&simulator).deliver(&item(1)).await.unwrap();
    let counts: serde_json::Value = client.get(url("effects")).send().await.unwrap().json().await.unwrap();
    assert_eq!(counts["total"], 1);
    let instances: serde_json::Value = client.get(url("instances")).send().await.unwrap().json().await.unwrap();
    assert_eq!(instances[0]["parts"][0]["name"], "model");
}
