//! Files that are expected by a time: what is watched, and when something is wrong.
//!
//! A time is watched from the time before it until its file has come, or comes no longer. A file counts for the first time
//! that has none: one that comes late fulfils its own time, and the next time needs another.

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};

use super::Recurrence;
use crate::model::{Alarm, Arrival, FileState, Judged, PastFile, Settled, Watch};

/// A file that should come by certain times.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Its name.
    pub name: String,
    /// Of what, for people: a partner and a route.
    pub of: String,
    /// The times by which it should be there.
    pub times: Recurrence,
    /// So long before its time an early warning is given; `None` for never.
    pub warn: Option<Duration>,
    /// So long after its time it may still come, before it is missing.
    pub late: Duration,
    /// What it should hold at least.
    pub least: Least,
}

/// What a file should hold at least.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Least {
    /// Bytes.
    pub size_bytes: u64,
    /// Items.
    pub items: u64,
    /// Per cent of what is usual: the median of the files before, of bytes and of items.
    pub percent_of_usual: Option<f64>,
}

/// Where an expectation stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// Times that came to their end.
    pub settled: Vec<Settled>,
    /// The time that is watched now.
    pub watch: Watch,
    /// How that stands.
    pub standing: FileState,
    /// What is wrong, if anything is; where the file is in hand, nothing is known that was not before.
    pub alarm: Option<Alarm>,
}

impl Expectation {
    /// The first watch of an expectation that is new, or whose times were changed, or of a clock that was set back behind
    /// what is watched.
    pub fn fresh(&self, now: Timestamp) -> Option<Watch> {
        let long_ago = now.checked_sub(FIRST_LOOK_BACK.hours()).unwrap_or(Timestamp::MIN);
        let counts_from = self.times.latest(long_ago, now).unwrap_or(now);
        Some(Watch { counts_from, due: self.times.next(now)?, behind: None })
    }

    /// Tells whether a watch can go on.
    pub fn fits(&self, watch: &Watch, now: Timestamp) -> bool {
        let just_before = watch.due.checked_sub(1.millisecond()).unwrap_or(watch.due);
        watch.counts_from <= now && self.times.next(just_before) == Some(watch.due)
    }

    /// Looks at what came after the watch's beginning, oldest first, with the files that were taken before.
    pub fn look(&self, mut watch: Watch, arrivals: &[Arrival], past: &[PastFile], now: Timestamp) -> Looked {
        let mut settled = Vec::new();
        loop {
            let end = self.end(watch.due);
            let count = |arrival: &&Arrival| arrival.at > watch.counts_from && arrival.at <= end.min(now);
            let counting: Vec<_> = arrivals.iter().filter(count).copied().collect();
            let standing = self.standing(watch.due, &counting, past, now);
            let is_over = match standing {
                FileState::Arrived => now >= watch.due,
                FileState::Waiting | FileState::InHand | FileState::Soon | FileState::Late => false,
                FileState::Missing => true,
                FileState::Short => now >= end,
            };
            let next = if is_over { self.times.next(watch.due) } else { None };
            let Some(next) = next else {
                let alarm = self.alarm(&watch, standing, &counting, past);
                return Looked { settled, watch, standing, alarm };
            };
            let arrival = self.telling(standing, &counting, past);
            settled.push(Settled { due: watch.due, standing, arrival });
            watch = match (standing, arrival) {
                (FileState::Arrived, Some(arrival)) => {
                    Watch { counts_from: arrival.at.max(watch.due), due: next, behind: None }
                }
                _ => Watch { counts_from: end, due: next, behind: Some((standing, watch.due)) },
            };
        }
    }

    /// Until when a file counts for a time: no longer than until the next.
    fn end(&self, due: Timestamp) -> Timestamp {
        let end = due.checked_add(self.late).unwrap_or(Timestamp::MAX);
        self.times.next(due).map_or(end, |next| next.min(end))
    }

    fn standing(&self, due: Timestamp, counting: &[Arrival], past: &[PastFile], now: Timestamp) -> FileState {
        let is_over = now >= self.end(due);
        let is_enough = |arrival: &Arrival| arrival.judged == Judged::Taken && self.is_enough(arrival, past);
        // What waits to be judged has come; what becomes of it is told elsewhere.
        let in_hand = counting.iter().any(|arrival| arrival.judged == Judged::Not);
        if counting.iter().any(is_enough) || (in_hand && is_over) {
            return FileState::Arrived;
        }
        if in_hand {
            return FileState::InHand;
        }
        if counting.iter().any(|arrival| arrival.judged == Judged::Taken) {
            return FileState::Short;
        }
        let warns = self.warn.and_then(|warn| due.checked_sub(warn).ok()).is_some_and(|from| now >= from);
        match now >= due {
            true if is_over => FileState::Missing,
            true => FileState::Late,
            false if warns => FileState::Soon,
            false => FileState::Waiting,
        }
    }

    /// The file that a standing is about.
    fn telling(&self, standing: FileState, counting: &[Arrival], past: &[PastFile]) -> Option<Arrival> {
        let taken = || counting.iter().filter(|arrival| arrival.judged == Judged::Taken);
        let found = match standing {
            FileState::Arrived => {
                let enough = taken().find(|arrival| self.is_enough(arrival, past));
                enough.or_else(|| counting.iter().find(|arrival| arrival.judged == Judged::Not))
            }
            FileState::Short => taken().next_back(),
            FileState::Waiting | FileState::InHand | FileState::Soon | FileState::Late | FileState::Missing => None,
        };
        found.copied()
    }

    fn is_enough(&self, arrival: &Arrival, past: &[PastFile]) -> bool {
        let least = self.least(past);
        arrival.size_bytes >= least.size_bytes && arrival.items >= least.items
    }

    /// What is asked for now, with what is usual taken into account.
    fn least(&self, past: &[PastFile]) -> PastFile {
        let Least { mut size_bytes, mut items, percent_of_usual } = self.least;
        if let Some(percent) = percent_of_usual.filter(|_| past.len() >= FEWEST_TO_COMPARE) {
            let share = |usual: u64| (usual as f64 * percent / 100.0).ceil() as u64;
            size_bytes = size_bytes.max(share(median(past.iter().map(|file| file.size_bytes))));
            items = items.max(share(median(past.iter().map(|file| file.items))));
        }
        PastFile { size_bytes, items }
    }

    fn alarm(&self, watch: &Watch, standing: FileState, counting: &[Arrival], past: &[PastFile]) -> Option<Alarm> {
        let (standing, due, arrival) = match standing {
            FileState::Arrived | FileState::InHand => return None,
            FileState::Waiting => {
                let (standing, due) = watch.behind?;
                (standing, due, None)
            }
            FileState::Soon | FileState::Late | FileState::Missing | FileState::Short => {
                (standing, watch.due, self.telling(standing, counting, past))
            }
        };
        let by = due.to_zoned(self.times.zone.clone()).strftime("%Y-%m-%d %H:%M %Z");
        let refused = counting.iter().filter(|arrival| arrival.judged == Judged::Refused).count();
        let mut text = match (standing, arrival) {
            (FileState::Short, Some(arrival)) => {
                let least = self.least(past);
                format!(
                    "the file of {} for {by} has {} bytes and {} items; at least {} bytes and {} items are expected",
                    self.of, arrival.size_bytes, arrival.items, least.size_bytes, least.items
                )
            }
            (FileState::Short, None) => format!("the file of {} for {by} was too small", self.of),
            (FileState::Soon, _) => format!("no file of {} yet; it is due by {by}", self.of),
            (FileState::Missing, _) => format!("no file of {} came for {by}", self.of),
            _ => format!("no file of {} by {by}", self.of),
        };
        if refused > 0 {
            text.push_str(&format!("; refused: {refused}"));
        }
        Some(Alarm { level: standing.as_str().to_owned(), due, text })
    }
}

/// The middle one; the lower of two.
fn median(numbers: impl Iterator<Item = u64>) -> u64 {
    let mut sorted: Vec<_> = numbers.collect();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

/// So many files must have come before something is usual.
const FEWEST_TO_COMPARE: usize = 3;

/// How far back a new expectation looks for the time before, in hours: files since then count for its first.
const FIRST_LOOK_BACK: i64 = 40 * 24;

#[cfg(test)]
#[path = "expected_tests.rs"]
mod tests;
