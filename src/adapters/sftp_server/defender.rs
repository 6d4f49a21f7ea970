//! Refused logins are counted by address and by user name: answers come later and later, and an address with too many is
//! kept out for a while, each time for longer. Bans are kept in the ledger.
//!
//! A user name is never banned, or anybody could lock a partner out; and one that nobody has counts like any other, so that
//! the waits tell nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::ports::{Ban, Bans, Clock, LedgerError};

use super::settings::{Defence, Network};
use super::strangers::origin;

/// Who guesses, and how much they have guessed.
pub(super) struct Defender {
    defence: Defence,
    bans: Arc<dyn Bans>,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// Makes numbers of user names; nobody outside can tell which names have one number.
    names: RandomState,
}

#[derive(Default)]
struct Known {
    scores: HashMap<Suspect, Score>,
    banned: HashMap<IpAddr, Ban>,
}

/// Of a user name its number alone is kept: a name may be as long as a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Suspect {
    Address(IpAddr),
    User(u64),
}

#[derive(Debug, Clone, Copy)]
struct Score {
    points: u32,
    last: Timestamp,
}

impl Defender {
    /// Begins with the bans the ledger knows.
    pub(super) async fn new(defence: Defence, bans: Arc<dyn Bans>, clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        let since = before(clock.now(), REMEMBERED);
        let banned = bans.bans_after(since).await?.into_iter().map(|ban| (ban.address, ban)).collect();
        let known = Mutex::new(Known { banned, ..Known::default() });
        Ok(Self { defence, bans, clock, known, names: RandomState::new() })
    }

    /// Whether an address is kept out just now.
    pub(super) fn keeps_out(&self, address: IpAddr) -> bool {
        let now = self.clock.now();
        // A ban that seems longer than any such is one of a clock that was ahead.
        let holds = |ban: &Ban| ban.until > now && ban.until <= after(now, self.length(ban.times));
        !self.trusts(address) && self.locked(|known| known.banned.get(&origin(address)).is_some_and(holds))
    }

    /// How long an address is kept out that has been so often.
    fn length(&self, times: u32) -> Duration {
        self.defence.ban_time.saturating_mul(1 << times.min(10).saturating_sub(1)).min(LONGEST_BAN)
    }

    /// Counts a refused login; how long its answer is to wait.
    pub(super) async fn refused(&self, address: IpAddr, user: &str) -> Duration {
        if self.trusts(address) || self.defence.ban_score == 0 {
            return Duration::ZERO;
        }
        let (now, place) = (self.clock.now(), origin(address));
        let (by_address, by_user) = self.locked(|known| {
            known.make_room(before(now, self.defence.window));
            let by_address = known.count(Suspect::Address(place), now, self.defence.window);
            (by_address, known.count(self.user(user), now, self.defence.window))
        });
        if by_address >= self.defence.ban_score {
            self.ban(place, now).await;
        }
        let wait = self.defence.wait.saturating_mul(by_address.max(by_user).saturating_sub(1));
        wait.min(self.defence.longest_wait)
    }

    /// Forgets what was counted, after a login that was right.
    pub(super) fn welcomed(&self, address: IpAddr, user: &str) {
        self.locked(|known| {
            known.scores.remove(&Suspect::Address(origin(address)));
            known.scores.remove(&self.user(user));
        });
    }

    fn user(&self, name: &str) -> Suspect {
        Suspect::User(self.names.hash_one(name))
    }

    async fn ban(&self, address: IpAddr, now: Timestamp) {
        let ban = self.locked(|known| {
            known.scores.remove(&Suspect::Address(address));
            let times = known.banned.get(&address).map_or(0, |ban| ban.times).saturating_add(1);
            let ban = Ban { address, until: after(now, self.length(times)), times };
            known.banned.retain(|_, ban| ban.until > before(now, REMEMBERED));
            known.banned.insert(address, ban.clone());
            ban
        });
        tracing::warn!(%address, until = %ban.until, times = ban.times, "address banned: too many refused logins");
        if let Err(error) = self.bans.ban(&ban).await {
            // It holds in this process all the same.
            tracing::error!(%error, %address, "a ban could not be recorded");
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.defence.allow.iter().any(|network: &Network| network.contains(&address))
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        // The maps are whole after every statement, so a panic elsewhere does not spoil them.
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn count(&mut self, suspect: Suspect, now: Timestamp, window: Duration) -> u32 {
        let score = self.scores.entry(suspect).or_insert(Score { points: 0, last: now });
        if score.last < before(now, window) {
            score.points = 0;
        }
        *score = Score { points: score.points.saturating_add(1), last: now };
        score.points
    }

    /// Whoever sends a new user name each time must not fill our memory.
    fn make_room(&mut self, since: Timestamp) {
        if self.scores.len() < MOST_SUSPECTS {
            return;
        }
        self.scores.retain(|_, score| score.last >= since);
        if self.scores.len() >= MOST_SUSPECTS {
            self.scores.retain(|suspect, _| matches!(suspect, Suspect::Address(_)));
        }
        if self.scores.len() >= MOST_SUSPECTS {
            self.scores.clear();
        }
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

fn before(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_sub(time).unwrap_or(Timestamp::MIN)
}

const LONGEST_BAN: Duration = Duration::from_secs(24 * 3600);
/// How long a ban that is over still makes the next one longer.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);
const MOST_SUSPECTS: usize = 20_000;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use async_trait::async_trait;

    use super::*;

    #[derive(Default)]
    struct Book(Mutex<Vec<Ban>>);

    #[async_trait]
    impl Bans for Book {
        async fn ban(&self, ban: &Ban) -> Result<(), LedgerError> {
            self.0.lock().unwrap().push(ban.clone());
            Ok(())
        }

        async fn bans_after(&self, _moment: Timestamp) -> Result<Vec<Ban>, LedgerError> {
            Ok(self.0.lock().unwrap().clone())
        }
    }

    #[derive(Default)]
    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
        }
    }

    fn defence() -> Defence {
        Defence { ban_score: 3, allow: vec!["10.0.0.0/8".parse().unwrap()], ..Defence::default() }
    }

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn an_address_that_guesses_waits_and_is_kept_out_for_longer_each_time() {
        let (book, hand) = (Arc::new(Book::default()), Arc::new(Hand::default()));
        let defender = Defender::new(defence(), book.clone(), hand.clone()).await.unwrap();
        let mut waits = Vec::new();
        for _ in 0..3 {
            assert!(!defender.keeps_out(at("192.0.2.1")));
            waits.push(defender.refused(at("192.0.2.1"), "a").await);
        }
        assert!(waits.is_sorted() && waits[0].is_zero() && !waits[2].is_zero());
        assert!(defender.keeps_out(at("::ffff:192.0.2.1")) && !defender.keeps_out(at("192.0.2.2")));
        // The ban outlives a restart.
        let defender = Defender::new(defence(), book.clone(), hand.clone()).await.unwrap();
        assert!(defender.keeps_out(at("192.0.2.1")));
        hand.0.fetch_add(15 * 60, Ordering::SeqCst);
        assert!(!defender.keeps_out(at("192.0.2.1")));
        for _ in 0..3 {
            defender.refused(at("192.0.2.1"), "a").await;
        }
        hand.0.fetch_add(15 * 60, Ordering::SeqCst);
        assert!(defender.keeps_out(at("192.0.2.1")));
        assert_eq!(book.0.lock().unwrap().iter().map(|ban| ban.times).collect::<Vec<_>>(), [1, 2]);
    }

    #[tokio::test]
    async fn a_user_guessed_from_everywhere_waits_and_is_never_banned() {
        let defender = Defender::new(defence(), Arc::new(Book::default()), Arc::new(Hand::default())).await.unwrap();
        let mut wait = Duration::ZERO;
        for number in 0..40 {
            wait = defender.refused(at(&format!("192.0.2.{number}")), "etat").await;
        }
        assert_eq!(wait, defence().longest_wait);
        assert!(!defender.keeps_out(at("192.0.2.7")));
        defender.welcomed(at("192.0.2.99"), "etat");
        assert!(defender.refused(at("192.0.2.99"), "etat").await.is_zero());
    }

    #[tokio::test]
    async fn long_names_wait_each_for_itself_and_are_not_kept() {
        let defender = Defender::new(defence(), Arc::new(Book::default()), Arc::new(Hand::default())).await.unwrap();
        let (one, other) = ("a".repeat(250_000) + "1", "a".repeat(250_000) + "2");
        assert!(defender.refused(at("192.0.2.1"), &one).await.is_zero());
        assert!(!defender.refused(at("192.0.2.2"), &one).await.is_zero());
        assert!(defender.refused(at("192.0.2.3"), &other).await.is_zero());
        let known = defender.known.lock().unwrap();
        assert_eq!(known.scores.len(), 5);
        assert!(!std::mem::needs_drop::<(Suspect, Score)>() && size_of::<(Suspect, Score)>() <= 48);
    }

    #[tokio::test]
    async fn trusted_addresses_are_not_counted_and_old_guesses_are_forgotten() {
        let hand = Arc::new(Hand::default());
        let defender = Defender::new(defence(), Arc::new(Book::default()), hand.clone()).await.unwrap();
        for _ in 0..10 {
            assert!(defender.refused(at("10.1.2.3"), "a").await.is_zero());
            defender.refused(at("192.0.2.1"), "b").await;
            hand.0.fetch_add(11 * 60, Ordering::SeqCst);
        }
        assert!(!defender.keeps_out(at("10.1.2.3")) && !defender.keeps_out(at("192.0.2.1")));
    }
}
