//! Names that senders chose, as the log has them.

use std::fmt;

use super::AreaPath;

/// A path whose numbers that may be somebody's id are not shown.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'p>(&'p AreaPath);

impl AreaPath {
    /// The path for the log. Senders name files as they like, also after a reportee: digits in a row that may be an id
    /// become `#`, dates and times stay.
    pub fn logged(&self) -> Logged<'_> {
        Logged(self)
    }
}

impl fmt::Display for Logged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(AreaPath { dir, name }) = self;
        write!(f, "/{dir}/")?;
        let mut rest = name.as_str();
        while let Some(first) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(first);
            let (number, after) = from.split_at(number_end(from));
            f.write_str(before)?;
            if may_be_id(number) {
                let masked = number.chars().map(|c| if c.is_ascii_digit() { '#' } else { c });
                f.write_str(&masked.collect::<String>())?;
            } else {
                f.write_str(number)?;
            }
            rest = after;
        }
        f.write_str(rest)
    }
}

/// Where digits end that belong together: blanks, dots, dashes and underscores may stand between them, as in an id written
/// out and in what exports make of a blank.
fn number_end(text: &str) -> usize {
    let number = text.split(|c: char| !c.is_ascii_digit() && !BETWEEN.contains(&c)).next().unwrap_or_default();
    number.trim_end_matches(BETWEEN).len()
}

/// Whether a run of digits may be a person's (11) or an organisation's id (9), alone or beside others.
fn may_be_id(number: &str) -> bool {
    number.bytes().filter(u8::is_ascii_digit).count() >= SHORTEST_ID && !is_moment(number)
}

/// Whether digits are a date, alone or with a time of six digits or a number of at most four behind it. With five it may
/// be somebody's day of birth, and with more anything.
fn is_moment(number: &str) -> bool {
    let groups: Vec<_> = number.split(BETWEEN).filter(|group| !group.is_empty()).collect();
    let day = |year: &str, month: &str, day: &str| {
        let (year, month, day) = (year.parse::<u32>(), month.parse::<u32>(), day.parse::<u32>());
        matches!((year, month, day), (Ok(1990..=2099), Ok(1..=12), Ok(1..=31)))
    };
    let whole = |text: &str| match (text.get(..4), text.get(4..6), text.get(6..8)) {
        (Some(year), Some(month), Some(date)) => day(year, month, date) && matches!(text.len(), 8 | 12 | 14 | 17),
        _ => false,
    };
    let is_time = |rest: &[&str]| {
        let digits: usize = rest.iter().map(|group| group.len()).sum();
        rest.len() <= 3 && matches!(digits, 0..=4 | 6)
    };
    match groups.as_slice() {
        [first, rest @ ..] if whole(first) => is_time(rest),
        [year, month, date, rest @ ..] if day(year, month, date) && year.len() == 4 => is_time(rest),
        _ => false,
    }
}

/// What stands between digits that belong together.
const BETWEEN: [char; 4] = [' ', '.', '-', '_'];
const SHORTEST_ID: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(name: &str) -> String {
        AreaPath::new("inbox", name).unwrap().logged().to_string()
    }

    #[test]
    fn what_may_be_an_id_is_not_shown() {
        for (name, shown) in [
            ("18886712345.xml", "###########.xml"),
            ("skjema 188867 12345 ola.xml", "skjema ###### ##### ola.xml"),
            ("a188867-12345_310000001.xml", "a######-#####_#########.xml"),
            ("2026112118886712345.xml", "###################.xml"),
            ("20261121-18886712345.xml", "########-###########.xml"),
            ("20261121 188867 12345.xml", "######## ###### #####.xml"),
            ("2026-11-21-188867-12345.xml", "####-##-##-######-#####.xml"),
            ("skjema_010190_12345.xml", "skjema_######_#####.xml"),
            ("010190--12345.xml", "######--#####.xml"),
            ("010190 - 12345.xml", "###### - #####.xml"),
            ("19900101-12345.xml", "########-#####.xml"),
            ("1990-01-01-12345.xml", "####-##-##-#####.xml"),
        ] {
            assert_eq!(logged(name), format!("/inbox/{shown}"));
        }
    }

    #[test]
    fn dates_times_and_short_numbers_stay() {
        for name in [
            "prefill-2026-11-21.xml",
            "prefill_20261121_231500.xml",
            "prefill20261121231500.xml",
            "prefill-2026-11-21.231500.xml",
            "prefill_2026-11-21_23-15-00_.xml",
            "20261121-2315.xml",
            "batch 12345678.part",
            "påske (1) & søk.xml",
            "no digits",
        ] {
            assert_eq!(logged(name), format!("/inbox/{name}"));
        }
    }
}
