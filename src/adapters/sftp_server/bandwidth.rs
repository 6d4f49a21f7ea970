//! How many bytes a second a partner's connections take together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A partner's share of the line.
#[derive(Debug)]
pub(super) struct Bandwidth {
    bytes_per_second: u64,
    /// When all that was spent so far is paid for.
    paid: Mutex<Instant>,
}

impl Bandwidth {
    /// So many bytes a second.
    pub(super) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), paid: Mutex::new(Instant::now()) }
    }

    /// Counts bytes that came or went, and waits until they are within the share.
    pub(super) async fn spend(&self, bytes: usize) {
        sleep_until(self.due(bytes)).await;
    }

    fn due(&self, bytes: usize) -> Instant {
        let cost = Duration::from_nanos(
            u64::try_from(bytes as u128 * 1_000_000_000 / u128::from(self.bytes_per_second)).unwrap_or(u64::MAX),
        );
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        // What was not used for a while is not saved up.
        *paid = (*paid).max(Instant::now()) + cost.min(LONGEST);
        *paid
    }
}

/// No single wait is longer, however small the share.
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_connections_share_and_a_pause_saves_nothing_up() {
        let share = Bandwidth::new(1_000_000);
        let first = share.due(500_000);
        assert_eq!(share.due(1_000_000) - first, Duration::from_secs(1));
        *share.paid.lock().unwrap() = Instant::now() - Duration::from_secs(60);
        let before = Instant::now();
        assert!(share.due(250_000) >= before + Duration::from_millis(250));
    }
}
