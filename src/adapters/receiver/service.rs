//! A service of a service owner, as everything that is sent to it has it in common: where it is, what lets us in, and where
//! it tells whether it has a key.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret as _;

use super::oauth::Tokens;
use super::{Credential, HttpSetupError, answers};
use crate::adapters::certificate;
use crate::adapters::http::{Answer, Http, Outgoing, SendError, Trust, Waits, address};
use crate::codes;
use crate::model::ItemKey;
use crate::ports::{Clock, Concern, Delivered, DeliveryError};

/// Where a service is, and how we get in.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where items or batches are POSTed.
    pub url: String,
    /// Address that answers 200 when the receiver has a key and 404 when it has not, such as
    /// `https://receiver.example/items/{key}`; `None` where sending again does no harm.
    pub status_url: Option<String>,
    /// A secret for the receiver.
    pub credential: Option<Credential>,
    /// Certificates.
    pub trust: Trust,
    /// How long to wait.
    pub waits: Waits,
}

/// A service that can be asked.
pub(in crate::adapters) struct Service {
    http: Http,
    url: Url,
    status_url: Option<String>,
    pass: Pass,
    /// When our certificate ends, where we have one.
    certificate_ends_at: Option<Timestamp>,
}

/// What lets us in.
enum Pass {
    None,
    Header(HeaderName, HeaderValue),
    Token(Box<Tokens>),
}

impl Service {
    /// Checks the settings; nothing is sent yet. What is sent may carry secrets beside the credential.
    pub(in crate::adapters) fn new(
        access: Access,
        carries_secret: bool,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, HttpSetupError> {
        let secret = carries_secret || access.credential.is_some();
        let url = address(&access.url, secret)?;
        let mut known = vec![url.clone()];
        if let Some(status_url) = &access.status_url {
            if !status_url.contains(KEY_PLACE) {
                return Err(HttpSetupError::NoKeyPlace(status_url.clone()));
            }
            known.push(address(&status_url.replace(KEY_PLACE, "key"), secret)?);
        }
        let pass = pass(access.credential, &mut known, clock)?;
        let known: Vec<&Url> = known.iter().collect();
        let http = Http::trusting(access.waits, &known, &access.trust).map_err(HttpSetupError::Tls)?;
        let certificate = access.trust.identity.as_ref().map(|pem| pem.expose_secret());
        let certificate_ends_at = certificate.and_then(certificate::ends_at);
        Ok(Self { http, url, status_url: access.status_url, pass, certificate_ends_at })
    }

    /// Begins a POST to it.
    pub(in crate::adapters) fn post(&self) -> RequestBuilder {
        self.http.post(self.url.clone())
    }

    /// Sends what was begun, with what lets it in.
    pub(in crate::adapters) async fn send(
        &self,
        request: RequestBuilder,
        body: Outgoing,
    ) -> Result<Answer, DeliveryError> {
        let (request, token) = self.admitted(request).await?;
        let answer = self.http.send(request, body, ANSWER_BYTES).await.map_err(SendError::of_effect)?;
        self.heard(&answer, token.as_ref()).await?;
        Ok(answer)
    }

    /// Asks whether the service has a key. Without a status address there is nothing to look at. A failure to look leaves
    /// the outcome unknown.
    pub(in crate::adapters) async fn look(&self, key: ItemKey) -> Result<Option<Delivered>, DeliveryError> {
        let Some(status_url) = &self.status_url else { return Err(DeliveryError::Unclear) };
        let unknown = |code| DeliveryError::Unknown { code };
        let url = status_url.replace(KEY_PLACE, &key.to_string());
        let url = Url::parse(&url).map_err(|_| unknown(codes::RECEIVER_FAULT))?;
        let (request, token) = self.admitted(self.http.get(url)).await.map_err(|_| unknown(codes::UNREACHABLE))?;
        let answer = self.http.send(request, Outgoing::empty(), ANSWER_BYTES).await.map_err(SendError::of_look_up)?;
        self.heard(&answer, token.as_ref()).await.map_err(|error| unknown(error.outcome().0))?;
        answers::looked_up(&answer, key)
    }

    /// What our operator should know of.
    pub(in crate::adapters) fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        let ending = |ends_at| certificate::ending("certificate", "our certificate for the receiver", ends_at, now);
        self.certificate_ends_at.and_then(ending).into_iter().collect()
    }

    /// Tells whether a key can be looked up.
    pub(in crate::adapters) fn can_look(&self) -> bool {
        self.status_url.is_some()
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

fn pass(credential: Option<Credential>, known: &mut Vec<Url>, clock: &Arc<dyn Clock>) -> Result<Pass, HttpSetupError> {
    Ok(match credential {
        None => Pass::None,
        Some(Credential::Oauth(settings)) => {
            let token_url = address(&settings.token_url, true)?;
            known.push(token_url.clone());
            Pass::Token(Box::new(Tokens::new(settings, token_url, Arc::clone(clock))))
        }
        Some(fixed @ (Credential::Bearer(_) | Credential::Header { .. })) => {
            let (name, value) = self::credential(fixed)?;
            Pass::Header(name, value)
        }
    })
}

/// A credential that does not change, as a header; one that does is refused.
pub(in crate::adapters) fn credential(credential: Credential) -> Result<(HeaderName, HeaderValue), HttpSetupError> {
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

const KEY_PLACE: &str = "{key}";
/// What is read of an answer; a longer one is none.
const ANSWER_BYTES: usize = 256 * 1024;
