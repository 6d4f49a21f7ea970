//! Which connection holds which upload. A name has one uploader; who opens it later takes it over, so that a sender whose
//! line was cut can go on before we have noticed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{AreaPath, PartnerId};

/// The uploads of all connections.
#[derive(Debug, Default)]
pub(super) struct Ongoing {
    holders: Mutex<HashMap<(PartnerId, AreaPath), Arc<Hold>>>,
}

/// One connection's hold on a name.
#[derive(Debug)]
pub(super) struct Hold {
    /// Taken for every effect on the upload; `true` once another connection has taken over.
    pub(super) lost: tokio::sync::Mutex<bool>,
    /// Bytes received that the ledger does not know of yet.
    growth_bytes: AtomicU64,
}

impl Hold {
    /// Records how many bytes the ledger does not know of yet.
    pub(super) fn grown(&self, bytes: u64) {
        self.growth_bytes.store(bytes, Ordering::Relaxed);
    }
}

impl Ongoing {
    /// Takes a name. Returns when nothing the former holder began can still take effect.
    pub(super) async fn take(&self, partner: &PartnerId, path: &AreaPath) -> Arc<Hold> {
        let hold = Arc::new(Hold { lost: tokio::sync::Mutex::new(false), growth_bytes: AtomicU64::new(0) });
        let key = (partner.clone(), path.clone());
        let former = self.locked(|holders| holders.insert(key, Arc::clone(&hold)));
        if let Some(former) = former {
            *former.lost.lock().await = true;
        }
        hold
    }

    /// Gives a name back, if this hold still has it.
    pub(super) fn release(&self, partner: &PartnerId, path: &AreaPath, hold: &Arc<Hold>) {
        let key = (partner.clone(), path.clone());
        self.locked(|holders| {
            if holders.get(&key).is_some_and(|holder| Arc::ptr_eq(holder, hold)) {
                holders.remove(&key);
            }
        });
    }

    /// Bytes a partner's uploads have received that the ledger does not know of yet.
    pub(super) fn growth_bytes(&self, partner: &PartnerId) -> u64 {
        self.locked(|holders| {
            let own = holders.iter().filter(|((holder, _), _)| holder == partner);
            own.map(|(_, hold)| hold.growth_bytes.load(Ordering::Relaxed)).sum()
        })
    }

    fn locked<T>(&self, work: impl FnOnce(&mut HashMap<(PartnerId, AreaPath), Arc<Hold>>) -> T) -> T {
        // The map is whole after every statement, so a panic elsewhere does not spoil it.
        work(&mut self.holders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_later_one_takes_over_and_the_earlier_one_cannot_release_it() {
        let (ongoing, partner) = (Ongoing::default(), "etat".parse().unwrap());
        let path = AreaPath::new("inbox", "a.xml").unwrap();
        let first = ongoing.take(&partner, &path).await;
        first.grown(10);
        assert_eq!(ongoing.growth_bytes(&partner), 10);
        let second = ongoing.take(&partner, &path).await;
        assert!(*first.lost.lock().await);
        ongoing.release(&partner, &path, &first);
        second.grown(3);
        assert_eq!(ongoing.growth_bytes(&partner), 3);
        assert_eq!(ongoing.growth_bytes(&"annen".parse().unwrap()), 0);
        ongoing.release(&partner, &path, &second);
        assert_eq!(ongoing.growth_bytes(&partner), 0);
    }
}
