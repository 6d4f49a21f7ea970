//! Files that are expected: what came, where an expectation stands, and alarms.

use jiff::Timestamp;

use super::ShipmentId;

/// A file that may be the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Which shipment it is.
    pub shipment: ShipmentId,
    /// When it was claimed.
    pub at: Timestamp,
    /// Its size.
    pub size_bytes: u64,
    /// Items found in it; 0 until it is judged.
    pub items: u64,
    /// What became of it.
    pub judged: Judged,
}

/// What became of a file that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It is not judged yet.
    Not,
    /// It went on.
    Taken,
    /// It was refused as a whole.
    Refused,
}

/// How an expected file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileState {
    /// It has not come, and need not have.
    Waiting,
    /// One has come that is being judged: what was wrong before is so still, and nothing new is.
    InHand,
    /// It has not come, and its time is near.
    Soon,
    /// Its time is over.
    Late,
    /// It no longer counts for this time if it comes.
    Missing,
    /// One has come that is too small.
    Short,
    /// It has come.
    Arrived,
}

impl FileState {
    /// Its word in alarms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InHand => "being judged",
            Self::Soon => "soon due",
            Self::Late => "late",
            Self::Missing => "missing",
            Self::Short => "too small",
            Self::Arrived => "arrived",
        }
    }
}

/// How far an expectation has come: the time that is watched now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Files count that came after this.
    pub counts_from: Timestamp,
    /// When the file must be there.
    pub due: Timestamp,
    /// How the last time ended, where it ended badly and nothing has come since, and when that was due.
    pub behind: Option<(FileState, Timestamp)>,
}

/// A time that was watched to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// When the file had to be there.
    pub due: Timestamp,
    /// How it ended: arrived, missing or too small.
    pub standing: FileState,
    /// The file, where one came.
    pub arrival: Option<Arrival>,
}

/// What an earlier file was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastFile {
    /// Its size.
    pub size_bytes: u64,
    /// Items found in it.
    pub items: u64,
}

/// Something that somebody should know of until it is over. No personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// How bad it is, as a word.
    pub level: String,
    /// Which time it is about.
    pub due: Timestamp,
    /// What it is, in a sentence.
    pub text: String,
}

/// What setting an alarm changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmChange {
    /// It was so before.
    None,
    /// It is raised, or has become another.
    Raised,
    /// It is over.
    Cleared,
}
