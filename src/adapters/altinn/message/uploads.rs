//! Attachments that lie at the platform before the message does: large ones, and those that many messages share.
//!
//! What was uploaded is remembered by a hash of what it is, before the first byte goes out, so that neither a restart nor
//! another message sends it again. Nothing here has an effect anybody sees: whatever fails may be done anew.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::answers::prepared;
use super::attachments::File;
use super::request::NewAttachment;
use crate::adapters::altinn::client::{Client, without_effect};
use crate::codes;
use crate::kill_point::kill_point;
use crate::ports::{Clock, Content, DeliveryError, LedgerError, Uploads};

/// Brings attachments to the platform, each once.
pub(super) struct Uploader {
    client: Arc<Client>,
    attachments: Url,
    store: Arc<dyn Uploads>,
    clock: Arc<dyn Clock>,
    /// Of the same content only one is uploaded; the others wait and find it.
    turns: [Mutex<Vec<Known>>; TURNS],
}

/// An attachment that was published when it was last looked at.
struct Known {
    key: [u8; 32],
    id: Uuid,
    seen_at: Timestamp,
}

/// What a content is.
struct Fingerprint {
    key: [u8; 32],
    size_bytes: u64,
    md5: String,
}

/// Where an attachment stands at the platform.
enum Standing {
    Announced,
    Scanning,
    Published,
    Failed,
    Gone,
}

impl Uploader {
    pub(super) fn new(client: Arc<Client>, attachments: Url, store: Arc<dyn Uploads>, clock: Arc<dyn Clock>) -> Self {
        Self { client, attachments, store, clock, turns: Default::default() }
    }

    /// The id of a published attachment with the file's content.
    pub(super) async fn place(&self, file: &File, resource: &str) -> Result<Uuid, DeliveryError> {
        let print = fingerprint(file, resource).await?;
        let turn = print.key.first().map_or(0, |byte| usize::from(*byte) % TURNS);
        let Some(turn) = self.turns.get(turn) else { return Err(later()) };
        let mut known = turn.lock().await;
        let now = self.clock.now();
        let is_fresh = |known: &&Known| now.duration_since(known.seen_at).abs() < TRUSTED;
        if let Some(known) = known.iter().find(|known| known.key == print.key).filter(is_fresh) {
            return Ok(known.id);
        }
        let id = self.publish(file, resource, &print).await?;
        known.retain(|known| known.key != print.key);
        known.truncate(MOST_KNOWN - 1);
        known.insert(0, Known { key: print.key, id, seen_at: now });
        Ok(id)
    }

    async fn publish(&self, file: &File, resource: &str, print: &Fingerprint) -> Result<Uuid, DeliveryError> {
        let before = self.store.upload(print.key).await.map_err(no_ledger)?;
        let (id, standing) = match before.and_then(|id| id.parse::<Uuid>().ok()) {
            Some(id) => (id, self.standing(id).await?),
            None => (Uuid::nil(), Standing::Gone),
        };
        let id = match standing {
            Standing::Published => return Ok(id),
            Standing::Scanning => id,
            Standing::Announced => {
                self.upload(id, file, print).await?;
                id
            }
            Standing::Failed | Standing::Gone => {
                let id = self.announce(file, resource, print).await?;
                self.store.keep_upload(print.key, &id.to_string(), self.clock.now()).await.map_err(no_ledger)?;
                kill_point("altinn.upload.kept");
                self.upload(id, file, print).await?;
                id
            }
        };
        self.wait(id).await
    }

    async fn announce(&self, file: &File, resource: &str, print: &Fingerprint) -> Result<Uuid, DeliveryError> {
        let attachment = NewAttachment {
            file_name: file.name.clone(),
            display_name: file.title.clone(),
            is_encrypted: file.is_encrypted,
            senders_reference: file.reference.clone(),
            checksum: Some(print.md5.clone()),
            resource_id: Some(resource.to_owned()),
        };
        let body = serde_json::to_vec(&attachment).expect("an attachment has only text keys and values");
        let body = Content::from_bytes(body);
        let answer = self.client.post_again(&self.attachments, "application/json", None, &body).await;
        let answer = answer.map_err(without_effect)?;
        prepared(&answer)?;
        answer.json::<Uuid>().ok_or_else(later)
    }

    async fn upload(&self, id: Uuid, file: &File, print: &Fingerprint) -> Result<(), DeliveryError> {
        let url = self.url(&format!("{id}/upload"))?;
        let size_bytes = Some(print.size_bytes);
        let answer = self.client.post_again(&url, "application/octet-stream", size_bytes, &file.content).await;
        kill_point("altinn.upload.sent");
        prepared(&answer.map_err(without_effect)?)
    }

    /// Waits for the scan to end, for a while.
    async fn wait(&self, id: Uuid) -> Result<Uuid, DeliveryError> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..MOST_LOOKS {
            match self.standing(id).await? {
                Standing::Published => return Ok(id),
                Standing::Failed | Standing::Gone => {
                    return Err(DeliveryError::Refused { code: codes::ATTACHMENT_REFUSED });
                }
                Standing::Announced | Standing::Scanning => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(DeliveryError::Later { code: codes::THROTTLED, after: None })
    }

    async fn standing(&self, id: Uuid) -> Result<Standing, DeliveryError> {
        #[derive(Deserialize)]
        struct Overview {
            status: String,
        }
        let answer = self.client.get(&self.url(&id.to_string())?).await.map_err(without_effect)?;
        if answer.status() == 404 {
            return Ok(Standing::Gone);
        }
        prepared(&answer)?;
        let overview: Overview = answer.json().ok_or_else(later)?;
        Ok(match overview.status.as_str() {
            "Initialized" => Standing::Announced,
            "UploadProcessing" => Standing::Scanning,
            "Published" => Standing::Published,
            "Failed" => Standing::Failed,
            _ => Standing::Gone,
        })
    }

    fn url(&self, path: &str) -> Result<Url, DeliveryError> {
        format!("{}/{path}", self.attachments).parse().map_err(|_| later())
    }
}

/// Reads the content once.
async fn fingerprint(file: &File, resource: &str) -> Result<Fingerprint, DeliveryError> {
    let (mut sha256, mut md5, mut size_bytes) = (Context::new(&SHA256), md5::Context::new(), 0_u64);
    let mut stream = file.content.stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        sha256.update(&chunk);
        md5.consume(&chunk);
        size_bytes += chunk.len() as u64;
    }
    let mut key = Context::new(&SHA256);
    for field in [resource, &file.name, &file.title, if file.is_encrypted { "encrypted" } else { "" }] {
        key.update(&(field.len() as u64).to_be_bytes());
        key.update(field.as_bytes());
    }
    key.update(sha256.finish().as_ref());
    let key = <[u8; 32]>::try_from(key.finish().as_ref()).map_err(|_| later())?;
    Ok(Fingerprint { key, size_bytes, md5: format!("{:x}", md5.finalize()) })
}

fn no_ledger(error: LedgerError) -> DeliveryError {
    tracing::warn!(%error, "what was uploaded before is not known now");
    later()
}

fn later() -> DeliveryError {
    DeliveryError::Later { code: codes::UNREACHABLE, after: None }
}

const TURNS: usize = 16;
/// Contents remembered in each turn.
const MOST_KNOWN: usize = 64;
/// What was published does not go away so soon.
const TRUSTED: SignedDuration = SignedDuration::from_mins(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Half a minute; then others have their turn.
const MOST_LOOKS: u32 = 11;
