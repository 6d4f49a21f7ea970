//! Notifications that a message cannot carry: with a time of their own, or more than one. Each is ordered by itself, with a
//! key that the platform takes once.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::notification::Texts;
use crate::model::{Reportee, ReporteeKind};

/// An order. Without `Debug`: nothing of it may be logged.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    pub(super) idempotency_id: Uuid,
    pub(super) senders_reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requested_send_time: Option<Timestamp>,
    recipient: OrderRecipient,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reminders: Vec<Reminder>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reminder {
    delay_days: u8,
    recipient: OrderRecipient,
}

#[derive(Clone, Serialize)]
#[serde(rename_all_fields = "camelCase")]
enum OrderRecipient {
    #[serde(rename = "recipientEmail")]
    Email { email_address: String, email_settings: EmailSettings },
    #[serde(rename = "recipientSms")]
    Sms { phone_number: String, sms_settings: SmsSettings },
    #[serde(rename = "recipientPerson")]
    Person {
        national_identity_number: String,
        #[serde(flatten)]
        registered: Registered,
    },
    #[serde(rename = "recipientOrganization")]
    Organization {
        org_number: String,
        #[serde(flatten)]
        registered: Registered,
    },
}

/// To the addresses that are registered on somebody.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    channel_schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_settings: Option<EmailSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_settings: Option<SmsSettings>,
}

#[derive(Clone, Serialize)]
struct EmailSettings {
    subject: String,
    body: String,
}

#[derive(Clone, Serialize)]
struct SmsSettings {
    body: String,
}

/// Where a notification goes.
pub(super) enum To<'a> {
    /// To an e-mail address.
    Email(String),
    /// To a mobile number.
    Mobile(String),
    /// To what is registered, by a channel; with a reminder by SMS or without.
    Registered(&'a Reportee, &'static str, bool),
}

/// What an order is made with.
pub(super) struct Ordering {
    pub(super) key: Uuid,
    pub(super) reference: String,
    pub(super) send_at: Option<Timestamp>,
}

impl Order {
    /// Makes an order; `None` where the texts for it are missing.
    pub(super) fn new(ordering: Ordering, to: To<'_>, texts: &Texts) -> Option<Self> {
        let (recipient, reminder) = match to {
            To::Email(email_address) => (OrderRecipient::Email { email_address, email_settings: email(texts)? }, None),
            To::Mobile(phone_number) => (OrderRecipient::Sms { phone_number, sms_settings: sms(texts)? }, None),
            To::Registered(who, channel, reminds) => {
                let reminder = reminds.then(|| registered(who, "SmsPreferred", texts));
                (registered(who, channel, texts), reminder)
            }
        };
        let reminders = reminder.map(|recipient| Reminder { delay_days: REMINDER_DAYS, recipient });
        let Ordering { key: idempotency_id, reference: senders_reference, send_at: requested_send_time } = ordering;
        let reminders = reminders.into_iter().collect();
        Some(Self { idempotency_id, senders_reference, requested_send_time, recipient, reminders })
    }

    /// As JSON.
    pub(super) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an order has only text keys and values")
    }
}

fn registered(who: &Reportee, channel_schema: &'static str, texts: &Texts) -> OrderRecipient {
    let registered = Registered { channel_schema, email_settings: email(texts), sms_settings: sms(texts) };
    let number = who.expose().to_owned();
    match who.kind() {
        ReporteeKind::Person => OrderRecipient::Person { national_identity_number: number, registered },
        ReporteeKind::Organisation => OrderRecipient::Organization { org_number: number, registered },
    }
}

fn email(texts: &Texts) -> Option<EmailSettings> {
    let (subject, body) = texts.email.clone()?;
    Some(EmailSettings { subject, body })
}

fn sms(texts: &Texts) -> Option<SmsSettings> {
    Some(SmsSettings { body: texts.sms.clone()? })
}

/// As a message's own reminder.
const REMINDER_DAYS: u8 = 7;
