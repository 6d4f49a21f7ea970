//! Judging by a format: the schema, the format's rules, and references that repeat.

use std::collections::{HashSet, VecDeque};
use std::io::{self, Read};

use super::Failure;
use super::report::Report;
use super::summary::{BatchSummary, Summary};
use crate::codes;
use crate::model::{Finding, FormatName, ItemKey, NewItem, Place};
use crate::validate::{Found, JudgeError, Judging, Limits, judge};

/// Judges a batch.
pub(super) fn judge_by(format: FormatName, bytes: &mut dyn Read, report: &mut Report<'_>) -> Result<Summary, Failure> {
    let limits = Limits { max_findings: report.max_findings(), ..Limits::default() };
    // The size serves a route's limit only.
    let judging = Judging { routes: &[], partner: "", size_bytes: 0, limits };
    let mut listing = Listing::new(report);
    let judgement = judge(bytes, &judging, &mut |found| listing.keep(found)).map_err(|error| match error {
        JudgeError::Unreadable(error) => Failure::Unusable(error.into()),
        JudgeError::NotKept(error) => Failure::Unheard(error),
    })?;
    listing.repeats((u64::MAX, u64::MAX)).map_err(Failure::Unheard)?;
    let repeated = listing.repeated;
    Ok(Summary {
        findings: judgement.findings_total + repeated,
        batch: Some(BatchSummary {
            items: judgement.items_total,
            refused: judgement.items_refused + repeated,
            refusal: judgement.refusal,
            other_format: judgement.format.is_some_and(|found| found != format).then(|| format.as_str()),
            sha256: judgement.sha256,
        }),
    })
}

/// Lists findings in the order of the file, and watches for references that repeat.
struct Listing<'a, 'p> {
    report: &'a mut Report<'p>,
    /// In the gateway the ledger finds repeated references; here the keys seen so far do.
    keys: HashSet<ItemKey>,
    repeated: u64,
    /// Repeated items that wait for the findings before them: items are handed over first.
    waiting: VecDeque<Finding>,
}

impl<'a, 'p> Listing<'a, 'p> {
    fn new(report: &'a mut Report<'p>) -> Self {
        Self { report, keys: HashSet::new(), repeated: 0, waiting: VecDeque::new() }
    }

    fn keep(&mut self, found: Found) -> io::Result<()> {
        match found {
            Found::Items(items) => {
                items.iter().for_each(|item| self.item(item));
                Ok(())
            }
            Found::Findings(findings) => findings.iter().try_for_each(|finding| self.finding(finding)),
        }
    }

    fn item(&mut self, item: &NewItem) {
        if item.refused.is_some() || self.keys.insert(item.key) {
            return;
        }
        self.repeated += 1;
        if self.repeated <= self.report.max_findings() {
            self.waiting.push_back(repeat(item));
        }
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        if let Some(place) = &finding.place {
            self.repeats((place.line, place.column))?;
        }
        self.report.finding(finding)
    }

    /// Lists the repeated items that stand before a place.
    fn repeats(&mut self, before: (u64, u64)) -> io::Result<()> {
        let stands_before =
            |finding: &mut Finding| finding.place.as_ref().is_some_and(|place| (place.line, place.column) < before);
        while let Some(finding) = self.waiting.pop_front_if(stands_before) {
            self.report.finding(&finding)?;
        }
        Ok(())
    }
}

fn repeat(item: &NewItem) -> Finding {
    let place = Place { line: item.line, column: item.column, offset: item.range.start, path: String::new() };
    Finding {
        place: Some(place),
        item: Some(item.number),
        ..Finding::whole(codes::REPEATED_ITEM, format!("item {}", item.number))
    }
}
