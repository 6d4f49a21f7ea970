//! What is done about runs whose time came while nobody was there.

use std::time::Duration;

use jiff::Timestamp;

use super::Recurrence;

/// What becomes of runs that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Misfire {
    /// One run makes up for all of them.
    #[default]
    Once,
    /// They are passed over.
    Skip,
    /// Each is made up for, in order; the last hundred when there are more.
    Each,
}

impl Misfire {
    /// Every policy, with its word in the configuration.
    pub const ALL: [(&'static str, Self); 3] = [("once", Self::Once), ("skip", Self::Skip), ("each", Self::Each)];
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Times whose runs are to happen now, in order.
    pub runs: Vec<Timestamp>,
    /// The last time that this settles.
    pub until: Timestamp,
    /// Some runs are passed over.
    pub is_passed_over: bool,
}

impl Misfire {
    /// What is due after the last time that was settled; `None` when nothing is. A run that is not later than the grace is
    /// in time, whatever the policy.
    pub fn due(self, times: &Recurrence, last: Timestamp, now: Timestamp, grace: Duration) -> Option<Due> {
        let first = times.next(last).filter(|first| *first <= now)?;
        let until = times.latest(last, now)?;
        let in_time = now.checked_sub(grace).map_or(true, |earliest| until >= earliest);
        let runs = match self {
            Self::Once => vec![until],
            Self::Skip if in_time => vec![until],
            Self::Skip => Vec::new(),
            Self::Each => last_of(times.upcoming(last).take_while(|at| *at <= now)),
        };
        let is_passed_over = runs.first() != Some(&first);
        Some(Due { runs, until, is_passed_over })
    }
}

/// The last of them, as many as are made up for.
fn last_of(times: impl Iterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut kept = std::collections::VecDeque::new();
    for at in times {
        if kept.len() == MOST_RUNS {
            kept.pop_front();
        }
        kept.push_back(at);
    }
    kept.into()
}

/// Most runs that are made up for one by one.
const MOST_RUNS: usize = 100;

#[cfg(test)]
mod tests {
    use super::super::{Calendar, Days, OnClosed, Rule, zone};
    use super::*;

    fn hourly() -> Recurrence {
        Recurrence {
            rule: Rule::Cron(Box::new("0 * * * *".parse().unwrap())),
            zone: zone("Europe/Oslo").unwrap(),
            calendar: Calendar::default().into(),
            days: Days::All,
            on_closed: OnClosed::Skip,
            windows: None,
            jitter: Duration::ZERO,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const GRACE: Duration = Duration::from_secs(60);

    #[test]
    fn a_run_in_time_happens_under_every_policy() {
        for (_, policy) in Misfire::ALL {
            let due = policy.due(&hourly(), at("2026-11-27T09:30Z"), at("2026-11-27T10:00:30Z"), GRACE);
            let runs = vec![at("2026-11-27T10:00Z")];
            assert_eq!(due, Some(Due { runs, until: at("2026-11-27T10:00Z"), is_passed_over: false }));
            assert_eq!(policy.due(&hourly(), at("2026-11-27T10:00Z"), at("2026-11-27T10:59:59Z"), GRACE), None);
        }
    }

    #[test]
    fn missed_runs_are_made_up_for_as_the_policy_says() {
        let due =
            |policy: Misfire| policy.due(&hourly(), at("2026-11-27T06:00Z"), at("2026-11-27T10:30Z"), GRACE).unwrap();
        let until = at("2026-11-27T10:00Z");
        assert_eq!(due(Misfire::Once), Due { runs: vec![until], until, is_passed_over: true });
        assert_eq!(due(Misfire::Skip), Due { runs: vec![], until, is_passed_over: true });
        let each = due(Misfire::Each);
        assert_eq!((each.runs.len(), each.until, each.is_passed_over), (4, until, false));
        let long = Misfire::Each.due(&hourly(), at("2026-01-01T06:00Z"), at("2026-11-27T10:30Z"), GRACE).unwrap();
        assert_eq!((long.runs.len(), long.runs.last(), long.is_passed_over), (100, Some(&until), true));
    }

    #[test]
    fn a_clock_that_is_set_back_repeats_nothing() {
        for (_, policy) in Misfire::ALL {
            assert_eq!(policy.due(&hourly(), at("2026-11-27T10:00Z"), at("2026-11-27T09:10Z"), GRACE), None);
        }
    }
}
