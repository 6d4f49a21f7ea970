//! Notifications: channels, texts from the agency's templates, addresses.

use jiff::Timestamp;
use uuid::Uuid;

use super::orders::{Order, Ordering, To};
use super::request::{CustomRecipient, NotificationOrder};
use super::{language, length_of};
use crate::codes;
use crate::model::{Code, MessageTarget, Note, NotificationTemplate, Reportee};
use crate::ports::Notification;

/// How a message's recipient is told of it.
#[derive(Default)]
pub(super) struct Notified {
    /// With the message.
    pub(super) with_it: Option<NotificationOrder>,
    /// By themselves.
    pub(super) alone: Vec<Order>,
}

/// What notifications are for.
pub(super) struct Occasion<'a> {
    pub(super) recipient: &'a Reportee,
    pub(super) reference: &'a str,
    /// The key of the message.
    pub(super) key: Uuid,
    /// When the message is published, as of its first attempt: which notification goes how is the same at every attempt.
    pub(super) publish: Timestamp,
    pub(super) now: Timestamp,
}

/// How all of a message's notifications go, and what is lost of them; or why the message is refused.
pub(super) fn notified(
    all: &[Notification],
    target: &MessageTarget,
    occasion: &Occasion<'_>,
    (lost, notes): (&mut Vec<&'static str>, &mut Vec<Note>),
) -> Result<Notified, Code> {
    let mut notified = Notified::default();
    for (nth, notification) in all.iter().enumerate() {
        // With the message goes one, when it is published.
        let is_later = notification.send_at.is_some_and(|at| at > occasion.publish);
        let by_itself = target.orders_notifications && (nth > 0 || is_later);
        let alone = if by_itself { alone(notification, target, (occasion, nth), lost)? } else { Vec::new() };
        if alone.is_empty() && nth > 0 {
            lose(lost, "Notification");
            continue;
        }
        if alone.is_empty() && is_later {
            lose(lost, "Notification/ShipmentDateTime");
        }
        if notification.names_sender {
            lose(lost, "Notification/FromAdress");
        }
        if alone.is_empty() {
            notified.with_it = Some(with_it(notification, target, (lost, notes))?);
        }
        notified.alone.extend(alone);
    }
    Ok(notified)
}

/// What is lost is told once.
fn lose(lost: &mut Vec<&'static str>, what: &'static str) {
    if !lost.contains(&what) {
        lost.push(what);
    }
}

/// A notification that goes by itself: an order for each address. None where no template has the texts.
fn alone(
    notification: &Notification,
    target: &MessageTarget,
    (occasion, nth): (&Occasion<'_>, usize),
    lost: &mut Vec<&'static str>,
) -> Result<Vec<Order>, Code> {
    let missing = if target.needs_template { Err(codes::NOTIFICATION_UNKNOWN) } else { Ok(Vec::new()) };
    let template = target.template(&notification.kind, language(&notification.language).0);
    let Some(template) = template else { return missing };
    let send_at = notification.send_at.unwrap_or(occasion.publish).max(occasion.publish);
    let order = |(place, to): (usize, To<'_>)| {
        let texts = match &to {
            To::Registered(_, channel, _) => texts(template, notification, channel, &[])?,
            To::Email(_) | To::Mobile(_) => all_texts(template, notification),
        };
        let ordering = Ordering {
            key: Uuid::new_v5(&occasion.key, format!("notification/{nth}/{place}").as_bytes()),
            reference: occasion.reference.to_owned(),
            send_at: Some(send_at).filter(|at| *at > occasion.now),
        };
        Order::new(ordering, to, &texts)
    };
    // All of it, or none: a part would not be missed.
    let orders: Option<Vec<_>> = to(notification, occasion, lost)?.into_iter().enumerate().map(order).collect();
    orders.map_or(missing, Ok)
}

/// Where a notification goes: to the addresses given, and to those registered where one is left out.
fn to<'a>(
    notification: &Notification,
    occasion: &Occasion<'a>,
    lost: &mut Vec<&'static str>,
) -> Result<Vec<To<'a>>, Code> {
    let (channel, reminds) = channel(notification)?;
    let mut to = Vec::new();
    for (_, address) in notification.endpoints.iter().filter(|(_, address)| !address.is_empty()) {
        match custom(address) {
            Some(CustomRecipient::EmailAddress(address)) => to.push(To::Email(address)),
            Some(CustomRecipient::MobileNumber(number)) => to.push(To::Mobile(number)),
            None => lose(lost, "Notification/ReceiverAdress"),
        }
    }
    if is_any_registered(notification) || notification.endpoints.is_empty() {
        to.push(To::Registered(occasion.recipient, channel, reminds));
    }
    Ok(to)
}

/// A notification that goes with its message.
fn with_it(
    notification: &Notification,
    target: &MessageTarget,
    (lost, notes): (&mut Vec<&'static str>, &mut Vec<Note>),
) -> Result<NotificationOrder, Code> {
    let (channel, reminds) = channel(notification)?;
    let mut order = NotificationOrder { notification_channel: channel, ..NotificationOrder::default() };
    for (_, address) in notification.endpoints.iter().filter(|(_, address)| !address.is_empty()) {
        match custom(address) {
            Some(recipient) => order.custom_recipients.push(recipient),
            None => lose(lost, "Notification/ReceiverAdress"),
        }
    }
    // Without that, what is registered is told, too.
    order.override_registered_contact_information =
        !order.custom_recipients.is_empty() && !is_any_registered(notification);
    let template = target.template(&notification.kind, language(&notification.language).0);
    match template.and_then(|template| texts(template, notification, channel, &order.custom_recipients)) {
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
    Ok(order)
}

/// Tells whether an address is left out, so that the registered one is meant.
fn is_any_registered(notification: &Notification) -> bool {
    notification.endpoints.iter().any(|(_, address)| address.is_empty())
}

/// The channel to what is registered, and whether a reminder follows. Where addresses are given for all, theirs.
fn channel(notification: &Notification) -> Result<(&'static str, bool), Code> {
    let all = channel_of(notification.endpoints.iter())?;
    let registered = notification.endpoints.iter().filter(|(_, address)| address.is_empty());
    if is_any_registered(notification) { channel_of(registered) } else { Ok(all) }
}

fn channel_of<'a>(endpoints: impl Iterator<Item = &'a (String, String)>) -> Result<(&'static str, bool), Code> {
    let (mut sms, mut email) = (false, false);
    for (transport, _) in endpoints {
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

/// Subject and text of an e-mail, and an SMS.
pub(super) struct Texts {
    pub(super) email: Option<(String, String)>,
    pub(super) sms: Option<String>,
}

/// Those texts of a template that are there and not too long.
fn all_texts(template: &NotificationTemplate, notification: &Notification) -> Texts {
    let filled = |text: &str| render(text, &notification.tokens);
    let (subject, body, sms) = (filled(&template.email_subject), filled(&template.email_body), filled(&template.sms));
    let fits = |text: &String, most: usize| !text.is_empty() && length_of(text) <= most;
    let email = (fits(&subject, MOST_SUBJECT) && fits(&body, MOST_BODY)).then_some((subject, body));
    Texts { email, sms: Some(sms).filter(|sms| fits(sms, MOST_SMS)) }
}

/// The texts that a channel and addresses beside it need; `None` when the template lacks one, or one is too long.
fn texts(
    template: &NotificationTemplate,
    notification: &Notification,
    channel: &str,
    custom: &[CustomRecipient],
) -> Option<Texts> {
    let Texts { email, sms } = all_texts(template, notification);
    let has = |is_it: fn(&CustomRecipient) -> bool| custom.iter().any(is_it);
    let needs_email = channel != "Sms" || has(|to| matches!(to, CustomRecipient::EmailAddress(_)));
    let needs_sms = channel != "Email" || has(|to| matches!(to, CustomRecipient::MobileNumber(_)));
    let is_whole = (email.is_some() || !needs_email) && (sms.is_some() || !needs_sms);
    is_whole.then(|| Texts { email: email.filter(|_| needs_email), sms: sms.filter(|_| needs_sms) })
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
