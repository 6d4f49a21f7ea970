//! What a judge needs of a file, and the way its findings take to the ledger.

use std::io::{self, Read};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{House, StepError};
use crate::model::{PartnerId, Route, ShipmentId};
use crate::staging::Staged;
use crate::validate::{self, Found, JudgeError, Judgement, Judging, Limits};

/// A file to be judged.
pub(super) struct Case {
    routes: Vec<Route>,
    partner: PartnerId,
    shipment: String,
    size_bytes: u64,
}

impl Case {
    /// That of a file which is still arriving.
    pub(super) fn arriving(routes: &[Arc<Route>], partner: PartnerId, shipment: ShipmentId) -> Self {
        let routes = routes.iter().map(|route| route.as_ref().clone()).collect();
        Self { routes, partner, shipment: shipment.to_string(), size_bytes: 0 }
    }

    fn staged(staged: &Staged) -> Self {
        let (shipment, routes) = (staged.claim().shipment(), staged.claim().routes());
        Self { size_bytes: shipment.size_bytes, ..Self::arriving(routes, shipment.partner.clone(), shipment.id) }
    }

    fn judging(&self) -> Judging<'_> {
        let mut limits = Limits::default();
        limits.max_findings = self.routes.iter().map(|route| route.max_findings).max().unwrap_or(limits.max_findings);
        let (routes, partner, shipment) = (&self.routes, self.partner.as_str(), &self.shipment);
        Judging { routes, partner, shipment, size_bytes: self.size_bytes, limits }
    }

    /// Judges a batch and hands on what is found. Blocks.
    pub(super) fn judge(&self, source: &mut dyn Read, found: &Sender<Found>) -> Result<Judgement, JudgeError> {
        validate::judge(source, &self.judging(), &mut |chunk| hand_on(found, chunk))
    }
}

fn hand_on(found: &Sender<Found>, chunk: Found) -> io::Result<()> {
    // The keys here, where other files are not kept waiting.
    let chunk = if let Found::Items(items) = chunk { Found::Items(items.with_keys()) } else { chunk };
    found.blocking_send(chunk).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
}

/// Reads a staged batch through; items and findings flow to the ledger as they are found.
pub(super) async fn read(house: &House, staged: Arc<Staged>) -> Result<Judgement, StepError> {
    let id = staged.claim().shipment().id;
    let (found, arriving) = mpsc::channel(CHUNKS_ON_THE_WAY);
    let (archives, today) = (Arc::clone(&house.archives), today(house));
    let judging = house.cores.run(move || {
        let (case, blob) = (Case::staged(&staged), staged.blob().as_ref());
        if validate::is_archive(blob, &case.routes).map_err(JudgeError::Unreadable)? {
            let mut keep = |chunk| hand_on(&found, chunk);
            validate::judge_archive(blob, &case.judging(), (&archives, today), &mut keep)
        } else {
            case.judge(&mut staged.reader(), &found)
        }
    });
    // When keeping fails, its end of the channel is dropped and the judge stops at its next chunk.
    let (judged, kept) = futures::join!(judging, keep_all(house, id, arriving));
    kept?;
    judged?.map_err(|error| StepError::Judging(error.to_string()))
}

/// Keeps what is found, until the judge ends.
pub(super) async fn keep_all(house: &House, id: ShipmentId, mut arriving: Receiver<Found>) -> Result<(), StepError> {
    while let Some(chunk) = arriving.recv().await {
        match chunk {
            Found::Items(items) => house.ledger.add_items(id, items.into_rows()).await?,
            Found::Attachments(attachments) => house.ledger.add_attachments(id, attachments).await?,
            Found::Findings(findings) => house.ledger.add_findings(id, findings).await?,
        }
    }
    Ok(())
}

/// The day in Norway, where the receivers are.
fn today(house: &House) -> Date {
    house.clock.now().to_zoned(TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC)).date()
}

/// Chunks of items between the judge and the ledger.
const CHUNKS_ON_THE_WAY: usize = 2;
