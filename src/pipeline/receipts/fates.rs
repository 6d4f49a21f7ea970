//! What became of a shipment's items at each of several receivers.

use super::pages::add_notes;
use crate::codes;
use crate::model::{Fate, Finding, Item, ItemState, Note, Share, Shipment, ShipmentId};
use crate::pipeline::{House, StepError};

/// The receivers of a shipment, to be asked what became of its items.
pub(super) struct Fates<'a> {
    house: &'a House,
    shipment: ShipmentId,
    first: &'a str,
    shares: Vec<Share>,
}

impl<'a> Fates<'a> {
    /// Of a shipment whose items go to several; `None` where they go to one, and what became of them is in their rows.
    pub(super) async fn of(house: &'a House, shipment: &'a Shipment) -> Result<Option<Self>, StepError> {
        let Some(first) = shipment.receiver.as_deref() else { return Ok(None) };
        let shares = house.ledger.shares(shipment.id).await?;
        Ok(Some(Self { house, shipment: shipment.id, first, shares }))
    }

    /// What goes to the receivers behind the first.
    pub(super) fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// The receivers' names.
    pub(super) fn receivers(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.first).chain(self.shares.iter().map(|share| share.receiver.as_str()))
    }

    /// Adds to items, which come in order of number, what became of them everywhere.
    pub(super) async fn join(&self, items: &mut [Item]) -> Result<(), StepError> {
        let mut fates: Vec<Vec<Fate>> = items.iter().map(|item| vec![item.fate(self.first)]).collect();
        for share in &self.shares {
            self.add(share, items, &mut fates).await?;
        }
        for (item, fates) in items.iter_mut().zip(fates).filter(|(item, _)| goes_anywhere(item)) {
            item.join(fates);
        }
        Ok(())
    }

    async fn add(&self, share: &Share, items: &[Item], fates: &mut [Vec<Fate>]) -> Result<(), StepError> {
        let mut page = Vec::new().into_iter().peekable();
        let mut left = u32::try_from(items.len()).unwrap_or(u32::MAX);
        for (item, fates) in items.iter().zip(fates) {
            let number = item.found.number;
            while page.next_if(|other: &Item| other.found.number < number).is_some() {}
            if goes_anywhere(item) && page.peek().is_none() {
                let read = self.house.ledger.items(share.id, &[], number.saturating_sub(1), left).await?;
                page = read.into_iter().peekable();
            }
            left = left.saturating_sub(1);
            let found = page.next_if(|other| other.found.number == number);
            fates.extend(found.map(|found| found.fate(&share.receiver)));
        }
        Ok(())
    }

    /// Adds to the items' findings where each of them failed and why, and what each receiver made of them.
    pub(super) async fn explain(&self, pairs: &mut [(Item, Vec<Finding>)]) -> Result<(), StepError> {
        for (item, findings) in pairs.iter_mut() {
            let failed = item.fates.iter().filter(|fate| fate.state == ItemState::Failed);
            findings.extend(failed.map(|fate| {
                let code = fate.code.unwrap_or(codes::OUTCOME_UNKNOWN);
                Note::new(code, "").at(&fate.receiver).on(item.found.number)
            }));
        }
        let ids = std::iter::once(self.shipment).chain(self.shares.iter().map(|share| share.id));
        for (id, receiver) in ids.zip(self.receivers()) {
            add_notes(self.house, (id, Some(receiver)), pairs).await?;
        }
        Ok(())
    }
}

/// What is refused or left out goes to no receiver.
fn goes_anywhere(item: &Item) -> bool {
    !matches!(item.state, ItemState::Refused | ItemState::Ignored)
}
