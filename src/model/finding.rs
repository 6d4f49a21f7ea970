//! Findings: what is wrong in a batch, as data a clerk can act on.

use std::fmt;

/// A stable code printed on receipts; every one is a row of `codes.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A place in the sender's own file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// Bytes before it, from 0.
    pub offset: u64,
    /// Path with positions: `/ServiceOwner/Prefill/Reportee[17]/FormTask[1]/ValidFrom`; empty where there is none.
    pub path: String,
}

/// Something wrong in the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which kind, from the code table.
    pub code: Code,
    /// Where; `None` for what concerns the file as a whole.
    pub place: Option<Place>,
    /// The item it belongs to, from 1; `None` when it concerns the shipment.
    pub item: Option<u64>,
    /// The recommendation's own rule name (`cvc-…`), empty where there is none.
    pub rule: String,
    /// What was expected and found, by element names; never a value from the document.
    pub text: String,
}

impl Finding {
    /// A finding about the file as a whole.
    pub fn whole(code: Code, text: impl Into<String>) -> Self {
        Self { code, place: None, item: None, rule: String::new(), text: text.into() }
    }
}

/// What a receiver made of an item, or why it refused it, beyond the code of the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub code: Code,
    /// More, without any value from the document.
    pub text: String,
}

impl Note {
    /// Makes a note.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The same, as that of one of several receivers.
    pub fn at(self, receiver: &str) -> Self {
        let text = if self.text.is_empty() { String::new() } else { format!(": {}", self.text) };
        Self { text: format!("receiver {receiver}{text}"), ..self }
    }

    /// As a receipt lists it with the item.
    pub fn on(self, item: u64) -> Finding {
        Finding { item: Some(item), ..Finding::whole(self.code, self.text) }
    }
}

/// Findings that differ in nothing but their places: one line of a receipt, however many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingGroup {
    /// Which kind.
    pub code: Code,
    /// The recommendation's own rule name, empty where there is none.
    pub rule: String,
    /// What was expected and found.
    pub text: String,
    /// Their common path, without positions; empty where there is none.
    pub path: String,
    /// How many there are.
    pub count: u64,
    /// The first of their places, at most [`FindingGroup::PLACES`].
    pub places: Vec<Spot>,
}

/// One of a group's places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// Bytes before it, from 0.
    pub offset: u64,
    /// The item it belongs to; `None` when it concerns the shipment.
    pub item: Option<u64>,
}

impl FindingGroup {
    /// Most places kept of one group.
    pub const PLACES: usize = 100;

    /// The group of one finding.
    pub fn of(finding: &Finding) -> Self {
        let mut path = String::new();
        push_without_positions(&mut path, finding.place.as_ref().map_or("", |place| &place.path));
        let (rule, text) = (finding.rule.clone(), finding.text.clone());
        Self { code: finding.code, rule, text, path, count: 1, places: Spot::of(finding).into_iter().collect() }
    }
}

impl Spot {
    /// Where a finding is.
    pub fn of(finding: &Finding) -> Option<Self> {
        let place = finding.place.as_ref()?;
        Some(Self { line: place.line, column: place.column, offset: place.offset, item: finding.item })
    }
}

/// Appends a path without the positions in it: of `/a/b[17]/c` it leaves `/a/b/c`.
pub fn push_without_positions(out: &mut String, path: &str) {
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        rest = after.split_once(']').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_left_out_of_a_groups_path() {
        let of = |path: &str| {
            let mut out = String::new();
            push_without_positions(&mut out, path);
            out
        };
        assert_eq!(
            of("/ServiceOwner/Prefill/Reportee[17]/FormTask[1]/@id"),
            "/ServiceOwner/Prefill/Reportee/FormTask/@id"
        );
        assert_eq!((of(""), of("/a"), of("/a[")), (String::new(), "/a".to_owned(), "/a".to_owned()));
    }
}
