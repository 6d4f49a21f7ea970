//! What has become of a message since it was sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::LateEvent;
use crate::ports::Stand;

/// A message as the platform shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    status: String,
    status_changed: Option<Timestamp>,
    published: Option<Timestamp>,
    read: Option<Timestamp>,
    #[serde(default)]
    is_confirmation_needed: bool,
}

impl Overview {
    /// What has happened to it, as far as anybody wants to know, and whether that is all.
    pub(super) fn stand(&self, wanted: &[LateEvent], now: Timestamp) -> Stand {
        let changed = self.status_changed.unwrap_or(now);
        let mut events = Vec::new();
        if self.published.is_some() || self.is_visible() {
            events.push((LateEvent::Published, self.published.unwrap_or(changed)));
        }
        if self.read.is_some() || matches!(self.status.as_str(), "Read" | "Confirmed" | "Replied") {
            events.push((LateEvent::Read, self.read.unwrap_or(changed)));
        }
        match self.status.as_str() {
            "Confirmed" => events.push((LateEvent::Confirmed, changed)),
            "Failed" => events.push((LateEvent::PublishFailed, changed)),
            "Reserved" => events.push((LateEvent::Reserved, changed)),
            _ => {}
        }
        let has = |event| events.iter().any(|(known, _)| *known == event);
        let is_ended = matches!(self.status.as_str(), "Failed" | "Reserved" | "PurgedByRecipient" | "PurgedByAltinn");
        let is_read = has(LateEvent::Read) && !self.is_confirmation_needed;
        let is_over = is_ended || is_read || has(LateEvent::Confirmed);
        events.retain(|(event, _)| wanted.contains(event));
        Stand { events, is_over }
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
