//! Equal findings counted as one group: same code, rule, text and path without positions.
//!
//! Memory is bounded whatever the batch: so many groups, so many bytes of their texts, so many places. What finds no room
//! as a group of its own is counted by whoever compares the groups with the total.

use std::collections::HashMap;

use crate::model::{Finding, FindingGroup, Spot, push_without_positions};

/// The groups so far.
pub(super) struct Grouping {
    /// By what makes findings equal, the group's number.
    numbers: HashMap<String, usize>,
    groups: Vec<FindingGroup>,
    /// Kept for its memory.
    key: String,
    limits: Room,
}

/// What is left.
struct Room {
    groups: usize,
    bytes: usize,
    places: usize,
}

impl Grouping {
    /// None yet, and never more than so many.
    pub(super) fn new(max_findings: u64) -> Self {
        let groups = usize::try_from(max_findings).unwrap_or(GROUPS).min(GROUPS);
        let limits = Room { groups, bytes: TEXT_BYTES, places: PLACES };
        Self { numbers: HashMap::new(), groups: Vec::new(), key: String::new(), limits }
    }

    /// Counts a finding.
    pub(super) fn add(&mut self, finding: &Finding) {
        self.write_key(finding);
        if let Some(group) = self.numbers.get(&self.key).and_then(|number| self.groups.get_mut(*number)) {
            group.count += 1;
            if self.limits.places > 0 && group.places.len() < FindingGroup::PLACES {
                self.limits.places -= 1;
                group.places.extend(Spot::of(finding));
            }
            return;
        }
        if self.limits.groups == 0 || self.limits.bytes < self.key.len() {
            return;
        }
        self.limits.groups -= 1;
        self.limits.bytes -= self.key.len();
        self.numbers.insert(self.key.clone(), self.groups.len());
        self.groups.push(FindingGroup::of(finding));
    }

    /// The groups, in the order of their first findings.
    pub(super) fn into_groups(self) -> Vec<FindingGroup> {
        self.groups
    }

    fn write_key(&mut self, finding: &Finding) {
        self.key.clear();
        for part in [finding.code.0, &finding.rule, &finding.text] {
            self.key.push_str(part);
            // Stands in no XML, so in no name: two different findings never make one key.
            self.key.push('\0');
        }
        push_without_positions(&mut self.key, finding.place.as_ref().map_or("", |place| &place.path));
    }
}

/// Most groups, whatever a route allows.
const GROUPS: usize = 4_096;
/// Most bytes of what makes groups differ.
const TEXT_BYTES: usize = 2 << 20;
/// Most places of all groups beyond the first of each.
const PLACES: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use crate::model::Place;

    fn finding(number: u64, text: &str) -> Finding {
        let path = format!("/Batch/Unit[{number}]/Date[1]");
        let place = Some(Place { line: number, column: 3, offset: number * 10, path });
        Finding { place, item: Some(number), ..Finding::whole(codes::BAD_VALUE, text) }
    }

    #[test]
    fn a_million_equal_findings_are_one_group_with_its_first_places() {
        let mut grouping = Grouping::new(10);
        for number in 1..=1_000_000 {
            grouping.add(&finding(number, "not a date"));
        }
        grouping.add(&finding(7, "not a number"));
        let groups = grouping.into_groups();
        assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [1_000_000, 1]);
        assert_eq!((groups[0].places.len(), groups[0].path.as_str()), (100, "/Batch/Unit/Date"));
        assert_eq!(groups[0].places[99], Spot { line: 100, column: 3, offset: 1_000, item: Some(100) });
    }

    #[test]
    fn more_kinds_than_there_is_room_for_are_left_to_the_total() {
        let mut grouping = Grouping::new(3);
        for number in 1..=9 {
            grouping.add(&finding(number, &format!("kind {}", number % 5)));
        }
        let groups = grouping.into_groups();
        assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), 6);
    }

    #[test]
    fn places_of_many_groups_have_an_end() {
        let mut grouping = Grouping::new(u64::MAX);
        for number in 0..2_000_000 {
            grouping.add(&finding(number, &format!("kind {}", number % 2_000)));
        }
        let groups = grouping.into_groups();
        let places: usize = groups.iter().map(|group| group.places.len()).sum();
        assert_eq!((groups.len(), places), (2_000, 2_000 + PLACES));
        assert!(groups.iter().all(|group| group.count == 1_000));
    }
}
