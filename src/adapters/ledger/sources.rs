//! The calls about sources: which connection each uses, and what it runs there.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{SqliteLedger, answers, sightings, takes};
use crate::model::{AreaPath, Code, ScratchId, ShipmentId, Sighting, Stamp, TakeOrder, Tried, Wait, WorkerId};
use crate::ports::{DueReceipt, LedgerError, LookEnd, ReceiptEnd, Seen, SourceStand, Sources, Take, TakeClaim};

#[async_trait]
impl Sources for SqliteLedger {
    async fn lease_source(
        &self,
        source: &str,
        worker: WorkerId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, LedgerError> {
        let source = source.to_owned();
        self.write(move |connection| {
            Box::pin(async move { sightings::lease(connection, &source, worker, now, until).await })
        })
        .await
    }

    async fn source(&self, source: &str) -> Result<SourceStand, LedgerError> {
        sightings::stand(&mut *self.reader().await?, source).await
    }

    async fn begin_look(&self, source: &str, now: Timestamp) -> Result<u64, LedgerError> {
        let source = source.to_owned();
        self.write(move |connection| Box::pin(async move { sightings::begin_look(connection, &source, now).await }))
            .await
    }

    async fn look_by(&self, source: &str, at: Timestamp) -> Result<(), LedgerError> {
        let source = source.to_owned();
        self.write(move |connection| Box::pin(async move { sightings::look_by(connection, &source, at).await })).await
    }

    async fn end_look(&self, source: &str, end: &LookEnd) -> Result<(), LedgerError> {
        let (source, end) = (source.to_owned(), end.clone());
        self.write(move |connection| Box::pin(async move { sightings::end_look(connection, &source, &end).await }))
            .await
    }

    async fn see(&self, source: &str, look: u64, now: Timestamp, seen: Vec<Seen>) -> Result<(), LedgerError> {
        let source = source.to_owned();
        self.write(move |connection| {
            Box::pin(async move { sightings::see(connection, &source, look, now, &seen).await })
        })
        .await
    }

    async fn forget_unseen(&self, source: &str, look: u64, now: Timestamp) -> Result<(), LedgerError> {
        let source = source.to_owned();
        self.write(move |connection| {
            Box::pin(async move { sightings::forget_unseen(connection, &source, look, now).await })
        })
        .await
    }

    async fn unready(&self, source: &str, after: &str, limit: u32) -> Result<Vec<Sighting>, LedgerError> {
        sightings::unready(&mut *self.reader().await?, source, after, limit).await
    }

    async fn stamps(&self, source: &str, look: u64, paths: Vec<String>) -> Result<HashMap<String, Stamp>, LedgerError> {
        sightings::stamps(&mut *self.reader().await?, source, look, paths).await
    }

    async fn set_waits(&self, source: &str, waits: Vec<(String, Wait)>) -> Result<(), LedgerError> {
        let source = source.to_owned();
        self.write(move |connection| Box::pin(async move { sightings::set_waits(connection, &source, waits).await }))
            .await
    }

    async fn turns(&self, source: &str, order: TakeOrder, limit: u32) -> Result<Vec<Sighting>, LedgerError> {
        sightings::turns(&mut *self.reader().await?, source, order, limit).await
    }

    async fn begin_take(
        &self,
        source: &str,
        worker: WorkerId,
        file: &Sighting,
        now: Timestamp,
    ) -> Result<Option<Take>, LedgerError> {
        let (source, path, stamp) = (source.to_owned(), file.path.clone(), file.stamp);
        self.write(move |connection| {
            Box::pin(async move { takes::begin(connection, (&source, worker), (&path, stamp), now).await })
        })
        .await
    }

    async fn open_takes(&self, source: &str, now: Timestamp, limit: u32) -> Result<Vec<Take>, LedgerError> {
        takes::open(&mut *self.reader().await?, source, now, limit).await
    }

    async fn fetched(&self, take: u64, scratch: ScratchId, bytes: u64) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(takes::fetched(connection, take, scratch, bytes))).await
    }

    async fn sighting(&self, source: &str, path: &str) -> Result<Option<Sighting>, LedgerError> {
        sightings::one(&mut *self.reader().await?, source, path).await
    }

    async fn put_back(
        &self,
        take: &Take,
        look: u64,
        tried: Option<Tried>,
        now: Timestamp,
    ) -> Result<Option<ScratchId>, LedgerError> {
        let take = take.clone();
        self.write(move |connection| {
            Box::pin(async move { takes::put_back(connection, &take, look, tried, now).await })
        })
        .await
    }

    async fn same_again(&self, take: &Take) -> Result<Option<ScratchId>, LedgerError> {
        let take = take.clone();
        self.write(move |connection| Box::pin(async move { takes::same_again(connection, &take).await })).await
    }

    async fn claim_take(&self, claim: &TakeClaim) -> Result<AreaPath, LedgerError> {
        let claim = claim.clone();
        self.write(move |connection| Box::pin(async move { takes::claim(connection, &claim).await })).await
    }

    async fn delay_take(&self, take: u64, until: Timestamp) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(takes::delay(connection, take, until))).await
    }

    async fn others_wait(&self, take: &Take, stem: &str) -> Result<bool, LedgerError> {
        sightings::others_wait(&mut *self.reader().await?, take, stem).await
    }

    async fn end_take(&self, take: &Take, is_gone: bool, now: Timestamp) -> Result<(), LedgerError> {
        let take = take.clone();
        self.write(move |connection| Box::pin(async move { takes::end(connection, &take, is_gone, now).await })).await
    }

    async fn due_receipts(&self, source: &str, now: Timestamp, limit: u32) -> Result<Vec<DueReceipt>, LedgerError> {
        answers::due(&mut *self.reader().await?, source, now, limit).await
    }

    async fn conclude_receipt(&self, receipt: &DueReceipt, end: ReceiptEnd) -> Result<(), LedgerError> {
        let (id, blob) = (receipt.id, receipt.blob);
        self.write(move |connection| Box::pin(answers::conclude(connection, (id, blob), end))).await
    }

    async fn foreseen(&self, shipment: ShipmentId) -> Result<Option<Code>, LedgerError> {
        takes::foreseen(&mut *self.reader().await?, shipment).await
    }
}
