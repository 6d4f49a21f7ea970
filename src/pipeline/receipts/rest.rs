//! The rest file: the items that certainly had no effect, in the input's envelope.

use std::sync::Arc;

use super::draft::{Draft, Pen};
use super::fates::Fates;
use super::pages::{Attachments, Items};
use super::{Manner, UNDELIVERED, place};
use crate::codes::{self, Effect};
use crate::model::{
    BlobId, Code, Envelope, Fate, Item, ItemState, REST_SUFFIX, ReceiptForm, ReceiptKind, Shipment, Tally, Totals,
    Verdict, VerdictKind,
};
use crate::pipeline::{House, StepError, is_damage};
use crate::ports::{Blob, ReceiptFile};
use crate::split::{Slot, Smaller};

/// Places it, where there is one; returns its name. A shipment refused as a whole is mended as a whole.
pub(super) async fn place_rest(
    house: &House,
    shipment: &Shipment,
    verdict: &Verdict,
    tally: &Tally,
) -> Result<Option<String>, StepError> {
    let Some(envelope) = verdict.envelope.as_ref().filter(|_| verdict.kind == VerdictKind::Pass) else {
        return Ok(None);
    };
    // Whom an archive did not reach, the receipt tells; the sender makes one for them.
    if tally.refused + tally.failed == 0 || envelope.archive.is_some() {
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
    let sealed = seal_rest(house, shipment, &mut draft, written.map(|_any| ())).await;
    if sealed.is_err() {
        draft.abandon(house).await;
    }
    let file = sealed?;
    let name = file.name.clone();
    place(house, shipment, ReceiptKind::Rest, vec![file], Vec::new()).await?;
    Ok(Some(name))
}

async fn seal_rest(
    house: &House,
    shipment: &Shipment,
    draft: &mut Draft,
    written: Result<(), StepError>,
) -> Result<ReceiptFile, StepError> {
    written?;
    let (name, blob) = (Manner::of(house, shipment).name(shipment, ReceiptKind::Rest, "xml"), BlobId::new());
    let (size_bytes, sha256) = draft.seal(house, blob).await?;
    Ok(ReceiptFile { form: ReceiptForm::Document, name, blob, size_bytes, sha256 })
}

/// Writes the rest file; `false` when nothing belongs in it.
async fn write_rest(
    house: &House,
    shipment: &Shipment,
    envelope: &Envelope,
    draft: &mut Draft,
) -> Result<bool, StepError> {
    let blob = house.blobs.open(shipment.blob).await?;
    let fates = Fates::of(house, shipment).await?;
    let undelivered = || Items::new(house, shipment, fates.as_ref()).in_states(&UNDELIVERED);
    let totals = if envelope.counts.is_empty() { Totals::default() } else { rest_totals(undelivered()).await? };
    let mut rest = Smaller::for_sender(Arc::clone(&blob), Arc::new(envelope.clone()), REST_SUFFIX, totals);
    let mut items = undelivered();
    let mut any = false;
    while let Some(mut page) = items.page().await? {
        page.retain(may_be_dropped_again);
        any |= !page.is_empty();
        let from = Arc::clone(&blob);
        let add = move |pen: &mut Pen| {
            for item in &page {
                let pieces = rest.item(Slot::of(&item.found))?;
                pen.copy(from.as_ref(), pieces)?;
            }
            Ok(rest)
        };
        rest = draft.write(house, add).await?;
    }
    if envelope.tail.is_some() {
        rest = write_attachments((house, shipment, undelivered()), &blob, rest, draft).await?;
    }
    draft.write(house, move |pen| pen.copy(blob.as_ref(), rest.finish())).await?;
    Ok(any)
}

/// What the rest file's control counts say.
async fn rest_totals(mut items: Items<'_>) -> Result<Totals, StepError> {
    let mut totals = Totals::default();
    while let Some(page) = items.page().await? {
        page.iter().filter(|item| may_be_dropped_again(item)).for_each(|item| totals.add(&item.found));
    }
    Ok(totals)
}

/// Writes the attachments that stand behind all items, of those that the rest file has.
async fn write_attachments(
    (house, shipment, mut items): (&House, &Shipment, Items<'_>),
    blob: &Arc<dyn Blob>,
    mut rest: Smaller,
    draft: &mut Draft,
) -> Result<Smaller, StepError> {
    while let Some(page) = items.page().await? {
        for item in page.iter().filter(|item| may_be_dropped_again(item)) {
            let mut attachments = Attachments::new(house, shipment, &item.found.senders_reference);
            while let Some(page) = attachments.page().await? {
                let from = Arc::clone(blob);
                let add = move |pen: &mut Pen| {
                    for attachment in page {
                        let pieces = rest.attachment(attachment.range, None)?;
                        pen.copy(from.as_ref(), pieces)?;
                    }
                    Ok(rest)
                };
                rest = draft.write(house, add).await?;
            }
        }
    }
    Ok(rest)
}

/// Items whose effect is unknown, or that one of several receivers has, are not offered again: dropping them could make it
/// happen twice.
fn may_be_dropped_again(item: &Item) -> bool {
    if item.fates.is_empty() {
        return has_no_effect(item.state, item.code, item.is_doubtful);
    }
    let surely_failed =
        |fate: &Fate| fate.state == ItemState::Failed && has_no_effect(fate.state, fate.code, fate.is_doubtful);
    item.fates.iter().all(surely_failed)
}

fn has_no_effect(state: ItemState, code: Option<Code>, is_doubtful: bool) -> bool {
    match code {
        Some(code) if code == codes::REPEATED_ITEM => false,
        Some(code) if state == ItemState::Failed => !is_doubtful && codes::effect(code) == Effect::Nothing,
        Some(_) | None => !is_doubtful,
    }
}
