//! Writes the answers to the sender: rendered into a scratch file, sealed, then placed in one transaction.

use std::sync::Arc;

use super::{House, StepError, is_damage};
use crate::codes;
use crate::model::{
    BlobId, Envelope, Finding, Item, ItemState, ReceiptKind, ReceiptStatus, ScratchId, Shipment, Tally, Verdict,
    VerdictKind,
};
use crate::ports::{Blob, PlacedReceipt, Scratch};
use crate::receipt::{self, Final};
use crate::split::{Piece, Rest};

/// Places the accepted receipt, once.
pub(super) async fn place_accepted(house: &House, shipment: &Shipment) -> Result<(), StepError> {
    if house.ledger.has_receipt(shipment.id, ReceiptKind::Accepted).await? {
        return Ok(());
    }
    let mut page = Page::begin(house).await?;
    page.out = receipt::accepted(shipment, house.clock.now());
    place(house, shipment, ReceiptKind::Accepted, page).await
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
    let mut page = Page::begin(house).await?;
    if let Err(error) = write_final(house, shipment, (tally, worst), rest, &mut page).await {
        page.abandon(house).await;
        return Err(error);
    }
    place(house, shipment, ReceiptKind::Final, page).await
}

async fn write_final(
    house: &House,
    shipment: &Shipment,
    (tally, worst): (&Tally, ReceiptStatus),
    rest: Option<&str>,
    page: &mut Page,
) -> Result<(), StepError> {
    let mut writer = Final::begin(shipment, tally, worst, house.clock.now(), &mut page.out);
    let mut findings = Findings::new(house, shipment);
    while let Some(finding) = findings.next().await? {
        if finding.item.is_none() {
            writer.finding(&finding, &mut page.out);
            page.turn(house).await?;
        }
    }
    let mut findings = Findings::new(house, shipment);
    let mut items = Items::new(house, shipment, &[]);
    while let Some(item) = items.next().await? {
        let own = findings.of_item(item.found.number).await?;
        writer.item(&item, &own, &mut page.out);
        page.turn(house).await?;
    }
    writer.finish(rest, &mut page.out);
    Ok(())
}

async fn worst_status(house: &House, shipment: &Shipment) -> Result<ReceiptStatus, StepError> {
    let mut worst = ReceiptStatus::Ok;
    let mut items = Items::new(house, shipment, &UNDELIVERED);
    while let Some(item) = items.next().await? {
        worst = receipt::worse(worst, receipt::item_status(&item));
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
    let mut page = Page::begin(house).await?;
    let written = write_rest(house, shipment, envelope, &mut page).await;
    if !matches!(written, Ok(true)) {
        page.abandon(house).await;
        return match written {
            // The final receipt comes without a rest file then: the sender has the batch, and is told what failed.
            Err(StepError::Storage(error)) if is_damage(&error) => {
                tracing::error!(shipment = %shipment.id, %error, "no rest file can be cut from the staged copy");
                Ok(None)
            }
            written => written.map(|_empty| None),
        };
    }
    place(house, shipment, ReceiptKind::Rest, page).await?;
    Ok(Some(ReceiptKind::Rest.file_name(&shipment.path.name, shipment.id)))
}

/// Writes the rest file; `false` when nothing belongs in it.
async fn write_rest(
    house: &House,
    shipment: &Shipment,
    envelope: &Envelope,
    page: &mut Page,
) -> Result<bool, StepError> {
    let blob = house.blobs.open(shipment.blob).await?;
    let mut rest = Rest::new(Arc::clone(&blob), envelope.clone(), REST_SUFFIX);
    let mut items = Items::new(house, shipment, &UNDELIVERED);
    let mut any = false;
    while let Some(item) = items.next().await? {
        if !may_be_dropped_again(&item) {
            continue;
        }
        any = true;
        let (back, pieces) = house
            .disk
            .run(move || {
                let pieces = rest.item(&item.found);
                (rest, pieces)
            })
            .await?;
        rest = back;
        page.pieces(house, &blob, pieces?).await?;
    }
    page.pieces(house, &blob, rest.finish()).await?;
    Ok(any)
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

/// Seals what was rendered and places it.
async fn place(house: &House, shipment: &Shipment, kind: ReceiptKind, mut page: Page) -> Result<(), StepError> {
    let blob = BlobId::new();
    if let Err(error) = page.seal(house, blob).await {
        page.abandon(house).await;
        return Err(error);
    }
    let placed = PlacedReceipt {
        shipment: shipment.id,
        kind,
        partner: shipment.partner.clone(),
        dir: house.routes.receipts_dir(&shipment.partner, &shipment.path.dir),
        name: kind.file_name(&shipment.path.name, shipment.id),
        blob,
        size_bytes: page.written,
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

/// A file being rendered: a little of it in memory, the rest in scratch.
struct Page {
    scratch: ScratchId,
    file: Arc<dyn Scratch>,
    written: u64,
    out: Vec<u8>,
}

impl Page {
    async fn begin(house: &House) -> Result<Self, StepError> {
        let scratch = house.blobs.create().await?;
        let file = house.blobs.scratch(scratch).await?;
        Ok(Self { scratch, file, written: 0, out: Vec::new() })
    }

    /// Makes it a blob.
    async fn seal(&mut self, house: &House, blob: BlobId) -> Result<(), StepError> {
        self.flush(house).await?;
        Ok(house.blobs.seal(self.scratch, blob).await?)
    }

    /// Gives its room on the disk back.
    async fn abandon(self, house: &House) {
        if let Err(error) = house.blobs.discard(self.scratch).await {
            tracing::warn!(%error, scratch = %self.scratch, "a scratch file is left until the next start");
        }
    }

    /// Writes out what is held when it has become much.
    async fn turn(&mut self, house: &House) -> Result<(), StepError> {
        if self.out.len() >= PAGE_BYTES { self.flush(house).await } else { Ok(()) }
    }

    async fn flush(&mut self, house: &House) -> Result<(), StepError> {
        let (file, offset, mut out) = (Arc::clone(&self.file), self.written, std::mem::take(&mut self.out));
        self.written += out.len() as u64;
        let (emptied, wrote) = house
            .disk
            .run(move || {
                let wrote = file.write_at(offset, &out);
                out.clear();
                (out, wrote)
            })
            .await?;
        self.out = emptied;
        Ok(wrote?)
    }

    /// Copies pieces of the staged file.
    async fn pieces(&mut self, house: &House, blob: &Arc<dyn Blob>, pieces: Vec<Piece>) -> Result<(), StepError> {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.out.extend_from_slice(text.as_bytes()),
                Piece::Bytes(mut range) => {
                    while !range.is_empty() {
                        let (held, from) = (std::mem::take(&mut self.out), Arc::clone(blob));
                        let (held, left) = house.disk.run(move || read_on(from.as_ref(), range, held)).await??;
                        (self.out, range) = (held, left);
                        self.turn(house).await?;
                    }
                }
            }
        }
        self.turn(house).await
    }
}

/// Appends the front of a range to what is held, and returns what is left of the range.
fn read_on(
    blob: &dyn Blob,
    mut range: crate::model::ByteRange,
    mut held: Vec<u8>,
) -> std::io::Result<(Vec<u8>, crate::model::ByteRange)> {
    let (begin, want) = (held.len(), usize::try_from(range.len()).unwrap_or(PAGE_BYTES).min(PAGE_BYTES));
    held.resize(begin + want, 0);
    let read = blob.read_at(range.start, held.get_mut(begin..).unwrap_or_default())?;
    if read == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    held.truncate(begin + read);
    range.start += read as u64;
    Ok((held, range))
}

/// A shipment's items, page by page.
struct Items<'a> {
    house: &'a House,
    shipment: &'a Shipment,
    states: &'a [ItemState],
    page: std::vec::IntoIter<Item>,
    last: u64,
}

impl<'a> Items<'a> {
    fn new(house: &'a House, shipment: &'a Shipment, states: &'a [ItemState]) -> Self {
        Self { house, shipment, states, page: Vec::new().into_iter(), last: 0 }
    }

    async fn next(&mut self) -> Result<Option<Item>, StepError> {
        if self.page.len() == 0 {
            self.page = self.house.ledger.items(self.shipment.id, self.states, self.last, PAGE_ROWS).await?.into_iter();
        }
        let item = self.page.next();
        self.last = item.as_ref().map_or(self.last, |item| item.found.number);
        Ok(item)
    }
}

/// A shipment's findings in document order, page by page.
struct Findings<'a> {
    house: &'a House,
    shipment: &'a Shipment,
    page: std::iter::Peekable<std::vec::IntoIter<Finding>>,
    seen: u64,
}

impl<'a> Findings<'a> {
    fn new(house: &'a House, shipment: &'a Shipment) -> Self {
        Self { house, shipment, page: Vec::new().into_iter().peekable(), seen: 0 }
    }

    async fn fill(&mut self) -> Result<(), StepError> {
        if self.page.peek().is_none() {
            let page = self.house.ledger.findings(self.shipment.id, self.seen, PAGE_ROWS).await?;
            self.seen += page.len() as u64;
            self.page = page.into_iter().peekable();
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Finding>, StepError> {
        self.fill().await?;
        Ok(self.page.next())
    }

    /// The findings of one item; items must be asked for in order.
    async fn of_item(&mut self, number: u64) -> Result<Vec<Finding>, StepError> {
        let mut own = Vec::new();
        loop {
            self.fill().await?;
            let Some(finding) = self.page.next_if(|finding| finding.item.is_none_or(|item| item <= number)) else {
                return Ok(own);
            };
            if finding.item == Some(number) {
                own.push(finding);
            }
        }
    }
}

/// States of items the receiver does not have and should.
const UNDELIVERED: [ItemState; 2] = [ItemState::Refused, ItemState::Failed];

/// Bytes of a rendering held before they are written out.
const PAGE_BYTES: usize = 64 * 1024;

/// Rows read from the ledger at once.
const PAGE_ROWS: u32 = 512;

/// Appended to the references of a rest file, so that it is not taken for the same shipment.
const REST_SUFFIX: &str = "-R1";
