//! Clients of several Debian releases, which `tests/interop/releases.sh` unpacks beside the machine's own.

use std::fs;
use std::path::PathBuf;

use crate::needs::installed;

/// A release that clients are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    Bullseye,
    Bookworm,
    Backports,
    Trixie,
}

impl Release {
    /// What Debian calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Bullseye => "bullseye",
            Self::Bookworm => "bookworm",
            Self::Backports => "bookworm-backports",
            Self::Trixie => "trixie",
        }
    }

    /// A file of it.
    pub(super) fn path(self, below: &str) -> PathBuf {
        installed().join("releases").join(self.name()).join(below)
    }

    /// A program of it.
    pub(super) fn program(self, name: &str) -> String {
        self.path("usr/bin").join(name).to_str().unwrap().to_owned()
    }

    /// A Java archive of it.
    pub(super) fn jar(self, name: &str) -> String {
        self.path("usr/share/java").join(name).to_str().unwrap().to_owned()
    }

    /// Where its libraries are that the machine may not have.
    pub(super) fn libraries(self) -> PathBuf {
        let folders = fs::read_dir(self.path("usr/lib")).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_of_the_machine = |path: &PathBuf| path.to_string_lossy().ends_with("-linux-gnu");
        folders.into_iter().find(is_of_the_machine).unwrap_or_default()
    }

    /// Why its clients cannot be had here, if that was found out.
    pub(super) fn absent(self) -> Option<String> {
        let reason = fs::read_to_string(installed().join(format!("releases/{}.absent", self.name()))).ok()?;
        Some(format!("clients of {}: {}", self.name(), reason.trim()))
    }
}
