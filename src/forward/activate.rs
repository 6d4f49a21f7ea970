//! Makes instances of what was kept, each once: an activation is attempted as an item is.

use futures::stream::{self, Stream};
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::attempt::{Attempt, Load};
use super::deliver::Forwarding;
use super::together::together;
use crate::ports::{Activation, Held, LedgerError};

/// Works through the due activations of one shipment's items, several at once. Returns when to come back if the receiver
/// asked for a pause.
pub async fn activate(forwarding: &Forwarding, held: &dyn Held) -> Result<Option<Timestamp>, LedgerError> {
    let at_once = forwarding.route.concurrency.max(1);
    together(due(forwarding, held), (at_once, &forwarding.stop), |activation| async move {
        let Some(_pass) = forwarding.enter().await else { return Ok(()) };
        let load = Load::Kept(held, &activation);
        Attempt { forwarding, load, item: &activation.item }.run().await
    })
    .await?;
    Ok(forwarding.paused())
}

fn due<'a>(
    forwarding: &'a Forwarding,
    held: &'a dyn Held,
) -> impl Stream<Item = Result<Activation, LedgerError>> + use<'a> {
    stream::try_unfold(0, move |last| async move {
        if forwarding.rests() {
            return Ok::<_, LedgerError>(None);
        }
        let (now, id) = (forwarding.clock.now(), forwarding.source.shipment);
        let page = held.due_activations(id, now, last, PAGE).await?;
        let Some(end) = page.last().map(|activation| activation.id) else { return Ok(None) };
        Ok(Some((stream::iter(page.into_iter().map(Ok)), end)))
    })
    .try_flatten()
    .boxed()
}

/// Activations read from the ledger at once.
const PAGE: u32 = 512;
