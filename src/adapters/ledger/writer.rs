//! The one writer: takes what is waiting, runs it in one transaction, answers after COMMIT.
//!
//! Every change runs under a savepoint of its own, so that one that fails is undone alone. The many small steps of
//! deliveries are gathered and written by one statement each kind; see `steps.rs`.

use std::time::{Duration, Instant};
use std::{io, thread};

use async_trait::async_trait;
use futures::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use crate::ports::LedgerError;

use super::brief::Brief;
use super::steps::{Step, StepKind};
use super::transaction::Transaction;

/// The way to the writer's thread, which ends when the last of these is dropped.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    requests: mpsc::Sender<Request>,
}

enum Request {
    Change(Box<dyn Change>),
    /// One that may reach the disk later.
    Lazy(Box<dyn Change>),
    /// One of a single statement.
    Brief(Box<Brief>, BriefAnswer),
    Step(Waiting),
    Close(oneshot::Sender<()>),
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request")
    }
}

impl Writer {
    /// Starts it on a thread of its own: most of what it does is to wait for SQLite's, and each such wait would wake
    /// one of the runtime's threads or two.
    pub(super) fn spawn(connection: SqliteConnection) -> io::Result<Self> {
        let (requests, waiting) = mpsc::channel(QUEUE);
        let runtime = runtime::Builder::new_current_thread().build()?;
        thread::Builder::new().name("ledger".to_owned()).spawn(move || runtime.block_on(serve(connection, waiting)))?;
        Ok(Self { requests })
    }

    /// Runs a change in the next transaction; an error undoes what it did.
    pub(super) async fn run<T, E, F>(&self, change: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        self.ask(change, Request::Change).await
    }

    /// Runs a change that everybody sees from now on, but that a crash of the machine may undo until a later one is on
    /// disk.
    pub(super) async fn run_lazily<T, E, F>(&self, change: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        self.ask(change, Request::Lazy).await
    }

    async fn ask<T, E, F>(&self, change: F, request: impl FnOnce(Box<dyn Change>) -> Request) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let change = Pending { change: Some(change), result: None, answer };
        self.requests.send(request(Box::new(change))).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Makes a brief change in the next transaction; `false` when it did not fit and nothing was done.
    pub(super) async fn run_briefly(&self, change: Brief) -> Result<bool, LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Brief(Box::new(change), answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Takes a step of one delivery in the next transaction.
    pub(super) async fn step(&self, step: Step) -> Result<(), LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Step(Waiting { step, answer })).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Waits until the writer has ended, whether it was closed or died.
    pub(super) async fn ended(&self) {
        self.requests.closed().await;
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
pub(super) trait Change: Send {
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
type BriefAnswer = oneshot::Sender<Result<bool, LedgerError>>;

async fn serve(connection: SqliteConnection, mut waiting: mpsc::Receiver<Request>) {
    let mut transaction = Transaction::new(connection);
    let (mut closing, mut held) = (None, None);
    loop {
        let next = match held.take() {
            Some(held) => Some(held),
            None => waiting.recv().await,
        };
        let Some(first) = next else { break };
        // Callers that the last COMMIT woke are about to ask again: let them, so that they share the next one.
        thread::yield_now();
        let mut batch = Batch::default();
        let ended = match first {
            Request::Brief(brief, answer) if waiting.is_empty() && transaction.can_run_alone() => {
                let done = transaction.run_alone(&brief).await;
                batch.keep(answer, done)
            }
            Request::Change(_) | Request::Lazy(_) | Request::Brief(..) | Request::Step(_) | Request::Close(_) => {
                batch.run(&mut transaction, first, &mut waiting).await
            }
        };
        batch.answer(ended.err().map(|error| error.to_string()));
        (closing, held) = (batch.closing.take(), batch.held.take());
        if closing.is_some() {
            break;
        }
    }
    if let Err(error) = transaction.close().await {
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
    /// Brief changes, and whether each fitted.
    briefs: Vec<(BriefAnswer, bool)>,
    closing: Option<oneshot::Sender<()>>,
    /// The next one's first: it must be on disk, and this transaction does not wait for that.
    held: Option<Request>,
}

impl Batch {
    /// Keeps the answer to a brief change that was made, or not.
    fn keep(&mut self, answer: BriefAnswer, done: Result<bool, sqlx::Error>) -> Result<(), sqlx::Error> {
        self.briefs.push((answer, matches!(done, Ok(true))));
        done.map(drop)
    }

    async fn run(
        &mut self,
        transaction: &mut Transaction,
        first: Request,
        waiting: &mut mpsc::Receiver<Request>,
    ) -> Result<(), sqlx::Error> {
        let durable = !matches!(first, Request::Lazy(_));
        let begun = transaction.begin(durable).await;
        let taken = self.take_all(transaction, first, waiting, (begun.is_ok(), durable)).await;
        begun?;
        match taken {
            Ok(()) => transaction.commit().await,
            Err(error) => {
                transaction.roll_back().await;
                Err(error)
            }
        }
    }

    /// Runs the first request and whatever else is waiting, for a while. When there is no transaction (`usable`), the
    /// first is only kept for its answer.
    async fn take_all(
        &mut self,
        transaction: &mut Transaction,
        first: Request,
        waiting: &mut mpsc::Receiver<Request>,
        (usable, durable): (bool, bool),
    ) -> Result<(), sqlx::Error> {
        let (begun, mut taken, mut next) = (Instant::now(), 0, Some(first));
        while let Some(request) = next {
            match request {
                request @ (Request::Change(_) | Request::Brief(..) | Request::Step(_) | Request::Close(_))
                    if !durable =>
                {
                    self.held = Some(request);
                    break;
                }
                Request::Change(change) | Request::Lazy(change) => {
                    self.changes.push(change);
                    if let Some(change) = self.changes.last_mut().filter(|_| usable) {
                        transaction.apply(change.as_mut()).await?;
                    }
                }
                Request::Brief(brief, answer) => {
                    let done = if usable { transaction.run_within(&brief).await } else { Ok(false) };
                    self.keep(answer, done)?;
                }
                Request::Step(step) => self.steps.push(step),
                Request::Close(done) => self.closing = Some(done),
            }
            taken += 1;
            let more = usable && self.closing.is_none() && taken < BATCH && begun.elapsed() < LONGEST;
            next = if more { waiting.try_recv().ok() } else { None };
        }
        if usable { self.take_steps(transaction).await } else { Ok(()) }
    }

    /// Writes the gathered steps. They are of callers that all wait, so their order among each other is free.
    async fn take_steps(&mut self, transaction: &mut Transaction) -> Result<(), sqlx::Error> {
        for kind in StepKind::ALL {
            let these = self.steps.extract_if(.., |waiting| waiting.step.kind() == kind).collect::<Vec<_>>();
            if these.is_empty() {
                continue;
            }
            let steps: Vec<_> = these.iter().map(|waiting| &waiting.step).collect();
            let results = transaction.take(kind, &steps).await;
            let (answers, lost) = match results {
                Ok(results) => (results, Ok(())),
                // Their answer is the transaction's failure.
                Err(error) => (these.iter().map(|_| Ok(())).collect(), Err(error)),
            };
            self.answers.extend(these.into_iter().map(|waiting| waiting.answer).zip(answers));
            lost?;
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
        let stands = || failure.clone().map_or(Ok(()), |why| Err(LedgerError::Unavailable(why)));
        // A caller that went away does not need its answer.
        for (answer, result) in self.answers.drain(..) {
            let _ = answer.send(result.and_then(|()| stands()));
        }
        for (answer, done) in self.briefs.drain(..) {
            let _ = answer.send(stands().map(|()| done));
        }
        for waiting in self.steps.drain(..) {
            let _ = waiting.answer.send(stands());
        }
    }
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

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::super::sql;
    use super::*;

    async fn text(writer: &Writer, text: &'static str) -> Result<(), LedgerError> {
        let change = writer.run(move |connection| Box::pin(async move { Ok(sql::execute(connection, text).await?) }));
        change.await
    }

    async fn rows(writer: &Writer) -> i64 {
        let count = writer.run(|connection| {
            Box::pin(async move {
                let query = sqlx::query_scalar("SELECT COUNT(*) FROM kept");
                query.fetch_one(connection).await.map_err(LedgerError::from)
            })
        });
        count.await.unwrap()
    }

    async fn small_disk() -> Writer {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for text in ["CREATE TABLE kept (x BLOB) STRICT", "PRAGMA max_page_count = 20"] {
            sql::execute(&mut connection, text).await.unwrap();
        }
        Writer::spawn(connection).unwrap()
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_for_what_did_not_fit_and_not_the_end() {
        let writer = small_disk().await;
        let changes = (0..30).map(|number| {
            let big = number % 10 == 5;
            text(
                &writer,
                if big {
                    "INSERT INTO kept VALUES (zeroblob(1000000))"
                } else {
                    "INSERT INTO kept VALUES (randomblob(8))"
                },
            )
        });
        let done = futures::future::join_all(changes).await;
        let kept = done.iter().filter(|done| done.is_ok()).count();
        assert!(done.iter().all(|done| done.is_ok() || matches!(done, Err(LedgerError::Unavailable(_)))), "{done:?}");
        assert!(kept <= 27);
        assert_eq!(rows(&writer).await, kept as i64, "what was answered is there and nothing else");
        text(&writer, "INSERT INTO kept VALUES (randomblob(8))").await.unwrap();
    }

    #[tokio::test]
    async fn a_change_that_fails_half_way_leaves_nothing() {
        let writer = small_disk().await;
        let half = || {
            writer.run(|connection| {
                Box::pin(async move {
                    sql::execute(connection, "INSERT INTO kept VALUES (randomblob(8))").await?;
                    Err::<(), _>(LedgerError::Corrupt("half way".to_owned()))
                })
            })
        };
        let whole = || text(&writer, "INSERT INTO kept VALUES (randomblob(8))");
        let done = tokio::join!(whole(), half(), whole(), half(), half(), whole());
        assert!(done.0.is_ok() && done.2.is_ok() && done.5.is_ok());
        assert!(matches!((done.1, done.3, done.4), (Err(LedgerError::Corrupt(_)), Err(_), Err(_))));
        assert_eq!(rows(&writer).await, 3);
    }

    #[tokio::test]
    async fn a_change_of_a_caller_that_went_away_is_still_made() {
        let writer = small_disk().await;
        let mut change = Box::pin(text(&writer, "INSERT INTO kept VALUES (randomblob(8))"));
        assert!(futures::poll!(&mut change).is_pending());
        drop(change);
        assert_eq!(rows(&writer).await, 1);
    }

    fn dies() -> LedgerError {
        std::panic::resume_unwind(Box::new("as the test asked"))
    }

    #[tokio::test]
    async fn a_panic_in_a_change_ends_the_writer_and_is_noticed() {
        let writer = small_disk().await;
        assert!(futures::poll!(std::pin::pin!(writer.ended())).is_pending());
        let change = writer.run(|_| Box::pin(async { Err::<(), _>(dies()) }));
        assert!(matches!(change.await, Err(LedgerError::Unavailable(_))));
        writer.ended().await;
        assert!(matches!(text(&writer, "SELECT 1").await, Err(LedgerError::Unavailable(_))));
    }
}
