//! From a message of the old formats to a request, with notes of what was lost on the way.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::attachments::{File, files};
use super::notification::{Notified, Occasion, notified};
use super::orders::Order;
use super::request::{Correspondence, ExternalReference, MessageContent, ReplyOption, Request};
use super::{language, length_of};
use crate::adapters::altinn::answers::is_instance_id;
use crate::codes;
use crate::markdown::{self, Converter, Markdown};
use crate::model::{MessageTarget, Note, Reportee, ReporteeKind};
use crate::ports::{Consignment, Content, DeliveryError, Message, Reply};

/// A message ready to go.
pub(super) struct Prepared {
    pub(super) request: Request,
    /// Files to go with it.
    pub(super) files: Vec<File>,
    /// Notifications that are ordered when it is sent.
    pub(super) orders: Vec<Order>,
    /// What the sender is told.
    pub(super) notes: Vec<Note>,
}

/// Maps a message; an error says why it cannot be sent.
pub(super) async fn prepare(
    item: &Consignment,
    message: &Message,
    target: &MessageTarget,
    (key, now): (Uuid, Timestamp),
) -> Result<Prepared, DeliveryError> {
    let refused = |code| DeliveryError::Refused { code };
    let recipient = message.recipient.as_ref().ok_or(refused(codes::REPORTEE_UNKNOWN))?;
    let mut lost = message.others.clone();
    let mut notes = Vec::new();
    let reference = reference(item);
    let mut files = files(&message.attachments, target, &reference, &mut notes)?;
    let content = content(message, (&mut lost, &mut notes), &mut files).await?;
    let publish = message.visible_from.filter(|from| *from > now);
    let due = due(message, target, publish.unwrap_or(now), now).map_err(refused)?;
    let occasion = Occasion {
        recipient,
        reference: &reference,
        key,
        publish: message.visible_from.unwrap_or(item.first_intent).max(item.first_intent),
        now,
    };
    let told = (&mut lost, &mut notes);
    let Notified { with_it, alone } = notified(&message.notifications, target, &occasion, told).map_err(refused)?;
    if message.may_forward && !target.allows_forwarding {
        lost.push("AllowForwarding");
    }
    let correspondence = Correspondence {
        resource_id: target.resource.clone(),
        senders_reference: reference,
        message_sender: target.sender.clone(),
        content,
        requested_publish_time: publish,
        due_date_time: due,
        external_references: external_references(message),
        property_list: properties(item, message),
        reply_options: reply_options(message, target, &mut lost),
        notification: with_it,
        ignore_reservation: target.ignores_reservation || message.is_reservable == Some(false),
        is_confirmation_needed: target.needs_confirmation,
        is_confidential: target.is_confidential,
        allow_forwarding: target.allows_forwarding && message.may_forward,
    };
    if !lost.is_empty() {
        notes.insert(0, Note::new(codes::PARTS_DROPPED, lost.join(", ")));
    }
    let request = Request {
        correspondence,
        recipients: vec![urn(recipient)],
        existing_attachments: Vec::new(),
        idempotent_key: key,
    };
    Ok(Prepared { request, files, orders: alone, notes })
}

fn urn(recipient: &Reportee) -> String {
    let kind = match recipient.kind() {
        ReporteeKind::Person => "person",
        ReporteeKind::Organisation => "organization",
    };
    format!("urn:altinn:{kind}:identifier-no:{}", recipient.expose())
}

/// The sender's own; the platform must have one.
fn reference(item: &Consignment) -> String {
    if item.senders_reference.is_empty() { item.key.to_string() } else { item.senders_reference.clone() }
}

/// Language, title, summary and text; a text that is too long becomes an attachment.
async fn content(
    message: &Message,
    (lost, notes): (&mut Vec<&'static str>, &mut Vec<Note>),
    files: &mut Vec<File>,
) -> Result<MessageContent, DeliveryError> {
    let (language, is_known) = language(&message.language);
    if !is_known {
        lost.push("LanguageCode");
    }
    let (title, summary) = (markdown::plain(&message.title), markdown::plain(&message.summary));
    let length = |name: &str| {
        let notes = vec![Note::new(codes::MESSAGE_TEXT_LENGTH, name)];
        Err(DeliveryError::RefusedFor { code: codes::MESSAGE_TEXT_LENGTH, notes })
    };
    if title.is_empty() || length_of(&title) > MOST_TITLE_CHARS {
        return length("MessageTitle");
    }
    if length_of(&summary) > MOST_TITLE_CHARS {
        return length("MessageSummary");
    }
    let mut text = String::new();
    if let Some(body) = &message.body {
        let made = convert(body).await?;
        if !made.losses.is_empty() {
            let losses: Vec<_> = made.losses.iter().map(|loss| loss.as_str()).collect();
            notes.push(Note::new(codes::HTML_SIMPLIFIED, losses.join(", ")));
        }
        text = match made.text {
            Some(text) if !made.is_partial => text,
            too_long => {
                notes.push(Note::new(codes::HTML_ATTACHED, ""));
                let (name, told) = attached(language, too_long.is_none());
                files.insert(0, original(name, body, files));
                told.to_owned()
            }
        };
    }
    // The platform wants a text; a message without one says what its summary or its title says.
    let instead = if summary.is_empty() { &title } else { &summary };
    if text.is_empty() {
        text.clone_from(&markdown::escape(instead));
    }
    Ok(MessageContent {
        language,
        message_title: title,
        message_summary: summary,
        message_body: text,
        attachments: Vec::new(),
    })
}

async fn convert(body: &Content) -> Result<Markdown, DeliveryError> {
    let mut converter = Converter::new(MOST_BODY_CHARS);
    let mut stream = body.stream();
    while let Some(chunk) = stream.next().await {
        converter.push(&chunk?);
    }
    Ok(converter.finish())
}

/// The HTML as it was, as a file.
fn original(name: &'static str, body: &Content, others: &[File]) -> File {
    let is_free = |name: &str| !others.iter().any(|file| file.name.eq_ignore_ascii_case(name));
    let numbered = (2_u32..).map(|number| name.replace('.', &format!(" ({number}).")));
    let name = std::iter::once(name.to_owned()).chain(numbered).find(|name| is_free(name)).unwrap_or_default();
    let body = body.clone();
    // Whoever opens it must know its encoding.
    let head = Bytes::from_static(b"<!DOCTYPE html>\n<meta charset=\"utf-8\">\n");
    let content = Content::new(move || stream::iter([Ok(head.clone())]).chain(body.stream()).boxed());
    File {
        title: String::new(),
        is_encrypted: false,
        reference: name.clone(),
        name,
        content,
        // A text that long may well be longer still.
        most_bytes: u64::MAX,
    }
}

/// The name of an attached text, and what stands in its place.
fn attached(language: &str, is_too_long: bool) -> (&'static str, &'static str) {
    match (language, is_too_long) {
        ("en", true) => {
            ("message.html", "The message is too long to be shown here. It is attached in full: message.html.")
        }
        ("en", false) => ("message.html", "The message cannot be shown here. It is attached in full: message.html."),
        ("nn", true) => {
            ("melding.html", "Meldinga er for lang til å visast her. Ho er lagd ved i det heile: melding.html.")
        }
        ("nn", false) => ("melding.html", "Meldinga kan ikkje visast her. Ho er lagd ved i det heile: melding.html."),
        (_, true) => {
            ("melding.html", "Meldingen er for lang til å vises her. Den er lagt ved i sin helhet: melding.html.")
        }
        (_, false) => ("melding.html", "Meldingen kan ikke vises her. Den er lagt ved i sin helhet: melding.html."),
    }
}

fn due(
    message: &Message,
    target: &MessageTarget,
    publish: Timestamp,
    now: Timestamp,
) -> Result<Option<Timestamp>, crate::model::Code> {
    if message.due.is_some_and(|due| due < now) {
        return Err(codes::DUE_DATE_PAST);
    }
    let days = SignedDuration::from_hours(i64::from(target.due_days) * 24);
    Ok(message.due.or_else(|| target.needs_confirmation.then(|| publish.checked_add(days).ok()).flatten()))
}

fn external_references(message: &Message) -> Vec<ExternalReference> {
    let reference = message.archive_reference.trim();
    let reference_type = if is_instance_id(reference) { "AltinnAppInstance" } else { "Generic" };
    let one = ExternalReference { reference_type, reference_value: reference.to_owned() };
    if reference.is_empty() { Vec::new() } else { vec![one] }
}

fn properties(item: &Consignment, message: &Message) -> BTreeMap<&'static str, String> {
    let values = [("ShipmentReference", &item.shipment_reference), ("CaseId", &message.case)];
    let fits = |value: &String| (1..=MOST_PROPERTY_CHARS).contains(&length_of(value));
    values.into_iter().filter(|(_, value)| fits(value)).map(|(name, value)| (name, value.clone())).collect()
}

fn reply_options(message: &Message, target: &MessageTarget, lost: &mut Vec<&'static str>) -> Vec<ReplyOption> {
    let mut options = Vec::new();
    for reply in &message.replies {
        let (link_url, link_text, name) = match reply {
            Reply::Url { text, url } => (Some(url.trim()), markdown::plain(text), "ReplyOption/Url"),
            Reply::Service { code, edition } => {
                (target.reply_link(code, edition), String::new(), "ReplyOption/Service")
            }
            Reply::Archive(_) => (None, String::new(), "ReplyOption/ArchiveReference"),
        };
        let is_secure = |url: &&str| {
            let scheme = url.get(..8).unwrap_or_default();
            scheme.eq_ignore_ascii_case("https://") && length_of(url) <= MOST_TITLE_CHARS
        };
        match link_url.filter(is_secure) {
            Some(url) => options.push(ReplyOption { link_url: url.to_owned(), link_text }),
            None => lost.push(name),
        }
    }
    options
}

/// Of a title, a summary, an address.
const MOST_TITLE_CHARS: usize = 255;
const MOST_BODY_CHARS: usize = 30_000;
const MOST_PROPERTY_CHARS: usize = 300;
