//! What each answer to a transfer means for its item. Statuses and the platform's codes decide, never texts.

use serde::Deserialize;
use uuid::Uuid;

use crate::adapters::altinn::problem::{Problem, looked, not_permitted};
use crate::adapters::http::Answer;
use crate::codes;
use crate::ports::DeliveryError;

/// The id of a transfer that was begun.
///
/// | status | meaning |
/// |---|---|
/// | 200, 201 with an id | begun |
/// | other 2xx, or no id | nobody knows |
/// | 404 | there is no such resource: the settings |
/// | others | as [`failed`] says |
pub(super) fn begun(answer: &Answer) -> Result<Uuid, DeliveryError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Begun {
        file_transfer_id: Uuid,
    }
    match answer.status() {
        200 | 201 => match answer.json::<Begun>() {
            Some(begun) => Ok(begun.file_transfer_id),
            None => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        },
        404 => Err(not_permitted(&Problem::of(answer, FAMILY))),
        _ => Err(failed(answer)),
    }
}

/// The answer to an upload in one piece.
///
/// | status | meaning |
/// |---|---|
/// | 200, 201, 204 | uploaded |
/// | 404 | the transfer is gone: another is begun |
/// | 409 | an upload was begun before: how far it came is looked at |
/// | others | as [`failed`] says |
pub(super) fn uploaded(answer: &Answer) -> Result<(), DeliveryError> {
    match answer.status() {
        200 | 201 | 204 => Ok(()),
        404 => Err(DeliveryError::Later { code: codes::RECEIVER_FAULT, after: None }),
        409 => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        _ => Err(failed(answer)),
    }
}

/// An answer that is not the one that was hoped for.
///
/// | status | meaning |
/// |---|---|
/// | other 2xx | nobody knows |
/// | 3xx | the address leads elsewhere: nothing happened |
/// | 400 with 2, 24, 25 | the service's owner or the resource is not set up |
/// | 400 with 9 | what arrived is not what was announced: another transfer is begun |
/// | 400 with 13, 16, 20, 22; 413 | too large |
/// | 400 with 28 | the recipient is not on the resource's list |
/// | 401 with 6, 403, 451 | our rights |
/// | 401, 407 | our credentials |
/// | 408 | nobody knows |
/// | 409 | a conflict |
/// | 423 | an upload is still at work: later |
/// | 429; 503 with 21, 30 or Retry-After | later: nothing happened |
/// | other 4xx | the item is refused, with the platform's code |
/// | other 5xx | nobody knows |
pub(super) fn failed(answer: &Answer) -> DeliveryError {
    let problem = Problem::of(answer, FAMILY);
    let later = |code| DeliveryError::Later { code, after: answer.retry_after() };
    match (answer.status(), problem.number()) {
        (300..400, _) => DeliveryError::Later { code: codes::UNREACHABLE, after: None },
        (400, 2 | 24 | 25) | (401, 6) | (403 | 451, _) => not_permitted(&problem),
        (400, 9) => DeliveryError::Later { code: codes::RECEIVER_FAULT, after: None },
        (400, 13 | 16 | 20 | 22) | (413, _) => problem.refuses(codes::PAYLOAD_TOO_LARGE),
        (400, 28) => problem.refuses(codes::RECIPIENT_NOT_AUTHORISED),
        (401 | 407, _) => DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED },
        (408, _) => DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN },
        (409, _) => problem.refuses(codes::RECEIVER_CONFLICT),
        (423 | 429, _) | (503, 21 | 30) => later(codes::THROTTLED),
        (503, _) if answer.retry_after().is_some() => later(codes::THROTTLED),
        (400..500, _) => problem.refuses(codes::RECEIVER_REFUSED),
        (500.., _) => DeliveryError::Unknown { code: codes::RECEIVER_FAULT },
        (0..300, _) => DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN },
    }
}

/// The answer to a look; the platform counts those, too.
pub(super) fn seen(answer: &Answer) -> Result<(), DeliveryError> {
    if answer.status() == 429 {
        return Err(DeliveryError::Later { code: codes::THROTTLED, after: answer.retry_after() });
    }
    looked(answer)
}

/// What the codes of transfers begin with.
const FAMILY: &str = "BRO";
