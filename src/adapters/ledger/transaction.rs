//! The writer's transaction, with a savepoint around every change in it.

use sqlx::{Connection, SqliteConnection};

use crate::kill_point::{is_armed, kill_point};
use crate::ports::LedgerError;

use super::brief::Brief;
use super::steps::{Step, StepKind};
use super::writer::Change;
use super::{sql, steps};

/// The writing connection and where its transaction stands.
pub(super) struct Transaction {
    connection: SqliteConnection,
    savepoint: Savepoint,
    /// COMMIT waits for the disk, as the connection is set now; `false` also where that is not known.
    durable: bool,
    /// The last transaction may still be open.
    unsure: bool,
    /// Rows changed by this connection when that was last asked.
    changes: i64,
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
        Self { connection, savepoint: Savepoint::None, durable: true, unsure: false, changes: 0 }
    }

    /// Begins one whose COMMIT waits for the disk, or one that leaves that to the next.
    pub(super) async fn begin(&mut self, durable: bool) -> Result<(), sqlx::Error> {
        let text = match (durable, self.durable) {
            (true, false) => sql::BEGIN_DURABLE,
            (false, true) => sql::BEGIN_LAZY,
            (true, true) | (false, false) => sql::BEGIN,
        };
        // Until it stands.
        (self.savepoint, self.durable, self.unsure) = (Savepoint::None, false, true);
        if let Err(first) = sql::execute(&mut self.connection, text).await {
            // A transaction that could not be ended is still open: end it, then try once more.
            let text = if durable { sql::BEGIN_DURABLE } else { sql::BEGIN_LAZY };
            if sql::execute(&mut self.connection, sql::ROLLBACK).await.is_err() {
                return Err(first);
            }
            sql::execute(&mut self.connection, text).await?;
        }
        (self.savepoint, self.durable, self.unsure) = (Savepoint::Fresh, durable, false);
        Ok(())
    }

    /// Tells whether a statement alone would be a transaction, and one whose COMMIT waits for the disk.
    pub(super) fn can_run_alone(&self) -> bool {
        self.durable && !self.unsure
    }

    /// Makes a change of one statement, which is a transaction by itself; `false` when it did not fit.
    pub(super) async fn run_alone(&mut self, brief: &Brief) -> Result<bool, sqlx::Error> {
        kill_point("ledger.commit.before");
        let done = brief.run(&mut self.connection).await;
        kill_point("ledger.commit.after");
        done
    }

    /// Makes it within the transaction. One that does not fit leaves nothing; after an error nothing stands of the whole.
    pub(super) async fn run_within(&mut self, brief: &Brief) -> Result<bool, sqlx::Error> {
        let done = brief.run(&mut self.connection).await?;
        self.savepoint = Savepoint::Used;
        Ok(done)
    }

    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        // Who looks for work and finds none changes nothing, many times a second: to die there is to die at the next place.
        let counts = is_armed() && self.has_changed().await;
        if counts {
            kill_point("ledger.commit.before");
        }
        let ended = sql::execute(&mut self.connection, sql::COMMIT).await;
        if counts {
            kill_point("ledger.commit.after");
        }
        if ended.is_err() {
            self.roll_back().await;
        }
        ended
    }

    /// Tells whether any row has changed since this was last asked.
    async fn has_changed(&mut self) -> bool {
        let changes = sqlx::query_scalar(sql::TOTAL_CHANGES).fetch_one(&mut self.connection).await.ok();
        changes.is_none_or(|changes: i64| std::mem::replace(&mut self.changes, changes) != changes)
    }

    pub(super) async fn roll_back(&mut self) {
        // Fails when SQLite has rolled back on its own; the next BEGIN makes sure.
        self.unsure = sql::execute(&mut self.connection, sql::ROLLBACK).await.is_err();
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;

    async fn connection(path: &Path) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        options.busy_timeout(Duration::ZERO).pragma("synchronous", "FULL").connect().await.unwrap()
    }

    async fn waits_for_the_disk(transaction: &mut Transaction) -> bool {
        const FULL: i64 = 2;
        let setting = sqlx::query_scalar::<_, i64>("PRAGMA synchronous").fetch_one(&mut transaction.connection);
        setting.await.unwrap() == FULL
    }

    #[tokio::test]
    async fn what_must_be_on_disk_waits_for_it_after_whatever_went_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        let (mut transaction, mut other) = (Transaction::new(connection(&path).await), connection(&path).await);
        for durable in [false, true, false] {
            sql::execute(&mut other, sql::BEGIN).await.unwrap();
            transaction.begin(durable).await.unwrap_err();
            assert!(!transaction.can_run_alone());
            sql::execute(&mut other, sql::ROLLBACK).await.unwrap();
            transaction.begin(true).await.unwrap();
            assert!(waits_for_the_disk(&mut transaction).await, "{durable}");
            transaction.commit().await.unwrap();
            assert!(transaction.can_run_alone());
        }
        transaction.begin(false).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(!transaction.can_run_alone() && !waits_for_the_disk(&mut transaction).await);
    }

    #[tokio::test]
    async fn nothing_runs_alone_while_a_transaction_may_be_open() {
        let dir = tempfile::tempdir().unwrap();
        let mut transaction = Transaction::new(connection(&dir.path().join("ledger.sqlite")).await);
        transaction.begin(true).await.unwrap();
        transaction.roll_back().await;
        assert!(transaction.can_run_alone());
        // As when SQLite ended it by itself.
        transaction.roll_back().await;
        assert!(!transaction.can_run_alone());
        transaction.begin(true).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(transaction.can_run_alone());
    }
}
