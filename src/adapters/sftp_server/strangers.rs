//! Connections that have not logged in, counted by where they come from: one address must not take every seat.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The strangers of every address.
#[derive(Debug)]
pub(super) struct Strangers {
    counts: Mutex<HashMap<IpAddr, usize>>,
    most: usize,
}

/// One stranger, until it is dropped: at login, or with the connection.
#[derive(Debug)]
pub(super) struct Stranger {
    all: Arc<Strangers>,
    origin: IpAddr,
}

impl Strangers {
    /// None yet, and at most so many of one address.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::default(), most })
    }

    /// Counts one more; `None` when its address has as many as it may.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Stranger> {
        let origin = origin(address);
        self.locked(|counts| {
            let count = counts.entry(origin).or_default();
            let has_room = *count < self.most;
            *count += usize::from(has_room);
            has_room.then(|| Stranger { all: Arc::clone(self), origin })
        })
    }

    fn locked<T>(&self, work: impl FnOnce(&mut HashMap<IpAddr, usize>) -> T) -> T {
        // The map is whole after every statement, so a panic elsewhere does not spoil it.
        work(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.all.locked(|counts| {
            if let Some(count) = counts.get_mut(&self.origin) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    counts.remove(&self.origin);
                }
            }
        });
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
        assert_eq!(strangers.counts.lock().unwrap().len(), 2);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let strangers = Strangers::new(1);
        let _one = strangers.admit(at("2001:db8::1")).unwrap();
        assert!(strangers.admit(at("2001:db8::ffff:2")).is_none());
        assert!(strangers.admit(at("2001:db8:0:1::1")).is_some());
    }
}
