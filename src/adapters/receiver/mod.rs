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
mod signature;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};

use super::http::{Answer, Http, Outgoing, SendError, address};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{HeaderTemplate, ItemKey, ItemKind, ShipmentId, visible};
use crate::ports::{BatchConsignment, Clock, Consignment, Content, Delivered, DeliveryError, Receiver};

use self::headers::Filling;
use self::signature::BodySigner;

pub use self::oauth::OauthSettings;
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
    http: Http,
    url: Url,
    status_url: Option<String>,
    pass: Pass,
    headers: Vec<HeaderTemplate>,
    signer: Option<BodySigner>,
    clock: Arc<dyn Clock>,
}

/// What lets us in.
enum Pass {
    None,
    Header(HeaderName, HeaderValue),
    Token(Box<oauth::Tokens>),
}

impl HttpReceiver {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: HttpSettings, clock: Arc<dyn Clock>) -> Result<Self, HttpSetupError> {
        let secret = settings.credential.is_some();
        let url = address(&settings.url, secret)?;
        let mut known = vec![url.clone()];
        if let Some(status_url) = &settings.status_url {
            if !status_url.contains(KEY_PLACE) {
                return Err(HttpSetupError::NoKeyPlace(status_url.clone()));
            }
            known.push(address(&status_url.replace(KEY_PLACE, "key"), secret)?);
        }
        let pass = pass(settings.credential, &mut known, &clock)?;
        let known: Vec<&Url> = known.iter().collect();
        let http = Http::trusting(settings.waits, &known, &settings.trust).map_err(HttpSetupError::Tls)?;
        let signer = settings.signing_secret.as_ref().map(BodySigner::new);
        Ok(Self { http, url, status_url: settings.status_url, pass, headers: settings.headers, signer, clock })
    }

    /// Begins a POST of what has the key.
    fn request(&self, (shipment, key): (ShipmentId, ItemKey), content_type: &str, reference: &str) -> RequestBuilder {
        self.http
            .post(self.url.clone())
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
        let (request, token) = self.admitted(request).await?;
        kill_point("receiver.post.before");
        let answer = self.http.send(request, body, ANSWER_BYTES).await.map_err(SendError::of_effect)?;
        kill_point("receiver.post.after");
        self.heard(&answer, token.as_ref()).await?;
        answers::taken(&answer, key)
    }

    async fn look(&self, key: ItemKey) -> Result<Option<Delivered>, DeliveryError> {
        let Some(status_url) = &self.status_url else { return Ok(None) };
        let unknown = |code| DeliveryError::Unknown { code };
        let url = status_url.replace(KEY_PLACE, &key.to_string());
        let url = Url::parse(&url).map_err(|_| unknown(codes::RECEIVER_FAULT))?;
        let (request, token) = self.admitted(self.http.get(url)).await.map_err(|_| unknown(codes::UNREACHABLE))?;
        let answer = self.http.send(request, Outgoing::empty(), ANSWER_BYTES).await.map_err(SendError::of_look_up)?;
        self.heard(&answer, token.as_ref()).await.map_err(|error| unknown(error.outcome().0))?;
        answers::looked_up(&answer, key)
    }

    /// The request with what lets it in, and the token that is among it.
    async fn admitted(&self, request: RequestBuilder) -> Result<(RequestBuilder, Option<HeaderValue>), DeliveryError> {
        Ok(match &self.pass {
            Pass::None => (request, None),
            Pass::Header(name, value) => (request.header(name, value.clone()), None),
            Pass::Token(tokens) => {
                let bearer = tokens.bearer(&self.http).await?;
                (request.header(AUTHORIZATION, bearer.clone()), Some(bearer))
            }
        })
    }

    /// What an answer says of the token that was sent.
    async fn heard(&self, answer: &Answer, token: Option<&HeaderValue>) -> Result<(), DeliveryError> {
        let (Pass::Token(tokens), Some(token)) = (&self.pass, token) else { return Ok(()) };
        tokens.heard(token, answer.status() != 401).await
    }
}

#[async_trait]
impl Receiver for HttpReceiver {
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

    /// Without a status address there is nothing to look at: `None` lets the same key be sent again, which the receiver
    /// answers without a second effect. A failure to look leaves the outcome unknown.
    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        self.look(item.key).await
    }

    async fn deliver_batch(&self, batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        let request = self
            .request((batch.shipment, batch.key), BATCH, &batch.reference)
            .header("X-Sluse-Batch", batch.number)
            .header("X-Sluse-Items", batch.items);
        self.post(request, Filling::Batch(batch), &batch.content, batch.key).await
    }

    async fn look_up_batch(&self, batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        self.look(batch.key).await
    }
}

/// An archive is a ZIP, everything else a batch.
fn content_type(kind: ItemKind) -> &'static str {
    if kind == ItemKind::Recipient { "application/zip" } else { BATCH }
}

fn pass(credential: Option<Credential>, known: &mut Vec<Url>, clock: &Arc<dyn Clock>) -> Result<Pass, HttpSetupError> {
    Ok(match credential {
        None => Pass::None,
        Some(Credential::Oauth(settings)) => {
            let token_url = address(&settings.token_url, true)?;
            known.push(token_url.clone());
            Pass::Token(Box::new(oauth::Tokens::new(settings, token_url, Arc::clone(clock))))
        }
        Some(fixed @ (Credential::Bearer(_) | Credential::Header { .. })) => {
            let (name, value) = self::credential(fixed)?;
            Pass::Header(name, value)
        }
    })
}

/// A credential that does not change, as a header; one that does is refused.
pub(super) fn credential(credential: Credential) -> Result<(HeaderName, HeaderValue), HttpSetupError> {
    let (name, value) = match credential {
        Credential::Oauth(_) => return Err(HttpSetupError::BadCredential),
        Credential::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.expose_secret())),
        Credential::Header { name, value } => {
            let name = HeaderName::try_from(name).map_err(|_| HttpSetupError::BadCredential)?;
            (name, value.expose_secret().to_owned())
        }
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| HttpSetupError::BadCredential)?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// What a batch is sent as.
const BATCH: &str = "application/xml";
const KEY_PLACE: &str = "{key}";
/// Answers are not kept; this is what is read to free the connection.
const ANSWER_BYTES: usize = 64 * 1024;
