//! Where a source is: a local directory, or one of an SFTP server.

use std::path::{Component, Path, PathBuf};

use super::peer::{self, PeerConfig};
use super::reader::Section;

/// Where a source is.
#[derive(Debug, Clone)]
pub enum PlaceConfig {
    /// A local directory.
    Watched(WatchedConfig),
    /// A directory of an SFTP server.
    Polled(Box<PolledConfig>),
}

/// A local directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedConfig {
    /// Which.
    pub path: PathBuf,
    /// The kernel is asked to tell of changes: not where other machines write.
    pub events: bool,
}

/// A directory of an SFTP server.
#[derive(Debug, Clone)]
pub struct PolledConfig {
    /// The server, and the login there.
    pub peer: PeerConfig,
    /// The directory; empty for the login's own.
    pub path: String,
}

impl PlaceConfig {
    /// Its word in the configuration, and where it is, for people.
    pub fn told(&self) -> String {
        match self {
            Self::Watched(place) => format!("watched {}", place.path.display()),
            Self::Polled(place) => {
                let PeerConfig { user, host, port, .. } = &place.peer;
                format!("polled {user}@{host}:{port} {}", place.path)
            }
        }
    }

    /// A local directory, whoever it is of.
    pub(super) fn watched(path: &Path) -> Self {
        Self::Watched(WatchedConfig { path: path.to_owned(), events: false })
    }

    /// A directory below it.
    pub(super) fn below(&self, dir: &str) -> Self {
        let mut place = self.clone();
        match &mut place {
            Self::Watched(place) => place.path.push(dir),
            Self::Polled(place) if place.path.is_empty() => place.path = dir.to_owned(),
            Self::Polled(place) => place.path = format!("{}/{dir}", place.path),
        }
        place
    }

    /// Whether two sources would take the same file.
    pub(super) fn meets(&self, other: &Self, depths: (u32, u32)) -> Meets {
        match (self, other) {
            (Self::Watched(one), Self::Watched(other)) if meet((&one.path, &other.path), depths) => Meets::Surely,
            (Self::Polled(one), Self::Polled(other)) => one.meets(other, depths),
            (Self::Watched(_), Self::Watched(_) | Self::Polled(_)) | (Self::Polled(_), Self::Watched(_)) => {
                Meets::Never
            }
        }
    }
}

impl PolledConfig {
    fn meets(&self, other: &Self, depths: (u32, u32)) -> Meets {
        let server = |place: &Self| (place.peer.host.to_lowercase(), place.peer.port);
        if server(self) != server(other) || !meet((Path::new(&self.path), Path::new(&other.path)), depths) {
            return Meets::Never;
        }
        if self.peer.user == other.peer.user {
            return Meets::Surely;
        }
        // Each login has a directory of its own, and perhaps a root.
        if self.path.starts_with('/') { Meets::Perhaps } else { Meets::Never }
    }
}

/// Whether two sources would take the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meets {
    /// Not that anybody knew.
    Never,
    /// If one login sees what the other does.
    Perhaps,
    /// They would.
    Surely,
}

/// Tells directories that are the same, or one in the other and reached by its depth.
fn meet((one, other): (&Path, &Path), (depth, other_depth): (u32, u32)) -> bool {
    let plain = |path: &Path| path.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>();
    let (one, other) = (plain(one), plain(other));
    one == other || depth > 0 && other.starts_with(&one) || other_depth > 0 && one.starts_with(&other)
}

/// Reads `kind` and what goes with it.
pub(super) fn read(section: &Section<'_>, timeout_ms: u64) -> Option<PlaceConfig> {
    match section.required("kind")?.as_str() {
        "watched" => {
            section.required("path");
            let (path, events) = (section.path("path"), section.flag("events", true));
            Some(PlaceConfig::Watched(WatchedConfig { path: path?, events }))
        }
        "polled" => polled(section, timeout_ms).map(|place| PlaceConfig::Polled(Box::new(place))),
        _ => {
            section.fault("kind", "must be \"watched\" or \"polled\"");
            section.leave();
            None
        }
    }
}

fn polled(section: &Section<'_>, timeout_ms: u64) -> Option<PolledConfig> {
    let path = section.text("path").unwrap_or_default();
    let connect_ms = section.number("connect_ms", 10_000, 1..=600_000);
    Some(PolledConfig { peer: peer::read(section, (connect_ms, timeout_ms))?, path })
}
