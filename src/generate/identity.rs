//! Synthetic identities with valid check digits, none of which can belong to anybody.
//!
//! Persons have 80 added to the month, as in the tax administration's synthetic population; organisations begin with 3,
//! as synthetic ones do, where registered ones begin with 8 or 9.

use super::random::Random;

/// Weights of the first check digit of a person's number.
const FIRST: [u32; 9] = [3, 7, 6, 1, 8, 9, 4, 5, 2];
/// Weights of the second.
const SECOND: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
/// Weights of an organisation's check digit.
const ORGANISATION: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];
/// Numbers of which one is taken: of ten in a row at most two can have no check digits.
const TRIES: u64 = 10;
/// Persons that differ: days, months, years and blocks of individual numbers.
const DISTINCT: u64 = 28 * 12 * 100 * (1_000 / TRIES);
/// Bodies of organisations' numbers.
const ORGANISATIONS: u64 = 1_000_000;
/// A prime, and no factor of the numbers of places.
const STEP: u64 = 1_000_003;

/// The number of the n-th reportee, from where chance begins: persons, and every fourth an organisation while there are
/// enough of them. Numbers below [`DISTINCT`] give different ones, so that no two fields are the same.
pub(super) fn reportee(random: &Random, nth: u64) -> String {
    let start = random.clone().next();
    if nth.is_multiple_of(4) && nth / 4 < ORGANISATIONS / TRIES {
        return organisation(place(start, nth / 4, ORGANISATIONS / TRIES));
    }
    person_at(place(start, nth, DISTINCT))
}

/// The number of the n-th person, from where chance begins.
pub(super) fn person(random: &Random, nth: u64) -> String {
    person_at(place(random.clone().next(), nth, DISTINCT))
}

/// The n-th of so many places, in an order that looks like none: the step has no factor in common with their number.
fn place(start: u64, nth: u64, places: u64) -> u64 {
    (start % places + (nth % places) * (STEP % places)) % places
}

/// The same number with a check digit that is wrong.
pub(super) fn misprint(id: &str) -> String {
    let Some((last, digit)) = id.char_indices().last() else { return String::new() };
    let wrong = (digit.to_digit(10).unwrap_or_default() + 1) % 10;
    format!("{}{wrong}", id.get(..last).unwrap_or_default())
}

fn person_at(place: u64) -> String {
    let (day, rest) = (1 + place % 28, place / 28);
    let (month, rest) = (81 + rest % 12, rest / 12);
    let (year, block) = (rest % 100, rest / 100);
    let with_digits = |number: u64| {
        let body = format!("{day:02}{month:02}{year:02}{:03}", block * TRIES + number);
        let body = format!("{body}{}", check_digit(&body, &FIRST)?);
        Some(format!("{body}{}", check_digit(&body, &SECOND)?))
    };
    first_of_block(with_digits)
}

fn organisation(place: u64) -> String {
    let with_digit = |number: u64| {
        let body = format!("31{:06}", place * TRIES + number);
        Some(format!("{body}{}", check_digit(&body, &ORGANISATION)?))
    };
    first_of_block(with_digit)
}

/// The first number of a block that can have check digits.
fn first_of_block(number: impl Fn(u64) -> Option<String>) -> String {
    (0..TRIES).find_map(number).expect("of ten numbers in a row some can have check digits")
}

/// The modulus 11 check digit; `None` where the number cannot have one.
fn check_digit(digits: &str, weights: &[u32]) -> Option<u32> {
    let sum: u32 =
        digits.chars().zip(weights).map(|(digit, weight)| digit.to_digit(10).unwrap_or_default() * weight).sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        digit => Some(digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_check_digits_of_the_register() {
        // Worked by hand from the published weights: 31000000 gives 9 + 2 = 11, so the digit is 0.
        assert_eq!(check_digit("31000000", &ORGANISATION), Some(0));
        // 018150000: 0*3 + 1*7 + 8*6 + 1*1 + 5*8 = 96, 96 mod 11 = 8, so the digit is 3.
        assert_eq!(check_digit("018150000", &FIRST), Some(3));
        // 0181500003: 0*5 + 1*4 + 8*3 + 1*2 + 5*7 + 3*2 = 71, 71 mod 11 = 5, so the digit is 6.
        assert_eq!(check_digit("0181500003", &SECOND), Some(6));
        // 31000020: 9 + 2 + 2*3 = 17, 17 mod 11 = 6; 31000050: 9 + 2 + 5*3 = 26, 26 mod 11 = 4; a remainder of 1 has none.
        assert_eq!(check_digit("31000006", &ORGANISATION), None);
    }

    #[test]
    fn identities_are_synthetic_and_a_misprint_is_wrong() {
        let random = Random::new(7);
        let mut seen = std::collections::HashSet::new();
        for nth in 0..20_000 {
            let id = reportee(&random, nth);
            assert!(seen.insert(id.clone()), "{id} twice");
            assert!(is_valid(&id), "{id}");
            assert!(!is_valid(&misprint(&id)));
            if id.len() == 11 {
                assert!(id.chars().nth(2).unwrap() >= '8');
            } else {
                assert!(id.starts_with("31"));
            }
        }
    }

    fn is_valid(id: &str) -> bool {
        let ends = |body: usize, weights: &[u32]| {
            let (body, rest) = id.split_at(body);
            check_digit(body, weights) == rest.chars().next().and_then(|digit| digit.to_digit(10))
        };
        if id.len() == 11 { ends(9, &FIRST) && ends(10, &SECOND) } else { id.len() == 9 && ends(8, &ORGANISATION) }
    }
}
