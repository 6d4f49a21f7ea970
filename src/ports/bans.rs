//! Addresses that are kept out for a while.

use std::net::IpAddr;

use async_trait::async_trait;
use jiff::Timestamp;

use super::LedgerError;

/// An address that is, or was, kept out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Which.
    pub address: IpAddr,
    /// Until when.
    pub until: Timestamp,
    /// How often it has been banned, this time included.
    pub times: u32,
}

/// Bans outlive a restart: who guesses passwords does not begin anew then.
#[async_trait]
pub trait Bans: Send + Sync {
    /// Records a ban in place of an earlier one of the address.
    async fn ban(&self, ban: &Ban) -> Result<(), LedgerError>;

    /// Bans that end, or ended, after the moment.
    async fn bans_after(&self, moment: Timestamp) -> Result<Vec<Ban>, LedgerError>;
}
