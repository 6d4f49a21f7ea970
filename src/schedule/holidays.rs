//! Norwegian public holidays, movable feasts included.

use jiff::ToSpan as _;
use jiff::civil::Date;

/// Easter Sunday of a year (Meeus, Jones and Butcher's rule for the Gregorian calendar).
pub fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (golden, century, rest) = (y.rem_euclid(19), y.div_euclid(100), y.rem_euclid(100));
    let (leap, left) = (century / 4, century % 4);
    let lag = (century - (century + 8) / 25 + 1) / 3;
    let moon = (19 * golden + century - leap - lag + 15).rem_euclid(30);
    let to_sunday = (32 + 2 * left + 2 * (rest / 4) - moon - rest % 4).rem_euclid(7);
    let late = (golden + 11 * moon + 22 * to_sunday) / 451;
    let count = moon + to_sunday - 7 * late + 114;
    Date::new(year, i8::try_from(count / 31).ok()?, i8::try_from(count % 31 + 1).ok()?).ok()
}

/// Tells whether a day is a public holiday in Norway, Sundays aside.
pub fn is_norwegian(date: Date) -> bool {
    if FIXED.contains(&(date.month(), date.day())) {
        return true;
    }
    let Some(easter) = easter(date.year()) else { return false };
    MOVABLE.iter().any(|days| easter.checked_add(days.days()).is_ok_and(|feast| feast == date))
}

/// New Year's Day, Labour Day, Constitution Day, Christmas Day and the day after.
const FIXED: [(i8, i8); 5] = [(1, 1), (5, 1), (5, 17), (12, 25), (12, 26)];

/// Days from Easter Sunday: Maundy Thursday, Good Friday, Easter Sunday and Monday, Ascension, Whit Sunday and Monday.
const MOVABLE: [i32; 7] = [-3, -2, 0, 1, 39, 49, 50];

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_falls_where_the_almanac_says() {
        let known = [
            (1818, 3, 22),
            (1943, 4, 25),
            (1954, 4, 18),
            (1981, 4, 19),
            (2000, 4, 23),
            (2008, 3, 23),
            (2011, 4, 24),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
            (2049, 4, 18),
            (2285, 3, 22),
        ];
        for (year, month, day) in known {
            assert_eq!(easter(year), Some(date(year, month, day)));
        }
    }

    #[test]
    fn the_days_off_of_a_year_are_these() {
        let mut day = date(2026, 1, 1);
        let mut found = Vec::new();
        while day.year() == 2026 {
            if is_norwegian(day) {
                found.push(day.to_string());
            }
            day = day.tomorrow().unwrap();
        }
        let expected = [
            "2026-01-01",
            "2026-04-02",
            "2026-04-03",
            "2026-04-05",
            "2026-04-06",
            "2026-05-01",
            "2026-05-14",
            "2026-05-17",
            "2026-05-24",
            "2026-05-25",
            "2026-12-25",
            "2026-12-26",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn easter_is_a_sunday_of_march_or_april_in_every_year() {
        for year in 1..=9999 {
            let easter = easter(year).unwrap();
            assert_eq!(easter.weekday(), jiff::civil::Weekday::Sunday, "{year}");
            assert!((date(year, 3, 22)..=date(year, 4, 25)).contains(&easter), "{year}");
        }
    }
}
