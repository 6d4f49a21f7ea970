//! Messages: each becomes one correspondence for each of its recipients, by one call.
//!
//! The call carries a key made of the item's. The platform takes a key once and for ever, so a second call has no second
//! effect; its refusal is answered by looking for the message under the key. That the platform took a message is not that
//! its recipient sees it: what becomes of it is asked for later.

mod answers;
pub(super) mod attachments;
mod mapping;
mod notification;
mod orders;
mod request;
mod stand;
mod uploads;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use uuid::Uuid;

use self::answers::{Sent, ordered, sent};
use self::attachments::File;
use self::mapping::{Prepared, prepare};
use self::orders::Order;
use self::request::NewAttachment;
use self::stand::{Overview, together};
use self::uploads::Uploader;
use super::client::{Client, still_unknown};
use super::instance::content_type;
use super::problem::looked;
use super::{AltinnSettings, NewsSettings, SetupError};
use crate::adapters::http::{Answer, FormPart, Outgoing, form};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{ItemKey, MessageTarget, Note, ServiceTable};
use crate::ports::{
    Clock, Concern, Consignment, Content, Delivered, DeliveryError, Message, Next, Receiver, Stand, Uploads,
};

/// Sends messages.
pub struct MessageReceiver {
    client: Arc<Client>,
    messages: Url,
    orders: Url,
    uploader: Uploader,
    services: ServiceTable,
    news: NewsSettings,
    clock: Arc<dyn Clock>,
}

impl MessageReceiver {
    /// Checks the settings; nothing is sent yet.
    pub fn new(
        settings: AltinnSettings,
        services: ServiceTable,
        news: NewsSettings,
        (store, clock): (Arc<dyn Uploads>, Arc<dyn Clock>),
    ) -> Result<Self, SetupError> {
        let targets = services.rows.iter().filter_map(|row| row.message.as_ref());
        if let Some(bad) = targets.map(|target| &target.resource).find(|resource| !is_resource(resource)) {
            return Err(SetupError::BadResource(bad.clone()));
        }
        let client = Arc::new(Client::new(settings, &[], clock.clone())?);
        let messages = client.at("correspondence/api/v1/correspondence");
        let attachments = client.at("correspondence/api/v1/attachment");
        let orders = client.at("notifications/api/v1/future/orders");
        let uploader = Uploader::new(Arc::clone(&client), attachments, store, clock.clone());
        Ok(Self { client, messages, orders, uploader, services, news, clock })
    }

    fn target(&self, item: &Consignment) -> Result<&MessageTarget, DeliveryError> {
        let refused = |code| DeliveryError::Refused { code };
        if item.messages.is_empty() {
            return Err(refused(codes::NO_RECEIVER_FOR_KIND));
        }
        let row = item.service.as_ref().and_then(|service| self.services.row(service));
        row.and_then(|row| row.message.as_deref()).ok_or(refused(codes::UNKNOWN_SERVICE))
    }

    /// Sends one message; the id of what is there then.
    async fn send(&self, prepared: Prepared, target: &MessageTarget) -> Result<Uuid, DeliveryError> {
        let Prepared { mut request, files, .. } = prepared;
        let mut with_it = Vec::new();
        for file in files {
            if target.shares_attachments || file.most_bytes > target.large_attachment_bytes {
                request.existing_attachments.push(self.uploader.place(&file, &target.resource).await?);
            } else {
                with_it.push(file);
            }
        }
        request.correspondence.content.attachments = with_it.iter().map(announced).collect();
        kill_point("altinn.message.before");
        let answer = if with_it.is_empty() {
            let body = Content::from_bytes(request.json());
            self.client.post_again(&self.messages, "application/json", None, &body).await?
        } else {
            self.post_form(&request, &with_it).await?
        };
        kill_point("altinn.message.after");
        match sent(&answer)? {
            Sent::New(id) => Ok(id),
            Sent::Before => {
                let found = self.find(&target.resource, request.idempotent_key).await.map_err(after_others)?;
                found.ok_or(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN })
            }
        }
    }

    /// Orders notifications that the message does not carry; each has a key, and a second order of it no second effect.
    async fn order(&self, orders: &[Order]) -> Result<Vec<Note>, DeliveryError> {
        let mut notes = Vec::new();
        for order in orders {
            let body = Content::from_bytes(order.json());
            kill_point("altinn.notification.before");
            let answer = self.client.post_again(&self.orders, "application/json", None, &body).await?;
            kill_point("altinn.notification.after");
            notes.extend(ordered(&answer)?);
        }
        Ok(notes)
    }

    async fn post_form(&self, request: &request::Request, files: &[File]) -> Result<Answer, DeliveryError> {
        let url = self.at("upload").ok_or(DeliveryError::Unknown { code: codes::RECEIVER_FAULT })?;
        let mut answer = self.post_form_once(&url, request, files).await?;
        if answer.status() == 401 {
            answer = self.post_form_once(&url, request, files).await?;
        }
        Ok(answer)
    }

    async fn post_form_once(
        &self,
        url: &Url,
        request: &request::Request,
        files: &[File],
    ) -> Result<Answer, DeliveryError> {
        let field = |(name, text): (String, String)| FormPart {
            name,
            file_name: None,
            content_type: "text/plain; charset=utf-8",
            content: Content::from_bytes(text),
        };
        let file = |file: &File| FormPart {
            name: "attachments".to_owned(),
            file_name: Some(file.name.clone()),
            content_type: content_type("", &file.name),
            content: file.content.clone(),
        };
        let parts = request.fields().into_iter().map(field).chain(files.iter().map(file)).collect();
        let (content_type, body) = form(parts);
        self.client.post(url, &content_type, None, Outgoing::gather(body).await?).await
    }

    /// The message under a key. Every failure to look leaves what is unknown as it was.
    async fn find(&self, resource: &str, key: Uuid) -> Result<Option<Uuid>, DeliveryError> {
        #[derive(Deserialize)]
        struct Found {
            #[serde(default)]
            ids: Option<Vec<Uuid>>,
        }
        let mut url = self.messages.clone();
        url.query_pairs_mut()
            .append_pair("role", "Sender")
            .append_pair("resourceId", resource)
            .append_pair("idempotentKey", &key.to_string());
        let answer = self.client.get(&url).await?;
        looked(&answer)?;
        let found: Found = answer.json().ok_or(DeliveryError::Unknown { code: codes::RECEIVER_FAULT })?;
        Ok(found.ids.unwrap_or_default().first().copied())
    }

    /// What has become of a message. All that has become of it before is much to ask for, so that is done seldom; of a
    /// message that is gone at once, since nobody asks about it again.
    async fn stand_of(&self, id: &str, looks: u32) -> Result<Stand, DeliveryError> {
        let id: Uuid = id.parse().map_err(|_| DeliveryError::Unknown { code: codes::RECEIVER_FAULT })?;
        let Some(overview) = self.shown(&id.to_string()).await? else {
            // Purged long ago.
            return Ok(Stand { events: Vec::new(), is_over: true });
        };
        let (wanted, now) = (&self.news.events, self.clock.now());
        let stand = overview.stand(wanted, now);
        if overview.may_hide_confirmation(wanted) && (stand.is_over || self.news.is_seldom(looks)) {
            return Ok(match self.shown(&format!("{id}/details")).await {
                Ok(details) => details.map_or(stand, |details| details.stand(wanted, now)),
                // What is shown is told all the same; the rest is asked for at the next look.
                Err(_) => Stand { is_over: false, ..stand },
            });
        }
        Ok(stand)
    }

    /// A message as the platform shows it; `None` where there is none.
    async fn shown(&self, path: &str) -> Result<Option<Overview>, DeliveryError> {
        let unknown = || DeliveryError::Unknown { code: codes::RECEIVER_FAULT };
        let answer = self.client.get(&self.at(path).ok_or_else(unknown)?).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        looked(&answer)?;
        answer.json().map(Some).ok_or_else(unknown)
    }

    fn at(&self, path: &str) -> Option<Url> {
        format!("{}/{path}", self.messages).parse().ok()
    }

    fn delivered(&self, ids: &[Uuid]) -> Delivered {
        let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        Delivered { news_for: self.news.time(), ..Delivered::of(ids.join(" ")) }
    }

    async fn prepared(
        &self,
        item: &Consignment,
        (index, message): (usize, &Message),
        target: &MessageTarget,
    ) -> Result<Prepared, DeliveryError> {
        prepare(item, message, target, (key_of(item.key, index), self.clock.now())).await
    }
}

#[async_trait]
impl Receiver for MessageReceiver {
    async fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        self.client.tokens.concerns(now).await
    }

    /// An item with several recipients takes several calls. What happened to the first ones stays: a trouble with a later
    /// one is settled by looking, and one that is refused does not keep the others from theirs.
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let target = self.target(item)?;
        let (mut ids, mut notes, mut refused) = (Vec::new(), Vec::new(), None);
        for (index, message) in item.messages.iter().enumerate() {
            let sent = async {
                let mut prepared = self.prepared(item, (index, message), target).await?;
                let (mut own, orders) = (std::mem::take(&mut prepared.notes), std::mem::take(&mut prepared.orders));
                let id = self.send(prepared, target).await?;
                own.extend(self.order(&orders).await.map_err(after_others)?);
                Ok((id, own))
            };
            match sent.await {
                Ok((id, own)) => {
                    ids.push(id);
                    notes.extend(own);
                }
                Err(error @ (DeliveryError::Refused { .. } | DeliveryError::RefusedFor { .. })) => {
                    refused = refused.or(Some(error));
                }
                Err(error) if ids.is_empty() => return Err(error),
                Err(error) => return Err(after_others(error)),
            }
        }
        match refused {
            Some(error) if ids.is_empty() => return Err(error),
            Some(error) => return Err(partly(error)),
            None => {}
        }
        dedup(&mut notes);
        Ok(Delivered { notes, ..self.delivered(&ids) })
    }

    /// An item that only some of its recipients have is neither there nor surely not.
    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        let target = self.target(item)?;
        let (mut ids, mut notes) = (Vec::new(), Vec::new());
        for index in 0..item.messages.len() {
            let found = self.find(&target.resource, key_of(item.key, index)).await.map_err(still_unknown)?;
            if found.is_none() && !ids.is_empty() {
                return Err(DeliveryError::Unclear);
            }
            ids.extend(found);
        }
        match ids.len() {
            0 => return Ok(None),
            found if found < item.messages.len() => return Err(DeliveryError::Unclear),
            _ => {}
        }
        for (index, message) in item.messages.iter().enumerate() {
            // What was lost is lost, though its due date may have passed since. What is ordered beside it may not have been.
            if let Ok(prepared) = self.prepared(item, (index, message), target).await {
                notes.extend(prepared.notes);
                notes.extend(self.order(&prepared.orders).await.map_err(still_unknown)?);
            }
        }
        dedup(&mut notes);
        Ok(Some(Delivered { notes, ..self.delivered(&ids) }))
    }

    fn takes_messages(&self) -> bool {
        true
    }

    async fn stand(&self, receivers_reference: &str, looks: u32) -> Result<Stand, DeliveryError> {
        let mut stands = Vec::new();
        for id in receivers_reference.split_whitespace() {
            stands.push(self.stand_of(id, looks).await?);
        }
        Ok(together(&stands))
    }

    fn wait_for_news(&self, looks: u32) -> Duration {
        self.news.wait(looks)
    }
}

/// One recipient is refused and another has the message: what the refusal was is told beside.
fn partly(error: DeliveryError) -> DeliveryError {
    let (reason, _) = error.outcome();
    let notes = std::iter::once(Note::new(reason, "")).chain(error.into_notes()).collect();
    DeliveryError::RefusedFor { code: codes::PARTLY_DELIVERED, notes }
}

/// After a message of the item was sent, nothing is certainly without effect any more.
fn after_others(error: DeliveryError) -> DeliveryError {
    match error {
        DeliveryError::Later { code, .. } | DeliveryError::Credentials { code } | DeliveryError::Unknown { code } => {
            DeliveryError::Unknown { code }
        }
        // The disk may mend, and a look comes first then, too.
        DeliveryError::Unreadable(_) if error.outcome().1 == Next::AskOperator => {
            DeliveryError::Unknown { code: codes::STAGED_UNREADABLE }
        }
        DeliveryError::Refused { .. }
        | DeliveryError::RefusedFor { .. }
        | DeliveryError::Unclear
        | DeliveryError::Unreadable(_) => error,
    }
}

/// The length of a text as the platform counts it, in units of UTF-16.
fn length_of(text: &str) -> usize {
    text.encode_utf16().count()
}

fn dedup(notes: &mut Vec<Note>) {
    let mut seen = Vec::new();
    notes.retain(|note| {
        let is_new = !seen.contains(note);
        seen.push(note.clone());
        is_new
    });
    notes.truncate(MOST_NOTES);
}

/// The key of the call for one of an item's recipients.
fn key_of(item: ItemKey, index: usize) -> Uuid {
    Uuid::new_v5(&item.0, &(index as u64).to_be_bytes())
}

fn announced(file: &File) -> NewAttachment {
    NewAttachment {
        file_name: file.name.clone(),
        display_name: file.title.clone(),
        is_encrypted: file.is_encrypted,
        senders_reference: file.reference.clone(),
        checksum: None,
        resource_id: None,
    }
}

/// The platform's word for a language number; and whether it is one we know.
fn language(number: &str) -> (&'static str, bool) {
    match number.trim() {
        "1033" => ("en", true),
        "2068" => ("nn", true),
        "1044" | "" => ("nb", true),
        _ => ("nb", false),
    }
}

/// Tells whether a text is the id of a resource.
pub(super) fn is_resource(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Notes on one item.
const MOST_NOTES: usize = 16;
