//! Looking for an instance an earlier attempt may have made.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use reqwest::Url;
use serde::Deserialize;

use super::finish::Standing;
use super::instance::{KEY_VALUE, SENDERS_VALUE, SHIPMENT_VALUE};
use crate::model::{Reportee, ReporteeKind};
use crate::ports::{Consignment, Delivered};

/// The header that names the owner.
pub(super) const OWNER_HEADER: &str = "X-Ai-InstanceOwnerIdentifier";

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
pub(super) enum NextPage {
    /// That was the last one.
    Last,
    /// Here.
    At(Url),
    /// To a place we do not send our token to.
    Elsewhere,
}

/// The address of the first page: the app's instances since a little before the first attempt.
pub(super) fn first_page(platform: &Url, app_id: &str, org: &str, item: &Consignment) -> Option<Url> {
    let mut url = platform.join("storage/api/v1/instances").ok()?;
    let since = item.first_intent.checked_sub(CLOCK_SKEW).ok()?;
    // Deleted ones count, too: what its owner has thrown away since has taken effect.
    url.query_pairs_mut()
        .append_pair("org", org)
        .append_pair("appId", app_id)
        .append_pair("created", &format!("gt:{since:.3}"))
        // In this order a page once read does not change: what is new comes after it.
        .append_pair("order", "asc:lastChanged")
        .append_pair("size", "100");
    Some(url)
}

/// The owner as the header wants it.
pub(super) fn owner(reportee: &Reportee) -> String {
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

    /// Where the next page is; only the platform itself is followed.
    pub(super) fn next(&self, platform: &Url) -> NextPage {
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
