//! A receiver that takes items by plain HTTP.
//!
//! Each item is POSTed as a valid batch of its own (`application/xml`), or each batch of items where the receiver takes
//! batches, with its key in `Idempotency-Key`; a broker ZIP as `application/zip`, with the recipient's number in
//! `X-Sluse-Recipient` where that is an organisation's. The receiver must take a key once and answer later requests with
//! the same key as it answered the first: sending again is then the way to learn an unknown outcome. One that cannot do so
//! names an address that tells whether it has a key. Headers carry references and ids, never personal data.

mod answers;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};

use super::http::{Http, Outgoing, SendError, address};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{ItemKey, ItemKind, ShipmentId};
use crate::ports::{BatchConsignment, Consignment, Delivered, DeliveryError, Receiver};

pub use super::http::{AddressError, Waits};

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
    /// How long to wait.
    pub waits: Waits,
}

/// How the receiver knows us.
#[derive(Debug, Clone)]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer(SecretString),
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
    /// The machine's TLS set-up.
    #[error("no HTTPS client can be made: are the machine's CA certificates installed?")]
    Tls(#[source] reqwest::Error),
}

/// POSTs each item, or each batch.
pub struct HttpReceiver {
    http: Http,
    url: Url,
    status_url: Option<String>,
    credential: Option<(HeaderName, HeaderValue)>,
}

impl HttpReceiver {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: HttpSettings) -> Result<Self, HttpSetupError> {
        let secret = settings.credential.is_some();
        let url = address(&settings.url, secret)?;
        let mut known = vec![url.clone()];
        if let Some(status_url) = &settings.status_url {
            if !status_url.contains(KEY_PLACE) {
                return Err(HttpSetupError::NoKeyPlace(status_url.clone()));
            }
            known.push(address(&status_url.replace(KEY_PLACE, "key"), secret)?);
        }
        let credential = settings.credential.map(credential).transpose()?;
        let known: Vec<&Url> = known.iter().collect();
        let http = Http::new(settings.waits, &known).map_err(HttpSetupError::Tls)?;
        Ok(Self { http, url, status_url: settings.status_url, credential })
    }

    /// Begins a POST of what has the key.
    fn request(&self, (shipment, key): (ShipmentId, ItemKey), content_type: &str, reference: &str) -> RequestBuilder {
        self.with_credential(self.http.post(self.url.clone()))
            .header(CONTENT_TYPE, content_type)
            .header("Idempotency-Key", key.to_string())
            .header("X-Sluse-Shipment", shipment.to_string())
            .header("X-Sluse-Shipment-Reference", visible(reference))
    }

    async fn post(&self, request: RequestBuilder, body: Outgoing, key: ItemKey) -> Result<Delivered, DeliveryError> {
        kill_point("receiver.post.before");
        let answer = self.http.send(request, body, ANSWER_BYTES).await.map_err(SendError::of_effect)?;
        kill_point("receiver.post.after");
        answers::taken(&answer, key)
    }

    async fn look(&self, key: ItemKey) -> Result<Option<Delivered>, DeliveryError> {
        let Some(status_url) = &self.status_url else { return Ok(None) };
        let unknown = |code| DeliveryError::Unknown { code };
        let url = status_url.replace(KEY_PLACE, &key.to_string());
        let url = Url::parse(&url).map_err(|_| unknown(codes::RECEIVER_FAULT))?;
        let request = self.with_credential(self.http.get(url));
        let answer = self.http.send(request, Outgoing::empty(), ANSWER_BYTES).await.map_err(SendError::of_look_up)?;
        answers::looked_up(&answer, key)
    }

    fn with_credential(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credential {
            Some((name, value)) => request.header(name, value.clone()),
            None => request,
        }
    }
}

#[async_trait]
impl Receiver for HttpReceiver {
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let body = Outgoing::gather(item.batch.stream()).await?;
        let request = self
            .request((item.shipment, item.key), content_type(item.kind), &item.shipment_reference)
            .header("X-Sluse-Item", item.number);
        let request = match item.organisation().filter(|_| item.kind == ItemKind::Recipient) {
            Some(number) => request.header("X-Sluse-Recipient", number),
            None => request,
        };
        self.post(request, body, item.key).await
    }

    /// Without a status address there is nothing to look at: `None` lets the same key be sent again, which the receiver
    /// answers without a second effect. A failure to look leaves the outcome unknown.
    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        self.look(item.key).await
    }

    async fn deliver_batch(&self, batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        let body = Outgoing::gather(batch.content.stream()).await?;
        let request = self
            .request((batch.shipment, batch.key), BATCH, &batch.reference)
            .header("X-Sluse-Batch", batch.number)
            .header("X-Sluse-Items", batch.items);
        self.post(request, body, batch.key).await
    }

    async fn look_up_batch(&self, batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        self.look(batch.key).await
    }
}

/// An archive is a ZIP, everything else a batch.
fn content_type(kind: ItemKind) -> &'static str {
    if kind == ItemKind::Recipient { "application/zip" } else { BATCH }
}

pub(super) fn credential(credential: Credential) -> Result<(HeaderName, HeaderValue), HttpSetupError> {
    let (name, value) = match credential {
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

/// Text as a header can carry it: what is not visible ASCII, and `%`, as `%` and hex.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What a batch is sent as.
const BATCH: &str = "application/xml";
const KEY_PLACE: &str = "{key}";
/// Answers are not kept; this is what is read to free the connection.
const ANSWER_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_within_a_header() {
        assert_eq!(visible("2026 nr. 1\r\nX: %å"), "2026%20nr.%201%0D%0AX:%20%25%C3%A5");
    }
}
