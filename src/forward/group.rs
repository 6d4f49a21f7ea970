//! Groups a shipment's items for a receiver that takes batches. What is grouped stays so, whatever is configured later.

use std::io;

use super::deliver::Forwarding;
use crate::formats::MOST_PARTS;
use crate::model::{BatchLimits, ByteRange, ItemState, NewItem};
use crate::ports::{DeliveryError, LedgerError};
use crate::split::{Attached, Grouping};

/// Groups what is not grouped yet; goes on where an earlier run ended. Nothing is sent before all of it is recorded, unless
/// it is asked to stop.
pub(super) async fn group(forwarding: &Forwarding, limits: BatchLimits) -> Result<(), LedgerError> {
    let (ledger, source) = (&forwarding.ledger, &forwarding.source);
    if source.envelope.archive.is_some() {
        return Ok(());
    }
    let last = ledger.last_batch(source.shipment).await?;
    let (number, mut after) = last.map_or((0, 0), |batch| (batch.number, batch.last));
    let mut grouping = Grouping::new(limits, &source.envelope, number);
    while !forwarding.stop.is_cancelled() {
        let page = ledger.items(source.shipment, &[ItemState::Ready], after, PAGE_ITEMS).await?;
        let Some(end) = page.last().map(|item| item.found.number) else {
            return ledger.add_batches(source.shipment, grouping.close().into_iter().collect()).await;
        };
        let mut full = Vec::new();
        for item in page.iter().filter(|item| item.batch.is_none()) {
            full.extend(grouping.add(&item.found, forwarding.attached(&item.found).await?));
        }
        ledger.add_batches(source.shipment, full).await?;
        after = end;
    }
    Ok(())
}

impl Forwarding {
    /// How much stands behind all items of one.
    async fn attached(&self, item: &NewItem) -> Result<Attached, LedgerError> {
        let mut attached = Attached::default();
        self.ranges_of(item).await?.into_iter().for_each(|range| attached.add(range));
        Ok(attached)
    }

    /// Those of an item's attachments that stand behind all items.
    pub(super) async fn attachments_of(&self, item: &NewItem) -> Result<Vec<ByteRange>, DeliveryError> {
        let ranges = self.ranges_of(item).await;
        ranges.map_err(|error| DeliveryError::Unreadable(io::Error::other(error)))
    }

    async fn ranges_of(&self, item: &NewItem) -> Result<Vec<ByteRange>, LedgerError> {
        if self.source.envelope.tail.is_none() {
            return Ok(Vec::new());
        }
        // One more than an item may have, so that such an item is refused and not sent without the rest.
        let most = MOST_PARTS as u32 + 1;
        let found = self.ledger.attachments_of(self.source.whole, &item.senders_reference, 0, most).await?;
        Ok(found.into_iter().map(|(_, attachment)| attachment.range).collect())
    }
}

/// Items read from the ledger at once.
const PAGE_ITEMS: u32 = 512;
