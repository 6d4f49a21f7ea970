//! Transfers: each archive to a recipient becomes one file of Altinn 3 Broker.
//!
//! A transfer is begun first, which nobody sees, and then uploaded to, which has the effect. The platform knows no key of
//! ours, so the id it gives is kept before the first byte goes out; where its answer was lost, the transfers that were
//! begun and not uploaded to are looked through for the one that is for the item. Whatever is done to an item begins with
//! a look at its transfer: an upload that may have arrived is never sent again, and one that was cut off goes on. That the
//! platform took a file is not that its recipient sees it: what becomes of it is asked for later.

mod answers;
mod limits;
mod prepare;
mod resumable;
mod search;
mod transfer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use uuid::Uuid;

pub use self::limits::BrokerLimits;

use self::answers::{begun, seen, uploaded};
use self::prepare::{Prepared, prepare};
use self::resumable::{Created, Resumable};
use self::transfer::{Overview, Stage};
use super::client::{Client, still_unknown, without_effect};
use super::message::is_resource;
use super::{AltinnSettings, NewsSettings, SetupError};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{ItemKind, ServiceTable, TransferTarget};
use crate::ports::{
    Clock, Concern, Consignment, Content, Delivered, DeliveryError, LedgerError, Receiver, Stand, Transfers,
};

/// How files go to the platform, and what is asked for afterwards.
#[derive(Debug, Clone)]
pub struct BrokerSettings {
    /// Files larger than this go in several pieces that can be gone on with.
    pub resumable_above_bytes: u64,
    /// The largest such piece.
    pub part_bytes: u64,
    /// What is asked for after a file was taken.
    pub news: NewsSettings,
    /// How often the platform is asked for anything.
    pub limits: Arc<BrokerLimits>,
}

/// Brings archives to their recipients.
pub struct BrokerReceiver {
    client: Client,
    transfers: Url,
    services: ServiceTable,
    settings: BrokerSettings,
    store: Arc<dyn Transfers>,
    clock: Arc<dyn Clock>,
}

impl BrokerReceiver {
    /// Checks the settings; nothing is sent yet.
    pub fn new(
        settings: AltinnSettings,
        services: ServiceTable,
        broker: BrokerSettings,
        (store, clock): (Arc<dyn Transfers>, Arc<dyn Clock>),
    ) -> Result<Self, SetupError> {
        let targets = services.rows.iter().filter_map(|row| row.transfer.as_ref());
        if let Some(bad) = targets.map(|target| &target.resource).find(|resource| !is_resource(resource)) {
            return Err(SetupError::BadResource(bad.clone()));
        }
        let client = Client::new(settings, &[], clock.clone())?;
        let transfers = client.at("broker/api/v1/filetransfer");
        Ok(Self { client, transfers, services, settings: broker, store, clock })
    }

    fn target(&self, item: &Consignment) -> Result<&TransferTarget, DeliveryError> {
        let refused = |code| DeliveryError::Refused { code };
        if item.kind != ItemKind::Recipient {
            return Err(refused(codes::NO_RECEIVER_FOR_KIND));
        }
        let row = item.service.as_ref().and_then(|service| self.services.row(service));
        row.and_then(|row| row.transfer.as_ref()).ok_or(refused(codes::UNKNOWN_SERVICE))
    }

    /// Begins a transfer and keeps its id.
    async fn begin(&self, item: &Consignment, prepared: &Prepared) -> Result<Uuid, DeliveryError> {
        let checksum = Some(checksum(&prepared.content).await?);
        let request = transfer::NewTransfer { checksum, ..prepared.request.clone() };
        let body = serde_json::to_vec(&request).expect("a transfer has only text keys and values");
        kill_point("altinn.transfer.before");
        let body = Content::from_bytes(body);
        self.settings.limits.begin.turn().await;
        let answer = self.client.post_again(&self.transfers, "application/json", None, &body).await?;
        let id = begun(&answer)?;
        kill_point("altinn.transfer.begun");
        self.keep(item, id).await?;
        kill_point("altinn.transfer.kept");
        Ok(id)
    }

    /// One that is not kept is found again by looking.
    async fn keep(&self, item: &Consignment, id: Uuid) -> Result<(), DeliveryError> {
        let kept = self.store.keep_transfer(item.key, id, self.clock.now()).await;
        kept.map_err(|error| {
            tracing::warn!(%error, "a transfer is not kept");
            DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }
        })
    }

    /// The transfer that is kept for an item, and where it stands.
    async fn kept(&self, item: &Consignment) -> Result<Option<(Uuid, Stage)>, DeliveryError> {
        let Some(id) = self.store.transfer(item.key).await.map_err(no_ledger)? else { return Ok(None) };
        Ok(Some((id, self.stage(id).await?)))
    }

    async fn stage(&self, id: Uuid) -> Result<Stage, DeliveryError> {
        let Some(overview) = self.overview(id).await? else { return Ok(Stage::Void) };
        if !overview.needs_details() {
            return Ok(overview.stage(self.clock.now()));
        }
        self.settings.limits.details.turn().await;
        let details = self.shown(&format!("{id}/details")).await?;
        Ok(details.map_or(Stage::Void, |details| details.stage(self.clock.now())))
    }

    /// What the platform shows of a transfer; `None` when there is none.
    async fn overview(&self, id: Uuid) -> Result<Option<Overview>, DeliveryError> {
        self.settings.limits.overview.turn().await;
        self.shown(&id.to_string()).await
    }

    async fn shown(&self, path: &str) -> Result<Option<Overview>, DeliveryError> {
        let answer = self.client.get(&self.at(path)?).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        seen(&answer)?;
        answer.json().map(Some).ok_or(DeliveryError::Unknown { code: codes::RECEIVER_FAULT })
    }

    fn at(&self, path: &str) -> Result<Url, DeliveryError> {
        format!("{}/{path}", self.transfers).parse().map_err(|_| unclear())
    }

    async fn upload(&self, id: Uuid, stage: Stage, prepared: &Prepared) -> Result<Uploaded, DeliveryError> {
        let is_large = prepared.size_bytes > self.settings.resumable_above_bytes;
        kill_point("altinn.transfer.upload");
        let uploaded = match stage {
            Stage::Open if !is_large => self.upload_whole(id, prepared).await.map(|()| Uploaded::All),
            Stage::Begun(since) => self.go_on(id, (is_large, since), prepared).await,
            Stage::Open | Stage::Taken | Stage::Void | Stage::Refused | Stage::Unclear => {
                self.go_on(id, (true, Timestamp::MAX), prepared).await
            }
        };
        kill_point("altinn.transfer.uploaded");
        uploaded
    }

    async fn upload_whole(&self, id: Uuid, prepared: &Prepared) -> Result<(), DeliveryError> {
        let url = self.at(&format!("{id}/upload"))?;
        let size_bytes = Some(prepared.size_bytes);
        self.settings.limits.upload.turn().await;
        let answer = self.client.post_again(&url, "application/octet-stream", size_bytes, &prepared.content).await?;
        uploaded(&answer)
    }

    /// Goes on with an upload in pieces, or begins one.
    async fn go_on(
        &self,
        id: Uuid,
        (may_begin, since): (bool, Timestamp),
        prepared: &Prepared,
    ) -> Result<Uploaded, DeliveryError> {
        let upload = Resumable {
            client: &self.client,
            limit: &self.settings.limits.upload,
            url: self.at(&format!("upload/tus/{id}"))?,
            content: &prepared.content,
            size_bytes: prepared.size_bytes,
            part_bytes: self.settings.part_bytes,
        };
        let from = match upload.offset().await? {
            Some(offset) => offset,
            None if may_begin && upload.create().await? == Created::Yes => 0,
            // Cut off while it went in one piece, or left too long. What may still be at work there is waited for.
            None if self.clock.now().duration_since(since) > LEFT_ALONE => return Ok(Uploaded::Nothing),
            None => return Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        };
        upload.send(from).await.map(|()| Uploaded::All)
    }

    fn delivered(&self, id: Uuid) -> Delivered {
        Delivered { news_for: self.settings.news.time(), ..Delivered::of(id.to_string()) }
    }

    /// Begins another transfer and uploads to it.
    async fn anew(&self, item: &Consignment, prepared: &Prepared) -> Result<Delivered, DeliveryError> {
        let id = self.begin(item, prepared).await?;
        match self.upload(id, Stage::Open, prepared).await? {
            Uploaded::All => Ok(self.delivered(id)),
            Uploaded::Nothing => Err(unclear()),
        }
    }
}

/// How much of a file the platform has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uploaded {
    /// All of it.
    All,
    /// Nothing it will ever show anybody.
    Nothing,
}

#[async_trait]
impl Receiver for BrokerReceiver {
    async fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        self.client.tokens.concerns(now).await
    }

    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let prepared = prepare(item, self.target(item)?)?;
        // Nothing is uploaded by looking.
        let kept = self.kept(item).await.map_err(without_effect)?;
        let Some((id, stage)) = kept else { return self.anew(item, &prepared).await };
        match stage {
            Stage::Taken => Ok(self.delivered(id)),
            Stage::Refused => Err(DeliveryError::Refused { code: codes::TRANSFER_FAILED }),
            Stage::Void => self.anew(item, &prepared).await,
            Stage::Unclear => Err(unclear()),
            Stage::Open | Stage::Begun(_) => match self.upload(id, stage, &prepared).await? {
                Uploaded::All => Ok(self.delivered(id)),
                Uploaded::Nothing => self.anew(item, &prepared).await,
            },
        }
    }

    /// Nothing was sent unless an upload arrived. A transfer that was begun without our hearing of it is kept now, for the
    /// next attempt to go on with. Every failure to look leaves the outcome as unknown as it was.
    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        let prepared = prepare(item, self.target(item)?)?;
        match self.kept(item).await.map_err(still_unknown)? {
            Some((id, Stage::Taken)) => return Ok(Some(self.delivered(id))),
            Some((_, Stage::Unclear)) => return Err(unclear()),
            Some((_, Stage::Open | Stage::Begun(_) | Stage::Refused)) => return Ok(None),
            Some((_, Stage::Void)) | None => {}
        }
        if let Some(id) = self.search(item, &prepared).await.map_err(still_unknown)? {
            self.keep(item, id).await?;
        }
        Ok(None)
    }

    fn takes_parcels(&self) -> bool {
        true
    }

    async fn stand(&self, receivers_reference: &str, _looks: u32) -> Result<Stand, DeliveryError> {
        let id: Uuid = receivers_reference.parse().map_err(|_| unclear())?;
        let overview = self.overview(id).await?;
        // Gone long ago.
        let over = || Stand { events: Vec::new(), is_over: true };
        Ok(overview.map_or_else(over, |overview| overview.stand(&self.settings.news.events, self.clock.now())))
    }

    fn wait_for_news(&self, looks: u32) -> Duration {
        self.settings.news.wait(looks)
    }
}

/// MD5 of a content, as the platform wants it.
async fn checksum(content: &Content) -> Result<String, DeliveryError> {
    let (mut context, mut stream) = (md5::Context::new(), content.stream());
    while let Some(chunk) = stream.next().await {
        context.consume(&chunk?);
    }
    Ok(format!("{:x}", context.finalize()))
}

fn unclear() -> DeliveryError {
    DeliveryError::Unknown { code: codes::RECEIVER_FAULT }
}

fn no_ledger(error: LedgerError) -> DeliveryError {
    tracing::warn!(%error, "the transfer of an item is not known now");
    unclear()
}

/// An upload in one piece that has not moved for so long is not at work any more.
const LEFT_ALONE: SignedDuration = SignedDuration::from_hours(1);
