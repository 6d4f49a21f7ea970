//! The writer's transaction, with a savepoint around every change in it.

use sqlx::{Connection, SqliteConnection};

use crate::kill_point::kill_point;
use crate::ports::LedgerError;

use super::brief::Brief;
use super::steps::{Step, StepKind};
use super::writer::Change;
use super::{sql, steps};

/// The writing connection and where its transaction stands.
pub(super) struct Transaction {
    connection: SqliteConnection,
    savepoint: Savepoint,
    /// Whether COMMIT waits for the disk, as the connection is set now.
    durable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    None,
    /// Nothing was done since it was set.
    Fresh,
    /// Something was done since that stays.
    Used,
}

impl Transaction {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection, savepoint: Savepoint::None, durable: true }
    }

    /// Begins one whose COMMIT waits for the disk, or one that leaves that to the next.
    pub(super) async fn begin(&mut self, durable: bool) -> Result<(), sqlx::Error> {
        let text = match (durable, self.durable) {
            (true, false) => sql::BEGIN_DURABLE,
            (false, true) => sql::BEGIN_LAZY,
            (true, true) | (false, false) => sql::BEGIN,
        };
        self.savepoint = Savepoint::None;
        if let Err(first) = sql::execute(&mut self.connection, text).await {
            // A transaction that could not be ended is still open: end it, then try once more. Where the setting stands is
            // not known either.
            let text = if durable { sql::BEGIN_DURABLE } else { sql::BEGIN_LAZY };
            if sql::execute(&mut self.connection, sql::ROLLBACK).await.is_err() {
                return Err(first);
            }
            sql::execute(&mut self.connection, text).await?;
        }
        (self.savepoint, self.durable) = (Savepoint::Fresh, durable);
        Ok(())
    }

    /// Makes a change of one statement, which is a transaction by itself; `false` when it did not fit.
    pub(super) async fn run_alone(&mut self, brief: &Brief) -> Result<bool, sqlx::Error> {
        if !self.durable {
            sql::execute(&mut self.connection, sql::DURABLE).await?;
            self.durable = true;
        }
        kill_point("ledger.commit.before");
        let done = brief.run(&mut self.connection).await;
        kill_point("ledger.commit.after");
        done
    }

    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        kill_point("ledger.commit.before");
        let ended = sql::execute(&mut self.connection, sql::COMMIT).await;
        kill_point("ledger.commit.after");
        if ended.is_err() {
            self.roll_back().await;
        }
        ended
    }

    pub(super) async fn roll_back(&mut self) {
        // Fails when SQLite has rolled back on its own; the next BEGIN makes sure.
        let _ = sql::execute(&mut self.connection, sql::ROLLBACK).await;
    }

    pub(super) async fn apply(&mut self, change: &mut dyn Change) -> Result<(), sqlx::Error> {
        self.set_savepoint().await?;
        let keep = change.apply(&mut self.connection).await;
        self.settle(keep).await
    }

    /// Takes steps of one kind together, or one by one when one of them cannot be taken.
    pub(super) async fn take(
        &mut self,
        kind: StepKind,
        all: &[&Step],
    ) -> Result<Vec<Result<(), LedgerError>>, sqlx::Error> {
        self.set_savepoint().await?;
        let done = steps::take(&mut self.connection, kind, all.iter().copied()).await;
        let complete = done.is_ok_and(|changed| changed == all.len() as u64);
        self.settle(complete).await?;
        let mut results = Vec::with_capacity(all.len());
        for step in all {
            results.push(if complete { Ok(()) } else { self.take_alone(step).await? });
        }
        Ok(results)
    }

    async fn take_alone(&mut self, step: &Step) -> Result<Result<(), LedgerError>, sqlx::Error> {
        self.set_savepoint().await?;
        let result = steps::take_one(&mut self.connection, step).await;
        self.settle(result.is_ok()).await?;
        Ok(result)
    }

    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }

    async fn set_savepoint(&mut self) -> Result<(), sqlx::Error> {
        match self.savepoint {
            Savepoint::None => sql::execute(&mut self.connection, sql::SAVEPOINT).await?,
            Savepoint::Used => sql::execute(&mut self.connection, sql::NEXT_SAVEPOINT).await?,
            Savepoint::Fresh => {}
        }
        self.savepoint = Savepoint::Fresh;
        Ok(())
    }

    /// Keeps or undoes what was done since the savepoint. Undoing fails when SQLite has ended the whole transaction by
    /// itself (a full disk does that): then nothing of it stands.
    async fn settle(&mut self, keep: bool) -> Result<(), sqlx::Error> {
        if keep {
            self.savepoint = Savepoint::Used;
            return Ok(());
        }
        sql::execute(&mut self.connection, sql::UNDO).await
    }
}
