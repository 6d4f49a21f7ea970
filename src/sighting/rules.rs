//! Which files of a source are taken, and in which order.

use super::name::{is_sound, is_within};
use super::{After, Pattern, Readiness};
use crate::model::TakeOrder;

/// Everything that is agreed of a source's files.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The directory that is looked at; empty for the root.
    pub dir: String,
    /// Levels below it that are looked at, too.
    pub depth: u32,
    /// What is taken; all where it is empty.
    pub include: Vec<Pattern>,
    /// What is not, all the same.
    pub exclude: Vec<Pattern>,
    /// Which first.
    pub order: TakeOrder,
    /// Files taken in one look.
    pub most: u32,
    /// When a file may be taken.
    pub readiness: Readiness,
    /// What becomes of it then.
    pub after: After,
    /// Where its receipts go.
    pub receipts: Option<String>,
}

/// What a file is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One that is taken when it is ready.
    Taken,
    /// One that tells something of another.
    Beside,
}

/// A file beside another, that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnBeside {
    /// Where.
    pub path: String,
    /// It is for every file whose path without its extension is this, where it is not for one alone.
    pub stem: Option<String>,
}

impl Rules {
    /// What a path, as the store tells it, is; `None` when it is nothing to us.
    pub fn kind(&self, path: &str) -> Option<Kind> {
        let inner = match self.dir.as_str() {
            "" => path,
            dir => path.strip_prefix(dir)?.strip_prefix('/')?,
        };
        if !is_sound(inner, self.depth) || self.is_ours(path) {
            return None;
        }
        if self.readiness.is_beside(inner) {
            return Some(Kind::Beside);
        }
        let fits = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.fits(inner));
        let is_taken = (self.include.is_empty() || fits(&self.include)) && !fits(&self.exclude);
        (is_taken && !self.readiness.is_temporary(inner)).then_some(Kind::Taken)
    }

    /// What we put there ourselves: files that were taken, and receipts.
    fn is_ours(&self, path: &str) -> bool {
        let moved = match &self.after {
            After::Move(dir) => is_within(path, &dir.stem()),
            After::Rename(name) => name.fits(path),
            After::Leave | After::Delete => false,
        };
        moved || self.receipts.as_ref().is_some_and(|dir| is_within(path, dir))
    }

    /// Files beside one that are its own, and go with it.
    pub fn own_beside(&self, path: &str) -> Vec<OwnBeside> {
        let beside = [&self.readiness.done_file, &self.readiness.checksum].into_iter().flatten();
        let own = beside.filter(|beside| beside.is_own());
        own.map(|beside| OwnBeside { path: beside.of(path), stem: beside.stem_of(path) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rules() -> Rules {
        Rules {
            dir: "out".to_owned(),
            depth: 1,
            include: vec!["*.xml".parse().unwrap()],
            exclude: vec!["old*".parse().unwrap()],
            order: TakeOrder::Name,
            most: 10,
            readiness: Readiness {
                stable: None,
                min_age: None,
                done_file: Some("{name}.done".parse().unwrap()),
                checksum: None,
                complete: true,
                patience: Duration::ZERO,
                temporary: vec![],
            },
            after: After::Move("out/taken/{date}".parse().unwrap()),
            receipts: Some("out/answers".to_owned()),
        }
    }

    #[test]
    fn only_what_is_agreed_is_seen() {
        let rules = rules();
        for (path, kind) in [
            ("out/a.xml", Some(Kind::Taken)),
            ("out/sub/a.xml", Some(Kind::Taken)),
            ("out/a.xml.done", Some(Kind::Beside)),
            ("out/old.xml", None),
            ("out/a.zip", None),
            ("out/.a.xml", None),
            ("out/sub/deep/a.xml", None),
            ("a.xml", None),
            ("output/a.xml", None),
            ("out/../a.xml", None),
            ("out//a.xml", None),
            ("/out/a.xml", None),
            ("out/answers/a.xml", None),
            ("out/taken/a.xml", None),
            ("out/taken/2026-01-01/a.xml", None),
        ] {
            assert_eq!(rules.kind(path), kind, "{path}");
        }
    }

    #[test]
    fn what_was_renamed_is_not_taken_again() {
        let rules = Rules { include: vec![], after: After::Rename("{name}.taken".parse().unwrap()), ..rules() };
        assert_eq!(rules.kind("out/a.xml.taken"), None);
        assert_eq!(rules.kind("out/a.xml"), Some(Kind::Taken));
        let own = |rules: &Rules| rules.own_beside("out/a.b.xml").pop().map(|own| (own.path, own.stem));
        assert_eq!(own(&rules), Some(("out/a.b.xml.done".to_owned(), None)));
        let done_file = Some("{stem}.ok".parse().unwrap());
        let shared = Rules { readiness: Readiness { done_file, ..rules.readiness.clone() }, ..rules };
        assert_eq!(own(&shared), Some(("out/a.b.ok".to_owned(), Some("out/a.b".to_owned()))));
    }
}
