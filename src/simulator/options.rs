//! How the stand-in behaves.

use std::path::PathBuf;

use super::faults::FaultPlan;
use super::limits::LimitPlan;

/// How the stand-in behaves.
#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// The audience grants must name; its own address when `None`.
    pub audience: Option<String>,
    /// The key grants must be signed with, PEM; any signature is taken when `None`.
    pub public_key: Option<String>,
    /// Life of Maskinporten tokens.
    pub grant_lifetime_s: i64,
    /// Life of exchanged tokens.
    pub token_lifetime_s: i64,
    /// How far a grant's clock may be off.
    pub clock_tolerance_s: i64,
    /// The apps there are; empty lets every app be there.
    pub apps: Vec<SimulatedApp>,
    /// What goes wrong from the start.
    pub faults: FaultPlan,
    /// How much each client may ask; nothing is limited at first.
    pub limits: LimitPlan,
    /// The SOAP receiver answers FAILED_DO_NOT_RETRY to a key that it has, and not OK.
    pub refuse_known_batches: bool,
    /// Of how many instances all facts are kept; of earlier ones only what finds them by owner and key.
    pub keep: usize,
    /// A file with a line for every instance, read back at the start.
    pub journal: Option<PathBuf>,
    /// The resources there are for messages; empty lets every resource be there.
    pub resources: Vec<String>,
    /// Recipients who have reserved themselves against messages.
    pub reserved_recipients: Vec<String>,
    /// Recipients nobody knows.
    pub unknown_recipients: Vec<String>,
    /// Organisations that are sub-units.
    pub sub_units: Vec<String>,
    /// Keeps the latest requests, contents and all.
    pub record: bool,
    /// How long it takes until a message can be seen.
    pub publish_ms: u64,
    /// How long it takes to look for malware in an attachment.
    pub scan_ms: u64,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            audience: None,
            public_key: None,
            grant_lifetime_s: 119,
            token_lifetime_s: 1_800,
            clock_tolerance_s: 10,
            apps: Vec::new(),
            faults: FaultPlan::default(),
            limits: LimitPlan::default(),
            refuse_known_batches: false,
            keep: 20_000,
            journal: None,
            resources: Vec::new(),
            reserved_recipients: Vec::new(),
            unknown_recipients: Vec::new(),
            sub_units: Vec::new(),
            record: false,
            publish_ms: 0,
            scan_ms: 0,
        }
    }
}

/// An app of the stand-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimulatedApp {
    /// Its owner.
    pub org: String,
    /// Its name.
    pub app: String,
    /// The data types it takes; empty takes all.
    pub data_types: Vec<String>,
    /// The kinds of party it takes, as its metadata name them: `person`, `organisation`, `subUnit`, `bankruptcyEstate`;
    /// empty takes all.
    pub party_types: Vec<String>,
}
