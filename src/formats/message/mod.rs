//! The messages an item carries, read again from the staged bytes for a receiver that takes messages.

mod altut;
mod correspondence;

use super::details::{Reader, for_each_element};
use super::{Coding, ReadItemError, Span, preamble};
use crate::model::{ByteRange, ItemKind, NewItem};
use crate::ports::{Blob, Message, MessageAttachment, PartMeta};

/// Reads the messages of an item, one for each recipient; none of an item that is no message. Bodies and attachments stay
/// where they are.
pub fn messages(blob: &dyn Blob, item: &NewItem) -> Result<Vec<Message<Span>>, ReadItemError> {
    let encoding = preamble(blob)?.encoding;
    let mut reader = Reader::new(blob, encoding);
    let mut draft = Draft::default();
    for_each_element((blob, encoding), item.range, &mut |path, content| match item.kind {
        ItemKind::Correspondence => correspondence::element(&mut reader, &mut draft, path, content),
        ItemKind::AltUtMessage => altut::element(&mut reader, &mut draft, path, content),
        ItemKind::FormTask
        | ItemKind::Field
        | ItemKind::Subscription
        | ItemKind::DataUnit
        | ItemKind::Confirmation
        | ItemKind::Usage
        | ItemKind::AltUtConfirmation
        | ItemKind::OnlineResult
        | ItemKind::Recipient
        | ItemKind::Item => Ok(()),
    })?;
    Ok(if item.kind == ItemKind::Correspondence { vec![draft.message] } else { altut::finish(draft) })
}

/// What is read so far.
#[derive(Default)]
struct Draft {
    /// The message whose element has not ended.
    message: Message<Span>,
    attachment: AttachmentDraft,
    notification: crate::ports::Notification,
    token: (i64, String),
    endpoint: (String, String),
    /// Two texts of an element that is a pair of them.
    pair: (String, String),
    /// Elements stand in the body: it is markup as it is.
    body_has_elements: bool,
    /// Messages that are complete, and whom each notification is for: an AltUt message has several.
    done: Vec<Message<Span>>,
    notified: Vec<(String, crate::ports::Notification)>,
}

#[derive(Default)]
struct AttachmentDraft {
    file_name: String,
    name: String,
    is_encrypted: bool,
    senders_reference: String,
    content: ByteRange,
}

impl Draft {
    /// Takes the body, and where it lies.
    fn take_body(&mut self, content: ByteRange) {
        let coding = if std::mem::take(&mut self.body_has_elements) { Coding::Markup } else { Coding::Text };
        let meta = PartMeta::Form { format_id: String::new(), format_version: String::new() };
        self.message.body = (!content.is_empty()).then_some(Span { meta, content, coding });
    }

    /// Takes the attachment whose element has ended.
    fn take_attachment(&mut self, coding: Coding) -> Result<(), ReadItemError> {
        let draft = std::mem::take(&mut self.attachment);
        if self.message.attachments.len() >= MOST_ATTACHMENTS {
            return Err(ReadItemError::TooMuch("attachments"));
        }
        let meta = PartMeta::Attachment { file_name: String::new(), attachment_type: String::new() };
        self.message.attachments.push(MessageAttachment {
            file_name: draft.file_name,
            name: draft.name,
            is_encrypted: draft.is_encrypted,
            senders_reference: draft.senders_reference,
            // No coding makes more bytes of it than it has here, but for text in a one-byte encoding.
            most_bytes: if coding == Coding::Base64 { draft.content.len() } else { draft.content.len() * 3 },
            content: Span { meta, content: draft.content, coding },
        });
        Ok(())
    }
}

fn is_true(text: &str) -> bool {
    matches!(text.trim(), "true" | "1" | "True" | "TRUE" | "J" | "Y")
}

/// More than any receiver takes.
const MOST_ATTACHMENTS: usize = 1_000;

#[cfg(test)]
mod tests;
