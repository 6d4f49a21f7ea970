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
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    names: HashMap<Key, Name>,
    /// What the ledger has counted so far of each partner's uploads; it says nothing but how much more that is than before.
    settled_bytes: HashMap<PartnerId, u64>,
}

/// What a partner's uploads have received beyond what the ledger was known to count at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Received {
    /// Bytes the ledger does not know of yet.
    pub(super) growth_bytes: u64,
    /// Bytes it has counted since the server began.
    pub(super) settled_bytes: u64,
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
    /// Where the former holder's bytes are.
    pub(super) fn former(&self) -> Option<(ScratchId, Arc<dyn Scratch>)> {
        self.former.as_ref().and_then(|(hold, _)| hold.scratch.clone())
    }

    /// Takes the name: the former holder has lost it.
    pub(super) fn done(mut self, scratch: Option<(ScratchId, Arc<dyn Scratch>)>) -> Arc<Hold> {
        let hold = Arc::new(Hold { scratch, ..Hold::default() });
        let holder = Some(Arc::clone(&hold));
        self.ongoing.locked(|known| known.names.entry(self.key.clone()).or_default().holder = holder);
        if let Some((_, lost)) = &mut self.former {
            **lost = true;
        }
        hold
    }

    /// Takes the name and leaves it to nobody: the former holder has lost it.
    pub(super) fn vacate(mut self) {
        self.ongoing.locked(|known| {
            if let Some(name) = known.names.get_mut(&self.key) {
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
        self.ongoing.locked(|known| forget_unused(&mut known.names, &self.key));
    }
}

impl Ongoing {
    /// Begins to take a name. Returns when nothing the former holder began can still take effect, nor anything it wants
    /// to begin.
    pub(super) async fn take(&self, partner: &PartnerId, path: &AreaPath) -> Taking<'_> {
        let key = (partner.clone(), path.clone());
        let turn = self.locked(|known| Arc::clone(&known.names.entry(key.clone()).or_default().turn));
        let mut taking = Taking { ongoing: self, key, former: None, turn: Some(turn.lock_owned().await) };
        let holder = self.locked(|known| known.names.get(&taking.key).and_then(|name| name.holder.clone()));
        if let Some(holder) = holder {
            let lost = Arc::clone(&holder.lost).lock_owned().await;
            taking.former = (!*lost).then_some((holder, lost));
        }
        taking
    }

    /// Tells whether some connection has the name, or is about to take it.
    pub(super) fn is_held(&self, partner: &PartnerId, path: &AreaPath) -> bool {
        self.locked(|known| known.names.contains_key(&(partner.clone(), path.clone())))
    }

    /// Where the bytes of an upload in progress go.
    pub(super) fn scratch(&self, id: ScratchId) -> Option<Arc<dyn Scratch>> {
        let of = |name: &Name| {
            let (known, scratch) = name.holder.as_ref()?.scratch.as_ref()?;
            (*known == id).then(|| Arc::clone(scratch))
        };
        self.locked(|known| known.names.values().find_map(of))
    }

    /// Gives a name back, if this hold still has it.
    pub(super) fn release(&self, partner: &PartnerId, path: &AreaPath, hold: &Arc<Hold>) {
        let key = (partner.clone(), path.clone());
        self.locked(|known| {
            if let Some(name) = known.names.get_mut(&key) {
                name.holder.take_if(|holder| Arc::ptr_eq(holder, hold));
            }
            forget_unused(&mut known.names, &key);
        });
    }

    /// What a partner's uploads have received.
    pub(super) fn received(&self, partner: &PartnerId) -> Received {
        self.locked(|known| {
            let own = known.names.iter().filter(|((holder, _), _)| holder == partner);
            let holders = own.filter_map(|(_, name)| name.holder.as_ref());
            let growth_bytes = holders.map(|hold| hold.growth_bytes.load(Ordering::Relaxed)).sum();
            let settled_bytes = known.settled_bytes.get(partner).copied().unwrap_or_default();
            Received { growth_bytes, settled_bytes }
        })
    }

    /// The ledger knows now of all that an upload has received. Uploads that are open already learn of it here, and need
    /// not ask the ledger again for every file that ends beside them.
    pub(super) fn settle(&self, partner: &PartnerId, hold: &Hold) {
        self.locked(|known| {
            let bytes = hold.growth_bytes.swap(0, Ordering::Relaxed);
            let settled_bytes = known.settled_bytes.entry(partner.clone()).or_default();
            *settled_bytes = settled_bytes.saturating_add(bytes);
        });
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        // The maps are whole after every statement, so a panic elsewhere does not spoil them.
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
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
        assert_eq!(ongoing.received(&partner), received(10, 0));
        let second = ongoing.take(&partner, &path).await.done(None);
        assert!(*first.lost.lock().await);
        ongoing.release(&partner, &path, &first);
        second.grown(3);
        assert_eq!(ongoing.received(&partner), received(3, 0));
        assert_eq!(ongoing.received(&"annen".parse().unwrap()), received(0, 0));
        ongoing.settle(&partner, &second);
        second.grown(4);
        assert_eq!(ongoing.received(&partner), received(4, 3), "what the ledger knows is counted there");
        ongoing.release(&partner, &path, &second);
        assert_eq!(ongoing.received(&partner), received(0, 3));
        assert!(ongoing.known.lock().unwrap().names.is_empty());
    }

    fn received(growth_bytes: u64, settled_bytes: u64) -> Received {
        Received { growth_bytes, settled_bytes }
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
        assert!(ongoing.known.lock().unwrap().names.is_empty());
    }
}
