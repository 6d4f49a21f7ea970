//! The receiver that makes app instances.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Url;

use super::answers::{Taken, instantiated, is_app_rule, is_text, takes};
use super::client::{Client, LOOK_BYTES, base};
use super::finish::{Finished, Finishing, Standing};
use super::instance;
use super::look_up::Listing;
use super::{AltinnSettings, SetupError};
use crate::adapters::http::{Answer, Outgoing, form};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{AppTarget, Code, ItemKind, ServiceTable};
use crate::ports::{Changed, Clock, Concern, Consignment, Delivered, DeliveryError, Receiver};

/// Makes one app instance of each item.
pub struct AppReceiver {
    client: Client,
    services: ServiceTable,
    addresses: HashMap<String, Url>,
    clock: Arc<dyn Clock>,
}

impl AppReceiver {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: AltinnSettings, services: ServiceTable, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let addresses = addresses(&services, &settings.apps_base)?;
        let client = Client::new(settings, &addresses.values().collect::<Vec<_>>(), clock.clone())?;
        Ok(Self { client, services, addresses, clock })
    }

    /// The app an item goes to and the address of its instances.
    fn target(&self, item: &Consignment) -> Result<(&AppTarget, &Url), DeliveryError> {
        let refused = |code| DeliveryError::Refused { code };
        if item.kind != ItemKind::FormTask {
            return Err(refused(codes::NO_RECEIVER_FOR_KIND));
        }
        let row = item.service.as_ref().and_then(|service| self.services.row(service));
        let app = row.and_then(|row| row.app.as_ref()).ok_or(refused(codes::UNKNOWN_SERVICE))?;
        let url = self.addresses.get(&app.id()).ok_or(refused(codes::UNKNOWN_SERVICE))?;
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
        kill_point("altinn.post.before");
        let answer = self.client.post(url, content_type, None, body).await?;
        kill_point("altinn.post.after");
        Ok(answer)
    }

    /// An app that is not there answers 404 just as one does that does not know the reportee. Asking it for its metadata
    /// keeps a wrong name in the settings from refusing every item of a shipment.
    async fn find_app(&self, item: &Consignment) -> Result<(), DeliveryError> {
        let app = self.ask_app(item).await?;
        if app.status() == 404 {
            tracing::warn!(app = self.target(item)?.0.id(), "there is no such app");
            return Err(not_permitted());
        }
        if app.status() == 200 { Ok(()) } else { Err(DeliveryError::Later { code: codes::UNREACHABLE, after: None }) }
    }

    /// An app that takes no such reportee answers 403 just as the platform does when it does not let us instantiate. The app's
    /// metadata tell which it is, and keep one item for the wrong reportee from holding up all others.
    async fn take_reportee(&self, item: &Consignment, refusal: &Answer) -> Result<(), DeliveryError> {
        let Some(reportee) = item.reportee.as_ref().filter(|_| !is_app_rule(refusal)) else { return Ok(()) };
        let app = self.ask_app(item).await?;
        let taken = match app.status() {
            200 => takes(&app, reportee.kind()),
            401 | 403 | 404 => return Ok(()),
            _ => return Err(DeliveryError::Later { code: codes::UNREACHABLE, after: None }),
        };
        match taken {
            Taken::None => Err(DeliveryError::Refused { code: codes::RECEIVER_REFUSED }),
            Taken::Some if is_text(refusal) => Err(DeliveryError::Refused { code: codes::RECEIVER_REFUSED }),
            Taken::All | Taken::Some => Ok(()),
        }
    }

    /// What the app says about itself.
    async fn ask_app(&self, item: &Consignment) -> Result<Answer, DeliveryError> {
        let (_, instances) = self.target(item)?;
        let url = instances.join("api/v1/applicationmetadata").map_err(|_| not_permitted())?;
        let token = self.client.tokens.token().await?;
        let request = token.sign(self.client.with_headers(self.client.http.get(url)));
        // The instantiation is known to have had no effect, whatever becomes of the question.
        let later = |_| DeliveryError::Later { code: codes::UNREACHABLE, after: None };
        self.client.http.send(request, Outgoing::empty(), LOOK_BYTES).await.map_err(later)
    }

    /// Does what follows an instantiation; with a code where the instance was taken back.
    async fn finish(
        &self,
        item: &Consignment,
        made: Delivered,
        standing: Option<Standing>,
    ) -> Result<Result<Delivered, Code>, DeliveryError> {
        let Some(finishing) = Finishing::of(&self.client, self.target(item)?, item, &made) else { return Ok(Ok(made)) };
        Ok(match finishing.run(standing).await? {
            Finished::Done(notes) => Ok(Delivered { notes, ..made }),
            Finished::TakenBack(code) => Err(code),
        })
    }
}

#[async_trait]
impl Receiver for AppReceiver {
    async fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        self.client.tokens.concerns(now).await
    }

    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let answer = self.instantiate(item).await?;
        match answer.status() {
            403 => self.take_reportee(item, &answer).await?,
            404 => self.find_app(item).await?,
            _ => {}
        }
        let made = instantiated(&answer)?;
        match self.finish(item, made, answer.json()).await? {
            Ok(delivered) => Ok(delivered),
            Err(code) => Err(DeliveryError::Refused { code }),
        }
    }

    async fn put(&self, item: &Consignment, receivers_reference: &str) -> Result<Changed, DeliveryError> {
        Finishing::later(&self.client, self.target(item)?, item, receivers_reference)?.put().await
    }

    async fn remove(&self, item: &Consignment, receivers_reference: &str) -> Result<Changed, DeliveryError> {
        Finishing::later(&self.client, self.target(item)?, item, receivers_reference)?.remove().await
    }

    async fn is_removed(&self, item: &Consignment, receivers_reference: &str) -> Result<bool, DeliveryError> {
        Finishing::later(&self.client, self.target(item)?, item, receivers_reference)?.is_removed().await
    }

    /// Every failure to look leaves the outcome as unknown as it was: none may lead to sending again.
    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        let mut listed = Listing::since_attempt(&self.client, self.target(item)?.0, item)?;
        while let Some(page) = listed.page().await? {
            if let Some((found, standing)) = page.find(item) {
                // One that was taken back is not there.
                return Ok(self.finish(item, found, Some(standing)).await?.ok());
            }
        }
        Ok(None)
    }
}

fn not_permitted() -> DeliveryError {
    DeliveryError::Credentials { code: codes::NOT_PERMITTED }
}

/// The address of every app's instances, by app id.
fn addresses(services: &ServiceTable, apps_base: &str) -> Result<HashMap<String, Url>, SetupError> {
    let mut addresses = HashMap::new();
    for app in services.rows.iter().filter_map(|row| row.app.as_ref()) {
        let id = app.id();
        if !(is_segment(&app.org) && is_segment(&app.app)) {
            return Err(SetupError::BadApp(id));
        }
        let base = base(&apps_base.replace("{org}", &app.org))?;
        let url = base.join(&format!("{id}/instances")).map_err(|_| SetupError::BadApp(id.clone()))?;
        addresses.insert(id, url);
    }
    Ok(addresses)
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
