//! Judging by a format: the schema, the format's rules, and references that repeat.

use std::collections::VecDeque;
use std::io::{self, Read};

use jiff::civil::Date;

use super::Failure;
use super::repeats::{Repeats, Stand};
use super::report::Report;
use super::summary::{BatchSummary, Summary};
use crate::codes;
use crate::model::{Finding, FormatName, Place};
use crate::ports::Blob;
use crate::validate::{ArchiveRules, Found, Items, JudgeError, Judgement, Judging, Limits, judge, judge_archive};

/// Judges a batch.
pub(super) fn judge_by(
    format: Option<FormatName>,
    bytes: &mut dyn Read,
    report: &mut Report<'_>,
) -> Result<Summary, Failure> {
    judge_with(format, report, |judging, keep| judge(bytes, judging, keep))
}

/// Judges a broker ZIP, as if nobody kept a register of rights.
pub(super) fn judge_broker(archive: &dyn Blob, report: &mut Report<'_>) -> Result<Summary, Failure> {
    let rules = ArchiveRules::default();
    judge_with(Some(FormatName::Broker), report, |judging, keep| {
        judge_archive(archive, judging, (&rules, Date::default()), keep)
    })
}

type Keep<'k> = dyn FnMut(Found) -> io::Result<()> + 'k;

fn judge_with(
    format: Option<FormatName>,
    report: &mut Report<'_>,
    judge: impl FnOnce(&Judging<'_>, &mut Keep<'_>) -> Result<Judgement, JudgeError>,
) -> Result<Summary, Failure> {
    let limits = Limits { max_findings: report.max_findings(), ..Limits::default() };
    // The size serves a route's limit only.
    let judging = Judging { routes: &[], partner: "", shipment: "", size_bytes: 0, limits };
    let mut listing = Listing::new(report);
    let judgement = judge(&judging, &mut |found| listing.keep(found)).map_err(|error| match error {
        JudgeError::Unreadable(error) => Failure::Unusable(error.into()),
        JudgeError::NotKept(error) => listing.failure(error),
    })?;
    let repeated = listing.finish()?;
    Ok(Summary {
        findings: judgement.findings_total + repeated,
        batch: Some(BatchSummary {
            items: judgement.items_total,
            refused: judgement.items_refused + repeated,
            refusal: judgement.refusal,
            other_format: format
                .filter(|asked| judgement.format.is_some_and(|found| found != *asked))
                .map(FormatName::as_str),
            sha256: judgement.sha256,
        }),
    })
}

/// Lists findings in the order of the file, and watches for references that repeat: in the gateway the ledger does.
struct Listing<'a, 'p> {
    report: &'a mut Report<'p>,
    repeats: Repeats,
    repeated: u64,
    /// Repeated items that wait for the findings before them: items are handed over first.
    waiting: VecDeque<Finding>,
    /// Repeats could not be looked for.
    is_lost: bool,
}

impl<'a, 'p> Listing<'a, 'p> {
    fn new(report: &'a mut Report<'p>) -> Self {
        Self { report, repeats: Repeats::new(), repeated: 0, waiting: VecDeque::new(), is_lost: false }
    }

    fn keep(&mut self, found: Found) -> io::Result<()> {
        if self.report.is_unheard() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        match found {
            Found::Items(items) => self.items(&items),
            // Which items they belong to is for the ledger to tell.
            Found::Attachments(_) => Ok(()),
            Found::Findings(findings) => findings.iter().try_for_each(|finding| self.finding(finding)),
        }
    }

    fn items(&mut self, items: &Items) -> io::Result<()> {
        let Self { report, repeats, repeated, waiting, .. } = self;
        let seen = repeats.see(items, |stand| {
            *repeated += 1;
            if *repeated <= report.max_findings() {
                waiting.push_back(repeat(stand));
            }
        });
        seen.inspect_err(|_| self.is_lost = true)
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        if let Some(place) = &finding.place {
            self.list_repeats((place.line, place.column))?;
        }
        self.report.finding(finding)
    }

    /// Lists the repeated items that stand before a place.
    fn list_repeats(&mut self, before: (u64, u64)) -> io::Result<()> {
        let stands_before =
            |finding: &mut Finding| finding.place.as_ref().is_some_and(|place| (place.line, place.column) < before);
        while let Some(finding) = self.waiting.pop_front_if(stands_before) {
            self.report.finding(&finding)?;
        }
        Ok(())
    }

    /// Lists what is left; how many items repeat others.
    fn finish(mut self) -> Result<u64, Failure> {
        self.list_repeats((u64::MAX, u64::MAX)).map_err(Failure::Unheard)?;
        let room = self.report.max_findings().saturating_sub(self.repeated);
        let late = self.repeats.late(usize::try_from(room).unwrap_or(usize::MAX)).map_err(lost)?;
        for stand in late.first {
            self.report.finding(&repeat(stand)).map_err(Failure::Unheard)?;
        }
        Ok(self.repeated + late.count)
    }

    fn failure(&self, error: io::Error) -> Failure {
        if self.is_lost { lost(error) } else { Failure::Unheard(error) }
    }
}

fn lost(error: io::Error) -> Failure {
    Failure::Unusable(anyhow::Error::from(error).context("repeated items cannot be looked for in a temporary file"))
}

fn repeat(stand: Stand) -> Finding {
    let Stand { number, line, column, offset } = stand;
    let place = Some(Place { line, column, offset, path: String::new() });
    Finding { place, item: Some(number), ..Finding::whole(codes::REPEATED_ITEM, format!("item {number}")) }
}
