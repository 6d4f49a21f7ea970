//! What a partner sees: `/`, the agreed directories, the files in them. No name leads anywhere else.

use crate::model::{AreaPath, PartnerId};
use crate::ports::Quota;

use super::failure::Failure;
use super::settings::{PartnerAccess, SetupError};
use super::spelling::composed;

/// A partner's directories and what they may hold.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// Whose.
    pub(super) partner: PartnerId,
    /// The login that looks at it; empty before one does.
    pub(super) user: String,
    /// What the partner may hold.
    pub(super) quota: Quota,
    /// The largest upload let in: more than a route takes, so that the refusal is a receipt, but not without end.
    pub(super) max_upload_bytes: u64,
    directories: Vec<Directory>,
}

/// One agreed directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directory {
    /// Its name, without slashes.
    pub(super) name: String,
    /// What it is for.
    pub(super) purpose: Purpose,
    /// Whether the partner may remove files that we placed here.
    pub(super) removable: bool,
}

/// What a directory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Takes files and sends them on.
    Inbox,
    /// Takes files and only judges them.
    Test,
    /// Gives receipts.
    Receipts,
    /// Gives files.
    Outbox,
}

impl Purpose {
    /// Whether the partner puts files here.
    pub(super) fn takes_files(self) -> bool {
        matches!(self, Self::Inbox | Self::Test)
    }
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target<'t> {
    /// `/`.
    Root,
    /// An agreed directory.
    Directory(&'t Directory),
    /// A file, there or not.
    File(&'t Directory, AreaPath),
}

impl Tree {
    /// Reads a partner's access.
    pub(super) fn new(access: &PartnerAccess) -> Result<Self, SetupError> {
        let mut directories: Vec<Directory> = Vec::new();
        let groups = [
            (&access.inboxes, Purpose::Inbox),
            (&access.tests, Purpose::Test),
            (&access.receipts, Purpose::Receipts),
            (&access.outboxes, Purpose::Outbox),
        ];
        for (name, purpose) in groups.into_iter().flat_map(|(names, purpose)| names.iter().map(move |n| (n, purpose))) {
            match directories.iter().find(|known| known.name == *name) {
                // Several routes may share a directory, as long as it means the same to all.
                Some(known) if known.purpose == purpose => {}
                None if AreaPath::new(name, "x").is_ok() => {
                    let removable = access.removable.contains(name);
                    directories.push(Directory { name: name.clone(), purpose, removable });
                }
                Some(_) | None => {
                    return Err(SetupError::Directory { partner: access.partner.clone(), dir: name.clone() });
                }
            }
        }
        let slack = (access.max_file_bytes / 8).max(MIN_SLACK_BYTES);
        Ok(Self {
            partner: access.partner.clone(),
            user: String::new(),
            quota: access.quota,
            max_upload_bytes: access.max_file_bytes.saturating_add(slack),
            directories,
        })
    }

    /// The tree as a login sees it.
    pub(super) fn seen_by(&self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self.clone() }
    }

    /// The directories, in the order of the configuration.
    pub(super) fn directories(&self) -> &[Directory] {
        &self.directories
    }

    /// Finds what a path names.
    pub(super) fn resolve(&self, path: &str) -> Result<Target<'_>, Failure> {
        let normal = normalise(&composed(path));
        let mut segments = normal.split('/').filter(|segment| !segment.is_empty());
        let (first, second, third) = (segments.next(), segments.next(), segments.next());
        let Some(first) = first else { return Ok(Target::Root) };
        let named = |known: &&Directory| composed(&known.name) == first;
        let directory = self.directories.iter().find(named).ok_or(Failure::NoSuchFile)?;
        match (second, third) {
            (None, _) => Ok(Target::Directory(directory)),
            (Some(_), Some(_)) => Err(Failure::NoSuchFile),
            (Some(name), None) => Ok(Target::File(directory, file(&directory.name, name)?)),
        }
    }
}

/// The path with `.` and `..` worked out; it begins at `/` and never leaves it.
pub(super) fn normalise(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}

fn file(dir: &str, name: &str) -> Result<AreaPath, Failure> {
    AreaPath::new(dir, name).map_err(|bad| Failure::Refused(bad.to_string()))
}

const MIN_SLACK_BYTES: u64 = 16 * 1024 * 1024;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a partner has.
    pub(in super::super) fn access() -> PartnerAccess {
        PartnerAccess {
            partner: "etat".parse().unwrap(),
            logins: vec![],
            inboxes: vec!["inbox".to_owned(), "inbox".to_owned()],
            tests: vec!["test".to_owned()],
            receipts: vec!["receipts".to_owned()],
            outboxes: vec![],
            removable: vec![],
            hours: vec![],
            time_zone: jiff::tz::TimeZone::UTC,
            bytes_per_second: None,
            addresses: vec![],
            older_algorithms: false,
            quota: Quota { bytes: 1, files: 1 },
            max_file_bytes: 1,
        }
    }

    #[test]
    fn no_path_leads_out() {
        let tree = Tree::new(&access()).unwrap();
        assert_eq!(tree.resolve("/"), Ok(Target::Root));
        assert_eq!(tree.resolve("../../.."), Ok(Target::Root));
        for outside in ["/etc/passwd", "/inbox/../../etc/passwd", "/inbox/a/b", "other", "/inbox2"] {
            assert_eq!(tree.resolve(outside), Err(Failure::NoSuchFile), "{outside}");
        }
        for same in ["/inbox/a.xml", "inbox/a.xml", "/inbox/./b/../a.xml", "//inbox//a.xml", "/../inbox/a.xml"] {
            let Ok(Target::File(directory, path)) = tree.resolve(same) else { panic!("{same}") };
            assert_eq!((directory.purpose, path.to_string().as_str()), (Purpose::Inbox, "/inbox/a.xml"));
        }
    }

    #[test]
    fn names_that_cannot_be_kept_are_refused_with_a_text() {
        let tree = Tree::new(&access()).unwrap();
        for bad in [format!("/inbox/{}", "a".repeat(256)), "/inbox/a\nb".to_owned(), "/inbox/a\u{81}".to_owned()] {
            assert!(matches!(tree.resolve(&bad), Err(Failure::Refused(_))), "{bad}");
        }
        assert!(tree.resolve("/inbox/skjema æøå.xml").is_ok());
    }

    #[test]
    fn a_directory_means_one_thing() {
        let mut access = access();
        access.receipts.push("inbox".to_owned());
        assert!(matches!(Tree::new(&access), Err(SetupError::Directory { dir, .. }) if dir == "inbox"));
    }
}
