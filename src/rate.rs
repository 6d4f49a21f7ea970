//! No more than so many in any minute.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What a receiver's published limit allows.
#[derive(Debug)]
pub struct Rate {
    most: usize,
    /// When the last ones began, the earliest first.
    begun: Mutex<VecDeque<Instant>>,
}

impl Rate {
    /// So many in any sixty seconds; at least one.
    pub fn per_minute(most: usize) -> Self {
        Self { most: most.max(1), begun: Mutex::default() }
    }

    /// Waits until one more may begin, and counts it.
    pub async fn turn(&self) {
        while let Err(at) = self.begin(Instant::now()) {
            sleep_until(at).await;
        }
    }

    /// Begins one, or tells when to ask again.
    fn begin(&self, now: Instant) -> Result<(), Instant> {
        // Whole after every statement.
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        while begun.front().is_some_and(|first| *first + MINUTE <= now) {
            begun.pop_front();
        }
        match begun.front() {
            Some(first) if begun.len() >= self.most => Err(*first + MINUTE),
            Some(_) | None => {
                begun.push_back(now);
                Ok(())
            }
        }
    }
}

/// The span that limits are published for.
const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_than_it_may() {
        let (rate, start) = (Rate::per_minute(3), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for seconds in [0, 10, 20] {
            assert_eq!(rate.begin(at(seconds)), Ok(()));
        }
        assert_eq!(rate.begin(at(30)), Err(at(60)));
        assert_eq!(rate.begin(at(60)), Ok(()));
        assert_eq!(rate.begin(at(60)), Err(at(70)));
    }
}
