//! Taking one file, from the claim to the shipment; or putting it back.

use std::sync::Arc;
use std::time::Duration;

use super::fetch::Fetched;
use super::trouble::{Reach, Strike, backoff, guarded};
use super::{Taker, Trouble};
use crate::codes;
use crate::forward::after;
use crate::kill_point::kill_point;
use crate::model::{Code, ShipmentId, Sighting, Stamp, Tried, Wait};
use crate::ports::{StoreError, Take, TakeClaim, TakeStage};
use crate::sighting::{Checksum, Digests, Moment, find_checksum, inbox_name, numbered};
use crate::validate::{ReadThrough, read_through};

/// What is known of a file's checksum.
struct Expected {
    checksum: Checksum,
    file: Stamp,
}

/// What came of a file's turn.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Turn {
    /// It is ours, and a shipment.
    Taken,
    /// It was not ready after all; it may be after this time, where that is known.
    PutBack(Option<Duration>),
    /// Nothing, for now or because it was taken before.
    #[default]
    Passed,
}

/// Why a file is put back.
enum NotYet {
    /// It is another by now, or gone.
    Changed,
    /// This is missing.
    Missing(Wait, Option<Stamp>),
}

impl Taker {
    /// Takes a file whose turn it is. What fails of one file does not keep others waiting; where the line
    /// breaks, who asks decides ([`Strike`]).
    pub(super) async fn take(&self, file: &Sighting, at: &Moment) -> Result<Turn, Trouble> {
        let begun = self.ledger().begin_take(self.name(), self.house.worker, file, at.now).await?;
        let Some(take) = begun else { return Ok(Turn::Passed) };
        kill_point("source.take.begun");
        self.carry_on(take, file.taken, self.source.rules.readiness.is_over(file, at.now), at.look).await
    }

    /// Goes on with what was begun before: after a restart, or when something was in the way. Returns when one that was
    /// put back may be ready.
    pub(super) async fn go_on(&self, look: u64) -> Result<Option<Duration>, Trouble> {
        let mut soonest = None;
        let now = self.house.clock.now();
        let mut strike = Strike::default();
        for take in self.ledger().open_takes(self.name(), now, AT_ONCE).await? {
            let gone_on = match take.stage {
                TakeStage::Fetching => {
                    let known = self.ledger().sighting(self.name(), &take.path).await?;
                    let known = known.filter(|known| known.stamp == take.stamp);
                    let is_over = known.as_ref().is_some_and(|known| self.source.rules.readiness.is_over(known, now));
                    self.carry_on(take, known.and_then(|known| known.taken), is_over, look).await
                }
                TakeStage::Claimed => self.tidy(&take).await.map(|()| Turn::Passed),
                TakeStage::Done => Ok(Turn::Passed),
            };
            if let Turn::PutBack(again) = strike.pass(gone_on)? {
                soonest = soonest.into_iter().chain(again).min();
            }
        }
        Ok(soonest)
    }

    async fn carry_on(&self, take: Take, before: Option<[u8; 32]>, is_over: bool, look: u64) -> Result<Turn, Trouble> {
        match guarded(self.try_take(&take, before, is_over)).await {
            Ok(Ok(true)) => Ok(Turn::Taken),
            Ok(Ok(false)) => Ok(Turn::Passed),
            Ok(Err(not_yet)) => self.put_back(&take, not_yet, look).await.map(Turn::PutBack),
            Err(trouble @ Trouble::Store(_)) if trouble.is_of_all() => {
                self.delay(&take).await?;
                Err(trouble)
            }
            Err(trouble @ Trouble::Broke(_)) => {
                tracing::warn!(source = self.name(), take = take.id, %trouble, "a file comes in pieces");
                self.delay(&Take { attempts: 0, ..take }).await?;
                Ok(Turn::Passed)
            }
            Err(trouble @ (Trouble::Store(_) | Trouble::Disk(_) | Trouble::Lost(_) | Trouble::Panicked)) => {
                tracing::warn!(source = self.name(), take = take.id, %trouble, "a file is not taken for now");
                self.delay(&take).await?;
                self.tell_of_rest(Some((&trouble, take.attempts.saturating_add(1)))).await?;
                match trouble.reach() {
                    Some(Reach::Line) => Err(trouble),
                    Some(Reach::File | Reach::Store) | None => Ok(Turn::Passed),
                }
            }
            Err(trouble @ Trouble::Ledger(_)) => Err(trouble),
        }
    }

    pub(super) async fn delay(&self, take: &Take) -> Result<(), Trouble> {
        let until = after(self.house.clock.now(), backoff(take.attempts.saturating_add(1)));
        Ok(self.ledger().delay_take(take.id, until).await?)
    }

    async fn try_take(
        &self,
        take: &Take,
        before: Option<[u8; 32]>,
        is_over: bool,
    ) -> Result<Result<bool, NotYet>, Trouble> {
        let expected = match self.expected(take).await? {
            Ok(expected) => expected,
            Err(not_yet) => return Ok(Err(not_yet)),
        };
        let Some(fetched) = self.fetch(take).await? else { return Ok(Err(NotYet::Changed)) };
        // Of one that is too large there is only the beginning, which no checksum is of.
        let expected = expected.filter(|_| !fetched.is_cut);
        let wants_md5 = expected.as_ref().is_some_and(|expected| matches!(expected.checksum, Checksum::Md5(_)));
        let wants_end = self.source.rules.readiness.complete && !is_over && !fetched.is_cut;
        let blob = Arc::clone(&fetched.blob);
        let read = self.house.cores.run(move || read_through(blob.as_ref(), wants_md5, wants_end)).await??;
        let refusal = match weigh(&read, expected.as_ref(), is_over) {
            Ok(refusal) => refusal,
            Err(waits) => return Ok(Err(NotYet::Missing(waits, expected.map(|expected| expected.file)))),
        };
        // Where files are put away, one that comes with the same bytes comes again.
        if before == Some(read.sha256) && self.is_left(take) {
            let scratch = self.ledger().same_again(take).await?;
            self.discard(scratch).await;
            return Ok(Ok(false));
        }
        self.claim(take, &fetched, read.sha256, refusal).await?;
        Ok(Ok(true))
    }

    /// What the checksum file says of a file.
    async fn expected(&self, take: &Take) -> Result<Result<Option<Expected>, NotYet>, Trouble> {
        let Some(beside) = &self.source.rules.readiness.checksum else { return Ok(Ok(None)) };
        let path = beside.of(&take.path);
        let missing = |stamp| Ok(Err(NotYet::Missing(Wait::Checksum, stamp)));
        let Some(seen) = self.store.stat(&path).await? else { return missing(None) };
        let file = Stamp::new(seen.size_bytes, seen.modified);
        let text = match self.read_small(&path).await {
            Err(Trouble::Store(StoreError::NotFound)) => return missing(None),
            read => read?,
        };
        match find_checksum(&text, &path, &take.path, beside.is_own()) {
            Some(checksum) => Ok(Ok(Some(Expected { checksum, file }))),
            None => missing(Some(file)),
        }
    }

    /// Returns when it may be ready, where that is known.
    async fn put_back(&self, take: &Take, not_yet: NotYet, look: u64) -> Result<Option<Duration>, Trouble> {
        let now = self.house.clock.now();
        let (tried, again) = match not_yet {
            NotYet::Changed => (None, Some(CHANGED_REST)),
            NotYet::Missing(waits, checksum_file) => {
                tracing::info!(source = self.name(), take = take.id, why = waits.why(), "a file is left for now");
                let again = self.source.rules.readiness.patience_with(waits);
                (Some(Tried { at: now, waits, checksum_file }), again)
            }
        };
        let scratch = self.ledger().put_back(take, look, tried, now).await?;
        self.discard(scratch).await;
        Ok(again)
    }

    /// Seals the bytes and makes them a shipment; then the source is tidied up.
    async fn claim(
        &self,
        take: &Take,
        fetched: &Fetched,
        sha256: [u8; 32],
        refusal: Option<Code>,
    ) -> Result<(), Trouble> {
        let blob = self.seal(fetched).await?;
        kill_point("source.take.sealed");
        let (shipment, name) = (ShipmentId::new(), inbox_name(&take.path));
        let mut names: Vec<_> = (1..=FIRST_NAMES).map(|number| numbered(&name, number)).collect();
        // One that nobody has.
        names.push(format!("{shipment}"));
        let claim = TakeClaim {
            take: take.clone(),
            worker: self.house.worker,
            partner: self.source.partner.clone(),
            dir: self.source.dir.clone(),
            names,
            blob,
            size_bytes: fetched.blob.size_bytes(),
            sha256,
            shipment,
            preflight: self.source.preflight,
            refusal,
            answers: self.source.rules.receipts.is_some(),
            now: self.house.clock.now(),
        };
        let path = self.ledger().claim_take(&claim).await?;
        kill_point("source.take.claimed");
        tracing::info!(
            source = self.name(), partner = %self.source.partner, path = %path.logged(), size_bytes = claim.size_bytes, %shipment,
            "taken from a source"
        );
        self.claimed.notify_one();
        let take = Take { stage: TakeStage::Claimed, attempts: 0, sha256: Some(sha256), ..take.clone() };
        self.tidy(&take).await
    }
}

/// Whether a file may go on, and as what.
fn weigh(read: &ReadThrough, expected: Option<&Expected>, is_over: bool) -> Result<Option<Code>, Wait> {
    let digests = Digests { md5: read.md5, sha256: read.sha256 };
    let is_right = expected.is_none_or(|expected| expected.checksum.is_of(&digests));
    match (is_right, is_over) {
        (false, false) => Err(Wait::Match),
        (false, true) => Ok(Some(codes::CHECKSUM_DIFFERS)),
        (true, _) if read.breaks_off => Err(Wait::End),
        (true, _) => Ok(None),
    }
}

/// One that changed while it was read is looked at again after this.
const CHANGED_REST: Duration = Duration::from_secs(1);

/// Takes gone on with in one round.
const AT_ONCE: u32 = 64;

/// Names that are tried for a file before it gets one of its own.
const FIRST_NAMES: u32 = 20;
