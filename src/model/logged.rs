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

/// Where digits end that belong together: a single blank, dot or dash may stand between two of them, as in an id written out.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_between = |at: usize| matches!(bytes.get(at), Some(b' ' | b'.' | b'-'));
    let mut end = 0;
    while is_digit(end) || (is_between(end) && is_digit(end + 1)) {
        end += 1;
    }
    end
}

/// Whether a run of digits may be a person's (11) or an organisation's id (9), alone or beside others.
fn may_be_id(number: &str) -> bool {
    number.bytes().filter(u8::is_ascii_digit).count() >= SHORTEST_ID && !is_moment(number)
}

/// Whether digits are a date, with a time or a number of at most four digits behind it.
fn is_moment(number: &str) -> bool {
    let groups: Vec<_> = number.split([' ', '.', '-']).collect();
    let day = |year: &str, month: &str, day: &str| {
        let (year, month, day) = (year.parse::<u32>(), month.parse::<u32>(), day.parse::<u32>());
        matches!((year, month, day), (Ok(1990..=2099), Ok(1..=12), Ok(1..=31)))
    };
    let whole = |text: &str| match (text.get(..4), text.get(4..6), text.get(6..8)) {
        (Some(year), Some(month), Some(date)) => day(year, month, date) && matches!(text.len(), 8 | 12 | 14 | 17),
        _ => false,
    };
    let are_short = |rest: &[&str]| rest.iter().all(|group| group.len() <= 6) && rest.len() <= 3;
    match groups.as_slice() {
        [first, rest @ ..] if whole(first) => {
            are_short(rest) && rest.iter().map(|group| group.len()).sum::<usize>() <= 6
        }
        [year, month, date, rest @ ..] if day(year, month, date) && year.len() == 4 => {
            are_short(rest) && rest.iter().map(|group| group.len()).sum::<usize>() <= 6
        }
        _ => false,
    }
}

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
            "20261121-2315.xml",
            "batch 12345678.part",
            "påske (1) & søk.xml",
            "no digits",
        ] {
            assert_eq!(logged(name), format!("/inbox/{name}"));
        }
    }
}
