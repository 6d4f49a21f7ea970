//! A `Correspondence` by the paths of its elements.

use super::{Draft, is_true};
use crate::formats::details::Reader;
use crate::formats::moment::{moment, told};
use crate::formats::{Coding, ReadItemError, check_digits};
use crate::model::ByteRange;
use crate::ports::Reply;

/// Takes an element that has ended.
pub(super) fn element(
    reader: &mut Reader<'_>,
    draft: &mut Draft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    if let Some(path) = path.strip_prefix("Content/") {
        return in_content(reader, draft, path, content);
    }
    if let Some(path) = path.strip_prefix("Notifications/Notification") {
        return notification(reader, draft, path, content);
    }
    let message = &mut draft.message;
    match path {
        "Reportee" => message.recipient = check_digits::number(&reader.text(content)?).ok(),
        "VisibleDateTime" => message.visible_from = told(&reader.text(content)?, moment)?,
        "DueDateTime" => message.due = told(&reader.text(content)?, moment)?,
        "ArchiveReference" => message.archive_reference = reader.text(content)?,
        "AllowForwarding" => message.may_forward = is_true(&reader.text(content)?),
        "CaseId" => message.case = reader.text(content)?.trim().to_owned(),
        "IsReservable" => message.is_reservable = Some(is_true(&reader.text(content)?)),
        "AllowSystemDeleteDateTime" => message.other("AllowSystemDeleteDateTime"),
        "SdpOptions" => message.other("SdpOptions"),
        "OnBehalfOfOrgNr" if !content.is_empty() => message.other("OnBehalfOfOrgNr"),
        _ => return reply(reader, draft, path, content),
    }
    Ok(())
}

fn in_content(reader: &mut Reader<'_>, draft: &mut Draft, path: &str, content: ByteRange) -> Result<(), ReadItemError> {
    if let Some(path) = path.strip_prefix("Attachments/") {
        return attachment(reader, draft, path, content);
    }
    match path {
        "LanguageCode" => draft.message.language = reader.text(content)?.trim().to_owned(),
        "MessageTitle" => draft.message.title = reader.text(content)?,
        "MessageSummary" => draft.message.summary = reader.text(content)?,
        "MessageBody" => draft.take_body(content),
        "CustomMessageData" => draft.message.other("CustomMessageData"),
        _ => draft.body_has_elements |= is_element_of(path, "MessageBody/"),
    }
    Ok(())
}

/// Attributes are no elements of their own.
pub(super) fn is_element_of(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|below| !below.starts_with('@'))
}

fn attachment(reader: &mut Reader<'_>, draft: &mut Draft, path: &str, content: ByteRange) -> Result<(), ReadItemError> {
    let attachment = &mut draft.attachment;
    match path {
        "BinaryAttachments/BinaryAttachment/FileName" => attachment.file_name = reader.text(content)?,
        "BinaryAttachments/BinaryAttachment/Name" => attachment.name = reader.text(content)?,
        "BinaryAttachments/BinaryAttachment/Encrypted" => attachment.is_encrypted = is_true(&reader.text(content)?),
        "BinaryAttachments/BinaryAttachment/SendersReference" | "XmlAttachments/XmlAttachment/SendersReference" => {
            attachment.senders_reference = reader.text(content)?;
        }
        // What everybody sees loses nothing.
        "BinaryAttachments/BinaryAttachment/DestinationType"
            if !matches!(reader.text(content)?.trim(), "" | "Default" | "ShowToAll") =>
        {
            draft.message.other("DestinationType");
        }
        "BinaryAttachments/BinaryAttachment/FunctionType"
            if !matches!(reader.text(content)?.trim(), "" | "Unspecified") =>
        {
            draft.message.other("FunctionType");
        }
        "BinaryAttachments/BinaryAttachment/Data" => attachment.content = content,
        "BinaryAttachments/BinaryAttachment" => draft.take_attachment(Coding::Base64)?,
        "XmlAttachments/XmlAttachment/DataFormatID" => attachment.name = reader.text(content)?.trim().to_owned(),
        "XmlAttachments/XmlAttachment/DataFormatVersion" => {
            attachment.file_name = format!("{}-{}.xml", attachment.name, reader.text(content)?.trim());
        }
        "XmlAttachments/XmlAttachment/FormDataXml" => attachment.content = content,
        "XmlAttachments/XmlAttachment" => draft.take_attachment(Coding::Document)?,
        _ => {}
    }
    Ok(())
}

fn reply(reader: &mut Reader<'_>, draft: &mut Draft, path: &str, content: ByteRange) -> Result<(), ReadItemError> {
    let Some(path) = path.strip_prefix("ReplyOptions/ReplyOption/") else { return Ok(()) };
    match path {
        "Service/ServiceCode" | "Url/LinkText" => draft.pair.0 = reader.text(content)?,
        "Service/ServiceEdition" | "Url/LinkUrl" => draft.pair.1 = reader.text(content)?,
        "Service" => {
            let (code, edition) = std::mem::take(&mut draft.pair);
            draft.message.replies.push(Reply::Service { code, edition });
        }
        "Url" => {
            let (text, url) = std::mem::take(&mut draft.pair);
            draft.message.replies.push(Reply::Url { text, url });
        }
        "ArchiveReference" => draft.message.replies.push(Reply::Archive(reader.text(content)?)),
        _ => {}
    }
    Ok(())
}

fn notification(
    reader: &mut Reader<'_>,
    draft: &mut Draft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    let notification = &mut draft.notification;
    match path {
        "" => draft.message.notifications.push(std::mem::take(notification)),
        "/FromAdress" => notification.names_sender |= !reader.text(content)?.trim().is_empty(),
        "/UseServiceOwnerShortNameAsSenderOfSms" => notification.names_sender |= is_true(&reader.text(content)?),
        "/ShipmentDateTime" => notification.send_at = told(&reader.text(content)?, moment)?,
        "/LanguageCode" => notification.language = reader.text(content)?.trim().to_owned(),
        "/NotificationType" => notification.kind = reader.text(content)?.trim().to_owned(),
        "/TextTokens/TextToken/TokenNum" => draft.token.0 = reader.text(content)?.trim().parse().unwrap_or(-1),
        "/TextTokens/TextToken/TokenValue" => draft.token.1 = reader.text(content)?,
        "/TextTokens/TextToken" => notification.tokens.push(std::mem::take(&mut draft.token)),
        "/RecieverEndPoints/ReceiverEndPoint/TransportType" => draft.endpoint.0 = reader.text(content)?,
        "/RecieverEndPoints/ReceiverEndPoint/ReceiverAdress" => draft.endpoint.1 = reader.text(content)?,
        "/RecieverEndPoints/ReceiverEndPoint" => {
            let (transport, address) = std::mem::take(&mut draft.endpoint);
            notification.endpoints.push((transport.trim().to_owned(), address.trim().to_owned()));
        }
        _ => {}
    }
    Ok(())
}
