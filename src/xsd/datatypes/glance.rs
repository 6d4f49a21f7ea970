//! The common texts of numbers and dates, told by their bytes; the rest of their texts are not told here.

use super::lexical::Form;

/// Tells whether a text is a name of a form.
pub(super) fn is_name(raw: &[u8], form: Form) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_token = form == Form::NmToken && !raw.is_empty() && raw.iter().all(is_plain);
    is_token || std::str::from_utf8(raw).is_ok_and(|text| form.admits(text))
}

/// The number that a text of at most so many digits, 18 or fewer, gives.
pub(super) fn integer(raw: &[u8], most: usize) -> Option<i64> {
    let (negative, digits) = match raw {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    let mut number = 0;
    for digit in digits {
        number = number * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some(if negative { -number } else { number })
}

/// Tells whether a text is a number of at most so many digits before the point and behind it.
pub(super) fn is_decimal(raw: &[u8], whole: u64, fraction: u64, negative: bool) -> bool {
    let digits = match raw {
        [b'-', digits @ ..] if negative => digits,
        digits => digits,
    };
    let (mut before, mut behind, mut points) = (0_u64, 0_u64, 0_u64);
    for byte in digits {
        match byte {
            b'0'..=b'9' if points == 0 => before += 1,
            b'0'..=b'9' => behind += 1,
            b'.' if points == 0 => points = 1,
            _ => return false,
        }
    }
    before + behind > 0 && before <= whole && behind <= fraction
}

/// Tells whether a text is a number with an exponent or without.
pub(super) fn is_float(raw: &[u8]) -> bool {
    let at = raw.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let Some((mantissa, exponent)) = at.and_then(|at| raw.split_at_checked(at)) else {
        return is_decimal(raw, u64::MAX, u64::MAX, true);
    };
    let digits = match exponent {
        [_, b'+' | b'-', digits @ ..] | [_, digits @ ..] => digits,
        [] => return false,
    };
    is_decimal(mantissa, u64::MAX, u64::MAX, true) && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Tells whether a text is a date without a time zone, and not a leap day.
pub(super) fn is_date(raw: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = raw else { return false };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2];
    let last = match (m1, m2) {
        (b'0', b'2') => (b'2', b'8'),
        (b'0', b'4' | b'6' | b'9') | (b'1', b'1') => (b'3', b'0'),
        _ => (b'3', b'1'),
    };
    // The year 0000 is none.
    digits.iter().all(|byte| byte.is_ascii_digit())
        && *y1 != b'0'
        && matches!((m1, m2), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2'))
        && (*d1, *d2) >= (b'0', b'1')
        && (*d1, *d2) <= last
}

/// Tells whether a text is such a date and a time.
pub(super) fn is_date_time(raw: &[u8]) -> bool {
    let Some((date, rest)) = raw.split_at_checked(10) else { return false };
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2, zone @ ..] = rest else { return false };
    let digits = [h2, m2, s2].iter().all(|byte| byte.is_ascii_digit());
    let sixty = |tens: &u8| matches!(tens, b'0'..=b'5');
    let hour = matches!((h1, h2), (b'0' | b'1', _) | (b'2', b'0'..=b'3'));
    is_date(date) && digits && hour && sixty(m1) && sixty(s1) && is_zone(zone)
}

/// A fraction of a second and a time zone, both optional.
fn is_zone(rest: &[u8]) -> bool {
    let zone = match rest {
        [b'.', rest @ ..] => {
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            match rest.split_at_checked(len) {
                Some((_, zone)) if len > 0 => zone,
                _ => return false,
            }
        }
        zone => zone,
    };
    match zone {
        [] | [b'Z'] => true,
        [b'+' | b'-', b'0', hour, b':', b'0'..=b'5', minute] => hour.is_ascii_digit() && minute.is_ascii_digit(),
        _ => false,
    }
}
