//! When a file may be taken.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Beside;
use super::name::last;
use crate::model::{Sighting, Stamp, Wait, is_temporary_name};

/// What must hold before a file is taken; all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Size and time are equal at two looks that are so far apart.
    pub stable: Option<Duration>,
    /// It has not been changed for so long, by the store's clock.
    pub min_age: Option<Duration>,
    /// A file of this name is there.
    pub done_file: Option<Beside>,
    /// A file of this name holds its checksum.
    pub checksum: Option<Beside>,
    /// What it holds does not break off.
    pub complete: bool,
    /// A file that is tried and found unfinished is left alone for so long, unless it changes; then it is taken as it is.
    pub patience: Duration,
    /// Names with these ends are never taken, beside those that everybody uses.
    pub temporary: Vec<String>,
}

/// When a look is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Its number.
    pub look: u64,
    /// By our clock.
    pub now: Timestamp,
    /// By the store's, where that can be known.
    pub store_now: Option<Timestamp>,
}

impl Readiness {
    /// Tells names that are never taken.
    pub fn is_temporary(&self, path: &str) -> bool {
        let lower = last(path).to_ascii_lowercase();
        is_temporary_name(&lower) || self.temporary.iter().any(|end| lower.ends_with(&end.to_ascii_lowercase()))
    }

    /// Files that tell whether the file is ready.
    pub fn beside(&self, path: &str) -> impl Iterator<Item = String> {
        let of = |beside: &Option<Beside>| beside.as_ref().map(|beside| beside.of(path));
        [of(&self.done_file), of(&self.checksum)].into_iter().flatten()
    }

    /// Tells a file that is there for another's sake.
    pub fn is_beside(&self, path: &str) -> bool {
        [&self.done_file, &self.checksum].into_iter().flatten().any(|beside| beside.fits(path))
    }

    /// What a file waits for. `beside` knows the files that are there for others' sake.
    pub fn judge(&self, seen: &Sighting, at: &Moment, beside: impl Fn(&str) -> Option<Stamp>) -> Wait {
        if self.left_to_be_stable(seen, at).is_some() {
            return Wait::Change;
        }
        if self.left_to_be_old(seen, at).is_some() {
            return Wait::Age;
        }
        if self.done_file.as_ref().is_some_and(|name| beside(&name.of(&seen.path)).is_none()) {
            return Wait::DoneFile;
        }
        let checksum_file = self.checksum.as_ref().map(|name| beside(&name.of(&seen.path)));
        if checksum_file == Some(None) {
            return Wait::Checksum;
        }
        match &seen.tried {
            Some(tried) if !self.is_over(seen, at.now) && tried.checksum_file == checksum_file.flatten() => tried.waits,
            Some(_) | None => Wait::Turn,
        }
    }

    /// Tells whether a file that was found unfinished has been left alone for long enough: it is taken as it is. One
    /// without a checksum is not, since that may come at any time.
    pub fn is_over(&self, seen: &Sighting, now: Timestamp) -> bool {
        let tried = seen.tried.filter(|tried| matches!(tried.waits, Wait::End | Wait::Match));
        tried.is_some_and(|tried| passed(tried.at, now) >= self.patience)
    }

    /// How long a file that was found unfinished is left alone, where it is not left until something changes.
    pub fn patience_with(&self, waits: Wait) -> Option<Duration> {
        matches!(waits, Wait::End | Wait::Match).then_some(self.patience)
    }

    /// How long until something may be different without a change in the store; `None` when nothing will.
    pub fn left(&self, seen: &Sighting, waits: Wait, at: &Moment) -> Option<Duration> {
        match waits {
            Wait::Change => self.left_to_be_stable(seen, at),
            Wait::Age => self.left_to_be_old(seen, at),
            Wait::End | Wait::Match => {
                let tried = seen.tried?;
                Some(self.patience.saturating_sub(passed(tried.at, at.now)))
            }
            Wait::Turn | Wait::Taken | Wait::Beside | Wait::DoneFile | Wait::Checksum => None,
        }
    }

    fn left_to_be_stable(&self, seen: &Sighting, at: &Moment) -> Option<Duration> {
        let apart = self.stable?;
        let left = apart.saturating_sub(passed(seen.since, at.now));
        (at.look <= seen.first_look || !left.is_zero()).then_some(left)
    }

    /// A time that is yet to come says nothing, nor does one by a clock that nobody knows; then it is as old as we have
    /// known it.
    fn left_to_be_old(&self, seen: &Sighting, at: &Moment) -> Option<Duration> {
        let modified = seen.stamp.modified;
        let store_now = at.store_now.filter(|now| modified <= *now);
        let age = store_now.map_or_else(|| passed(seen.since, at.now), |now| passed(modified, now));
        let left = self.min_age?.saturating_sub(age);
        (!left.is_zero()).then_some(left)
    }
}

/// How much time passed. A clock that was set back says nothing, and nobody waits for it to catch up.
fn passed(from: Timestamp, to: Timestamp) -> Duration {
    let passed = to.duration_since(from);
    if passed < SignedDuration::ZERO { Duration::MAX } else { passed.unsigned_abs() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Tried;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seen(modified: i64, first_look: u64, since: i64) -> Sighting {
        Sighting {
            path: "in/a.xml".to_owned(),
            stamp: Stamp::new(5, at(modified)),
            first_look,
            since: at(since),
            waits: Wait::Change,
            tried: None,
            taken: None,
        }
    }

    fn rules() -> Readiness {
        Readiness {
            stable: Some(Duration::from_secs(5)),
            min_age: None,
            done_file: None,
            checksum: None,
            complete: true,
            patience: Duration::from_secs(60),
            temporary: vec![".Lock".to_owned()],
        }
    }

    fn moment(look: u64, now: i64) -> Moment {
        Moment { look, now: at(now), store_now: Some(at(now)) }
    }

    const NOTHING: fn(&str) -> Option<Stamp> = |_| None;

    #[test]
    fn a_file_is_the_same_at_two_looks_that_are_apart() {
        let (rules, file) = (rules(), seen(0, 7, 100));
        assert_eq!(rules.judge(&file, &moment(7, 100), NOTHING), Wait::Change);
        assert_eq!(rules.judge(&file, &moment(7, 200), NOTHING), Wait::Change, "one look is one look");
        assert_eq!(rules.judge(&file, &moment(8, 104), NOTHING), Wait::Change, "too close");
        assert_eq!(rules.left(&file, Wait::Change, &moment(8, 104)), Some(Duration::from_secs(1)));
        assert_eq!(rules.judge(&file, &moment(8, 105), NOTHING), Wait::Turn);
        assert_eq!(rules.judge(&file, &moment(8, -5_000), NOTHING), Wait::Turn, "a clock set back holds nothing up");
    }

    #[test]
    fn age_is_by_the_stores_clock_and_the_future_is_no_age() {
        let rules = Readiness { stable: None, min_age: Some(Duration::from_secs(60)), ..rules() };
        let skewed = Moment { look: 1, now: at(0), store_now: Some(at(3_600)) };
        assert_eq!(rules.judge(&seen(3_550, 1, 0), &skewed, NOTHING), Wait::Age);
        assert_eq!(rules.judge(&seen(3_540, 1, 0), &skewed, NOTHING), Wait::Turn);
        assert_eq!(rules.judge(&seen(99_999, 1, 0), &skewed, NOTHING), Wait::Age);
        let later = Moment { look: 2, now: at(60), store_now: Some(at(3_660)) };
        assert_eq!(rules.judge(&seen(99_999, 1, 0), &later, NOTHING), Wait::Turn);
        let unknown = |now| Moment { look: 2, now: at(now), store_now: None };
        assert_eq!(rules.judge(&seen(-99_999, 1, 0), &unknown(59), NOTHING), Wait::Age);
        assert_eq!(rules.judge(&seen(-99_999, 1, 0), &unknown(60), NOTHING), Wait::Turn);
    }

    #[test]
    fn files_beside_say_that_it_is_ready() {
        let rules = Readiness {
            stable: None,
            done_file: Some("{name}.done".parse().unwrap()),
            checksum: Some("SHA256SUMS".parse().unwrap()),
            ..rules()
        };
        let (file, now) = (seen(0, 1, 0), moment(1, 0));
        let stamp = Stamp::new(1, at(0));
        let some = |name: &'static str| move |path: &str| (path == name).then_some(stamp);
        assert_eq!(rules.judge(&file, &now, NOTHING), Wait::DoneFile);
        assert_eq!(rules.judge(&file, &now, some("in/a.xml.done")), Wait::Checksum);
        assert_eq!(rules.judge(&file, &now, |_| Some(stamp)), Wait::Turn);
        assert!(rules.is_beside("in/SHA256SUMS") && rules.is_beside("b.done") && !rules.is_beside("a.xml"));
        assert_eq!(rules.beside("a.xml").collect::<Vec<_>>(), ["a.xml.done", "SHA256SUMS"]);
    }

    #[test]
    fn what_was_tried_is_left_until_something_changes_or_its_time_is_over() {
        let rules = Readiness { stable: None, checksum: Some("{name}.md5".parse().unwrap()), ..rules() };
        let (old, new) = (Stamp::new(1, at(0)), Stamp::new(1, at(1)));
        let tried = |waits| Some(Tried { at: at(100), waits, checksum_file: Some(old) });
        for (waits, later) in [(Wait::End, Wait::Turn), (Wait::Match, Wait::Turn), (Wait::Checksum, Wait::Checksum)] {
            let file = Sighting { tried: tried(waits), ..seen(0, 1, 0) };
            assert_eq!(rules.judge(&file, &moment(2, 159), |_| Some(old)), waits);
            assert_eq!(rules.judge(&file, &moment(2, 159), |_| Some(new)), Wait::Turn);
            assert_eq!(rules.judge(&file, &moment(2, 160), |_| Some(old)), later);
            assert_eq!(rules.is_over(&file, at(160)), later == Wait::Turn);
        }
    }

    #[test]
    fn temporary_names_are_everybodys_and_ones_own() {
        for name in ["in/.a.xml", "a.PART", "a.filepart", "b.lock"] {
            assert!(rules().is_temporary(name), "{name}");
        }
        assert!(!rules().is_temporary("tmp/a.xml"));
    }

    proptest! {
        /// Whatever the clocks show: a file that is looked at again and again and does not change gets its turn.
        #[test]
        fn nothing_waits_for_ever(modified: i32, store: i32, steps in proptest::collection::vec(0..10_000_i64, 40), back in 0..40_usize) {
            let rules = Readiness { min_age: Some(Duration::from_secs(3_600)), ..rules() };
            let file = seen(modified.into(), 1, 0);
            let (mut now, mut turn) = (0, false);
            for (look, step) in steps.iter().enumerate() {
                now += if look == back { -step } else { step + 180 };
                let at = Moment { look: look as u64 + 1, now: at(now), store_now: Some(at(i64::from(store) + now)) };
                turn |= rules.judge(&file, &at, NOTHING) == Wait::Turn;
            }
            prop_assert!(turn || i64::from(modified) > i64::from(store) + now - 3_600);
        }

        #[test]
        fn a_file_is_never_ready_at_its_first_look(modified: i32, now: i32, store: i32) {
            let at = Moment { look: 9, now: at(now.into()), store_now: Some(at(store.into())) };
            prop_assert_eq!(rules().judge(&seen(modified.into(), 9, now.into()), &at, NOTHING), Wait::Change);
        }
    }
}
