//! Takes files from sources: looks, fetches, claims, tidies up, and brings receipts back.
//!
//! Each source has a task of its own, so that none waits for another, and every call of its store has an end. Nothing a
//! store says is believed for long: a file is ours when it is whole on our disk and what it was is what it is.
//!
//! The way of a file: a sighting, ready at last; a take, whose row is the claim; bytes in scratch, which a break does not
//! lose; a shipment, by one change in the ledger; and only then is anything moved or removed in the source. Each step
//! may be done again.

mod answers;
mod fetch;
mod look;
mod round;
mod store;
mod take;
mod tidy;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::House;
use crate::model::PartnerId;
use crate::ports::{FileStore, LedgerError, Sources, StoreError, Timetable};
use crate::schedule::Recurrence;
use crate::sighting::Rules;

/// A place where a partner's files come to lie, and what is agreed of it.
#[derive(Clone)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Whose files it holds.
    pub partner: PartnerId,
    /// The inbox they go to, or the directory of rehearsals.
    pub dir: String,
    /// They go there as rehearsals.
    pub preflight: bool,
    /// The place.
    pub store: Arc<dyn FileStore>,
    /// Which files, when, in which order, and what becomes of them.
    pub rules: Rules,
    /// When it is looked at, whether or not something rings.
    pub times: Recurrence,
    /// Rung when something has changed there.
    pub bell: Arc<Notify>,
    /// No more of a file than this is fetched.
    pub most_bytes: u64,
    /// Longest wait for the store's answer, and for the next bytes.
    pub timeout: Duration,
    /// After so many failures one after the other somebody is told.
    pub alarm_after: u32,
    /// Who.
    pub channels: Vec<String>,
}

/// Takes files from one source until it is asked to stop.
#[derive(Clone)]
pub struct Taker {
    house: House,
    alarms: Arc<dyn Timetable>,
    source: Arc<Source>,
    store: Arc<dyn FileStore>,
    claimed: Arc<Notify>,
}

/// Why a look, or a step of a take, came to nothing for now.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The line broke, and more of a file is here than before.
    #[error("the line broke while a file came, which goes on from there: {0}")]
    Broke(StoreError),
    /// Our side did not.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Our disk did not.
    #[error("our own store of bytes failed: {0}")]
    Disk(#[from] std::io::Error),
    /// A thread died at its work.
    #[error(transparent)]
    Lost(#[from] crate::blocking::Lost),
    /// A look or the work on a file panicked.
    #[error("it panicked, which is a defect of ours")]
    Panicked,
}

impl Taker {
    /// Sets one up; `claimed` is told of every shipment.
    pub fn new(house: House, alarms: Arc<dyn Timetable>, source: Source, claimed: Arc<Notify>) -> Self {
        let store = Arc::new(store::Punctual::new(Arc::clone(&source.store), source.timeout));
        Self { house, alarms, source: Arc::new(source), store, claimed }
    }

    fn ledger(&self) -> &dyn Sources {
        self.house.sources.as_ref()
    }

    fn name(&self) -> &str {
        &self.source.name
    }

    /// Goes on until asked to stop. What is under way then is broken off where a crash could have, and taken up again.
    pub async fn run(self, stop: CancellationToken) {
        let mut rhythm = round::Rhythm::default();
        loop {
            if stop.run_until_cancelled(self.round(&mut rhythm)).await.is_none() {
                return;
            }
            let rest = async {
                tokio::select! {
                    () = tokio::time::sleep(self.house.pace.look) => {}
                    () = self.source.bell.notified() => rhythm.ring(),
                }
            };
            if stop.run_until_cancelled(rest).await.is_none() {
                return;
            }
        }
    }
}
