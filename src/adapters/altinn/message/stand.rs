//! What has become of a message since it was sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::LateEvent;
use crate::ports::Stand;

/// A message as the platform shows it: of all that became of it the last in the platform's own order, in which what comes
/// after a confirmation may have happened before it. With details, each with its time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    status: String,
    status_changed: Option<Timestamp>,
    published: Option<Timestamp>,
    read: Option<Timestamp>,
    #[serde(default)]
    is_confirmation_needed: bool,
    #[serde(default)]
    status_history: Option<Vec<Happened>>,
}

/// Something that became of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Happened {
    status: String,
    status_changed: Option<Timestamp>,
}

impl Overview {
    /// What has happened to it, as far as anybody wants to know, and whether that is all.
    pub(super) fn stand(&self, wanted: &[LateEvent], now: Timestamp) -> Stand {
        let changed = self.status_changed.unwrap_or(now);
        let mut events = Vec::new();
        let published = self.published.or_else(|| self.since("Published", now));
        if published.is_some() || self.is_visible() {
            events.push((LateEvent::Published, published.unwrap_or(changed)));
        }
        let confirmed = self.since("Confirmed", now);
        let read = self.read.or_else(|| self.since("Read", now)).or_else(|| self.since("Replied", now)).or(confirmed);
        let told = [
            (LateEvent::Read, read),
            (LateEvent::Confirmed, confirmed),
            (LateEvent::PublishFailed, self.since("Failed", now)),
            (LateEvent::Reserved, self.since("Reserved", now)),
        ];
        events.extend(told.into_iter().filter_map(|(event, at)| Some((event, at?))));
        let has = |event| events.iter().any(|(known, _)| *known == event);
        let is_ended = self.is_purged() || has(LateEvent::PublishFailed) || has(LateEvent::Reserved);
        let is_read = has(LateEvent::Read) && !self.awaits_confirmation(wanted);
        let is_over = is_ended || is_read || has(LateEvent::Confirmed);
        events.retain(|(event, _)| wanted.contains(event));
        Stand { events, is_over }
    }

    /// Tells whether somebody wants to know of a confirmation that this does not show, though it may be there.
    pub(super) fn may_hide_confirmation(&self, wanted: &[LateEvent]) -> bool {
        let comes_before = matches!(
            self.status.as_str(),
            "Initialized" | "ReadyForPublish" | "Published" | "Fetched" | "Read" | "Replied" | "Confirmed"
        );
        let never_came = matches!(self.status.as_str(), "Failed" | "Reserved");
        self.awaits_confirmation(wanted) && !comes_before && !never_came
    }

    fn awaits_confirmation(&self, wanted: &[LateEvent]) -> bool {
        self.is_confirmation_needed && wanted.contains(&LateEvent::Confirmed)
    }

    /// When it first had a status, which is now where no time is told; `None` when it is not known to have had it.
    fn since(&self, status: &str, now: Timestamp) -> Option<Timestamp> {
        let history = self.status_history.iter().flatten().map(|event| (&event.status, event.status_changed));
        let all = history.chain([(&self.status, self.status_changed)]);
        all.filter(|(had, _)| *had == status).map(|(_, at)| at.unwrap_or(now)).min()
    }

    fn is_purged(&self) -> bool {
        matches!(self.status.as_str(), "PurgedByRecipient" | "PurgedByAltinn")
    }

    fn is_visible(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Published"
                | "Fetched"
                | "Read"
                | "Replied"
                | "Confirmed"
                | "Archived"
                | "AttachmentsDownloaded"
                | "Forwarded"
        )
    }
}

/// The stand of an item with several messages: bad news of one are news of the item, good news are when all have them.
pub(super) fn together(stands: &[Stand]) -> Stand {
    let mut counts: BTreeMap<LateEvent, (usize, Timestamp)> = BTreeMap::new();
    for (event, at) in stands.iter().flat_map(|stand| &stand.events) {
        let (count, last) = counts.entry(*event).or_insert((0, *at));
        *count += 1;
        *last = (*last).max(*at);
    }
    let is_bad = |event| matches!(event, LateEvent::PublishFailed | LateEvent::Reserved);
    let told = counts.into_iter().filter(|(event, (count, _))| *count == stands.len() || is_bad(*event));
    Stand {
        events: told.map(|(event, (_, at))| (event, at)).collect(),
        is_over: stands.iter().all(|stand| stand.is_over),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(status: &str, needs_confirmation: bool) -> (Vec<LateEvent>, bool) {
        let text = format!(
            r#"{{"status":"{status}","statusChanged":"2026-12-01T06:00:00+01:00","isConfirmationNeeded":{needs_confirmation}}}"#
        );
        let overview: Overview = serde_json::from_str(&text).unwrap();
        let stand = overview.stand(&LateEvent::ALL, Timestamp::UNIX_EPOCH);
        assert!(stand.events.iter().all(|(_, at)| at.to_string() == "2026-12-01T05:00:00Z"));
        (stand.events.into_iter().map(|(event, _)| event).collect(), stand.is_over)
    }

    #[test]
    fn each_status_is_news_or_none() {
        use LateEvent::{Confirmed, PublishFailed, Published, Read, Reserved};
        let table: [(&str, &[LateEvent], bool, bool); 9] = [
            ("Initialized", &[], false, false),
            ("ReadyForPublish", &[], false, false),
            ("Published", &[Published], false, false),
            ("Fetched", &[Published], false, false),
            ("Read", &[Published, Read], true, false),
            ("Confirmed", &[Published, Read, Confirmed], true, true),
            ("Reserved", &[Reserved], true, true),
            ("Failed", &[PublishFailed], true, true),
            ("PurgedByRecipient", &[], true, true),
        ];
        for (status, events, over, over_with_confirmation) in table {
            assert_eq!(stand(status, false), (events.to_vec(), over), "{status}");
            assert_eq!(stand(status, true), (events.to_vec(), over_with_confirmation), "{status}");
        }
    }

    #[test]
    fn a_confirmation_is_told_though_more_happened_after_it_or_before() {
        let happened =
            |status: &str, hour: u8| format!(r#"{{"status":"{status}","statusChanged":"2026-12-01T0{hour}:00:00Z"}}"#);
        let told = |status: &str, history: &[String]| {
            let history = history.join(",");
            let text = format!(
                r#"{{"status":"{status}","statusChanged":"2026-12-01T02:00:00Z","isConfirmationNeeded":true,"statusHistory":[{history}]}}"#
            );
            let overview: Overview = serde_json::from_str(&text).unwrap();
            let Stand { events, is_over } = overview.stand(&LateEvent::ALL, Timestamp::UNIX_EPOCH);
            let confirmed = events.into_iter().find(|(event, _)| *event == LateEvent::Confirmed);
            (confirmed.map(|(_, at)| at.to_string()), is_over, overview.may_hide_confirmation(&LateEvent::ALL))
        };
        let history = [happened("AttachmentsDownloaded", 2), happened("Read", 1), happened("Confirmed", 3)];
        let at = || Some("2026-12-01T03:00:00Z".to_owned());
        for status in ["AttachmentsDownloaded", "Archived", "Forwarded", "SomethingNew"] {
            assert_eq!(told(status, &history), (at(), true, true), "{status}");
            assert_eq!(told(status, &history[..2]), (None, false, true), "{status}");
        }
        assert_eq!(told("PurgedByRecipient", &history), (at(), true, true));
        assert_eq!(told("PurgedByAltinn", &history[..1]), (None, true, true), "it is gone");
        for status in ["Published", "Read", "Replied", "Reserved", "Failed"] {
            assert!(!told(status, &[]).2, "{status}");
        }
    }

    #[test]
    fn a_confirmation_that_nobody_wants_is_not_waited_for() {
        let text = r#"{"status":"AttachmentsDownloaded","read":"2026-12-01T02:00:00Z","isConfirmationNeeded":true}"#;
        let overview: Overview = serde_json::from_str(text).unwrap();
        let wanted = [LateEvent::Read];
        assert!(overview.stand(&wanted, Timestamp::UNIX_EPOCH).is_over && !overview.may_hide_confirmation(&wanted));
        assert!(!overview.stand(&LateEvent::ALL, Timestamp::UNIX_EPOCH).is_over);
    }

    #[test]
    fn news_of_several_messages_are_those_of_all_or_bad() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let one = |events: &[(LateEvent, i64)], is_over| Stand {
            events: events.iter().map(|(event, second)| (*event, at(*second))).collect(),
            is_over,
        };
        let first = one(&[(LateEvent::Published, 1), (LateEvent::Read, 2)], true);
        let second = one(&[(LateEvent::Published, 3)], false);
        let failed = one(&[(LateEvent::PublishFailed, 4)], true);
        assert_eq!(together(&[first.clone(), second]), one(&[(LateEvent::Published, 3)], false));
        assert_eq!(together(&[first, failed]), one(&[(LateEvent::PublishFailed, 4)], true));
    }
}
