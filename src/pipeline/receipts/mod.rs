//! Writes the answers to the sender: rendered into scratch files, sealed, then placed in one transaction.

mod draft;
mod fates;
mod numbers;
mod pages;
mod reckoning;
mod rest;
mod sheets;
mod supplement;

use std::collections::HashMap;
use std::sync::Arc;

pub use supplement::issue_supplement;

use fates::Fates;
use pages::{Findings, Groups, Items};
use reckoning::{Reckoning, reckon};
use sheets::{Page, Sheets};

use super::{House, StepError};
use crate::measures;
use crate::model::{
    BlobId, ItemState, News, ReceiptForm, ReceiptKind, ReceiptRules, ReceiptStatus, RouteName, Shipment, Verdict,
};
use crate::ports::{PlacedReceipt, Placing, ReceiptFile};
use crate::receipt::{self, Account, List, Rendering, Signer};

/// The keys that sign receipts.
#[derive(Debug, Default)]
pub struct Signers {
    /// Of routes with keys of their own.
    pub by_route: HashMap<RouteName, Arc<Signer>>,
    /// For all others.
    pub other: Option<Arc<Signer>>,
}

/// How a shipment's receipts are made.
struct Manner {
    rules: ReceiptRules,
    signer: Option<Arc<Signer>>,
}

impl Manner {
    /// By the route that took it; before there is one, by the first that may.
    fn of(house: &House, shipment: &Shipment) -> Self {
        let route = house.routes.answering(shipment);
        let own = route.as_ref().and_then(|route| house.signers.by_route.get(&route.name));
        Self {
            rules: route.as_ref().map(|route| route.receipt_rules.clone()).unwrap_or_default(),
            signer: own.or(house.signers.other.as_ref()).cloned(),
        }
    }

    fn name(&self, shipment: &Shipment, kind: ReceiptKind, ext: &str) -> String {
        self.rules.names.name(shipment, kind, ext)
    }

    /// The forms of a receipt, the document first.
    fn forms(&self, account: &Account) -> Vec<(ReceiptForm, Box<dyn Rendering>)> {
        let mut forms = vec![(ReceiptForm::Document, receipt::document(self.rules.format, account.clone()))];
        if account.kind == ReceiptKind::Accepted {
            return forms;
        }
        let page = self.rules.page.map(|language| receipt::page(language, account.clone()));
        forms.extend(page.map(|page| (ReceiptForm::Page, page)));
        if self.rules.list && account.kind == ReceiptKind::Final {
            forms.push((ReceiptForm::List, Box::new(List::new(account.clone()))));
        }
        forms
    }
}

/// Places the accepted receipt, once.
pub(super) async fn place_accepted(house: &House, shipment: &Shipment) -> Result<(), StepError> {
    if house.ledger.has_receipt(shipment.id, ReceiptKind::Accepted).await? {
        return Ok(());
    }
    let account = Account::accepted(shipment.clone(), house.clock.now());
    let manner = Manner::of(house, shipment);
    let mut sheets = Sheets::begin(house, manner.forms(&account)).await?;
    let written = sheets.write(house, Page::End).await;
    let files = sheets.seal(house, &account, &manner, written).await?;
    place(house, shipment, ReceiptKind::Accepted, files, Vec::new()).await
}

/// Places the rest file, where there is one, and then the final receipt, which ends the shipment.
pub(super) async fn place_answers(house: &House, shipment: &Shipment, verdict: &Verdict) -> Result<(), StepError> {
    if house.ledger.has_receipt(shipment.id, ReceiptKind::Final).await? {
        return answer_again(house, shipment).await;
    }
    let reckoning = reckon(house, shipment).await?;
    let tally = reckoning.tally;
    let rest = rest::place_rest(house, shipment, verdict, &tally).await?;
    place_final(house, shipment, reckoning, rest).await?;
    tracing::info!(
        shipment = %shipment.id, partner = %shipment.partner, delivered = tally.delivered, refused = tally.refused,
        ignored = tally.ignored, failed = tally.failed, "receipted"
    );
    Ok(())
}

/// Ends a shipment anew that was receipted: tells what became of items that were sent again, or places the receipt again.
async fn answer_again(house: &House, shipment: &Shipment) -> Result<(), StepError> {
    supplement::tell_replayed(house, shipment).await?;
    if house.ledger.orders(shipment.id).await?.reprint {
        let reckoning = reckon(house, shipment).await?;
        let has_rest = house.ledger.has_receipt(shipment.id, ReceiptKind::Rest).await?;
        let rest = has_rest.then(|| Manner::of(house, shipment).name(shipment, ReceiptKind::Rest, "xml"));
        let files = final_files(house, shipment, reckoning, rest).await?;
        let placed = placed(house, shipment, ReceiptKind::Final, files);
        match house.ledger.replace_receipt(&placed).await {
            // One that is still on its way back to a source stays until it is there.
            Ok(before) => forget_all(house, before).await,
            Err(error) => {
                take_back(house, &placed.files).await;
                return Err(error.into());
            }
        }
    }
    Ok(house.ledger.end_replay(shipment.id, house.clock.now()).await?)
}

async fn place_final(
    house: &House,
    shipment: &Shipment,
    reckoning: Reckoning,
    rest_file: Option<String>,
) -> Result<(), StepError> {
    let files = final_files(house, shipment, reckoning, rest_file).await?;
    if Manner::of(house, shipment).rules.next_expected && !shipment.preflight {
        return numbers::place_with(house, placed(house, shipment, ReceiptKind::Final, files)).await;
    }
    place(house, shipment, ReceiptKind::Final, files, Vec::new()).await
}

/// The files of the final receipt, sealed.
async fn final_files(
    house: &House,
    shipment: &Shipment,
    Reckoning { tally, outcomes, receivers }: Reckoning,
    rest_file: Option<String>,
) -> Result<Vec<ReceiptFile>, StepError> {
    let account = Account {
        kind: ReceiptKind::Final,
        shipment: shipment.clone(),
        tally,
        outcomes,
        receivers,
        worst_news: ReceiptStatus::Ok,
        rest_file,
        now: house.clock.now(),
    };
    let manner = Manner::of(house, shipment);
    let mut sheets = Sheets::begin(house, manner.forms(&account)).await?;
    let written = write_final(house, shipment, &mut sheets).await;
    sheets.seal(house, &account, &manner, written).await
}

/// One walk through groups, findings and items, for all forms at once.
async fn write_final(house: &House, shipment: &Shipment, sheets: &mut Sheets) -> Result<(), StepError> {
    let mut groups = Groups::new(house, shipment);
    while let Some(page) = groups.page().await? {
        sheets.write(house, Page::Groups(page)).await?;
    }
    let mut findings = Findings::new(house, shipment);
    while let Some(mut page) = findings.page().await? {
        page.retain(|finding| finding.item.is_none());
        sheets.write(house, Page::Findings(page)).await?;
    }
    let fates = Fates::of(house, shipment).await?;
    let (mut findings, mut items) = (Findings::new(house, shipment), Items::new(house, shipment, fates.as_ref()));
    while let Some(page) = items.page().await? {
        let page = findings.beside(page, fates.as_ref()).await?;
        sheets.write(house, Page::Items(page)).await?;
    }
    sheets.write(house, Page::End).await
}

/// Places a receipt; gives the room back when it was not taken.
async fn place(
    house: &House,
    shipment: &Shipment,
    kind: ReceiptKind,
    files: Vec<ReceiptFile>,
    news: Vec<News>,
) -> Result<(), StepError> {
    try_place(house, shipment, kind, files, news).await.map(|_is_first| ())
}

/// The same; `false` when the ledger has it already.
async fn try_place(
    house: &House,
    shipment: &Shipment,
    kind: ReceiptKind,
    files: Vec<ReceiptFile>,
    news: Vec<News>,
) -> Result<bool, StepError> {
    let placed = PlacedReceipt { news, ..placed(house, shipment, kind, files) };
    Ok(hand_over(house, &placed).await?.is_placed())
}

/// Gives it to the ledger; gives the room of its files back when that has them already.
async fn hand_over(house: &House, placed: &PlacedReceipt) -> Result<Placing, StepError> {
    let taken = house.ledger.place_receipt(placed).await;
    match taken {
        Ok(Placing::Placed(_)) => measures::receipt(placed.kind),
        Ok(Placing::Outdated) => {}
        Ok(Placing::Known) => {
            for file in &placed.files {
                house.blobs.remove(file.blob).await?;
            }
        }
        Err(_) => take_back(house, &placed.files).await,
    }
    Ok(taken?)
}

/// A receipt to be placed, as far as it consists of files.
fn placed(house: &House, shipment: &Shipment, kind: ReceiptKind, files: Vec<ReceiptFile>) -> PlacedReceipt {
    PlacedReceipt {
        shipment: shipment.id,
        kind,
        partner: shipment.partner.clone(),
        dir: house.routes.receipts_dir(&shipment.partner, &shipment.path.dir),
        files,
        numbers: None,
        news: Vec::new(),
        now: house.clock.now(),
    }
}

/// Removes files the ledger did not take: on a full disk every try would leave some more. Those that it took, though its
/// answer was lost, stay.
async fn take_back(house: &House, files: &[ReceiptFile]) {
    forget_all(house, files.iter().map(|file| file.blob).collect()).await;
}

async fn forget_all(house: &House, blobs: Vec<BlobId>) {
    for blob in blobs {
        forget(house, blob).await;
    }
}

/// Removes a file unless the ledger refers to it.
async fn forget(house: &House, blob: BlobId) {
    let known = house.ledger.referenced(&[blob], &[]).await;
    if known.is_ok_and(|(blobs, _)| blobs.is_empty())
        && let Err(error) = house.blobs.remove(blob).await
    {
        tracing::warn!(%error, %blob, "a receipt's bytes are left until the next start");
    }
}

/// States of items the receiver does not have and should.
const UNDELIVERED: [ItemState; 2] = [ItemState::Refused, ItemState::Failed];
