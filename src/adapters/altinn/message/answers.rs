//! What each answer to a message means for it. Statuses and the platform's codes decide, never texts.

use serde::Deserialize;
use uuid::Uuid;

use crate::adapters::http::Answer;
use crate::codes;
use crate::model::{Code, Note};
use crate::ports::DeliveryError;

/// A message that was sent.
pub(super) enum Sent {
    /// It is there, under this id.
    New(Uuid),
    /// It was there before; its id is to be looked up.
    Before,
}

/// The answer to a message.
///
/// | status | meaning |
/// |---|---|
/// | 200, 201 with an id | delivered |
/// | other 2xx, or no id | nobody knows |
/// | 3xx | the address leads elsewhere: nothing happened |
/// | 400 with 4009, 4010 | the resource is not one for messages: the settings |
/// | 400 with 1018 | an attachment is not published yet: later |
/// | 400 with 1044 | nobody may read it |
/// | 400, 413, 422, other 4xx | the message is refused, with the platform's code |
/// | 401, 407 | our credentials |
/// | 403, 451, 404 but for 1029 | our rights, or the resource |
/// | 404 with 1029 | the recipient is unknown |
/// | 408 | nobody knows |
/// | 409 with 1034 | it was sent before |
/// | 422 with 1030 | the recipient has reserved himself |
/// | 429, 503 with Retry-After | later: nothing happened |
/// | other 5xx | nobody knows |
pub(super) fn sent(answer: &Answer) -> Result<Sent, DeliveryError> {
    let problem = Problem::of(answer);
    let refused = |code| Err(problem.refuses(code));
    match (answer.status(), problem.number()) {
        (200 | 201, _) => id(answer).map(Sent::New).ok_or(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        (300..400, _) => Err(DeliveryError::Later { code: codes::UNREACHABLE, after: None }),
        (400, 4009 | 4010) => Err(not_permitted(&problem)),
        (400, 1018) => Err(DeliveryError::Later { code: codes::THROTTLED, after: None }),
        (400, 1044) => refused(codes::NO_READER),
        (401 | 407, _) => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
        (404, 1029) => refused(codes::REPORTEE_UNKNOWN),
        (403 | 404 | 451, _) => Err(not_permitted(&problem)),
        (408, _) => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        (409, 1034) => Ok(Sent::Before),
        (409, _) => refused(codes::RECEIVER_CONFLICT),
        (413, _) => refused(codes::PAYLOAD_TOO_LARGE),
        (422, 1030) => refused(codes::RECIPIENT_RESERVED),
        (429, _) => Err(DeliveryError::Later { code: codes::THROTTLED, after: answer.retry_after() }),
        (503, _) if answer.retry_after().is_some() => {
            Err(DeliveryError::Later { code: codes::THROTTLED, after: answer.retry_after() })
        }
        (400..500, _) => refused(codes::RECEIVER_REFUSED),
        (500.., _) => Err(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
        (0..300, _) => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
    }
}

/// The answer to a step before the message: whatever it is, the message is not sent.
pub(super) fn prepared(answer: &Answer) -> Result<(), DeliveryError> {
    let problem = Problem::of(answer);
    match answer.status() {
        200 | 201 => Ok(()),
        401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
        403 | 404 | 451 => Err(not_permitted(&problem)),
        400 if matches!(problem.number(), 4009 | 4010) => Err(not_permitted(&problem)),
        // Somebody is uploading it.
        400 if problem.number() == 2005 => Err(DeliveryError::Later { code: codes::THROTTLED, after: None }),
        400 | 422 => Err(problem.refuses(codes::ATTACHMENT_REFUSED)),
        413 => Err(problem.refuses(codes::PAYLOAD_TOO_LARGE)),
        429 | 503 => Err(DeliveryError::Later { code: codes::THROTTLED, after: answer.retry_after() }),
        _ => Err(DeliveryError::Later { code: codes::UNREACHABLE, after: None }),
    }
}

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

fn not_permitted(problem: &Problem) -> DeliveryError {
    tracing::warn!(code = problem.codes.first().map_or("none", String::as_str), "the platform does not let us send");
    DeliveryError::Credentials { code: codes::NOT_PERMITTED }
}

fn id(answer: &Answer) -> Option<Uuid> {
    #[derive(Deserialize)]
    struct Initialized {
        correspondences: Vec<One>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct One {
        correspondence_id: Uuid,
    }
    let initialized: Initialized = answer.json()?;
    initialized.correspondences.first().map(|one| one.correspondence_id)
}

/// What the platform says is wrong, by its codes alone: its texts may repeat what we sent.
struct Problem {
    codes: Vec<String>,
}

impl Problem {
    fn of(answer: &Answer) -> Self {
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
            return Self { codes: Vec::new() };
        }
        let details: Details = answer.json().unwrap_or_default();
        let more = details.validation_errors.into_iter().filter_map(|error| error.code);
        let given = details.code.filter(|code| !is_nothing(code));
        let given = given.or_else(|| details.error_code.map(|number| format!("CORR-{number:05}")));
        let mut codes: Vec<String> = given.into_iter().chain(more).filter(|code| is_code(code)).collect();
        codes.dedup();
        codes.truncate(MOST_CODES);
        Self { codes }
    }

    /// The number of the first code; 0 when there is none.
    fn number(&self) -> u32 {
        let digits = self.codes.first().and_then(|code| code.strip_prefix("CORR-"));
        digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
    }

    fn refuses(&self, code: Code) -> DeliveryError {
        let notes = self.codes.iter().map(|told| Note::new(code, told.as_str())).collect();
        DeliveryError::RefusedFor { code, notes }
    }
}

/// The number of no error.
fn is_nothing(code: &str) -> bool {
    code == "CORR-00000"
}

fn is_code(code: &str) -> bool {
    (1..=24).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}

/// Codes told of one refusal.
const MOST_CODES: usize = 8;
