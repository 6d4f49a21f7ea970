//! Which connection holds which upload. A name has one uploader; who opens it later takes it over, so that a sender whose
//! line was cut can go on before we have noticed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::model::{AreaPath, PartnerId, ScratchId};
use crate::ports::Scratch;

/// The uploads of all connections.
#[derive(Default)]
pub(super) struct Ongoing {
    names: Mutex<HashMap<Key, Name>>,
}

type Key = (PartnerId, AreaPath);

#[derive(Default)]
struct Name {
    holder: Option<Arc<Hold>>,
    /// Taken by the one OPEN that tries to become the holder.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// One connection's hold on a name.
#[derive(Default)]
pub(super) struct Hold {
    /// Where its bytes go; none where the name is only kept from others.
    scratch: Option<(ScratchId, Arc<dyn Scratch>)>,
    /// Taken for every effect on the upload; `true` once it is done or another connection has taken over.
    pub(super) lost: Arc<tokio::sync::Mutex<bool>>,
    /// Bytes received that the ledger does not know of yet.
    growth_bytes: AtomicU64,
}

impl Hold {
    /// Records how many bytes the ledger does not know of yet.
    pub(super) fn grown(&self, bytes: u64) {
        self.growth_bytes.store(bytes, Ordering::Relaxed);
    }
}

/// A name that is about to be taken. The former holder waits meanwhile; when this is dropped, it goes on as if nothing
/// had been.
pub(super) struct Taking<'a> {
    ongoing: &'a Ongoing,
    key: Key,
    former: Option<(Arc<Hold>, OwnedMutexGuard<bool>)>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Taking<'_> {
    /// Where the former holder's bytes are: who resumes its upload finds on disk what it had in memory alone.
    pub(super) fn former(&self) -> Option<Arc<dyn Scratch>> {
        self.former.as_ref().and_then(|(hold, _)| hold.scratch.as_ref()).map(|(_, scratch)| Arc::clone(scratch))
    }

    /// Takes the name: the former holder has lost it.
    pub(super) fn done(mut self, scratch: Option<(ScratchId, Arc<dyn Scratch>)>) -> Arc<Hold> {
        let hold = Arc::new(Hold { scratch, ..Hold::default() });
        let holder = Some(Arc::clone(&hold));
        self.ongoing.locked(|names| names.entry(self.key.clone()).or_default().holder = holder);
        if let Some((_, lost)) = &mut self.former {
            **lost = true;
        }
        hold
    }

    /// Takes the name and leaves it to nobody: the former holder has lost it.
    pub(super) fn vacate(mut self) {
        self.ongoing.locked(|names| {
            if let Some(name) = names.get_mut(&self.key) {
                name.holder = None;
            }
        });
        if let Some((_, lost)) = &mut self.former {
            **lost = true;
        }
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.turn = None;
        self.ongoing.locked(|names| forget_unused(names, &self.key));
    }
}

impl Ongoing {
    /// Begins to take a name. Returns when nothing the former holder began can still take effect, nor anything it wants
    /// to begin.
    pub(super) async fn take(&self, partner: &PartnerId, path: &AreaPath) -> Taking<'_> {
        let key = (partner.clone(), path.clone());
        let turn = self.locked(|names| Arc::clone(&names.entry(key.clone()).or_default().turn));
        let mut taking = Taking { ongoing: self, key, former: None, turn: Some(turn.lock_owned().await) };
        let holder = self.locked(|names| names.get(&taking.key).and_then(|name| name.holder.clone()));
        if let Some(holder) = holder {
            let lost = Arc::clone(&holder.lost).lock_owned().await;
            taking.former = (!*lost).then_some((holder, lost));
        }
        taking
    }

    /// Tells whether some connection has the name, or is about to take it.
    pub(super) fn is_held(&self, partner: &PartnerId, path: &AreaPath) -> bool {
        self.locked(|names| names.contains_key(&(partner.clone(), path.clone())))
    }

    /// Where the bytes of an upload in progress go.
    pub(super) fn scratch(&self, id: ScratchId) -> Option<Arc<dyn Scratch>> {
        let of = |name: &Name| {
            let (known, scratch) = name.holder.as_ref()?.scratch.as_ref()?;
            (*known == id).then(|| Arc::clone(scratch))
        };
        self.locked(|names| names.values().find_map(of))
    }

    /// Gives a name back, if this hold still has it.
    pub(super) fn release(&self, partner: &PartnerId, path: &AreaPath, hold: &Arc<Hold>) {
        let key = (partner.clone(), path.clone());
        self.locked(|names| {
            if let Some(name) = names.get_mut(&key) {
                name.holder.take_if(|holder| Arc::ptr_eq(holder, hold));
            }
            forget_unused(names, &key);
        });
    }

    /// Bytes a partner's uploads have received that the ledger does not know of yet.
    pub(super) fn growth_bytes(&self, partner: &PartnerId) -> u64 {
        self.locked(|names| {
            let own = names.iter().filter(|((holder, _), _)| holder == partner);
            let holders = own.filter_map(|(_, name)| name.holder.as_ref());
            holders.map(|hold| hold.growth_bytes.load(Ordering::Relaxed)).sum()
        })
    }

    fn locked<T>(&self, work: impl FnOnce(&mut HashMap<Key, Name>) -> T) -> T {
        // The map is whole after every statement, so a panic elsewhere does not spoil it.
        work(&mut self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whoever tries to take a name has its turn in hand, from under the map's lock on: none does when ours is the only one.
fn forget_unused(names: &mut HashMap<Key, Name>, key: &Key) {
    if names.get(key).is_some_and(|name| name.holder.is_none() && Arc::strong_count(&name.turn) == 1) {
        names.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_later_one_takes_over_and_the_earlier_one_cannot_release_it() {
        let (ongoing, partner) = (Ongoing::default(), "etat".parse().unwrap());
        let path = AreaPath::new("inbox", "a.xml").unwrap();
        let first = ongoing.take(&partner, &path).await.done(None);
        first.grown(10);
        assert_eq!(ongoing.growth_bytes(&partner), 10);
        let second = ongoing.take(&partner, &path).await.done(None);
        assert!(*first.lost.lock().await);
        ongoing.release(&partner, &path, &first);
        second.grown(3);
        assert_eq!(ongoing.growth_bytes(&partner), 3);
        assert_eq!(ongoing.growth_bytes(&"annen".parse().unwrap()), 0);
        ongoing.release(&partner, &path, &second);
        assert_eq!(ongoing.growth_bytes(&partner), 0);
        assert!(ongoing.names.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_attempt_that_fails_leaves_the_holder_its_name() {
        let (ongoing, partner) = (Ongoing::default(), "etat".parse().unwrap());
        let path = AreaPath::new("inbox", "a.xml").unwrap();
        let first = ongoing.take(&partner, &path).await.done(None);
        let attempt = ongoing.take(&partner, &path).await;
        assert!(first.lost.try_lock().is_err(), "the holder waits");
        let mut next = std::pin::pin!(ongoing.take(&partner, &path));
        assert!(futures::poll!(&mut next).is_pending(), "one attempt at a time");
        drop(attempt);
        let next = next.await;
        // The holder may leave while another tries to take over.
        ongoing.release(&partner, &path, &first);
        drop(next);
        assert!(!*first.lost.lock().await);
        assert!(ongoing.names.lock().unwrap().is_empty());
    }
}
