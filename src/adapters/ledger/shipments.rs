//! Shipments: leases, verdicts, references, history.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::codes;
use crate::model::{
    AreaPath, BlobId, PartnerId, RouteName, Shipment, ShipmentId, Stage, Verdict, VerdictKind, WorkerId,
};
use crate::ports::{Counts, Event, LedgerError, RecordedVerdict, ReferenceUse, Taking};

use super::rows::{self, int, part_number, stage_number, to_stage, uuid, verdict_number};
use super::{sequences, shares, sql, takes};

/// A file that becomes a shipment.
pub(super) struct Claim {
    pub(super) id: ShipmentId,
    pub(super) preflight: bool,
    pub(super) partner: PartnerId,
    pub(super) path: AreaPath,
    pub(super) blob: BlobId,
    pub(super) size_bytes: u64,
    pub(super) now: Timestamp,
}

/// The row of a claim and the first line of its history.
pub(super) async fn claim(connection: &mut SqliteConnection, claim: &Claim) -> Result<(), LedgerError> {
    let done = sqlx::query(sql::CLAIM)
        .bind(uuid(&claim.id.0))
        .bind(claim.partner.as_str())
        .bind(claim.path.dir.as_str())
        .bind(claim.path.name.as_str())
        .bind(uuid(&claim.blob.0))
        .bind(int(claim.size_bytes))
        .bind(i64::from(claim.preflight))
        .bind(claim.now.as_millisecond())
        .bind(stage_number(Stage::Claimed))
        .execute(&mut *connection)
        .await?;
    add_event(connection, done.last_insert_rowid(), claim.now, "claimed", claimed_as(claim.preflight)).await
}

/// What a shipment's history says of its claim.
pub(super) fn claimed_as(preflight: bool) -> &'static str {
    if preflight { "rehearsal" } else { "" }
}

pub(super) async fn lease(
    connection: &mut SqliteConnection,
    stage: Stage,
    worker: WorkerId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Shipment>, LedgerError> {
    let row = sqlx::query(sql::LEASE)
        .bind(uuid(&worker.0))
        .bind(now.as_millisecond())
        .bind(until.as_millisecond())
        .bind(stage_number(stage))
        .fetch_optional(connection)
        .await?;
    row.map(|row| rows::shipment(&row)).transpose()
}

pub(super) async fn renew(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    worker: WorkerId,
    until: Timestamp,
) -> Result<bool, LedgerError> {
    let query = sqlx::query(sql::RENEW).bind(uuid(&id.0)).bind(uuid(&worker.0)).bind(until.as_millisecond());
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

pub(super) async fn release(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    worker: WorkerId,
    wake: Timestamp,
) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::RELEASE_LEASE).bind(uuid(&id.0)).bind(uuid(&worker.0)).bind(wake.as_millisecond());
    // None when another worker has taken it over: then it is no longer this one's to give back.
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn release_all(
    connection: &mut SqliteConnection,
    except: Option<WorkerId>,
) -> Result<(), LedgerError> {
    sqlx::query(sql::RELEASE_ALL).bind(except.map(|worker| uuid(&worker.0))).execute(&mut *connection).await?;
    takes::release_all(connection, except).await?;
    Ok(sql::execute(connection, sql::DUE_NOW).await?)
}

pub(super) async fn shipment(
    connection: &mut SqliteConnection,
    id: ShipmentId,
) -> Result<Option<Shipment>, LedgerError> {
    let row = sqlx::query(sql::SHIPMENT).bind(uuid(&id.0)).fetch_optional(connection).await?;
    row.map(|row| rows::shipment(&row)).transpose()
}

/// A verdict with the references it takes.
pub(super) struct Ruling {
    pub(super) id: ShipmentId,
    pub(super) verdict: Verdict,
    pub(super) taking: Taking,
    pub(super) now: Timestamp,
}

/// Records a verdict once: one that stands is left as it is.
pub(super) async fn record_verdict(
    connection: &mut SqliteConnection,
    ruling: Ruling,
) -> Result<RecordedVerdict, LedgerError> {
    let Ruling { id, verdict, taking, now } = ruling;
    let shipment = shipment(connection, id).await?.ok_or_else(|| unknown(id))?;
    if shipment.stage != Stage::Claimed {
        return Ok(RecordedVerdict::Recorded);
    }
    if let Some(taken) = taken_before(connection, &shipment, &taking).await? {
        return Ok(taken);
    }
    let seq = seq(connection, id).await?;
    // What does not go on only looks whether its references are free: it comes again under them, mended or in earnest.
    let goes_on = verdict.kind == VerdictKind::Pass && !shipment.preflight;
    if goes_on && !taking.has_own_keys && takes_over(connection, &shipment, &taking).await? {
        return Ok(RecordedVerdict::ReferenceFreed);
    }
    for reference in taking.references.iter().filter(|_| goes_on) {
        take_reference(connection, &shipment.partner, reference, seq).await?;
    }
    for wanted in taking.numbers.iter().filter(|_| goes_on) {
        sequences::take(connection, &shipment.partner, wanted, seq).await?;
    }
    sequences::end_wait(connection, id).await?;
    write_verdict(connection, id, &verdict).await?;
    if goes_on {
        shares::add(connection, seq, &taking.receivers).await?;
    }
    let code = verdict.code.map_or("", |code| code.0);
    match verdict.kind {
        VerdictKind::Pass => add_event(connection, seq, now, "judged", "passed").await?,
        VerdictKind::Refuse => {
            sqlx::query(sql::REFUSE_READY).bind(seq).bind(codes::SHIPMENT_REFUSED.0).execute(&mut *connection).await?;
            add_event(connection, seq, now, "judged", &format!("refused {code}")).await?;
        }
    }
    Ok(RecordedVerdict::Recorded)
}

/// What of that which a verdict would take is another shipment's.
async fn taken_before(
    connection: &mut SqliteConnection,
    shipment: &Shipment,
    taking: &Taking,
) -> Result<Option<RecordedVerdict>, LedgerError> {
    for reference in &taking.references {
        let holder = holder(connection, &shipment.partner, reference, taking.free_before).await?;
        if holder.is_some_and(|holder| holder != shipment.id) {
            return Ok(Some(RecordedVerdict::ReferenceTaken(reference.clone())));
        }
    }
    for wanted in taking.numbers.iter().filter(|wanted| !wanted.may_repeat) {
        if sequences::is_taken(connection, shipment.id, &shipment.partner, wanted).await? {
            return Ok(Some(RecordedVerdict::NumberTaken(wanted.clone())));
        }
    }
    Ok(None)
}

/// Tells whether another shipment had one of the references that are free now.
async fn takes_over(
    connection: &mut SqliteConnection,
    shipment: &Shipment,
    taking: &Taking,
) -> Result<bool, LedgerError> {
    if taking.free_before.is_none() {
        return Ok(false);
    }
    for reference in &taking.references {
        let holder = holder(connection, &shipment.partner, reference, None).await?;
        if holder.is_some_and(|holder| holder != shipment.id) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn holder(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    reference: &ReferenceUse,
    free_before: Option<Timestamp>,
) -> Result<Option<ShipmentId>, LedgerError> {
    let id: Option<Vec<u8>> = sqlx::query_scalar(sql::REFERENCE_HOLDER)
        .bind(partner.as_str())
        .bind(part_number(reference.part))
        .bind(reference.sender_name.as_str())
        .bind(reference.reference.as_str())
        .bind(free_before.map_or(i64::MIN, Timestamp::as_millisecond))
        .fetch_optional(connection)
        .await?;
    Ok(id.map(rows::to_uuid).transpose()?.map(ShipmentId))
}

async fn take_reference(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    reference: &ReferenceUse,
    seq: i64,
) -> Result<(), LedgerError> {
    sqlx::query(sql::TAKE_REFERENCE)
        .bind(partner.as_str())
        .bind(part_number(reference.part))
        .bind(reference.sender_name.as_str())
        .bind(reference.reference.as_str())
        .bind(seq)
        .execute(connection)
        .await?;
    Ok(())
}

async fn write_verdict(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    verdict: &Verdict,
) -> Result<(), LedgerError> {
    let envelope = verdict.envelope.as_ref().map(serde_json::to_string).transpose();
    sqlx::query(sql::JUDGE)
        .bind(uuid(&id.0))
        .bind(stage_number(Stage::Judged))
        .bind(verdict_number(verdict.kind))
        .bind(verdict.code.map(|code| code.0))
        .bind(verdict.route.as_ref().map(|route| route.as_str()))
        .bind(verdict.sha256.map(|hash| hash.to_vec()))
        .bind(envelope.map_err(|_| rows::corrupt("an envelope"))?)
        .bind(int(verdict.findings_total))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn counts(connection: &mut SqliteConnection) -> Result<Counts, LedgerError> {
    let mut counts = Counts::default();
    for row in sqlx::query(sql::COUNTS).fetch_all(connection).await? {
        let n = rows::count(&row, "n")?;
        match to_stage(rows::cell(&row, "stage")?)? {
            Stage::Claimed => counts.claimed = n,
            Stage::Judged => counts.judged = n,
            Stage::Receipted => counts.receipted = n,
        }
    }
    Ok(counts)
}

pub(super) async fn overdue(
    connection: &mut SqliteConnection,
    claimed_before: Timestamp,
    without: &[RouteName],
    limit: u32,
) -> Result<Vec<Shipment>, LedgerError> {
    let without: serde_json::Value = without.iter().map(RouteName::as_str).collect();
    let query = sqlx::query(sql::OVERDUE).bind(claimed_before.as_millisecond()).bind(without.to_string());
    let query = query.bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(rows::shipment).collect()
}

pub(super) async fn add_event(
    connection: &mut SqliteConnection,
    seq: i64,
    at: Timestamp,
    what: &str,
    detail: &str,
) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::ADD_EVENT).bind(seq).bind(at.as_millisecond()).bind(what).bind(detail);
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn events(connection: &mut SqliteConnection, id: ShipmentId) -> Result<Vec<Event>, LedgerError> {
    let rows = sqlx::query(sql::EVENTS).bind(uuid(&id.0)).fetch_all(connection).await?;
    rows.iter().map(rows::event).collect()
}

pub(super) async fn count_up(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    name: &str,
    by: i64,
) -> Result<i64, LedgerError> {
    let query = sqlx::query_scalar(sql::COUNT_UP).bind(partner.as_str()).bind(name).bind(by);
    Ok(query.fetch_one(connection).await?)
}

/// The inner key of a shipment.
pub(super) async fn seq(connection: &mut SqliteConnection, id: ShipmentId) -> Result<i64, LedgerError> {
    let seq = sqlx::query_scalar(sql::SEQ).bind(uuid(&id.0)).fetch_optional(connection).await?;
    seq.ok_or_else(|| unknown(id))
}

pub(super) fn unknown(id: ShipmentId) -> LedgerError {
    LedgerError::Corrupt(format!("there is no shipment {id}"))
}

/// Those among the ids that the text finds a reference to.
pub(super) async fn referenced(
    connection: &mut SqliteConnection,
    text: &'static str,
    ids: impl Iterator<Item = Uuid> + Send,
) -> Result<Vec<Uuid>, LedgerError> {
    let ids = serde_json::Value::from_iter(ids.map(|id| id.simple().to_string())).to_string();
    let found: Vec<Vec<u8>> = sqlx::query_scalar(text).bind(ids).fetch_all(connection).await?;
    found.into_iter().map(rows::to_uuid).collect()
}
