//! Second opinions: what Xerces and libxml2 say of a schema or a document, where they are installed.

mod libxml2;
mod xerces;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

pub(crate) use libxml2::Libxml2;
pub(crate) use xerces::Xerces;

/// What was said of a schema or a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opinion {
    Accepted,
    /// The lines that are wrong, and the first message.
    Invalid(BTreeSet<u64>, String),
    /// It is no XML, or no schema.
    Refused(String),
}

impl Opinion {
    pub(crate) fn accepts(&self) -> bool {
        matches!(self, Self::Accepted)
    }

    /// The lines that are wrong; none at all when the whole was refused.
    pub(crate) fn lines(&self) -> Option<BTreeSet<u64>> {
        match self {
            Self::Accepted => Some(BTreeSet::new()),
            Self::Invalid(lines, _) => Some(lines.clone()),
            Self::Refused(_) => None,
        }
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Accepted => "",
            Self::Invalid(_, message) | Self::Refused(message) => message,
        }
    }
}

/// `true` when the program is there. Absent, it is a skip with a printed reason, or a failure with `SLUSE_REQUIRE_ALL=1`.
fn installed(program: &str, version: &str) -> bool {
    let quiet = || Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = quiet().is_ok_and(|status| status.success());
    assert!(there || std::env::var("SLUSE_REQUIRE_ALL").as_deref() != Ok("1"), "`{program}` is not installed");
    if !there {
        eprintln!("skipped: `{program}` is not installed");
    }
    there
}
