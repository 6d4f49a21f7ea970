//! What a look at a source shows: which files are taken, when each is ready, and where it goes afterwards.
//!
//! Everything here is computed from names, sizes and times that somebody else's server tells, and none of them is
//! believed: a name that leads elsewhere is no name, a time in the future is no age, and a file that looks ready is only
//! tried. No I/O and no clock.

mod after;
mod beside;
mod checksum_file;
mod name;
mod pattern;
mod readiness;
mod rules;

pub use after::{After, BadDir, DatedDir};
pub use beside::{BadBeside, Beside};
pub use checksum_file::{Checksum, Digests, find as find_checksum};
pub use name::{inbox_name, is_within, numbered};
pub use pattern::{BadPattern, Pattern};
pub use readiness::{Moment, Readiness};
pub use rules::{Kind, OwnBeside, Rules};
