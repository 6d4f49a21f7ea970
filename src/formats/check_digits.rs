//! Check digits of the numbers that name reportees.

use crate::codes;
use crate::model::{Code, Reportee, ReporteeKind};

/// Reads a reportee's id; the code says what is wrong with it. White space around the digits is left out.
pub fn reportee(text: &str) -> Result<Reportee, Code> {
    Ok(Reportee::new(reportee_kind(text)?, text.trim_ascii().to_owned()))
}

/// Tells whom a reportee's id names; the code says what is wrong with it.
pub fn reportee_kind(text: &str) -> Result<ReporteeKind, Code> {
    let mut room = [0; PERSON_DIGITS];
    let Some(digits) = digits(text.trim_ascii(), &mut room) else { return Err(codes::BAD_REPORTEE_FORM) };
    match digits.len() {
        PERSON_DIGITS if is_person(digits) => Ok(ReporteeKind::Person),
        PERSON_DIGITS => Err(codes::BAD_PERSON_NUMBER),
        ORGANISATION_DIGITS if is_organisation(digits) => Ok(ReporteeKind::Organisation),
        ORGANISATION_DIGITS => Err(codes::BAD_ORGANISATION_NUMBER),
        _ => Err(codes::BAD_REPORTEE_FORM),
    }
}

/// Reads a number that has the form of a reportee's id: where a route lets wrong check digits pass, the receiver judges them.
pub(crate) fn number(text: &str) -> Result<Reportee, Code> {
    let id = text.trim_ascii();
    match digits(id, &mut [0; PERSON_DIGITS]).map(<[u8]>::len) {
        Some(PERSON_DIGITS) => Ok(Reportee::new(ReporteeKind::Person, id.to_owned())),
        Some(ORGANISATION_DIGITS) => Ok(Reportee::new(ReporteeKind::Organisation, id.to_owned())),
        Some(_) | None => Err(codes::BAD_REPORTEE_FORM),
    }
}

/// The check digit that follows the first eight digits of an organisasjonsnummer; `None` where no number has them.
pub fn organisation_check_digit(first: &[u8]) -> Option<u8> {
    control_digit(first, &ORGANISATION_WEIGHTS)
}

/// The control digits that follow the first nine digits of a fødselsnummer; `None` where no number has them.
pub fn person_control_digits(first: &[u8]) -> Option<[u8; 2]> {
    let k1 = control_digit(first, &K1_WEIGHTS)?;
    let mut ten = [k1; 10];
    ten.get_mut(..first.len())?.copy_from_slice(first);
    let k2 = control_digit(&ten, &K2_WEIGHTS)?;
    Some([k1, k2])
}

/// The values of a text of at most eleven ASCII digits.
fn digits<'r>(text: &str, room: &'r mut [u8; PERSON_DIGITS]) -> Option<&'r [u8]> {
    let digits = room.get_mut(..text.len()).filter(|digits| !digits.is_empty())?;
    let mut all = true;
    for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
        *digit = byte.wrapping_sub(b'0');
        all &= *digit < 10;
    }
    all.then_some(digits)
}

fn is_organisation(digits: &[u8]) -> bool {
    digits.split_last().is_some_and(|(last, first)| organisation_check_digit(first) == Some(*last))
}

/// Fødselsnummer and D-number, ordinary or synthetic: a date, then control digits. Numbers that are given out from 2032 on leave
/// 0 to 3 over from the first sum, all others nothing; which is which, the number does not tell. The second sum stays as it was,
/// and finds every single wrong digit.
fn is_person(digits: &[u8]) -> bool {
    let Some(([.., k1], [k2])) = digits.split_at_checked(10) else { return false };
    let (nine, ten) = (digits.get(..9).unwrap_or_default(), digits.get(..10).unwrap_or_default());
    begins_with_a_date(nine)
        && (weighted(nine, &K1_WEIGHTS) + u32::from(*k1)) % 11 <= 3
        && (weighted(ten, &K2_WEIGHTS) + u32::from(*k2)).is_multiple_of(11)
}

fn begins_with_a_date(digits: &[u8]) -> bool {
    let &[d1, d2, m1, m2, ..] = digits else { return false };
    // A D-number adds 40 to the day.
    let day = match d1 * 10 + d2 {
        marked @ 41..=71 => marked - 40,
        plain => plain,
    };
    // Synthetic persons: Dolly adds 40 to the month, Tenor adds 80.
    let month = match m1 * 10 + m2 {
        marked @ 41..=52 => marked - 40,
        marked @ 81..=92 => marked - 80,
        plain => plain,
    };
    let last = match month {
        // The century is not certain, so every February has 29 days.
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=last).contains(&day)
}

/// Modulus 11: the digit that makes the weighted sum divisible by eleven. No digit does where it would have to be ten.
fn control_digit(digits: &[u8], weights: &[u32]) -> Option<u8> {
    if digits.len() != weights.len() {
        return None;
    }
    u8::try_from((11 - weighted(digits, weights) % 11) % 11).ok().filter(|digit| *digit < 10)
}

fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

const PERSON_DIGITS: usize = 11;
const ORGANISATION_DIGITS: usize = 9;
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];
const K1_WEIGHTS: [u32; 9] = [3, 7, 6, 1, 8, 9, 4, 5, 2];
const K2_WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

#[cfg(test)]
mod tests {
    use super::*;

    /// Finishes nine digits to a synthetic number, trying individual numbers until one has control digits.
    fn person(day: u8, month: u8) -> String {
        (100..999)
            .find_map(|individual| {
                let first = format!("{day:02}{month:02}85{individual}");
                let [k1, k2] = person_control_digits(digits(&first, &mut [0; PERSON_DIGITS]).unwrap())?;
                Some(format!("{first}{k1}{k2}"))
            })
            .unwrap()
    }

    fn code(id: &str) -> Option<Code> {
        reportee(id).err()
    }

    #[test]
    fn people_of_every_kind_are_taken() {
        for (day, month) in [(1, 81), (31, 92), (71, 81), (29, 82), (12, 41), (52, 52)] {
            assert_eq!(code(&person(day, month)), None, "{day} {month}");
        }
        assert_eq!(reportee(&person(1, 81)).unwrap().kind(), ReporteeKind::Person);
    }

    #[test]
    fn impossible_dates_are_refused_even_with_right_control_digits() {
        for (day, month) in [(0, 81), (32, 81), (31, 84), (30, 82), (72, 81), (1, 80), (1, 93), (1, 13), (1, 60)] {
            assert_eq!(code(&person(day, month)), Some(codes::BAD_PERSON_NUMBER), "{day} {month}");
        }
        assert_eq!(code("00000000000"), Some(codes::BAD_PERSON_NUMBER));
    }

    #[test]
    fn any_single_wrong_digit_is_found() {
        for right in [person(14, 87), "910000004".to_owned()] {
            assert_eq!(code(&right), None);
            for at in 0..right.len() {
                for digit in b'0'..=b'9' {
                    let mut bytes = right.clone().into_bytes();
                    if std::mem::replace(&mut bytes[at], digit) != digit {
                        assert!(reportee(std::str::from_utf8(&bytes).unwrap()).is_err());
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_of_2032_leave_up_to_three_over() {
        let first = [1, 4, 8, 7, 8, 5, 1, 0, 1];
        let taken = (0..100_u8).map(|control| [&first[..], &[control / 10, control % 10]].concat());
        let taken: Vec<_> = taken.filter(|digits| is_person(digits)).collect();
        let left_over = |digits: &[u8]| (weighted(&digits[..9], &K1_WEIGHTS) + u32::from(digits[9])) % 11;
        assert!(taken.iter().all(|digits| left_over(digits) <= 3) && taken.iter().any(|digits| left_over(digits) > 0));
        let ordinary: Vec<_> = taken.iter().filter(|digits| left_over(digits) == 0).collect();
        assert_eq!(ordinary, [&[1, 4, 8, 7, 8, 5, 1, 0, 1, 8, 7]]);
    }

    #[test]
    fn a_number_keeps_its_form_without_its_check_digits() {
        assert_eq!(number(" 910000005 ").unwrap().expose(), "910000005");
        assert_eq!(number("14878510188").unwrap().kind(), ReporteeKind::Person);
        assert_eq!(number("1487851018").unwrap_err(), codes::BAD_REPORTEE_FORM);
    }

    #[test]
    fn an_organisation_has_one_check_digit() {
        let taken: Vec<u64> =
            (910_000_000..910_000_040).filter(|number| reportee(&number.to_string()).is_ok()).collect();
        assert_eq!(taken, [910_000_004, 910_000_012, 910_000_020, 910_000_039]);
        assert_eq!(code("910000005"), Some(codes::BAD_ORGANISATION_NUMBER));
        assert_eq!(reportee(" 910000004\n").unwrap().expose(), "910000004");
    }

    #[test]
    fn other_forms_are_told_apart_from_wrong_digits() {
        for id in ["", " ", "12345", "91000000A", "9100000040", "910 000 004", "９10000004", "１２３", "010185123456"]
        {
            assert_eq!(code(id), Some(codes::BAD_REPORTEE_FORM), "{id}");
        }
    }
}
