//! Files that are expected: what is watched, what came, what became of it.

use std::ops::ControlFlow;

use futures::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::rows::{self, cell, corrupt, count, int, stage_number, uuid, verdict_number};
use super::sql::times as sql;
use crate::model::{
    Arrival, FileState, Judged, PartnerId, PastFile, RouteName, Settled, ShipmentId, Stage, VerdictKind, Watch,
};
use crate::ports::LedgerError;

/// A new state of an expectation.
pub(super) struct Change {
    pub(super) name: String,
    pub(super) watch: Watch,
    pub(super) settled: Vec<Settled>,
    pub(super) now: Timestamp,
}

pub(super) async fn watch(connection: &mut SqliteConnection, name: &str) -> Result<Option<Watch>, LedgerError> {
    let row = sqlx::query(sql::WATCH).bind(name).fetch_optional(connection).await?;
    row.map(|row| {
        let standing = cell::<Option<i64>>(&row, "behind_standing")?.map(to_standing).transpose()?;
        let due = cell::<Option<i64>>(&row, "behind_due")?.map(rows::to_time).transpose()?;
        Ok(Watch {
            counts_from: rows::time(&row, "counts_from")?,
            due: rows::time(&row, "due")?,
            behind: standing.zip(due),
        })
    })
    .transpose()
}

pub(super) async fn set_watch(connection: &mut SqliteConnection, change: &Change) -> Result<(), LedgerError> {
    for settled in &change.settled {
        let arrival = settled.arrival.as_ref();
        // What a file holds is not known before it is judged, and says nothing of what is usual.
        let judged = arrival.filter(|arrival| arrival.judged != Judged::Not);
        sqlx::query(sql::ADD_SETTLED)
            .bind(change.name.as_str())
            .bind(settled.due.as_millisecond())
            .bind(standing_number(settled.standing))
            .bind(change.now.as_millisecond())
            .bind(arrival.map(|arrival| uuid(&arrival.shipment.0)))
            .bind(arrival.map(|arrival| arrival.at.as_millisecond()))
            .bind(judged.map(|arrival| int(arrival.size_bytes)))
            .bind(judged.map(|arrival| int(arrival.items)))
            .execute(&mut *connection)
            .await?;
    }
    let Watch { counts_from, due, behind } = change.watch;
    sqlx::query(sql::SET_WATCH)
        .bind(change.name.as_str())
        .bind(counts_from.as_millisecond())
        .bind(due.as_millisecond())
        .bind(behind.map(|(standing, _)| standing_number(standing)))
        .bind(behind.map(|(_, due)| due.as_millisecond()))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn arrivals(
    connection: &mut SqliteConnection,
    (partner, route): (&PartnerId, Option<(&RouteName, &str)>),
    after: Timestamp,
    tell: &mut (dyn FnMut(Arrival) -> ControlFlow<()> + Send),
) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::ARRIVALS).bind(partner.as_str()).bind(after.as_millisecond());
    let query = query.bind(route.map(|(name, _)| name.as_str())).bind(route.map(|(_, dir)| dir));
    // Perhaps all of them, and none is kept: the file that is waited for may be the last of many.
    let mut found = query.fetch(connection);
    while let Some(row) = found.try_next().await? {
        if tell(arrival(&row)?).is_break() {
            break;
        }
    }
    Ok(())
}

pub(super) async fn past_files(
    connection: &mut SqliteConnection,
    name: &str,
    limit: u32,
) -> Result<Vec<PastFile>, LedgerError> {
    let query = sqlx::query(sql::PAST_FILES).bind(name).bind(standing_number(FileState::Arrived)).bind(limit);
    let file = |row: &SqliteRow| Ok(PastFile { size_bytes: count(row, "size_bytes")?, items: count(row, "items")? });
    query.fetch_all(connection).await?.iter().map(file).collect()
}

fn arrival(row: &SqliteRow) -> Result<Arrival, LedgerError> {
    let is_judged = cell::<i64>(row, "stage")? != stage_number(Stage::Claimed);
    let passes = cell::<Option<i64>>(row, "verdict")? == Some(verdict_number(VerdictKind::Pass));
    Ok(Arrival {
        shipment: ShipmentId(rows::to_uuid(cell(row, "id")?)?),
        at: rows::time(row, "claimed_at")?,
        size_bytes: count(row, "size_bytes")?,
        items: if is_judged { count(row, "items")? } else { 0 },
        judged: match (is_judged, passes) {
            (false, _) => Judged::Not,
            (true, true) => Judged::Taken,
            (true, false) => Judged::Refused,
        },
    })
}

fn standing_number(standing: FileState) -> i64 {
    match standing {
        FileState::Waiting => 0,
        FileState::Soon => 1,
        FileState::Late => 2,
        FileState::Missing => 3,
        FileState::Short => 4,
        FileState::Arrived => 5,
        FileState::InHand => 6,
    }
}

fn to_standing(number: i64) -> Result<FileState, LedgerError> {
    use FileState::{Arrived, InHand, Late, Missing, Short, Soon, Waiting};
    let all = [Waiting, InHand, Soon, Late, Missing, Short, Arrived];
    all.into_iter().find(|standing| standing_number(*standing) == number).ok_or_else(|| corrupt("a standing"))
}
