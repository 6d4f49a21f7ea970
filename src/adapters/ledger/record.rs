//! The ledger of a file to read in, for who stands beside the gateway.

use std::path::Path;

use jiff::Timestamp;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::model::{
    Amendments, AreaPath, AuditRow, BlobId, Item, ItemState, Node, OutcomeCount, PartnerId, Share, Shipment,
    ShipmentId, Stage, Tally,
};
use crate::ports::{Event, KnownReceipt, LedgerError, Usage};

use super::rows::{int, stage_number};
use super::subscriptions::{self, ListedSubscription};
use super::{area, items, partners, progress, receipts, rows, shares, shipments, small_blobs, sql};

/// A ledger that may belong to a running gateway: nothing is written and nothing is brought up to date.
#[derive(Debug)]
pub struct Record {
    connection: SqliteConnection,
}

/// Which shipments are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of one partner only.
    pub partner: Option<PartnerId>,
    /// At these stages only; empty means all.
    pub stages: Vec<Stage>,
    /// At most so many, the latest claimed.
    pub limit: u32,
}

impl Record {
    /// Opens the ledger in the file.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let options = super::options(path).create_if_missing(false).pragma("query_only", "ON");
        Ok(Self { connection: options.connect().await? })
    }

    /// Ends the reading.
    pub async fn close(self) -> Result<(), LedgerError> {
        Ok(self.connection.close().await?)
    }

    /// When a shipment whose items are on their way is expected to be through.
    pub async fn expected_end(&mut self, id: ShipmentId) -> Result<Option<Timestamp>, LedgerError> {
        progress::expected_end(&mut self.connection, id).await
    }

    /// The latest shipments among those wanted, the latest first.
    pub async fn latest(&mut self, wanted: &Wanted) -> Result<Vec<Shipment>, LedgerError> {
        let all = [Stage::Claimed, Stage::Judged, Stage::Receipted];
        let stages = if wanted.stages.is_empty() { all.as_slice() } else { &wanted.stages };
        let set = stages.iter().fold(0_i64, |set, stage| set | 1 << stage_number(*stage));
        let query = sqlx::query(sql::LATEST)
            .bind(wanted.partner.as_ref().map(PartnerId::as_str))
            .bind(set)
            .bind(i64::from(wanted.limit));
        query.fetch_all(&mut self.connection).await?.iter().map(rows::shipment).collect()
    }

    /// The shipments whose id ends with the hex digits; dashes do not count, nor does the letters' case. At most two are
    /// returned: one more than a name may have.
    pub async fn ending_with(&mut self, digits: &str) -> Result<Vec<Shipment>, LedgerError> {
        let digits = digits.replace('-', "").to_ascii_uppercase();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let query = sqlx::query(sql::ENDING_WITH).bind(int(digits.len() as u64)).bind(digits);
        query.fetch_all(&mut self.connection).await?.iter().map(rows::shipment).collect()
    }

    /// Subscriptions, the next to come round first; in force, or all.
    pub async fn subscriptions(
        &mut self,
        partner: Option<&PartnerId>,
        all: bool,
        limit: u32,
    ) -> Result<Vec<ListedSubscription>, LedgerError> {
        subscriptions::listed(&mut self.connection, partner, (all, limit)).await
    }

    /// What of a shipment goes to further receivers.
    pub async fn shares(&mut self, id: ShipmentId) -> Result<Vec<Share>, LedgerError> {
        shares::of(&mut self.connection, id).await
    }

    /// How many items of a shipment have no final outcome yet, counted at each of its receivers.
    pub async fn open_items(&mut self, id: ShipmentId) -> Result<u64, LedgerError> {
        let row = sqlx::query(sql::OPEN_ITEMS).bind(rows::uuid(&id.0)).fetch_one(&mut self.connection).await?;
        rows::count(&row, "n")
    }

    /// Items of a shipment by state.
    pub async fn tally(&mut self, id: ShipmentId) -> Result<Tally, LedgerError> {
        items::tally(&mut self.connection, id).await
    }

    /// Items of a shipment by part, state and code.
    pub async fn outcomes(&mut self, id: ShipmentId) -> Result<Vec<OutcomeCount>, LedgerError> {
        items::outcomes(&mut self.connection, id).await
    }

    /// Items in order of number, after a given number; `states` empty means all.
    pub async fn items(
        &mut self,
        id: ShipmentId,
        states: &[ItemState],
        after: u64,
        limit: u32,
    ) -> Result<Vec<Item>, LedgerError> {
        items::page(&mut self.connection, id, states, after, limit).await
    }

    /// History of a shipment, oldest first.
    pub async fn events(&mut self, id: ShipmentId) -> Result<Vec<Event>, LedgerError> {
        shipments::events(&mut self.connection, id).await
    }

    /// The files of receipts that were placed for a shipment, in the order they came.
    pub async fn receipts(&mut self, id: ShipmentId) -> Result<Vec<KnownReceipt>, LedgerError> {
        receipts::of_shipment(&mut self.connection, id).await
    }

    /// What was said of partners beside the configuration.
    pub async fn amendments(&mut self) -> Result<Amendments, LedgerError> {
        partners::amendments(&mut self.connection).await
    }

    /// The last things operators did, newest first.
    pub async fn audited(&mut self, partner: Option<&PartnerId>, limit: u32) -> Result<Vec<AuditRow>, LedgerError> {
        partners::audited(&mut self.connection, partner, limit).await
    }

    /// Files of a partner's directory in order of name, after a given name.
    pub async fn files(
        &mut self,
        partner: &PartnerId,
        dir: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Node>, LedgerError> {
        area::list(&mut self.connection, partner, dir, after, limit).await
    }

    /// One file of a partner's.
    pub async fn file(&mut self, partner: &PartnerId, path: &AreaPath) -> Result<Option<Node>, LedgerError> {
        area::stat(&mut self.connection, partner, path).await
    }

    /// The bytes of a small file; `None` when they are in the blob store.
    pub async fn small_blob(&mut self, id: BlobId) -> Result<Option<Vec<u8>>, LedgerError> {
        small_blobs::get(&mut self.connection, id).await
    }

    /// Bytes and files a partner's area holds.
    pub async fn usage(&mut self, partner: &PartnerId) -> Result<Usage, LedgerError> {
        area::usage(&mut self.connection, partner).await
    }

    /// The files of receipts with the given SHA-256 that were placed.
    pub async fn receipts_of(&mut self, sha256: [u8; 32]) -> Result<Vec<KnownReceipt>, LedgerError> {
        receipts::of_hash(&mut self.connection, sha256).await
    }
}
