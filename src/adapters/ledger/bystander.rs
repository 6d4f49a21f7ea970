//! A ledger that may belong to a running gateway, opened beside it to leave word there.

use std::path::Path;

use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};

use super::{alarms, beside, schedules, sightings};
use crate::model::{Alarm, Wait};
use crate::ports::{LedgerError, Run, SourceStand};

/// The ledger as who stands by: it asks for runs, and nothing is brought up to date.
pub struct Bystander(SqliteConnection);

impl Bystander {
    /// Opens the ledger in the file.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self(beside(path).await?))
    }

    /// Asks for a run by hand; returns the number to follow it by.
    pub async fn ask(&mut self, schedule: &str, by: &str, now: Timestamp) -> Result<u64, LedgerError> {
        schedules::ask(&mut self.0, schedule, by, now).await
    }

    /// The run that was asked for with the number; `None` until it begins.
    pub async fn run_asked(&mut self, asked: u64) -> Result<Option<Run>, LedgerError> {
        schedules::run_asked(&mut self.0, asked).await
    }

    /// The last runs of a schedule, newest first.
    pub async fn runs(&mut self, schedule: &str, limit: u32) -> Result<Vec<Run>, LedgerError> {
        schedules::runs(&mut self.0, schedule, limit).await
    }

    /// What is wrong with a subject.
    pub async fn alarm(&mut self, subject: &str) -> Result<Option<Alarm>, LedgerError> {
        Ok(alarms::open(&mut self.0, subject).await?.map(|(_, alarm)| alarm))
    }

    /// How a source stands.
    pub async fn source(&mut self, source: &str) -> Result<SourceStand, LedgerError> {
        sightings::stand(&mut self.0, source).await
    }

    /// How many files of a source wait for what, and the first of them.
    pub async fn waiting(&mut self, source: &str, shown: u32) -> Result<Vec<(Wait, u64, Vec<String>)>, LedgerError> {
        sightings::waiting(&mut self.0, source, shown).await
    }

    /// Asks for a look at a source; returns the number to follow it by.
    pub async fn ask_look(&mut self, source: &str) -> Result<u64, LedgerError> {
        sightings::ask(&mut self.0, source).await
    }

    /// Closes it.
    pub async fn close(self) -> Result<(), LedgerError> {
        Ok(self.0.close().await?)
    }
}
