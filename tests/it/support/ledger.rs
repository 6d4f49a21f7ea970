//! A connection of the test's own to the ledger of a gateway that may be at work.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

use super::gateway::PATIENCE;

/// Opens it; a statement waits for as long as a busy machine may keep the gateway in the middle of a transaction.
pub(crate) async fn beside(ledger: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(ledger).busy_timeout(PATIENCE).connect().await.unwrap()
}
