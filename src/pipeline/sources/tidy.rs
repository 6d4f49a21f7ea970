//! Tidying up in the source: a file that is ours goes where it was agreed, and only that file.
//!
//! A name is not a file: what lies under it may have been written anew since. So what is about to go is held against what
//! was taken, before it gets another name and, since a moment passes in between, after. Some stores set a file's time when
//! they give it another name (they copy it): then its bytes tell.

use super::trouble::Reach;
use super::{Taker, Trouble};
use crate::kill_point::kill_point;
use crate::model::Stamp;
use crate::ports::{StoreError, Take};
use crate::sighting::{After, OwnBeside, numbered};

impl Taker {
    /// Does what is agreed with a file that was taken, and ends the take. What is in the way is tried again later.
    pub(super) async fn tidy(&self, take: &Take) -> Result<(), Trouble> {
        match self.try_tidy(take).await {
            Ok(is_gone) => {
                kill_point("source.tidied");
                Ok(self.ledger().end_take(take, is_gone, self.house.clock.now()).await?)
            }
            Err(trouble @ Trouble::Store(_)) => {
                self.delay(take).await?;
                self.tell_of_rest(Some((&trouble, take.attempts.saturating_add(1)))).await?;
                match trouble.reach() {
                    Some(Reach::Line | Reach::Store) => Err(trouble),
                    Some(Reach::File) | None => Ok(()),
                }
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Tells a file that stays in its place when it is taken.
    pub(super) fn is_left(&self, take: &Take) -> bool {
        match &self.source.rules.after {
            After::Leave => true,
            // Of one that was too large, only we have the beginning.
            After::Delete => take.stamp.size_bytes > self.source.most_bytes,
            After::Move(_) | After::Rename(_) => false,
        }
    }

    /// Tells whether the file is known to be gone from its place. One that only cannot be found may be there again: a
    /// directory looks empty before its share is mounted.
    async fn try_tidy(&self, take: &Take) -> Result<bool, Trouble> {
        match &self.source.rules.after {
            After::Leave => Ok(false),
            After::Delete if self.is_left(take) => Ok(false),
            After::Delete => self.delete(take).await,
            After::Move(dir) => {
                let today = self.house.clock.now().to_zoned(self.source.times.zone.clone()).date();
                if self.is_there(take).await? {
                    self.store.make_dir(&dir.on(today)).await?;
                }
                self.give_name(take, |number| self.source.rules.after.target(&take.path, today, number)).await
            }
            After::Rename(_) => {
                let day = jiff::civil::Date::ZERO;
                self.give_name(take, |number| self.source.rules.after.target(&take.path, day, number)).await
            }
        }
    }

    /// Tells whether the file that was taken is still in its place.
    async fn is_there(&self, take: &Take) -> Result<bool, Trouble> {
        let seen = self.store.stat(&take.path).await?;
        Ok(seen.is_some_and(|seen| Stamp::new(seen.size_bytes, seen.modified) == take.stamp))
    }

    /// What lies under a name that we gave.
    async fn held(&self, take: &Take, path: &str) -> Result<Held, Trouble> {
        let Some(seen) = self.store.stat(path).await? else { return Ok(Held::Nothing) };
        let seen = Stamp::new(seen.size_bytes, seen.modified);
        if seen == take.stamp {
            return Ok(Held::Taken);
        }
        if seen.size_bytes != take.stamp.size_bytes {
            return Ok(Held::Another);
        }
        match self.sha256(path).await {
            Ok(sha256) => Ok(if take.sha256 == Some(sha256) { Held::Taken } else { Held::Another }),
            Err(Trouble::Store(StoreError::NotFound)) => Ok(Held::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Gives the file the first name that is free.
    async fn give_name(&self, take: &Take, name: impl Fn(u32) -> Option<String>) -> Result<bool, Trouble> {
        if !self.is_there(take).await? {
            return self.is_put_away(take, name).await;
        }
        self.remove_beside(take).await?;
        for number in numbers(take) {
            let Some(target) = name(number) else { return Ok(false) };
            match self.store.rename(&take.path, &target, false).await {
                Ok(()) => {
                    self.give_back_if_new(take, &target).await?;
                    return self.gone(take).await;
                }
                Err(StoreError::Exists) => {}
                Err(StoreError::NotFound) if !self.is_there(take).await? => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Exists.into())
    }

    /// Tells whether the file has one of the names already, since before a crash.
    async fn is_put_away(&self, take: &Take, name: impl Fn(u32) -> Option<String>) -> Result<bool, Trouble> {
        let mut perhaps = Vec::new();
        for target in numbers(take).filter_map(name) {
            let seen = self.store.stat(&target).await?.map(|seen| Stamp::new(seen.size_bytes, seen.modified));
            match seen {
                Some(seen) if seen == take.stamp => return Ok(true),
                Some(seen) if seen.size_bytes == take.stamp.size_bytes => perhaps.push(target),
                Some(_) | None => {}
            }
        }
        // Bytes are read only where no time tells.
        for target in perhaps {
            if self.held(take, &target).await? == Held::Taken {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes the file: first it gets a name that nobody writes to, so that nothing new is removed in its place.
    async fn delete(&self, take: &Take) -> Result<bool, Trouble> {
        let dir = take.path.rsplit_once('/').map_or(String::new(), |(dir, _)| format!("{dir}/"));
        let ours = format!("{dir}.sluse-{}-{}.taken", take.id, take.stamp.size_bytes);
        if self.store.stat(&ours).await?.is_none() {
            if !self.is_there(take).await? {
                return Ok(false);
            }
            self.remove_beside(take).await?;
            match self.store.rename(&take.path, &ours, false).await {
                Ok(()) => kill_point("source.delete.renamed"),
                Err(StoreError::NotFound) => return Ok(false),
                // Rights to remove may not be rights to rename, and not every server says that it is about rights.
                Err(StoreError::Denied) => return self.remove_in_place(take).await,
                Err(StoreError::Failed(_)) if take.attempts > 0 => return self.remove_in_place(take).await,
                Err(error) => return Err(error.into()),
            }
        }
        if self.give_back_if_new(take, &ours).await? {
            return Ok(true);
        }
        self.store.remove(&ours).await?;
        self.gone(take).await
    }

    /// Removes the file under its own name, as soon as it was seen to be the one that was taken.
    async fn remove_in_place(&self, take: &Take) -> Result<bool, Trouble> {
        if !self.is_there(take).await? {
            return Ok(false);
        }
        self.store.remove(&take.path).await?;
        self.gone(take).await
    }

    /// A store may say that it has done it and not have: then the file stays remembered, and is not taken for a new one.
    async fn gone(&self, take: &Take) -> Result<bool, Trouble> {
        if self.is_there(take).await? {
            return Err(StoreError::Nonsense("a file is put away and still there").into());
        }
        Ok(true)
    }

    /// What moved may have been written anew at the last moment: then it goes back, under its name or one like it, and
    /// is seen as new.
    async fn give_back_if_new(&self, take: &Take, target: &str) -> Result<bool, Trouble> {
        if self.held(take, target).await? != Held::Another {
            return Ok(false);
        }
        tracing::info!(source = self.name(), take = take.id, "a file was written anew while it was put away");
        for number in (1..=FIRST_NUMBERS).chain([u32::MAX]) {
            match self.store.rename(target, &numbered(&take.path, number), false).await {
                Err(StoreError::Exists) => {}
                done => return Ok(done.map(|()| true)?),
            }
        }
        Err(StoreError::Exists.into())
    }

    /// What told that the file is ready goes first: while the file is there it can be told to be the old one.
    /// What is for others of the same stem, too, stays until the last of them is taken.
    async fn remove_beside(&self, take: &Take) -> Result<(), Trouble> {
        for OwnBeside { path, stem } in self.source.rules.own_beside(&take.path) {
            let others = match stem {
                Some(stem) => self.ledger().others_wait(take, &stem).await?,
                None => false,
            };
            if !others {
                self.store.remove(&path).await?;
                kill_point("source.beside.removed");
            }
        }
        Ok(())
    }
}

/// Numbers for the names of a file: after those of every day, one that nobody else has.
fn numbers(take: &Take) -> impl Iterator<Item = u32> {
    let own = u32::try_from(take.id % u64::from(u32::MAX)).unwrap_or(0).saturating_add(FIRST_NUMBERS + 1);
    (1..=FIRST_NUMBERS).chain([own])
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    /// The file that was taken.
    Taken,
    Another,
}

/// Numbers tried in turn.
const FIRST_NUMBERS: u32 = 20;
