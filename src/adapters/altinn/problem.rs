//! What the platform's APIs say is wrong, and what a failure to look means.

use serde::Deserialize;

use crate::adapters::http::Answer;
use crate::codes;
use crate::model::{Code, Note};
use crate::ports::DeliveryError;

/// The answer to a look.
pub(super) fn looked(answer: &Answer) -> Result<(), DeliveryError> {
    match answer.status() {
        200 => Ok(()),
        401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
        403 => Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED }),
        429 => Err(DeliveryError::Unknown { code: codes::THROTTLED }),
        _ => Err(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
    }
}

/// Our rights, or the settings: every item would meet the same.
pub(super) fn not_permitted(problem: &Problem) -> DeliveryError {
    tracing::warn!(code = problem.codes.first().map_or("none", String::as_str), "the platform does not let us send");
    DeliveryError::Credentials { code: codes::NOT_PERMITTED }
}

/// What the platform says is wrong, by its codes alone: its texts may repeat what we sent.
pub(super) struct Problem {
    family: &'static str,
    codes: Vec<String>,
}

impl Problem {
    /// Reads an answer; codes of the family are `<family>-<number>`.
    pub(super) fn of(answer: &Answer, family: &'static str) -> Self {
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Details {
            code: Option<String>,
            error_code: Option<u32>,
            validation_errors: Vec<ValidationError>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct ValidationError {
            code: Option<String>,
        }
        if answer.status() < 400 {
            return Self { family, codes: Vec::new() };
        }
        let details: Details = answer.json().unwrap_or_default();
        let more = details.validation_errors.into_iter().filter_map(|error| error.code);
        let given = details.code.filter(|code| !is_nothing(code, family));
        let given = given.or_else(|| details.error_code.map(|number| format!("{family}-{number:05}")));
        let mut codes: Vec<String> = given.into_iter().chain(more).filter(|code| is_code(code)).collect();
        codes.dedup();
        codes.truncate(MOST_CODES);
        Self { family, codes }
    }

    /// The number of the first code; 0 when there is none.
    pub(super) fn number(&self) -> u32 {
        let own = self.codes.first().and_then(|code| code.strip_prefix(self.family));
        let digits = own.and_then(|rest| rest.strip_prefix('-'));
        digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
    }

    /// A refusal of the item, with the platform's codes.
    pub(super) fn refuses(&self, code: Code) -> DeliveryError {
        let notes = self.codes.iter().map(|told| Note::new(code, told.as_str())).collect();
        DeliveryError::RefusedFor { code, notes }
    }

    /// What does not refuse the item, with the platform's codes.
    pub(super) fn told(&self, code: Code) -> Vec<Note> {
        vec![Note::new(code, self.codes.join(", "))]
    }
}

/// The number of no error.
fn is_nothing(code: &str, family: &str) -> bool {
    code.strip_prefix(family) == Some("-00000")
}

fn is_code(code: &str) -> bool {
    (1..=24).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}

/// Codes told of one refusal.
const MOST_CODES: usize = 8;
