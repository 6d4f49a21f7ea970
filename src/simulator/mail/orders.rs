//! Notifications that are ordered by themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::invalid;
use crate::simulator::World;
use crate::simulator::control::{answer_fault, struck};
use crate::simulator::faults::Call;
use crate::simulator::tcp::Line;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Ordered {
    idempotency_id: String,
    #[expect(dead_code, reason = "part of the request, and not used here")]
    senders_reference: Option<String>,
    #[expect(dead_code, reason = "part of the request, and not used here")]
    requested_send_time: Option<Timestamp>,
    recipient: Recipient,
    #[serde(default)]
    reminders: Vec<Reminder>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reminder {
    delay_days: u32,
    recipient: Recipient,
}

#[derive(Deserialize)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
enum Recipient {
    #[serde(rename = "recipientEmail")]
    Email { email_address: String, email_settings: Settings },
    #[serde(rename = "recipientSms")]
    Sms { phone_number: String, sms_settings: Settings },
    #[serde(rename = "recipientPerson")]
    Person(Registered),
    #[serde(rename = "recipientOrganization")]
    Organization(Registered),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Registered {
    #[serde(alias = "nationalIdentityNumber")]
    org_number: String,
    channel_schema: String,
    email_settings: Option<Settings>,
    sms_settings: Option<Settings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    subject: String,
    body: String,
}

impl Recipient {
    fn is_right(&self) -> bool {
        let is_email = |settings: &Settings| !settings.subject.is_empty() && !settings.body.is_empty();
        let is_sms = |settings: &Settings| settings.subject.is_empty() && !settings.body.is_empty();
        match self {
            Self::Email { email_address, email_settings } => email_address.contains('@') && is_email(email_settings),
            Self::Sms { phone_number, sms_settings } => phone_number.starts_with('+') && is_sms(sms_settings),
            Self::Person(registered) | Self::Organization(registered) => {
                let (email, sms) = match registered.channel_schema.as_str() {
                    "Email" => (true, false),
                    "Sms" => (false, true),
                    "EmailPreferred" | "SmsPreferred" | "EmailAndSms" => (true, true),
                    _ => return false,
                };
                let has_email = registered.email_settings.as_ref().is_some_and(is_email);
                let has_sms = registered.sms_settings.as_ref().is_some_and(is_sms);
                (!email || has_email) && (!sms || has_sms)
            }
        }
    }

    fn number(&self) -> Option<&String> {
        match self {
            Self::Person(registered) | Self::Organization(registered) => Some(&registered.org_number),
            Self::Email { .. } | Self::Sms { .. } => None,
        }
    }
}

/// `POST /notifications/api/v1/future/orders`
pub(in crate::simulator) async fn order(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let fault = struck(&world, Call::Notification).await;
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
        return answer_fault(fault, &line);
    }
    world.record("POST /notifications/api/v1/future/orders", || body.clone());
    let ordered: Ordered = match serde_json::from_value(body) {
        Ok(ordered) => ordered,
        Err(error) => return invalid(&error.to_string()).into_response(),
    };
    let reminders = &ordered.reminders;
    let is_right = ordered.recipient.is_right()
        && reminders.iter().all(|reminder| reminder.delay_days > 0 && reminder.recipient.is_right());
    if ordered.idempotency_id.is_empty() || !is_right {
        return invalid("recipient, reminders or idempotencyId").into_response();
    }
    if ordered.recipient.number().is_some_and(|number| world.options.reserved_recipients.contains(number)) {
        let body = json!({"title": "No contact information", "status": 422, "code": "NOT-00001"});
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response();
    }
    let mut mail = world.mail();
    let before = mail.orders.get(&ordered.idempotency_id).copied();
    let id = *mail.orders.entry(ordered.idempotency_id).or_insert_with(Uuid::new_v4);
    mail.counts.orders += u64::from(before.is_none());
    mail.counts.orders_again += u64::from(before.is_some());
    drop(mail);
    match fault {
        Some(fault) => answer_fault(fault, &line),
        None => {
            let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
            let body = json!({"notificationOrderId": id, "notification": {"shipmentId": id}});
            (status, Json(body)).into_response()
        }
    }
}
