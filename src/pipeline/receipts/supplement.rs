//! Supplements: late news of items, after the final receipt.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::fates::Fates;
use super::sheets::{Page, Sheets};
use super::{Manner, try_place};
use crate::codes;
use crate::model::{Item, ItemState, LateEvent, News, ReceiptKind, ReceiptStatus, Shipment, ShipmentId, Stage, Tally};
use crate::pipeline::{House, StepError};
use crate::receipt::{self, Account};

/// Tells the sender late news of items whose final receipt is given, in the next supplement; returns its number.
///
/// Each event of an item is told once, however often it is brought: `None` when all of it was told before.
pub async fn issue_supplement(house: &House, id: ShipmentId, news: &[News]) -> Result<Option<u32>, StepError> {
    let shipment = house.ledger.shipment(id).await?;
    let shipment = match shipment.as_ref().and_then(|shipment| shipment.share_of) {
        Some(whole) => house.ledger.shipment(whole).await?,
        None => shipment,
    };
    let shipment = shipment.filter(|shipment| shipment.stage == Stage::Receipted);
    tell(house, &shipment.ok_or(StepError::NotReceipted(id))?, news).await
}

/// Tells of the items that were sent again on the operator's word and arrived, where they go to several receivers at the
/// last of them.
pub(super) async fn tell_replayed(house: &House, shipment: &Shipment) -> Result<(), StepError> {
    let fates = Fates::of(house, shipment).await?;
    tell_replayed_to(house, shipment, (shipment.id, fates.as_ref())).await?;
    for share in fates.iter().flat_map(Fates::shares) {
        tell_replayed_to(house, shipment, (share.id, fates.as_ref())).await?;
    }
    Ok(())
}

async fn tell_replayed_to(
    house: &House,
    shipment: &Shipment,
    (id, fates): (ShipmentId, Option<&Fates<'_>>),
) -> Result<(), StepError> {
    let mut after = 0;
    loop {
        let page = house.ledger.replayed_items(id, after, REPLAYED_AT_ONCE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.found.number;
        let (event, at) = (LateEvent::Delivered, house.clock.now());
        let mut news = Vec::new();
        for item in page.iter().filter(|item| item.state == ItemState::Delivered) {
            let number = item.found.number;
            if fates.is_none() || arrived(house, shipment.id, (number, fates)).await? {
                news.push(News { item: number, event, at });
            }
        }
        tell(house, shipment, &news).await?;
    }
}

/// Whether every receiver has an item.
async fn arrived(house: &House, id: ShipmentId, (number, fates): (u64, Option<&Fates<'_>>)) -> Result<bool, StepError> {
    Ok(item(house, id, (number, fates)).await?.is_some_and(|item| item.state == ItemState::Delivered))
}

/// Tells what was not told before, in the next supplement; returns its number.
async fn tell(house: &House, shipment: &Shipment, news: &[News]) -> Result<Option<u32>, StepError> {
    let id = shipment.id;
    let fates = Fates::of(house, shipment).await?;
    loop {
        let fresh = fresh(house, (id, fates.as_ref()), news).await?;
        if fresh.is_empty() {
            return Ok(None);
        }
        let number = house.ledger.last_supplement(id).await?.saturating_add(1);
        if write(house, shipment, number, fresh).await? {
            tracing::info!(shipment = %id, partner = %shipment.partner, number, "supplement placed");
            return Ok(Some(number));
        }
        // Another was placed meanwhile: what is left is told under the next number.
    }
}

/// The news that were not told, in order of item, each with its item.
async fn fresh(
    house: &House,
    (id, fates): (ShipmentId, Option<&Fates<'_>>),
    news: &[News],
) -> Result<Vec<(Item, News)>, StepError> {
    let mut first: BTreeMap<(u64, LateEvent, Option<Timestamp>), Timestamp> = BTreeMap::new();
    for one in news {
        first.entry((one.item, one.event, one.event.repeats().then_some(one.at))).or_insert(one.at);
    }
    let all: Vec<News> = first.into_iter().map(|((item, event, _), at)| News { item, event, at }).collect();
    let mut fresh = Vec::new();
    for chunk in all.chunks(NEWS_AT_ONCE) {
        let numbers: Vec<u64> = chunk.iter().map(|one| one.item).collect();
        let told = house.ledger.told(id, &numbers).await?;
        for one in chunk.iter().filter(|one| !told.iter().any(|told| one.is(told))) {
            match item(house, id, (one.item, fates)).await? {
                Some(item) => fresh.push((item, *one)),
                None => tracing::warn!(shipment = %id, item = one.item, "news of an item that is not there"),
            }
        }
    }
    Ok(fresh)
}

async fn item(
    house: &House,
    id: ShipmentId,
    (number, fates): (u64, Option<&Fates<'_>>),
) -> Result<Option<Item>, StepError> {
    let mut page = house.ledger.items(id, &[], number.saturating_sub(1), 1).await?;
    if let Some(fates) = fates {
        fates.join(&mut page).await?;
    }
    Ok(page.into_iter().find(|item| item.found.number == number))
}

/// Writes and places a supplement; `false` when its number or some of its news are taken.
async fn write(house: &House, shipment: &Shipment, number: u32, fresh: Vec<(Item, News)>) -> Result<bool, StepError> {
    let status = |one: &News| codes::status(codes::late(one.event));
    let kind = ReceiptKind::Supplement(number);
    let account = Account {
        kind,
        shipment: shipment.clone(),
        tally: Tally::default(),
        outcomes: Vec::new(),
        receivers: Vec::new(),
        worst_news: fresh.iter().map(|(_, one)| status(one)).fold(ReceiptStatus::Ok, receipt::worse),
        rest_file: None,
        now: house.clock.now(),
    };
    let told: Vec<News> = fresh.iter().map(|(_, one)| *one).collect();
    let manner = Manner::of(house, shipment);
    let mut sheets = Sheets::begin(house, manner.forms(&account)).await?;
    let written = match sheets.write(house, Page::News(fresh)).await {
        Ok(()) => sheets.write(house, Page::End).await,
        Err(error) => Err(error),
    };
    let files = sheets.seal(house, &account, &manner, written).await?;
    try_place(house, shipment, kind, files, told).await
}

/// Items asked about at once.
const NEWS_AT_ONCE: usize = 512;
/// Items sent again that one supplement tells of.
const REPLAYED_AT_ONCE: u32 = 10_000;
