//! The judge of one batch, shown it piece by piece.

use super::collector::{Collected, Collector};
use super::{Judgement, Judging, route};
use crate::codes;
use crate::formats::{Format, Forms};
use crate::model::{Code, Strictness};
use crate::xsd::{Progress, Validator};

/// Judges a batch.
pub(super) struct Judge<'a> {
    collector: Collector<'a>,
    /// None for a file that is refused unread.
    validator: Option<Validator<'static>>,
    progress: Progress,
}

impl<'a> Judge<'a> {
    /// A judge who has seen the file's first bytes.
    pub(super) fn new(judging: &'a Judging<'a>, format: &'static Format, head: &[u8]) -> Self {
        let mut collector = Collector::new(judging, format);
        let refused = refused_unread(judging, head);
        let judges_forms = judging.routes.iter().any(|route| route.rules.form_data != Strictness::Off);
        let plan = format.plan(if judges_forms { Forms::Judged } else { Forms::PassedBy });
        let validator = refused.is_none().then(|| Validator::new(plan, judging.limits.xml.clone()));
        if let Some((code, text)) = refused {
            collector.refuse_whole(code, text);
        }
        let mut judge = Self { collector, validator, progress: Progress::Continue };
        judge.see(head);
        judge
    }

    /// Judges the next bytes, as long as there is a point in it.
    pub(super) fn see(&mut self, piece: &[u8]) {
        if let Some(validator) = self.validator.as_mut().filter(|_| self.progress == Progress::Continue) {
            self.progress = validator.feed(piece, &mut self.collector);
        }
    }

    /// What has been found since the last call.
    pub(super) fn take_found(&mut self) -> Collected {
        self.collector.take_found()
    }

    /// Judges what only the end of the file can tell.
    pub(super) fn conclude(&mut self, size_bytes: u64) {
        if let Some(mut validator) = self.validator.take() {
            validator.finish(&mut self.collector);
            self.collector.conclude(size_bytes);
        }
    }

    /// What is said of the batch as a whole.
    pub(super) fn judgement(self, sha256: Option<[u8; 32]>) -> Judgement {
        self.collector.judgement(sha256)
    }
}

fn refused_unread(judging: &Judging<'_>, head: &[u8]) -> Option<(Code, String)> {
    if head.is_empty() {
        return Some((codes::EMPTY_FILE, "the file has no bytes".to_owned()));
    }
    // Several routes may share a directory: only what is too large for each of them need not be read.
    let largest = judging.routes.iter().map(|route| route.max_file_bytes).max()?;
    route::too_large(judging.size_bytes, largest)
}
