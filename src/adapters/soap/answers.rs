//! What each answer of a SOAP receiver means.

use reqwest::header::CONTENT_TYPE;

use super::reply::{Reply, reply};
use crate::adapters::http::Answer;
use crate::adapters::receiver;
use crate::codes;
use crate::model::ItemKey;
use crate::ports::{Delivered, DeliveryError};

/// The answer to a batch.
///
/// | answer | meaning |
/// |---|---|
/// | 200, receipt OK | delivered |
/// | receipt FAILED | later: nothing happened |
/// | receipt FAILED_DO_NOT_RETRY | refused; to a repeat: refused, and it may be there all the same |
/// | 3xx, 401, 403, 404, 405, 407, 408, 413, 425, 429, 503 with Retry-After | as of a plain HTTP receiver |
/// | a fault, with any other status | the receiver is down |
/// | other 4xx | it is not spoken to as it wants: every batch would meet the same |
/// | anything else | nobody knows |
pub(super) fn taken(answer: &Answer, key: ItemKey, is_repeat: bool) -> Result<Delivered, DeliveryError> {
    match answer.status() {
        300..=399 | 401 | 403..=405 | 407 | 408 | 413 | 425 | 429 => return receiver::taken(answer, key),
        503 if answer.retry_after().is_some() => return receiver::taken(answer, key),
        _ => {}
    }
    match (answer.status(), said(answer)) {
        (200, Reply::Ok) => Ok(Delivered::of(key.to_string())),
        (200, Reply::Failed) => Err(DeliveryError::Later { code: codes::RECEIVER_FAULT, after: None }),
        (200, Reply::FailedForGood) if is_repeat => Err(DeliveryError::Refused { code: codes::REPEAT_REFUSED }),
        (200, Reply::FailedForGood) => Err(DeliveryError::Refused { code: codes::RECEIVER_REFUSED }),
        (_, Reply::Fault) => Err(DeliveryError::Later { code: codes::RECEIVER_DOWN, after: None }),
        (400..500, _) => Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED }),
        (500.., _) => Err(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
        (_, Reply::Ok | Reply::Failed | Reply::FailedForGood | Reply::Unclear) => {
            Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN })
        }
    }
}

/// Tells whether the answer refuses for good what an earlier attempt may have brought: that is said of what is wrong, and by
/// many receivers also of what they have.
pub(super) fn is_ambiguous(answer: &Answer, is_repeat: bool) -> bool {
    is_repeat && answer.status() == 200 && said(answer) == Reply::FailedForGood
}

fn said(answer: &Answer) -> Reply {
    let content_type = answer.header(&CONTENT_TYPE).unwrap_or_default();
    answer.body().map_or(Reply::Unclear, |body| reply(content_type, body))
}
