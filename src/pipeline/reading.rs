//! What a judge needs of a file, and the way its findings take to the ledger.

use std::io::{self, Read};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{House, StepError};
use crate::model::{Finding, NewAttachment, NewItem, PartnerId, Route, ShipmentId};
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
        let mut gathered = Gathered::new(found);
        let judgement = validate::judge(source, &self.judging(), &mut |chunk| gathered.take(chunk))?;
        gathered.hand_on().map_err(JudgeError::NotKept)?;
        Ok(judgement)
    }
}

/// What is found, until it is worth a change of the ledger: a judge tells of each piece it has read, and a piece may hold
/// one item.
struct Gathered<'a> {
    found: &'a Sender<Found>,
    items: Vec<NewItem>,
    attachments: Vec<NewAttachment>,
    findings: Vec<Finding>,
}

impl<'a> Gathered<'a> {
    fn new(found: &'a Sender<Found>) -> Self {
        Self { found, items: Vec::new(), attachments: Vec::new(), findings: Vec::new() }
    }

    fn take(&mut self, chunk: Found) -> io::Result<()> {
        match chunk {
            // Their keys are made here, where other files are not kept waiting.
            Found::Items(items) => self.items.extend(items.into_rows()),
            Found::Attachments(attachments) => self.attachments.extend(attachments),
            Found::Findings(findings) => self.findings.extend(findings),
        }
        let enough = self.items.len() + self.attachments.len() + self.findings.len() >= ENOUGH;
        if enough { self.hand_on() } else { Ok(()) }
    }

    /// Hands all of it on, items before the findings about them.
    fn hand_on(&mut self) -> io::Result<()> {
        let items = std::mem::take(&mut self.items);
        let attachments = std::mem::take(&mut self.attachments);
        let findings = std::mem::take(&mut self.findings);
        let chunks = [
            (!items.is_empty()).then(|| Found::Items(items.into())),
            (!attachments.is_empty()).then_some(Found::Attachments(attachments)),
            (!findings.is_empty()).then_some(Found::Findings(findings)),
        ];
        chunks.into_iter().flatten().try_for_each(|chunk| {
            self.found.blocking_send(chunk).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
        })
    }
}

/// Reads a staged batch through; items and findings flow to the ledger as they are found.
pub(super) async fn read(house: &House, staged: Arc<Staged>) -> Result<Judgement, StepError> {
    let id = staged.claim().shipment().id;
    let (found, arriving) = mpsc::channel(CHUNKS_ON_THE_WAY);
    let (archives, today) = (Arc::clone(&house.archives), today(house));
    let judging = house.cores.run(move || {
        let (case, blob) = (Case::staged(&staged), staged.blob().as_ref());
        if validate::is_archive(blob, &case.routes).map_err(JudgeError::Unreadable)? {
            let mut gathered = Gathered::new(&found);
            let mut keep = |chunk| gathered.take(chunk);
            let judgement = validate::judge_archive(blob, &case.judging(), (&archives, today), &mut keep)?;
            gathered.hand_on().map_err(JudgeError::NotKept)?;
            Ok(judgement)
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

/// What is worth a change of the ledger; the judge tells of at most twice as much at once.
const ENOUGH: usize = 512;
