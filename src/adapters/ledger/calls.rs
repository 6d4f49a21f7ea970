//! The ledger's calls: which connection each uses, and what it runs there.

use async_trait::async_trait;
use futures::TryStreamExt;
use jiff::Timestamp;

use crate::model::{
    Batch, BlobId, Code, Finding, FindingGroup, HeldUp, Item, ItemState, NewAttachment, NewItem, News, Note, Orders,
    Outcome, OutcomeCount, PartnerId, ReceiptKind, RouteName, ScratchId, Share, Shipment, ShipmentId, Stage, Tally,
    Verdict, WorkerId,
};
use crate::ports::{
    Counts, Event, Intent, KnownReceipt, Ledger, LedgerError, NextNumber, PlacedReceipt, Placing, RecordedVerdict,
    SequenceStand, SequenceUse, Taking, Told,
};

use super::shipments::Ruling;
use super::steps::Step;
use super::{
    SqliteLedger, aftermath, attachments, batches, findings, items, orders, receipts, replays, rows, sequences, shares,
    shipments, sql,
};

#[async_trait]
impl Ledger for SqliteLedger {
    async fn lease(
        &self,
        stage: Stage,
        worker: WorkerId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Shipment>, LedgerError> {
        self.write(move |connection| Box::pin(shipments::lease(connection, stage, worker, now, until))).await
    }

    async fn renew(&self, id: ShipmentId, worker: WorkerId, until: Timestamp) -> Result<bool, LedgerError> {
        self.write(move |connection| Box::pin(shipments::renew(connection, id, worker, until))).await
    }

    async fn release(&self, id: ShipmentId, worker: WorkerId, wake: Timestamp) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(shipments::release(connection, id, worker, wake))).await
    }

    async fn release_all(&self, except: Option<WorkerId>) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(shipments::release_all(connection, except))).await
    }

    async fn shipment(&self, id: ShipmentId) -> Result<Option<Shipment>, LedgerError> {
        shipments::shipment(&mut *self.reader().await?, id).await
    }

    async fn restart_judging(&self, id: ShipmentId) -> Result<(), LedgerError> {
        while self.write(move |connection| Box::pin(items::forget_some(connection, id))).await? {}
        Ok(())
    }

    async fn add_items(&self, id: ShipmentId, items: Vec<NewItem>) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { items::add(connection, id, &items).await })).await
    }

    async fn add_attachments(&self, id: ShipmentId, attachments: Vec<NewAttachment>) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { attachments::add(connection, id, &attachments).await }))
            .await
    }

    async fn attachments_of(
        &self,
        id: ShipmentId,
        reference: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, NewAttachment)>, LedgerError> {
        attachments::of_item(&mut *self.reader().await?, id, reference, after, limit).await
    }

    async fn loose_attachments(&self, id: ShipmentId, limit: u32) -> Result<Vec<NewAttachment>, LedgerError> {
        attachments::loose(&mut *self.reader().await?, id, limit).await
    }

    async fn add_findings(&self, id: ShipmentId, findings: Vec<Finding>) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { findings::add(connection, id, &findings).await })).await
    }

    async fn add_finding_groups(&self, id: ShipmentId, groups: Vec<FindingGroup>) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { findings::add_groups(connection, id, &groups).await })).await
    }

    async fn refuse_repeats(&self, id: ShipmentId, code: Code) -> Result<u64, LedgerError> {
        let _turn = self.sorting.lock().await;
        // The sort runs on a reader, so that others write meanwhile.
        let mut reader = self.reader().await?;
        let repeats = sqlx::query_scalar::<_, i64>(sql::REPEATS).bind(rows::uuid(&id.0)).fetch(&mut *reader);
        let mut chunks = repeats.try_chunks(REFUSE_AT_ONCE);
        let mut refused = 0;
        while let Some(numbers) = chunks.try_next().await.map_err(|lost| LedgerError::from(lost.1))? {
            let numbers = serde_json::Value::from(numbers).to_string();
            let change = self.write(move |connection| Box::pin(items::refuse(connection, id, code, numbers)));
            refused += change.await?;
        }
        Ok(refused)
    }

    async fn own_keys(&self, id: ShipmentId) -> Result<(), LedgerError> {
        let mut done = 0;
        while let Some(last) =
            self.write(move |connection| Box::pin(items::own_some_keys(connection, id, done))).await?
        {
            done = last;
        }
        Ok(())
    }

    async fn record_verdict(
        &self,
        id: ShipmentId,
        verdict: &Verdict,
        taking: &Taking,
        now: Timestamp,
    ) -> Result<RecordedVerdict, LedgerError> {
        let ruling = Ruling { id, verdict: verdict.clone(), taking: taking.clone(), now };
        self.write(move |connection| Box::pin(shipments::record_verdict(connection, ruling))).await
    }

    async fn next_numbers(&self, partner: &PartnerId) -> Result<Vec<NextNumber>, LedgerError> {
        sequences::next(&mut *self.reader().await?, partner).await
    }

    async fn sequence_stand(&self, id: ShipmentId, wanted: &SequenceUse) -> Result<SequenceStand, LedgerError> {
        sequences::stand(&mut *self.reader().await?, id, wanted).await
    }

    async fn hold(&self, id: ShipmentId, wanted: &SequenceUse, until: Timestamp) -> Result<(), LedgerError> {
        let wanted = wanted.clone();
        self.write(move |connection| Box::pin(async move { sequences::hold(connection, id, &wanted, until).await }))
            .await
    }

    async fn held_until(&self, id: ShipmentId, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        sequences::held_until(&mut *self.reader().await?, id, now).await
    }

    async fn fill_share(&self, id: ShipmentId) -> Result<(), LedgerError> {
        if shares::is_filling(&mut *self.reader().await?, id).await? {
            while self.write(move |connection| Box::pin(shares::fill_some(connection, id))).await? {}
        }
        Ok(())
    }

    async fn end_share(&self, id: ShipmentId, now: Timestamp) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(shares::end(connection, id, now))).await
    }

    async fn open_shares(&self, id: ShipmentId) -> Result<u64, LedgerError> {
        shares::open(&mut *self.reader().await?, id).await
    }

    async fn shares(&self, id: ShipmentId) -> Result<Vec<Share>, LedgerError> {
        shares::of(&mut *self.reader().await?, id).await
    }

    async fn orders(&self, id: ShipmentId) -> Result<Orders, LedgerError> {
        orders::of_shipment(&mut *self.reader().await?, id).await
    }

    async fn replayed_items(&self, id: ShipmentId, after: u64, limit: u32) -> Result<Vec<Item>, LedgerError> {
        replays::items(&mut *self.reader().await?, id, after, limit).await
    }

    async fn end_replay(&self, id: ShipmentId, now: Timestamp) -> Result<(), LedgerError> {
        while self.write(move |connection| Box::pin(replays::end_some(connection, id, now))).await? {}
        Ok(())
    }

    async fn replace_receipt(&self, receipt: &PlacedReceipt) -> Result<Vec<BlobId>, LedgerError> {
        let receipt = receipt.clone();
        self.write(move |connection| Box::pin(async move { receipts::place_again(connection, &receipt).await })).await
    }

    async fn has_earlier_unjudged(&self, id: ShipmentId) -> Result<bool, LedgerError> {
        sequences::has_earlier(&mut *self.reader().await?, id).await
    }

    async fn items(
        &self,
        id: ShipmentId,
        states: &[ItemState],
        after: u64,
        limit: u32,
    ) -> Result<Vec<Item>, LedgerError> {
        items::page(&mut *self.reader().await?, id, states, after, limit).await
    }

    async fn due_items(
        &self,
        id: ShipmentId,
        now: Timestamp,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Item>, LedgerError> {
        items::due(&mut *self.reader().await?, id, now, after, limit).await
    }

    async fn next_due(&self, id: ShipmentId) -> Result<Option<Timestamp>, LedgerError> {
        items::next_due(&mut *self.reader().await?, id).await
    }

    async fn intend(&self, intent: Intent) -> Result<(), LedgerError> {
        self.writer.step(Step::Intend(intent)).await
    }

    async fn conclude(&self, id: ShipmentId, number: u64, outcome: Outcome, now: Timestamp) -> Result<(), LedgerError> {
        self.writer.step(Step::Conclude { shipment: id, number, outcome, now }).await
    }

    async fn conclude_with(
        &self,
        id: ShipmentId,
        number: u64,
        outcome: Outcome,
        told: Told,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let step = Step::Conclude { shipment: id, number, outcome, now };
        if told == Told::default() {
            return self.writer.step(step).await;
        }
        self.write(move |connection| {
            Box::pin(async move { aftermath::conclude(connection, &step, (id, number), &told).await })
        })
        .await
    }

    async fn notes(&self, id: ShipmentId, first: u64, last: u64) -> Result<Vec<(u64, Note)>, LedgerError> {
        aftermath::notes(&mut *self.reader().await?, id, (first, last)).await
    }

    async fn add_batches(&self, id: ShipmentId, batches: Vec<Batch>) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { batches::add(connection, id, &batches).await })).await
    }

    async fn last_batch(&self, id: ShipmentId) -> Result<Option<Batch>, LedgerError> {
        batches::last(&mut *self.reader().await?, id).await
    }

    async fn due_batches(
        &self,
        id: ShipmentId,
        now: Timestamp,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(Batch, Item)>, LedgerError> {
        batches::due(&mut *self.reader().await?, id, now, after, limit).await
    }

    async fn held_up(&self) -> Result<Vec<HeldUp>, LedgerError> {
        batches::held_up(&mut *self.reader().await?).await
    }

    async fn intend_batch(&self, intent: Intent) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(batches::intend(connection, intent))).await
    }

    async fn conclude_batch(
        &self,
        id: ShipmentId,
        number: u64,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.write(move |connection| {
            Box::pin(async move { batches::conclude(connection, id, number, &outcome, now).await })
        })
        .await
    }

    async fn settle_preflight(&self, id: ShipmentId, code: Code) -> Result<(), LedgerError> {
        while self.write(move |connection| Box::pin(items::settle_some(connection, id, code))).await? {}
        Ok(())
    }

    async fn fail_open(&self, id: ShipmentId, state: ItemState, code: Code) -> Result<(), LedgerError> {
        while self.write(move |connection| Box::pin(items::fail_some(connection, id, state, code))).await? {}
        Ok(())
    }

    async fn tally(&self, id: ShipmentId) -> Result<Tally, LedgerError> {
        items::tally(&mut *self.reader().await?, id).await
    }

    async fn findings(&self, id: ShipmentId, skip: u64, limit: u32) -> Result<Vec<Finding>, LedgerError> {
        findings::page(&mut *self.reader().await?, id, skip, limit).await
    }

    async fn outcomes(&self, id: ShipmentId) -> Result<Vec<OutcomeCount>, LedgerError> {
        items::outcomes(&mut *self.reader().await?, id).await
    }

    async fn finding_groups(&self, id: ShipmentId, skip: u64, limit: u32) -> Result<Vec<FindingGroup>, LedgerError> {
        findings::groups(&mut *self.reader().await?, id, skip, limit).await
    }

    async fn has_receipt(&self, id: ShipmentId, kind: ReceiptKind) -> Result<bool, LedgerError> {
        receipts::has(&mut *self.reader().await?, id, kind).await
    }

    async fn place_receipt(&self, receipt: &PlacedReceipt) -> Result<Placing, LedgerError> {
        let receipt = receipt.clone();
        self.write(move |connection| Box::pin(async move { receipts::place(connection, &receipt).await })).await
    }

    async fn last_supplement(&self, id: ShipmentId) -> Result<u32, LedgerError> {
        receipts::last_supplement(&mut *self.reader().await?, id).await
    }

    async fn told(&self, id: ShipmentId, items: &[u64]) -> Result<Vec<News>, LedgerError> {
        receipts::told(&mut *self.reader().await?, id, items).await
    }

    async fn receipts_of(&self, sha256: [u8; 32]) -> Result<Vec<KnownReceipt>, LedgerError> {
        receipts::of_hash(&mut *self.reader().await?, sha256).await
    }

    async fn events(&self, id: ShipmentId) -> Result<Vec<Event>, LedgerError> {
        shipments::events(&mut *self.reader().await?, id).await
    }

    async fn count_up(&self, partner: &PartnerId, name: &str, by: i64) -> Result<i64, LedgerError> {
        let (partner, name) = (partner.clone(), name.to_owned());
        self.write(move |connection| {
            Box::pin(async move { shipments::count_up(connection, &partner, &name, by).await })
        })
        .await
    }

    async fn counts(&self) -> Result<Counts, LedgerError> {
        shipments::counts(&mut *self.reader().await?).await
    }

    async fn overdue(
        &self,
        claimed_before: Timestamp,
        without: &[RouteName],
        limit: u32,
    ) -> Result<Vec<Shipment>, LedgerError> {
        shipments::overdue(&mut *self.reader().await?, claimed_before, without, limit).await
    }

    async fn expire(
        &self,
        receipted_before: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<BlobId>, LedgerError> {
        self.write(move |connection| Box::pin(receipts::expire(connection, receipted_before, now, limit))).await
    }

    async fn referenced(
        &self,
        blobs: &[BlobId],
        scratches: &[ScratchId],
    ) -> Result<(Vec<BlobId>, Vec<ScratchId>), LedgerError> {
        let mut reader = self.reader().await?;
        let ids = blobs.iter().map(|id| id.0);
        let blobs = shipments::referenced(&mut reader, sql::REFERENCED_BLOBS, ids).await?;
        let ids = scratches.iter().map(|id| id.0);
        let scratches = shipments::referenced(&mut reader, sql::REFERENCED_SCRATCHES, ids).await?;
        Ok((blobs.into_iter().map(BlobId).collect(), scratches.into_iter().map(ScratchId).collect()))
    }
}

/// Repeats refused in one change.
const REFUSE_AT_ONCE: usize = 1_024;

#[cfg(test)]
mod tests {
    use crate::codes;
    use crate::ports::Area as _;

    use super::*;

    #[tokio::test]
    async fn sorts_wait_for_each_other_and_leave_the_readers_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
        let turn = ledger.sorting.clone().lock_owned().await;
        let sort = || ledger.refuse_repeats(ShipmentId::new(), codes::REPEATED_ITEM);
        let mut sorts: Vec<_> = (0..4).map(|_| sort()).collect();
        for sort in &mut sorts {
            assert!(futures::poll!(sort).is_pending());
        }
        assert_eq!(ledger.readers.size() as usize, ledger.readers.num_idle(), "none waits with a reader in its hand");
        ledger.usage(&"etat".parse().unwrap()).await.unwrap();
        drop(turn);
        for refused in futures::future::join_all(sorts).await {
            assert_eq!(refused.unwrap(), 0);
        }
    }
}
