//! What is prefilled, for whom and when: facts of held form sets, prefilled fields and subscriptions.

use std::fmt;

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use super::{ItemKey, PartnerId, Period, Reportee};

/// What a prefill item says beyond what every item does.
#[derive(Clone, Default)]
pub struct Prefilled {
    /// ValidTo.
    pub valid_to: Option<Date>,
    /// A subscription's terms, as far as they can be read.
    pub terms: Terms,
    /// IdentityFieldHashCode; empty where the sender gives none.
    pub identity_code: String,
    /// A prefilled field.
    pub field: Field,
    /// Why and when it is instantiated, when it was kept before.
    pub occasion: Option<Deadlines>,
    /// The instance of it that is to be removed, where none is to be made.
    pub removes: Option<String>,
}

/// A subscription's terms as its item gives them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// PeriodType, where it is a period.
    pub period: Option<Period>,
    /// StartDate.
    pub starts: Option<Date>,
    /// ExpirationDate, the last day.
    pub ends: Option<Date>,
    /// NextScheduledDate.
    pub scheduled: Option<Date>,
    /// NextDueDate.
    pub due: Option<Date>,
    /// VisibleDate.
    pub visible: Option<Date>,
}

/// A prefilled field. Never logged: `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// Id.
    pub id: String,
    /// Index, where several have the same id.
    pub index: u32,
    /// Value.
    pub value: String,
}

/// The turn of something that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadlines {
    /// The day by which it should be done.
    pub due: Option<Date>,
    /// Not shown to the reportee before that day.
    pub visible: Option<Date>,
}

impl fmt::Debug for Prefilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefilled")
            .field("valid_to", &self.valid_to)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Field")
    }
}

/// Whose something is, and for which app, as a hash: the ledger holds no reportee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HeldKey(pub ItemKey);

impl HeldKey {
    /// Of a reportee's forms in an app, `org/app`.
    pub fn of_form(partner: &PartnerId, reportee: &Reportee, app: &str) -> Self {
        Self(ItemKey::derive(&["held-form", partner.as_str(), reportee.expose(), app]))
    }

    /// Of a reportee's fields.
    pub fn of_fields(partner: &PartnerId, reportee: &Reportee) -> Self {
        Self(ItemKey::derive(&["held-fields", partner.as_str(), reportee.expose()]))
    }
}

/// What tells a reportee's form sets or fields apart, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(pub ItemKey);

impl Identity {
    /// By identifying fields; sets without them are all alike.
    pub fn of_set(identifying_fields: &[String]) -> Self {
        let fields: Vec<&str> = std::iter::once("set").chain(identifying_fields.iter().map(String::as_str)).collect();
        Self(ItemKey::derive(&fields))
    }

    /// By the code that its sender has made of what identifies it.
    pub fn of_code(code: &str) -> Self {
        Self(ItemKey::derive(&["set-code", code]))
    }

    /// By id and index.
    pub fn of_field(field: &Field) -> Self {
        Self(ItemKey::derive(&["field", &field.id, &field.index.to_string()]))
    }
}

/// The day it is in Norway.
pub fn day_in_norway(now: Timestamp) -> Date {
    TimeZone::get(NORWAY).map_or_else(|_| now.to_zoned(TimeZone::UTC).date(), |zone| now.to_zoned(zone).date())
}

/// When a day begins in Norway.
pub fn start_of_day(day: Date) -> Option<Timestamp> {
    let zone = TimeZone::get(NORWAY).ok()?;
    Some(day.to_zoned(zone).ok()?.timestamp())
}

const NORWAY: &str = "Europe/Oslo";

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::model::ReporteeKind;

    #[test]
    fn a_day_begins_in_norway() {
        let start = |y, m, d| start_of_day(date(y, m, d)).unwrap().to_string();
        assert_eq!(start(2027, 1, 1), "2026-12-31T23:00:00Z");
        assert_eq!(start(2027, 7, 1), "2027-06-30T22:00:00Z");
        let day = |text: &str| day_in_norway(text.parse().unwrap());
        assert_eq!(day("2026-12-31T22:59:59Z"), date(2026, 12, 31));
        assert_eq!(day("2026-12-31T23:00:00Z"), date(2027, 1, 1));
    }

    #[test]
    fn keys_tell_partners_reportees_and_apps_apart() {
        let partner = |name: &str| name.parse::<PartnerId>().unwrap();
        let of = |number: &str| Reportee::new(ReporteeKind::Organisation, number.into());
        let (one, other) = (of("910000004"), of("910000012"));
        let key = HeldKey::of_form(&partner("etat"), &one, "ttd/a");
        assert_eq!(key, HeldKey::of_form(&partner("etat"), &one, "ttd/a"));
        for another in [
            HeldKey::of_form(&partner("tilsyn"), &one, "ttd/a"),
            HeldKey::of_form(&partner("etat"), &other, "ttd/a"),
            HeldKey::of_form(&partner("etat"), &one, "ttd/b"),
            HeldKey::of_fields(&partner("etat"), &one),
        ] {
            assert_ne!(key, another);
        }
        let identity =
            |fields: &[&str]| Identity::of_set(&fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>());
        assert_ne!(identity(&["a", "b"]), identity(&["ab"]));
        assert_ne!(identity(&[]), identity(&[""]));
        assert_ne!(Identity::of_code("a"), identity(&["a"]));
        assert_ne!(Identity::of_code("a"), Identity::of_code("b"));
        let field = Field { id: "/a".into(), index: 0, value: "hemmelig".into() };
        assert_eq!(Identity::of_field(&field), Identity::of_field(&Field { value: "annet".into(), ..field.clone() }));
        assert_ne!(Identity::of_field(&field), Identity::of_field(&Field { index: 1, ..field.clone() }));
        assert_eq!(format!("{field:?}"), "Field");
    }
}
