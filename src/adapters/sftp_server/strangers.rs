//! Connections that have not logged in, counted by where they come from: one address must not take every seat, and when
//! many addresses do, they give way to who comes next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// The strangers of every address.
#[derive(Debug)]
pub(super) struct Strangers {
    present: Mutex<Present>,
    most: usize,
}

#[derive(Debug, Default)]
struct Present {
    /// In the order they came.
    all: BTreeMap<u64, (IpAddr, CancellationToken)>,
    counts: HashMap<IpAddr, usize>,
    next: u64,
}

/// One stranger, until it is dropped: at login, or with the connection.
#[derive(Debug)]
pub(super) struct Stranger {
    all: Arc<Strangers>,
    number: u64,
    shown_out: CancellationToken,
}

impl Strangers {
    /// None yet, and at most so many of one address.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { present: Mutex::default(), most })
    }

    /// Tells whether an address has fewer than it may.
    pub(super) fn has_room(&self, address: IpAddr) -> bool {
        self.locked(|present| present.count(&origin(address)) < self.most)
    }

    /// Counts one more; `None` when its address has as many as it may.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Stranger> {
        let origin = origin(address);
        self.locked(|present| {
            if present.count(&origin) >= self.most {
                return None;
            }
            *present.counts.entry(origin).or_default() += 1;
            let (number, shown_out) = (present.next, CancellationToken::new());
            present.next += 1;
            present.all.insert(number, (origin, shown_out.clone()));
            Some(Stranger { all: Arc::clone(self), number, shown_out })
        })
    }

    /// Has one give way, the oldest of the address with the most; `false` when there is none.
    pub(super) fn show_one_out(&self) -> bool {
        self.locked(|present| {
            let crowd = |(number, (origin, _)): &(&u64, &(IpAddr, _))| (present.count(origin), Reverse(**number));
            let number = present.all.iter().max_by_key(crowd).map(|(number, _)| *number);
            let shown_out = number.and_then(|number| present.leave(number));
            shown_out.inspect(CancellationToken::cancel).is_some()
        })
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Present) -> T) -> T {
        // The maps are whole after every statement that matters, so a panic elsewhere does not spoil them.
        work(&mut self.present.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Present {
    fn count(&self, origin: &IpAddr) -> usize {
        self.counts.get(origin).copied().unwrap_or_default()
    }

    fn leave(&mut self, number: u64) -> Option<CancellationToken> {
        let (origin, shown_out) = self.all.remove(&number)?;
        if let Some(count) = self.counts.get_mut(&origin) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&origin);
            }
        }
        Some(shown_out)
    }
}

impl Stranger {
    /// Cancelled when it must give way.
    pub(super) fn shown_out(&self) -> CancellationToken {
        self.shown_out.clone()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.all.locked(|present| present.leave(self.number));
    }
}

/// Whoever has one IPv6 address has all of its /64.
pub(super) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK)),
        address @ IpAddr::V4(_) => address,
    }
}

const NETWORK: u128 = !(u64::MAX as u128);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_room_and_gets_it_back() {
        let strangers = Strangers::new(2);
        let first = strangers.admit(at("192.0.2.1")).unwrap();
        let _second = strangers.admit(at("::ffff:192.0.2.1")).unwrap();
        assert!(strangers.admit(at("192.0.2.1")).is_none());
        let _other = strangers.admit(at("192.0.2.2")).unwrap();
        drop(first);
        drop(strangers.admit(at("192.0.2.1")).unwrap());
        assert_eq!(strangers.present.lock().unwrap().counts.len(), 2);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let strangers = Strangers::new(1);
        let _one = strangers.admit(at("2001:db8::1")).unwrap();
        assert!(strangers.admit(at("2001:db8::ffff:2")).is_none());
        assert!(strangers.admit(at("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn the_oldest_of_the_address_with_the_most_gives_way() {
        let strangers = Strangers::new(3);
        let come = |address| strangers.admit(at(address)).unwrap();
        let alone = come("192.0.2.1");
        let crowd = [come("192.0.2.2"), come("192.0.2.2"), come("192.0.2.2")];
        assert!(!strangers.has_room(at("192.0.2.2")) && strangers.has_room(at("192.0.2.1")));
        assert!(strangers.show_one_out() && strangers.show_one_out());
        let out = |stranger: &Stranger| stranger.shown_out().is_cancelled();
        assert_eq!(crowd.each_ref().map(out), [true, true, false]);
        assert!(!out(&alone) && strangers.has_room(at("192.0.2.2")));
        // Who has logged in is no stranger any more.
        let logged_in = alone.shown_out();
        drop(alone);
        assert!(strangers.show_one_out() && !strangers.show_one_out());
        assert!(out(&crowd[2]) && !logged_in.is_cancelled());
        drop(crowd);
        assert!(strangers.present.lock().unwrap().counts.is_empty());
    }
}
