//! Judging by schemas: those of the call, and those the file's own root tag names when that is allowed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use super::Failure;
use super::hints;
use super::progress::Counted;
use super::report::Report;
use super::source::Source;
use super::summary::Summary;
use crate::cli::schema;
use crate::model::{Finding, Place};
use crate::validate;
use crate::xsd::{self, Limits, Observer, Plan, Position, Progress, SchemaError, Sharing, Validator};

/// The schemas of a call.
pub(super) struct Schemas {
    paths: Vec<PathBuf>,
    follow: bool,
    sharing: Sharing,
    /// The plan of the paths it was made from: files of one kind name the same ones.
    plan: Option<(Vec<PathBuf>, Arc<Plan>)>,
}

impl Schemas {
    /// Those of the call, compiled at once; hints are followed when a file has them.
    pub(super) fn new(paths: &[PathBuf], follow: bool, sharing: Sharing) -> Result<Self, SchemaError> {
        let mut schemas = Self { paths: paths.to_vec(), follow, sharing, plan: None };
        if !paths.is_empty() {
            schemas.plan(paths.to_vec())?;
        }
        Ok(schemas)
    }

    /// Judges a file: on all cores when it can be read from anywhere.
    pub(super) fn judge(
        &mut self,
        path: &Path,
        source: &mut Source<'_>,
        report: &mut Report<'_>,
    ) -> Result<Summary, Failure> {
        let unusable = |error: io::Error| Failure::Unusable(error.into());
        let file = source.plain_file().map_err(Failure::Unusable)?;
        let mut bytes = source.bytes().map_err(Failure::Unusable)?;
        let mut paths = self.paths.clone();
        if self.follow {
            let (head, hinted) = hints::of_root(&mut bytes, path).map_err(unusable)?;
            paths.extend(hinted);
            bytes = Box::new(io::Cursor::new(head).chain(bytes));
        }
        if paths.is_empty() {
            return Err(Failure::Unusable(anyhow!("its root tag names no local schema file")));
        }
        let plan = self.plan(paths).map_err(|error| Failure::Unusable(error.into()))?;
        match file {
            Some(file) => judge_by_all(&plan, &file, &self.sharing, report),
            None => judge_by(&plan, &mut *bytes, report),
        }
    }

    fn plan(&mut self, paths: Vec<PathBuf>) -> Result<Arc<Plan>, SchemaError> {
        if let Some((_, plan)) = self.plan.as_ref().filter(|(of, _)| *of == paths) {
            return Ok(Arc::clone(plan));
        }
        let schema = schema::load(&paths)?;
        let plan = Arc::new(Plan::new(Arc::new(schema), &[]).expect("no watch can be on a path that is not there"));
        self.plan = Some((paths, Arc::clone(&plan)));
        Ok(plan)
    }
}

fn judge_by(plan: &Plan, bytes: &mut dyn Read, report: &mut Report<'_>) -> Result<Summary, Failure> {
    let mut hearing = Hearing { report, findings: 0, unheard: None };
    let mut validator = Validator::new(plan, Limits::default());
    let mut buffer = vec![0; READ_BYTES];
    while !hearing.has_enough() {
        let count = match bytes.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Unusable(error.into())),
        };
        let (piece, _) = buffer.split_at(count.min(buffer.len()));
        if piece.is_empty() || validator.feed(piece, &mut hearing) == Progress::Stopped {
            break;
        }
    }
    validator.finish(&mut hearing);
    hearing.summary()
}

fn judge_by_all(
    plan: &Plan,
    file: &Counted<'_, File>,
    sharing: &Sharing,
    report: &mut Report<'_>,
) -> Result<Summary, Failure> {
    let mut hearing = Hearing { report, findings: 0, unheard: None };
    let judged = xsd::validate(plan, &Limits::default(), file, sharing, &mut hearing);
    judged.map_err(|error| Failure::Unusable(error.into()))?;
    hearing.summary()
}

/// Lists what is found.
struct Hearing<'a, 'p> {
    report: &'a mut Report<'p>,
    findings: u64,
    unheard: Option<io::Error>,
}

impl Hearing<'_, '_> {
    fn summary(self) -> Result<Summary, Failure> {
        match self.unheard {
            Some(error) => Err(Failure::Unheard(error)),
            None if self.report.is_unheard() => Err(Failure::Unheard(io::ErrorKind::BrokenPipe.into())),
            None => Ok(Summary { findings: self.findings, batch: None }),
        }
    }
}

impl Observer for Hearing<'_, '_> {
    fn finding(&mut self, finding: xsd::Finding) {
        self.findings += 1;
        if self.unheard.is_some() || !self.report.has_room() {
            return;
        }
        let Position { line, column, offset } = finding.at;
        let place = Some(Place { line, column, offset, path: finding.path });
        let code = validate::code(finding.kind);
        let found = Finding { code, place, item: None, rule: finding.rule.to_owned(), text: finding.text };
        self.unheard = self.report.finding(&found).err();
    }

    fn has_enough(&self) -> bool {
        self.unheard.is_some() || self.report.is_unheard()
    }
}

const READ_BYTES: usize = 256 << 10;
