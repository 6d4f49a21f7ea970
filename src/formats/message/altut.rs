//! An AltUt `Message` by the paths of its elements: a message for each participant.

use super::Draft;
use super::correspondence::is_element_of;
use crate::formats::details::Reader;
use crate::formats::moment::{day_or_moment, told};
use crate::formats::{Coding, ReadItemError, Span, check_digits};
use crate::model::ByteRange;
use crate::ports::{Message, Notification, Reply};

/// Takes an element or an attribute that has ended.
pub(super) fn element(
    reader: &mut Reader<'_>,
    draft: &mut Draft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    if let Some(path) = path.strip_prefix("Participant/Content/") {
        return in_content(reader, draft, path, content);
    }
    if let Some(path) = path.strip_prefix("NotificationMessages/") {
        return notification(reader, draft, path, content);
    }
    if let Some((_, path)) = path.split_once("ReplyMessages/ReplyMessage/Form") {
        return reply(reader, draft, path, content);
    }
    let message = &mut draft.message;
    match path {
        "Participant/@id" => message.recipient = check_digits::number(&reader.text(content)?).ok(),
        "Participant/VisibleDate" => {
            message.visible_from = told(&reader.text(content)?, |text| day_or_moment(text, false))?;
        }
        "Participant/DueDate" => message.due = told(&reader.text(content)?, |text| day_or_moment(text, true))?,
        "Participant/AllowSystemDeleteDate" if !content.is_empty() => message.other("AllowSystemDeleteDate"),
        "Participant" => {
            if draft.done.len() >= MOST_PARTICIPANTS {
                return Err(ReadItemError::TooMuch("participants"));
            }
            let done = std::mem::take(&mut draft.message);
            draft.done.push(done);
        }
        _ => {}
    }
    Ok(())
}

fn in_content(reader: &mut Reader<'_>, draft: &mut Draft, path: &str, content: ByteRange) -> Result<(), ReadItemError> {
    let attachment = &mut draft.attachment;
    match path {
        "@languageCode" => draft.message.language = reader.text(content)?.trim().to_owned(),
        "MessageHeader" => draft.message.title = reader.text(content)?,
        "MessageSummery" => draft.message.summary = reader.text(content)?,
        "HTML" => draft.take_body(content),
        "Attachments/Attachment/@id" => attachment.senders_reference = reader.text(content)?,
        "Attachments/Attachment/@filename" => attachment.file_name = reader.text(content)?,
        "Attachments/Attachment/@name" => attachment.name = reader.text(content)?,
        "Attachments/Attachment" => {
            attachment.content = content;
            draft.take_attachment(Coding::Base64)?;
        }
        _ => draft.body_has_elements |= is_element_of(path, "HTML/"),
    }
    Ok(())
}

fn notification(
    reader: &mut Reader<'_>,
    draft: &mut Draft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    match path {
        "NotificationTypeName" | "@NotificationTypeName" => {
            draft.notification.kind = reader.text(content)?.trim().to_owned();
        }
        "NotificationMessage/@participantId" => draft.pair.0 = reader.text(content)?,
        "NotificationMessage/SMSPhoneNumbers/SMSPhoneNumber" => {
            let endpoint = ("SMS".to_owned(), reader.text(content)?.trim().to_owned());
            draft.notification.endpoints.push(endpoint);
        }
        "NotificationMessage/EmailAddresses/EmailAddress" => {
            let endpoint = ("Email".to_owned(), reader.text(content)?.trim().to_owned());
            draft.notification.endpoints.push(endpoint);
        }
        "NotificationMessage" => {
            let endpoints = std::mem::take(&mut draft.notification.endpoints);
            let notification = Notification { endpoints, ..draft.notification.clone() };
            draft.notified.push((std::mem::take(&mut draft.pair.0), notification));
        }
        _ => {}
    }
    Ok(())
}

/// Service and edition are one word here: `code_edition`.
fn reply(reader: &mut Reader<'_>, draft: &mut Draft, path: &str, content: ByteRange) -> Result<(), ReadItemError> {
    match path {
        "/ServiceCode" => draft.pair.0 = reader.text(content)?,
        "/ArchiveReference" => draft.pair.1 = reader.text(content)?,
        "" => {
            let (service, archive) = std::mem::take(&mut draft.pair);
            let (code, edition) = service.rsplit_once('_').unwrap_or((&service, ""));
            let reply = match archive.trim() {
                "" => Reply::Service { code: code.trim().to_owned(), edition: edition.trim().to_owned() },
                archive => Reply::Archive(archive.to_owned()),
            };
            draft.message.replies.push(reply);
        }
        _ => {}
    }
    Ok(())
}

/// Gives each participant what stands in the message for all.
pub(super) fn finish(draft: Draft) -> Vec<Message<Span>> {
    // Replies that stand behind the last participant are in the message that never began.
    let (mut done, common) = (draft.done, draft.message.replies);
    for message in &mut done {
        message.replies.extend(common.iter().cloned());
        let recipient = message.recipient.as_ref();
        let own = draft.notified.iter().filter(|(participant, notification)| {
            let all = participant.trim().is_empty();
            let is_own = recipient.is_some_and(|recipient| recipient.expose() == participant.trim());
            (all || is_own) && !notification.endpoints.is_empty()
        });
        for (_, notification) in own {
            let language = message.language.clone();
            message.notifications.push(Notification { language, ..notification.clone() });
        }
    }
    done
}

/// Each is a call of its own.
const MOST_PARTICIPANTS: usize = 1_000;
