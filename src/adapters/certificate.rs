//! When a certificate ends, so that somebody renews it in time.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use x509_parser::parse_x509_certificate;

use crate::model::Alarm;
use crate::ports::Concern;

/// When the first certificate of a PEM text ends; `None` when there is none that can be read.
pub(super) fn ends_at(pem: &str) -> Option<Timestamp> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (content, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let content: String = content.split_ascii_whitespace().collect();
    let der = BASE64_STANDARD.decode(content).ok()?;
    let (_, certificate) = parse_x509_certificate(&der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

/// What there is to say of something that ends: sixty, thirty and seven days before, and afterwards.
pub(super) fn ending(about: &'static str, what: &str, ends_at: Timestamp, now: Timestamp) -> Option<Concern> {
    let days = ends_at.duration_since(now).as_secs().div_euclid(DAY_SECONDS);
    let level = match days {
        ..0 => "ended",
        0..=6 => "7-days",
        7..=29 => "30-days",
        30..=59 => "60-days",
        60.. => return None,
    };
    let day = ends_at.strftime("%Y-%m-%d");
    let text = if days < 0 { format!("{what} ended on {day}") } else { format!("{what} ends on {day}") };
    Some(Concern { about, alarm: Alarm { level: level.to_owned(), due: ends_at, text } })
}

const DAY_SECONDS: i64 = 24 * 3_600;

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn it_is_told_sixty_thirty_and_seven_days_ahead_and_afterwards() {
        let ends_at: Timestamp = "2027-01-31T12:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        let level = |days: i64, more: SignedDuration| {
            let now = ends_at - SignedDuration::from_hours(24 * days) + more;
            ending("certificate", "the certificate", ends_at, now).map(|concern| concern.alarm.level)
        };
        for (days, before, after) in [
            (60, None, Some("60-days")),
            (30, Some("60-days"), Some("30-days")),
            (7, Some("30-days"), Some("7-days")),
            (0, Some("7-days"), Some("ended")),
        ] {
            assert_eq!((level(days, -hour).as_deref(), level(days, hour).as_deref()), (before, after), "{days} days");
        }
        let text = |now: &str| ending("a", "x", ends_at, now.parse().unwrap()).unwrap().alarm.text;
        assert_eq!(text("2027-01-30T00:00:00Z"), "x ends on 2027-01-31");
        assert_eq!(text("2027-02-03T00:00:00Z"), "x ended on 2027-01-31");
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        for text in ["", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nMAEC\n-----END CERTIFICATE-----"]
        {
            assert_eq!(ends_at(text), None, "{text}");
        }
    }
}
