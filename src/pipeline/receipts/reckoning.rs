//! What a shipment's items came to, in numbers.

use super::fates::Fates;
use super::pages::{Findings, Items};
use crate::model::{Item, ItemState, OutcomeCount, Shipment, Tally};
use crate::pipeline::{House, StepError};
use crate::receipt::ReceiverCount;

/// The numbers of a final receipt.
#[derive(Default)]
pub(super) struct Reckoning {
    /// Items by state.
    pub(super) tally: Tally,
    /// Items by part, state and code.
    pub(super) outcomes: Vec<OutcomeCount>,
    /// What each receiver has, where there are several.
    pub(super) receivers: Vec<ReceiverCount>,
}

/// Counts; what goes to several receivers is read through for it.
pub(super) async fn reckon(house: &House, shipment: &Shipment) -> Result<Reckoning, StepError> {
    let Some(fates) = Fates::of(house, shipment).await? else {
        let (tally, outcomes) = (house.ledger.tally(shipment.id).await?, house.ledger.outcomes(shipment.id).await?);
        return Ok(Reckoning { tally, outcomes, receivers: Vec::new() });
    };
    let none = |name: &str| ReceiverCount { receiver: name.to_owned(), delivered: 0, failed: 0 };
    let mut reckoning = Reckoning { receivers: fates.receivers().map(none).collect(), ..Reckoning::default() };
    let (mut items, mut findings) = (Items::new(house, shipment, Some(&fates)), Findings::new(house, shipment));
    while let Some(page) = items.page().await? {
        for item in page {
            let has_findings = !findings.of_item(item.found.number).await?.is_empty();
            reckoning.add(&item, has_findings);
        }
    }
    let place = |state| ItemState::ALL.iter().position(|other| *other == state);
    reckoning.outcomes.sort_by_key(|same| (same.part, place(same.state), same.code.map(|code| code.0)));
    Ok(reckoning)
}

impl Reckoning {
    fn add(&mut self, item: &Item, has_findings: bool) {
        self.tally.add(item.state, 1);
        let key = (item.found.part, item.state, item.code);
        let same = self.outcomes.iter_mut().find(|same| (same.part, same.state, same.code) == key);
        let with_findings = u64::from(has_findings);
        match same {
            Some(same) => {
                same.items += 1;
                same.with_findings += with_findings;
            }
            None => {
                let (part, state, code) = key;
                self.outcomes.push(OutcomeCount { part, state, code, items: 1, with_findings });
            }
        }
        for fate in &item.fates {
            let count = self.receivers.iter_mut().find(|count| count.receiver == fate.receiver);
            let Some(count) = count else { continue };
            match fate.state {
                ItemState::Delivered => count.delivered += 1,
                ItemState::Ready | ItemState::Sending | ItemState::Refused | ItemState::Ignored | ItemState::Failed => {
                    count.failed += 1;
                }
            }
        }
    }
}
