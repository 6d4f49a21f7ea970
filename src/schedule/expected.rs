//! Files that are expected by a time: what is watched, and when something is wrong.
//!
//! A time is watched from the time before it until its file has come, or comes no longer. A file counts for the first time
//! that has none: one that comes late fulfils its own time, and the next time needs another.

use std::ops::ControlFlow;
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

    /// Begins a look at what came after a watch's beginning, with the files that were taken before.
    pub fn begin(&self, watch: Watch, past: &[PastFile], now: Timestamp) -> Look<'_> {
        let (end, next) = self.end(watch.due);
        let (came, later, settled) = (Came::default(), Came::default(), Vec::new());
        Look { expectation: self, least: self.least(past), now, watch, end, next, came, later, settled }
    }

    /// Until when a file counts for a time: no longer than until the next; and that.
    fn end(&self, due: Timestamp) -> (Timestamp, Option<Timestamp>) {
        let end = due.checked_add(self.late).unwrap_or(Timestamp::MAX);
        let next = self.times.next(due);
        (next.map_or(end, |next| next.min(end)), next)
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
}

/// A look at what came, file by file and oldest first. Of all that came it holds a few, however many there are.
pub struct Look<'e> {
    expectation: &'e Expectation,
    least: PastFile,
    now: Timestamp,
    watch: Watch,
    /// Until when a file counts for the time that is watched.
    end: Timestamp,
    /// The time after that.
    next: Option<Timestamp>,
    /// What came for it.
    came: Came,
    /// Of that, what counts for the next time if the file that is in hand turns out to be this one's.
    later: Came,
    settled: Vec<Settled>,
}

/// What is known of the files that came for a time.
#[derive(Debug, Clone, Copy, Default)]
struct Came {
    /// The first that is not judged.
    in_hand: Option<Arrival>,
    /// The first that holds enough.
    enough: Option<Arrival>,
    /// The last that was taken.
    taken: Option<Arrival>,
    refused: u64,
}

impl Came {
    fn count(&mut self, arrival: Arrival, least: &PastFile) {
        match arrival.judged {
            Judged::Not => self.in_hand = self.in_hand.or(Some(arrival)),
            Judged::Refused => self.refused += 1,
            Judged::Taken => {
                self.taken = Some(arrival);
                let is_enough = arrival.size_bytes >= least.size_bytes && arrival.items >= least.items;
                self.enough = self.enough.or(is_enough.then_some(arrival));
            }
        }
    }
}

impl Look<'_> {
    /// Takes the next file into account; breaks when no further one would tell anything.
    pub fn take(&mut self, arrival: Arrival) -> ControlFlow<()> {
        if arrival.at > self.now {
            return ControlFlow::Break(());
        }
        while self.is_past(&arrival) && self.settle() {}
        if arrival.at > self.watch.counts_from && arrival.at <= self.end {
            self.came.count(arrival, &self.least);
            if self.came.in_hand.is_some_and(|first| arrival.at > first.at.max(self.watch.due)) {
                self.later.count(arrival, &self.least);
            }
        }
        // Before its time nothing can be settled, and this one will do.
        let is_told = self.came.enough.is_some() && self.now < self.watch.due;
        if is_told { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Ends it: where the expectation stands now.
    pub fn end(mut self) -> Looked {
        while self.settle() {}
        let standing = self.standing();
        let alarm = self.alarm(standing);
        Looked { settled: self.settled, watch: self.watch, standing, alarm }
    }

    /// Tells a file that counts for a time after the one that is watched.
    fn is_past(&self, arrival: &Arrival) -> bool {
        arrival.at > self.end || self.came.enough.is_some_and(|enough| arrival.at > enough.at.max(self.watch.due))
    }

    /// Goes on to the next time, if this one has come to its end.
    fn settle(&mut self) -> bool {
        let (standing, due) = (self.standing(), self.watch.due);
        let is_over = match standing {
            FileState::Arrived => self.now >= due,
            FileState::Waiting | FileState::InHand | FileState::Soon | FileState::Late => false,
            FileState::Missing => true,
            FileState::Short => self.now >= self.end,
        };
        let Some(next) = self.next.filter(|_| is_over) else { return false };
        let arrival = self.telling(standing);
        self.settled.push(Settled { due, standing, arrival });
        let later = std::mem::take(&mut self.later);
        (self.watch, self.came) = match (standing, arrival) {
            (FileState::Arrived, Some(arrival)) => {
                let came = if self.came.enough.is_none() { later } else { Came::default() };
                (Watch { counts_from: arrival.at.max(due), due: next, behind: None }, came)
            }
            _ => (Watch { counts_from: self.end, due: next, behind: Some((standing, due)) }, Came::default()),
        };
        (self.end, self.next) = self.expectation.end(next);
        true
    }

    fn standing(&self) -> FileState {
        let (due, is_over, in_hand) = (self.watch.due, self.now >= self.end, self.came.in_hand.is_some());
        // What waits to be judged has come; what becomes of it is told elsewhere.
        if self.came.enough.is_some() || (in_hand && is_over) {
            return FileState::Arrived;
        }
        if in_hand {
            return FileState::InHand;
        }
        if self.came.taken.is_some() {
            return FileState::Short;
        }
        let warns = self.expectation.warn.and_then(|warn| due.checked_sub(warn).ok());
        match self.now >= due {
            true if is_over => FileState::Missing,
            true => FileState::Late,
            false if warns.is_some_and(|from| self.now >= from) => FileState::Soon,
            false => FileState::Waiting,
        }
    }

    /// The file that a standing is about.
    fn telling(&self, standing: FileState) -> Option<Arrival> {
        match standing {
            FileState::Arrived => self.came.enough.or(self.came.in_hand),
            FileState::Short => self.came.taken,
            FileState::Waiting | FileState::InHand | FileState::Soon | FileState::Late | FileState::Missing => None,
        }
    }

    fn alarm(&self, standing: FileState) -> Option<Alarm> {
        let (standing, due, arrival) = match standing {
            FileState::Arrived | FileState::InHand => return None,
            FileState::Waiting => {
                let (standing, due) = self.watch.behind?;
                (standing, due, None)
            }
            FileState::Soon | FileState::Late | FileState::Missing | FileState::Short => {
                (standing, self.watch.due, self.telling(standing))
            }
        };
        let of = &self.expectation.of;
        let by = due.to_zoned(self.expectation.times.zone.clone()).strftime("%Y-%m-%d %H:%M %Z");
        let mut text = match (standing, arrival) {
            (FileState::Short, Some(arrival)) => format!(
                "the file of {of} for {by} has {} bytes and {} items; at least {} bytes and {} items are expected",
                arrival.size_bytes, arrival.items, self.least.size_bytes, self.least.items
            ),
            (FileState::Short, None) => format!("the file of {of} for {by} was too small"),
            (FileState::Soon, _) => format!("no file of {of} yet; it is due by {by}"),
            (FileState::Missing, _) => format!("no file of {of} came for {by}"),
            _ => format!("no file of {of} by {by}"),
        };
        if self.came.refused > 0 {
            text.push_str(&format!("; refused: {}", self.came.refused));
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
