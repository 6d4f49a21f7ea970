//! Where a source is: a local directory, or one of an SFTP server.

use std::path::PathBuf;

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

    /// Tells two sources that would take the same file.
    pub(super) fn is_also(&self, other: &Self, (depth, other_depth): (u32, u32)) -> bool {
        match (self, other) {
            (Self::Watched(one), Self::Watched(other)) => {
                let [one, other] = [one, other].map(|place| place.path.components().collect::<PathBuf>());
                // One inside the other is reached by its depth alone.
                one == other || depth > 0 && other.starts_with(&one) || other_depth > 0 && one.starts_with(&other)
            }
            (Self::Polled(one), Self::Polled(other)) => {
                let place = |place: &PolledConfig| {
                    let path = place.path.trim_end_matches('/').to_owned();
                    (place.peer.host.to_lowercase(), place.peer.port, place.peer.user.clone(), path)
                };
                place(one) == place(other)
            }
            (Self::Watched(_), Self::Polled(_)) | (Self::Polled(_), Self::Watched(_)) => false,
        }
    }
}

/// Reads `kind` and what goes with it.
pub(super) fn read(section: &Section<'_>) -> Option<PlaceConfig> {
    match section.required("kind")?.as_str() {
        "watched" => {
            section.required("path");
            let (path, events) = (section.path("path"), section.flag("events", true));
            Some(PlaceConfig::Watched(WatchedConfig { path: path?, events }))
        }
        "polled" => polled(section).map(|place| PlaceConfig::Polled(Box::new(place))),
        _ => {
            section.fault("kind", "must be \"watched\" or \"polled\"");
            section.leave();
            None
        }
    }
}

fn polled(section: &Section<'_>) -> Option<PolledConfig> {
    let path = section.text("path").unwrap_or_default();
    Some(PolledConfig { peer: peer::read(section)?, path })
}
