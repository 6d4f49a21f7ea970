//! Writes the answers to the sender: rendered into a scratch file, sealed, then placed in one transaction.

mod draft;
mod pages;

use std::sync::Arc;

use draft::{Draft, Pen};
use pages::{Findings, Items};

use super::{House, StepError, is_damage};
use crate::codes;
use crate::model::{
    BlobId, Envelope, Item, ItemState, ReceiptKind, ReceiptStatus, Shipment, Tally, Totals, Verdict, VerdictKind,
};
use crate::ports::PlacedReceipt;
use crate::receipt::{self, Final};
use crate::split::Smaller;

/// Places the accepted receipt, once.
pub(super) async fn place_accepted(house: &House, shipment: &Shipment) -> Result<(), StepError> {
    if house.ledger.has_receipt(shipment.id, ReceiptKind::Accepted).await? {
        return Ok(());
    }
    let mut draft = Draft::begin(house).await?;
    let rendered = receipt::accepted(shipment, house.clock.now());
    let add = move |pen: &mut Pen| {
        pen.out = rendered;
        Ok(())
    };
    let written = draft.write(house, add).await;
    place(house, shipment, ReceiptKind::Accepted, draft, written).await
}

/// Places the rest file, where there is one, and then the final receipt, which ends the shipment.
pub(super) async fn place_answers(house: &House, shipment: &Shipment, verdict: &Verdict) -> Result<(), StepError> {
    let tally = house.ledger.tally(shipment.id).await?;
    let rest = place_rest(house, shipment, verdict, &tally).await?;
    place_final(house, shipment, &tally, rest.as_deref()).await?;
    tracing::info!(
        shipment = %shipment.id, partner = %shipment.partner, delivered = tally.delivered, refused = tally.refused,
        ignored = tally.ignored, failed = tally.failed, "receipted"
    );
    Ok(())
}

async fn place_final(house: &House, shipment: &Shipment, tally: &Tally, rest: Option<&str>) -> Result<(), StepError> {
    let worst = worst_status(house, shipment).await?;
    let mut draft = Draft::begin(house).await?;
    let written = write_final(house, shipment, (tally, worst), rest, &mut draft).await;
    place(house, shipment, ReceiptKind::Final, draft, written).await
}

async fn write_final(
    house: &House,
    shipment: &Shipment,
    (tally, worst): (&Tally, ReceiptStatus),
    rest: Option<&str>,
    draft: &mut Draft,
) -> Result<(), StepError> {
    let (about, tally, now) = (shipment.clone(), *tally, house.clock.now());
    let mut writer = draft.write(house, move |pen| Ok(Final::begin(&about, &tally, worst, now, &mut pen.out))).await?;
    let mut findings = Findings::new(house, shipment);
    while let Some(page) = findings.page().await? {
        let add = move |pen: &mut Pen| {
            for finding in page.iter().filter(|finding| finding.item.is_none()) {
                writer.finding(finding, &mut pen.out);
            }
            pen.turn().map(|()| writer)
        };
        writer = draft.write(house, add).await?;
    }
    let (mut findings, mut items) = (Findings::new(house, shipment), Items::new(house, shipment, &[]));
    while let Some(page) = items.page().await? {
        let page = findings.beside(page).await?;
        let add = move |pen: &mut Pen| {
            for (item, own) in &page {
                writer.item(item, own, &mut pen.out);
                pen.turn()?;
            }
            Ok(writer)
        };
        writer = draft.write(house, add).await?;
    }
    let rest = rest.map(str::to_owned);
    let end = move |pen: &mut Pen| {
        writer.finish(rest.as_deref(), &mut pen.out);
        Ok(())
    };
    draft.write(house, end).await
}

async fn worst_status(house: &House, shipment: &Shipment) -> Result<ReceiptStatus, StepError> {
    let mut worst = ReceiptStatus::Ok;
    let mut items = Items::new(house, shipment, &UNDELIVERED);
    while let Some(page) = items.page().await? {
        worst = page.iter().map(receipt::item_status).fold(worst, receipt::worse);
    }
    Ok(worst)
}

/// The items that certainly had no effect, in the input's envelope. A shipment refused as a whole is mended as a whole.
async fn place_rest(
    house: &House,
    shipment: &Shipment,
    verdict: &Verdict,
    tally: &Tally,
) -> Result<Option<String>, StepError> {
    let Some(envelope) = verdict.envelope.as_ref().filter(|_| verdict.kind == VerdictKind::Pass) else {
        return Ok(None);
    };
    if tally.refused + tally.failed == 0 {
        return Ok(None);
    }
    let mut draft = Draft::begin(house).await?;
    let written = write_rest(house, shipment, envelope, &mut draft).await;
    match &written {
        Ok(true) => {}
        Ok(false) => {
            draft.abandon(house).await;
            return Ok(None);
        }
        // The final receipt comes without a rest file then: the sender has the batch, and is told what failed.
        Err(StepError::Storage(error)) if is_damage(error) => {
            tracing::error!(shipment = %shipment.id, %error, "no rest file can be cut from the staged copy");
            draft.abandon(house).await;
            return Ok(None);
        }
        Err(_) => {}
    }
    place(house, shipment, ReceiptKind::Rest, draft, written.map(|_any| ())).await?;
    Ok(Some(ReceiptKind::Rest.file_name(&shipment.path.name, shipment.id)))
}

/// Writes the rest file; `false` when nothing belongs in it.
async fn write_rest(
    house: &House,
    shipment: &Shipment,
    envelope: &Envelope,
    draft: &mut Draft,
) -> Result<bool, StepError> {
    let blob = house.blobs.open(shipment.blob).await?;
    let totals = rest_totals(house, shipment, envelope).await?;
    let mut rest = Smaller::new(Arc::clone(&blob), envelope.clone(), REST_SUFFIX, totals);
    let mut items = Items::new(house, shipment, &UNDELIVERED);
    let mut any = false;
    while let Some(mut page) = items.page().await? {
        page.retain(may_be_dropped_again);
        any |= !page.is_empty();
        let from = Arc::clone(&blob);
        let add = move |pen: &mut Pen| {
            for item in &page {
                let pieces = rest.item(&item.found)?;
                pen.copy(from.as_ref(), pieces)?;
            }
            Ok(rest)
        };
        rest = draft.write(house, add).await?;
    }
    if envelope.tail.is_some() {
        rest = write_rest_attachments(house, shipment, rest, draft).await?;
    }
    draft.write(house, move |pen| pen.copy(blob.as_ref(), rest.finish())).await?;
    Ok(any)
}

/// What the rest file's control counts say.
async fn rest_totals(house: &House, shipment: &Shipment, envelope: &Envelope) -> Result<Totals, StepError> {
    let mut totals = Totals::default();
    if envelope.counts.is_empty() {
        return Ok(totals);
    }
    let mut items = Items::new(house, shipment, &UNDELIVERED);
    while let Some(page) = items.page().await? {
        page.iter().filter(|item| may_be_dropped_again(item)).for_each(|item| totals.add(&item.found));
    }
    Ok(totals)
}

/// The attachments that stand behind all items, of those that the rest file has.
async fn write_rest_attachments(
    house: &House,
    shipment: &Shipment,
    mut rest: Smaller,
    draft: &mut Draft,
) -> Result<Smaller, StepError> {
    let blob = house.blobs.open(shipment.blob).await?;
    let mut items = Items::new(house, shipment, &UNDELIVERED);
    while let Some(page) = items.page().await? {
        for item in page.iter().filter(|item| may_be_dropped_again(item)) {
            let reference = &item.found.senders_reference;
            let attachments = house.ledger.attachments_of(shipment.id, reference, MOST_ATTACHMENTS).await?;
            let from = Arc::clone(&blob);
            let add = move |pen: &mut Pen| {
                for attachment in attachments {
                    let pieces = rest.attachment(attachment.range)?;
                    pen.copy(from.as_ref(), pieces)?;
                }
                Ok(rest)
            };
            rest = draft.write(house, add).await?;
        }
    }
    Ok(rest)
}

/// Items whose effect is unknown are not offered again: dropping them could make it happen twice.
fn may_be_dropped_again(item: &Item) -> bool {
    match item.code {
        Some(code) if code == codes::REPEATED_ITEM => false,
        Some(code) if item.state == ItemState::Failed => {
            codes::status(code) != ReceiptStatus::UnExpectedError || code == codes::UNREACHABLE
        }
        Some(_) | None => true,
    }
}

/// Seals what was written and places it; gives the room back when it was not.
async fn place(
    house: &House,
    shipment: &Shipment,
    kind: ReceiptKind,
    mut draft: Draft,
    written: Result<(), StepError>,
) -> Result<(), StepError> {
    let blob = BlobId::new();
    let sealed = match written {
        Ok(()) => draft.seal(house, blob).await,
        Err(error) => Err(error),
    };
    let size_bytes = match sealed {
        Ok(size_bytes) => size_bytes,
        Err(error) => {
            draft.abandon(house).await;
            return Err(error);
        }
    };
    let placed = PlacedReceipt {
        shipment: shipment.id,
        kind,
        partner: shipment.partner.clone(),
        dir: house.routes.receipts_dir(&shipment.partner, &shipment.path.dir),
        name: kind.file_name(&shipment.path.name, shipment.id),
        blob,
        size_bytes,
        now: house.clock.now(),
    };
    match house.ledger.place_receipt(&placed).await {
        Ok(true) => Ok(()),
        Ok(false) => Ok(house.blobs.remove(blob).await?),
        Err(error) => {
            take_back(house, blob).await;
            Err(error.into())
        }
    }
}

/// Removes a receipt the ledger did not take: on a full disk every try would leave one more. One that it took, though
/// its answer was lost, stays.
async fn take_back(house: &House, blob: BlobId) {
    let known = house.ledger.referenced(&[blob], &[]).await;
    if known.is_ok_and(|(blobs, _)| blobs.is_empty())
        && let Err(error) = house.blobs.remove(blob).await
    {
        tracing::warn!(%error, %blob, "a receipt's bytes are left until the next start");
    }
}

/// States of items the receiver does not have and should.
const UNDELIVERED: [ItemState; 2] = [ItemState::Refused, ItemState::Failed];

/// Attachments of one item that are carried along.
const MOST_ATTACHMENTS: u32 = 10_000;

/// Appended to the references of a rest file, so that it is not taken for the same shipment.
const REST_SUFFIX: &str = "-R1";
