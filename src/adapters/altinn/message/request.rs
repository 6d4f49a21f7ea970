//! A message as the platform wants it, as JSON and as the fields of a form.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// The whole request. Without `Debug`: nothing of it may be logged.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub(super) correspondence: Correspondence,
    pub(super) recipients: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) existing_attachments: Vec<Uuid>,
    pub(super) idempotent_key: Uuid,
}

/// The message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Correspondence {
    pub(super) resource_id: String,
    pub(super) senders_reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_sender: Option<String>,
    pub(super) content: MessageContent,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requested_publish_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) due_date_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_references: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) property_list: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reply_options: Vec<ReplyOption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) notification: Option<NotificationOrder>,
    pub(super) ignore_reservation: bool,
    pub(super) is_confirmation_needed: bool,
    pub(super) is_confidential: bool,
    pub(super) allow_forwarding: bool,
}

/// What it says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageContent {
    pub(super) language: &'static str,
    pub(super) message_title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message_summary: String,
    pub(super) message_body: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attachments: Vec<NewAttachment>,
}

/// An attachment that comes with the request, or is announced by itself.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewAttachment {
    pub(super) file_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) display_name: String,
    pub(super) is_encrypted: bool,
    pub(super) senders_reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource_id: Option<String>,
}

/// Something else the message is about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalReference {
    pub(super) reference_type: &'static str,
    pub(super) reference_value: String,
}

/// A way to answer.
#[derive(Serialize)]
pub(super) struct ReplyOption {
    #[serde(rename = "linkURL")]
    pub(super) link_url: String,
    #[serde(rename = "linkText", skip_serializing_if = "String::is_empty")]
    pub(super) link_text: String,
}

/// How the recipient is told.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationOrder {
    pub(super) notification_template: &'static str,
    pub(super) notification_channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sms_body: Option<String>,
    pub(super) send_reminder: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reminder_email_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reminder_email_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reminder_sms_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reminder_notification_channel: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_recipients: Vec<CustomRecipient>,
    pub(super) override_registered_contact_information: bool,
}

/// An address in place of the registered one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum CustomRecipient {
    EmailAddress(String),
    MobileNumber(String),
}

impl Request {
    /// As JSON.
    pub(super) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a request has only text keys and values")
    }

    /// As the fields of a form: `correspondence.content.messageTitle`, `recipients[0]`.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let value = serde_json::to_value(self).expect("a request has only text keys and values");
        flatten(String::new(), value, &mut fields);
        fields
    }
}

fn flatten(name: String, value: Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let name = if name.is_empty() { key } else { format!("{name}.{key}") };
                flatten(name, value, fields);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.into_iter().enumerate() {
                flatten(format!("{name}[{index}]"), value, fields);
            }
        }
        Value::String(text) => fields.push((name, text)),
        Value::Bool(_) | Value::Number(_) => fields.push((name, value.to_string())),
        Value::Null => {}
    }
}
