//! Requests to the platform with our token; one that is not accepted is replaced once.

use std::sync::Arc;

use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::ExposeSecret;

use super::grant::Signer;
use super::issuer::{self, Issuer, Place};
use super::tokens::Tokens;
use super::{AltinnSettings, SetupError};
use crate::adapters::http::{Answer, Http, Outgoing, SendError, address};
use crate::codes;
use crate::ports::{Clock, Content, DeliveryError};

/// The platform's client.
pub(super) struct Client {
    pub(super) http: Arc<Http>,
    pub(super) tokens: Tokens,
    pub(super) platform: Url,
    subscription_key: Option<HeaderValue>,
}

impl Client {
    /// Checks the settings for the platform and for other addresses; nothing is sent yet.
    pub(super) fn new(settings: AltinnSettings, others: &[&Url], clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let platform = base(&settings.platform_base)?;
        let token_url = address(&settings.maskinporten.token_url, true)?;
        let mut exchange = platform.clone();
        exchange.set_path(&format!("{}authentication/api/v1/exchange/maskinporten", platform.path()));
        if settings.test_exchange {
            exchange.set_query(Some("test=true"));
        }
        let well_known = issuer::well_known(settings.maskinporten.well_known_url.as_ref())?;
        let known = others.iter().copied().chain([&platform, &token_url]).chain(&well_known);
        let known: Vec<&Url> = known.collect();
        let http = Arc::new(Http::new(settings.waits, &known).map_err(SetupError::Tls)?);
        let place = Place { token_url, audience: settings.maskinporten.audience.clone() };
        let issuer = Issuer::new(http.clone(), well_known, place, Arc::clone(&clock));
        let signer = Signer::new(settings.maskinporten)?;
        let subscription_key = settings.subscription_key.map(|key| secret_header(key.expose_secret())).transpose()?;
        let tokens = Tokens::new(http.clone(), signer, issuer, exchange, clock);
        Ok(Self { http, tokens, platform, subscription_key })
    }

    /// Has an effect; the body's size is told where it is known.
    pub(super) async fn post(
        &self,
        url: &Url,
        content_type: &str,
        size_bytes: Option<u64>,
        body: Outgoing,
    ) -> Result<Answer, DeliveryError> {
        let mut request = self.http.post(url.clone()).header(CONTENT_TYPE, content_type);
        if let Some(size_bytes) = size_bytes {
            request = request.header(CONTENT_LENGTH, size_bytes);
        }
        self.effect(request, body).await
    }

    /// Sends a request that has an effect; a token that is not accepted is forgotten.
    pub(super) async fn effect(&self, request: RequestBuilder, body: Outgoing) -> Result<Answer, DeliveryError> {
        let token = self.tokens.token().await?;
        let request = token.sign(self.with_headers(request));
        let answer = self.http.send(request, body, ANSWER_BYTES).await.map_err(SendError::of_effect)?;
        if answer.status() == 401 {
            self.tokens.drop_token(&token);
        }
        Ok(answer)
    }

    /// The same; with a token that is no longer accepted nothing happened, so it goes out once more.
    pub(super) async fn post_again(
        &self,
        url: &Url,
        content_type: &str,
        size_bytes: Option<u64>,
        body: &Content,
    ) -> Result<Answer, DeliveryError> {
        let answer = self.post(url, content_type, size_bytes, Outgoing::gather(body.stream()).await?).await?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        self.post(url, content_type, size_bytes, Outgoing::gather(body.stream()).await?).await
    }

    /// Changes something that is there; of a failure it is only said that nobody knows.
    pub(super) async fn change(
        &self,
        method: Method,
        url: &Url,
        headers: &[(HeaderName, String)],
        body: &Content,
    ) -> Result<Answer, DeliveryError> {
        let answer = self.change_once(method.clone(), url, headers, body).await?;
        // A token that is no longer accepted is replaced: nothing happened.
        if answer.status() == 401 { self.change_once(method, url, headers, body).await } else { Ok(answer) }
    }

    async fn change_once(
        &self,
        method: Method,
        url: &Url,
        headers: &[(HeaderName, String)],
        body: &Content,
    ) -> Result<Answer, DeliveryError> {
        let nobody_knows = |code| DeliveryError::Unknown { code };
        let token = self.tokens.token().await.map_err(|error| nobody_knows(DeliveryError::from(error).outcome().0))?;
        let mut request = self.with_headers(self.http.request(method, url.clone()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = Outgoing::gather(body.stream()).await.map_err(|_| nobody_knows(codes::STAGED_UNREADABLE))?;
        let sent = self.http.send(token.sign(request), body, ANSWER_BYTES).await;
        let answer = sent.map_err(SendError::of_look_up)?;
        if answer.status() == 401 {
            self.tokens.drop_token(&token);
        }
        Ok(answer)
    }

    /// Looks; of a failure it is only said that nobody knows.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, DeliveryError> {
        let answer = self.get_once(url).await?;
        if answer.status() == 401 { self.get_once(url).await } else { Ok(answer) }
    }

    async fn get_once(&self, url: &Url) -> Result<Answer, DeliveryError> {
        let token = self.tokens.token().await.map_err(|error| still_unknown(error.into()))?;
        let request = token.sign(self.with_headers(self.http.get(url.clone())));
        let answer = self.http.send(request, Outgoing::empty(), LOOK_BYTES).await.map_err(SendError::of_look_up)?;
        if answer.status() == 401 {
            self.tokens.drop_token(&token);
        }
        Ok(answer)
    }

    /// An address of the platform.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.platform.clone();
        url.set_path(&format!("{}{path}", url.path()));
        url
    }

    /// What every request to the platform carries.
    pub(super) fn with_headers(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header(ACCEPT, "application/json");
        match &self.subscription_key {
            Some(key) => request.header("Ocp-Apim-Subscription-Key", key.clone()),
            None => request,
        }
    }
}

/// While an outcome is unknown, "later" must not be read as "nothing happened, send again".
pub(super) fn still_unknown(error: DeliveryError) -> DeliveryError {
    match error {
        DeliveryError::Later { code, .. } => DeliveryError::Unknown { code },
        DeliveryError::Refused { .. }
        | DeliveryError::RefusedFor { .. }
        | DeliveryError::Credentials { .. }
        | DeliveryError::Unclear
        | DeliveryError::Unknown { .. }
        | DeliveryError::Unreadable(_) => error,
    }
}

/// What had no effect that matters may be done again, whatever became of it.
pub(super) fn without_effect(error: DeliveryError) -> DeliveryError {
    match error {
        DeliveryError::Unknown { code } => DeliveryError::Later { code, after: None },
        DeliveryError::Refused { .. }
        | DeliveryError::RefusedFor { .. }
        | DeliveryError::Later { .. }
        | DeliveryError::Credentials { .. }
        | DeliveryError::Unclear
        | DeliveryError::Unreadable(_) => error,
    }
}

/// A base address with a path that ends in a slash, so that joining adds to it.
pub(super) fn base(text: &str) -> Result<Url, SetupError> {
    let mut url = address(text, true)?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn secret_header(secret: &str) -> Result<HeaderValue, SetupError> {
    let mut value = HeaderValue::from_str(secret).map_err(|_| SetupError::BadSubscriptionKey)?;
    value.set_sensitive(true);
    Ok(value)
}

/// An instance or a message in an answer, with room to spare.
pub(super) const ANSWER_BYTES: usize = 256 * 1024;
/// A hundred instances with their data elements.
pub(super) const LOOK_BYTES: usize = 16 * 1024 * 1024;
