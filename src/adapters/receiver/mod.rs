//! A receiver that takes items by plain HTTP.
//!
//! Each item is POSTed as a valid batch of its own (`application/xml`), or each batch of items where the receiver takes
//! batches, with its key in `Idempotency-Key`; a broker ZIP as `application/zip`, with the recipient's number in
//! `X-Sluse-Recipient` where that is an organisation's. The receiver must take a key once and answer later requests with
//! the same key as it answered the first: sending again is then the way to learn an unknown outcome. One that cannot do so
//! names an address that tells whether it has a key. Headers carry references and ids, never personal data.

mod answers;
mod headers;
mod oauth;
mod service;
mod signature;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use secrecy::SecretString;

use super::http::Outgoing;
use crate::kill_point::kill_point;
use crate::model::{HeaderTemplate, ItemKey, ItemKind, ShipmentId, visible};
use crate::ports::{BatchConsignment, Clock, Concern, Consignment, Content, Delivered, DeliveryError, Receiver};

use self::headers::Filling;
use self::signature::BodySigner;

pub(super) use self::answers::taken;
pub use self::oauth::OauthSettings;
pub use self::service::Access;
pub(super) use self::service::{Service, credential};
pub use super::http::{AddressError, Trust, Waits};

/// Where the receiver is.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where items or batches are POSTed.
    pub url: String,
    /// Address that answers 200 when the receiver has a key and 404 when it has not, such as
    /// `https://receiver.example/items/{key}`; `None` where sending again does no harm.
    pub status_url: Option<String>,
    /// A secret for the receiver.
    pub credential: Option<Credential>,
    /// Headers beside ours, such as `X-Reference: {shipment_reference}`.
    pub headers: Vec<HeaderTemplate>,
    /// A secret that requests are signed with, in `X-Sluse-Signature`.
    pub signing_secret: Option<SecretString>,
    /// Certificates.
    pub trust: Trust,
    /// How long to wait.
    pub waits: Waits,
}

/// How the receiver knows us.
#[derive(Debug, Clone)]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer(SecretString),
    /// A bearer token of the receiver's authorization server.
    Oauth(OauthSettings),
    /// A header the receiver chose.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: SecretString,
    },
}

/// Settings that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// An address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The status address has no place for the key.
    #[error("`{0}` has no `{{key}}`")]
    NoKeyPlace(String),
    /// The credential.
    #[error("the credential is not a header of visible characters")]
    BadCredential,
    /// The certificates, or the machine's TLS set-up.
    #[error("no HTTPS client can be made: are certificates and keys PEM, and the machine's CA certificates installed?")]
    Tls(#[source] reqwest::Error),
}

/// POSTs each item, or each batch.
pub struct HttpReceiver {
    service: Service,
    headers: Vec<HeaderTemplate>,
    signer: Option<BodySigner>,
    clock: Arc<dyn Clock>,
}

impl HttpReceiver {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: HttpSettings, clock: Arc<dyn Clock>) -> Result<Self, HttpSetupError> {
        let HttpSettings { url, status_url, credential, headers, signing_secret, trust, waits } = settings;
        let access = Access { url, status_url, credential, trust, waits };
        let service = Service::new(access, false, &clock)?;
        Ok(Self { service, headers, signer: signing_secret.as_ref().map(BodySigner::new), clock })
    }

    /// Begins a POST of what has the key.
    fn request(&self, (shipment, key): (ShipmentId, ItemKey), content_type: &str, reference: &str) -> RequestBuilder {
        self.service
            .post()
            .header(CONTENT_TYPE, content_type)
            .header("Idempotency-Key", key.to_string())
            .header("X-Sluse-Shipment", shipment.to_string())
            .header("X-Sluse-Shipment-Reference", visible(reference))
    }

    /// Posts a content with the headers that were asked for.
    async fn post(
        &self,
        request: RequestBuilder,
        filling: Filling<'_>,
        content: &Content,
        key: ItemKey,
    ) -> Result<Delivered, DeliveryError> {
        let mut request = filling.put(&self.headers, request);
        if let Some(signer) = &self.signer {
            request = request.header("X-Sluse-Signature", signer.sign(key, content, self.clock.now()).await?);
        }
        let body = Outgoing::gather(content.stream()).await?;
        kill_point("receiver.post.before");
        let answer = self.service.send(request, body).await?;
        kill_point("receiver.post.after");
        answers::taken(&answer, key)
    }
}

#[async_trait]
impl Receiver for HttpReceiver {
    async fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        self.service.concerns(now)
    }

    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let request = self
            .request((item.shipment, item.key), content_type(item.kind), &item.shipment_reference)
            .header("X-Sluse-Item", item.number);
        let request = match item.organisation().filter(|_| item.kind == ItemKind::Recipient) {
            Some(number) => request.header("X-Sluse-Recipient", number),
            None => request,
        };
        self.post(request, Filling::Item(item), &item.batch, item.key).await
    }

    /// Without a status address there is nothing to look at: the same key is sent again, which the receiver answers without
    /// a second effect. A failure to look leaves the outcome unknown.
    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        self.service.look(item.key).await
    }

    async fn deliver_batch(&self, batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        let request = self
            .request((batch.shipment, batch.key), BATCH, &batch.reference)
            .header("X-Sluse-Batch", batch.number)
            .header("X-Sluse-Items", batch.items);
        self.post(request, Filling::Batch(batch), &batch.content, batch.key).await
    }

    async fn look_up_batch(&self, batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        self.service.look(batch.key).await
    }
}

/// An archive is a ZIP, everything else a batch.
fn content_type(kind: ItemKind) -> &'static str {
    if kind == ItemKind::Recipient { "application/zip" } else { BATCH }
}

/// What a batch is sent as.
const BATCH: &str = "application/xml";
