//! Brings one shipment as far as it goes now.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::judging::{Outcome, judge};
use super::receipts::{place_accepted, place_answers};
use super::{House, StepError};
use crate::codes;
use crate::forward::{Forwarding, Source, after, forward};
use crate::intake::claim;
use crate::kill_point::kill_point;
use crate::measures;
use crate::model::{ItemState, Shipment, ShipmentId, Stage, Standing, Verdict, VerdictKind};
use crate::ports::LedgerError;

/// Drives a shipment until it is finished, or nothing can be done before the time returned.
pub(super) async fn drive(
    house: &House,
    mut shipment: Shipment,
    stop: &CancellationToken,
) -> Result<Option<Timestamp>, StepError> {
    if shipment.stage == Stage::Claimed {
        place_accepted(house, &shipment).await?;
        let begun = Instant::now();
        let verdict = match judge(house, claim(shipment.clone(), &house.routes)).await? {
            Outcome::Judged(verdict) => *verdict,
            // Looked at from time to time all the same, should the number before it come unnoticed.
            Outcome::Held(until) => return Ok(Some(until.min(after(house.clock.now(), HELD_LOOK)))),
        };
        measures::judged(verdict.route.as_ref(), verdict.kind, begun.elapsed());
        let sends = verdict.kind == VerdictKind::Pass && !shipment.preflight;
        shipment.verdict = Some(verdict);
        shipment.stage = Stage::Judged;
        if sends {
            // Forwarding can take hours; the place for new files is not held meanwhile.
            return Ok(Some(house.clock.now()));
        }
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
    end(house, &shipment, &verdict).await
}

/// Ends what has no open item: a share without a word, a shipment with its answers as soon as its shares have ended, too.
pub(super) async fn end(house: &House, shipment: &Shipment, verdict: &Verdict) -> Result<Option<Timestamp>, StepError> {
    if shipment.share_of.is_some() {
        house.ledger.end_share(shipment.id, house.clock.now()).await?;
        kill_point("share.ended");
        return Ok(None);
    }
    if shipment.receiver.is_some() && house.ledger.open_shares(shipment.id).await? > 0 {
        // The last of them makes it due at once.
        return Ok(Some(after(house.clock.now(), SHARES_LOOK)));
    }
    place_answers(house, shipment, verdict).await?;
    Ok(None)
}

/// Brings a rehearsal to its final receipt at once, for who waits for it; returns the shipment as it ended.
pub async fn rehearse(house: &House, id: ShipmentId) -> Result<Shipment, StepError> {
    let known = async || {
        let shipment = house.ledger.shipment(id).await?;
        shipment.ok_or_else(|| LedgerError::Corrupt(format!("there is no shipment {id}")))
    };
    let shipment = known().await?;
    if shipment.preflight {
        drive(house, shipment, &CancellationToken::new()).await?;
    }
    Ok(known().await?)
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
    fill(house, shipment).await?;
    if house.ledger.next_due(shipment.id).await?.is_none() {
        return Ok(None);
    }
    let orders = house.ledger.orders(shipment.id).await?;
    match orders.standing {
        Standing::Free => {}
        Standing::Held => return Ok(Some(after(house.clock.now(), HELD_LOOK))),
        // What may have been sent is looked up before it is given up.
        Standing::Cancelled => house.ledger.fail_open(shipment.id, ItemState::Ready, codes::CANCELLED).await?,
    }
    let open = verdict.route.as_ref().and_then(|route| house.shut_until(route));
    if let Some(open) = open.filter(|_| orders.standing == Standing::Free) {
        // Looked at from time to time all the same, should the clock be set.
        return Ok(Some(open.min(after(house.clock.now(), SHUT_LOOK))));
    }
    let turn = stop.child_token();
    let forwarding = Forwarding {
        looks_only: orders.standing == Standing::Cancelled,
        begun_at: orders.last_sent_on().unwrap_or_default().max(shipment.claimed_at),
        ..forwarding(house, shipment, verdict, &turn).await?
    };
    take_turn(house, &forwarding).await
}

/// Forwards what is due, for a turn; tells when to come back.
async fn take_turn(house: &House, forwarding: &Forwarding) -> Result<Option<Timestamp>, StepError> {
    let (ledger, id) = (&house.ledger, forwarding.source.shipment);
    let (due_before, begun) = (ledger.next_due(id).await?, house.clock.now());
    let pause = for_a_turn(house.pace.turn, &forwarding.stop, forward(forwarding)).await?;
    let (due, now) = (ledger.next_due(id).await?, house.clock.now());
    if due == due_before && due.is_some_and(|due| due <= begun) && !is_kept(forwarding, begun, pause) {
        // Without an end it would be at it again at once, and for ever.
        return Err(StepError::Stuck);
    }
    Ok(due.map(|due| due.max(pause.unwrap_or(due)).max(now)))
}

/// Tells whether something kept a turn from what is due: its end, or the receiver, be it for a moment.
fn is_kept(forwarding: &Forwarding, begun: Timestamp, pause: Option<Timestamp>) -> bool {
    let patience = &forwarding.patience;
    let was_paused = patience.paused(begun).is_some();
    forwarding.stop.is_cancelled() || was_paused || pause.is_some() || patience.in_trouble_since().is_some()
}

/// Sees to it that a share has its items.
pub(super) async fn fill(house: &House, shipment: &Shipment) -> Result<(), StepError> {
    if shipment.share_of.is_some() {
        house.ledger.fill_share(shipment.id).await?;
        kill_point("share.filled");
    }
    Ok(())
}

/// Works for so long. What is under way then ends well; the rest has its next turn behind the others.
pub(super) async fn for_a_turn<T>(length: Duration, turn: &CancellationToken, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    match tokio::time::timeout(length, &mut work).await {
        Ok(done) => done,
        Err(_elapsed) => {
            turn.cancel();
            work.await
        }
    }
}

/// What it takes to bring a shipment's items to their receiver.
pub(super) async fn forwarding(
    house: &House,
    shipment: &Shipment,
    verdict: &Verdict,
    stop: &CancellationToken,
) -> Result<Forwarding, StepError> {
    let name = verdict.route.clone().ok_or_else(|| StepError::Judging("a passed batch has no route".to_owned()))?;
    let route = house.routes.named(&shipment.partner, &name).ok_or_else(|| StepError::RouteGone(name.clone()))?;
    let destination = house.receivers.get(&name).ok_or_else(|| StepError::RouteGone(name.clone()))?;
    let gone = || StepError::ReceiverGone(name.clone(), shipment.receiver.clone().unwrap_or_default());
    let destination = destination.of(shipment).ok_or_else(gone)?;
    Ok(Forwarding {
        ledger: Arc::clone(&house.ledger),
        receiver: Arc::clone(&destination.receiver),
        receiver_name: destination.name.clone(),
        batches: destination.batches,
        queue: destination.queue.clone(),
        patience: Arc::clone(&destination.patience),
        source: Source {
            shipment: shipment.id,
            whole: shipment.share_of.unwrap_or(shipment.id),
            file_name: shipment.path.name.as_str().into(),
            blob: house.blobs.open(shipment.blob).await?,
            envelope: Arc::new(verdict.envelope.clone().unwrap_or_default()),
            described: route.described.clone(),
            disk: house.disk.clone(),
        },
        cores: house.cores.clone(),
        looks_only: false,
        route,
        clock: Arc::clone(&house.clock),
        begun_at: shipment.claimed_at,
        started: house.started,
        stop: stop.clone(),
    })
}

/// How often a shipment is looked at that waits for its shares, should none of them wake it.
const SHARES_LOOK: Duration = Duration::from_secs(60);

/// How often a shipment is looked at that waits for its route's window.
const SHUT_LOOK: Duration = Duration::from_secs(300);

/// How often a shipment is looked at that waits for another, or for the operator; it costs one read of the ledger.
const HELD_LOOK: Duration = Duration::from_secs(30);
