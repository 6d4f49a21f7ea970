//! What each answer to a message means for it. Statuses and the platform's codes decide, never texts.

use serde::Deserialize;
use uuid::Uuid;

use crate::adapters::altinn::problem::{Problem, not_permitted};
use crate::adapters::http::Answer;
use crate::codes;
use crate::model::Note;
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
    let problem = Problem::of(answer, FAMILY);
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

/// The answer to an order of a notification: it is placed, now or before; or what the sender is told.
///
/// | status | meaning |
/// |---|---|
/// | 200, 201 | ordered |
/// | 401, 407 | our credentials |
/// | 403, 404, 451 | our rights, or the settings |
/// | 408, 429, 5xx, others | not known: ordered again, under the same key |
/// | 400, 422, other 4xx | it cannot be ordered, which does not keep the message from its recipient |
pub(super) fn ordered(answer: &Answer) -> Result<Vec<Note>, DeliveryError> {
    let problem = Problem::of(answer, "NOT");
    match answer.status() {
        200 | 201 => Ok(Vec::new()),
        401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
        403 | 404 | 451 => Err(not_permitted(&problem)),
        429 => Err(DeliveryError::Later { code: codes::THROTTLED, after: answer.retry_after() }),
        408 | 500.. | 0..400 => Err(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
        400..500 => Ok(problem.told(codes::NOTIFICATION_NOT_ORDERED)),
    }
}

/// The answer to a step before the message: whatever it is, the message is not sent.
pub(super) fn prepared(answer: &Answer) -> Result<(), DeliveryError> {
    let problem = Problem::of(answer, FAMILY);
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

/// What the codes of messages begin with.
const FAMILY: &str = "CORR";
