//! Broker ZIPs (formidling): an archive with manifest.xml, recipients.xml and whatever else the parties agreed on.
//!
//! The archive is judged as an archive: one certain end, a directory that agrees with the entries, entries that share no
//! byte and leave none, names that can be unpacked anywhere, sizes within limits. The two control files are unpacked and
//! judged by their schemas; each recipient is an item. Other content is not looked into, but for the files whose
//! checksums the manifest gives.
//!
//! Nothing is unpacked to disk or kept in memory. What grows with the archive is sixteen bytes for each entry's name and
//! what the manifest lists, both up to a limit. How the file is read in pieces changes nothing of what is found.

mod addressee;
mod checksum;
mod delivery;
mod document;
mod end;
mod entry;
mod extents;
mod limits;
mod listed;
mod manifest;
mod name;
mod nesting;
mod parcel;
mod recipients;
mod report;
mod sent;
mod survey;
mod unpack;
mod window;

use std::io;

use aws_lc_rs::digest;
use jiff::civil::Date;

use crate::codes;
use crate::model::{Code, Finding, NewItem, Rights, Route, RouteName, TransferContent, TransferTarget};
use crate::ports::Blob;
use crate::xsd;

pub use delivery::{Delivery, Pieces, for_recipient};
pub use limits::Limits;
pub use manifest::{Manifest, Property};
pub use parcel::{Parcel, parcel, payload_name};
pub use recipients::party;
pub use unpack::{UnpackError, Unpacker};

pub use crate::model::{ArchiveContents as Contents, ArchiveMember as Member};

use report::{Report, Stop};
use window::Window;

/// Tells whether an archive has an end, which says where its directory lies.
pub fn has_end(blob: &dyn Blob) -> io::Result<bool> {
    let window = Window::new(blob);
    match end::find(&window) {
        Ok(_) => Ok(true),
        Err(Stop::Refused(codes::ZIP_HIDDEN_BYTES, _)) => end::is_whole(&window),
        Err(Stop::Refused(code, _)) => Ok(code != codes::ZIP_DAMAGED && code != codes::NOT_ZIP),
        Err(Stop::Unreadable(error) | Stop::NotKept(error)) => Err(error),
    }
}

/// By which rules to judge.
#[derive(Debug, Clone)]
pub struct Judging<'a> {
    /// Whose file it is.
    pub partner: &'a str,
    /// The broker routes of this partner and directory. None at all means no rules but the format's.
    pub routes: &'a [Route],
    /// What an archive may ask of us.
    pub limits: Limits,
    /// What its XML may ask of us.
    pub xml: xsd::Limits,
    /// Findings kept; all are counted.
    pub max_findings: u64,
    /// What becomes of a checksum that cannot be checked.
    pub unknown_checksums: UnknownChecksums,
    /// The register of rights and the day on which they must hold; `None` when nobody keeps one.
    pub rights: Option<(&'a Rights, Date)>,
    /// The code of what the validator finds.
    pub code: fn(xsd::Kind) -> Code,
    /// The whole file is also hashed, which means that all of it is read.
    pub hash: bool,
}

/// What an operator settles for all broker ZIPs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// What an archive may ask of us.
    pub limits: Limits,
    /// What becomes of a checksum that cannot be checked.
    pub unknown_checksums: UnknownChecksums,
    /// Who may send and receive; `None` when nobody is asked.
    pub rights: Option<Rights>,
}

/// What becomes of a checksum in the manifest whose algorithm we cannot tell, or of a file we cannot unpack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownChecksums {
    /// It is told and refuses nothing.
    #[default]
    Tell,
    /// It refuses the shipment.
    Refuse,
}

/// What judging hands over as it goes on; never more than 1,024 at once, items before the findings about them.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// Recipients, in document order.
    Items(Vec<NewItem>),
    /// Findings, in the order they were found.
    Findings(Vec<Finding>),
    /// Findings past the limit of what is kept, for whoever counts equal ones.
    Unkept(Vec<Finding>),
}

/// What is said of a shipment as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerJudgement {
    /// Why the shipment is refused as a whole; `None` when its good recipients may get it.
    pub refusal: Option<Code>,
    /// The route that takes it.
    pub route: Option<RouteName>,
    /// SHA-256 of the file, if that was asked for.
    pub sha256: Option<[u8; 32]>,
    /// What the manifest says, when it could be read.
    pub manifest: Option<Manifest>,
    /// Where the control files lie, when both are there.
    pub contents: Option<Contents>,
    /// Findings seen, also those past the limit of what is kept.
    pub findings_total: u64,
    /// Recipients seen.
    pub items_total: u64,
    /// Recipients refused; those of a service that the route ignores are not among them.
    pub items_refused: u64,
}

/// Why a shipment could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The staged file could not be read; the same call may succeed later.
    #[error("the staged file cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// What was found could not be kept; the same call may succeed later.
    #[error("what was found cannot be kept: {0}")]
    NotKept(#[source] io::Error),
}

/// Judges a broker ZIP, and hands items and findings to `keep` on the way.
pub fn judge(
    blob: &dyn Blob,
    judging: &Judging<'_>,
    keep: &mut dyn FnMut(Found) -> io::Result<()>,
) -> Result<BrokerJudgement, JudgeError> {
    let mut report = Report::new(judging.max_findings, keep);
    let mut facts = Facts::default();
    let judged = whole(blob, judging, &mut report, &mut facts);
    report.settle(judged)?;
    let handed_over = report.hand_over();
    report.settle(handed_over)?;
    let sha256 = if judging.hash { Some(hash(blob)?) } else { None };
    let ignored = if facts.ignored { report.items_total } else { 0 };
    Ok(BrokerJudgement {
        refusal: report.refusal,
        route: facts.route.map(|route| route.name.clone()),
        sha256,
        manifest: facts.manifest,
        contents: facts.contents,
        findings_total: report.findings_total,
        items_total: report.items_total,
        items_refused: report.items_refused.saturating_sub(ignored),
    })
}

/// What is known of a shipment so far.
#[derive(Default)]
struct Facts<'a> {
    route: Option<&'a Route>,
    ignored: bool,
    manifest: Option<Manifest>,
    contents: Option<Contents>,
}

fn whole<'a>(
    blob: &dyn Blob,
    judging: &Judging<'a>,
    report: &mut Report<'_>,
    facts: &mut Facts<'a>,
) -> Result<(), Stop> {
    check_size(blob, judging)?;
    let window = Window::new(blob);
    let (archive, end) = survey::open(&window, &judging.limits)?;
    let survey = survey::survey(&archive, &end, &judging.limits, report)?;
    // What is no sound archive is not read any further.
    if report.refusal.is_some() {
        return Ok(());
    }
    let Some(contents) = contents(&survey, report)? else { return Ok(()) };
    facts.contents = Some(contents);
    let read = manifest::read(blob, &contents.manifest, judging, report)?;
    let Some((manifest, listed)) = read else { return Ok(()) };
    let manifest = facts.manifest.insert(manifest);
    listed::verify(&archive, listed, judging, report)?;
    facts.route = route_of(manifest, judging);
    facts.ignored = facts.route.is_some_and(|route| route.services.ignores(&manifest.service.code));
    by_route(manifest, facts.route, judging, report)?;
    by_rights(manifest, judging, report)?;
    let target = facts.route.and_then(|route| transfer(manifest, route)).filter(|_| !facts.ignored);
    if let Some(target) = target {
        by_target(manifest, &contents, target, report)?;
    }
    let reading = recipients::Rules { judging, manifest, ignored: facts.ignored, organisations: target.is_some() };
    recipients::read((blob, &contents.recipients), &reading, report)
}

fn check_size(blob: &dyn Blob, judging: &Judging<'_>) -> Result<(), Stop> {
    let size = blob.size_bytes();
    if size == 0 {
        return Err(Stop::Refused(codes::EMPTY_FILE, "the file has no bytes".to_owned()));
    }
    let largest = judging.routes.iter().map(|route| route.max_file_bytes).max();
    match largest.filter(|largest| size > *largest) {
        Some(largest) => {
            Err(Stop::Refused(codes::FILE_TOO_LARGE, format!("{size} bytes, and the route takes {largest}")))
        }
        None => Ok(()),
    }
}

fn contents(survey: &survey::Survey, report: &mut Report<'_>) -> Result<Option<Contents>, Stop> {
    if survey.manifest.is_none() {
        report.refuse(Finding::whole(codes::NO_MANIFEST, ""))?;
    }
    if survey.recipients.is_none() {
        report.refuse(Finding::whole(codes::NO_RECIPIENTS, ""))?;
    }
    let (Some(manifest), Some(recipients)) = (survey.manifest, survey.recipients) else { return Ok(None) };
    let payload = survey.payload.filter(|_| survey.others == 1);
    Ok(Some(Contents { entries: survey.entries, manifest, recipients, payload }))
}

fn route_of<'a>(manifest: &Manifest, judging: &Judging<'a>) -> Option<&'a Route> {
    let takes = |route: &&Route| route.sender_name.as_deref().is_none_or(|name| name == manifest.sender.expose());
    judging.routes.iter().find(takes)
}

fn by_route(
    manifest: &Manifest,
    route: Option<&Route>,
    judging: &Judging<'_>,
    report: &mut Report<'_>,
) -> Result<(), Stop> {
    let services = route.map(|route| &route.services);
    match services {
        None if judging.routes.is_empty() => Ok(()),
        None => report.refuse(Finding::whole(codes::WRONG_SENDER, "Reportee of the manifest")),
        Some(services) if services.ignores(&manifest.service.code) || services.takes(&manifest.service) => Ok(()),
        Some(_) => report.refuse(Finding::whole(codes::UNKNOWN_SERVICE, "")),
    }
}

fn by_rights(manifest: &Manifest, judging: &Judging<'_>, report: &mut Report<'_>) -> Result<(), Stop> {
    let Some((rights, today)) = judging.rights else { return Ok(()) };
    match rights.sender(&manifest.service, manifest.sender.expose(), today) {
        Ok(_) => Ok(()),
        Err(denied) => report.refuse(Finding::whole(recipients::code(denied), "")),
    }
}

/// Where the shipment's archives go as transfers of Altinn 3, if they do.
fn transfer<'a>(manifest: &Manifest, route: &'a Route) -> Option<&'a TransferTarget> {
    route.services.row(&manifest.service)?.transfer.as_ref()
}

/// What a transfer asks of the shipment as a whole.
fn by_target(
    manifest: &Manifest,
    contents: &Contents,
    target: &TransferTarget,
    report: &mut Report<'_>,
) -> Result<(), Stop> {
    if !TransferTarget::takes(&manifest.sender) {
        report.refuse(Finding::whole(codes::ORGANISATIONS_ONLY, "Reportee of the manifest"))?;
    }
    let properties = manifest.properties.iter().map(|property| (property.key.as_str(), property.value.as_str()));
    if let Some(misfit) = TransferTarget::misfit(properties) {
        report.refuse(Finding::whole(codes::PROPERTIES_DO_NOT_FIT, format!("PropertyList: {misfit}")))?;
    }
    if target.content == TransferContent::Payload && contents.payload.is_none() {
        report.refuse(Finding::whole(codes::NO_SINGLE_PAYLOAD, ""))?;
    }
    Ok(())
}

fn hash(blob: &dyn Blob) -> Result<[u8; 32], JudgeError> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut piece = vec![0; HASH_BYTES];
    let mut at = 0;
    loop {
        match blob.read_at(at, &mut piece) {
            Ok(0) => break,
            Ok(count) => {
                context.update(piece.get(..count).unwrap_or_default());
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(JudgeError::Unreadable(error)),
        }
    }
    Ok(context.finish().as_ref().first_chunk().copied().unwrap_or_default())
}

const HASH_BYTES: usize = 256 << 10;
