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

    /// How long to wait before asking again, after so many times.
    pub(super) fn wait(&self, looks: u32) -> Duration {
        self.first_wait.saturating_mul(1 << looks.min(20)).min(self.longest_wait)
    }
}
