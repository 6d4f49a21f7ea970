//! The plain HTTP receiver and the directory receiver.

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use sluse::adapters::altinn::Waits;
use sluse::adapters::directory::DirectoryReceiver;
use sluse::adapters::receiver::{Credential, HttpReceiver, HttpSettings, HttpSetupError, Trust};
use sluse::codes;
use sluse::ports::{Content, DeliveryError, Receiver, SystemClock};

use super::setup::{ORGANISATION, item};
use crate::support::gateway::HTTP_TOKEN;
use crate::support::http_receiver::{Inbox, serve};

pub(super) fn settings(base_url: &str) -> HttpSettings {
    HttpSettings {
        url: format!("{base_url}/items"),
        status_url: Some(format!("{base_url}/items/{{key}}")),
        credential: Some(Credential::Bearer(HTTP_TOKEN.into())),
        headers: Vec::new(),
        signing_secret: None,
        trust: Trust::default(),
        waits: Waits { connect_ms: 2_000, answer_ms: 10_000 },
    }
}

pub(super) fn receiver(settings: HttpSettings) -> HttpReceiver {
    HttpReceiver::new(settings, Arc::new(SystemClock)).unwrap()
}

#[tokio::test]
async fn an_item_is_posted_once_as_a_batch_of_its_own() {
    let inbox = Inbox::default();
    let base_url = serve(inbox.clone()).await;
    let receiver = self::receiver(settings(&base_url));
    let item = item(3);
    let delivered = receiver.deliver(&item).await.unwrap();
    assert_eq!(delivered.receivers_reference, format!("R-{}", item.key));
    assert_eq!(receiver.deliver(&item).await.unwrap(), delivered);

    let taken = inbox.taken.lock().unwrap();
    assert_eq!(taken.len(), 1);
    let (headers, body) = &taken[&item.key.to_string()];
    assert_eq!(body, "<ServiceOwner/>");
    assert_eq!(headers["content-type"], "application/xml");
    assert_eq!(headers["x-sluse-shipment-reference"], "SHIP-1");
    assert_eq!(headers["x-sluse-item"], "3");
    assert!(!format!("{headers:?}").contains(ORGANISATION));
}

#[tokio::test]
async fn each_answer_of_a_plain_receiver_means_one_thing() {
    let inbox = Inbox::default();
    let base_url = serve(inbox.clone()).await;
    let receiver = self::receiver(settings(&base_url));
    let table = [
        (400, "Refused", codes::RECEIVER_REFUSED),
        (401, "Credentials", codes::CREDENTIALS_REFUSED),
        (404, "Credentials", codes::NOT_PERMITTED),
        (408, "Unknown", codes::OUTCOME_UNKNOWN),
        (409, "Refused", codes::RECEIVER_CONFLICT),
        (413, "Refused", codes::PAYLOAD_TOO_LARGE),
        (422, "Refused", codes::RECEIVER_REFUSED),
        (429, "Later", codes::THROTTLED),
        (500, "Unknown", codes::RECEIVER_FAULT),
        (503, "Later", codes::THROTTLED),
        (206, "Unknown", codes::OUTCOME_UNKNOWN),
        (302, "Later", codes::UNREACHABLE),
    ];
    for (status, variant, code) in table {
        *inbox.answer.lock().unwrap() = Some(StatusCode::from_u16(status).unwrap());
        let error = receiver.deliver(&item(1)).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(variant), "{status} {error:?}");
        assert_eq!(error.outcome().0, code, "{status}");
    }
}

#[tokio::test]
async fn a_plain_receiver_that_cannot_be_asked_is_sent_the_key_again() {
    let inbox = Inbox::default();
    let base_url = serve(inbox.clone()).await;
    let blind = receiver(HttpSettings { status_url: None, ..settings(&base_url) });
    blind.deliver(&item(1)).await.unwrap();
    assert!(matches!(blind.look_up(&item(1)).await.unwrap_err(), DeliveryError::Unclear));

    let wrong = Some(Credential::Header { name: "X-Key".into(), value: "secret-7c1d".into() });
    let settings = HttpSettings { credential: wrong, ..settings(&base_url) };
    assert!(!format!("{settings:?}").contains("7c1d"));
    let error = receiver(settings).deliver(&item(1)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }));
}

#[test]
fn a_plain_receiver_needs_addresses_that_can_work() {
    let base = || settings("http://127.0.0.1:1");
    let status_url = Some("http://127.0.0.1:1/items".into());
    let no_key = HttpReceiver::new(HttpSettings { status_url, ..base() }, Arc::new(SystemClock)).err().unwrap();
    assert!(matches!(no_key, HttpSetupError::NoKeyPlace(_)));
    let open = HttpSettings { url: "http://agency.example/in".into(), ..base() };
    let open = HttpReceiver::new(open, Arc::new(SystemClock)).err().unwrap();
    assert!(matches!(open, HttpSetupError::Address(_)));
}

#[tokio::test]
async fn a_directory_gets_each_item_as_a_file_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = DirectoryReceiver::open(dir.path()).unwrap();
    let item = item(1);
    let delivered = receiver.deliver(&item).await.unwrap();
    assert_eq!(receiver.deliver(&item).await.unwrap(), delivered);
    assert_eq!(delivered.receivers_reference, format!("{}.xml", item.key));
    assert_eq!(std::fs::read(dir.path().join(&delivered.receivers_reference)).unwrap(), b"<ServiceOwner/>");

    let mut broken = super::setup::item(2);
    broken.batch = Content::new(|| {
        let chunks = [Ok(Bytes::from_static(b"<Ser")), Err(std::io::Error::other("gone"))];
        Box::pin(futures::stream::iter(chunks))
    });
    assert!(matches!(receiver.deliver(&broken).await, Err(DeliveryError::Unreadable(_))));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_directory_that_is_gone_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = DirectoryReceiver::open(dir.path()).unwrap();
    assert!(DirectoryReceiver::open(dir.path().join("none")).is_err());
    drop(dir);
    let error = receiver.deliver(&item(1)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Later { code: codes::UNREACHABLE, .. }));
}
