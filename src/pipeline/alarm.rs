//! Alarms, set and said in the log.

use jiff::Timestamp;

use crate::model::{Alarm, AlarmChange};
use crate::ports::{LedgerError, Timetable};

/// Sets what is wrong with a subject, or that nothing is; the log says what has changed.
pub(super) async fn set_alarm(
    alarms: &dyn Timetable,
    (subject, alarm): (&str, Option<&Alarm>),
    channels: &[String],
    now: Timestamp,
) -> Result<(), LedgerError> {
    match alarms.set_alarm(subject, alarm, channels, now).await? {
        AlarmChange::None => {}
        AlarmChange::Cleared => tracing::info!(subject, "an alarm is over"),
        AlarmChange::Raised => {
            let (level, text) = alarm.map(|alarm| (alarm.level.as_str(), alarm.text.as_str())).unwrap_or_default();
            tracing::error!(subject, level, text, "alarm");
        }
    }
    Ok(())
}
