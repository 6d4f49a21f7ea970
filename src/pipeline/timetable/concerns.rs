//! Looks after receivers: what their operator should know of becomes an alarm, and what is over ends one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Timekeeper;
use crate::model::Alarm;
use crate::ports::LedgerError;

impl Timekeeper {
    /// Looks at once, and then now and again until it is dropped.
    pub(super) async fn look_after_receivers(self) {
        loop {
            if let Err(error) = self.look_after_all().await {
                tracing::warn!(%error, "the ledger does not take what is to be said of receivers");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
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
