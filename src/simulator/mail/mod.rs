//! Messages: attachments, correspondences, what becomes of them, and how often each took effect.

mod attachments;
mod form;
mod letters;
mod orders;
mod rules;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::World;

pub(super) use attachments::{announce, attachment, upload};
pub(super) use letters::{details, find, overview, send, send_form, set_status};
pub(super) use orders::order;

/// Totals of messages since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCounts {
    /// Correspondences made.
    pub total: u64,
    /// Different ones, by resource, sender's reference and recipient.
    pub distinct: u64,
    /// Those that were made more than once.
    pub repeated: u64,
    /// Requests to make one, whatever became of them.
    pub calls: u64,
    /// Requests refused because their key was used before.
    pub known_keys: u64,
    /// Requests to find one.
    pub look_ups: u64,
    /// Attachments announced by themselves.
    pub announced: u64,
    /// Uploads of those that were taken.
    pub uploads: u64,
    /// Attachments that came with their message.
    pub attached: u64,
    /// Notifications ordered by themselves.
    pub orders: u64,
    /// Orders of them that were there before.
    pub orders_again: u64,
}

/// What is kept about a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageFacts {
    /// The correspondence's id.
    pub id: Uuid,
    /// The key of the request.
    pub key: Option<Uuid>,
    /// The resource.
    pub resource_id: String,
    /// The sender's reference.
    pub senders_reference: String,
    /// Hash of the recipient's number; the number itself is not kept.
    pub recipient: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When its recipient may see it.
    pub publish_at: Timestamp,
    /// Reading is to be confirmed.
    pub is_confirmation_needed: bool,
    /// Its attachments: name, size, SHA-256 of the bytes.
    pub attachments: Vec<(String, u64, String)>,
    /// Statuses that were set, and when.
    pub happened: Vec<(String, Timestamp)>,
}

/// An attachment that was announced by itself.
pub(super) struct Attachment {
    name: String,
    resource: String,
    checksum: Option<String>,
    content: Option<Stored>,
}

struct Stored {
    size_bytes: u64,
    sha256: String,
    has_malware: bool,
    at: Timestamp,
}

/// All messages.
#[derive(Default)]
pub(super) struct Mail {
    pub(super) counts: MessageCounts,
    messages: HashMap<Uuid, MessageFacts>,
    keys: HashMap<Uuid, Uuid>,
    orders: HashMap<String, Uuid>,
    seen: HashMap<u64, u32>,
    attachments: HashMap<Uuid, Attachment>,
    latest: VecDeque<Uuid>,
}

impl Mail {
    /// The latest messages, oldest first.
    pub(super) fn latest(&self) -> Vec<MessageFacts> {
        self.latest.iter().filter_map(|id| self.messages.get(id)).cloned().collect()
    }

    /// Sets what has become of a message; returns its resource, or `None` when there is no such message.
    fn set_status(&mut self, id: Uuid, status: &str) -> Option<String> {
        let message = self.messages.get_mut(&id)?;
        message.happened.push((status.to_owned(), Timestamp::now()));
        Some(message.resource_id.clone())
    }

    fn add(&mut self, message: MessageFacts) {
        let fields = format!("{}\n{}\n{}", message.resource_id, message.senders_reference, message.recipient);
        let times = self.seen.entry(super::effects::owner_hash(&fields)).or_insert(0);
        *times += 1;
        self.counts.total += 1;
        self.counts.distinct += u64::from(*times == 1);
        self.counts.repeated += u64::from(*times == 2);
        if let Some(key) = message.key {
            self.keys.insert(key, message.id);
        }
        self.latest.push_back(message.id);
        if self.latest.len() > KEPT {
            self.latest.pop_front();
        }
        self.messages.insert(message.id, message);
    }
}

impl World {
    /// Sets what has become of a message; `false` when there is none.
    pub(super) fn set_message_status(&self, id: Uuid, status: &str) -> bool {
        let resource = self.mail().set_status(id, status);
        if let Some(resource) = &resource {
            self.tell_message_status(resource, id, status);
        }
        resource.is_some()
    }
}

impl MessageFacts {
    /// When its recipient can see it, when publishing takes so long.
    fn published(&self, publish_delay: Duration) -> Timestamp {
        self.publish_at.max(self.created).checked_add(publish_delay).unwrap_or(Timestamp::MAX)
    }

    /// All that has become of it, in the order of time.
    fn history(&self, publish_delay: Duration) -> Vec<(String, Timestamp)> {
        let published = self.published(publish_delay);
        let own = [("Initialized", self.created), ("ReadyForPublish", self.created), ("Published", published)];
        let own = own.into_iter().filter(|(_, at)| *at <= Timestamp::now()).map(|(status, at)| (status.to_owned(), at));
        let mut history: Vec<_> = own.chain(self.happened.iter().cloned()).collect();
        history.sort_by_key(|(_, at)| *at);
        history
    }

    /// The status that is shown, and since when: not the latest but the highest, as the platform has it.
    fn stands(&self, publish_delay: Duration) -> (String, Timestamp) {
        let shown = self.history(publish_delay).into_iter().filter(|(status, _)| status != "Fetched");
        let highest = shown.max_by_key(|(status, _)| height(status));
        highest.unwrap_or_else(|| ("Initialized".to_owned(), self.created))
    }
}

/// Why a request is refused.
enum Refusal {
    /// An error by its status and number.
    Problem(u16, u32),
    /// It does not have the form the platform asks for.
    Invalid(String),
}

/// An error as the platform writes it.
fn problem(status: u16, code: u32) -> Refusal {
    Refusal::Problem(status, code)
}

/// A request that does not have the form the platform asks for.
fn invalid(detail: &str) -> Refusal {
    Refusal::Invalid(detail.to_owned())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::Problem(status, code) => {
                let body = json!({
                    "type": "about:blank", "title": "Error", "status": status, "detail": "The stand-in refuses it",
                    "code": format!("CORR-{code:05}"), "errorCode": code, "traceId": "00-0-0-00"
                });
                (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
            }
            Self::Invalid(detail) => {
                let body = json!({
                    "type": "about:blank", "title": "Validation failed", "status": 400, "code": "STD-00000",
                    "validationErrors": [{"code": "CORR.VLD-00000", "detail": detail, "paths": []}], "errors": {},
                    "traceId": "00-0-0-00"
                });
                (StatusCode::BAD_REQUEST, body)
            }
        };
        (status, Json(body)).into_response()
    }
}

/// A status's place in the platform's order; what the platform may add later comes last.
fn height(status: &str) -> usize {
    const STATUSES: [&str; 14] = [
        "Initialized",
        "ReadyForPublish",
        "Published",
        "Fetched",
        "Read",
        "Replied",
        "Confirmed",
        "PurgedByRecipient",
        "PurgedByAltinn",
        "Archived",
        "Reserved",
        "Failed",
        "AttachmentsDownloaded",
        "Forwarded",
    ];
    STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len())
}

/// Tells whether a message's sender is shown that it had a status.
fn is_for_sender(status: &str) -> bool {
    !matches!(status, "PurgedByRecipient" | "PurgedByAltinn" | "Archived" | "Forwarded")
}

/// Messages that are listed.
const KEPT: usize = 2_000;
