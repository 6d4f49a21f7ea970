//! Where a file goes when it is ours.

use std::str::FromStr;

use jiff::civil::Date;

use super::Beside;
use super::name::{in_dir_of, inbox_name, is_sound, last, numbered, shortened};

/// What becomes of a file in the source when it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// It stays, and is remembered.
    Leave,
    /// It is removed.
    Delete,
    /// It goes to a directory.
    Move(DatedDir),
    /// It gets another name where it is.
    Rename(Beside),
}

/// A directory in the source such as `done` or `done/{date}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedDir(String);

/// A text that is no such directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a directory below the source's own, such as \"done\" or \"done/{{date}}\"")]
pub struct BadDir(String);

impl FromStr for DatedDir {
    type Err = BadDir;

    fn from_str(text: &str) -> Result<Self, BadDir> {
        let plain = text.replace(DATE, "");
        let is_dir = is_sound(text, u32::MAX) && !plain.contains(['{', '}']) && !plain.chars().any(char::is_control);
        let first = text.split('/').next().unwrap_or_default();
        if is_dir && !first.contains(DATE) { Ok(Self(text.to_owned())) } else { Err(BadDir(text.to_owned())) }
    }
}

impl DatedDir {
    /// The directory of a day.
    pub fn on(&self, date: Date) -> String {
        self.0.replace(DATE, &date.to_string())
    }

    /// The directory that holds those of all days.
    pub fn stem(&self) -> String {
        let fixed = self.0.split('/').take_while(|name| !name.contains(DATE));
        fixed.collect::<Vec<_>>().join("/")
    }
}

impl After {
    /// Where a file goes; each higher number is another name. `None` when it goes nowhere.
    pub fn target(&self, path: &str, date: Date, number: u32) -> Option<String> {
        match self {
            Self::Leave | Self::Delete => None,
            Self::Move(dir) => Some(format!("{}/{}", dir.on(date), numbered(&kept_name(path), number))),
            Self::Rename(name) => {
                let own = last(path);
                let added = name.of(own).len().saturating_sub(own.len());
                let own = shortened(own, MOST_KEPT_BYTES.saturating_sub(added));
                // The number goes into the file's own part: what the template adds is how it is known as taken.
                Some(in_dir_of(path, &name.of(&numbered(&own, number))))
            }
        }
    }
}

/// The name it keeps where it goes: its own as the store spells it, when there is room for a number.
fn kept_name(path: &str) -> String {
    let name = last(path);
    if name.len() <= MOST_KEPT_BYTES { name.to_owned() } else { inbox_name(path) }
}

const DATE: &str = "{date}";

/// File systems take 255; room is left for a number.
const MOST_KEPT_BYTES: usize = 240;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_to_a_place_that_is_free() {
        let day = jiff::civil::date(2026, 4, 2);
        let to: After = After::Move("done/{date}".parse().unwrap());
        assert_eq!(to.target("in/a.xml", day, 1).unwrap(), "done/2026-04-02/a.xml");
        assert_eq!(to.target("in/a.xml", day, 3).unwrap(), "done/2026-04-02/a-3.xml");
        let renamed = After::Rename("{name}.taken".parse().unwrap());
        assert_eq!(renamed.target("in/a.xml", day, 1).unwrap(), "in/a.xml.taken");
        assert_eq!(renamed.target("in/a.xml", day, 2).unwrap(), "in/a-2.xml.taken");
        assert_eq!(After::Delete.target("a", day, 1), None);
        let long = renamed.target(&format!("in/{}.xml", "a".repeat(250)), day, 20).unwrap();
        assert!(long.ends_with("-20.xml.taken") && long.len() <= "in/".len() + 255, "{long}");
    }

    #[test]
    fn a_directory_is_below_the_root() {
        for bad in ["", "/done", "../done", "{date}", "done/{day}", "done/", "a//b"] {
            assert!(bad.parse::<DatedDir>().is_err(), "{bad}");
        }
        assert_eq!("a/b/{date}/c".parse::<DatedDir>().unwrap().stem(), "a/b");
    }
}
