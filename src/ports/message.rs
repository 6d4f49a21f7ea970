//! A message to a reportee as its sender wrote it, before any receiver's rules.

use jiff::Timestamp;

use super::Content;
use crate::model::Reportee;

/// One message to one recipient. Its contents are streams, or, before they are opened, places in the staged file. Without
/// `Debug`: nothing of it may be logged.
#[derive(Clone)]
pub struct Message<C = Content> {
    /// Whom it is for.
    pub recipient: Option<Reportee>,
    /// The language's number: 1044 bokmål, 2068 nynorsk, 1033 English.
    pub language: String,
    /// Its title.
    pub title: String,
    /// Its summary; empty where it has none.
    pub summary: String,
    /// Its text, HTML.
    pub body: Option<C>,
    /// Not to be seen before.
    pub visible_from: Option<Timestamp>,
    /// When an answer is due.
    pub due: Option<Timestamp>,
    /// The submission that it answers; empty where there is none.
    pub archive_reference: String,
    /// How it may be answered.
    pub replies: Vec<Reply>,
    /// Whom to tell of it, and how.
    pub notifications: Vec<Notification>,
    /// Its recipient may forward it.
    pub may_forward: bool,
    /// The case it belongs to; empty where there is none.
    pub case: String,
    /// Whether a recipient who has reserved himself does not get it, where the sender says.
    pub is_reservable: Option<bool>,
    /// What is attached.
    pub attachments: Vec<MessageAttachment<C>>,
    /// Elements that are there and have no place above, by name.
    pub others: Vec<&'static str>,
}

/// A file attached to a message.
#[derive(Clone)]
pub struct MessageAttachment<C = Content> {
    /// Its file name.
    pub file_name: String,
    /// What it is called.
    pub name: String,
    /// It is encrypted by its sender.
    pub is_encrypted: bool,
    /// The sender's own reference of it.
    pub senders_reference: String,
    /// Its bytes.
    pub content: C,
    /// It has at most so many.
    pub most_bytes: u64,
}

/// One way to answer a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// At an address.
    Url {
        /// What the link says.
        text: String,
        /// Where it leads.
        url: String,
    },
    /// With a form of a service.
    Service {
        /// Its code.
        code: String,
        /// Its edition; empty for any.
        edition: String,
    },
    /// With a form that was filled in before.
    Archive(String),
}

/// How the recipient is told of a message. Without `Debug`: it may hold addresses.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Notification {
    /// The old platform's name for its texts.
    pub kind: String,
    /// The language's number.
    pub language: String,
    /// When it is to be sent.
    pub send_at: Option<Timestamp>,
    /// It names a sender of its own.
    pub names_sender: bool,
    /// What goes into its texts, by number.
    pub tokens: Vec<(i64, String)>,
    /// Where it goes: a kind of transport, and an address where one is given.
    pub endpoints: Vec<(String, String)>,
}

impl<C> Default for Message<C> {
    fn default() -> Self {
        Self {
            recipient: None,
            language: String::new(),
            title: String::new(),
            summary: String::new(),
            body: None,
            visible_from: None,
            due: None,
            archive_reference: String::new(),
            replies: Vec::new(),
            notifications: Vec::new(),
            may_forward: false,
            case: String::new(),
            is_reservable: None,
            attachments: Vec::new(),
            others: Vec::new(),
        }
    }
}

impl<C> Message<C> {
    /// The same message with its contents made into others.
    pub fn with_contents<D>(self, mut made: impl FnMut(C) -> D) -> Message<D> {
        let attachments = self.attachments.into_iter().map(|attachment| MessageAttachment {
            file_name: attachment.file_name,
            name: attachment.name,
            is_encrypted: attachment.is_encrypted,
            senders_reference: attachment.senders_reference,
            content: made(attachment.content),
            most_bytes: attachment.most_bytes,
        });
        let attachments = attachments.collect();
        Message {
            recipient: self.recipient,
            language: self.language,
            title: self.title,
            summary: self.summary,
            body: self.body.map(made),
            visible_from: self.visible_from,
            due: self.due,
            archive_reference: self.archive_reference,
            replies: self.replies,
            notifications: self.notifications,
            may_forward: self.may_forward,
            case: self.case,
            is_reservable: self.is_reservable,
            attachments,
            others: self.others,
        }
    }

    /// Remembers an element that has no place of its own.
    pub fn other(&mut self, name: &'static str) {
        if !self.others.contains(&name) {
            self.others.push(name);
        }
    }
}
