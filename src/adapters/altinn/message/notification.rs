//! Notifications: channels, texts from the agency's templates, addresses.

use jiff::Timestamp;

use super::language;
use super::request::{CustomRecipient, NotificationOrder};
use crate::codes;
use crate::model::{Code, MessageTarget, Note, NotificationTemplate};
use crate::ports::Notification;

/// The order for the first of a message's notifications, and what is lost of all of them; or why the message is refused.
pub(super) fn order(
    all: &[Notification],
    target: &MessageTarget,
    (publish, now): (Option<Timestamp>, Timestamp),
    (lost, notes): (&mut Vec<&'static str>, &mut Vec<Note>),
) -> Result<Option<NotificationOrder>, Code> {
    let Some((first, others)) = all.split_first() else { return Ok(None) };
    if !others.is_empty() {
        lost.push("Notification");
    }
    // It goes when the message is published.
    if first.send_at.is_some_and(|at| at > publish.unwrap_or(now).max(now)) {
        lost.push("Notification/ShipmentDateTime");
    }
    if first.names_sender {
        lost.push("Notification/FromAdress");
    }
    let (channel, reminds) = channel(first)?;
    let mut order = NotificationOrder { notification_channel: channel, ..NotificationOrder::default() };
    for (_, address) in first.endpoints.iter().filter(|(_, address)| !address.is_empty()) {
        match custom(address) {
            Some(recipient) => order.custom_recipients.push(recipient),
            None => lost.push("Notification/ReceiverAdress"),
        }
    }
    order.override_registered_contact_information = !order.custom_recipients.is_empty();
    let template = target.template(&first.kind, language(&first.language).0);
    match template.and_then(|template| texts(template, first, channel)) {
        Some(texts) => fill(&mut order, texts, reminds),
        None if target.needs_template => return Err(codes::NOTIFICATION_UNKNOWN),
        None => {
            order.notification_template = "GenericAltinnMessage";
            order.send_reminder = reminds;
            notes.push(Note::new(codes::NOTIFICATION_GENERAL, ""));
        }
    }
    if order.send_reminder {
        order.reminder_notification_channel = Some("SmsPreferred");
    }
    Ok(Some(order))
}

/// The channel, and whether a reminder follows.
fn channel(notification: &Notification) -> Result<(&'static str, bool), Code> {
    let (mut sms, mut email) = (false, false);
    for (transport, _) in &notification.endpoints {
        match transport.to_ascii_lowercase().as_str() {
            "sms" => sms = true,
            "email" => email = true,
            "both" => (sms, email) = (true, true),
            "smspreferred" => return Ok(("SmsPreferred", false)),
            "emailpreferred" => return Ok(("EmailPreferred", false)),
            "priorityemailsmsreminder" => return Ok(("EmailPreferred", true)),
            _ => return Err(codes::NOTIFICATION_UNKNOWN),
        }
    }
    Ok(match (sms, email) {
        (true, true) => ("EmailAndSms", false),
        (true, false) => ("Sms", false),
        (false, true) => ("Email", false),
        // Where the sender names no channel the platform picks one.
        (false, false) => ("EmailPreferred", false),
    })
}

/// An address as the platform takes it; numbers of eight digits are Norwegian.
fn custom(address: &str) -> Option<CustomRecipient> {
    if address.contains('@') {
        return Some(CustomRecipient::EmailAddress(address.to_owned()));
    }
    let digits: String = address.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let is_number = |text: &str| (8..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let number = match digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")) {
        Some(international) if is_number(international) => format!("+{international}"),
        None if digits.len() == 8 && is_number(&digits) => format!("+47{digits}"),
        Some(_) | None => return None,
    };
    Some(CustomRecipient::MobileNumber(number))
}

/// Subject, text and SMS.
struct Texts {
    email: Option<(String, String)>,
    sms: Option<String>,
}

/// The texts a channel needs; `None` when the template lacks one, or one is too long.
fn texts(template: &NotificationTemplate, notification: &Notification, channel: &str) -> Option<Texts> {
    let filled = |text: &str| render(text, &notification.tokens);
    let (subject, body, sms) = (filled(&template.email_subject), filled(&template.email_body), filled(&template.sms));
    let fits = |text: &String, most: usize| !text.is_empty() && text.chars().count() <= most;
    let email = (fits(&subject, MOST_SUBJECT) && fits(&body, MOST_BODY)).then_some((subject, body));
    let sms = Some(sms).filter(|sms| fits(sms, MOST_SMS));
    match channel {
        "Email" => Some(Texts { email: Some(email?), sms: None }),
        "Sms" => Some(Texts { email: None, sms: Some(sms?) }),
        _ => Some(Texts { email: Some(email?), sms: Some(sms?) }),
    }
}

fn fill(order: &mut NotificationOrder, texts: Texts, reminds: bool) {
    order.notification_template = "CustomMessage";
    order.send_reminder = reminds;
    let (subject, body) = texts.email.unzip();
    if reminds {
        order.reminder_email_subject.clone_from(&subject);
        order.reminder_email_body.clone_from(&body);
        order.reminder_sms_body.clone_from(&texts.sms);
    }
    (order.email_subject, order.email_body, order.sms_body) = (subject, body, texts.sms);
}

/// A template with `{n}` replaced by the token of that number; one that is not there leaves nothing.
fn render(template: &str, tokens: &[(i64, String)]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let number = after.split_once('}').and_then(|(number, tail)| Some((number.parse::<i64>().ok()?, tail)));
        match number {
            Some((number, tail)) => {
                out.push_str(tokens.iter().find(|(known, _)| *known == number).map_or("", |(_, value)| value));
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

const MOST_SUBJECT: usize = 512;
const MOST_BODY: usize = 10_000;
const MOST_SMS: usize = 2_144;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_filled_in_once() {
        let tokens = [(0, "Kari {1}".to_owned()), (1, "x".to_owned())];
        assert_eq!(render("Hei {0}, {1}{7} {} {a} {", &tokens), "Hei Kari {1}, x {} {a} {");
    }

    #[test]
    fn numbers_are_international() {
        let number = |text: &str| match custom(text) {
            Some(CustomRecipient::MobileNumber(number)) => number,
            Some(CustomRecipient::EmailAddress(address)) => address,
            None => "none".to_owned(),
        };
        let table = [
            ("99 99 99 99", "+4799999999"),
            ("+46701234567", "+46701234567"),
            ("004799999999", "+4799999999"),
            ("a@b.example", "a@b.example"),
            ("123", "none"),
            ("9999999x", "none"),
        ];
        for (text, expected) in table {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
