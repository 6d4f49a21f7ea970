//! The receiver that makes app instances.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret;

use super::answers::instantiated;
use super::grant::Signer;
use super::instance;
use super::look_up::{self, NextPage, Page};
use super::tokens::Tokens;
use super::{AltinnSettings, SetupError};
use crate::adapters::http::{Answer, Http, Outgoing, SendError, address, form};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{AppTarget, ItemKind, ServiceTable};
use crate::ports::{Clock, Consignment, Delivered, DeliveryError, Receiver};

/// Makes one app instance of each item.
pub struct AppReceiver {
    http: Arc<Http>,
    tokens: Tokens,
    platform: Url,
    services: ServiceTable,
    addresses: HashMap<String, Url>,
    subscription_key: Option<HeaderValue>,
    clock: Arc<dyn Clock>,
}

impl AppReceiver {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: AltinnSettings, services: ServiceTable, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let platform = base(&settings.platform_base)?;
        let token_url = address(&settings.maskinporten.token_url, true)?;
        let addresses = addresses(&services, &settings.apps_base)?;
        let mut exchange = platform.clone();
        exchange.set_path(&format!("{}authentication/api/v1/exchange/maskinporten", platform.path()));
        if settings.test_exchange {
            exchange.set_query(Some("test=true"));
        }
        let known: Vec<&Url> = addresses.values().chain([&platform, &token_url]).collect();
        let http = Arc::new(Http::new(settings.waits, &known).map_err(SetupError::Tls)?);
        let signer = Signer::new(settings.maskinporten)?;
        let subscription_key = settings.subscription_key.map(|key| secret_header(key.expose_secret())).transpose()?;
        let tokens = Tokens::new(http.clone(), signer, token_url, exchange, clock.clone());
        Ok(Self { http, tokens, platform, services, addresses, subscription_key, clock })
    }

    /// The app an item goes to and the address of its instances.
    fn target(&self, item: &Consignment) -> Result<(&AppTarget, &Url), DeliveryError> {
        let refused = |code| DeliveryError::Refused { code };
        match item.kind {
            ItemKind::FormTask => {}
            ItemKind::Field
            | ItemKind::Subscription
            | ItemKind::DataUnit
            | ItemKind::Correspondence
            | ItemKind::Confirmation
            | ItemKind::Usage
            | ItemKind::AltUtMessage
            | ItemKind::AltUtConfirmation
            | ItemKind::OnlineResult
            | ItemKind::Recipient
            | ItemKind::Item => return Err(refused(codes::NO_RECEIVER_FOR_KIND)),
        }
        let row = item.service.as_ref().and_then(|service| self.services.row(service));
        let app = row.and_then(|row| row.app.as_ref()).ok_or(refused(codes::UNKNOWN_SERVICE))?;
        let url = self.addresses.get(&app_id(app)).ok_or(refused(codes::UNKNOWN_SERVICE))?;
        Ok((app, url))
    }

    async fn instantiate(&self, item: &Consignment) -> Result<Answer, DeliveryError> {
        let (app, url) = self.target(item)?;
        let parts = || instance::parts(item, app, self.clock.now()).map_err(|code| DeliveryError::Refused { code });
        let (content_type, body) = form(parts()?);
        let answer = self.post(url, &content_type, Outgoing::gather(body).await?).await?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        // The token was dropped; nothing happened, so the same item may go out once more.
        let (content_type, body) = form(parts()?);
        self.post(url, &content_type, Outgoing::gather(body).await?).await
    }

    async fn post(&self, url: &Url, content_type: &str, body: Outgoing) -> Result<Answer, DeliveryError> {
        let token = self.tokens.token().await?;
        let request = self.with_headers(self.http.post(url.clone())).header(CONTENT_TYPE, content_type);
        kill_point("altinn.post.before");
        let answer = self.http.send(token.sign(request), body, ANSWER_BYTES).await.map_err(SendError::of_effect)?;
        kill_point("altinn.post.after");
        if answer.status() == 401 {
            self.tokens.drop_token(&token);
        }
        Ok(answer)
    }

    /// An app that is not there answers 404 just as one does that does not know the reportee. Asking it for its metadata
    /// keeps a wrong name in the settings from refusing every item of a shipment.
    async fn find_app(&self, item: &Consignment) -> Result<(), DeliveryError> {
        let (app, instances) = self.target(item)?;
        let url = instances.join("api/v1/applicationmetadata").map_err(|_| not_permitted())?;
        let token = self.tokens.token().await?;
        let request = token.sign(self.with_headers(self.http.get(url)));
        // The instantiation is known to have had no effect, whatever becomes of the question.
        let later = |_| DeliveryError::Later { code: codes::UNREACHABLE, after: None };
        match self.http.send(request, Outgoing::empty(), PAGE_BYTES).await.map_err(later)?.status() {
            200 => Ok(()),
            404 => {
                tracing::warn!(app = app_id(app), "there is no such app");
                Err(not_permitted())
            }
            _ => Err(DeliveryError::Later { code: codes::UNREACHABLE, after: None }),
        }
    }

    async fn page(&self, url: Url, owner: &HeaderValue) -> Result<Page, DeliveryError> {
        let mut answer = self.fetch(url.clone(), owner).await?;
        if answer.status() == 401 {
            answer = self.fetch(url, owner).await?;
        }
        match answer.status() {
            200 => answer.json().ok_or(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
            401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
            403 => Err(not_permitted()),
            429 => Err(DeliveryError::Unknown { code: codes::THROTTLED }),
            _ => Err(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
        }
    }

    async fn fetch(&self, url: Url, owner: &HeaderValue) -> Result<Answer, DeliveryError> {
        let token = self.tokens.token().await.map_err(|error| still_unknown(error.into()))?;
        let request = self.with_headers(self.http.get(url)).header(look_up::OWNER_HEADER, owner.clone());
        let sent = self.http.send(token.sign(request), Outgoing::empty(), PAGE_BYTES).await;
        let answer = sent.map_err(SendError::of_look_up)?;
        if answer.status() == 401 {
            self.tokens.drop_token(&token);
        }
        Ok(answer)
    }

    fn with_headers(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header(ACCEPT, "application/json");
        match &self.subscription_key {
            Some(key) => request.header("Ocp-Apim-Subscription-Key", key.clone()),
            None => request,
        }
    }
}

#[async_trait]
impl Receiver for AppReceiver {
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let answer = self.instantiate(item).await?;
        if answer.status() == 404 {
            self.find_app(item).await?;
        }
        instantiated(&answer)
    }

    /// Every failure to look leaves the outcome as unknown as it was: none may lead to sending again.
    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        let (app, _) = self.target(item)?;
        let unknown = || DeliveryError::Unknown { code: codes::RECEIVER_FAULT };
        let reportee = item.reportee.as_ref().ok_or_else(unknown)?;
        let mut owner = HeaderValue::try_from(look_up::owner(reportee)).map_err(|_| unknown())?;
        owner.set_sensitive(true);
        let mut url = look_up::first_page(&self.platform, &app_id(app), &app.org, item).ok_or_else(unknown)?;
        for _ in 0..MOST_PAGES {
            let page = self.page(url, &owner).await?;
            if let Some(found) = page.find(item) {
                return Ok(Some(found));
            }
            url = match page.next(&self.platform) {
                NextPage::Last => return Ok(None),
                NextPage::At(next) => next,
                NextPage::Elsewhere => {
                    tracing::warn!("the platform's list of instances goes on at another address; not followed");
                    return Err(unknown());
                }
            };
        }
        Err(unknown())
    }
}

/// While an outcome is unknown, "later" must not be read as "nothing happened, send again".
fn still_unknown(error: DeliveryError) -> DeliveryError {
    match error {
        DeliveryError::Later { code, .. } => DeliveryError::Unknown { code },
        DeliveryError::Refused { .. }
        | DeliveryError::Credentials { .. }
        | DeliveryError::Unknown { .. }
        | DeliveryError::Unreadable(_) => error,
    }
}

fn not_permitted() -> DeliveryError {
    DeliveryError::Credentials { code: codes::NOT_PERMITTED }
}

/// A base address with a path that ends in a slash, so that joining adds to it.
fn base(text: &str) -> Result<Url, SetupError> {
    let mut url = address(text, true)?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// The address of every app's instances, by app id.
fn addresses(services: &ServiceTable, apps_base: &str) -> Result<HashMap<String, Url>, SetupError> {
    let mut addresses = HashMap::new();
    for app in services.rows.iter().filter_map(|row| row.app.as_ref()) {
        let id = app_id(app);
        if !(is_segment(&app.org) && is_segment(&app.app)) {
            return Err(SetupError::BadApp(id));
        }
        let base = base(&apps_base.replace("{org}", &app.org))?;
        let url = base.join(&format!("{id}/instances")).map_err(|_| SetupError::BadApp(id.clone()))?;
        addresses.insert(id, url);
    }
    Ok(addresses)
}

fn app_id(app: &AppTarget) -> String {
    format!("{}/{}", app.org, app.app)
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn secret_header(secret: &str) -> Result<HeaderValue, SetupError> {
    let mut value = HeaderValue::from_str(secret).map_err(|_| SetupError::BadSubscriptionKey)?;
    value.set_sensitive(true);
    Ok(value)
}

/// An instance in an answer, with room to spare.
const ANSWER_BYTES: usize = 256 * 1024;
/// A hundred instances with their data elements.
const PAGE_BYTES: usize = 16 * 1024 * 1024;
/// One owner's instances of one app since the first attempt; more than this is a list that never ends.
const MOST_PAGES: usize = 1_000;
