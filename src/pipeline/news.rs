//! Asks receivers what became of delivered items, and tells their senders in supplements.
//!
//! Who is asked about, and when, stands in the ledger. News are told before that is moved on: a process that dies in
//! between asks again, and what was told once is not told twice.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::receipts::issue_supplement;
use super::setback::guarded;
use super::{House, StepError};
use crate::forward::after;
use crate::kill_point::kill_point;
use crate::model::{News, ShipmentId};
use crate::ports::{Followed, FollowedItem, Looked, Next, Receiver, Uploads};

/// Asks until it is told to stop.
pub async fn follow(house: House, followed: Arc<dyn Followed>, uploads: Arc<dyn Uploads>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(house.pace.look.max(SHORTEST_LOOK))).await.is_some() {
        if let Err(error) = guarded(follow_all(&house, followed.as_ref(), &stop)).await {
            tracing::warn!(%error, "what became of delivered items is not known yet");
        }
        let before = house.clock.now().checked_sub(UPLOADS_KEPT).unwrap_or(Timestamp::MIN);
        if let Err(error) = uploads.forget_uploads(before).await {
            tracing::warn!(%error, "old uploads are not forgotten");
        }
    }
}

/// Asks about everything that is due now; returns how many supplements it led to.
pub async fn follow_all(house: &House, followed: &dyn Followed, stop: &CancellationToken) -> Result<u64, StepError> {
    let mut supplements = 0;
    for id in followed.followed_shipments(house.clock.now()).await? {
        if stop.is_cancelled() {
            break;
        }
        match guarded(follow_shipment(house, followed, id)).await {
            Ok(told) => supplements += told,
            Err(error @ StepError::Ledger(_)) => return Err(error),
            // One shipment's trouble is not the others'.
            Err(error) => {
                tracing::warn!(shipment = %id, %error, "what became of its delivered items is not known yet");
            }
        }
    }
    Ok(supplements)
}

async fn follow_shipment(house: &House, followed: &dyn Followed, id: ShipmentId) -> Result<u64, StepError> {
    let due = followed.due_followed(id, house.clock.now(), AT_ONCE).await?;
    let Some(receiver) = receiver_of(house, id).await? else {
        let again = Some(after(house.clock.now(), WITHOUT_ROUTE));
        let looked = due.iter().map(|item| Looked { number: item.number, again }).collect();
        followed.looked(id, looked).await?;
        return Ok(0);
    };
    let asked = stream::iter(due).map(|item| ask(house, receiver.as_ref(), item)).buffer_unordered(ASKED_AT_ONCE);
    let answers: Vec<(Vec<News>, Looked)> = asked.collect().await;
    let looked = answers.iter().map(|(_, looked)| *looked).collect();
    let news: Vec<News> = answers.into_iter().flat_map(|(news, _)| news).collect();
    let told = if news.is_empty() { None } else { issue_supplement(house, id, &news).await? };
    kill_point("news.told");
    followed.looked(id, looked).await?;
    Ok(u64::from(told.is_some()))
}

/// The receiver the shipment's items went to; `None` when its route is gone.
async fn receiver_of(house: &House, id: ShipmentId) -> Result<Option<Arc<dyn Receiver>>, StepError> {
    let shipment = house.ledger.shipment(id).await?;
    let destination = shipment.as_ref().and_then(|shipment| {
        let route = shipment.verdict.as_ref()?.route.as_ref()?;
        house.receivers.get(route)?.of(shipment)
    });
    if destination.is_none() {
        tracing::warn!(shipment = %id, "its route is no longer configured; nobody can tell what became of its items");
    }
    Ok(destination.map(|destination| Arc::clone(&destination.receiver)))
}

/// What became of one item, and when to ask again.
async fn ask(house: &House, receiver: &dyn Receiver, item: FollowedItem) -> (Vec<News>, Looked) {
    let number = item.number;
    let wait = receiver.wait_for_news(item.looks.saturating_add(1));
    let (news, wait) = match receiver.stand(&item.receivers_reference, item.looks).await {
        Ok(stand) => {
            let news = stand.events.into_iter().map(|(event, at)| News { item: number, event, at }).collect();
            (news, (!stand.is_over).then_some(wait))
        }
        Err(error) => {
            tracing::debug!(item = number, %error, "nobody tells what became of an item");
            let wish = if let Next::Retry(wish) = error.outcome().1 { wish } else { None };
            (Vec::new(), Some(wait.max(wish.unwrap_or_default())))
        }
    };
    let again = wait.map(|wait| after(house.clock.now(), wait)).filter(|at| *at <= item.ends_at);
    (news, Looked { number, again })
}

/// Items of a shipment asked about in one go, and told of in one supplement.
const AT_ONCE: u32 = 5_000;
/// Questions on their way at a time.
const ASKED_AT_ONCE: usize = 8;
/// The ledger is asked for what is due no more often.
const SHORTEST_LOOK: Duration = Duration::from_millis(200);
/// How soon a route may be there again.
const WITHOUT_ROUTE: Duration = Duration::from_secs(3_600);
/// A content is sent anew after so long: receivers do not keep what nothing refers to.
const UPLOADS_KEPT: Duration = Duration::from_secs(14 * 24 * 3_600);
