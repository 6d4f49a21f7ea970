//! An owner's instances of an app: looking for one an earlier attempt may have made, or one that may be gone.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::client::{Client, LOOK_BYTES, still_unknown};
use super::finish::Standing;
use super::instance::{KEY_VALUE, SENDERS_VALUE, SHIPMENT_VALUE};
use crate::adapters::http::{Answer, Outgoing, SendError};
use crate::codes;
use crate::model::{AppTarget, Reportee, ReporteeKind};
use crate::ports::{Consignment, Delivered, DeliveryError};

/// The platform's list, page by page.
pub(super) struct Listing<'a> {
    client: &'a Client,
    owner: HeaderValue,
    next: Option<Url>,
    pages: usize,
}

impl<'a> Listing<'a> {
    /// Of what was made since a little before the item's first attempt.
    pub(super) fn since_attempt(
        client: &'a Client,
        app: &AppTarget,
        item: &Consignment,
    ) -> Result<Self, DeliveryError> {
        let since = item.first_intent.checked_sub(CLOCK_SKEW).map_err(|_| unknown())?;
        let mut listing = Self::all(client, app, item)?;
        if let Some(url) = &mut listing.next {
            url.query_pairs_mut().append_pair("created", &format!("gt:{since:.3}"));
        }
        Ok(listing)
    }

    /// Of all there are.
    pub(super) fn all(client: &'a Client, app: &AppTarget, item: &Consignment) -> Result<Self, DeliveryError> {
        let mut owner =
            item.reportee.as_ref().and_then(|reportee| owner(reportee).try_into().ok()).ok_or_else(unknown)?;
        HeaderValue::set_sensitive(&mut owner, true);
        let mut url = client.platform.join("storage/api/v1/instances").map_err(|_| unknown())?;
        // Deleted ones count, too: what its owner has thrown away since has taken effect.
        url.query_pairs_mut()
            .append_pair("org", &app.org)
            .append_pair("appId", &app.id())
            // In this order a page once read does not change: what is new comes after it.
            .append_pair("order", "asc:lastChanged")
            .append_pair("size", "100");
        Ok(Self { client, owner, next: Some(url), pages: 0 })
    }

    /// The next page; `None` after the last. Every failure to look leaves what is unknown as it was.
    pub(super) async fn page(&mut self) -> Result<Option<Page>, DeliveryError> {
        let Some(url) = self.next.take() else { return Ok(None) };
        self.pages += 1;
        if self.pages > MOST_PAGES {
            return Err(unknown());
        }
        let mut answer = self.fetch(url.clone()).await?;
        if answer.status() == 401 {
            answer = self.fetch(url).await?;
        }
        let page = read(&answer)?;
        self.next = match page.next(&self.client.platform) {
            NextPage::Last => None,
            NextPage::At(next) => Some(next),
            NextPage::Elsewhere => {
                tracing::warn!("the platform's list of instances goes on at another address; not followed");
                return Err(unknown());
            }
        };
        Ok(Some(page))
    }

    async fn fetch(&self, url: Url) -> Result<Answer, DeliveryError> {
        let token = self.client.tokens.token().await.map_err(|error| still_unknown(error.into()))?;
        let request = self.client.with_headers(self.client.http.get(url)).header(OWNER_HEADER, self.owner.clone());
        let sent = self.client.http.send(token.sign(request), Outgoing::empty(), LOOK_BYTES).await;
        let answer = sent.map_err(SendError::of_look_up)?;
        if answer.status() == 401 {
            self.client.tokens.drop_token(&token);
        }
        Ok(answer)
    }
}

fn read(answer: &Answer) -> Result<Page, DeliveryError> {
    match answer.status() {
        200 => answer.json().ok_or_else(unknown),
        401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
        403 => Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED }),
        429 => Err(DeliveryError::Unknown { code: codes::THROTTLED }),
        _ => Err(unknown()),
    }
}

fn unknown() -> DeliveryError {
    DeliveryError::Unknown { code: codes::RECEIVER_FAULT }
}

/// One page of instances.
#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    id: String,
    #[serde(default)]
    data_values: Option<BTreeMap<String, Option<String>>>,
    #[serde(flatten)]
    standing: Standing,
}

/// Where to go on.
enum NextPage {
    /// That was the last one.
    Last,
    /// Here.
    At(Url),
    /// To a place we do not send our token to.
    Elsewhere,
}

/// The owner as the header wants it.
fn owner(reportee: &Reportee) -> String {
    let kind = match reportee.kind() {
        ReporteeKind::Person => "Person",
        ReporteeKind::Organisation => "Organisation",
    };
    format!("{kind}:{}", reportee.expose())
}

impl Page {
    /// The instance that is the item, and how it stands.
    pub(super) fn find(&self, item: &Consignment) -> Option<(Delivered, Standing)> {
        let key = item.key.to_string();
        let found = self.instances.iter().find(|instance| instance.is(item, &key))?;
        Some((Delivered::of(found.id.clone()), found.standing.clone()))
    }

    /// Tells whether an instance is there and was not deleted for good.
    pub(super) fn holds(&self, id: &str) -> bool {
        self.instances.iter().any(|instance| instance.id == id && !instance.standing.is_gone())
    }

    /// Where the next page is; only the platform itself is followed.
    fn next(&self, platform: &Url) -> NextPage {
        let Some(next) = self.next.as_deref().filter(|next| !next.is_empty()) else { return NextPage::Last };
        match platform.join(next) {
            Ok(url) if url.origin() == platform.origin() => NextPage::At(url),
            Ok(_) | Err(_) => NextPage::Elsewhere,
        }
    }
}

impl Instance {
    fn value(&self, name: &str) -> Option<&str> {
        self.data_values.as_ref()?.get(name)?.as_deref()
    }

    /// By our key. Without one, by both references: an app may keep only the values it knows.
    fn is(&self, item: &Consignment, key: &str) -> bool {
        match self.value(KEY_VALUE) {
            Some(value) => value == key,
            None => {
                !item.senders_reference.is_empty()
                    && self.value(SHIPMENT_VALUE) == Some(&item.shipment_reference)
                    && self.value(SENDERS_VALUE) == Some(&item.senders_reference)
            }
        }
    }
}

/// The header that names the owner.
const OWNER_HEADER: &str = "X-Ai-InstanceOwnerIdentifier";
/// More than this is a list that never ends.
const MOST_PAGES: usize = 1_000;
/// Our clock and theirs may differ by this much. A missed instance would be made twice; a longer list costs little.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_platform_itself_is_followed() {
        let platform = Url::parse("https://platform.altinn.no/").unwrap();
        let next = |next: &str| Page { next: Some(next.into()), instances: Vec::new() }.next(&platform);
        assert!(matches!(
            next("https://platform.altinn.no/storage/api/v1/instances?continuationToken=1"),
            NextPage::At(_)
        ));
        assert!(matches!(next("/storage/api/v1/instances?continuationToken=1"), NextPage::At(_)));
        for elsewhere in ["https://evil.example/", "http://platform.altinn.no/", "//evil.example/x", "https://["] {
            assert!(matches!(next(elsewhere), NextPage::Elsewhere), "{elsewhere}");
        }
        assert!(matches!(next(""), NextPage::Last));
    }
}
