//! The rules a message must keep, as far as agencies run into them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{Refusal, invalid, problem};
use crate::simulator::World;

/// A request to make messages; what it does not know it refuses.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Initialize {
    pub(super) correspondence: Letter,
    pub(super) recipients: Vec<String>,
    #[serde(default)]
    pub(super) existing_attachments: Vec<Uuid>,
    pub(super) idempotent_key: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Letter {
    pub(super) resource_id: String,
    pub(super) senders_reference: String,
    message_sender: Option<String>,
    content: Text,
    pub(super) requested_publish_time: Option<Timestamp>,
    due_date_time: Option<Timestamp>,
    #[serde(default)]
    external_references: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    property_list: BTreeMap<String, String>,
    #[serde(default)]
    reply_options: Vec<BTreeMap<String, String>>,
    notification: Option<Notice>,
    #[serde(default)]
    ignore_reservation: bool,
    #[serde(default)]
    pub(super) is_confirmation_needed: bool,
    #[expect(dead_code, reason = "part of the request, and not used here")]
    #[serde(default)]
    is_confidential: bool,
    #[expect(dead_code, reason = "part of the request, and not used here")]
    #[serde(default)]
    allow_forwarding: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Text {
    language: Option<String>,
    message_title: String,
    message_summary: Option<String>,
    message_body: String,
    #[serde(default)]
    attachments: Vec<Announced>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Announced {
    file_name: String,
    #[expect(dead_code, reason = "part of the request, and not used here")]
    display_name: Option<String>,
    senders_reference: String,
    #[expect(dead_code, reason = "part of the request, and not used here")]
    #[serde(default)]
    is_encrypted: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Notice {
    notification_template: String,
    notification_channel: String,
    email_subject: Option<String>,
    email_body: Option<String>,
    sms_body: Option<String>,
    #[serde(default)]
    send_reminder: bool,
    reminder_email_subject: Option<String>,
    reminder_email_body: Option<String>,
    reminder_sms_body: Option<String>,
    reminder_notification_channel: Option<String>,
    #[serde(default)]
    custom_recipients: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    override_registered_contact_information: bool,
}

/// The number of the only recipient; or the refusal. `files` are those that came with the request.
pub(super) fn check<'a>(
    asked: &'a Initialize,
    files: &[(String, u64, String)],
    world: &World,
) -> Result<&'a str, Refusal> {
    let [recipient] = asked.recipients.as_slice() else { return Err(problem(400, 1047)) };
    let recipient = number(recipient).ok_or_else(|| invalid("recipients"))?;
    let letter = &asked.correspondence;
    if letter.resource_id.is_empty() || !fits(&letter.senders_reference, 1, 4_096) {
        return Err(invalid("resourceId or sendersReference"));
    }
    if !world.options.resources.is_empty() && !world.options.resources.contains(&letter.resource_id) {
        return Err(problem(404, 4003));
    }
    text(&letter.content, files)?;
    dates(letter)?;
    extras(letter)?;
    letter.notification.as_ref().map_or(Ok(()), notice)?;
    if world.options.unknown_recipients.iter().any(|known| known == recipient) {
        return Err(problem(404, 1029));
    }
    if !letter.ignore_reservation && world.options.reserved_recipients.iter().any(|known| known == recipient) {
        return Err(problem(422, 1030));
    }
    Ok(recipient)
}

fn text(text: &Text, files: &[(String, u64, String)]) -> Result<(), Refusal> {
    if text.language.as_ref().is_some_and(|language| !matches!(language.as_str(), "nb" | "nn" | "en")) {
        return Err(problem(400, 1004));
    }
    let lengths = fits(&text.message_title, 1, 255)
        && text.message_summary.as_ref().is_none_or(|summary| fits(summary, 0, 255))
        && fits(&text.message_body, 1, 30_000);
    if !lengths {
        return Err(invalid("messageTitle, messageSummary or messageBody"));
    }
    if has_tags(&text.message_title) || text.message_summary.as_ref().is_some_and(|summary| has_tags(summary)) {
        return Err(problem(400, 1001));
    }
    if has_tags(&text.message_body) {
        return Err(problem(400, 1003));
    }
    if text.attachments.len() != files.len() {
        return Err(problem(400, 1005));
    }
    for announced in &text.attachments {
        let file = files.iter().find(|(name, ..)| *name == announced.file_name).ok_or_else(|| problem(400, 1006))?;
        if announced.senders_reference.is_empty() || file.1 == 0 {
            return Err(problem(400, 2004));
        }
        if !is_taken(&announced.file_name) {
            return Err(problem(400, 2013));
        }
    }
    Ok(())
}

fn dates(letter: &Letter) -> Result<(), Refusal> {
    let now = Timestamp::now();
    match letter.due_date_time {
        None if letter.is_confirmation_needed => Err(problem(400, 1016)),
        Some(due) if due < now => Err(problem(400, 1008)),
        Some(due) if letter.requested_publish_time.is_some_and(|publish| due < publish) => Err(problem(400, 1009)),
        Some(_) | None => Ok(()),
    }
}

fn extras(letter: &Letter) -> Result<(), Refusal> {
    let properties = letter.property_list.iter().all(|(key, value)| fits(key, 1, 50) && fits(value, 0, 300));
    let references = letter.external_references.iter().all(|reference| reference.contains_key("referenceType"));
    let few = letter.property_list.len() <= 10 && letter.external_references.len() <= 10;
    if !(properties && references && few) || letter.message_sender.as_ref().is_some_and(|name| !fits(name, 1, 255)) {
        return Err(invalid("propertyList, externalReferences or messageSender"));
    }
    let is_link = |option: &BTreeMap<String, String>| {
        option.get("linkURL").is_some_and(|url| url.to_lowercase().starts_with("https://") && fits(url, 9, 255))
    };
    if letter.reply_options.iter().all(is_link) { Ok(()) } else { Err(problem(400, 1035)) }
}

fn notice(notice: &Notice) -> Result<(), Refusal> {
    let (email, sms) = match notice.notification_channel.as_str() {
        "Email" => (true, false),
        "Sms" => (false, true),
        "EmailPreferred" | "SmsPreferred" | "EmailAndSms" => (true, true),
        _ => return Err(invalid("notificationChannel")),
    };
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let is_custom = match notice.notification_template.as_str() {
        "CustomMessage" => true,
        "GenericAltinnMessage" => false,
        _ => return Err(invalid("notificationTemplate")),
    };
    let has_email = given(&notice.email_subject) && given(&notice.email_body);
    if is_custom && ((email && !has_email) || (sms && !given(&notice.sms_body))) {
        return Err(problem(400, 3004));
    }
    let reminds = given(&notice.reminder_email_subject) && given(&notice.reminder_email_body);
    let needs_reminder = is_custom && notice.send_reminder;
    if needs_reminder && ((email && !reminds) || (sms && !given(&notice.reminder_sms_body))) {
        return Err(problem(400, 3005));
    }
    if !notice.send_reminder && notice.reminder_notification_channel.is_some() {
        return Err(invalid("reminderNotificationChannel"));
    }
    let is_one = |recipient: &BTreeMap<String, String>| recipient.len() == 1;
    // Recipients beside what is registered are right, too; nobody at all is not.
    let is_nobody = notice.custom_recipients.is_empty() && notice.override_registered_contact_information;
    if !notice.custom_recipients.iter().all(is_one) || is_nobody {
        return Err(problem(400, 3016));
    }
    Ok(())
}

/// The number in a recipient's identifier.
fn number(recipient: &str) -> Option<&str> {
    let organisation = recipient.strip_prefix("urn:altinn:organization:identifier-no:").map(|number| (number, 9));
    let person = recipient.strip_prefix("urn:altinn:person:identifier-no:").map(|number| (number, 11));
    let (number, digits) = organisation.or(person)?;
    (number.len() == digits && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

fn fits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count())
}

/// Tells whether a text has what looks like a tag.
fn has_tags(text: &str) -> bool {
    let opens = text.split('<').skip(1);
    opens.into_iter().any(|after| after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!')))
}

/// Tells whether the platform takes files of this name.
pub(super) fn is_taken(name: &str) -> bool {
    const TAKEN: [&str; 20] = [
        "doc", "xls", "docx", "xlsx", "ppt", "pps", "zip", "pdf", "html", "txt", "xml", "jpg", "jpeg", "gif", "bmp",
        "png", "json", "csv", "dcm", "dicom",
    ];
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let is_plain = !name.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*']) && fits(name, 1, 255);
    is_plain && TAKEN.contains(&extension.as_str())
}
