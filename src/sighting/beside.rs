//! Names made of a file's name: of its done-file, of its checksum file, of itself when it is done with.

use std::str::FromStr;

use super::name::{in_dir_of, last};

/// A template such as `{name}.done`, `{stem}.md5` or, for a whole directory, `SHA256SUMS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    before: String,
    what: Part,
    behind: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Stem,
    Nothing,
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a name such as \"{{name}}.done\" or \"{{stem}}.md5\": one placeholder at most, and text beside it"
)]
pub struct BadBeside(String);

impl FromStr for Beside {
    type Err = BadBeside;

    fn from_str(text: &str) -> Result<Self, BadBeside> {
        let found = [("{name}", Part::Name), ("{stem}", Part::Stem)].into_iter().find_map(|(placeholder, what)| {
            let (before, behind) = text.split_once(placeholder)?;
            Some((before, what, behind))
        });
        let (before, what, behind) = found.unwrap_or((text, Part::Nothing, ""));
        let fixed = [before, behind].concat();
        let is_short = (1..=MOST_FIXED).contains(&fixed.len());
        let is_odd = fixed.contains(['/', '{', '}']) || fixed.chars().any(char::is_control);
        if !is_short || is_odd || what == Part::Nothing && matches!(before, "." | "..") {
            return Err(BadBeside(text.to_owned()));
        }
        Ok(Self { before: before.to_owned(), what, behind: behind.to_owned() })
    }
}

impl Beside {
    /// The path that belongs to a file's.
    pub fn of(&self, path: &str) -> String {
        let part = match self.what {
            Part::Name => last(path),
            Part::Stem => stem(last(path)),
            Part::Nothing => "",
        };
        in_dir_of(path, &format!("{}{part}{}", self.before, self.behind))
    }

    /// A path without its extension, where others that are alike but for that have the same file beside them.
    pub fn stem_of(&self, path: &str) -> Option<String> {
        (self.what == Part::Stem).then(|| in_dir_of(path, stem(last(path))))
    }

    /// Tells whether a path has the form of such a name.
    pub fn fits(&self, path: &str) -> bool {
        let name = last(path);
        let inner = name.strip_prefix(self.before.as_str()).and_then(|rest| rest.strip_suffix(self.behind.as_str()));
        inner.is_some_and(|inner| inner.is_empty() == (self.what == Part::Nothing))
    }

    /// Tells whether each file has one of its own.
    pub fn is_own(&self) -> bool {
        self.what != Part::Nothing
    }
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

const MOST_FIXED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(text: &str) -> Beside {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_beside_is_made_of_the_files() {
        assert_eq!(beside("{name}.done").of("in/a.xml"), "in/a.xml.done");
        assert_eq!(beside("{stem}.md5").of("a.b.xml"), "a.b.md5");
        assert_eq!(beside("{stem}.md5").of(".hidden"), ".hidden.md5");
        assert_eq!(beside("SHA256SUMS").of("in/a.xml"), "in/SHA256SUMS");
        assert_eq!(beside("taken-{name}").of("a.xml"), "taken-a.xml");
    }

    #[test]
    fn what_fits_is_no_file_of_its_own() {
        assert!(beside("{name}.done").fits("in/a.xml.done"));
        assert!(!beside("{name}.done").fits(".done"), "it would be of a file without a name");
        assert!(beside("SHA256SUMS").fits("deep/SHA256SUMS"));
        assert!(!beside("SHA256SUMS").fits("SHA256SUMS.old"));
    }

    #[test]
    fn templates_that_say_nothing_or_too_much_are_refused() {
        for bad in ["", "{name}", "{stem}", "a/{name}", "{name}{stem}.x", "{nam}.x", "..", "a\nb"] {
            assert!(bad.parse::<Beside>().is_err(), "{bad:?}");
        }
    }
}
