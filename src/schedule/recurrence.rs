//! When something happens again and again.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::zone::at_wall;
use super::{Calendar, Days, OnClosed, Pattern, Windows};

/// Times that come again: a rule, and what holds it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// The rule.
    pub rule: Rule,
    /// Whose wall clock.
    pub zone: TimeZone,
    /// Which days are business days.
    pub calendar: Arc<Calendar>,
    /// On which days it happens.
    pub days: Days,
    /// What becomes of a run on a day without business; other than `Skip` only with `Days::Business`.
    pub on_closed: OnClosed,
    /// When it may happen.
    pub windows: Option<Windows>,
    /// How much later than its rule says it happens, every time.
    pub jitter: Duration,
}

/// A rule for times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// By the wall clock.
    Cron(Box<Pattern>),
    /// When business ends by the calendar, which on half days is earlier.
    CutOff,
    /// Every so often, counted from the beginning of 1970.
    Every(Duration),
}

impl Recurrence {
    /// The first time after a moment; `None` when there is none for forty years.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let jitter = SignedDuration::try_from(self.jitter).ok()?;
        let mut from = after;
        loop {
            let at = self.by_rule(from.checked_sub(jitter).ok()?)?.checked_add(jitter).ok()?;
            if at.duration_since(after) > HORIZON {
                return None;
            }
            let Some(windows) = self.windows.as_ref().filter(|windows| !windows.contains(at)) else { return Some(at) };
            from = windows.next_open(at)?.checked_sub(INSTANT).ok()?;
        }
    }

    /// The times after a moment, in order.
    pub fn upcoming(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next(after), |last| self.next(*last))
    }

    /// The last time that is after one moment and not after another.
    pub fn latest(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let mut back = FIRST_LOOK_BACK;
        loop {
            let from = until.checked_sub(back).unwrap_or(after).max(after);
            let last = self.upcoming(from).take_while(|at| *at <= until).last();
            if last.is_some() || from == after {
                return last;
            }
            back = back.saturating_mul(4);
        }
    }

    fn by_rule(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.rule {
            Rule::Cron(pattern) if pattern.is_hourly() => self.by_the_hour(pattern, after),
            Rule::Cron(pattern) => self.by_the_wall(Some(pattern), after),
            Rule::CutOff => self.by_the_wall(None, after),
            Rule::Every(interval) => self.by_interval(*interval, after),
        }
    }

    /// Without a pattern: at the cut-off.
    fn by_the_wall(&self, pattern: Option<&Pattern>, after: Timestamp) -> Option<Timestamp> {
        let mut civil = self.zone.to_datetime(after);
        loop {
            civil = self.civil_from(pattern, civil.checked_add(1.nanosecond()).ok()?)?;
            let at = at_wall(&self.zone, civil)?;
            // Otherwise it is the second time that the clock shows this, or goes on from a skipped hour.
            if at > after {
                return Some(at);
            }
        }
    }

    /// Goes from one setting of the clock to the next, so that every hour that passes has its runs.
    fn by_the_hour(&self, pattern: &Pattern, after: Timestamp) -> Option<Timestamp> {
        let mut from = after.checked_add(1.nanosecond()).ok()?;
        loop {
            let offset = self.zone.to_offset(from);
            let at = offset.to_timestamp(self.civil_from(Some(pattern), offset.to_datetime(from))?).ok()?;
            match self.zone.following(from).next().map(|transition| transition.timestamp()) {
                Some(set) if set <= at => from = set,
                Some(_) | None => return Some(at),
            }
        }
    }

    /// The first time on the wall, from the given one on, that the pattern names on a day when it runs.
    fn civil_from(&self, pattern: Option<&Pattern>, from: DateTime) -> Option<DateTime> {
        let (mut date, mut time) = (from.date(), from.time());
        for _ in 0..HORIZON_DAYS {
            let at = match pattern {
                Some(pattern) => pattern.time_from(time),
                None => self.calendar.cut_off(date).filter(|end| *end >= time),
            };
            if let Some(time) = at.filter(|_| self.runs_on(pattern, date)) {
                return Some(date.to_datetime(time));
            }
            (date, time) = (date.tomorrow().ok()?, Time::midnight());
        }
        None
    }

    fn runs_on(&self, pattern: Option<&Pattern>, date: Date) -> bool {
        let has_day = |day| pattern.is_none_or(|pattern| pattern.has_day(day));
        if !self.days.contains(&self.calendar, date) {
            return false;
        }
        if has_day(date) {
            return true;
        }
        let moved_here = |step: fn(&Date) -> Option<Date>| {
            let closed = std::iter::successors(step(&date), step).take(LONGEST_CLOSURE);
            let mut closed = closed.take_while(|day| !self.calendar.is_business(*day));
            closed.any(has_day)
        };
        match self.on_closed {
            OnClosed::Skip => false,
            OnClosed::Next => moved_here(|day| day.yesterday().ok()),
            OnClosed::Previous => moved_here(|day| day.tomorrow().ok()),
        }
    }

    fn by_interval(&self, interval: Duration, after: Timestamp) -> Option<Timestamp> {
        let every_ms = i64::try_from(interval.as_millis()).ok().filter(|every_ms| *every_ms > 0)?;
        let mut from_ms = after.as_millisecond();
        // From one day to the next at worst.
        for _ in 0..HORIZON_DAYS {
            let at_ms = from_ms.div_euclid(every_ms).checked_add(1)?.checked_mul(every_ms)?;
            let at = Timestamp::from_millisecond(at_ms).ok()?;
            let date = self.zone.to_datetime(at).date();
            if self.days.contains(&self.calendar, date) {
                return Some(at);
            }
            let tomorrow = at_wall(&self.zone, date.tomorrow().ok()?.to_datetime(Time::midnight()))?;
            from_ms = (tomorrow.as_millisecond() - 1).max(at_ms);
        }
        None
    }
}

/// How much later than others one of this name happens: always the same, up to the given time.
pub fn jitter_of(name: &str, most: Duration) -> Duration {
    // FNV-1a: the same in every version and on every machine.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let most_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    // Its low bits alone are alike for names that end alike.
    Duration::from_millis((hash ^ (hash >> 32)) % most_ms.saturating_add(1))
}

/// How far a time is looked for: the 29th of February falls on a given weekday every 28 years, or 40 over 2100.
const HORIZON: SignedDuration = SignedDuration::from_hours(40 * 366 * 24);

/// The same in days.
const HORIZON_DAYS: usize = 40 * 366;

/// Most days in a row without business that a run is moved over.
const LONGEST_CLOSURE: usize = 400;

/// The grain of the ledger's times.
const INSTANT: SignedDuration = SignedDuration::from_millis(1);

/// How far back the last time is looked for at first.
const FIRST_LOOK_BACK: SignedDuration = SignedDuration::from_mins(2);

#[cfg(test)]
#[path = "recurrence_tests.rs"]
mod tests;
