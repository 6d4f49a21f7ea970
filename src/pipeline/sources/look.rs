//! A look: what lies there goes into the ledger, page by page, and then those that are ready are taken.

use std::fmt;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;

use super::take::Turn;
use super::trouble::{Reach, Strike};
use super::{Taker, Trouble};
use crate::model::{Sighting, Stamp, Wait};
use crate::ports::{FileSeen, Seen, StoreError};
use crate::sighting::{Kind, Moment};

/// What a look came to.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Files there that are to be taken, or were.
    seen: u64,
    /// Of those, taken now.
    pub(super) taken: u64,
    /// When to look again although nothing may ring.
    pub(super) again: Option<Duration>,
}

impl Looked {
    /// Has the next look come no later than after this time.
    fn look_again(&mut self, after: Option<Duration>) {
        self.again = self.again.into_iter().chain(after).min();
    }
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files seen, {} taken", self.seen, self.taken)
    }
}

impl Taker {
    /// Looks, and takes what is ready. A listing that breaks off is a failure, but what it showed is taken.
    pub(super) async fn look_and_take(&self, look: u64) -> Result<Looked, Trouble> {
        let store_now = self.store_now().await?;
        let mut looked = Looked::default();
        let listed = self.list(look, &mut looked).await;
        let at = Moment { look, now: self.house.clock.now(), store_now };
        if listed.is_ok() {
            self.ledger().forget_unseen(self.name(), look, at.now).await?;
        }
        self.judge(&at, &mut looked).await?;
        self.take_ready(&at, &mut looked).await?;
        listed.map(|()| looked)
    }

    /// The store's time, where an age is asked for: learning it may cost it a file.
    async fn store_now(&self) -> Result<Option<Timestamp>, Trouble> {
        if self.source.rules.readiness.min_age.is_none() {
            return Ok(None);
        }
        match self.store.now().await {
            Err(error) if Reach::of(&error) == Reach::File => Ok(None),
            now => Ok(now?),
        }
    }

    /// Notes what lies there. Memory holds one page of it.
    async fn list(&self, look: u64, looked: &mut Looked) -> Result<(), Trouble> {
        let rules = &self.source.rules;
        let files = self.store.list(&rules.dir, rules.depth).await?;
        let mut pages = files.take(MOST_LISTED).chunks(PAGE);
        let mut listed = 0;
        while let Some(page) = pages.next().await {
            listed += page.len();
            let (seen, broken) = self.known(page);
            looked.seen += seen.iter().filter(|seen| !seen.is_beside).count() as u64;
            if !seen.is_empty() {
                self.ledger().see(self.name(), look, self.house.clock.now(), seen).await?;
            }
            if let Some(error) = broken {
                return Err(error.into());
            }
        }
        if listed >= MOST_LISTED {
            return Err(StoreError::Nonsense("a directory without an end").into());
        }
        Ok(())
    }

    /// Those of a page that are anything to us, until the listing broke off.
    fn known(&self, page: Vec<Result<FileSeen, StoreError>>) -> (Vec<Seen>, Option<StoreError>) {
        let mut seen = Vec::new();
        for file in page {
            let file = match file {
                Ok(file) => file,
                Err(error) => return (seen, Some(error)),
            };
            if let Some(kind) = self.source.rules.kind(&file.path) {
                let stamp = Stamp::new(file.size_bytes, file.modified);
                seen.push(Seen { path: file.path, stamp, is_beside: kind == Kind::Beside });
            }
        }
        (seen, None)
    }

    /// Says of every file what it waits for.
    async fn judge(&self, at: &Moment, looked: &mut Looked) -> Result<(), Trouble> {
        let mut after = String::new();
        loop {
            let page = self.ledger().unready(self.name(), &after, PAGE_ROWS).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.path);
            self.judge_page(&page, at, looked).await?;
        }
    }

    async fn judge_page(&self, page: &[Sighting], at: &Moment, looked: &mut Looked) -> Result<(), Trouble> {
        let readiness = &self.source.rules.readiness;
        let beside: Vec<String> = page.iter().flat_map(|file| readiness.beside(&file.path)).collect();
        let beside = if beside.is_empty() {
            Default::default()
        } else {
            self.ledger().stamps(self.name(), at.look, beside).await?
        };
        let mut changed = Vec::new();
        for file in page {
            let waits = readiness.judge(file, at, |path| beside.get(path).copied());
            if waits != file.waits {
                changed.push((file.path.clone(), waits));
            }
            looked.look_again(readiness.left(file, waits, at));
        }
        if !changed.is_empty() {
            self.ledger().set_waits(self.name(), changed).await?;
        }
        Ok(())
    }

    /// Takes those whose turn it is, as many as one look may; others come with the next, soon.
    async fn take_ready(&self, at: &Moment, looked: &mut Looked) -> Result<(), Trouble> {
        let rules = &self.source.rules;
        let ready = self.ledger().turns(self.name(), rules.order, rules.most.saturating_add(1)).await?;
        let most = usize::try_from(rules.most).unwrap_or(usize::MAX);
        if ready.len() > most {
            looked.look_again(Some(Duration::ZERO));
        }
        let mut strike = Strike::default();
        for file in ready.iter().take(most).filter(|file| file.waits == Wait::Turn) {
            match strike.pass(self.take(file, at).await)? {
                Turn::Taken => looked.taken += 1,
                Turn::PutBack(again) => looked.look_again(again),
                Turn::Passed => {}
            }
        }
        Ok(())
    }
}

/// Files noted at once.
const PAGE: usize = 512;

const PAGE_ROWS: u32 = 512;

/// A directory with more files than this has no end.
const MOST_LISTED: usize = 2_000_000;
