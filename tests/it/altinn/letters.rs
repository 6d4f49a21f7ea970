//! Messages: what is sent, what is lost, what each answer means, and that nobody gets one twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluse::adapters::altinn::{MessageReceiver, NewsSettings};
use sluse::codes;
use sluse::model::{
    Code, ItemKind, LateEvent, MessageTarget, Note, NotificationTemplate, ReplyLink, Reportee, ReporteeKind,
    ServiceRow, ServiceTable,
};
use sluse::ports::{
    Consignment, Content, DeliveryError, LedgerError, Message, MessageAttachment, Notification, Receiver, Reply, Stand,
    SystemClock, Uploads,
};
use sluse::simulator::{Call, Fault, FaultPlan, Rule, Simulator, SimulatorOptions};

use super::setup::{LOOPBACK, ORGANISATION, always, item, once, options, settings};

/// What was uploaded, for as long as the test runs.
#[derive(Default)]
struct Remembered(Mutex<HashMap<[u8; 32], String>>);

#[async_trait]
impl Uploads for Remembered {
    async fn upload(&self, key: [u8; 32]) -> Result<Option<String>, LedgerError> {
        Ok(self.0.lock().unwrap().get(&key).cloned())
    }

    async fn keep_upload(&self, key: [u8; 32], reference: &str, _: Timestamp) -> Result<(), LedgerError> {
        self.0.lock().unwrap().insert(key, reference.to_owned());
        Ok(())
    }

    async fn forget_uploads(&self, _: Timestamp) -> Result<(), LedgerError> {
        self.0.lock().unwrap().clear();
        Ok(())
    }
}

pub(super) async fn post_office(change: impl FnOnce(&mut SimulatorOptions)) -> Simulator {
    let mut options = SimulatorOptions { record: true, ..options() };
    change(&mut options);
    Simulator::start(LOOPBACK, options).await.unwrap()
}

pub(crate) fn target() -> MessageTarget {
    MessageTarget {
        resource: "ttd-melding".into(),
        sender: None,
        needs_confirmation: false,
        is_confidential: false,
        ignores_reservation: false,
        allows_forwarding: false,
        due_days: 30,
        packs_attachments: true,
        large_attachment_bytes: 1_000,
        shares_attachments: false,
        templates: Vec::new(),
        needs_template: false,
        orders_notifications: false,
        reply_links: Vec::new(),
    }
}

pub(super) fn postman(simulator: &Simulator, target: MessageTarget) -> MessageReceiver {
    postman_with(simulator, target, Arc::default())
}

fn postman_with(simulator: &Simulator, target: MessageTarget, store: Arc<Remembered>) -> MessageReceiver {
    let message = Some(Box::new(target));
    let row = ServiceRow { code: "PSA".into(), edition: None, app: None, message, transfer: None, schemas: Vec::new() };
    let services = ServiceTable { rows: vec![row], ..ServiceTable::default() };
    let news = NewsSettings {
        events: LateEvent::ALL.to_vec(),
        first_wait: Duration::from_secs(60),
        longest_wait: Duration::from_secs(600),
        lasts: Duration::from_secs(3_600),
    };
    MessageReceiver::new(settings(simulator.base_url()), services, news, (store, Arc::new(SystemClock))).unwrap()
}

pub(super) fn message(html: &str) -> Message {
    Message {
        recipient: Some(Reportee::new(ReporteeKind::Organisation, ORGANISATION.into())),
        language: "1044".into(),
        title: "Vedtak".into(),
        body: Some(Content::from_bytes(html.to_owned())),
        ..Message::default()
    }
}

/// An item with one message.
pub(super) fn letter(number: u64, message: Message) -> Consignment {
    Consignment { kind: ItemKind::Correspondence, messages: vec![message], parts: Vec::new(), ..item(number) }
}

pub(super) fn file(name: &str, content: Content, most_bytes: u64) -> MessageAttachment {
    MessageAttachment {
        file_name: name.into(),
        name: format!("Title of {name}"),
        is_encrypted: false,
        senders_reference: String::new(),
        content,
        most_bytes,
    }
}

/// The correspondence in the latest request.
fn asked(simulator: &Simulator) -> Value {
    let is_sent = |operation: &str| operation.starts_with("POST") && operation.contains("/correspondence/api/v1/corr");
    let requests = simulator.requests();
    requests.iter().rfind(|request| is_sent(request.operation)).unwrap().content.clone()
}

fn refusal(error: DeliveryError) -> (Code, Vec<String>) {
    match error {
        DeliveryError::Refused { code } => (code, Vec::new()),
        DeliveryError::RefusedFor { code, notes } => (code, notes.into_iter().map(|note| note.text).collect()),
        other @ (DeliveryError::Later { .. }
        | DeliveryError::Credentials { .. }
        | DeliveryError::Unclear
        | DeliveryError::Unknown { .. }
        | DeliveryError::Unreadable(_)) => panic!("{other:?} is no refusal"),
    }
}

#[tokio::test]
async fn a_message_goes_as_it_is_mapped() {
    let simulator = post_office(|_| {}).await;
    let target = MessageTarget {
        sender: Some("Etaten".into()),
        needs_confirmation: true,
        allows_forwarding: true,
        reply_links: vec![ReplyLink { code: "5001".into(), edition: None, url: "https://a.example/5001".into() }],
        ..target()
    };
    let visible = Timestamp::now() + SignedDuration::from_hours(48);
    let message = Message {
        summary: "Kort & <b>godt</b>".into(),
        language: "2068".into(),
        visible_from: Some(visible),
        due: Some(visible + SignedDuration::from_hours(24)),
        archive_reference: "50001234/2f1c6b1e-8d0c-4a1e-9b5e-0c0a7b4d9f10".into(),
        replies: vec![
            Reply::Service { code: "5001".into(), edition: "2".into() },
            Reply::Url { text: "Svar".into(), url: "https://svar.example/".into() },
            Reply::Url { text: "Svar".into(), url: "http://svar.example/".into() },
            Reply::Archive("AR1".into()),
        ],
        may_forward: true,
        case: "7".into(),
        is_reservable: Some(false),
        others: vec!["AllowSystemDeleteDateTime"],
        ..message("<h1>Vedtak</h1><p style='x'>Hei, <b>du</b></p>")
    };
    let item = letter(1, message);
    let delivered = postman(&simulator, target).deliver(&item).await.unwrap();
    let expected = json!({
        "correspondence": {
            "resourceId": "ttd-melding", "sendersReference": "ft-1", "messageSender": "Etaten",
            "content": {
                "language": "nn", "messageTitle": "Vedtak", "messageSummary": "Kort & godt",
                "messageBody": "# Vedtak\n\nHei, **du**"
            },
            "requestedPublishTime": visible, "dueDateTime": visible + SignedDuration::from_hours(24),
            "externalReferences": [{
                "referenceType": "AltinnAppInstance", "referenceValue": "50001234/2f1c6b1e-8d0c-4a1e-9b5e-0c0a7b4d9f10"
            }],
            "propertyList": {"ShipmentReference": "SHIP-1", "CaseId": "7"},
            "replyOptions": [
                {"linkURL": "https://a.example/5001"}, {"linkURL": "https://svar.example/", "linkText": "Svar"}
            ],
            "ignoreReservation": true, "isConfirmationNeeded": true, "isConfidential": false, "allowForwarding": true
        },
        "recipients": [format!("urn:altinn:organization:identifier-no:{ORGANISATION}")],
        "idempotentKey": asked(&simulator)["idempotentKey"]
    });
    assert_eq!(asked(&simulator), expected);
    let key: uuid::Uuid = serde_json::from_value(expected["idempotentKey"].clone()).unwrap();
    assert_eq!(key, uuid::Uuid::new_v5(&item.key.0, &[0; 8]), "made of the item's");
    let notes = [
        Note::new(codes::PARTS_DROPPED, "AllowSystemDeleteDateTime, ReplyOption/Url, ReplyOption/ArchiveReference"),
        Note::new(codes::HTML_SIMPLIFIED, "styles"),
    ];
    assert_eq!(delivered.notes, notes);
    assert_eq!(delivered.news_for, Some(Duration::from_secs(3_600)));
    assert_eq!(delivered.receivers_reference, simulator.messages()[0].id.to_string());
}

#[tokio::test]
async fn a_plain_message_needs_little_and_a_due_date_is_made_where_one_is_needed() {
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, MessageTarget { needs_confirmation: true, ..target() });
    let person = Reportee::new(ReporteeKind::Person, "01017012345".into());
    let bare = Message { recipient: Some(person), body: None, summary: "1. *x*".into(), ..message("") };
    let mut unreferenced = letter(1, bare);
    unreferenced.senders_reference = String::new();
    let delivered = here.deliver(&unreferenced).await.unwrap();
    assert_eq!(delivered.notes, []);
    let asked = asked(&simulator);
    assert_eq!(asked["correspondence"]["content"]["messageBody"], "1\\. \\*x\\*");
    assert_eq!(asked["correspondence"]["sendersReference"], unreferenced.key.to_string());
    assert_eq!(asked["recipients"][0], "urn:altinn:person:identifier-no:01017012345");
    let due: Timestamp = serde_json::from_value(asked["correspondence"]["dueDateTime"].clone()).unwrap();
    let days = due.duration_since(Timestamp::now()).as_hours() / 24;
    assert!((29..=30).contains(&days), "{days}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is() {
    let simulator = post_office(|_| {}).await;
    let strict = MessageTarget { packs_attachments: false, needs_template: true, ..target() };
    let here = postman(&simulator, strict);
    let told = |transport: &str| Notification {
        endpoints: vec![(transport.into(), String::new())],
        ..Notification::default()
    };
    let small = || Content::from_bytes("x");
    let table = [
        (Message { title: "x".repeat(256), ..message("a") }, codes::MESSAGE_TEXT_LENGTH, "MessageTitle"),
        (Message { title: " <b></b>".into(), ..message("a") }, codes::MESSAGE_TEXT_LENGTH, "MessageTitle"),
        (Message { summary: "x".repeat(256), ..message("a") }, codes::MESSAGE_TEXT_LENGTH, "MessageSummary"),
        (Message { recipient: None, ..message("a") }, codes::REPORTEE_UNKNOWN, ""),
        (Message { due: Some(Timestamp::UNIX_EPOCH), ..message("a") }, codes::DUE_DATE_PAST, ""),
        (Message { attachments: vec![file("a.TIFF", small(), 1)], ..message("a") }, codes::ATTACHMENT_TYPE, ".tiff"),
        (Message { attachments: vec![file("a.pdf", small(), 1); 101], ..message("a") }, codes::ITEM_TOO_LARGE, ""),
        (Message { notifications: vec![told("Fax")], ..message("a") }, codes::NOTIFICATION_UNKNOWN, ""),
        (Message { notifications: vec![told("SMS")], ..message("a") }, codes::NOTIFICATION_UNKNOWN, ""),
    ];
    for (message, code, text) in table {
        let (refused, notes) = refusal(here.deliver(&letter(1, message)).await.unwrap_err());
        assert_eq!((refused, notes.join("")), (code, text.to_owned()));
    }
    let none = Consignment { messages: Vec::new(), ..letter(1, message("a")) };
    assert_eq!(refusal(here.deliver(&none).await.unwrap_err()).0, codes::NO_RECEIVER_FOR_KIND);
    let other = Consignment { service: None, ..letter(1, message("a")) };
    assert_eq!(refusal(here.deliver(&other).await.unwrap_err()).0, codes::UNKNOWN_SERVICE);
    assert_eq!(simulator.message_counts().calls, 0);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_attached_as_it_was() {
    let simulator = post_office(|_| {}).await;
    let html = format!("<p>{}</p>", "ord ".repeat(8_000));
    let taken = file("Melding.html", Content::from_bytes("x"), 1);
    let long = Message { language: "1033".into(), ..message(&html) };
    let clash = Message { attachments: vec![taken], ..message(&html) };
    let here = postman(&simulator, target());
    let delivered = here.deliver(&letter(1, long)).await.unwrap();
    assert_eq!(delivered.notes, [Note::new(codes::HTML_ATTACHED, "")]);
    let body = asked(&simulator)["correspondence"]["content"]["messageBody"].as_str().unwrap().to_owned();
    assert!(body.contains("message.html"), "{body}");
    let (name, size_bytes, _) = simulator.messages()[0].attachments[0].clone();
    assert_eq!((name.as_str(), size_bytes as usize > html.len()), ("message.html", true));
    here.deliver(&letter(2, clash)).await.unwrap();
    let mut names: Vec<_> = simulator.messages()[1].attachments.iter().map(|(name, ..)| name.clone()).collect();
    names.sort();
    assert_eq!(names, ["Melding.html", "melding (2).html"]);
}

#[tokio::test]
async fn a_text_whose_html_hides_it_is_attached_as_it_was() {
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, target());
    let sent = async |number: u64, html: &str| {
        let item = letter(number, Message { summary: "Kort".into(), ..message(html) });
        let notes = here.deliver(&item).await.unwrap().notes;
        let body = asked(&simulator)["correspondence"]["content"]["messageBody"].as_str().unwrap().to_owned();
        let latest = simulator.messages().pop().unwrap();
        let names: Vec<_> = latest.attachments.into_iter().map(|(name, ..)| name).collect();
        (body, notes, names)
    };
    let headless = "<html><head><meta charset=utf-8><title>x</title><body><p>Les dette</p></body></html>";
    assert_eq!(sent(1, headless).await, ("Les dette".to_owned(), vec![], vec![]));
    let (body, notes, names) = sent(2, "<p>Hei</p><select><option>a<p>Les dette</p>").await;
    assert_eq!(body, "Meldingen kan ikke vises her. Den er lagt ved i sin helhet: melding.html.");
    let told = [Note::new(codes::HTML_SIMPLIFIED, "form fields"), Note::new(codes::HTML_ATTACHED, "")];
    assert_eq!((notes.as_slice(), names), (told.as_slice(), vec!["melding.html".to_owned()]));
    let (_, notes, names) = sent(3, "<noscript><p>Les dette</p></noscript>").await;
    assert_eq!((notes.len(), names.len()), (2, 1), "{notes:?}");
}

#[tokio::test]
async fn small_attachments_come_along_and_large_ones_before() {
    let simulator = post_office(|options| options.scan_ms = 150).await;
    let large = || Content::from_bytes(vec![b'x'; 200_000]);
    let attachments = vec![
        file("C:\\a?.pdf", Content::from_bytes("small"), 10),
        file("b.pdf", large(), 200_000),
        file("c.tiff", Content::from_bytes("packed"), 10),
    ];
    let here = postman(&simulator, target());
    let item = letter(1, Message { attachments, ..message("<p>a</p>") });
    let delivered = here.deliver(&item).await.unwrap();
    assert_eq!(delivered.notes, [Note::new(codes::ATTACHMENT_PACKED, ".tiff")]);
    let kept = &simulator.messages()[0].attachments;
    let names: Vec<_> = kept.iter().map(|(name, size, _)| (name.as_str(), *size > 100)).collect();
    assert_eq!(names, [("a_.pdf", false), ("c.tiff.zip", true), ("b.pdf", true)]);
    let counts = simulator.message_counts();
    assert_eq!((counts.announced, counts.uploads, counts.attached), (1, 1, 2));
    let asked = asked(&simulator);
    let announced = &asked["correspondence"]["content"]["attachments"][0];
    assert_eq!((&announced["fileName"], &announced["sendersReference"]), (&json!("a_.pdf"), &json!("ft-1/1")));
}

#[tokio::test]
async fn what_many_messages_share_is_uploaded_once() {
    let simulator = post_office(|options| options.scan_ms = 50).await;
    let shared = MessageTarget { shares_attachments: true, ..target() };
    let store = Arc::new(Remembered::default());
    let here = postman_with(&simulator, shared.clone(), Arc::clone(&store));
    let with = |number: u64| {
        let attachments = vec![file("a.pdf", Content::from_bytes("the same"), 10)];
        letter(number, Message { attachments, ..message("a") })
    };
    let items: Vec<_> = (1..=8).map(with).collect();
    let sent = futures::future::join_all(items.iter().map(|item| here.deliver(item))).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    // After a restart it is still there.
    postman_with(&simulator, shared, store).deliver(&with(9)).await.unwrap();
    let counts = simulator.message_counts();
    assert_eq!((counts.total, counts.announced, counts.uploads), (9, 1, 1));
}

#[tokio::test]
async fn an_upload_that_was_cut_off_goes_on_where_it_was() {
    let simulator = post_office(|_| {}).await;
    let shared = MessageTarget { shares_attachments: true, ..target() };
    let here = postman(&simulator, shared);
    let attachments = vec![file("a.pdf", Content::from_bytes("a"), 10)];
    let item = letter(1, Message { attachments, ..message("a") });
    for (call, fault) in [
        (Call::Upload, Fault::ErrorBefore),
        (Call::Upload, Fault::ResetAfter),
        (Call::AttachmentOverview, Fault::ResetBefore),
        (Call::Message, Fault::Throttled(0)),
    ] {
        simulator.set_faults(once(call, fault));
        let error = here.deliver(&item).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Later { .. }), "{call:?} {fault:?}: {error:?}");
    }
    here.deliver(&item).await.unwrap();
    let counts = simulator.message_counts();
    assert_eq!((counts.total, counts.announced, counts.uploads), (1, 1, 1));
}

#[tokio::test]
async fn malware_in_a_large_attachment_refuses_the_message() {
    let simulator = post_office(|_| {}).await;
    let content = Content::from_bytes("EICAR-STANDARD-ANTIVIRUS-TEST-FILE!");
    let item = letter(1, Message { attachments: vec![file("a.pdf", content, 5_000)], ..message("a") });
    let error = postman(&simulator, target()).deliver(&item).await.unwrap_err();
    assert_eq!(refusal(error).0, codes::ATTACHMENT_REFUSED);
    assert_eq!(simulator.message_counts().total, 0);
}

#[tokio::test]
async fn notifications_have_the_agencys_texts() {
    let template = |language: Option<&str>, sms: &str| NotificationTemplate {
        kind: "N".into(),
        language: language.map(Into::into),
        email_subject: "Til {0}".into(),
        email_body: "Hei {0}, {1}".into(),
        sms: sms.into(),
    };
    let templates = vec![template(None, ""), template(Some("en"), "Hi {0}")];
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, MessageTarget { templates, ..target() });
    let told = |language: &str, endpoints: &[(&str, &str)]| Notification {
        kind: "N".into(),
        language: language.into(),
        send_at: Some(Timestamp::now() + SignedDuration::from_hours(1)),
        names_sender: true,
        tokens: vec![(0, "Kari".into()), (1, "x".into())],
        endpoints: endpoints.iter().map(|(kind, address)| ((*kind).into(), (*address).into())).collect(),
    };
    let mut number = 0;
    let mut order = async |notification: Notification| {
        number += 1;
        let item = letter(number, Message { notifications: vec![notification; 2], ..message("a") });
        let notes = here.deliver(&item).await.unwrap().notes;
        let lost = "Notification/ShipmentDateTime, Notification/FromAdress, Notification";
        assert!(notes[0].text.starts_with(lost), "{notes:?}");
        (asked(&simulator)["correspondence"]["notification"].clone(), notes.len())
    };
    let (email, notes) = order(told("1044", &[("Email", "a@b.example")])).await;
    let expected = json!({
        "notificationTemplate": "CustomMessage", "notificationChannel": "Email", "emailSubject": "Til Kari",
        "emailBody": "Hei Kari, x", "sendReminder": false, "customRecipients": [{"emailAddress": "a@b.example"}],
        "overrideRegisteredContactInformation": true
    });
    assert_eq!((email, notes), (expected, 1));
    let (both, notes) = order(told("1033", &[("SMS", "99 99 99 99"), ("Email", "a@b.example")])).await;
    assert_eq!((&both["notificationChannel"], &both["smsBody"], notes), (&json!("EmailAndSms"), &json!("Hi Kari"), 1));
    assert_eq!(both["customRecipients"], json!([{"mobileNumber": "+4799999999"}, {"emailAddress": "a@b.example"}]));
    // One address is given and one left out: the registered number is told, too.
    let (beside, notes) = order(told("1033", &[("Email", "a@b.example"), ("SMS", "")])).await;
    let expected = json!({
        "notificationTemplate": "CustomMessage", "notificationChannel": "Sms", "emailSubject": "Til Kari",
        "emailBody": "Hei Kari, x", "smsBody": "Hi Kari", "sendReminder": false,
        "customRecipients": [{"emailAddress": "a@b.example"}], "overrideRegisteredContactInformation": false
    });
    assert_eq!((beside, notes), (expected, 1));
    let (general, notes) = order(told("1044", &[("SMS", "99999999"), ("Email", "")])).await;
    assert_eq!(
        (&general["notificationTemplate"], notes),
        (&json!("GenericAltinnMessage"), 2),
        "the number needs an SMS"
    );
    let (general, notes) = order(told("1044", &[("SMSPreferred", "")])).await;
    assert_eq!((&general["notificationTemplate"], notes), (&json!("GenericAltinnMessage"), 2), "it has no SMS");
    let (reminded, _) = order(told("1033", &[("PriorityEmailSMSReminder", "")])).await;
    assert_eq!((&reminded["sendReminder"], &reminded["reminderSmsBody"]), (&json!(true), &json!("Hi Kari")));
}

#[tokio::test]
async fn every_answer_means_one_thing() {
    let refused = |code, note: &str| ("refused", code, note.to_owned(), 0);
    let other = |variant, code, total| (variant, code, String::new(), total);
    let table = [
        (Fault::BadRequest, refused(codes::RECEIVER_REFUSED, "")),
        (Fault::Problem(400, 1044), refused(codes::NO_READER, "CORR-01044")),
        (Fault::Problem(400, 1008), refused(codes::RECEIVER_REFUSED, "CORR-01008")),
        (Fault::Problem(422, 1030), refused(codes::RECIPIENT_RESERVED, "CORR-01030")),
        (Fault::Problem(404, 1029), refused(codes::REPORTEE_UNKNOWN, "CORR-01029")),
        (Fault::Conflict, refused(codes::RECEIVER_CONFLICT, "")),
        (Fault::TooLarge, refused(codes::PAYLOAD_TOO_LARGE, "")),
        (Fault::Problem(400, 1018), other("later", codes::THROTTLED, 0)),
        (Fault::Throttled(7), other("later", codes::THROTTLED, 0)),
        (Fault::Unavailable(7), other("later", codes::THROTTLED, 0)),
        (Fault::Unauthorized, other("credentials", codes::CREDENTIALS_REFUSED, 0)),
        (Fault::Forbidden, other("credentials", codes::NOT_PERMITTED, 0)),
        (Fault::Problem(400, 4009), other("credentials", codes::NOT_PERMITTED, 0)),
        (Fault::Problem(404, 4003), other("credentials", codes::NOT_PERMITTED, 0)),
        (Fault::Problem(451, 2014), other("credentials", codes::NOT_PERMITTED, 0)),
        (Fault::Problem(408, 2022), other("unknown", codes::OUTCOME_UNKNOWN, 0)),
        (Fault::Problem(502, 2002), other("unknown", codes::RECEIVER_FAULT, 0)),
        (Fault::ErrorBefore, other("unknown", codes::RECEIVER_FAULT, 0)),
        (Fault::ErrorAfter, other("unknown", codes::RECEIVER_FAULT, 1)),
        (Fault::ResetBefore, other("unknown", codes::OUTCOME_UNKNOWN, 0)),
        (Fault::ResetAfter, other("unknown", codes::OUTCOME_UNKNOWN, 1)),
    ];
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, target());
    for (fault, expected) in table {
        simulator.reset().unwrap();
        simulator.set_faults(always(Call::Message, fault));
        let item = letter(1, message("a"));
        let (variant, code, note) = match here.deliver(&item).await.unwrap_err() {
            DeliveryError::RefusedFor { code, notes } => ("refused", code, notes),
            DeliveryError::Later { code, .. } => ("later", code, Vec::new()),
            DeliveryError::Credentials { code } => ("credentials", code, Vec::new()),
            DeliveryError::Unknown { code } => ("unknown", code, Vec::new()),
            other @ (DeliveryError::Refused { .. } | DeliveryError::Unclear | DeliveryError::Unreadable(_)) => {
                panic!("{fault:?}: {other:?}")
            }
        };
        let note: String = note.into_iter().map(|note| note.text).collect();
        let total = simulator.message_counts().total;
        assert_eq!((variant, code, note, total), expected, "{fault:?}");
        // Looking tells what nobody knew.
        simulator.set_faults(FaultPlan::default());
        assert_eq!(here.look_up(&item).await.unwrap().is_some(), total == 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_message_that_was_sent_before_is_found_and_not_sent_again() {
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, target());
    let item = letter(1, message("<table><tr><td>a</table>"));
    let first = here.deliver(&item).await.unwrap();
    assert_eq!(here.deliver(&item).await.unwrap(), first);
    assert_eq!(here.look_up(&item).await.unwrap(), Some(first));
    let counts = simulator.message_counts();
    assert_eq!((counts.total, counts.known_keys), (1, 1));
    simulator.set_faults(once(Call::FindMessage, Fault::ErrorBefore));
    assert!(matches!(here.deliver(&item).await, Err(DeliveryError::Unknown { .. })), "it is there, and not found");
    for fault in [Fault::Throttled(1), Fault::ErrorBefore, Fault::ResetBefore, Fault::Forbidden] {
        simulator.set_faults(always(Call::FindMessage, fault));
        let error = here.look_up(&item).await.unwrap_err();
        assert!(!matches!(error, DeliveryError::Later { .. }), "{fault:?}: nothing may be sent again");
    }
}

#[tokio::test]
async fn reserved_and_unknown_recipients_refuse_their_own_item_only() {
    let reserved = "910000012";
    let simulator = post_office(|options| {
        options.reserved_recipients = vec![reserved.into()];
        options.unknown_recipients = vec!["910000020".into()];
    })
    .await;
    let here = postman(&simulator, target());
    let to = |number: &str| {
        let recipient = Some(Reportee::new(ReporteeKind::Organisation, number.into()));
        Message { recipient, ..message("a") }
    };
    let error = here.deliver(&letter(1, to(reserved))).await.unwrap_err();
    assert_eq!(refusal(error), (codes::RECIPIENT_RESERVED, vec!["CORR-01030".to_owned()]));
    let insists = Message { is_reservable: Some(false), ..to(reserved) };
    here.deliver(&letter(2, insists)).await.unwrap();
    // Of several recipients the one that is refused does not keep the others from theirs.
    let several = Consignment {
        messages: vec![message("a"), to("910000020"), message("b")],
        kind: ItemKind::AltUtMessage,
        ..letter(3, message("a"))
    };
    let (code, why) = refusal(here.deliver(&several).await.unwrap_err());
    assert_eq!((code, why.first().map(String::as_str)), (codes::PARTLY_DELIVERED, Some("")), "{why:?}");
    assert_eq!(simulator.message_counts().total, 3);
    assert!(matches!(here.look_up(&several).await, Err(DeliveryError::Unclear)), "some of it is there");
    here.deliver(&several).await.unwrap_err();
    assert_eq!(simulator.message_counts().total, 3, "nobody got it twice");
}

#[tokio::test]
async fn a_trouble_behind_the_first_recipient_is_settled_by_looking() {
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, target());
    let several = Consignment { messages: vec![message("a"), message("b")], ..letter(1, message("a")) };
    let second =
        Rule { fault: Fault::Throttled(5), call: Call::Message, every: Some(2), probability: None, most: Some(1) };
    simulator.set_faults(FaultPlan { seed: 0, rules: vec![second] });
    assert!(matches!(here.deliver(&several).await, Err(DeliveryError::Unknown { .. })));
    let delivered = here.deliver(&several).await.unwrap();
    let ids: Vec<_> = simulator.messages().iter().map(|message| message.id.to_string()).collect();
    assert_eq!(delivered.receivers_reference, ids.join(" "));
    assert_eq!(here.look_up(&several).await.unwrap(), Some(delivered));
}

#[tokio::test]
async fn what_became_of_a_message_is_told() {
    let simulator = post_office(|options| options.publish_ms = 60_000).await;
    let here = postman(&simulator, target());
    let reference = here.deliver(&letter(1, message("a"))).await.unwrap().receivers_reference;
    let stand = async || here.stand(&reference, 0).await.unwrap();
    assert_eq!(stand().await, Stand::default());
    let id = simulator.messages()[0].id;
    let events = async |status: &str| {
        assert!(simulator.set_message_status(id, status));
        let Stand { events, is_over } = stand().await;
        (events.into_iter().map(|(event, _)| event).collect::<Vec<_>>(), is_over)
    };
    assert_eq!(events("Published").await, (vec![LateEvent::Published], false));
    assert_eq!(events("Read").await, (vec![LateEvent::Read, LateEvent::Published], true));
    assert_eq!(events("Failed").await, (vec![LateEvent::PublishFailed, LateEvent::Read, LateEvent::Published], true));
    simulator.set_faults(once(Call::MessageOverview, Fault::ErrorBefore));
    assert!(here.stand(&reference, 0).await.is_err());
    let gone = uuid::Uuid::from_u128(1).to_string();
    assert_eq!(here.stand(&gone, 0).await.unwrap(), Stand { events: Vec::new(), is_over: true });
    let waits: Vec<_> = (0..6).map(|looks| here.wait_for_news(looks).as_secs()).collect();
    assert_eq!(waits, [60, 120, 240, 480, 600, 600]);
}

#[tokio::test]
async fn a_confirmation_is_told_after_attachments_were_downloaded() {
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, MessageTarget { needs_confirmation: true, ..target() });
    let ids = [here.deliver(&letter(1, message("a"))).await, here.deliver(&letter(2, message("b"))).await]
        .map(|delivered| delivered.unwrap().receivers_reference);
    let set = |id: &str, statuses: &[&str]| {
        statuses.iter().for_each(|status| assert!(simulator.set_message_status(id.parse().unwrap(), status)));
    };
    let stand = async |id: &str, looks| {
        let Stand { events, is_over } = here.stand(id, looks).await.unwrap();
        (events.into_iter().map(|(event, _)| event).collect::<Vec<_>>(), is_over)
    };
    let asked = || simulator.calls().iter().filter(|call| call.target.ends_with("/details")).count();
    let read = vec![LateEvent::Read, LateEvent::Published];
    set(&ids[0], &["Fetched", "Read", "AttachmentsDownloaded"]);
    assert_eq!(stand(&ids[0], 9).await, (read.clone(), false));
    assert_eq!(asked(), 1, "it may be confirmed already");
    set(&ids[0], &["Confirmed"]);
    assert_eq!((stand(&ids[0], 0).await, asked()), ((read.clone(), false), 1), "a glance does not show it");
    simulator.set_faults(once(Call::MessageDetails, Fault::ErrorBefore));
    assert_eq!(stand(&ids[0], 9).await, (read.clone(), false), "what the glance shows is told all the same");
    let confirmed = vec![LateEvent::Read, LateEvent::Confirmed, LateEvent::Published];
    assert_eq!((stand(&ids[0], 9).await, asked()), ((confirmed.clone(), true), 3));
    // One that is gone is not asked about again.
    set(&ids[1], &["Read", "Confirmed", "PurgedByRecipient"]);
    assert_eq!((stand(&ids[1], 0).await, asked()), ((confirmed, true), 4));
}

#[tokio::test]
async fn a_run_of_faults_ends_with_each_message_once() {
    let rule = |call, fault, probability| Rule { fault, call, every: None, probability: Some(probability), most: None };
    let rules = vec![
        rule(Call::Message, Fault::ResetAfter, 0.1),
        rule(Call::Message, Fault::ResetBefore, 0.1),
        rule(Call::Message, Fault::ErrorAfter, 0.1),
        rule(Call::Message, Fault::Throttled(0), 0.1),
        rule(Call::Message, Fault::Unauthorized, 0.05),
        rule(Call::FindMessage, Fault::ErrorBefore, 0.1),
    ];
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, target());
    simulator.set_faults(FaultPlan { seed: 42, rules });
    for number in 1..=200 {
        let item = letter(number, message("a"));
        let mut unknown = false;
        loop {
            if unknown {
                match here.look_up(&item).await {
                    Ok(Some(_)) => break,
                    Ok(None) => {}
                    Err(_) => continue,
                }
            }
            match here.deliver(&item).await {
                Ok(_) => break,
                Err(error) => unknown |= matches!(error, DeliveryError::Unknown { .. }),
            }
        }
    }
    let counts = simulator.message_counts();
    assert_eq!((counts.total, counts.distinct, counts.repeated), (200, 200, 0));
    assert!(counts.calls > 230, "{counts:?}");
}
