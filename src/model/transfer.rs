//! Broker transfers: where archives go at Altinn 3, and what it takes of them.

use super::{Reportee, ReporteeKind};

/// An Altinn 3 resource for transfers, and how archives become its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferTarget {
    /// The resource's id.
    pub resource: String,
    /// What of an archive is sent.
    pub content: TransferContent,
    /// The platform looks for malware.
    pub is_scanned: bool,
}

/// What of an archive is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransferContent {
    /// All of it, with a list of its recipient alone.
    #[default]
    Archive,
    /// The only file in it beside manifest and list, unpacked.
    Payload,
}

impl TransferTarget {
    /// Properties that may go along.
    pub const MOST_PROPERTIES: usize = 10;

    /// Tells whether somebody may send or receive: organisations only.
    pub fn takes(party: &Reportee) -> bool {
        party.kind() == ReporteeKind::Organisation
    }

    /// Why a list of properties cannot go along, by what is wrong and no word of theirs; `None` when it can.
    pub fn misfit<'a>(properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<&'static str> {
        let mut keys: Vec<&str> = Vec::new();
        for (key, value) in properties {
            if keys.len() == Self::MOST_PROPERTIES {
                return Some("more than 10 properties");
            }
            if key.is_empty() || key.chars().count() > MOST_KEY_CHARS {
                return Some("a key is empty or has more than 50 characters");
            }
            if value.chars().count() > MOST_VALUE_CHARS {
                return Some("a value has more than 3000 characters");
            }
            if keys.contains(&key) {
                return Some("a key is there twice");
            }
            keys.push(key);
        }
        None
    }
}

const MOST_KEY_CHARS: usize = 50;
/// The published description says 300; the platform takes ten times as many.
const MOST_VALUE_CHARS: usize = 3_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_fit_or_it_is_said_why() {
        let long = |count: usize| "å".repeat(count);
        let misfit = |properties: &[(&str, &str)]| TransferTarget::misfit(properties.iter().copied());
        let numbers: Vec<String> = (0..11).map(|number| number.to_string()).collect();
        let many: Vec<(&str, &str)> = numbers.iter().map(|key| (key.as_str(), "")).collect();
        assert_eq!(misfit(&[]), None);
        assert_eq!(misfit(&many[..10]), None);
        assert_eq!(misfit(&[(&long(50), &long(3_000))]), None);
        assert_eq!(misfit(&many), Some("more than 10 properties"));
        for key in [String::new(), long(51)] {
            assert_eq!(misfit(&[(&key, "")]), Some("a key is empty or has more than 50 characters"));
        }
        assert_eq!(misfit(&[("k", &long(3_001))]), Some("a value has more than 3000 characters"));
        assert_eq!(misfit(&[("k", "a"), ("l", "a"), ("k", "b")]), Some("a key is there twice"));
    }
}
