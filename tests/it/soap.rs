//! The SOAP receiver against a service that keeps to the contract.

mod delivery;
mod queue;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use sluse::adapters::receiver::{Access, Trust, Waits};
use sluse::adapters::soap::{SoapReceiver, SoapSettings, UserPassword};
use sluse::codes;
use sluse::model::{CredentialPlace, ItemKey, ShipmentId, SoapVersion};
use sluse::ports::{BatchConsignment, Clock, Content, DeliveryError, NamedContent, Receiver as _, SystemClock};

use crate::support::gateway::PATIENCE;
use crate::support::soap_receiver::{Act, SoapInbox};

const VERSIONS: [(SoapVersion, &str); 2] = [(SoapVersion::V11, "1.1"), (SoapVersion::V12, "1.2")];

fn settings(base_url: &str, version: SoapVersion, mtom: bool) -> SoapSettings {
    let access = Access {
        url: format!("{base_url}/soap"),
        status_url: None,
        credential: None,
        trust: Trust::default(),
        waits: Waits { connect_ms: PATIENCE.as_millis() as u64, answer_ms: PATIENCE.as_millis() as u64 },
    };
    SoapSettings { access, version, mtom, user: None }
}

fn receiver(settings: SoapSettings) -> SoapReceiver {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    SoapReceiver::new(settings, &clock).unwrap()
}

fn batch(number: u64, attachments: &[(&str, &[u8])]) -> BatchConsignment {
    let named = |(name, bytes): &(&str, &[u8])| NamedContent {
        name: (*name).to_owned(),
        content: Content::from_bytes(bytes.to_vec()),
    };
    BatchConsignment {
        shipment: ShipmentId::new(),
        number,
        key: ItemKey::derive(&["soap", &number.to_string()]),
        items: 1,
        reference: String::new(),
        sequence_number: Some(7),
        content: Content::from_bytes(BATCH),
        attachments: attachments.iter().map(named).collect(),
        is_repeat: false,
    }
}

/// With everything that would not survive if it were not written as text.
const BATCH: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<DataBatch a='&lt;&amp;'>å\n<![CDATA[<x>&y;</x>]]>\r--b</DataBatch>";

#[tokio::test]
async fn requests_are_as_the_golden_files_have_them() {
    for (version, name) in VERSIONS {
        for (mtom, attachments) in [(true, true), (true, false), (false, true), (false, false)] {
            let inbox = SoapInbox::new(version, mtom);
            let receiver = receiver(settings(&inbox.serve().await, version, mtom));
            let files: &[(&str, &[u8])] = &[("AR1-vedlegg.pdf", b"%PDF-"), ("AR2-å.xml", b"<a/>\r\n--x--\r\n")];
            let batch = batch(1, if attachments { files } else { &[] });
            let delivered = receiver.deliver_batch(&batch).await.unwrap();
            assert_eq!(delivered.receivers_reference, batch.key.to_string());
            let taken = inbox.taken.lock().unwrap();
            let took = &taken[&batch.key.to_string()];
            assert_eq!((took.batch.as_slice(), took.sequence_number), (BATCH.as_bytes(), 7));
            let expected = batch.attachments.len();
            assert_eq!(took.attachments.len(), expected);
            for (name, bytes) in files.iter().take(expected) {
                assert_eq!(took.attachments[*name], *bytes);
            }
            let way = match (attachments, mtom) {
                (false, _) => "plain",
                (true, true) => "mtom",
                (true, false) => "base64",
            };
            golden(&format!("{name}-{way}.txt"), &took.shown);
        }
    }
}

#[tokio::test]
async fn the_user_goes_in_the_operation_or_in_the_header() {
    for (place, name) in [(CredentialPlace::Body, "user-in-body"), (CredentialPlace::Header, "user-in-header")] {
        let inbox = SoapInbox::new(SoapVersion::V11, true);
        let password = "p<&>7c1d".into();
        let user = Some(UserPassword { name: "ola & co".into(), password, place });
        let settings = SoapSettings { user, ..settings(&inbox.serve().await, SoapVersion::V11, true) };
        assert!(!format!("{settings:?}").contains("7c1d"));
        receiver(settings).deliver_batch(&batch(1, &[])).await.unwrap();
        let taken = inbox.taken.lock().unwrap();
        golden(&format!("{name}.txt"), &taken.values().next().unwrap().shown);
    }
    let open = settings("http://agency.example", SoapVersion::V11, true);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    assert!(SoapReceiver::new(open.clone(), &clock).is_ok());
    let user = Some(UserPassword { name: "u".into(), password: "p".into(), place: CredentialPlace::Header });
    assert!(SoapReceiver::new(SoapSettings { user, ..open }, &clock).is_err(), "the password would be read on the way");
}

#[tokio::test]
async fn each_answer_means_one_thing_and_so_it_does_in_parts() {
    for (version, _) in VERSIONS {
        for answers_in_parts in [false, true] {
            let mut inbox = SoapInbox::new(version, true);
            inbox.answers_in_parts = answers_in_parts;
            let receiver = receiver(settings(&inbox.serve().await, version, true));
            receiver.deliver_batch(&batch(1, &[])).await.unwrap();
            let table = [
                (Act::Fail, "Later", codes::RECEIVER_FAULT),
                (Act::FailForGood, "Refused", codes::RECEIVER_REFUSED),
                (Act::Fault, "Later", codes::RECEIVER_DOWN),
                (Act::TakeAndLose, "Unknown", codes::RECEIVER_FAULT),
                (Act::Status(200), "Unknown", codes::OUTCOME_UNKNOWN),
                (Act::Status(202), "Unknown", codes::OUTCOME_UNKNOWN),
                (Act::Status(301), "Later", codes::UNREACHABLE),
                (Act::Status(401), "Credentials", codes::CREDENTIALS_REFUSED),
                (Act::Status(404), "Credentials", codes::NOT_PERMITTED),
                (Act::Status(408), "Unknown", codes::OUTCOME_UNKNOWN),
                (Act::Status(413), "Refused", codes::PAYLOAD_TOO_LARGE),
                (Act::Status(415), "Credentials", codes::NOT_PERMITTED),
                (Act::Status(429), "Later", codes::THROTTLED),
                (Act::Status(500), "Unknown", codes::RECEIVER_FAULT),
            ];
            for (act, variant, code) in table {
                inbox.script(&[act]);
                let error = receiver.deliver_batch(&batch(2, &[])).await.unwrap_err();
                assert!(format!("{error:?}").starts_with(variant), "{act:?}: {error:?}");
                assert_eq!(error.outcome().0, code, "{act:?}");
                assert!(!format!("{error:?} {error}").contains("14878510187"), "the text of an answer is not shown");
            }
        }
    }
}

#[tokio::test]
async fn a_repeat_refused_for_good_may_be_there_unless_the_receiver_can_be_asked() {
    let inbox = SoapInbox::new(SoapVersion::V11, true);
    let base_url = inbox.serve().await;
    let blind = receiver(settings(&base_url, SoapVersion::V11, true));
    *inbox.then.lock().unwrap() = Act::RefuseRepeats;
    let repeated = |number| BatchConsignment { is_repeat: true, ..batch(number, &[]) };
    blind.deliver_batch(&batch(1, &[])).await.unwrap();
    let doubtful = blind.deliver_batch(&repeated(1)).await.unwrap_err();
    assert!(matches!(doubtful, DeliveryError::Refused { code: codes::REPEAT_REFUSED }), "{doubtful:?}");
    assert!(
        matches!(blind.look_up_batch(&repeated(1)).await, Err(DeliveryError::Unclear)),
        "there is nothing to look at"
    );

    let mut asking = settings(&base_url, SoapVersion::V11, true);
    asking.access.status_url = Some(format!("{base_url}/soap/{{key}}"));
    let asking = receiver(asking);
    let found = asking.deliver_batch(&repeated(1)).await.unwrap();
    assert_eq!(found.receivers_reference, batch(1, &[]).key.to_string());
    assert_eq!(asking.look_up_batch(&repeated(1)).await.unwrap(), Some(found));
    inbox.script(&[Act::FailForGood]);
    let refused = asking.deliver_batch(&repeated(2)).await.unwrap_err();
    assert!(matches!(refused, DeliveryError::Refused { code: codes::RECEIVER_REFUSED }), "{refused:?}");
    assert_eq!(asking.look_up_batch(&repeated(2)).await.unwrap(), None);
}

#[tokio::test]
async fn large_attachments_are_streamed_and_what_cannot_be_read_is_never_taken() {
    for mtom in [true, false] {
        let inbox = SoapInbox::new(SoapVersion::V12, mtom);
        let receiver = receiver(settings(&inbox.serve().await, SoapVersion::V12, mtom));
        let chunk = |number: usize| Bytes::from((0..65_536).map(|at| (at * 31 + number * 7) as u8).collect::<Vec<_>>());
        let content = Content::new(move || stream::iter((0..160).map(move |number| Ok(chunk(number)))).boxed());
        let mut large = batch(1, &[("b.bin", b"after")]);
        large.attachments.insert(0, NamedContent { name: "a.bin".into(), content });
        receiver.deliver_batch(&large).await.unwrap();
        let whole: Vec<u8> = (0..160).flat_map(chunk).collect();
        let taken = inbox.taken.lock().unwrap().remove(&large.key.to_string()).unwrap();
        assert!(taken.attachments["a.bin"] == whole && taken.attachments["b.bin"] == b"after");

        let breaks = Content::new(move || {
            let good = stream::iter((0..40).map(move |number| Ok(chunk(number))));
            good.chain(stream::iter([Err(std::io::Error::other("gone"))])).boxed()
        });
        let mut broken = batch(2, &[]);
        broken.attachments.push(NamedContent { name: "a.bin".into(), content: breaks });
        let error = receiver.deliver_batch(&broken).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Unreadable(_)), "{error:?}");
        assert!(inbox.taken.lock().unwrap().is_empty());
    }
}

/// With SLUSE_BLESS=1 the file is written anew, to be read before it is committed.
fn golden(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/soap").join(name);
    if std::env::var_os("SLUSE_BLESS").is_some() {
        std::fs::write(&path, shown).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), shown, "{name}");
}
