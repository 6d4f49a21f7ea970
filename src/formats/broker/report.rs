//! What is found while a shipment is judged, handed over as it comes.

use std::io;

use super::{Found, JudgeError};
use crate::model::{Code, Finding, NewItem};

/// Why judging ended before its time.
#[derive(Debug)]
pub(super) enum Stop {
    /// The staged file could not be read.
    Unreadable(io::Error),
    /// What was found could not be kept.
    NotKept(io::Error),
    /// Nothing more can be said of the shipment.
    Refused(Code, String),
}

/// Gathers findings and items, and hands them over in chunks.
pub(super) struct Report<'k> {
    keep: &'k mut dyn FnMut(Found) -> io::Result<()>,
    max_findings: u64,
    findings: Vec<Finding>,
    unkept: Vec<Finding>,
    items: Vec<NewItem>,
    /// Why the shipment is refused as a whole.
    pub(super) refusal: Option<Code>,
    pub(super) findings_total: u64,
    pub(super) items_total: u64,
    pub(super) items_refused: u64,
}

impl<'k> Report<'k> {
    pub(super) fn new(max_findings: u64, keep: &'k mut dyn FnMut(Found) -> io::Result<()>) -> Self {
        let (findings, unkept, items) = (Vec::new(), Vec::new(), Vec::new());
        let (findings_total, items_total, items_refused) = (0, 0, 0);
        Self { keep, max_findings, findings, unkept, items, refusal: None, findings_total, items_total, items_refused }
    }

    /// Refuses the shipment; the first reason is the one that counts.
    pub(super) fn refuse(&mut self, finding: Finding) -> Result<(), Stop> {
        // Why is told beyond the limit too.
        let is_why = self.refusal.is_none();
        self.refusal.get_or_insert(finding.code);
        self.record(finding, is_why)
    }

    /// Says something that refuses nothing.
    pub(super) fn note(&mut self, finding: Finding) -> Result<(), Stop> {
        self.record(finding, false)
    }

    fn record(&mut self, finding: Finding, must_show: bool) -> Result<(), Stop> {
        self.findings_total += 1;
        let is_kept = must_show || self.findings_total <= self.max_findings;
        let found = if is_kept { &mut self.findings } else { &mut self.unkept };
        found.push(finding);
        if found.len() < CHUNK { Ok(()) } else { self.hand_over() }
    }

    /// Adds an item with what is wrong in it.
    pub(super) fn item(&mut self, item: NewItem, findings: Vec<Finding>) -> Result<(), Stop> {
        self.items_total += 1;
        self.items_refused += u64::from(item.refused.is_some());
        self.items.push(item);
        if self.items.len() == CHUNK {
            self.hand_over()?;
        }
        findings.into_iter().try_for_each(|finding| self.note(finding))
    }

    /// Hands over what there is, items before the findings about them.
    pub(super) fn hand_over(&mut self) -> Result<(), Stop> {
        if !self.items.is_empty() {
            (self.keep)(Found::Items(std::mem::take(&mut self.items))).map_err(Stop::NotKept)?;
        }
        if !self.findings.is_empty() {
            (self.keep)(Found::Findings(std::mem::take(&mut self.findings))).map_err(Stop::NotKept)?;
        }
        if !self.unkept.is_empty() {
            (self.keep)(Found::Unkept(std::mem::take(&mut self.unkept))).map_err(Stop::NotKept)?;
        }
        Ok(())
    }

    /// Takes a refusal that ended a step for what it is; other reasons remain errors.
    pub(super) fn settle<T>(&mut self, step: Result<T, Stop>) -> Result<Option<T>, JudgeError> {
        let refused = match step {
            Ok(value) => return Ok(Some(value)),
            Err(Stop::Unreadable(error)) => return Err(JudgeError::Unreadable(error)),
            Err(Stop::NotKept(error)) => return Err(JudgeError::NotKept(error)),
            Err(Stop::Refused(code, text)) => self.refuse(Finding::whole(code, text)),
        };
        // Keeping it is all that can go wrong here.
        self.settle(refused)?;
        Ok(None)
    }
}

const CHUNK: usize = 1_024;
