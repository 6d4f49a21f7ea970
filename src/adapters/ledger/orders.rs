//! Operators' orders: written into the ledger of a file from beside the gateway that works with it.
//!
//! An order is a mark on a shipment and a line of its history, in one transaction. Whoever works on the shipment sees the
//! mark at the shipment's next turn, some seconds later, and acts on it under the lease; so an order never meets an item
//! that is being sent.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::model::{Orders, ShipmentId, Stage, Standing};
use crate::ports::LedgerError;

use super::rows::{standing_number, to_stage, to_standing, uuid};
use super::{rows, shipments, sql};

/// An operator's order about a shipment.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which.
    pub shipment: ShipmentId,
    /// How it is to stand from now on.
    pub standing: Standing,
    /// Who says so, and why.
    pub said: Said,
}

/// Who says so, why, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    pub now: Timestamp,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {}: {}", self.who, self.reason)
    }
}

/// What an order came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordered {
    /// It stands.
    Done,
    /// It stood so before.
    Already,
    /// The shipment is cancelled, which cannot be taken back.
    Cancelled,
    /// It has its final receipt.
    Receipted,
}

/// Gives an order. The ledger must be there and up to date: the gateway has opened it since it was upgraded.
pub async fn order(path: &Path, order: &Order) -> Result<Ordered, LedgerError> {
    let is_done = |ordered: &Ordered| *ordered == Ordered::Done;
    super::change_beside(path, is_done, async |connection| give(connection, order).await).await
}

async fn give(connection: &mut SqliteConnection, order: &Order) -> Result<Ordered, LedgerError> {
    let seq = shipments::seq(connection, order.shipment).await?;
    let Orders { standing, reprint, .. } = of_shipment(connection, order.shipment).await?;
    // One that waits for its receipt to be placed again has come to its end, too.
    if reprint || is_receipted(connection, order.shipment).await? {
        return Ok(Ordered::Receipted);
    }
    if standing == order.standing {
        return Ok(Ordered::Already);
    }
    if standing == Standing::Cancelled {
        return Ok(Ordered::Cancelled);
    }
    let query = sqlx::query(sql::STAND).bind(uuid(&order.shipment.0)).bind(standing_number(order.standing));
    query.execute(&mut *connection).await?;
    let what = match order.standing {
        Standing::Free => "released",
        Standing::Held => "held",
        Standing::Cancelled => "cancelled",
    };
    let detail = order.said.to_string();
    shipments::add_event(connection, seq, order.said.now, what, &detail).await?;
    Ok(Ordered::Done)
}

/// Tells whether a shipment has come to its end.
pub(super) async fn is_receipted(connection: &mut SqliteConnection, id: ShipmentId) -> Result<bool, LedgerError> {
    let stage = sqlx::query_scalar(sql::STAGE).bind(uuid(&id.0)).fetch_one(connection).await?;
    Ok(to_stage(stage)? == Stage::Receipted)
}

/// What was said of a shipment.
pub(super) async fn of_shipment(connection: &mut SqliteConnection, id: ShipmentId) -> Result<Orders, LedgerError> {
    let row = sqlx::query(sql::ORDERS).bind(uuid(&id.0)).fetch_optional(connection).await?;
    let row = row.ok_or_else(|| shipments::unknown(id))?;
    let time = |column| rows::cell::<Option<i64>>(&row, column)?.map(rows::to_time).transpose();
    Ok(Orders {
        standing: to_standing(rows::cell(&row, "standing")?)?,
        replayed_at: time("replayed_at")?,
        released_at: time("released_at")?,
        reprint: rows::cell::<i64>(&row, "reprint")? != 0,
    })
}
