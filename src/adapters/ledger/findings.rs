//! Findings of a shipment, one by one and in groups.

use sqlx::SqliteConnection;

use crate::model::{Finding, FindingGroup, ShipmentId};
use crate::ports::LedgerError;

use super::rows::{self, int, uuid};
use super::{shipments, sql};

/// Adds findings behind those that are there.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    findings: &[Finding],
) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let last: i64 = sqlx::query_scalar(sql::LAST_FINDING).bind(seq).fetch_one(&mut *connection).await?;
    for (number, finding) in (last + 1..).zip(findings) {
        let place = finding.place.as_ref();
        sqlx::query(sql::ADD_FINDING)
            .bind(seq)
            .bind(number)
            .bind(finding.code.0)
            .bind(place.map(|place| int(place.line)))
            .bind(place.map(|place| int(place.column)))
            .bind(place.map(|place| int(place.offset)))
            .bind(place.map(|place| place.path.as_str()))
            .bind(finding.item.map(int))
            .bind(finding.rule.as_str())
            .bind(finding.text.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Findings in document order, after a given count.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    skip: u64,
    limit: u32,
) -> Result<Vec<Finding>, LedgerError> {
    let query = sqlx::query(sql::FINDINGS).bind(uuid(&id.0)).bind(int(skip)).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(rows::finding).collect()
}

/// Adds groups behind those that are there.
pub(super) async fn add_groups(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    groups: &[FindingGroup],
) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let last: i64 = sqlx::query_scalar(sql::LAST_GROUP).bind(seq).fetch_one(&mut *connection).await?;
    for (number, group) in (last + 1..).zip(groups) {
        sqlx::query(sql::ADD_GROUP)
            .bind(seq)
            .bind(number)
            .bind(group.code.0)
            .bind(group.rule.as_str())
            .bind(group.text.as_str())
            .bind(group.path.as_str())
            .bind(int(group.count))
            .bind(rows::places(&group.places))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Groups in the order of their first findings, after a given count.
pub(super) async fn groups(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    skip: u64,
    limit: u32,
) -> Result<Vec<FindingGroup>, LedgerError> {
    let query = sqlx::query(sql::GROUPS).bind(uuid(&id.0)).bind(int(skip)).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(rows::group).collect()
}
