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

/// A person's number, or in one of four cases an organisation's.
pub(super) fn reportee(random: &mut Random) -> String {
    if random.below(4) == 0 { organisation(random) } else { person(random) }
}

/// The same number with a check digit that is wrong.
pub(super) fn misprint(id: &str) -> String {
    let Some((last, digit)) = id.char_indices().last() else { return String::new() };
    let wrong = (digit.to_digit(10).unwrap_or_default() + 1) % 10;
    format!("{}{wrong}", id.get(..last).unwrap_or_default())
}

fn person(random: &mut Random) -> String {
    loop {
        let (day, month) = (1 + random.below(28), 81 + random.below(12));
        let (year, number) = (random.below(100), random.below(1_000));
        let body = format!("{day:02}{month:02}{year:02}{number:03}");
        let Some(first) = check_digit(&body, &FIRST) else { continue };
        let body = format!("{body}{first}");
        if let Some(second) = check_digit(&body, &SECOND) {
            return format!("{body}{second}");
        }
    }
}

fn organisation(random: &mut Random) -> String {
    loop {
        let body = format!("31{:06}", random.below(1_000_000));
        if let Some(check) = check_digit(&body, &ORGANISATION) {
            return format!("{body}{check}");
        }
    }
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
        let mut random = Random::new(7);
        for _ in 0..1_000 {
            let id = reportee(&mut random);
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
