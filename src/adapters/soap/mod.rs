//! A service owner's receiver as the old platform called it: the operation ReceiveOnlineBatchExternalAttachment over SOAP
//! 1.1 or 1.2.
//!
//! A batch goes as text in the request, its attachments that stand behind all items beside it, as a ZIP archive: in the
//! envelope as base64, or in a part of its own (MTOM). The key goes as receiversReference, by which the receiver recognises
//! what it has. It answers with a receipt of the reception alone, or with a fault, which says that it is down: then what it
//! did not take is sent before anything else. Nothing is held whole, neither batch nor attachments.

mod answers;
mod envelope;
mod related;
mod reply;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use secrecy::SecretString;

use super::archive::packed;
use super::http::Outgoing;
use super::receiver::{Access, HttpSetupError, Service};
use crate::kill_point::kill_point;
use crate::model::{CredentialPlace, ItemKey, SoapVersion};
use crate::ports::{
    BatchConsignment, Clock, Concern, Consignment, Content, Delivered, DeliveryError, NamedContent, Receiver,
};

use self::envelope::{Attached, Flow, Letter};

pub use self::reply::{Reply, reply};

/// Where the receiver is, and how it is spoken to.
#[derive(Debug, Clone)]
pub struct SoapSettings {
    /// Where it is, and how we get in.
    pub access: Access,
    /// The version of the envelope.
    pub version: SoapVersion,
    /// Attachments go in a part of their own.
    pub mtom: bool,
    /// The user and the password that were agreed, if any.
    pub user: Option<UserPassword>,
}

/// A user and a password.
#[derive(Debug, Clone)]
pub struct UserPassword {
    /// The user.
    pub name: String,
    /// The password.
    pub password: SecretString,
    /// Where a request carries them.
    pub place: CredentialPlace,
}

/// Calls the operation for each batch.
pub struct SoapReceiver {
    service: Service,
    version: SoapVersion,
    mtom: bool,
    user: Option<UserPassword>,
}

/// What is sent at once.
struct Parcel<'a> {
    key: ItemKey,
    sequence_number: i64,
    batch: &'a Content,
    attachments: &'a [NamedContent],
    is_repeat: bool,
}

impl SoapReceiver {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: SoapSettings, clock: &Arc<dyn Clock>) -> Result<Self, HttpSetupError> {
        let SoapSettings { access, version, mtom, user } = settings;
        Ok(Self { service: Service::new(access, user.is_some(), clock)?, version, mtom, user })
    }

    async fn send(&self, parcel: Parcel<'_>) -> Result<Delivered, DeliveryError> {
        let (request, body) = self.request(&parcel);
        let body = Outgoing::gather(body).await?;
        kill_point("soap.post.before");
        let answer = self.service.send(request, body).await?;
        kill_point("soap.post.after");
        if answers::is_ambiguous(&answer, parcel.is_repeat) && self.service.can_look() {
            // It says that it does not want what it may have already.
            return match self.service.look(parcel.key).await? {
                Some(found) => Ok(found),
                None => answers::taken(&answer, parcel.key, false),
            };
        }
        answers::taken(&answer, parcel.key, parcel.is_repeat)
    }

    /// The request and its body, without what lets it in.
    fn request(&self, parcel: &Parcel<'_>) -> (RequestBuilder, Flow) {
        let (version, user) = (self.version, self.user.as_ref());
        let letter = Letter { version, user, key: parcel.key, sequence_number: parcel.sequence_number };
        let batch = parcel.batch.stream();
        let archive = (!parcel.attachments.is_empty()).then(|| packed(parcel.attachments.to_vec()));
        let (content_type, body) = match archive {
            Some(archive) if self.mtom => {
                let envelope = letter.sealed(batch, Attached::Beside(related::ATTACHMENTS));
                related::related(version, envelope, archive.stream())
            }
            Some(archive) => (plain_type(version), letter.sealed(batch, Attached::Inside(archive.stream()))),
            None => (plain_type(version), letter.sealed(batch, Attached::Nothing)),
        };
        let request = self.service.post().header(CONTENT_TYPE, content_type);
        let request = match version {
            SoapVersion::V11 => request.header("SOAPAction", format!("\"{ACTION}\"")),
            SoapVersion::V12 => request,
        };
        (request, body)
    }
}

#[async_trait]
impl Receiver for SoapReceiver {
    async fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        self.service.concerns(now)
    }

    fn takes_attachments_apart(&self) -> bool {
        true
    }

    /// An item that was to go alone before the receiver took batches: what became of it then nobody knows.
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let (key, batch) = (item.key, &item.batch);
        self.send(Parcel { key, sequence_number: 0, batch, attachments: &[], is_repeat: true }).await
    }

    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        self.service.look(item.key).await
    }

    async fn deliver_batch(&self, batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        self.send(Parcel {
            key: batch.key,
            sequence_number: batch.sequence_number.unwrap_or_default(),
            batch: &batch.content,
            attachments: &batch.attachments,
            is_repeat: batch.is_repeat,
        })
        .await
    }

    /// Without a status address there is nothing to look at: the same key is sent again.
    async fn look_up_batch(&self, batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        self.service.look(batch.key).await
    }
}

/// The media type of an envelope.
fn media_type(version: SoapVersion) -> &'static str {
    match version {
        SoapVersion::V11 => "text/xml",
        SoapVersion::V12 => "application/soap+xml",
    }
}

/// The content type of an envelope that goes without parts.
fn plain_type(version: SoapVersion) -> String {
    let media_type = media_type(version);
    match version {
        SoapVersion::V11 => format!("{media_type}; charset=utf-8"),
        SoapVersion::V12 => format!("{media_type}; charset=utf-8; action=\"{ACTION}\""),
    }
}

const OPERATION: &str = "ReceiveOnlineBatchExternalAttachment";
const SERVICE: &str = "http://AltInn.no/webservices/";
const ACTION: &str = "http://AltInn.no/webservices/ReceiveOnlineBatchExternalAttachment";
