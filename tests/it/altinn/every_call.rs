//! Every call of the simulator can go wrong, before its effect or after it, and can have a limit.

use reqwest::{Client, Method, Response, StatusCode};
use sluse::simulator::{Call, Fault, Limit, LimitPlan, Simulator};
use uuid::Uuid;

use super::letters::post_office;
use super::setup::always;

/// A call, a request that is one, and the kind of its body.
const CALLS: &[(Call, &str, &str, &str)] = &[
    (Call::Metadata, "GET", "/.well-known/oauth-authorization-server", ""),
    (Call::Grant, "POST", "/token", "application/x-www-form-urlencoded"),
    (Call::Exchange, "GET", "/authentication/api/v1/exchange/maskinporten", ""),
    (Call::List, "GET", "/storage/api/v1/instances", ""),
    (Call::Instantiate, "POST", "/ttd/skjema/instances", FORM),
    (Call::Instance, "GET", "/ttd/skjema/instances/1/ID", ""),
    (Call::Delete, "DELETE", "/ttd/skjema/instances/1/ID?hard=true", ""),
    (Call::ChangeData, "PUT", "/ttd/skjema/instances/1/ID/data/ID", "application/xml"),
    (Call::ChangeData, "DELETE", "/ttd/skjema/instances/1/ID/data/ID", ""),
    (Call::Data, "POST", "/ttd/skjema/instances/1/ID/data/type/model", "application/xml"),
    (Call::Next, "PUT", "/ttd/skjema/instances/1/ID/process/next", JSON),
    (Call::Validate, "GET", "/ttd/skjema/instances/1/ID/validate", ""),
    (Call::AppMetadata, "GET", "/ttd/skjema/api/v1/applicationmetadata", ""),
    (Call::Message, "POST", "/correspondence/api/v1/correspondence", JSON),
    (Call::Message, "POST", "/correspondence/api/v1/correspondence/upload", FORM),
    (Call::FindMessage, "GET", "/correspondence/api/v1/correspondence?resourceId=r&role=Sender", ""),
    (Call::MessageOverview, "GET", "/correspondence/api/v1/correspondence/ID", ""),
    (Call::MessageDetails, "GET", "/correspondence/api/v1/correspondence/ID/details", ""),
    (Call::Announce, "POST", "/correspondence/api/v1/attachment", JSON),
    (Call::Upload, "POST", "/correspondence/api/v1/attachment/ID/upload", "application/octet-stream"),
    (Call::AttachmentOverview, "GET", "/correspondence/api/v1/attachment/ID", ""),
    (Call::Notification, "POST", "/notifications/api/v1/future/orders", JSON),
    (Call::Transfer, "POST", "/broker/api/v1/filetransfer", JSON),
    (Call::FindTransfer, "GET", "/broker/api/v1/filetransfer?resourceId=r", ""),
    (Call::TransferOverview, "GET", "/broker/api/v1/filetransfer/ID", ""),
    (Call::TransferDetails, "GET", "/broker/api/v1/filetransfer/ID/details", ""),
    (Call::TransferConfirm, "POST", "/broker/api/v1/filetransfer/ID/confirmdownload", ""),
    (Call::TransferUpload, "POST", "/broker/api/v1/filetransfer/ID/upload", "application/octet-stream"),
    (Call::TransferUpload, "POST", "/broker/api/v1/filetransfer/upload/tus/ID", ""),
    (Call::TransferOffset, "HEAD", "/broker/api/v1/filetransfer/upload/tus/ID", ""),
    (Call::TransferPart, "PATCH", "/broker/api/v1/filetransfer/upload/tus/ID", "application/octet-stream"),
    (Call::TransferTerminate, "DELETE", "/broker/api/v1/filetransfer/upload/tus/ID", ""),
    (Call::Events, "GET", "/events/api/v1/events?resource=urn:altinn:resource:r&after=0", ""),
    (Call::Events, "GET", "/events/api/v1/app/ttd/skjema?after=0", ""),
    (Call::Batch, "POST", "/soap", "application/soap+xml"),
    (Call::BatchStatus, "GET", "/soap/ID", ""),
];

const JSON: &str = "application/json";
const FORM: &str = "multipart/form-data; boundary=b";

async fn send(simulator: &Simulator, (_, method, path, kind): (Call, &str, &str, &str)) -> reqwest::Result<Response> {
    let client = Client::builder().no_proxy().build().unwrap();
    let path = path.replace("ID", &Uuid::nil().to_string());
    let request =
        client.request(Method::from_bytes(method.as_bytes()).unwrap(), simulator.base_url().to_owned() + &path);
    let request = request.bearer_auth(simulator.token());
    let request = if kind.is_empty() {
        request
    } else {
        request.header("content-type", kind).body(if kind == FORM { "--b--\r\n" } else { "{}" })
    };
    request.send().await
}

#[tokio::test]
async fn every_call_meets_what_it_is_told_to() {
    let simulator = post_office(|_| {}).await;
    for call in CALLS {
        let right = send(&simulator, *call).await.unwrap().status();
        let table = [
            (Fault::Throttled(7), StatusCode::TOO_MANY_REQUESTS),
            (Fault::Unavailable(7), StatusCode::SERVICE_UNAVAILABLE),
            (Fault::ErrorBefore, StatusCode::INTERNAL_SERVER_ERROR),
            (Fault::Latency(1), right),
        ];
        for (fault, status) in table {
            simulator.set_faults(always(call.0, fault));
            let answer = send(&simulator, *call).await.unwrap();
            assert_eq!(answer.status(), status, "{call:?} {fault:?}");
            let waits = matches!(fault, Fault::Throttled(_) | Fault::Unavailable(_));
            assert_eq!(answer.headers().contains_key("retry-after"), waits, "{call:?} {fault:?}");
        }
        simulator.set_faults(always(call.0, Fault::ResetBefore));
        assert!(send(&simulator, *call).await.is_err(), "{call:?} is not reset");
        simulator.reset().unwrap();
    }
}

#[tokio::test]
async fn every_call_can_have_a_limit() {
    let simulator = post_office(|_| {}).await;
    for call in CALLS {
        simulator.set_limits(&LimitPlan { window_ms: 60_000, rules: vec![Limit { call: call.0, most: 1 }] });
        let first = send(&simulator, *call).await.unwrap().status();
        let second = send(&simulator, *call).await.unwrap();
        assert_ne!(first, StatusCode::TOO_MANY_REQUESTS, "{call:?}");
        assert_eq!(second.status(), StatusCode::TOO_MANY_REQUESTS, "{call:?}");
        let wait: u64 = second.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{call:?}: {wait}");
        assert_eq!(simulator.limit_counts()[&call.0].passed, 1);
    }
}

#[tokio::test]
async fn a_token_whose_answer_is_lost_was_given_all_the_same() {
    let simulator = post_office(|_| {}).await;
    simulator.set_faults(super::setup::once(Call::Exchange, Fault::ResetAfter));
    let here = super::setup::receiver(&simulator);
    use sluse::ports::Receiver as _;
    while here.deliver(&super::setup::item(1)).await.is_err() {}
    let seen = simulator.effects();
    assert_eq!((seen.exchanges, seen.total), (2, 1));
}
