//! Brings one shipment as far as it goes now.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::judging::judge;
use super::receipts::{place_accepted, place_answers};
use super::{House, StepError};
use crate::codes;
use crate::forward::{Forwarding, Source, forward};
use crate::intake::claim;
use crate::model::{Shipment, Stage, Verdict, VerdictKind};

/// Drives a shipment until it is finished, or nothing can be done before the time returned.
pub(super) async fn drive(
    house: &House,
    mut shipment: Shipment,
    stop: &CancellationToken,
) -> Result<Option<Timestamp>, StepError> {
    if shipment.stage == Stage::Claimed {
        place_accepted(house, &shipment).await?;
        let verdict = judge(house, claim(shipment.clone(), &house.routes)).await?;
        shipment.verdict = Some(verdict);
        shipment.stage = Stage::Judged;
    }
    let Some(verdict) = shipment.verdict.clone() else { return Ok(None) };
    if stop.is_cancelled() {
        return Ok(None);
    }
    if let Some(wake) = settle(house, &shipment, &verdict, stop).await? {
        return Ok(Some(wake));
    }
    if stop.is_cancelled() {
        return Ok(None);
    }
    place_answers(house, &shipment, &verdict).await?;
    Ok(None)
}

/// Works on the open items; `None` when there are none left.
async fn settle(
    house: &House,
    shipment: &Shipment,
    verdict: &Verdict,
    stop: &CancellationToken,
) -> Result<Option<Timestamp>, StepError> {
    if verdict.kind == VerdictKind::Refuse {
        return Ok(None);
    }
    if shipment.preflight {
        house.ledger.settle_preflight(shipment.id, codes::PREFLIGHT).await?;
        return Ok(None);
    }
    if house.ledger.next_due(shipment.id).await?.is_none() {
        return Ok(None);
    }
    let forwarding = forwarding(house, shipment, verdict, stop).await?;
    let pause = forward(&forwarding).await?;
    let due = house.ledger.next_due(shipment.id).await?;
    Ok(due.map(|due| due.max(pause.unwrap_or(due))))
}

async fn forwarding(
    house: &House,
    shipment: &Shipment,
    verdict: &Verdict,
    stop: &CancellationToken,
) -> Result<Forwarding, StepError> {
    let name = verdict.route.clone().ok_or_else(|| StepError::Judging("a passed batch has no route".into()))?;
    let route = house.routes.named(&name).ok_or_else(|| StepError::RouteGone(name.clone()))?;
    let destination = house.receivers.get(&name).ok_or(StepError::RouteGone(name))?;
    Ok(Forwarding {
        ledger: Arc::clone(&house.ledger),
        receiver: Arc::clone(&destination.receiver),
        patience: Arc::clone(&destination.patience),
        route,
        source: Source {
            shipment: shipment.id,
            blob: house.blobs.open(shipment.blob).await?,
            envelope: Arc::new(verdict.envelope.clone().unwrap_or_default()),
            disk: house.disk.clone(),
        },
        clock: Arc::clone(&house.clock),
        started: house.started,
        stop: stop.clone(),
    })
}
