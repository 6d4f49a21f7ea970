//! Partners as operators amended them.

use async_trait::async_trait;

use super::LedgerError;
use crate::model::Amendments;

/// What the ledger says of partners beside the configuration.
#[async_trait]
pub trait Partners: Send + Sync {
    /// A number that grows with every change, so that a look costs little.
    async fn amended(&self) -> Result<u64, LedgerError>;

    /// Everything that was said.
    async fn amendments(&self) -> Result<Amendments, LedgerError>;
}
