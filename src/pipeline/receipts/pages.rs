//! A shipment's items and findings, page by page.

use super::fates::Fates;
use crate::model::{Finding, FindingGroup, Item, ItemState, NewAttachment, Shipment, ShipmentId};
use crate::pipeline::{House, StepError};

/// A shipment's items in order of number.
pub(super) struct Items<'a> {
    house: &'a House,
    shipment: &'a Shipment,
    states: &'a [ItemState],
    fates: Option<&'a Fates<'a>>,
    last: u64,
}

impl<'a> Items<'a> {
    /// All of them.
    pub(super) fn new(house: &'a House, shipment: &'a Shipment, fates: Option<&'a Fates<'a>>) -> Self {
        Self { house, shipment, states: &[], fates, last: 0 }
    }

    /// Those in the given states at the first of the receivers, or at the only one.
    pub(super) fn in_states(self, states: &'a [ItemState]) -> Self {
        Self { states, ..self }
    }

    /// The next page; `None` after the last.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<Item>>, StepError> {
        let mut page = self.house.ledger.items(self.shipment.id, self.states, self.last, PAGE_ROWS).await?;
        let Some(last) = page.last().map(|item| item.found.number) else { return Ok(None) };
        self.last = last;
        if let Some(fates) = self.fates {
            fates.join(&mut page).await?;
        }
        Ok(Some(page))
    }
}

/// An item's attachments that stand behind all items, in order.
pub(super) struct Attachments<'a> {
    house: &'a House,
    shipment: &'a Shipment,
    reference: &'a str,
    last: u64,
}

impl<'a> Attachments<'a> {
    /// Those of the item with the sender's reference.
    pub(super) fn new(house: &'a House, shipment: &'a Shipment, reference: &'a str) -> Self {
        Self { house, shipment, reference, last: 0 }
    }

    /// The next page; `None` after the last.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<NewAttachment>>, StepError> {
        let ledger = &self.house.ledger;
        let page = ledger.attachments_of(self.shipment.id, self.reference, self.last, PAGE_ROWS).await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        self.last = *last;
        Ok(Some(page.into_iter().map(|(_, attachment)| attachment).collect()))
    }
}

/// A shipment's groups of findings in the order of their first ones.
pub(super) struct Groups<'a> {
    house: &'a House,
    shipment: &'a Shipment,
    seen: u64,
}

impl<'a> Groups<'a> {
    /// All of them, from the first.
    pub(super) fn new(house: &'a House, shipment: &'a Shipment) -> Self {
        Self { house, shipment, seen: 0 }
    }

    /// The next page; `None` after the last.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<FindingGroup>>, StepError> {
        let page = self.house.ledger.finding_groups(self.shipment.id, self.seen, PAGE_GROUPS).await?;
        self.seen += page.len() as u64;
        Ok((!page.is_empty()).then_some(page))
    }
}

/// A shipment's findings in document order.
pub(super) struct Findings<'a> {
    house: &'a House,
    shipment: &'a Shipment,
    page: std::iter::Peekable<std::vec::IntoIter<Finding>>,
    seen: u64,
}

impl<'a> Findings<'a> {
    /// All of them, from the first.
    pub(super) fn new(house: &'a House, shipment: &'a Shipment) -> Self {
        Self { house, shipment, page: Vec::new().into_iter().peekable(), seen: 0 }
    }

    /// The next page; `None` after the last.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<Finding>>, StepError> {
        let page = self.house.ledger.findings(self.shipment.id, self.seen, PAGE_ROWS).await?;
        self.seen += page.len() as u64;
        Ok((!page.is_empty()).then_some(page))
    }

    /// Puts each item together with its own findings; items must come in order.
    pub(super) async fn beside(
        &mut self,
        items: Vec<Item>,
        fates: Option<&Fates<'_>>,
    ) -> Result<Vec<(Item, Vec<Finding>)>, StepError> {
        let mut pairs = Vec::with_capacity(items.len());
        for item in items {
            let own = self.of_item(item.found.number).await?;
            pairs.push((item, own));
        }
        match fates {
            None => add_notes(self.house, (self.shipment.id, None), &mut pairs).await?,
            Some(fates) => fates.explain(&mut pairs).await?,
        }
        Ok(pairs)
    }

    /// What is wrong with an item in the batch; items must come in order.
    pub(super) async fn of_item(&mut self, number: u64) -> Result<Vec<Finding>, StepError> {
        let mut own = Vec::new();
        loop {
            if self.page.peek().is_none() {
                let Some(page) = self.page().await? else { return Ok(own) };
                self.page = page.into_iter().peekable();
            }
            let Some(finding) = self.page.next_if(|finding| finding.item.is_none_or(|item| item <= number)) else {
                return Ok(own);
            };
            if finding.item == Some(number) {
                own.push(finding);
            }
        }
    }
}

/// Adds what a receiver made of items, by its name where it is one of several, behind what is wrong with them.
pub(super) async fn add_notes(
    house: &House,
    (id, receiver): (ShipmentId, Option<&str>),
    pairs: &mut [(Item, Vec<Finding>)],
) -> Result<(), StepError> {
    let numbers = || pairs.iter().map(|(item, _)| item.found.number);
    let Some((first, last)) = numbers().next().zip(numbers().next_back()) else { return Ok(()) };
    let mut notes = house.ledger.notes(id, first, last).await?.into_iter().peekable();
    for (item, own) in pairs {
        let number = item.found.number;
        while let Some((of, note)) = notes.next_if(|(of, _)| *of <= number) {
            let note = if let Some(receiver) = receiver { note.at(receiver) } else { note };
            own.extend((of == number).then(|| note.on(number)));
        }
    }
    Ok(())
}

/// Groups read from the ledger at once; each may have a hundred places.
const PAGE_GROUPS: u32 = 64;

/// Rows read from the ledger at once.
const PAGE_ROWS: u32 = 512;
