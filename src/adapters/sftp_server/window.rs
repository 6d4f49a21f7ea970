//! How much a client may have on its way to us, by how far away it is.

use std::time::{Duration, Instant};

/// What all get at first, enough for 10 ms at 400 MB/s. With more, OpenSSH's client buffers as much, and on a short way
/// spends more time on its own memory than on the line.
pub(super) const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// What one far away gets once its upload runs: as much as OpenSSH's client has under way at most.
pub(super) const FAR_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// How far away a client is: what passes between our answer to its opening a channel and what it asks for there, which
/// no client waits with.
#[derive(Debug, Default)]
pub(super) struct Distance {
    answered_at: Option<Instant>,
    round_trip: Option<Duration>,
}

impl Distance {
    /// The opening of a channel was answered.
    pub(super) fn answered(&mut self, now: Instant) {
        self.answered_at = Some(now);
    }

    /// Something was asked for in it; of several the least counts, since a busy machine adds and takes nothing away.
    pub(super) fn asked(&mut self, now: Instant) {
        let passed = self.answered_at.take().map(|at| now.duration_since(at));
        self.round_trip = self.round_trip.into_iter().chain(passed).min();
    }

    /// What the client may have on its way to us from now on.
    pub(super) fn window(&self) -> u32 {
        if self.round_trip.is_some_and(|round_trip| round_trip >= FAR) { FAR_WINDOW_BYTES } else { WINDOW_BYTES }
    }
}

/// From here on the first window is less than a line of 400 MB/s holds.
const FAR: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_far_away_gets_more_and_who_was_near_once_is_near() {
        let (mut distance, start) = (Distance::default(), Instant::now());
        assert_eq!(distance.window(), WINDOW_BYTES, "nothing is known yet");
        distance.asked(start);
        assert_eq!(distance.window(), WINDOW_BYTES, "nothing was answered");
        distance.answered(start);
        distance.asked(start + Duration::from_millis(50));
        assert_eq!(distance.window(), FAR_WINDOW_BYTES);
        distance.asked(start + Duration::from_secs(1));
        assert_eq!(distance.window(), FAR_WINDOW_BYTES, "a second request in the channel says nothing");
        distance.answered(start + Duration::from_secs(2));
        distance.asked(start + Duration::from_secs(2) + Duration::from_millis(9));
        assert_eq!(distance.window(), WINDOW_BYTES);
    }
}
