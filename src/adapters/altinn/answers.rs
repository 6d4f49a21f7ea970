//! What each answer means for an item. Statuses decide, never texts.

use reqwest::header::LOCATION;
use serde::Deserialize;

use crate::adapters::http::Answer;
use crate::codes;
use crate::model::ReporteeKind;
use crate::ports::{Delivered, DeliveryError};

/// The answer to an instantiation.
///
/// | status | meaning |
/// |---|---|
/// | 200, 201 with an instance id | delivered |
/// | other 2xx, or no id | nobody knows |
/// | 3xx | the address leads elsewhere: nothing happened |
/// | 400, other 4xx | the item is refused |
/// | 401, 407 | our credentials |
/// | 403 | the item, when the app's own rules say so, or it takes no such reportee (see [`Taken`]); else our rights |
/// | 404 | the reportee is unknown (the caller has made sure that the app is there) |
/// | 408 | nobody knows |
/// | 409 | a conflict |
/// | 413 | too large |
/// | 429, 503 with Retry-After | later: nothing happened |
/// | other 5xx | nobody knows |
pub(super) fn instantiated(answer: &Answer) -> Result<Delivered, DeliveryError> {
    let refused = |code| Err(DeliveryError::Refused { code });
    match answer.status() {
        200 | 201 => instance_id(answer).ok_or(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        300..400 => Err(DeliveryError::Later { code: codes::UNREACHABLE, after: None }),
        401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
        403 if is_app_rule(answer) => refused(codes::RECEIVER_REFUSED),
        403 => Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED }),
        404 => refused(codes::REPORTEE_UNKNOWN),
        408 => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        409 => refused(codes::RECEIVER_CONFLICT),
        413 => refused(codes::PAYLOAD_TOO_LARGE),
        429 => Err(DeliveryError::Later { code: codes::THROTTLED, after: answer.retry_after() }),
        503 if answer.retry_after().is_some() => {
            Err(DeliveryError::Later { code: codes::THROTTLED, after: answer.retry_after() })
        }
        400..500 => refused(codes::RECEIVER_REFUSED),
        500.. => Err(DeliveryError::Unknown { code: codes::RECEIVER_FAULT }),
        0..300 => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
    }
}

/// An instance's id has the form `party/guid`; when the body was cut off, the address of the new instance ends with it.
fn instance_id(answer: &Answer) -> Option<Delivered> {
    #[derive(Deserialize)]
    struct Instance {
        id: String,
    }
    let from_body = answer.json::<Instance>().map(|instance| instance.id);
    let from_location = || answer.header(&LOCATION)?.split_once("/instances/").map(|(_, id)| id.to_owned());
    let id = from_body.filter(|id| is_instance_id(id)).or_else(from_location)?;
    is_instance_id(&id).then_some(Delivered::of(id))
}

pub(super) fn is_instance_id(id: &str) -> bool {
    id.split_once('/').is_some_and(|(party, guid)| party.parse::<u64>().is_ok() && uuid::Uuid::try_parse(guid).is_ok())
}

/// Whom an app takes, as its metadata have it: whomever, when they name nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PartyTypes {
    person: bool,
    organisation: bool,
    sub_unit: bool,
    bankruptcy_estate: bool,
}

/// Whether an app takes a kind of reportee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Each of them.
    All,
    /// Some organisations, and not others: which they are nobody tells by their numbers.
    Some,
    /// None of them.
    None,
}

/// Whether an app takes reportees of a kind, by its metadata.
pub(super) fn takes(metadata: &Answer, kind: ReporteeKind) -> Taken {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        party_types_allowed: Option<PartyTypes>,
    }
    metadata.json::<Metadata>().and_then(|app| app.party_types_allowed).unwrap_or_default().take(kind)
}

impl PartyTypes {
    fn take(self, kind: ReporteeKind) -> Taken {
        let organisations = [self.organisation, self.sub_unit, self.bankruptcy_estate];
        match kind {
            _ if self == Self::default() => Taken::All,
            ReporteeKind::Person if self.person => Taken::All,
            ReporteeKind::Person => Taken::None,
            // An estate is a main unit, too.
            ReporteeKind::Organisation if self.organisation && self.sub_unit => Taken::All,
            ReporteeKind::Organisation if organisations.contains(&true) => Taken::Some,
            ReporteeKind::Organisation => Taken::None,
        }
    }
}

/// Tells whether a refusal comes with a text alone, as an app's does that takes no such party: one of JSON, since that is what
/// it is asked for. The platform says nothing, or answers with an object; plain text is what gateways write. What the text is
/// decides nothing.
pub(super) fn is_text(answer: &Answer) -> bool {
    answer.json::<String>().is_some()
}

/// Tells the app's own refusal (an InstantiationValidationResult) from the platform's.
pub(super) fn is_app_rule(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct ValidationResult {
        valid: bool,
    }
    answer.json::<ValidationResult>().is_some_and(|result| !result.valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_takes_whom_its_metadata_name() {
        use ReporteeKind::{Organisation, Person};
        let table = [
            ("{}", Taken::All, Taken::All),
            (
                r#"{"person":false,"organisation":false,"subUnit":false,"bankruptcyEstate":false}"#,
                Taken::All,
                Taken::All,
            ),
            (r#"{"person":true}"#, Taken::All, Taken::None),
            (r#"{"organisation":true}"#, Taken::None, Taken::Some),
            (r#"{"organisation":true,"subUnit":true}"#, Taken::None, Taken::All),
            (r#"{"person":true,"bankruptcyEstate":true}"#, Taken::All, Taken::Some),
        ];
        for (text, persons, organisations) in table {
            let types: PartyTypes = serde_json::from_str(text).unwrap();
            assert_eq!((types.take(Person), types.take(Organisation)), (persons, organisations), "{text}");
        }
    }

    #[test]
    fn an_instance_id_is_a_party_and_a_guid() {
        assert!(is_instance_id("50001234/2f1c6b1e-8d0c-4a1e-9b5e-0c0a7b4d9f10"));
        for bad in ["", "50001234", "x/2f1c6b1e-8d0c-4a1e-9b5e-0c0a7b4d9f10", "1/2/3", "1/"] {
            assert!(!is_instance_id(bad), "{bad}");
        }
    }
}
