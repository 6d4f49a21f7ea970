//! The one writer: takes what is waiting, runs it in one transaction, answers after COMMIT.
//!
//! Every change runs under a savepoint of its own, so that one that fails is undone alone. The many small steps of
//! deliveries are gathered and written by one statement each kind; see `steps.rs`.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::kill_point::kill_point;
use crate::ports::LedgerError;

use super::steps::{Step, StepKind};
use super::{sql, steps};

/// The way to the writer task, which ends when the last of these is dropped.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    requests: mpsc::Sender<Request>,
}

enum Request {
    Change(Box<dyn Change>),
    Step(Waiting),
    Close(oneshot::Sender<()>),
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request")
    }
}

impl Writer {
    pub(super) fn spawn(connection: SqliteConnection) -> Self {
        let (requests, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(serve(connection, waiting));
        Self { requests }
    }

    /// Runs a change in the next transaction; an error undoes what it did.
    pub(super) async fn run<T, E, F>(&self, change: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let change = Pending { change: Some(change), result: None, answer };
        self.requests.send(Request::Change(Box::new(change))).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Takes a step of one delivery in the next transaction.
    pub(super) async fn step(&self, step: Step) -> Result<(), LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Step(Waiting { step, answer })).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Ends the writer after everything asked for before.
    pub(super) async fn close(&self) {
        let (done, closing) = oneshot::channel();
        if self.requests.send(Request::Close(done)).await.is_ok() {
            // An error means that the writer ended already, which is what was asked for.
            let _ = closing.await;
        }
    }
}

/// A change whose types are known only to its caller.
#[async_trait]
trait Change: Send {
    /// Does it; `false` when what it did must be undone.
    async fn apply(&mut self, connection: &mut SqliteConnection) -> bool;

    /// Tells the caller; `failure` when the transaction did not reach the disk.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

struct Pending<F, T, E> {
    change: Option<F>,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

#[async_trait]
impl<F, T, E> Change for Pending<F, T, E>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send,
    T: Send,
    E: From<LedgerError> + Send,
{
    async fn apply(&mut self, connection: &mut SqliteConnection) -> bool {
        let Some(change) = self.change.take() else { return false };
        let result = change(connection).await;
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn answer(self: Box<Self>, failure: Option<&str>) {
        let lost = |why: &str| Err(LedgerError::Unavailable(why.to_owned()).into());
        let result = match (failure, self.result) {
            // A refusal stands whether or not its neighbours reached the disk.
            (Some(why), None | Some(Ok(_))) => lost(why),
            (_, Some(result)) => result,
            (None, None) => lost("the change was not made"),
        };
        // A caller that went away does not need the answer.
        let _ = self.answer.send(result);
    }
}

struct Waiting {
    step: Step,
    answer: StepAnswer,
}

type StepAnswer = oneshot::Sender<Result<(), LedgerError>>;

async fn serve(mut connection: SqliteConnection, mut waiting: mpsc::Receiver<Request>) {
    let mut closing = None;
    while let Some(first) = waiting.recv().await {
        let mut batch = Batch::default();
        let ended = batch.run(&mut connection, first, &mut waiting).await;
        batch.answer(ended.err().map(|error| error.to_string()));
        closing = batch.closing.take();
        if closing.is_some() {
            break;
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the ledger's writer did not close cleanly; the next start recovers its log");
    }
    // Dropping it tells whoever asked.
    drop(closing);
}

/// One transaction's worth of requests.
#[derive(Default)]
struct Batch {
    changes: Vec<Box<dyn Change>>,
    steps: Vec<Waiting>,
    answers: Vec<(StepAnswer, Result<(), LedgerError>)>,
    closing: Option<oneshot::Sender<()>>,
}

impl Batch {
    async fn run(
        &mut self,
        connection: &mut SqliteConnection,
        first: Request,
        waiting: &mut mpsc::Receiver<Request>,
    ) -> Result<(), sqlx::Error> {
        let begun = begin(connection).await;
        let mut ended = self.take_all(connection, first, waiting, begun.is_ok()).await;
        begun?;
        if ended.is_ok() {
            kill_point("ledger.commit.before");
            ended = sql::execute(connection, sql::COMMIT).await;
            kill_point("ledger.commit.after");
        }
        if ended.is_err() {
            // Fails when SQLite has rolled back on its own; the next BEGIN makes sure.
            let _ = sql::execute(connection, sql::ROLLBACK).await;
        }
        ended
    }

    /// Runs the first request and whatever else is waiting, for a while; after an error only collects it for its answer.
    async fn take_all(
        &mut self,
        connection: &mut SqliteConnection,
        first: Request,
        waiting: &mut mpsc::Receiver<Request>,
        usable: bool,
    ) -> Result<(), sqlx::Error> {
        let begun = Instant::now();
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(request) = next {
            match request {
                Request::Change(change) => {
                    self.changes.push(change);
                    if let Some(change) = self.changes.last_mut().filter(|_| usable) {
                        guarded(connection, change.as_mut()).await?;
                    }
                }
                Request::Step(step) => self.steps.push(step),
                Request::Close(done) => self.closing = Some(done),
            }
            taken += 1;
            let more = usable && self.closing.is_none() && taken < BATCH && begun.elapsed() < LONGEST;
            next = if more { waiting.try_recv().ok() } else { None };
        }
        if usable { self.take_steps(connection).await } else { Ok(()) }
    }

    /// Writes the gathered steps. They are of callers that all wait, so their order among each other is free.
    async fn take_steps(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for kind in StepKind::ALL {
            let (these, others) = std::mem::take(&mut self.steps).into_iter().partition(|w| w.step.kind() == kind);
            self.steps = others;
            self.take_kind(connection, kind, these).await?;
        }
        Ok(())
    }

    async fn take_kind(
        &mut self,
        connection: &mut SqliteConnection,
        kind: StepKind,
        waiting: Vec<Waiting>,
    ) -> Result<(), sqlx::Error> {
        if waiting.is_empty() {
            return Ok(());
        }
        sql::execute(connection, sql::SAVEPOINT).await?;
        let done = steps::take(connection, kind, waiting.iter().map(|waiting| &waiting.step)).await;
        let all = done.is_ok_and(|changed| changed == waiting.len() as u64);
        end_savepoint(connection, all).await?;
        for Waiting { step, answer } in waiting {
            let result = if all { Ok(()) } else { take_alone(connection, &step).await? };
            self.answers.push((answer, result));
        }
        Ok(())
    }

    fn answer(&mut self, failure: Option<String>) {
        if let Some(why) = &failure {
            tracing::error!(error = %why, changes = self.changes.len(), "a ledger transaction failed");
        }
        for change in self.changes.drain(..) {
            change.answer(failure.as_deref());
        }
        let lost = || failure.clone().map_or(Ok(()), |why| Err(LedgerError::Unavailable(why)));
        for (answer, result) in self.answers.drain(..) {
            let _ = answer.send(result.and_then(|()| lost()));
        }
        for waiting in self.steps.drain(..) {
            let _ = waiting.answer.send(lost());
        }
    }
}

async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let Err(first) = sql::execute(connection, sql::BEGIN).await else { return Ok(()) };
    // A transaction that could not be ended is still open: end it, then try once more.
    if sql::execute(connection, sql::ROLLBACK).await.is_ok() {
        return sql::execute(connection, sql::BEGIN).await;
    }
    Err(first)
}

async fn guarded(connection: &mut SqliteConnection, change: &mut dyn Change) -> Result<(), sqlx::Error> {
    sql::execute(connection, sql::SAVEPOINT).await?;
    let keep = change.apply(connection).await;
    end_savepoint(connection, keep).await
}

/// One step by itself, after the same step among others failed.
async fn take_alone(connection: &mut SqliteConnection, step: &Step) -> Result<Result<(), LedgerError>, sqlx::Error> {
    sql::execute(connection, sql::SAVEPOINT).await?;
    let result = steps::take_one(connection, step).await;
    end_savepoint(connection, result.is_ok()).await?;
    Ok(result)
}

/// Fails when SQLite has ended the whole transaction by itself (a full disk does that): then nothing of it stands.
async fn end_savepoint(connection: &mut SqliteConnection, keep: bool) -> Result<(), sqlx::Error> {
    if !keep {
        sql::execute(connection, sql::UNDO).await?;
    }
    sql::execute(connection, sql::RELEASE).await
}

fn closed() -> LedgerError {
    LedgerError::Unavailable("it is closed".to_owned())
}

/// Requests that wait; more callers wait for a place.
const QUEUE: usize = 1_024;
/// Most requests in one transaction.
const BATCH: usize = 1_024;
/// Longest time a transaction takes new requests: the first caller waits at least as long for its answer.
const LONGEST: Duration = Duration::from_millis(20);
