//! Looks after receivers: what their operator should know of becomes an alarm, and what is over ends one. So does what the
//! configuration has no more.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Timekeeper;
use crate::model::Alarm;
use crate::pipeline::setback::guarded;
use crate::ports::LedgerError;

impl Timekeeper {
    /// Ends alarms that nobody else would, looks at once, and then now and again until it is dropped.
    pub(super) async fn look_after_receivers(self) {
        loop {
            if let Err(error) = guarded(async { Ok(self.end_what_is_gone().await?) }).await {
                tracing::warn!(%error, "alarms about what the configuration has no more stand on for now");
            }
            if let Err(error) = guarded(async { Ok(self.look_after_all().await?) }).await {
                tracing::warn!(%error, "what is to be said of receivers is not said for now");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Ends the alarms about what the configuration has no more: nobody else would.
    async fn end_what_is_gone(&self) -> Result<(), LedgerError> {
        for subject in self.ledger.open_alarms().await? {
            let is_there = match subject.split_once('/') {
                Some(("expected", name)) => self.expected.iter().any(|expected| expected.expectation.name == name),
                Some(("schedule", name)) => self.schedules.iter().any(|schedule| schedule.name == name),
                Some(("deadline" | "source", _)) => self.others.contains(&subject),
                _ => true,
            };
            if !is_there {
                self.set_alarm(&subject, None, &[]).await?;
            }
        }
        Ok(())
    }

    async fn look_after_all(&self) -> Result<(), LedgerError> {
        let looks =
            self.receivers.iter().map(async |(name, receiver)| (name, receiver.concerns(self.clock.now()).await));
        let mut alarms: BTreeMap<String, Alarm> = BTreeMap::new();
        for (name, concerns) in futures::future::join_all(looks).await {
            // Several routes may lead to one receiver: it is spoken of once.
            alarms.extend(concerns.into_iter().map(|concern| {
                let text = format!("receiver {name}: {}", concern.alarm.text);
                (format!("{SUBJECT}{name}/{}", concern.about), Alarm { text, ..concern.alarm })
            }));
        }
        let mut channels: Vec<String> = self.channels.keys().cloned().collect();
        channels.sort_unstable();
        for open in self.ledger.open_alarms().await? {
            if open.starts_with(SUBJECT) && !alarms.contains_key(&open) {
                self.set_alarm(&open, None, &channels).await?;
            }
        }
        for (subject, alarm) in &alarms {
            self.set_alarm(subject, Some(alarm), &channels).await?;
        }
        Ok(())
    }
}

/// What alarms about receivers begin with.
const SUBJECT: &str = "receiver/";

/// How often receivers are looked after: a clock may go wrong at any time.
const LOOK_EVERY: Duration = Duration::from_secs(600);
