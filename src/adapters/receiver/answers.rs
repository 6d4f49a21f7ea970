//! What each answer of a plain HTTP receiver means. Statuses decide, never texts.

use reqwest::header::HeaderName;

use crate::adapters::http::Answer;
use crate::codes;
use crate::model::ItemKey;
use crate::ports::{Delivered, DeliveryError};

/// The answer to an item.
///
/// | status | meaning |
/// |---|---|
/// | 200, 201, 202, 204, 208 | delivered |
/// | other 2xx | nobody knows |
/// | 3xx | the address leads elsewhere: nothing happened |
/// | 401, 407 | our credentials |
/// | 403, 404, 405 | our rights or our address: every item would meet the same |
/// | 408 | nobody knows |
/// | 409 | a conflict |
/// | 413 | too large |
/// | 425, 429, 503 with Retry-After | later: nothing happened |
/// | other 4xx | the item is refused |
/// | other 5xx | nobody knows |
pub(in crate::adapters) fn taken(answer: &Answer, key: ItemKey) -> Result<Delivered, DeliveryError> {
    let refused = |code| Err(DeliveryError::Refused { code });
    let later = |code| Err(DeliveryError::Later { code, after: answer.retry_after() });
    match answer.status() {
        200 | 201 | 202 | 204 | 208 => Ok(delivered(answer, key)),
        300..400 => later(codes::UNREACHABLE),
        401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
        403..=405 => Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED }),
        408 => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        409 => refused(codes::RECEIVER_CONFLICT),
        413 => refused(codes::PAYLOAD_TOO_LARGE),
        425 | 429 => later(codes::THROTTLED),
        503 if answer.retry_after().is_some() => later(codes::THROTTLED),
        400..500 => refused(codes::RECEIVER_REFUSED),
        500.. => Err(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
        0..300 => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
    }
}

/// The answer of the status address.
pub(super) fn looked_up(answer: &Answer, key: ItemKey) -> Result<Option<Delivered>, DeliveryError> {
    match answer.status() {
        200 => Ok(Some(delivered(answer, key))),
        404 => Ok(None),
        401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
        403 => Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED }),
        429 => Err(DeliveryError::Unknown { code: codes::THROTTLED }),
        _ => Err(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
    }
}

/// The receiver's own reference, if it gives one; else the key, which both sides know.
fn delivered(answer: &Answer, key: ItemKey) -> Delivered {
    let given = answer.header(&REFERENCE).map(str::trim).filter(|text| (1..=MOST_CHARACTERS).contains(&text.len()));
    Delivered::of(given.map_or_else(|| key.to_string(), ToOwned::to_owned))
}

const REFERENCE: HeaderName = HeaderName::from_static("x-receivers-reference");
/// A longer one is no reference.
const MOST_CHARACTERS: usize = 256;
