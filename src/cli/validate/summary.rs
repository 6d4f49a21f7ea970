//! What is said of a file as a whole.

use super::Answer;
use crate::model::Code;

/// What is said of a file as a whole.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) findings: u64,
    /// Of a format's batches.
    pub(super) batch: Option<BatchSummary>,
}

/// What is said of a batch as a whole.
#[derive(Debug, Default)]
pub(super) struct BatchSummary {
    pub(super) items: u64,
    pub(super) refused: u64,
    /// Why the shipment would be refused.
    pub(super) refusal: Option<Code>,
    /// The format asked for, when it is in another.
    pub(super) other_format: Option<&'static str>,
    pub(super) sha256: Option<[u8; 32]>,
}

impl Summary {
    pub(super) fn answer(&self) -> Answer {
        let is_good =
            |batch: &BatchSummary| batch.refused == 0 && batch.refusal.is_none() && batch.other_format.is_none();
        match self.findings == 0 && self.batch.as_ref().is_none_or(is_good) {
            true => Answer::Valid,
            false => Answer::Invalid,
        }
    }

    /// As one line, given how many of the findings are listed.
    pub(super) fn text(&self, listed: u64) -> String {
        let mut parts = Vec::new();
        if self.answer() == Answer::Invalid {
            let few = if listed < self.findings { format!(" ({listed} listed)") } else { String::new() };
            parts.push(format!("findings: {}{few}", self.findings));
        }
        if let Some(batch) = &self.batch {
            parts.push(format!("items: {}", batch.items));
            parts.extend((self.answer() == Answer::Invalid).then(|| format!("refused: {}", batch.refused)));
            parts.extend(batch.refusal.map(|code| format!("the whole is refused: {code}")));
            parts.extend(batch.other_format.map(|format| format!("not in the format {format}")));
        }
        let word = self.answer().word();
        if parts.is_empty() { word.to_owned() } else { format!("{word}; {}", parts.join(", ")) }
    }
}

impl Answer {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::NotJudged => "not-judged",
        }
    }
}
