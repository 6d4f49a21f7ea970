//! Judges a batch in one pass over its bytes: hash, well-formedness, schema, items, the format's rules, the route's.
//!
//! A finding is data: what is wrong inside an item refuses that item, what is wrong outside of items refuses the
//! shipment, and `Err` only means that we could not judge. Memory is a few pieces of the file and what is found in them;
//! nothing of the batch is kept. How the bytes arrive in pieces changes nothing of what is found. What needs other items or
//! other shipments (repeated references, the share of refused items) is not judged here but in the ledger.

mod archive;
mod around;
mod collector;
mod ending;
mod family;
mod forms;
mod grouping;
mod index;
mod item;
mod judge;
mod kinds;
mod place;
mod route;
mod source;
mod stages;

use std::io::{self, Read};

use crate::formats::{self, Detection, Format};
use crate::model::{Code, Envelope, Finding, FindingGroup, FormatName, NewAttachment, Route, RouteName};
use crate::ports::ReferenceUse;
use crate::xsd;

use judge::Judge;
use source::Source;

pub use archive::{is_archive, judge_archive};
pub use ending::{ReadThrough, read_through};
pub use index::{Items, Sight};
pub use kinds::code;

pub use crate::formats::broker::Rules as ArchiveRules;

/// By which rules to judge.
#[derive(Debug, Clone)]
pub struct Judging<'a> {
    /// The routes of this partner and directory. None at all means no rules but the format's.
    pub routes: &'a [Route],
    /// Whose file it is.
    pub partner: &'a str,
    /// Its shipment's id: the same whenever it is judged.
    pub shipment: &'a str,
    /// Size of the file; 0 while it is still arriving.
    pub size_bytes: u64,
    /// What a file may ask of us.
    pub limits: Limits,
}

/// What a file may ask of us.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Of the tokenizer and the validator.
    pub xml: xsd::Limits,
    /// Findings kept; all are counted.
    pub max_findings: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { xml: xsd::Limits::default(), max_findings: 1_000 }
    }
}

/// What judging hands over as it goes on; never more than 1,024 at once, items before the findings about them.
#[derive(Debug)]
pub enum Found {
    /// Items, in document order.
    Items(Items),
    /// Attachments that stand behind all items, in document order.
    Attachments(Vec<NewAttachment>),
    /// Findings, in document order.
    Findings(Vec<Finding>),
}

/// What is said of a batch as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Why the shipment is refused as a whole; `None` when its good items may go on.
    pub refusal: Option<Code>,
    /// The format, when the root was recognised.
    pub format: Option<FormatName>,
    /// The route that takes it.
    pub route: Option<RouteName>,
    /// SHA-256 of the file; `None` when it was not read to its end.
    pub sha256: Option<[u8; 32]>,
    /// Where its headers lie, when the root was recognised.
    pub envelope: Option<Envelope>,
    /// The shipment references it uses.
    pub references: Vec<ReferenceUse>,
    /// Findings seen, also those past the limit of what is kept.
    pub findings_total: u64,
    /// The findings, equal ones together; their sum is less than the total where there are very many kinds.
    pub groups: Vec<FindingGroup>,
    /// Items seen.
    pub items_total: u64,
    /// Items refused; those the route ignores are not among them.
    pub items_refused: u64,
}

/// Why a batch could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The staged file could not be read; the same call may succeed later.
    #[error("the staged file cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// What was found could not be kept; the same call may succeed later.
    #[error("what was found cannot be kept: {0}")]
    NotKept(#[source] io::Error),
}

/// Who takes what is found.
type Keep<'a> = dyn FnMut(Found) -> io::Result<()> + 'a;

/// Judges a batch. Reads `source` once, to its end, and hands items and findings to `keep` on the way.
pub fn judge(
    source: &mut dyn Read,
    judging: &Judging<'_>,
    keep: &mut dyn FnMut(Found) -> io::Result<()>,
) -> Result<Judgement, JudgeError> {
    let mut counted = Counted { inner: source, bytes: 0 };
    let mut source = Source::new(&mut counted);
    let (head, format) = detect(&mut source, judging.routes)?;
    let mut judge = Judge::new(judging, format, &head);
    read_while(&mut source, &mut judge, keep, |source| !source.is_large())?;
    if source.is_large() {
        stages::share(&mut source, &mut judge, keep)?;
        read_while(&mut source, &mut judge, keep, |_| true)?;
    }
    let sha256 = source.sha256();
    judge.conclude(counted.bytes);
    judge.take_found().hand_over(keep).map_err(JudgeError::NotKept)?;
    Ok(judge.judgement(sha256))
}

/// Counts what is read: how large a file is that is still arriving, only its end tells.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Judges what is left, also of a file that is refused half-way: the receipt names the hash of all of it.
fn read_while(
    source: &mut Source<'_>,
    judge: &mut Judge<'_>,
    keep: &mut Keep<'_>,
    go_on: impl Fn(&Source<'_>) -> bool,
) -> Result<(), JudgeError> {
    while go_on(source) {
        judge.take_found().hand_over(keep).map_err(JudgeError::NotKept)?;
        let piece = source.read()?;
        if piece.is_empty() {
            break;
        }
        judge.see(piece);
    }
    Ok(())
}

/// Reads until the root's start tag tells the format; another root is judged as the first route's, which will say so.
fn detect(source: &mut Source<'_>, routes: &[Route]) -> Result<(Vec<u8>, &'static Format), JudgeError> {
    let described: Vec<_> = routes.iter().filter_map(|route| formats::described(route.described.as_deref()?)).collect();
    let mut head = Vec::new();
    while head.len() < HEAD_BYTES {
        let piece = source.read()?;
        if piece.is_empty() {
            break;
        }
        head.extend_from_slice(piece);
        match formats::detect(&head, &described) {
            Detection::Known(format) => return Ok((head, format)),
            Detection::Unknown => break,
            Detection::More => {}
        }
    }
    let of_routes = routes
        .iter()
        .find_map(|route| described.iter().copied().chain(formats::ALL).find(|format| format.is_of(route)));
    Ok((head, of_routes.unwrap_or(formats::FIRST)))
}

/// How far the root's start tag is looked for.
const HEAD_BYTES: usize = 64 * 1024;
