//! Second opinions: what Xerces and libxml2 say of a schema or a document, where they are installed.

mod libxml2;
mod xerces;

use std::collections::BTreeSet;

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
