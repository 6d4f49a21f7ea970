//! What is asked for after the platform took an item.

use std::time::Duration;

use crate::model::LateEvent;

/// What is asked for after an item was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsSettings {
    /// Which events are told.
    pub events: Vec<LateEvent>,
    /// When it is asked about first; the wait doubles from there.
    pub first_wait: Duration,
    /// Up to this.
    pub longest_wait: Duration,
    /// For so long.
    pub lasts: Duration,
}

impl NewsSettings {
    /// For how long there may be news; `None` where nobody wants any.
    pub(super) fn time(&self) -> Option<Duration> {
        (!self.events.is_empty()).then_some(self.lasts)
    }

    /// Tells whether, after so many looks, they are so seldom that one may take more than a glance.
    pub(super) fn is_seldom(&self, looks: u32) -> bool {
        self.wait(looks) >= self.longest_wait.min(SELDOM)
    }

    /// How long to wait before asking again, after so many times.
    pub(super) fn wait(&self, looks: u32) -> Duration {
        self.first_wait.saturating_mul(1 << looks.min(20)).min(self.longest_wait)
    }
}

/// Looks that are no further apart are glances, whatever the settings: with a short end no others might come.
const SELDOM: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_seldom_whatever_is_set() {
        let first_seldom = |first: u64, longest: u64| {
            let (first_wait, longest_wait) = (Duration::from_secs(first), Duration::from_secs(longest));
            let settings = NewsSettings { events: Vec::new(), first_wait, longest_wait, lasts: Duration::MAX };
            (0..99).find(|looks| settings.is_seldom(*looks))
        };
        assert_eq!(first_seldom(60, 21_600), Some(6), "64 minutes");
        assert_eq!(first_seldom(60, 600), Some(4));
        assert_eq!(first_seldom(86_400, 86_400), Some(0));
    }
}
