//! The steps of deliveries, intent and outcome, many in one statement: a million items take two each.

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use crate::codes;
use crate::model::{Code, ItemState, Outcome, ShipmentId};
use crate::ports::{Intent, LedgerError};

use super::rows::{state_number, to_state};
use super::{rows, sql};

/// What happens to one item.
#[derive(Debug)]
pub(super) enum Step {
    Intend(Intent),
    Conclude { shipment: ShipmentId, number: u64, outcome: Outcome, now: Timestamp },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    Intend,
    Conclude,
}

impl StepKind {
    pub(super) const ALL: [Self; 2] = [Self::Intend, Self::Conclude];

    fn statement(self) -> &'static str {
        match self {
            Self::Intend => sql::INTEND,
            Self::Conclude => sql::CONCLUDE,
        }
    }
}

impl Step {
    pub(super) fn kind(&self) -> StepKind {
        match self {
            Self::Intend(_) => StepKind::Intend,
            Self::Conclude { .. } => StepKind::Conclude,
        }
    }

    fn item(&self) -> (ShipmentId, u64) {
        match self {
            Self::Intend(intent) => (intent.shipment, intent.number),
            Self::Conclude { shipment, number, .. } => (*shipment, *number),
        }
    }

    /// The state it leaves the item in.
    fn state(&self) -> ItemState {
        match self {
            Self::Intend(_) => ItemState::Sending,
            Self::Conclude { outcome, .. } => state_after(outcome),
        }
    }

    /// Its row in the statement's parameter: shipment, number, state, time, code, the receiver's reference, and whether the
    /// item is in doubt from now on, where that changes.
    fn row(&self) -> Value {
        let (shipment, number) = self.item();
        let (at, code, reference): (Timestamp, Option<Code>, &str) = match self {
            Self::Intend(intent) => (intent.now, None, ""),
            Self::Conclude { outcome, now, .. } => {
                let (at, code, reference) = told_of(outcome, *now);
                (at, Some(code), reference)
            }
        };
        let doubt = match self {
            Self::Intend(intent) => Some(intent.is_doubtful),
            Self::Conclude { outcome, .. } => doubt_after(outcome),
        };
        let (shipment, code) = (shipment.0.simple().to_string(), code.map(|code| code.0));
        json!([shipment, number, state_number(self.state()), at.as_millisecond(), code, reference, doubt])
    }
}

/// The state an outcome leaves an item in.
pub(super) fn state_after(outcome: &Outcome) -> ItemState {
    match outcome {
        Outcome::Delivered(_) => ItemState::Delivered,
        Outcome::Retry { .. } | Outcome::Down { .. } => ItemState::Ready,
        Outcome::Unknown { .. } => ItemState::Sending,
        Outcome::Failed(_) | Outcome::NotThere(_) | Outcome::Doubtful(_) => ItemState::Failed,
    }
}

/// Whether what it leaves may have had its effect; `None` when it says nothing of attempts before. What was said to have none
/// by a receiver that is down is believed no more than that.
pub(super) fn doubt_after(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Unknown { .. } | Outcome::Down { .. } | Outcome::Doubtful(_) => Some(true),
        Outcome::NotThere(_) => Some(false),
        Outcome::Delivered(_) | Outcome::Retry { .. } | Outcome::Failed(_) => None,
    }
}

/// What else is kept of an outcome: when to go on, the code, the receiver's reference.
pub(super) fn told_of(outcome: &Outcome, now: Timestamp) -> (Timestamp, Code, &str) {
    match outcome {
        Outcome::Delivered(reference) => (now, codes::DELIVERED, reference),
        Outcome::Retry { code, at } | Outcome::Down { code, at } | Outcome::Unknown { code, at } => (*at, *code, ""),
        Outcome::Failed(code) | Outcome::NotThere(code) | Outcome::Doubtful(code) => (now, *code, ""),
    }
}

/// Takes steps of one kind; returns how many items changed. Fewer than steps means that some must be looked at alone.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    kind: StepKind,
    steps: impl Iterator<Item = &Step> + Send,
) -> Result<u64, LedgerError> {
    let rows = Value::Array(steps.map(Step::row).collect()).to_string();
    let done = sqlx::query(kind.statement()).bind(rows).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Takes one step. An outcome that is already recorded is no error (the call may be repeated); one that contradicts what
/// is settled is, and so is an intent for an item that is not open: sending it again must not happen.
pub(super) async fn take_one(connection: &mut SqliteConnection, step: &Step) -> Result<(), LedgerError> {
    if take(connection, step.kind(), std::iter::once(step)).await? == 1 {
        return Ok(());
    }
    let (shipment, number) = step.item();
    let state: Option<i64> = sqlx::query_scalar(sql::ITEM_STATE)
        .bind(rows::uuid(&shipment.0))
        .bind(rows::int(number))
        .fetch_optional(connection)
        .await?;
    match state.map(to_state).transpose()? {
        Some(state) if step.kind() == StepKind::Conclude && state == step.state() => Ok(()),
        Some(state) => Err(LedgerError::Corrupt(format!("item {number} of {shipment} is already {state:?}"))),
        None => Err(LedgerError::Corrupt(format!("there is no item {number} of {shipment}"))),
    }
}
