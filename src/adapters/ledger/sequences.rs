//! Sequence numbers: which are taken, and which shipments wait for one.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::model::{PartnerId, ShipmentId};
use crate::ports::{LedgerError, NextNumber, SequenceStand, SequenceUse};

use super::rows::{self, int, to_count, uuid};
use super::{shipments, sql};

/// The next number of each of a partner's scopes.
pub(super) async fn next(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
) -> Result<Vec<NextNumber>, LedgerError> {
    let query = sqlx::query(sql::NEXT_NUMBERS).bind(partner.as_str()).bind(SCOPES);
    let rows = query.fetch_all(connection).await?;
    let next = |row| Ok(NextNumber { scope: rows::cell(row, "scope")?, number: rows::count(row, "last")? + 1 });
    rows.iter().map(next).collect()
}

/// How a shipment's number stands to those that are taken.
pub(super) async fn stand(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    wanted: &SequenceUse,
) -> Result<SequenceStand, LedgerError> {
    let shipment = shipments::shipment(connection, id).await?.ok_or_else(|| shipments::unknown(id))?;
    compare(connection, id, &shipment.partner, wanted).await
}

async fn compare(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    partner: &PartnerId,
    wanted: &SequenceUse,
) -> Result<SequenceStand, LedgerError> {
    let query = sqlx::query_scalar::<_, Option<i64>>(sql::LAST_NUMBER);
    let last = query.bind(partner.as_str()).bind(wanted.scope.as_str()).fetch_one(&mut *connection).await?;
    let Some(expected) = last.map(|last| to_count(last).map(|last| last + 1)).transpose()? else {
        return Ok(SequenceStand::Next);
    };
    if wanted.number >= expected {
        let next = wanted.number == expected;
        return Ok(if next { SequenceStand::Next } else { SequenceStand::Gap { expected } });
    }
    let holder = holder(connection, partner, wanted).await?;
    Ok(match holder.is_some_and(|holder| holder != id) {
        true => SequenceStand::Repeated { expected },
        false => SequenceStand::Late { expected },
    })
}

async fn holder(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    wanted: &SequenceUse,
) -> Result<Option<ShipmentId>, LedgerError> {
    let id: Option<Vec<u8>> = sqlx::query_scalar(sql::NUMBER_HOLDER)
        .bind(partner.as_str())
        .bind(wanted.scope.as_str())
        .bind(int(wanted.number))
        .fetch_optional(connection)
        .await?;
    Ok(id.map(rows::to_uuid).transpose()?.map(ShipmentId))
}

/// Takes a number and lets those go on that waited for it.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    wanted: &SequenceUse,
    seq: i64,
) -> Result<(), LedgerError> {
    let (partner, scope) = (partner.as_str(), wanted.scope.as_str());
    let query = sqlx::query(sql::TAKE_NUMBER).bind(partner).bind(scope).bind(int(wanted.number)).bind(seq);
    query.execute(&mut *connection).await?;
    sqlx::query(sql::WAKE_NEXT).bind(partner).bind(scope).bind(int(wanted.number)).execute(connection).await?;
    Ok(())
}

/// Tells whether another shipment has the number.
pub(super) async fn is_taken(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    partner: &PartnerId,
    wanted: &SequenceUse,
) -> Result<bool, LedgerError> {
    Ok(holder(connection, partner, wanted).await?.is_some_and(|holder| holder != id))
}

/// Holds a shipment until the number before its own is taken, or the time has come. One that was taken since somebody looked
/// wakes it at once: nobody else will.
pub(super) async fn hold(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    wanted: &SequenceUse,
    until: Timestamp,
) -> Result<(), LedgerError> {
    let shipment = shipments::shipment(connection, id).await?.ok_or_else(|| shipments::unknown(id))?;
    let seq = shipments::seq(connection, id).await?;
    sqlx::query(sql::HOLD)
        .bind(seq)
        .bind(shipment.partner.as_str())
        .bind(wanted.scope.as_str())
        .bind(int(wanted.number))
        .bind(until.as_millisecond())
        .execute(&mut *connection)
        .await?;
    if !matches!(compare(connection, id, &shipment.partner, wanted).await?, SequenceStand::Gap { .. }) {
        sqlx::query(sql::shares::WAKE).bind(uuid(&id.0)).execute(connection).await?;
    }
    Ok(())
}

/// Until when a shipment is held; `None` when it is not, or no longer needs to be.
pub(super) async fn held_until(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    now: Timestamp,
) -> Result<Option<Timestamp>, LedgerError> {
    let row = sqlx::query(sql::WAIT).bind(uuid(&id.0)).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let until = rows::to_time(rows::cell(&row, "until")?)?;
    let wanted =
        SequenceUse { scope: rows::cell(&row, "scope")?, number: rows::count(&row, "number")?, may_repeat: false };
    let stand = stand(connection, id, &wanted).await?;
    Ok((until > now && matches!(stand, SequenceStand::Gap { .. })).then_some(until))
}

/// Forgets that a shipment was held.
pub(super) async fn end_wait(connection: &mut SqliteConnection, id: ShipmentId) -> Result<(), LedgerError> {
    sqlx::query(sql::END_WAIT).bind(uuid(&id.0)).execute(connection).await?;
    Ok(())
}

/// Tells whether a shipment claimed earlier in the same directory is still to be judged.
pub(super) async fn has_earlier(connection: &mut SqliteConnection, id: ShipmentId) -> Result<bool, LedgerError> {
    let found: i64 = sqlx::query_scalar(sql::EARLIER_UNJUDGED).bind(uuid(&id.0)).fetch_one(connection).await?;
    Ok(found != 0)
}

/// Scopes told at once: senders write their names into them, and may have very many.
const SCOPES: i64 = 1_000;
