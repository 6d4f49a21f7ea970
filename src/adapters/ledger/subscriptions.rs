//! Subscriptions: kept, and moved on from turn to turn.

use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::activations::{self, Wanted};
use super::held::{day, tell_all, text};
use super::rows::{self, cell, corrupt, int, period_number, to_period, uuid};
use super::shipments;
use super::sql::held as sql;
use crate::model::{Code, ItemKey, ItemState, LateEvent, PartnerId, Service, ShipmentId};
use crate::ports::{Firing, LedgerError, NewSubscription, Rounds, Subscription, Turn};

/// A subscription as operators see it: without whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSubscription {
    /// The shipment it came in.
    pub shipment: ShipmentId,
    /// Which item of it.
    pub item: u64,
    /// Whose shipment.
    pub partner: String,
    /// By which route.
    pub route: Option<String>,
    /// For what.
    pub service: Service,
    /// When it comes round.
    pub rounds: Rounds,
    /// Its next turn.
    pub next: Option<Turn>,
    /// In force, replaced or over.
    pub stand: &'static str,
    /// Whether a form set is kept for it.
    pub has_set: bool,
    /// The last day it came round, and what became of that.
    pub last: Option<(Date, ItemState, Option<Code>)>,
}

pub(super) async fn add(connection: &mut SqliteConnection, new: &NewSubscription) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, new.shipment).await?;
    let (whose, identity, rounds) = (uuid(&new.whose.0.0), uuid(&new.identity.0.0), &new.rounds);
    let query = sqlx::query(sql::SUBSCRIBE).bind(seq).bind(int(new.item)).bind(whose.clone()).bind(identity.clone());
    let query = query.bind(period_number(rounds.period)).bind(text(rounds.scheduled)).bind(rounds.due.map(text));
    let query = query.bind(rounds.visible.map(text)).bind(rounds.ends.map(text));
    let query = query.bind(i64::from(new.next.map_or(0, |turn| turn.number)));
    let query = query.bind(new.next.map(|turn| text(turn.day))).bind(if new.next.is_some() { IN_FORCE } else { OVER });
    if query.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(());
    }
    let mut replaced = Vec::new();
    for statement in [sql::REPLACE_SUBSCRIPTIONS, sql::SUBSCRIPTION_GIVES_WAY] {
        let query = sqlx::query(statement).bind(seq).bind(whose.clone()).bind(identity.clone()).bind(int(new.item));
        replaced.extend(query.fetch_all(&mut *connection).await?);
    }
    tell_all(connection, &replaced, (LateEvent::Replaced, new.now)).await
}

pub(super) async fn due(
    connection: &mut SqliteConnection,
    today: Date,
    limit: u32,
) -> Result<Vec<Subscription>, LedgerError> {
    let query = sqlx::query(sql::DUE_SUBSCRIPTIONS).bind(text(today)).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(subscription).collect()
}

/// Takes turns, each once, and makes what they ask for.
pub(super) async fn fire(connection: &mut SqliteConnection, firings: &[Firing]) -> Result<(), LedgerError> {
    for firing in firings {
        let query = sqlx::query(sql::TAKE_TURN).bind(uuid(&firing.shipment.0)).bind(int(firing.item));
        let query = query.bind(i64::from(firing.turn.number)).bind(firing.next.map(|next| i64::from(next.number)));
        let query = query.bind(firing.next.map(|next| text(next.day)));
        let Some(taken) = query.fetch_optional(&mut *connection).await? else { continue };
        let own = (cell(&taken, "shipment")?, int(firing.item));
        let query = sqlx::query(sql::NEWEST_SET).bind(cell::<Vec<u8>>(&taken, "whose")?);
        let query = query.bind(cell::<Vec<u8>>(&taken, "identity")?).bind(text(firing.turn.day));
        let set = query.fetch_optional(&mut *connection).await?;
        let place = match set {
            Some(row) => (row.try_get("shipment")?, row.try_get("item")?),
            None => own,
        };
        sqlx::query(sql::USED_BY_TURN).bind(place.0).bind(place.1).execute(&mut *connection).await?;
        let (key, day, occasion, now) = (uuid(&firing.key.0), firing.turn.day, firing.occasion, firing.now);
        activations::add(connection, Wanted { key, place, asked: Some(own), day, occasion, now }).await?;
    }
    Ok(())
}

fn subscription(row: &SqliteRow) -> Result<Subscription, LedgerError> {
    Ok(Subscription {
        shipment: ShipmentId(rows::to_uuid(cell(row, "id")?)?),
        item: rows::count(row, "item")?,
        key: ItemKey(rows::to_uuid(cell(row, "key")?)?),
        rounds: rounds(row)?,
        next: next(row)?,
    })
}

fn rounds(row: &SqliteRow) -> Result<Rounds, LedgerError> {
    Ok(Rounds {
        period: to_period(cell(row, "period")?)?,
        scheduled: day(row, "scheduled")?.ok_or_else(|| corrupt("a day"))?,
        due: day(row, "due")?,
        visible: day(row, "visible")?,
        ends: day(row, "ends")?,
    })
}

fn next(row: &SqliteRow) -> Result<Option<Turn>, LedgerError> {
    let number = rows::small(row, "turn")?;
    Ok(day(row, "next")?.map(|day| Turn { number, day }))
}

/// Subscriptions for the operator, the next to come round first.
pub(super) async fn listed(
    connection: &mut SqliteConnection,
    partner: Option<&PartnerId>,
    (all, limit): (bool, u32),
) -> Result<Vec<ListedSubscription>, LedgerError> {
    let query = sqlx::query(sql::SUBSCRIPTIONS).bind(partner.map(PartnerId::as_str)).bind(all);
    query.bind(i64::from(limit)).fetch_all(connection).await?.iter().map(line).collect()
}

fn line(row: &SqliteRow) -> Result<ListedSubscription, LedgerError> {
    let stand = match cell::<i64>(row, "stand")? {
        IN_FORCE => "in force",
        OVER => "over",
        _ => "replaced",
    };
    let last_state = cell::<Option<i64>>(row, "last_state")?.map(rows::to_state).transpose()?;
    let last_code = cell::<Option<String>>(row, "last_code")?.and_then(|name| crate::codes::by_name(&name));
    Ok(ListedSubscription {
        shipment: ShipmentId(rows::to_uuid(cell(row, "id")?)?),
        item: rows::count(row, "item")?,
        partner: cell(row, "partner")?,
        route: cell(row, "route")?,
        service: Service {
            code: cell::<Option<String>>(row, "service_code")?.unwrap_or_default(),
            edition: cell::<Option<String>>(row, "service_edition")?.unwrap_or_default(),
        },
        rounds: rounds(row)?,
        next: next(row)?,
        stand,
        has_set: cell(row, "has_set")?,
        last: day(row, "last_day")?.zip(last_state).map(|(day, state)| (day, state, last_code)),
    })
}

/// It comes round.
const IN_FORCE: i64 = 0;
/// It has no turn left.
const OVER: i64 = 2;
