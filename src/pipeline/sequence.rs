//! Whether a batch comes in its turn: the numbers in its header against those of the batches before it.

use std::time::Duration;

use jiff::Timestamp;

use super::{House, StepError};
use crate::codes;
use crate::forward::after;
use crate::model::{
    Envelope, Finding, FormatName, Part, Route, SequencePolicy, SequenceRules, SequenceScope, Shipment, Strictness,
};
use crate::ports::{SequenceStand, SequenceUse};

/// What a batch's numbers come to.
pub(super) enum Turn {
    /// It goes on with these numbers; the findings only tell.
    Comes(Vec<SequenceUse>, Vec<Finding>),
    /// It is refused.
    Refused(Finding),
    /// It is held until then.
    Waits(Timestamp),
}

/// Asks whether it is a batch's turn. A rehearsal is never held: its receipt says that the batch would be.
pub(super) async fn turn(
    house: &House,
    shipment: &Shipment,
    route: &Route,
    format: FormatName,
    envelope: &Envelope,
) -> Result<Turn, StepError> {
    let (mut numbers, mut findings) = (Vec::new(), Vec::new());
    let rules = route.rules.sequence;
    for part in envelope.parts.iter().filter(|_| !rules.is_off) {
        let wanted = match number(part) {
            Ok(None) => continue,
            Ok(Some(number)) => SequenceUse {
                scope: scope(rules.scope, route, format, envelope, part),
                number,
                may_repeat: rules.repeat != Strictness::Refuse,
            },
            Err(text) => return Ok(Turn::Refused(Finding::whole(codes::BAD_SEQUENCE, text))),
        };
        let stand = house.ledger.sequence_stand(shipment.id, &wanted).await?;
        match judge(house, shipment, rules, &wanted, stand).await? {
            Judged::Fine => {}
            Judged::Told(finding) => findings.push(finding),
            Judged::Refused(finding) => return Ok(Turn::Refused(finding)),
            Judged::Waits(until) => {
                house.ledger.hold(shipment.id, &wanted, until).await?;
                return Ok(Turn::Waits(until));
            }
        }
        numbers.push(wanted);
    }
    Ok(Turn::Comes(numbers, findings))
}

enum Judged {
    Fine,
    Told(Finding),
    Refused(Finding),
    Waits(Timestamp),
}

async fn judge(
    house: &House,
    shipment: &Shipment,
    rules: SequenceRules,
    wanted: &SequenceUse,
    stand: SequenceStand,
) -> Result<Judged, StepError> {
    let found = |expected: u64| format!("the number is {}, {expected} is expected", wanted.number);
    Ok(match stand {
        SequenceStand::Next => Judged::Fine,
        SequenceStand::Repeated { expected } => weighed(rules.repeat, codes::SEQUENCE_REPEATED, found(expected)),
        SequenceStand::Late { expected } => weighed(rules.late, codes::SEQUENCE_REPEATED, found(expected)),
        SequenceStand::Gap { expected } => {
            let finding = Finding::whole(codes::SEQUENCE_GAP, found(expected));
            let deadline = after(shipment.claimed_at, Duration::from_millis(rules.hold_ms));
            let now = house.clock.now();
            match rules.gap {
                SequencePolicy::Accept => Judged::Told(finding),
                SequencePolicy::Hold if shipment.preflight => Judged::Told(finding),
                SequencePolicy::Hold if deadline > now => Judged::Waits(deadline),
                // The one before may be in our hands, and only longer to judge.
                _ if !shipment.preflight && house.ledger.has_earlier_unjudged(shipment.id).await? => {
                    Judged::Waits(after(now, LOOK_AGAIN))
                }
                SequencePolicy::Hold | SequencePolicy::Refuse => Judged::Refused(finding),
            }
        }
    })
}

fn weighed(strictness: Strictness, code: crate::model::Code, text: String) -> Judged {
    match strictness {
        Strictness::Refuse => Judged::Refused(Finding::whole(code, text)),
        Strictness::Warn => Judged::Told(Finding::whole(code, text)),
        Strictness::Off => Judged::Fine,
    }
}

/// A part's number; none where it has none, or says that it is not counted (0 after 0).
fn number(part: &Part) -> Result<Option<u64>, String> {
    let Some(own) = part.sequence_no.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let parse = |text: &str| text.trim().trim_start_matches('+').parse::<u64>().ok().filter(|n| *n < MOST);
    let number = parse(own).ok_or("the sequence number is no whole number")?;
    let Some(previous) = part.previous_no.as_deref().filter(|text| !text.is_empty()) else { return Ok(Some(number)) };
    match parse(previous) {
        Some(0) if number == 0 => Ok(None),
        Some(previous) if previous + 1 == number => Ok(Some(number)),
        Some(previous) => Err(format!("the header says {number} and, of the batch before, {previous}")),
        None => Err("the number of the batch before is no whole number".to_owned()),
    }
}

fn scope(scope: SequenceScope, route: &Route, format: FormatName, envelope: &Envelope, part: &Part) -> String {
    let described = route.described.as_ref().map(|format| format.name.as_str());
    let (format, part) = (described.unwrap_or(format.as_str()), part.kind.as_str());
    match scope {
        SequenceScope::Sender => format!("sender/{format}/{part}/{}", envelope.sender_name),
        SequenceScope::Partner => format!("partner/{format}/{part}"),
        SequenceScope::Route => format!("route/{}/{part}", route.name),
    }
}

/// Numbers that the ledger can hold.
const MOST: u64 = 1 << 62;

/// How long a batch waits for those claimed before it, which are being judged.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ByteRange, PartKind};

    fn part(own: &str, previous: Option<&str>) -> Part {
        Part {
            kind: PartKind::Batch,
            head: ByteRange::default(),
            reference: String::new(),
            reference_end: 0,
            sequence_no: Some(own.to_owned()),
            previous_no: previous.map(str::to_owned),
        }
    }

    #[test]
    fn numbers_are_read_as_senders_write_them() {
        for (own, previous, expected) in [
            ("7", None, Some(7)),
            (" +007 ", Some("6"), Some(7)),
            ("0", Some("0"), None),
            ("1", Some("0"), Some(1)),
            ("0", None, Some(0)),
            ("", Some("3"), None),
        ] {
            assert_eq!(number(&part(own, previous)), Ok(expected), "{own} after {previous:?}");
        }
        for (own, previous) in [("A7", None), ("-1", None), ("7", Some("7")), ("7", Some("x")), ("9e9", None)] {
            assert!(number(&part(own, previous)).is_err(), "{own} after {previous:?}");
        }
        assert!(number(&part(&u64::MAX.to_string(), None)).is_err());
    }
}
