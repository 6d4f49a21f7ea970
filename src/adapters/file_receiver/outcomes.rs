//! What each failure of a store means for a delivery.
//!
//! | failure | before the rename | in the rename | in a look-up |
//! |---|---|---|---|
//! | not found, denied | our rights or our directory | nobody knows; denied: our rights | our rights |
//! | exists | a conflict | a conflict | – |
//! | full | later | later | nobody knows |
//! | host key | another server | another server | another server |
//! | login | our credentials | our credentials | our credentials |
//! | silent, out of reach | later | nobody knows | nobody knows |
//! | nonsense, failed | later | nobody knows | nobody knows |
//! | our own bytes | unreadable | unreadable | unreadable |

use crate::codes;
use crate::ports::{DeliveryError, StoreError};

/// Before the name could appear: nothing happened.
pub(super) fn before(error: StoreError) -> DeliveryError {
    tell(&error);
    match error {
        StoreError::NotFound | StoreError::Denied => DeliveryError::Credentials { code: codes::NOT_PERMITTED },
        StoreError::Exists => DeliveryError::Refused { code: codes::RECEIVER_CONFLICT },
        StoreError::Full | StoreError::Nonsense(_) | StoreError::Failed(_) => {
            DeliveryError::Later { code: codes::RECEIVER_FAULT, after: None }
        }
        StoreError::HostKey { .. } => DeliveryError::Credentials { code: codes::RECEIVER_NOT_KNOWN },
        StoreError::Login => DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED },
        StoreError::Silent(_) | StoreError::Unreachable(_) => {
            DeliveryError::Later { code: codes::UNREACHABLE, after: None }
        }
        StoreError::Unreadable(error) => DeliveryError::Unreadable(error),
    }
}

/// While the name was given: it may be there.
pub(super) fn in_rename(error: StoreError) -> DeliveryError {
    match error {
        // Where we are not let in, or not let rename, nothing is renamed.
        StoreError::Denied
        | StoreError::Exists
        | StoreError::Full
        | StoreError::HostKey { .. }
        | StoreError::Login
        | StoreError::Unreadable(_) => before(error),
        StoreError::NotFound
        | StoreError::Silent(_)
        | StoreError::Nonsense(_)
        | StoreError::Unreachable(_)
        | StoreError::Failed(_) => {
            tell(&error);
            DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }
        }
    }
}

/// While it was looked for.
pub(super) fn of_look_up(error: StoreError) -> DeliveryError {
    match before(error) {
        DeliveryError::Later { code, .. } => DeliveryError::Unknown { code },
        error @ (DeliveryError::Refused { .. }
        | DeliveryError::RefusedFor { .. }
        | DeliveryError::Credentials { .. }
        | DeliveryError::Unclear
        | DeliveryError::Unknown { .. }
        | DeliveryError::Unreadable(_)) => error,
    }
}

/// Of a file that goes before the item: whatever became of it, the item has not been sent, and it may be written again.
pub(super) fn of_companion(error: DeliveryError) -> DeliveryError {
    match error {
        DeliveryError::Unknown { code } => DeliveryError::Later { code, after: None },
        error @ (DeliveryError::Refused { .. }
        | DeliveryError::RefusedFor { .. }
        | DeliveryError::Later { .. }
        | DeliveryError::Credentials { .. }
        | DeliveryError::Unclear
        | DeliveryError::Unreadable(_)) => error,
    }
}

/// The receipt has a code; the operator's log has the reason, which names no file.
fn tell(error: &StoreError) {
    if matches!(error, StoreError::HostKey { .. } | StoreError::Login) {
        tracing::error!(%error, "a receiver's server");
    } else {
        tracing::debug!(%error, "a receiver's server");
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;
    use crate::ports::Next::{self, AskOperator, GiveUp, LookUp, Retry};

    #[test]
    fn each_failure_means_one_thing_at_each_time() {
        let errors: [fn() -> StoreError; 11] = [
            || StoreError::NotFound,
            || StoreError::Denied,
            || StoreError::Exists,
            || StoreError::Full,
            || StoreError::HostKey { fingerprint: String::new() },
            || StoreError::Login,
            || StoreError::Silent(Duration::ZERO),
            || StoreError::Unreachable(String::new()),
            || StoreError::Nonsense(""),
            || StoreError::Failed(4),
            || StoreError::Unreadable(io::Error::other("disk")),
        ];
        let next = |of: fn(StoreError) -> DeliveryError| errors.map(|error| of(error()).outcome().1);
        let later = Retry(None);
        let before_rename: [Next; 11] = [
            AskOperator,
            AskOperator,
            GiveUp,
            later,
            AskOperator,
            AskOperator,
            later,
            later,
            later,
            later,
            AskOperator,
        ];
        let during: [Next; 11] =
            [LookUp, AskOperator, GiveUp, later, AskOperator, AskOperator, LookUp, LookUp, LookUp, LookUp, AskOperator];
        let looking: [Next; 11] = [
            AskOperator,
            AskOperator,
            GiveUp,
            LookUp,
            AskOperator,
            AskOperator,
            LookUp,
            LookUp,
            LookUp,
            LookUp,
            AskOperator,
        ];
        assert_eq!((next(before), next(in_rename), next(of_look_up)), (before_rename, during, looking));
    }
}
