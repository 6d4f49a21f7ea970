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
