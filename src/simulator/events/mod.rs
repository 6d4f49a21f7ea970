//! Events: what happened to instances, messages, attachments and transfers, and the two lists that tell it as CloudEvents.

mod lists;
mod sources;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) use lists::{of_app, of_resource};
pub(super) use sources::Told;

/// Something that happened, or will.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    kind: String,
    /// The resource, without what all of them begin with.
    resource: String,
    /// What it happened to, by the resource's own numbering.
    instance: String,
    /// The path of what it happened to.
    source: String,
    /// Whom it concerns; numbers of persons are not kept.
    subject: Option<String>,
    /// In which part the subject is told.
    role: Option<&'static str>,
    at: Timestamp,
}

/// All events, in the order in which they can be seen.
#[derive(Default)]
pub(super) struct Events {
    log: VecDeque<Event>,
    /// How many were forgotten before the first in the log.
    forgotten: u64,
    /// Those whose time is to come.
    due: BTreeMap<(Timestamp, u64), Event>,
    planned: u64,
}

impl Events {
    /// Adds one; it is seen when its time has come.
    pub(super) fn add(&mut self, event: Event) {
        self.planned += 1;
        self.due.insert((event.at, self.planned), event);
        self.settle();
    }

    /// Something else has become of an instance than what was to come.
    pub(super) fn forget_due(&mut self, instance: &str) {
        self.settle();
        self.due.retain(|_, event| event.instance != instance);
    }

    /// Moves those whose time has come to the end of the log.
    fn settle(&mut self) {
        let now = Timestamp::now();
        while let Some(first) = self.due.first_entry().filter(|first| first.key().0 <= now) {
            self.log.push_back(first.remove());
            if self.log.len() > KEPT {
                self.log.pop_front();
                self.forgotten += 1;
            }
        }
    }

    /// Those behind a place that are wanted, with their ids; oldest first.
    fn after(&mut self, place: u64, size: usize, is_wanted: impl Fn(&Event) -> bool) -> Vec<(Uuid, Event)> {
        self.settle();
        let skip = usize::try_from(place.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        let numbered = (self.forgotten.max(place) + 1..).zip(self.log.iter().skip(skip));
        let wanted = numbered.filter(|(_, event)| is_wanted(event)).take(size);
        wanted.map(|(number, event)| (id(number), event.clone())).collect()
    }
}

impl Event {
    /// As a CloudEvent.
    fn shown(&self, id: Uuid, base_url: &str) -> Value {
        let mut event = json!({
            "id": id, "source": format!("{base_url}{}", self.source), "specversion": "1.0", "type": self.kind,
            "resource": format!("{RESOURCE}{}", self.resource), "resourceinstance": self.instance, "time": self.at
        });
        if let Some(object) = event.as_object_mut() {
            object.extend(self.subject.iter().map(|subject| ("subject".to_owned(), json!(subject))));
            object.extend(self.role.map(|role| ("data".to_owned(), json!({"Role": role}))));
        }
        event
    }
}

/// The id of the event at a place.
fn id(place: u64) -> Uuid {
    Uuid::from_u64_pair(IDS, VARIANT | place)
}

/// The place of the event with an id; `0` is in front of all of them.
fn place(id: &str) -> Option<u64> {
    if id == "0" {
        return Some(0);
    }
    let (first, second) = id.parse::<Uuid>().ok()?.as_u64_pair();
    (first == IDS && second & VARIANT == VARIANT).then_some(second & !VARIANT)
}

const RESOURCE: &str = "urn:altinn:resource:";

/// The half that all ids have, of the shape of a random one.
const IDS: u64 = 0x736c_7573_6500_4000;

const VARIANT: u64 = 0x8000_0000_0000_0000;

/// Events that are kept; the platform keeps those of ninety days.
const KEPT: usize = 20_000;

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn event(instance: &str, at: Timestamp) -> Event {
        let (resource, source) = ("r".to_owned(), "/r".to_owned());
        Event { kind: "k".into(), resource, instance: instance.into(), source, subject: None, role: None, at }
    }

    #[test]
    fn a_list_goes_on_where_the_last_one_ended() {
        let (mut events, now) = (Events::default(), Timestamp::now());
        for number in 0..5 {
            events.add(event(&number.to_string(), now));
        }
        events.add(event("later", now + 1.hour()));
        let instances =
            |found: &[(Uuid, Event)]| found.iter().map(|(_, event)| event.instance.clone()).collect::<Vec<_>>();
        let first = events.after(0, 2, |_| true);
        assert_eq!(instances(&first), ["0", "1"]);
        let next = place(&first[1].0.to_string()).unwrap();
        assert_eq!(instances(&events.after(next, 9, |event| event.instance != "3")), ["2", "4"]);
        assert_eq!((place("0"), place("7"), place(&Uuid::nil().to_string())), (Some(0), None, None));
        events.forget_due("later");
        assert!(events.due.is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_others_keep_their_ids() {
        let (mut events, now) = (Events::default(), Timestamp::now());
        for number in 0..=KEPT {
            events.add(event(&number.to_string(), now));
        }
        let all = events.after(0, usize::MAX, |_| true);
        assert_eq!((all.len(), all[0].1.instance.as_str(), all[0].0), (KEPT, "1", id(2)));
        assert_eq!(events.after(3, 1, |_| true)[0].1.instance, "3");
    }
}
