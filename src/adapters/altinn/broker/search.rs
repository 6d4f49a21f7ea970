//! Looking for a transfer that was begun without our hearing of it.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::answers::seen;
use super::prepare::Prepared;
use super::transfer::{Ids, Overview};
use super::{BrokerReceiver, checksum, no_ledger, unclear};
use crate::ports::{Consignment, DeliveryError};

impl BrokerReceiver {
    /// The transfer that was begun for an item and not uploaded to. The platform cannot be asked for a reference, so what
    /// was begun since the item's first attempt is looked at, but for what is known to be another item's.
    pub(super) async fn search(&self, item: &Consignment, prepared: &Prepared) -> Result<Option<Uuid>, DeliveryError> {
        let mut from = item.first_intent.checked_sub(CLOCK_SKEW).unwrap_or(Timestamp::MIN);
        for _ in 0..MOST_PAGES {
            let ids = self.begun_since(from, &prepared.request.resource_id).await?;
            let known = self.store.known_transfers(&ids).await.map_err(no_ledger)?;
            for id in ids.iter().filter(|id| !known.contains(id)) {
                let Some(overview) = self.overview(*id).await? else { continue };
                if overview.is(&prepared.request) && is_announced(&overview, prepared).await? {
                    return Ok(Some(*id));
                }
            }
            // The oldest come first: a list that is full goes on from its last one.
            let Some(last) = ids.last().filter(|_| ids.len() >= MOST_LISTED) else { return Ok(None) };
            let last = self.overview(*last).await?;
            let next = last.and_then(|overview| overview.changed()).filter(|next| *next > from);
            from = next.ok_or_else(unclear)?;
        }
        Err(unclear())
    }

    /// Ids of transfers that were begun since a time and not uploaded to, the oldest first.
    async fn begun_since(&self, from: Timestamp, resource: &str) -> Result<Ids, DeliveryError> {
        let mut url = self.transfers.clone();
        url.query_pairs_mut()
            .append_pair("resourceId", resource)
            .append_pair("role", "Sender")
            .append_pair("status", "Initialized")
            .append_pair("from", &format!("{from:.3}"))
            .append_pair("orderAscending", "true");
        self.settings.limits.search.turn().await;
        let answer = self.client.get(&url).await?;
        seen(&answer)?;
        answer.json().ok_or_else(unclear)
    }
}

/// Tells whether what was announced is what we have, where the platform says what that was.
async fn is_announced(overview: &Overview, prepared: &Prepared) -> Result<bool, DeliveryError> {
    match overview.checksum.as_deref().filter(|checksum| !checksum.is_empty()) {
        Some(announced) => Ok(announced.eq_ignore_ascii_case(&checksum(&prepared.content).await?)),
        None => Ok(true),
    }
}

/// Our clock and theirs may differ by this much.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);
/// A list has no more.
const MOST_LISTED: usize = 100;
/// Transfers that were begun since the first attempt and not uploaded to; more lists than this never end.
const MOST_PAGES: usize = 1_000;
