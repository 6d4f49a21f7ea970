//! The ledger and the area in SQL: here SQLite, embedded.
//!
//! One writer, on a thread of its own, has the one connection that writes. It takes what is waiting, runs it in one
//! transaction, and answers every caller after COMMIT: a thousand small changes cost one sync of the disk. Readers have
//! connections of their own (write-ahead log) and see what was committed before they asked.
//!
//! Invariants: every change is on disk before its call returns, but for that an upload begins; a change that fails is
//! undone alone; a claim and the file's place in the tree change in one transaction. SQL is in `sql.rs`, dialect in its
//! last section.

mod activations;
mod aftermath;
mod alarms;
mod answers;
mod area;
mod attachments;
mod bans;
mod batches;
mod brief;
mod bystander;
mod calls;
mod expected;
mod failure;
mod findings;
mod held;
mod instances;
mod items;
mod orders;
mod partners;
mod progress;
mod receipts;
mod record;
mod replays;
mod rows;
mod schedules;
mod sequences;
mod shares;
mod shipments;
mod sightings;
mod small_blobs;
mod sources;
mod sql;
mod steps;
mod subscriptions;
mod takes;
mod timetable;
mod transaction;
mod transfers;
mod writer;

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqlSafeStr, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use crate::ports::LedgerError;

use self::brief::Brief;
pub use self::bystander::Bystander;
pub use self::orders::{Order, Ordered, Said, order};
pub use self::partners::{Change, amend, read_file, remove_file};
pub use self::record::{Record, Wanted};
pub use self::replays::{Replay, Replayed, replay, reprint};
pub use self::subscriptions::ListedSubscription;
use self::writer::Writer;

/// The embedded ledger; clones share its connections.
#[derive(Debug, Clone)]
pub struct SqliteLedger {
    writer: Writer,
    readers: SqlitePool,
    /// Held by the one shipment whose items are being sorted: a long sort takes a reader, and partners wait for the others.
    sorting: Arc<Mutex<()>>,
}

impl SqliteLedger {
    /// Opens the ledger in the file, made for the owner only where it is missing, and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        keep_private(path).map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        let options = options(path);
        let mut connection = options.clone().connect().await?;
        migrate(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        let writer = Writer::spawn(connection).map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        Ok(Self { writer, readers, sorting: Arc::default() })
    }

    /// Finishes what was asked for, folds the log into the file and closes it; later calls fail.
    pub async fn close(&self) {
        // The last connection to close folds the log in, and readers may not write.
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Waits until nothing can be written any more: after [`Self::close`], or when the writer has died.
    pub async fn ended(&self) {
        self.writer.ended().await;
    }

    /// Runs a change in the next transaction and answers after its COMMIT.
    async fn write<T, E, F>(&self, change: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        self.writer.run(change).await
    }

    /// Runs a change that a crash of the machine may undo until a later one is on disk.
    async fn write_lazily<T, E, F>(&self, change: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        self.writer.run_lazily(change).await
    }

    /// Makes a brief change in the next transaction and answers after its COMMIT; `false` when it did not fit.
    async fn write_briefly(&self, change: Brief) -> Result<bool, LedgerError> {
        self.writer.run_briefly(change).await
    }

    async fn reader(&self) -> Result<PoolConnection<Sqlite>, LedgerError> {
        Ok(self.readers.acquire().await?)
    }
}

/// Opens the ledger beside the gateway that works with it: it must be there, and nothing is brought up to date.
async fn beside(path: &Path) -> Result<SqliteConnection, LedgerError> {
    Ok(options(path).create_if_missing(false).connect().await?)
}

/// Makes a change beside the gateway, in one transaction; what `keeps` does not want leaves no trace, nor does a failure.
async fn change_beside<T, E: From<LedgerError>>(
    path: &Path,
    keeps: impl FnOnce(&T) -> bool,
    change: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E> {
    let mut connection = beside(path).await?;
    sql::execute(&mut connection, sql::BEGIN).await.map_err(LedgerError::from)?;
    let made = change(&mut connection).await;
    let end = if made.as_ref().is_ok_and(keeps) { sql::COMMIT } else { sql::ROLLBACK };
    sql::execute(&mut connection, end).await.map_err(LedgerError::from)?;
    connection.close().await.map_err(LedgerError::from)?;
    made
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // The whole gateway lives in 64 MiB: small caches, sorts on disk, nothing mapped.
        .pragma("cache_size", CACHE_KIB)
        .pragma("temp_store", "FILE")
        .pragma("mmap_size", "0")
        .pragma("journal_size_limit", LOG_BYTES)
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS)
        .disable_statement_logging()
}

/// The file refers to every partner's files: its owner alone reads it. The log beside it takes the same mode.
fn keep_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    run(connection, MIGRATIONS).await
}

async fn run(connection: &mut SqliteConnection, migrations: &[(i64, &str, &'static str)]) -> Result<(), LedgerError> {
    let migrations = migrations.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).to_owned().into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    migrator.run_direct(None, connection, false).await.map_err(|error| LedgerError::Unavailable(error.to_string()))
}

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "ledger", include_str!("migrations/0001_ledger.sql")),
    (2, "receipts", include_str!("migrations/0002_receipts.sql")),
    (3, "formats", include_str!("migrations/0003_formats.sql")),
    (4, "sequences", include_str!("migrations/0004_sequences.sql")),
    (5, "batches", include_str!("migrations/0005_batches.sql")),
    (6, "drop_box", include_str!("migrations/0006_drop_box.sql")),
    (7, "bans", include_str!("migrations/0007_bans.sql")),
    (8, "schedules", include_str!("migrations/0008_schedules.sql")),
    (9, "orders", include_str!("migrations/0009_orders.sql")),
    (10, "sources", include_str!("migrations/0010_sources.sql")),
    (11, "small_blobs", include_str!("migrations/0011_small_blobs.sql")),
    (12, "partners", include_str!("migrations/0012_partners.sql")),
    (13, "aftermath", include_str!("migrations/0013_aftermath.sql")),
    (14, "held", include_str!("migrations/0014_held.sql")),
    (15, "transfers", include_str!("migrations/0015_transfers.sql")),
    (16, "soap", include_str!("migrations/0016_soap.sql")),
    (17, "turns", include_str!("migrations/0017_turns.sql")),
    (18, "fanout", include_str!("migrations/0018_fanout.sql")),
    (19, "instances", include_str!("migrations/0019_instances.sql")),
    (20, "usage", include_str!("migrations/0020_usage.sql")),
    (21, "small_uploads", include_str!("migrations/0021_small_uploads.sql")),
    (22, "doubt", include_str!("migrations/0022_doubt.sql")),
    (23, "key_owners", include_str!("migrations/0023_key_owners.sql")),
    (24, "login_owners", include_str!("migrations/0024_login_owners.sql")),
    (25, "claimed_instances", include_str!("migrations/0025_claimed_instances.sql")),
];
const READERS: u32 = 3;
const STATEMENTS: usize = 64;
/// Rows read ahead: each hand-over between threads costs more than reading a row.
const ROWS: usize = 256;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const CACHE_KIB: &str = "-2048";
const LOG_BYTES: &str = "67108864";

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use crate::model::{AmendedLogin, Amendments, LoginKey, PartnerId, ReceiptKind, ShipmentId};
    use crate::ports::Ledger as _;

    use super::*;

    #[tokio::test]
    async fn items_of_a_batch_are_given_up_together() {
        const ITEMS: i64 = 10_050;
        let dir = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
        let id = ShipmentId::new();
        let filled = ledger.write(move |connection| {
            Box::pin(async move {
                let shipment = "INSERT INTO shipments (seq, id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage) \
                     VALUES (7, $1, 'etat', 'inbox', 'a.xml', $1, 5, 0, 1000, 1)";
                sqlx::query(shipment).bind(rows::uuid(&id.0)).execute(&mut *connection).await?;
                let items = "WITH RECURSIVE counted (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM counted \
                     WHERE value < $1) INSERT INTO items (shipment, number, part, kind, key, range_start, range_end, group_start, \
                     group_end, line, col, senders_reference, state, batch) SELECT 7, value, 0, 0, zeroblob(16), 0, 0, 0, 0, \
                     1, 1, '', 0, CASE WHEN value > 9950 THEN 1 END FROM counted";
                sqlx::query(items).bind(ITEMS).execute(&mut *connection).await?;
                let batch = "INSERT INTO batches (shipment, number, key, first_item, last_item, size) \
                     VALUES (7, 1, zeroblob(16), 9951, 10050, 100)";
                sqlx::query(batch).execute(&mut *connection).await?;
                items::fail_some(connection, id, crate::model::ItemState::Ready, crate::codes::UNREACHABLE).await
            })
        });
        assert!(filled.await.unwrap());
        assert_eq!(ledger.tally(id).await.unwrap().failed, ITEMS as u64, "all at once, though more than usual");
        ledger.close().await;
    }

    /// The amendments of a ledger that had these rows before a migration.
    async fn amendments_of_before(migration: i64, rows: &[&'static str]) -> Amendments {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        let mut connection = options(&path).create_if_missing(true).connect().await.unwrap();
        let before: Vec<_> = MIGRATIONS.iter().copied().filter(|(version, ..)| *version < migration).collect();
        run(&mut connection, &before).await.unwrap();
        for row in rows {
            sqlx::query(*row).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        SqliteLedger::open(&path).await.unwrap().close().await;
        let mut record = Record::open(&path).await.unwrap();
        let amendments = record.amendments().await.unwrap();
        record.close().await.unwrap();
        amendments
    }

    #[tokio::test]
    async fn keys_of_an_older_ledger_are_those_of_whom_they_were_said() {
        let rows = [
            "INSERT INTO login_keys VALUES ('nightly', 'ssh-ed25519 A', 'a', NULL), ('nightly', 'ssh-ed25519 AB', 'b', 1000), \
             ('weekly', 'ssh-ed25519 A', 'a', NULL), ('nobody', 'ssh-ed25519 A', 'a', NULL)",
            "INSERT INTO logins VALUES ('weekly', 'etat', NULL)",
            "INSERT INTO audit (at, who, what, partner, detail, reason) VALUES \
             (1, 'k', 'key added', 'skatt', 'nightly: ssh-ed25519 AB', ''), (2, 'k', 'key added', 'lovisa', 'nightly: ssh-ed25519 A', ''), \
             (3, 'k', 'key given a last moment', 'etat', 'nightly: ssh-ed25519 AB until 1970-01-01T00:00:01Z', '')",
        ];
        let keys = amendments_of_before(23, &rows).await.keys;
        let owners: Vec<_> = keys
            .iter()
            .map(|owned| (owned.partner.as_str(), owned.key.user.as_str(), owned.key.comment.as_str()))
            .collect();
        assert_eq!(owners, [("etat", "nightly", "b"), ("etat", "weekly", "a"), ("lovisa", "nightly", "a")]);
    }

    #[tokio::test]
    async fn logins_of_an_older_ledger_are_told_from_passwords_of_the_configurations() {
        let rows = [
            "INSERT INTO logins VALUES ('nightly', 'etat', 'h'), ('weekly', 'etat', 'h'), ('moved', 'etat', NULL)",
            "INSERT INTO audit (at, who, what, partner, detail, reason) VALUES (1, 'k', 'login added', 'etat', 'weekly', ''), \
             (2, 'k', 'login added', 'lovisa', 'moved', ''), (3, 'k', 'password set', 'etat', 'nightly', '')",
        ];
        let logins = amendments_of_before(24, &rows).await.logins;
        let added: Vec<_> = logins.iter().map(|login| (login.user.as_str(), login.is_added)).collect();
        assert_eq!(added, [("moved", false), ("nightly", false), ("weekly", true)]);
        assert!(logins.iter().all(|login| login.in_place_of.is_none() && login.partner.as_str() == "etat"));
    }

    #[tokio::test]
    async fn a_login_that_is_made_anew_is_opened_by_nothing_of_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        SqliteLedger::open(&path).await.unwrap().close().await;
        let said = Said { who: "kari".into(), reason: "r".into(), now: jiff::Timestamp::from_second(9).unwrap() };
        let [etat, skatt] = ["etat", "skatt"].map(|id| id.parse::<PartnerId>().unwrap());
        let key = |key: &str| {
            let key = format!("ssh-ed25519 {key}");
            Change::SetKey(LoginKey { user: "nightly".into(), key, comment: String::new(), until: None })
        };
        let password = || Change::SetPassword { user: "nightly".into(), hash: "h".into(), in_place_of: [7; 32] };
        let login = || Change::AddLogin("nightly".into());
        // A key and a password of a login of the configuration, which is then taken away and made again by a command.
        assert!(amend(&path, &etat, &[key("A"), password()], &said).await.unwrap());
        assert!(amend(&path, &etat, &[login(), key("B")], &said).await.unwrap());
        assert!(!amend(&path, &etat, &[login()], &said).await.unwrap(), "it is there already");
        assert!(!amend(&path, &skatt, &[login()], &said).await.unwrap(), "it is etat's");
        assert!(amend(&path, &skatt, &[password()], &said).await.unwrap(), "the configuration may have moved it");
        let mut record = Record::open(&path).await.unwrap();
        let Amendments { logins, keys, .. } = record.amendments().await.unwrap();
        record.close().await.unwrap();
        let ends: Vec<_> = keys.iter().map(|owned| (owned.key.key.as_str(), owned.key.until)).collect();
        assert_eq!(ends, [("ssh-ed25519 A", Some(said.now)), ("ssh-ed25519 B", None)]);
        let found = |login: &AmendedLogin| {
            (login.partner.to_string(), login.password_hash.clone(), login.is_added, login.in_place_of)
        };
        let wanted =
            [("etat".to_owned(), None, true, None), ("skatt".to_owned(), Some("h".to_owned()), false, Some([7; 32]))];
        assert_eq!(logins.iter().map(found).collect::<Vec<_>>(), wanted);
    }

    #[tokio::test]
    async fn receipts_of_an_older_ledger_are_not_placed_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, id) = (dir.path().join("ledger.sqlite"), ShipmentId::new());
        let mut connection = options(&path).create_if_missing(true).connect().await.unwrap();
        run(&mut connection, &MIGRATIONS[..1]).await.unwrap();
        let shipment = "INSERT INTO shipments (seq, id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage) \
             VALUES (7, $1, 'etat', 'inbox', 'a.xml', $1, 5, 0, 1000, 2)";
        sqlx::query(shipment).bind(rows::uuid(&id.0)).execute(&mut connection).await.unwrap();
        let receipt = "INSERT INTO receipts VALUES (7, 1, 'receipts', 'a.final.xml', 9, 2000)";
        sqlx::query(receipt).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let ledger = SqliteLedger::open(&path).await.unwrap();
        assert!(ledger.has_receipt(id, ReceiptKind::Final).await.unwrap());
        assert!(!ledger.has_receipt(id, ReceiptKind::Accepted).await.unwrap());
        let later = jiff::Timestamp::from_second(60).unwrap();
        assert_eq!(ledger.expire(later, later, 9).await.unwrap().len(), 1);
        let mut record = Record::open(&path).await.unwrap();
        assert_eq!(record.receipts_of([0; 32]).await.unwrap(), []);
        assert_eq!(record.receipts(id).await.unwrap().len(), 1);
        record.close().await.unwrap();
        ledger.close().await;
    }
}
