//! Notifications that a message cannot carry: ordered by themselves, each once, and no reason for the message not to arrive.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluse::codes;
use sluse::model::{MessageTarget, Note, NotificationTemplate, Reportee, ReporteeKind};
use sluse::ports::{Message, Notification, Receiver};
use sluse::simulator::{Call, Fault, FaultPlan, Simulator};

use super::faults::shown;
use super::letters::{letter, message, post_office, postman, target};
use super::setup::{ORGANISATION, always, once};

const OPERATION: &str = "POST /notifications/api/v1/future/orders";

/// A target with texts, whose notifications are ordered where a message cannot carry them.
pub(super) fn ordering() -> MessageTarget {
    let template = NotificationTemplate {
        kind: "N".into(),
        language: None,
        email_subject: "Til {0}".into(),
        email_body: "Hei {0}".into(),
        sms: "Hei".into(),
    };
    MessageTarget { orders_notifications: true, templates: vec![template], ..target() }
}

pub(super) fn notification(send_at: Option<Timestamp>, endpoints: &[(&str, &str)]) -> Notification {
    let endpoints = endpoints.iter().map(|(kind, address)| ((*kind).into(), (*address).into())).collect();
    let tokens = vec![(0, "Kari".into())];
    Notification { kind: "N".into(), send_at, tokens, endpoints, ..Notification::default() }
}

fn in_an_hour() -> Option<Timestamp> {
    Some(Timestamp::now() + SignedDuration::from_hours(1))
}

fn orders(simulator: &Simulator) -> Vec<Value> {
    let requests = simulator.requests();
    requests.into_iter().filter(|request| request.operation == OPERATION).map(|request| request.content).collect()
}

fn correspondence(simulator: &Simulator) -> Value {
    let requests = simulator.requests();
    let sent = requests.iter().rfind(|request| request.operation.ends_with("/api/v1/correspondence"));
    sent.unwrap().content["correspondence"].clone()
}

#[tokio::test]
async fn what_has_its_own_time_or_comes_second_is_ordered_by_itself() {
    let simulator = post_office(|_| {}).await;
    let at = in_an_hour();
    let notifications = vec![
        notification(at, &[("Email", "")]),
        notification(None, &[("SMS", "99 99 99 99"), ("Email", "a@b.example"), ("SMSPreferred", "")]),
        notification(None, &[("PriorityEmailSMSReminder", "")]),
    ];
    let item = letter(1, Message { notifications, ..message("a") });
    let delivered = postman(&simulator, ordering()).deliver(&item).await.unwrap();
    assert_eq!(delivered.notes, []);
    assert_eq!(correspondence(&simulator)["notification"], Value::Null, "its time is its own");
    let orders = orders(&simulator);
    let email = json!({"subject": "Til Kari", "body": "Hei Kari"});
    let sms = json!({"body": "Hei"});
    let expected = [
        json!({"recipientOrganization": {"orgNumber": ORGANISATION, "channelSchema": "Email", "emailSettings": email}}),
        json!({"recipientSms": {"phoneNumber": "+4799999999", "smsSettings": sms}}),
        json!({"recipientEmail": {"emailAddress": "a@b.example", "emailSettings": email}}),
        json!({"recipientOrganization": {
            "orgNumber": ORGANISATION, "channelSchema": "SmsPreferred", "emailSettings": email, "smsSettings": sms
        }}),
        json!({"recipientOrganization": {
            "orgNumber": ORGANISATION, "channelSchema": "EmailPreferred", "emailSettings": email, "smsSettings": sms
        }}),
    ];
    let recipients: Vec<_> = orders.iter().map(|order| order["recipient"].clone()).collect();
    assert_eq!(recipients, expected);
    assert_eq!((&orders[0]["sendersReference"], &orders[0]["requestedSendTime"]), (&json!("ft-1"), &json!(at)));
    assert_eq!(orders[1]["requestedSendTime"], Value::Null, "it goes with the message");
    assert_eq!(orders[4]["reminders"][0]["delayDays"], 7);
    let beside = vec![notification(at, &[("Email", "a@b.example"), ("SMS", "")])];
    let item = letter(2, Message { notifications: beside, ..message("a") });
    postman(&simulator, ordering()).deliver(&item).await.unwrap();
    let registered = &self::orders(&simulator)[6]["recipient"]["recipientOrganization"];
    assert_eq!(*registered, json!({"orgNumber": ORGANISATION, "channelSchema": "Sms", "smsSettings": sms}));
    let keys: std::collections::HashSet<_> = orders.iter().map(|order| order["idempotencyId"].to_string()).collect();
    assert_eq!(keys.len(), 5);
    assert_eq!(simulator.message_counts().orders, 7);
}

#[tokio::test]
async fn one_that_a_message_can_carry_goes_with_it() {
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, ordering());
    let person = Reportee::new(ReporteeKind::Person, "01017012345".into());
    let visible = in_an_hour();
    let later = Some(visible.unwrap() + SignedDuration::from_hours(1));
    let notifications = vec![notification(visible, &[("Email", "")]), notification(later, &[("Sms", "")])];
    let message = Message { recipient: Some(person), visible_from: visible, notifications, ..message("a") };
    here.deliver(&letter(1, message)).await.unwrap();
    assert_eq!(correspondence(&simulator)["notification"]["notificationChannel"], "Email");
    let expected = json!({"recipientPerson": {
        "nationalIdentityNumber": "01017012345", "channelSchema": "Sms", "smsSettings": {"body": "Hei"}
    }});
    let orders = orders(&simulator);
    assert_eq!((orders.len(), &orders[0]["recipient"], &orders[0]["requestedSendTime"]), (1, &expected, &json!(later)));
}

#[tokio::test]
async fn without_texts_it_is_lost_or_refuses_the_message() {
    let simulator = post_office(|_| {}).await;
    let unknown = Notification { kind: "M".into(), ..notification(in_an_hour(), &[("Email", "")]) };
    let item = letter(1, Message { notifications: vec![unknown; 2], ..message("a") });
    let delivered = postman(&simulator, ordering()).deliver(&item).await.unwrap();
    let lost = Note::new(codes::PARTS_DROPPED, "Notification/ShipmentDateTime, Notification");
    assert_eq!(delivered.notes, [lost, Note::new(codes::NOTIFICATION_GENERAL, "")]);
    let strict = postman(&simulator, MessageTarget { needs_template: true, ..ordering() });
    let refused = shown(strict.deliver(&item).await.unwrap_err());
    assert_eq!(refused, ("refused", Some(codes::NOTIFICATION_UNKNOWN), None));
    assert_eq!(simulator.message_counts().orders, 0);
}

#[tokio::test]
async fn a_lost_answer_leads_to_no_second_notification() {
    for (fault, orders) in [
        (Fault::ResetBefore, 0),
        (Fault::ResetAfter, 1),
        (Fault::ErrorBefore, 0),
        (Fault::ErrorAfter, 1),
        (Fault::Throttled(1), 0),
        (Fault::Unavailable(1), 0),
    ] {
        let simulator = post_office(|_| {}).await;
        let here = postman(&simulator, ordering());
        let notifications = vec![notification(in_an_hour(), &[("Email", "")]); 2];
        let item = letter(1, Message { notifications, ..message("a") });
        simulator.set_faults(once(Call::Notification, fault));
        // The message is there, so nothing is certainly without effect.
        assert_eq!(shown(here.deliver(&item).await.unwrap_err()).0, "unknown", "{fault:?}");
        assert_eq!(simulator.message_counts().orders, orders, "{fault:?}");
        simulator.set_faults(once(Call::Notification, fault));
        assert_eq!(shown(here.look_up(&item).await.unwrap_err()).0, "unknown", "{fault:?}");
        simulator.set_faults(FaultPlan::default());
        let found = here.look_up(&item).await.unwrap().unwrap();
        assert_eq!(here.deliver(&item).await.unwrap(), found, "{fault:?}");
        let counts = simulator.message_counts();
        assert_eq!((counts.total, counts.orders), (1, 2), "{fault:?}: {counts:?}");
    }
}

#[tokio::test]
async fn one_that_cannot_be_ordered_is_told_and_the_message_arrives() {
    let simulator = post_office(|options| options.reserved_recipients = vec![ORGANISATION.into()]).await;
    let target = MessageTarget { ignores_reservation: true, ..ordering() };
    let notifications = vec![notification(in_an_hour(), &[("Email", "")])];
    let item = letter(1, Message { notifications, ..message("a") });
    let here = postman(&simulator, target);
    let told = [Note::new(codes::NOTIFICATION_NOT_ORDERED, "NOT-00001")];
    assert_eq!(here.deliver(&item).await.unwrap().notes, told);
    assert_eq!(here.look_up(&item).await.unwrap().unwrap().notes, told);
    // Without the right to order, the operator is told.
    simulator.set_faults(always(Call::Notification, Fault::Forbidden));
    assert_eq!(shown(here.look_up(&item).await.unwrap_err()), ("credentials", Some(codes::NOT_PERMITTED), None));
    assert_eq!(simulator.message_counts().total, 1);
}
