//! How long to wait: between attempts at one item, and before a receiver in trouble is asked for anything.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::gate::{Gate, Pass};
use crate::model::{PartnerId, RetryPolicy};

/// The wait after so many attempts: doubling from the first, at most the longest, with up to a quarter of jitter.
pub(super) fn wait_after(policy: &RetryPolicy, attempts: u32, wish: Option<Duration>) -> Duration {
    let doublings = attempts.saturating_sub(1).min(20);
    let wait_ms = policy.first_wait_ms.saturating_mul(1 << doublings).min(policy.max_wait_ms);
    let jitter_ms = fastrand::u64(0..=wait_ms / 4);
    Duration::from_millis(wait_ms - jitter_ms).max(wish.unwrap_or_default())
}

/// What one receiver may be asked for at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Deliveries under way at a time.
    pub at_once: usize,
    /// Deliveries begun in any minute; `None` for any number.
    pub per_minute: Option<usize>,
}

/// What one receiver can take just now. Troubles in a row, or its own wish, pause everything that goes to it.
#[derive(Debug)]
pub struct Patience {
    gate: Arc<Gate>,
    /// Troubles in a row, and pauses.
    streak: AtomicU32,
    pauses: AtomicU32,
    paused_until_ms: AtomicI64,
    /// When the troubles began; 0 when there are none.
    since_ms: AtomicI64,
    stretch: Mutex<Stretch>,
    /// When a delivery last ended whose outcome is not recorded.
    cut_off_ms: AtomicI64,
}

/// Troubles without a long rest between them: in a rest nothing was asked, and the receiver may have come up again.
#[derive(Debug, Default)]
struct Stretch {
    /// How many of them there were since the troubles began.
    number: u32,
    first: Timestamp,
    last: Timestamp,
}

impl Patience {
    /// A receiver without troubles.
    pub fn new(allowance: Allowance) -> Self {
        let gate = Arc::new(Gate::new(allowance.at_once, allowance.per_minute));
        let [paused_until_ms, since_ms, cut_off_ms] = [const { AtomicI64::new(0) }; 3];
        let [streak, pauses] = [const { AtomicU32::new(0) }; 2];
        Self { gate, streak, pauses, paused_until_ms, since_ms, stretch: Mutex::default(), cut_off_ms }
    }

    /// Waits for a place among the deliveries under way.
    pub(super) async fn enter(&self, partner: &PartnerId) -> Pass {
        self.gate.enter(partner).await
    }

    /// A delivery was answered, or given up waiting for, after so long.
    pub(super) fn answered(&self, time: Duration) {
        self.gate.answered(time);
    }

    /// The receiver answered as it should.
    pub(super) fn well(&self) {
        self.streak.store(0, Ordering::Relaxed);
        self.pauses.store(0, Ordering::Relaxed);
        self.since_ms.store(0, Ordering::Relaxed);
    }

    /// The receiver did not; `all` tells that every item would meet the same.
    pub(super) fn trouble(&self, policy: &RetryPolicy, now: Timestamp, wish: Option<Duration>, all: bool) {
        // Held to the end: many that fail together are counted one after the other.
        let mut stretch = self.stretch();
        // Where they began before, this changes nothing.
        let begun = self.since_ms.compare_exchange(0, now.as_millisecond(), Ordering::Relaxed, Ordering::Relaxed);
        let paused_until = Timestamp::from_millisecond(self.paused_until_ms.load(Ordering::Relaxed));
        stretch.another(policy, (now, begun.is_ok()), paused_until.unwrap_or_default());
        let streak = self.streak.fetch_add(1, Ordering::Relaxed) + 1;
        self.gate.trouble();
        if all || wish.is_some() || streak >= STREAK_THAT_PAUSES {
            self.pause(policy, now, wish);
        }
    }

    /// A delivery ended, and its outcome is not recorded.
    pub(super) fn cut_off(&self, now: Timestamp) {
        self.cut_off_ms.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// When that was last so, in this process.
    pub(super) fn cut_off_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.cut_off_ms.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// Until when nothing should be asked of the receiver, of the pauses that end after the given time; `None` when it may be
    /// asked then.
    pub fn paused(&self, now: Timestamp) -> Option<Timestamp> {
        let until_ms = self.paused_until_ms.load(Ordering::Relaxed);
        Timestamp::from_millisecond(until_ms).ok().filter(|until| *until > now)
    }

    /// Since when the receiver has done nothing it should.
    pub fn in_trouble_since(&self) -> Option<Timestamp> {
        let since_ms = self.since_ms.load(Ordering::Relaxed);
        Timestamp::from_millisecond(since_ms).ok().filter(|_| since_ms != 0)
    }

    /// Tells whether there was a trouble at that time or later.
    pub(super) fn troubled_since(&self, time: Timestamp) -> bool {
        self.in_trouble_since().is_some() && self.stretch().last >= time
    }

    /// Tells whether the receiver has done nothing that it should for so long: from the given time on at the earliest. After
    /// a long rest the first answers do not decide that alone, nor do those after a few rests.
    pub(super) fn is_hopeless(&self, from: Timestamp, limit: Duration, now: Timestamp) -> bool {
        let since = self.in_trouble_since();
        since.is_some_and(|since| after(since.max(from), limit) <= now && self.stretch().is_enough(limit))
    }

    fn stretch(&self) -> MutexGuard<'_, Stretch> {
        // Whole after every call.
        self.stretch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the receiver alone, longer with every pause in a row. What fails while it is left alone was under way before:
    /// that is one trouble, however many requests it met.
    fn pause(&self, policy: &RetryPolicy, now: Timestamp, wish: Option<Duration>) {
        let goes_on = self.paused(now).is_some();
        let pauses = self.pauses.fetch_add(u32::from(!goes_on), Ordering::Relaxed) + u32::from(!goes_on);
        let until = after(now, wait_after(policy, pauses, wish));
        self.paused_until_ms.fetch_max(until.as_millisecond(), Ordering::Relaxed);
        self.gate.pause();
    }
}

impl Stretch {
    /// Takes in another trouble; the receiver was left alone until the given time.
    fn another(&mut self, policy: &RetryPolicy, (now, is_first): (Timestamp, bool), paused_until: Timestamp) {
        let rest = Duration::from_millis(policy.max_wait_ms.saturating_mul(2)).max(SHORTEST_REST);
        if is_first {
            *self = Self { number: 1, first: now, last: now };
        } else if after(self.last.max(paused_until), rest) < now {
            *self = Self { number: self.number.saturating_add(1), first: now, last: now };
        }
        self.last = self.last.max(now);
    }

    /// Tells whether the receiver was tried for long enough in it, or there were some before it.
    fn is_enough(&self, limit: Duration) -> bool {
        self.number >= ENOUGH_STRETCHES || after(self.first, limit.min(LONG_ENOUGH)) <= self.last
    }
}

/// A time so much later; the end of time when there is none.
pub fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

impl Default for Patience {
    fn default() -> Self {
        Self::new(Allowance::default())
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self { at_once: 64, per_minute: None }
    }
}

/// So many troubles in a row are the receiver's, not an item's.
const STREAK_THAT_PAUSES: u32 = 8;
/// Without a question for so long, and for longer than waits are, the receiver was left alone.
const SHORTEST_REST: Duration = Duration::from_secs(900);
/// A receiver that is tried for so long after a rest has had its chance, where the time limit is not shorter.
const LONG_ENOUGH: Duration = Duration::from_secs(3_600);
/// So does one that was tried between so many rests: a route's window may be open for less.
const ENOUGH_STRETCHES: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy =
        RetryPolicy { first_wait_ms: 1_000, max_wait_ms: 60_000, give_up_after_ms: 3_600_000, settle_ms: 0 };

    #[test]
    fn waits_double_up_to_the_longest_and_heed_the_receivers_wish() {
        for (attempts, low, high) in [(1, 750, 1_000), (2, 1_500, 2_000), (4, 6_000, 8_000), (40, 45_000, 60_000)] {
            let wait = wait_after(&POLICY, attempts, None).as_millis();
            assert!((low..=high).contains(&wait), "{attempts}: {wait}");
        }
        assert_eq!(wait_after(&POLICY, 1, Some(Duration::from_secs(90))), Duration::from_secs(90));
    }

    #[test]
    fn one_items_trouble_does_not_pause_the_receiver_but_a_streak_does() {
        let (patience, now) = (Patience::new(Allowance::default()), Timestamp::UNIX_EPOCH);
        for _ in 1..STREAK_THAT_PAUSES {
            patience.trouble(&POLICY, now, None, false);
        }
        assert_eq!(patience.paused(now), None);
        patience.trouble(&POLICY, now, None, false);
        assert!(patience.paused(now).is_some());
    }

    #[test]
    fn many_that_fail_together_are_one_trouble_and_pauses_grow_one_by_one() {
        let (patience, second) = (Patience::default(), Duration::from_secs(1));
        let mut now = Timestamp::UNIX_EPOCH + second;
        (0..64).for_each(|_| patience.trouble(&POLICY, now, None, false));
        for (pauses, shortest) in [(1, 750), (2, 1_500), (3, 3_000), (4, 6_000)] {
            let wait = patience.paused(now).unwrap().duration_since(now).as_millis();
            assert!((shortest..=shortest / 3 * 4).contains(&wait), "{pauses}: {wait}");
            now = patience.paused(now).unwrap();
            patience.trouble(&POLICY, now, None, false);
        }
        patience.well();
        (0..8).for_each(|_| patience.trouble(&POLICY, now + second * 60, None, false));
        assert_eq!(patience.paused(now + second * 62), None);
    }

    #[test]
    fn a_rest_gives_a_receiver_another_chance_and_not_for_ever() {
        let (patience, minute) = (Patience::default(), Duration::from_secs(60));
        let limit = minute * 24 * 60;
        let at = |minutes: u32| after(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1), minute * minutes);
        let tried = |minutes| {
            patience.trouble(&POLICY, at(minutes), None, false);
            patience.is_hopeless(at(0), limit, at(minutes))
        };
        // Four hours, a weekend, and one answer.
        assert!((0..=240).step_by(5).all(|minutes| !tried(minutes)));
        let monday = 60 * 62;
        assert!(patience.troubled_since(at(240)));
        assert!(!patience.troubled_since(at(monday)), "nothing says what it is now");
        assert!((0..60).step_by(5).all(|minutes| !tried(monday + minutes)));
        assert!(tried(monday + 60));
        assert!(!patience.is_hopeless(at(monday), limit, at(monday + 60)), "it was released then");
        let (tuesday, wednesday) = (monday + 24 * 60, monday + 48 * 60);
        patience.well();
        assert!(![monday + 65, tuesday, tuesday + 1].into_iter().any(tried));
        assert!(tried(wednesday), "a window of a minute");
    }

    #[test]
    fn what_the_receiver_asked_for_is_no_rest() {
        let patience = Patience::default();
        let (now, hour) = (Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1), Duration::from_secs(3_600));
        patience.trouble(&POLICY, now, Some(hour * 30), false);
        patience.trouble(&POLICY, after(now, hour * 30), None, false);
        assert!(patience.is_hopeless(now, hour * 24, after(now, hour * 30)));
    }

    #[test]
    fn a_wish_or_refused_credentials_pause_at_once() {
        let now = Timestamp::UNIX_EPOCH;
        let wished = Patience::new(Allowance::default());
        wished.trouble(&POLICY, now, Some(Duration::from_secs(7)), false);
        assert_eq!(wished.paused(now), Some(after(now, Duration::from_secs(7))));
        let refused = Patience::new(Allowance::default());
        refused.trouble(&POLICY, now, None, true);
        assert!(refused.paused(now).is_some());
    }
}
