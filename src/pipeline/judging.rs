//! Has a batch judged, and decides on it by what the route says and the ledger remembers.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::ahead::finish;
use super::reading::read;
use super::sequence::{Turn, turn};
use super::{Destination, House, StepError};
use crate::codes;
use crate::intake::Claim;
use crate::kill_point::kill_point;
use crate::model::{
    Code, Envelope, Finding, FindingGroup, NewAttachment, PartKind, Place, Route, Shipment, Standing, Strictness,
    Verdict, VerdictKind,
};
use crate::ports::{LedgerError, RecordedVerdict, SequenceUse, Taking};
use crate::staging::{Staging, stage};
use crate::validate::Judgement;

/// What judging a claim came to.
pub(super) enum Outcome {
    /// A verdict is recorded.
    Judged(Box<Verdict>),
    /// It is not the batch's turn; to be judged again then, or earlier.
    Held(Timestamp),
}

impl Outcome {
    fn judged(verdict: Verdict) -> Self {
        Self::Judged(Box::new(verdict))
    }
}

/// Judges a claim and records the verdict.
pub(super) async fn judge(house: &House, claim: Claim) -> Result<Outcome, StepError> {
    let shipment = claim.shipment().clone();
    // What is cancelled waits for no number.
    let is_cancelled = house.ledger.orders(shipment.id).await?.standing == Standing::Cancelled;
    let held = if is_cancelled { None } else { house.ledger.held_until(shipment.id, house.clock.now()).await? };
    if let Some(until) = held {
        return Ok(Outcome::Held(until));
    }
    house.ledger.restart_judging(shipment.id).await?;
    if is_cancelled {
        let finding = Finding::whole(codes::CANCELLED, "cancelled before it was judged");
        return refuse_unread(house, &shipment, finding).await.map(Outcome::judged);
    }
    if let Some(code) = house.sources.foreseen(shipment.id).await? {
        let finding = Finding::whole(code, "by the checksum file that lay beside it");
        return refuse_unread(house, &shipment, finding).await.map(Outcome::judged);
    }
    let routes = claim.routes().to_vec();
    match stage(claim, house.blobs.as_ref()).await {
        Ok(Staging::Refused(finding)) => refuse_unread(house, &shipment, finding).await.map(Outcome::judged),
        Ok(Staging::Staged(staged)) => {
            let judged = match finish(house, &shipment).await {
                Ok(Some(judgement)) => Ok(judgement),
                Ok(None) => read(house, Arc::from(staged)).await,
                Err(error) => Err(error),
            };
            match judged {
                Ok(judgement) => decide(house, &shipment, &routes, judgement).await,
                Err(error) => give_up_sometime(house, &shipment, error).await.map(Outcome::judged),
            }
        }
        // A copy that is gone does not come back; other troubles of opening it pass.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            give_up_sometime(house, &shipment, error.into()).await.map(Outcome::judged)
        }
        Err(error) => Err(error.into()),
    }
}

/// Weighs what was found against the route's rules and the ledger's memory.
async fn decide(
    house: &House,
    shipment: &Shipment,
    routes: &[Arc<Route>],
    judgement: Judgement,
) -> Result<Outcome, StepError> {
    for groups in judgement.groups.chunks(GROUPS_AT_ONCE) {
        house.ledger.add_finding_groups(shipment.id, groups.to_vec()).await?;
    }
    house.ledger.refuse_repeats(shipment.id, codes::REPEATED_ITEM).await?;
    let (mut refusal, mut findings_total) = (judgement.refusal, judgement.findings_total);
    let route = routes.iter().find(|route| Some(&route.name) == judgement.route.as_ref());
    let mut taking = Taking::default();
    if let (None, Some(route)) = (refusal, route) {
        let weighed = match weigh(house, shipment, route, &judgement).await? {
            Ok(weighed) => weighed,
            Err(until) => return Ok(Outcome::Held(until)),
        };
        findings_total += weighed.findings.len() as u64;
        for finding in weighed.findings {
            note(house, shipment, finding).await?;
        }
        (refusal, taking.numbers) = (weighed.refusal, weighed.numbers);
        taking.receivers = house.receivers.get(&route.name).map(Destination::names).unwrap_or_default();
        taking.free_before = route.rules.reference_days.map(|days| days_before(house.clock.now(), days));
    }
    let verdict = Verdict {
        kind: if refusal.is_some() { VerdictKind::Refuse } else { VerdictKind::Pass },
        code: refusal,
        route: judgement.route,
        sha256: judgement.sha256,
        envelope: judgement.envelope,
        findings_total,
    };
    // A batch with a fault of its own is told that fault: what its reference was used for matters once it is mended.
    if refusal.is_none() {
        taking.references = judgement.references;
    }
    record(house, shipment, verdict, taking).await.map(Outcome::judged)
}

/// What the route says of a batch that is sound as a whole.
struct Weighed {
    refusal: Option<Code>,
    findings: Vec<Finding>,
    numbers: Vec<SequenceUse>,
}

/// Weighs a batch by what the route allows; or tells until when it is held.
async fn weigh(
    house: &House,
    shipment: &Shipment,
    route: &Route,
    judgement: &Judgement,
) -> Result<Result<Weighed, Timestamp>, StepError> {
    let refused = |finding: Finding| {
        Ok(Ok(Weighed { refusal: Some(finding.code), findings: vec![finding], numbers: Vec::new() }))
    };
    let tally = house.ledger.tally(shipment.id).await?;
    if !route.partial.allows(tally.refused, tally.total()) {
        let text = format!("{} of {} items are refused, more than the route allows", tally.refused, tally.total());
        return refused(Finding::whole(codes::TOO_MANY_REFUSED, text));
    }
    let (Some(format), Some(envelope)) = (judgement.format, &judgement.envelope) else {
        return Ok(Ok(Weighed { refusal: None, findings: Vec::new(), numbers: Vec::new() }));
    };
    let mut findings = loose_attachments(house, shipment, route, envelope).await?;
    if let (Strictness::Refuse, Some(first)) = (route.rules.attachments, findings.first()) {
        return Ok(Ok(Weighed { refusal: Some(first.code), findings, numbers: Vec::new() }));
    }
    match turn(house, shipment, route, format, envelope).await? {
        Turn::Refused(finding) => refused(finding),
        Turn::Waits(until) => Ok(Err(until)),
        Turn::Comes(numbers, told) => {
            findings.extend(told);
            Ok(Ok(Weighed { refusal: None, findings, numbers }))
        }
    }
}

/// Attachments behind all items that belong to none of them.
async fn loose_attachments(
    house: &House,
    shipment: &Shipment,
    route: &Route,
    envelope: &Envelope,
) -> Result<Vec<Finding>, StepError> {
    if envelope.tail.is_none() || route.rules.attachments == Strictness::Off {
        return Ok(Vec::new());
    }
    let loose = house.ledger.loose_attachments(shipment.id, LOOSE_TOLD).await?;
    let told = loose.into_iter().map(|attachment| {
        let NewAttachment { range, line, column, .. } = attachment;
        let place =
            Some(Place { line, column, offset: range.start, path: "/DataBatch/Attachments/Attachment".to_owned() });
        Finding { place, ..Finding::whole(codes::LOOSE_ATTACHMENT, "no item has its archiveReference") }
    });
    Ok(told.collect())
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let hours = jiff::SignedDuration::from_hours(i64::from(days) * 24);
    now.checked_sub(hours).unwrap_or(Timestamp::MIN)
}

async fn record(
    house: &House,
    shipment: &Shipment,
    mut verdict: Verdict,
    taking: Taking,
) -> Result<Verdict, StepError> {
    let now = house.clock.now();
    let refusal = match rule(house, shipment, &verdict, taking).await? {
        RecordedVerdict::Recorded => None,
        RecordedVerdict::ReferenceFreed => {
            return Err(StepError::Judging("a reference is free, and its taker has keys of its own".to_owned()));
        }
        RecordedVerdict::ReferenceTaken(taken) => {
            let text = match taken.part {
                PartKind::Batch => "the shipment's reference was used before".to_owned(),
                part @ (PartKind::Prefill | PartKind::Subscription) => {
                    format!("the {} part's ExternalShipmentReference was used before", part.as_str())
                }
            };
            Some(Finding::whole(codes::REPEATED_SHIPMENT, text))
        }
        RecordedVerdict::NumberTaken(taken) => {
            let text = format!("the number {} was taken while the batch was judged", taken.number);
            Some(Finding::whole(codes::SEQUENCE_REPEATED, text))
        }
    };
    if let Some(finding) = refusal {
        verdict.kind = VerdictKind::Refuse;
        verdict.code = Some(finding.code);
        verdict.findings_total += 1;
        note(house, shipment, finding).await?;
        house.ledger.record_verdict(shipment.id, &verdict, &Taking::default(), now).await?;
    }
    let tally = house.ledger.tally(shipment.id).await?;
    tracing::info!(
        shipment = %shipment.id, partner = %shipment.partner, verdict = ?verdict.kind,
        code = verdict.code.map(|code| code.0), items = tally.total(), refused = tally.refused, "judged"
    );
    Ok(verdict)
}

/// Records a verdict; the items of one that takes over another shipment's reference first get keys of their own.
async fn rule(
    house: &House,
    shipment: &Shipment,
    verdict: &Verdict,
    taking: Taking,
) -> Result<RecordedVerdict, StepError> {
    let (ledger, now) = (&house.ledger, house.clock.now());
    let recorded = ledger.record_verdict(shipment.id, verdict, &taking, now).await?;
    if recorded != RecordedVerdict::ReferenceFreed {
        return Ok(recorded);
    }
    // Cut off here, judging begins anew, with the items as they are found.
    ledger.own_keys(shipment.id).await?;
    kill_point("judge.own_keys");
    let taking = Taking { has_own_keys: true, ..taking };
    Ok(ledger.record_verdict(shipment.id, verdict, &taking, now).await?)
}

async fn refuse_unread(house: &House, shipment: &Shipment, finding: Finding) -> Result<Verdict, StepError> {
    let verdict = Verdict {
        kind: VerdictKind::Refuse,
        code: Some(finding.code),
        route: None,
        sha256: None,
        envelope: None,
        findings_total: 1,
    };
    note(house, shipment, finding).await?;
    record(house, shipment, verdict, Taking::default()).await
}

/// A batch that cannot be judged is tried again some times, then refused: also such a file gets its receipt.
async fn give_up_sometime(house: &House, shipment: &Shipment, error: StepError) -> Result<Verdict, StepError> {
    if matches!(error, StepError::Ledger(LedgerError::Unavailable(_))) {
        // A full disk, say: that what was found could not be kept is not the batch's fault, and passes.
        return Err(error);
    }
    let counter = format!("judging-failed:{}", shipment.id);
    if house.ledger.count_up(&shipment.partner, &counter, 1).await? < JUDGING_TRIES {
        return Err(error);
    }
    tracing::error!(shipment = %shipment.id, %error, "the batch cannot be judged and is refused");
    refuse_unreadable(house, shipment).await
}

/// Refuses a batch whose copy cannot be judged.
pub(super) async fn refuse_unreadable(house: &House, shipment: &Shipment) -> Result<Verdict, StepError> {
    house.ledger.restart_judging(shipment.id).await?;
    refuse_unread(house, shipment, Finding::whole(codes::STAGED_UNREADABLE, "the staged copy cannot be read")).await
}

async fn note(house: &House, shipment: &Shipment, finding: Finding) -> Result<(), StepError> {
    house.ledger.add_finding_groups(shipment.id, vec![FindingGroup::of(&finding)]).await?;
    Ok(house.ledger.add_findings(shipment.id, vec![finding]).await?)
}

/// Loose attachments that are told of.
const LOOSE_TOLD: u32 = 100;

/// Groups of findings kept in one change.
const GROUPS_AT_ONCE: usize = 256;

/// Times a batch is tried before it is refused as unreadable.
const JUDGING_TRIES: i64 = 5;
