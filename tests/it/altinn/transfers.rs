//! Transfers: what is sent, what each answer means, that an upload goes on where it was, and that nobody gets one twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use futures::stream;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluse::adapters::altinn::{BrokerLimits, BrokerReceiver, BrokerSettings, NewsSettings};
use sluse::codes;
use sluse::model::{
    Code, ItemKey, ItemKind, LateEvent, Reportee, ReporteeKind, ServiceRow, ServiceTable, TransferContent,
    TransferTarget,
};
use sluse::ports::{
    Consignment, Content, DeliveryError, LedgerError, Parcel, Payload, Receiver, Stand, SystemClock, Transfers,
};
use sluse::simulator::{Call, Fault, FaultPlan, Rule, Simulator, SimulatorOptions};
use uuid::Uuid;

use super::faults::shown;
use super::letters::post_office;
use super::setup::{ORGANISATION, always, item, once, settings};

const SENDER: &str = "310000000";
/// More than goes in one piece.
const LARGE: usize = 300_000;

/// What was begun, for as long as the test runs.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<ItemKey, Uuid>>);

#[async_trait]
impl Transfers for Kept {
    async fn transfer(&self, item: ItemKey) -> Result<Option<Uuid>, LedgerError> {
        Ok(self.0.lock().unwrap().get(&item).copied())
    }

    async fn keep_transfer(&self, item: ItemKey, id: Uuid, _: Timestamp) -> Result<(), LedgerError> {
        self.0.lock().unwrap().insert(item, id);
        Ok(())
    }

    async fn known_transfers(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, LedgerError> {
        let known = self.0.lock().unwrap();
        Ok(ids.iter().filter(|id| known.values().any(|known| known == *id)).copied().collect())
    }
}

pub(super) fn to_resource(content: TransferContent) -> TransferTarget {
    TransferTarget { resource: "ttd-formidling".into(), content, is_scanned: true }
}

pub(super) fn courier(simulator: &Simulator) -> BrokerReceiver {
    courier_with(simulator, to_resource(TransferContent::Archive), Arc::default())
}

/// One that keeps under limits.
pub(super) fn courier_within(simulator: &Simulator, limits: Arc<BrokerLimits>) -> BrokerReceiver {
    courier_of(simulator, to_resource(TransferContent::Archive), Arc::default(), limits)
}

pub(super) fn courier_with(simulator: &Simulator, target: TransferTarget, store: Arc<Kept>) -> BrokerReceiver {
    courier_of(simulator, target, store, Arc::default())
}

fn courier_of(
    simulator: &Simulator,
    target: TransferTarget,
    store: Arc<Kept>,
    limits: Arc<BrokerLimits>,
) -> BrokerReceiver {
    let row = ServiceRow {
        code: "PSA".into(),
        edition: None,
        app: None,
        message: None,
        transfer: Some(target),
        schemas: Vec::new(),
    };
    let services = ServiceTable { rows: vec![row], ..ServiceTable::default() };
    let news = NewsSettings {
        events: LateEvent::ALL.to_vec(),
        first_wait: Duration::from_secs(60),
        longest_wait: Duration::from_secs(600),
        lasts: Duration::from_secs(3_600),
    };
    let broker = BrokerSettings { resumable_above_bytes: 100_000, part_bytes: 70_000, news, limits };
    BrokerReceiver::new(settings(simulator.base_url()), services, broker, (store, Arc::new(SystemClock))).unwrap()
}

fn party(number: &str) -> Reportee {
    let kind = if number.len() == 9 { ReporteeKind::Organisation } else { ReporteeKind::Person };
    Reportee::new(kind, number.into())
}

/// An archive of so many bytes, all different.
pub(super) fn archive(number: u64, size: usize) -> Consignment {
    let bytes: Vec<u8> = (0..size).map(|at| (at as u64 * 31 + at as u64 / 256 + number) as u8).collect();
    let parcel = Parcel {
        sender: party(SENDER),
        file_name: "nattleveranse.zip".into(),
        size_bytes: size as u64,
        properties: vec![("Tittel".into(), "Årsoppgave".into())],
        payload: None,
    };
    Consignment {
        kind: ItemKind::Recipient,
        parts: Vec::new(),
        parcel: Some(parcel),
        batch: Content::from_bytes(bytes),
        ..item(number)
    }
}

fn with_parcel(item: Consignment, change: impl FnOnce(&mut Parcel)) -> Consignment {
    let mut parcel = item.parcel.clone().unwrap();
    change(&mut parcel);
    Consignment { parcel: Some(parcel), ..item }
}

async fn sha256(content: &Content) -> String {
    use futures::TryStreamExt as _;
    let bytes: Vec<Bytes> = content.stream().try_collect().await.unwrap();
    digest(&SHA256, &bytes.concat()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was asked for when the latest transfer was begun.
fn asked(simulator: &Simulator) -> Value {
    let requests = simulator.requests();
    let begun = requests.iter().rfind(|request| request.operation == "POST /broker/api/v1/filetransfer");
    begun.unwrap().content.clone()
}

fn code(error: DeliveryError) -> (&'static str, Option<Code>) {
    let (what, code, _) = shown(error);
    (what, code)
}

#[tokio::test]
async fn an_archive_goes_as_it_is_mapped() {
    let simulator = post_office(|_| {}).await;
    let item = archive(1, 5_000);
    let delivered = courier(&simulator).deliver(&item).await.unwrap();
    let expected = json!({
        "fileName": "nattleveranse.zip", "resourceId": "ttd-formidling", "sendersFileTransferReference": "ft-1",
        "sender": format!("urn:altinn:organization:identifier-no:{SENDER}"),
        "recipients": [format!("urn:altinn:organization:identifier-no:{ORGANISATION}")],
        "propertyList": {"Tittel": "Årsoppgave"}, "checksum": asked(&simulator)["checksum"], "disableVirusScan": false
    });
    assert_eq!(asked(&simulator), expected);
    assert_eq!(expected["checksum"].as_str().unwrap().len(), 32);
    let facts = &simulator.transfers()[0];
    assert_eq!(facts.sha256.as_deref(), Some(sha256(&item.batch).await.as_str()));
    assert_eq!((facts.size_bytes, facts.status.as_str()), (Some(5_000), "Published"));
    assert_eq!(delivered.receivers_reference, facts.id.to_string());
    assert_eq!(delivered.news_for, Some(Duration::from_secs(3_600)));
    assert_eq!(courier(&simulator).look_up(&archive(2, 10)).await.unwrap(), None);
}

#[tokio::test]
async fn a_payload_goes_alone_where_the_row_says_so() {
    let simulator = post_office(|_| {}).await;
    let target = TransferTarget { is_scanned: false, ..to_resource(TransferContent::Payload) };
    let content = Content::from_bytes("what they agreed on");
    let payload = Payload { file_name: "rapport?.pdf".into(), size_bytes: 19, content: content.clone() };
    let item = with_parcel(archive(1, 5_000), |parcel| {
        parcel.payload = Some(payload);
        parcel.properties = Vec::new();
    });
    courier_with(&simulator, target, Arc::default()).deliver(&item).await.unwrap();
    let facts = &simulator.transfers()[0];
    assert_eq!((facts.file_name.as_str(), facts.size_bytes), ("rapport_.pdf", Some(19)));
    assert_eq!(facts.sha256.as_deref(), Some(sha256(&content).await.as_str()));
    assert_eq!(
        (&asked(&simulator)["disableVirusScan"], &asked(&simulator)["propertyList"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn a_file_of_another_name_is_called_an_archive() {
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    for (number, (name, expected)) in
        [("nightly.xml", "nightly.xml.zip"), ("A.ZIP", "A.ZIP"), ("con", "_con.zip")].iter().enumerate()
    {
        here.deliver(&with_parcel(archive(number as u64, 9), |parcel| parcel.file_name = (*name).into()))
            .await
            .unwrap();
        assert_eq!(simulator.transfers()[number].file_name, *expected);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is() {
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    let person = Consignment { reportee: Some(party("14878510187")), ..archive(1, 9) };
    let many = (0..11).map(|number| (number.to_string(), String::new())).collect();
    let table = [
        (person, codes::ORGANISATIONS_ONLY),
        (with_parcel(archive(1, 9), |parcel| parcel.sender = party("14878510187")), codes::ORGANISATIONS_ONLY),
        (with_parcel(archive(1, 9), |parcel| parcel.properties = many), codes::PROPERTIES_DO_NOT_FIT),
        (Consignment { reportee: None, ..archive(1, 9) }, codes::REPORTEE_UNKNOWN),
        (Consignment { parcel: None, ..archive(1, 9) }, codes::NO_RECEIVER_FOR_KIND),
        (Consignment { kind: ItemKind::FormTask, ..archive(1, 9) }, codes::NO_RECEIVER_FOR_KIND),
        (Consignment { service: None, ..archive(1, 9) }, codes::UNKNOWN_SERVICE),
    ];
    for (item, expected) in table {
        assert_eq!(code(here.deliver(&item).await.unwrap_err()), ("refused", Some(expected)));
    }
    let alone = courier_with(&simulator, to_resource(TransferContent::Payload), Arc::default());
    let refused = code(alone.deliver(&archive(1, 9)).await.unwrap_err());
    assert_eq!(refused, ("refused", Some(codes::NO_SINGLE_PAYLOAD)));
    assert_eq!(simulator.transfer_counts().calls, 0);
}

#[tokio::test]
async fn every_answer_to_a_beginning_means_one_thing() {
    let table = [
        (Fault::Problem(400, 2), "credentials", codes::NOT_PERMITTED, None, 0),
        (Fault::Problem(400, 26), "refused", codes::RECEIVER_REFUSED, None, 0),
        (Fault::Problem(400, 28), "refused", codes::RECIPIENT_NOT_AUTHORISED, None, 0),
        (Fault::Problem(401, 6), "credentials", codes::NOT_PERMITTED, None, 0),
        (Fault::Unauthorized, "credentials", codes::CREDENTIALS_REFUSED, None, 0),
        (Fault::Forbidden, "credentials", codes::NOT_PERMITTED, None, 0),
        (Fault::Problem(404, 1), "credentials", codes::NOT_PERMITTED, None, 0),
        (Fault::Conflict, "refused", codes::RECEIVER_CONFLICT, None, 0),
        (Fault::TooLarge, "refused", codes::PAYLOAD_TOO_LARGE, None, 0),
        (Fault::Throttled(7), "later", codes::THROTTLED, Some(7), 0),
        (Fault::Unavailable(9), "later", codes::THROTTLED, Some(9), 0),
        (Fault::Problem(503, 21), "later", codes::THROTTLED, None, 0),
        (Fault::Problem(503, 0), "unknown", codes::RECEIVER_FAULT, None, 0),
        (Fault::ErrorBefore, "unknown", codes::RECEIVER_FAULT, None, 0),
        (Fault::ErrorAfter, "unknown", codes::RECEIVER_FAULT, None, 1),
        (Fault::ResetBefore, "unknown", codes::OUTCOME_UNKNOWN, None, 0),
        (Fault::ResetAfter, "unknown", codes::OUTCOME_UNKNOWN, None, 1),
    ];
    let simulator = post_office(|_| {}).await;
    for (fault, variant, expected, after, begun) in table {
        simulator.reset().unwrap();
        let here = courier(&simulator);
        simulator.set_faults(always(Call::Transfer, fault));
        let error = here.deliver(&archive(1, 9)).await.unwrap_err();
        assert_eq!(shown(error), (variant, Some(expected), after), "{fault:?}");
        assert_eq!(simulator.transfer_counts().begun, begun, "{fault:?}");
        // What was begun without our hearing of it is gone on with.
        simulator.set_faults(FaultPlan::default());
        assert_eq!(here.look_up(&archive(1, 9)).await.unwrap(), None, "{fault:?}");
        let delivered = here.deliver(&archive(1, 9)).await.unwrap();
        assert_eq!(here.look_up(&archive(1, 9)).await.unwrap(), Some(delivered), "{fault:?}");
        let counts = simulator.transfer_counts();
        assert_eq!((counts.begun, counts.uploaded), (1, 1), "{fault:?}: {counts:?}");
    }
}

#[tokio::test]
async fn every_answer_to_an_upload_means_one_thing() {
    let table = [
        (Fault::Problem(400, 13), "refused", codes::PAYLOAD_TOO_LARGE, None, 0),
        (Fault::Problem(409, 4), "unknown", codes::OUTCOME_UNKNOWN, None, 0),
        (Fault::Problem(404, 1), "later", codes::RECEIVER_FAULT, None, 0),
        (Fault::Unauthorized, "credentials", codes::CREDENTIALS_REFUSED, None, 0),
        (Fault::TooLarge, "refused", codes::PAYLOAD_TOO_LARGE, None, 0),
        (Fault::Throttled(7), "later", codes::THROTTLED, Some(7), 0),
        (Fault::ErrorBefore, "unknown", codes::RECEIVER_FAULT, None, 0),
        (Fault::ErrorAfter, "unknown", codes::RECEIVER_FAULT, None, 1),
        (Fault::ResetBefore, "unknown", codes::OUTCOME_UNKNOWN, None, 0),
        (Fault::ResetAfter, "unknown", codes::OUTCOME_UNKNOWN, None, 1),
    ];
    let simulator = post_office(|_| {}).await;
    for (fault, variant, expected, after, uploaded) in table {
        simulator.reset().unwrap();
        let here = courier(&simulator);
        simulator.set_faults(always(Call::TransferUpload, fault));
        let error = here.deliver(&archive(1, 9)).await.unwrap_err();
        assert_eq!(shown(error), (variant, Some(expected), after), "{fault:?}");
        assert_eq!(simulator.transfer_counts().uploaded, uploaded, "{fault:?}");
        simulator.set_faults(FaultPlan::default());
        assert_eq!(here.look_up(&archive(1, 9)).await.unwrap().is_some(), uploaded == 1, "{fault:?}");
        here.deliver(&archive(1, 9)).await.unwrap();
        let counts = simulator.transfer_counts();
        assert_eq!(
            (counts.begun, counts.uploaded, counts.look_ups),
            (1, 1, 0),
            "{fault:?}: the id was kept: {counts:?}"
        );
    }
}

#[tokio::test]
async fn what_was_begun_unheard_is_found_among_many() {
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    // Theirs are not in our ledger, and nothing is uploaded to them.
    simulator.set_faults(always(Call::TransferUpload, Fault::Throttled(0)));
    for number in 1..=130 {
        let stranger = courier(&simulator);
        assert!(stranger.deliver(&archive(number, 9)).await.is_err());
    }
    let lost = archive(1_000, 9);
    simulator.set_faults(once(Call::Transfer, Fault::ResetAfter));
    assert_eq!(code(here.deliver(&lost).await.unwrap_err()).0, "unknown");
    assert_eq!(here.look_up(&lost).await.unwrap(), None, "nothing was uploaded");
    here.deliver(&lost).await.unwrap();
    let counts = simulator.transfer_counts();
    assert_eq!((counts.begun, counts.begun_items, counts.uploaded, counts.look_ups), (131, 131, 1, 2), "{counts:?}");
}

#[tokio::test]
async fn a_look_that_fails_leaves_the_outcome_unknown() {
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    for fault in [Fault::Throttled(3), Fault::ErrorBefore, Fault::ResetBefore, Fault::Unavailable(1)] {
        simulator.set_faults(always(Call::FindTransfer, fault));
        assert_eq!(code(here.look_up(&archive(1, 9)).await.unwrap_err()).0, "unknown", "{fault:?}");
    }
    simulator.set_faults(FaultPlan::default());
    here.deliver(&archive(2, 9)).await.unwrap();
    for fault in [Fault::Throttled(3), Fault::ErrorBefore, Fault::ResetBefore] {
        simulator.set_faults(always(Call::TransferOverview, fault));
        assert_eq!(code(here.look_up(&archive(2, 9)).await.unwrap_err()).0, "unknown", "{fault:?}");
        // Before anything is sent again it is looked at; that nothing is sent is certain then.
        assert_eq!(code(here.deliver(&archive(2, 9)).await.unwrap_err()).0, "later", "{fault:?}");
    }
    assert_eq!(simulator.transfer_counts().uploaded, 1);
}

#[tokio::test]
async fn an_upload_in_one_piece_that_was_cut_off_is_done_anew() {
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    let item = archive(1, 90_000);
    simulator.set_faults(once(Call::TransferUpload, Fault::CutOff(70_000)));
    assert_eq!(code(here.deliver(&item).await.unwrap_err()).0, "unknown");
    assert_eq!(here.look_up(&item).await.unwrap(), None, "nobody will see it");
    let delivered = here.deliver(&item).await.unwrap();
    let counts = simulator.transfer_counts();
    assert_eq!((counts.begun, counts.uploaded, counts.breaks), (2, 1, 1), "{counts:?}");
    assert_eq!(delivered.receivers_reference, simulator.transfers()[1].id.to_string());
}

#[tokio::test]
async fn one_that_may_still_be_at_work_is_waited_for() {
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    let item = archive(1, 9);
    simulator.set_faults(always(Call::TransferUpload, Fault::ErrorBefore));
    assert!(here.deliver(&item).await.is_err());
    let id = simulator.transfers()[0].id;
    assert!(simulator.set_transfer_status(id, "UploadStarted"));
    simulator.set_faults(FaultPlan::default());
    assert_eq!(here.look_up(&item).await.unwrap(), None);
    assert_eq!(code(here.deliver(&item).await.unwrap_err()), ("unknown", Some(codes::OUTCOME_UNKNOWN)));
    assert!(simulator.set_transfer_status(id, "Published"));
    assert_eq!(here.deliver(&item).await.unwrap().receivers_reference, id.to_string());
    assert_eq!(simulator.transfer_counts().begun, 1);
    // One that is gone is nobody's.
    assert!(simulator.set_transfer_status(id, "Cancelled"));
    assert_eq!(code(here.deliver(&item).await.unwrap_err()), ("refused", Some(codes::TRANSFER_FAILED)));
}

#[tokio::test]
async fn what_arrived_otherwise_is_sent_anew() {
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    let read = Arc::new(AtomicBool::new(false));
    let changing = Content::new(move || {
        let text: &[u8] = if read.swap(true, Ordering::SeqCst) { b"changed" } else { b"at first" };
        Box::pin(stream::iter([Ok(Bytes::from_static(text))]))
    });
    let item = with_parcel(Consignment { batch: changing, ..archive(1, 9) }, |parcel| parcel.size_bytes = 7);
    assert_eq!(code(here.deliver(&item).await.unwrap_err()), ("later", Some(codes::RECEIVER_FAULT)));
    here.deliver(&item).await.unwrap();
    let counts = simulator.transfer_counts();
    assert_eq!((counts.begun, counts.uploaded), (2, 1), "{counts:?}");
}

#[tokio::test]
async fn a_large_file_goes_in_pieces() {
    let simulator = post_office(|_| {}).await;
    let item = archive(1, LARGE);
    courier(&simulator).deliver(&item).await.unwrap();
    let facts = &simulator.transfers()[0];
    assert_eq!(
        (facts.size_bytes, facts.sha256.as_deref()),
        (Some(LARGE as u64), Some(sha256(&item.batch).await.as_str()))
    );
    let counts = simulator.transfer_counts();
    assert_eq!((counts.parts, counts.breaks, counts.uploaded), (5, 0, 1), "{counts:?}");
}

#[tokio::test]
async fn a_piece_that_was_cut_off_goes_on_where_the_platform_has_got_to() {
    let simulator = post_office(|_| {}).await;
    let item = archive(1, LARGE);
    for fault in [
        Fault::CutOff(30_000),
        Fault::ResetBefore,
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::ResetAfter,
        Fault::Unauthorized,
    ] {
        simulator.reset().unwrap();
        let rule = Rule { fault, call: Call::TransferPart, every: Some(2), probability: None, most: Some(2) };
        simulator.set_faults(FaultPlan { seed: 0, rules: vec![rule] });
        courier(&simulator).deliver(&item).await.unwrap();
        let facts = &simulator.transfers()[0];
        assert_eq!(facts.sha256.as_deref(), Some(sha256(&item.batch).await.as_str()), "{fault:?}");
        let counts = simulator.transfer_counts();
        assert_eq!((counts.begun, counts.uploaded), (1, 1), "{fault:?}: {counts:?}");
    }
}

#[tokio::test]
async fn an_upload_in_pieces_goes_on_after_a_restart() {
    let simulator = post_office(|_| {}).await;
    let (item, store) = (archive(1, LARGE), Arc::new(Kept::default()));
    let here = || courier_with(&simulator, to_resource(TransferContent::Archive), Arc::clone(&store));
    let rule =
        Rule { fault: Fault::Throttled(1), call: Call::TransferPart, every: Some(3), probability: None, most: Some(1) };
    simulator.set_faults(FaultPlan { seed: 0, rules: vec![rule] });
    assert_eq!(shown(here().deliver(&item).await.unwrap_err()), ("later", Some(codes::THROTTLED), Some(1)));
    assert_eq!(here().look_up(&item).await.unwrap(), None, "not all of it is there");
    here().deliver(&item).await.unwrap();
    let counts = simulator.transfer_counts();
    assert_eq!((counts.begun, counts.parts, counts.uploaded), (1, 5, 1), "nothing was sent twice: {counts:?}");
}

#[tokio::test]
async fn the_lost_answer_to_the_last_piece_is_looked_up() {
    let simulator = post_office(|_| {}).await;
    let (here, item) = (courier(&simulator), archive(1, LARGE));
    let rule =
        Rule { fault: Fault::ResetAfter, call: Call::TransferPart, every: Some(5), probability: None, most: None };
    simulator.set_faults(FaultPlan { seed: 0, rules: vec![rule] });
    assert_eq!(code(here.deliver(&item).await.unwrap_err()), ("unknown", Some(codes::OUTCOME_UNKNOWN)));
    let found = here.look_up(&item).await.unwrap().unwrap();
    assert_eq!(found.receivers_reference, simulator.transfers()[0].id.to_string());
    assert_eq!(simulator.transfer_counts().uploaded, 1);
}

#[tokio::test]
async fn an_upload_that_the_platform_forgot_begins_again() {
    let simulator = post_office(|_| {}).await;
    let (here, item) = (courier(&simulator), archive(1, LARGE));
    simulator.set_faults(once(Call::TransferPart, Fault::Throttled(0)));
    assert_eq!(code(here.deliver(&item).await.unwrap_err()).0, "later");
    let id = simulator.transfers()[0].id;
    assert!(simulator.forget_upload(id));
    here.deliver(&item).await.unwrap();
    let counts = simulator.transfer_counts();
    assert_eq!((counts.begun, counts.uploaded), (1, 1), "{counts:?}");
}

#[tokio::test]
async fn malware_is_told_afterwards_or_refuses_what_was_not_settled() {
    let simulator = post_office(|options| options.scan_ms = 50).await;
    let here = courier(&simulator);
    let infected = |number| {
        let bytes = b"X5O!P%@AP STANDARD-ANTIVIRUS-TEST-FILE".to_vec();
        let size = bytes.len() as u64;
        with_parcel(Consignment { batch: Content::from_bytes(bytes), ..archive(number, 1) }, |parcel| {
            parcel.size_bytes = size
        })
    };
    let delivered = here.deliver(&infected(1)).await.unwrap();
    simulator.set_faults(once(Call::TransferUpload, Fault::ResetAfter));
    assert_eq!(code(here.deliver(&infected(2)).await.unwrap_err()).0, "unknown");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stand = here.stand(&delivered.receivers_reference, 0).await.unwrap();
    let events: Vec<_> = stand.events.iter().map(|(event, _)| *event).collect();
    assert_eq!((events, stand.is_over), (vec![LateEvent::PublishFailed], true));
    assert_eq!(here.look_up(&infected(2)).await.unwrap(), None);
    assert_eq!(code(here.deliver(&infected(2)).await.unwrap_err()), ("refused", Some(codes::TRANSFER_FAILED)));
    assert_eq!(simulator.transfer_counts().begun, 2, "it is not sent anew");
}

#[tokio::test]
async fn what_becomes_of_a_transfer_is_told() {
    let scanning = post_office(|options| options.scan_ms = 3_600_000).await;
    let here = courier(&scanning);
    let looked_into = here.deliver(&archive(1, 9)).await.unwrap();
    let stand = here.stand(&looked_into.receivers_reference, 0).await.unwrap();
    assert_eq!(stand, Stand { events: Vec::new(), is_over: false }, "it is being looked into");
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    let ids = [here.deliver(&archive(1, 9)).await.unwrap(), here.deliver(&archive(2, 9)).await.unwrap()];
    let stand = async |nth: usize| {
        let stand = here.stand(&ids[nth].receivers_reference, 0).await.unwrap();
        (stand.events.into_iter().map(|(event, _)| event).collect::<Vec<_>>(), stand.is_over)
    };
    assert_eq!(stand(0).await, (vec![LateEvent::Published], false));
    let id = |nth: usize| simulator.transfers()[nth].id;
    let url = format!("{}/broker/api/v1/filetransfer/{}/confirmdownload", simulator.base_url(), id(0));
    let confirm = async || {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.post(&url).bearer_auth(simulator.token()).send().await.unwrap().status().as_u16()
    };
    assert_eq!((confirm().await, confirm().await), (204, 400));
    assert_eq!(stand(0).await, (vec![LateEvent::Published, LateEvent::Downloaded], true));
    assert!(simulator.set_transfer_status(id(1), "Purged"));
    assert_eq!(stand(1).await, (vec![LateEvent::Published, LateEvent::Expired], true));
    let gone = here.stand(&Uuid::nil().to_string(), 0).await.unwrap();
    assert_eq!((gone.events.len(), gone.is_over), (0, true));
    assert_eq!(here.wait_for_news(0), Duration::from_secs(60));
    assert_eq!(here.wait_for_news(9), Duration::from_secs(600));
}

#[tokio::test]
async fn a_run_of_faults_ends_with_each_item_once() {
    let rule = |call, fault, probability| Rule { fault, call, every: None, probability: Some(probability), most: None };
    let rules = vec![
        rule(Call::Transfer, Fault::ResetAfter, 0.1),
        rule(Call::Transfer, Fault::ResetBefore, 0.1),
        rule(Call::Transfer, Fault::Throttled(0), 0.1),
        rule(Call::TransferUpload, Fault::ResetAfter, 0.1),
        rule(Call::TransferUpload, Fault::ErrorAfter, 0.05),
        rule(Call::TransferUpload, Fault::Throttled(0), 0.1),
        rule(Call::TransferUpload, Fault::Unauthorized, 0.05),
        rule(Call::TransferPart, Fault::CutOff(40_000), 0.2),
        rule(Call::TransferPart, Fault::ResetAfter, 0.1),
        rule(Call::TransferOffset, Fault::ErrorBefore, 0.1),
        rule(Call::TransferOverview, Fault::ResetBefore, 0.05),
        rule(Call::FindTransfer, Fault::ErrorBefore, 0.1),
    ];
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    simulator.set_faults(FaultPlan { seed: 42, rules });
    for number in 1..=100 {
        let item = archive(number, if number % 4 == 0 { LARGE } else { 200 });
        let mut is_unknown = false;
        loop {
            if is_unknown {
                match here.look_up(&item).await {
                    Ok(Some(_)) => break,
                    Ok(None) => {}
                    Err(_) => continue,
                }
            }
            match here.deliver(&item).await {
                Ok(_) => break,
                Err(error) => is_unknown = shown(error).0 == "unknown",
            }
        }
    }
    let counts = simulator.transfer_counts();
    assert_eq!((counts.begun, counts.begun_items), (100, 100), "{counts:?}");
    assert_eq!((counts.uploaded, counts.uploaded_items), (100, 100), "{counts:?}");
    assert!(counts.calls > 110 && counts.breaks > 5, "{counts:?}");
}

#[tokio::test]
async fn the_simulator_refuses_what_the_platform_does() {
    let options = |options: &mut SimulatorOptions| {
        options.resources = vec!["ttd-formidling".into()];
        options.unknown_recipients = vec![ORGANISATION.into()];
    };
    let simulator = post_office(options).await;
    let refused = code(courier(&simulator).deliver(&archive(1, 9)).await.unwrap_err());
    assert_eq!(refused, ("refused", Some(codes::RECIPIENT_NOT_AUTHORISED)));
    let elsewhere = TransferTarget { resource: "another".into(), ..to_resource(TransferContent::Archive) };
    let here = courier_with(&simulator, elsewhere, Arc::default());
    assert_eq!(code(here.deliver(&archive(1, 9)).await.unwrap_err()), ("credentials", Some(codes::NOT_PERMITTED)));
}
