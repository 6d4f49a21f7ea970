//! A file of somebody else's as looks at it have shown it.

use jiff::Timestamp;

/// A file that lies in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Where, relative to the source's root.
    pub path: String,
    /// Its size and time.
    pub stamp: Stamp,
    /// The first look that showed it with this size and time.
    pub first_look: u64,
    /// When that was, by our clock.
    pub since: Timestamp,
    /// What it waits for.
    pub waits: Wait,
    /// What came of trying to take it as it is.
    pub tried: Option<Tried>,
    /// The SHA-256 of the file that was taken from this place before and left there.
    pub taken: Option<[u8; 32]>,
}

/// A file's size and time, by which a change is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Its size.
    pub size_bytes: u64,
    /// When it was last changed, by the store's clock, to the microsecond.
    pub modified: Timestamp,
}

/// A take that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When.
    pub at: Timestamp,
    /// What was missing.
    pub waits: Wait,
    /// The checksum file as it was then.
    pub checksum_file: Option<Stamp>,
}

/// What a file in a source waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wait {
    /// Its turn.
    Turn,
    /// Nothing: it is taken, and left where it is.
    Taken,
    /// Nothing: it tells something of another file.
    Beside,
    /// To be the same at two looks.
    Change,
    /// To be old enough.
    Age,
    /// Its done-file.
    DoneFile,
    /// Its checksum file, or a line for it in there.
    Checksum,
    /// Its end: what was there breaks off.
    End,
    /// The bytes that its checksum is of.
    Match,
}

/// Which files of a source go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TakeOrder {
    /// By path.
    #[default]
    Name,
    /// The one that was changed longest ago.
    Age,
    /// The smallest.
    Size,
}

impl TakeOrder {
    /// Every order, with its word in the configuration.
    pub const ALL: [(&'static str, Self); 3] = [("name", Self::Name), ("age", Self::Age), ("size", Self::Size)];
}

impl Stamp {
    /// A stamp whose time is one that the ledger can keep.
    pub fn new(size_bytes: u64, modified: Timestamp) -> Self {
        let kept = Timestamp::from_microsecond(modified.as_microsecond()).unwrap_or(modified);
        Self { size_bytes, modified: kept }
    }
}

impl Wait {
    /// Why it is not taken, for operators.
    pub fn why(self) -> &'static str {
        match self {
            Self::Turn => "waits for its turn",
            Self::Taken => "is taken and left",
            Self::Beside => "belongs to another file",
            Self::Change => "not stable yet",
            Self::Age => "not old enough",
            Self::DoneFile => "no done-file",
            Self::Checksum => "no checksum",
            Self::End => "its end is missing",
            Self::Match => "its checksum is another",
        }
    }
}
