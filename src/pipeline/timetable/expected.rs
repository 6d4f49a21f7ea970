//! Watches for files that are expected.

use super::{Expected, Timekeeper};
use crate::model::FileState;
use crate::pipeline::setback::guarded;
use crate::ports::LedgerError;

impl Timekeeper {
    /// Looks what came of everything that is expected.
    pub(super) async fn watch_expected(&self) {
        for expected in &self.expected {
            if let Err(error) = guarded(async { Ok(self.watch_one(expected).await?) }).await {
                tracing::warn!(expected = expected.expectation.name, %error, "an expected file is not watched for now");
            }
        }
    }

    async fn watch_one(&self, expected: &Expected) -> Result<(), LedgerError> {
        let (expectation, now) = (&expected.expectation, self.clock.now());
        let name = expectation.name.as_str();
        let known = self.ledger.watch(name).await?;
        let fitting = known.filter(|watch| expectation.fits(watch, now));
        let Some(watch) = fitting.or_else(|| expectation.fresh(now)) else { return Ok(()) };
        let route = expected.route.as_ref().map(|(name, inbox)| (name, inbox.as_str()));
        let past = match expectation.least.percent_of_usual {
            Some(_) => self.ledger.past_files(name, FILES_COMPARED).await?,
            None => Vec::new(),
        };
        let mut look = expectation.begin(watch, &past, now);
        self.ledger.arrivals(&expected.partner, route, watch.counts_from, &mut |arrival| look.take(arrival)).await?;
        let looked = look.end();
        // First what people must know: a crash in between comes to the same alarm again, which stands already.
        if looked.standing != FileState::InHand {
            self.set_alarm(&format!("expected/{name}"), looked.alarm.as_ref(), &expected.channels).await?;
        }
        if known != Some(looked.watch) {
            self.ledger.set_watch(name, &looked.watch, &looked.settled, now).await?;
        }
        Ok(())
    }
}

/// Files before that say what is usual.
const FILES_COMPARED: u32 = 10;
