//! The validator: bytes in, watches and findings out.

use std::ops::Range;

use super::finding::Finding;
use super::judge::{Judge, Judging};
use super::plan::Plan;
use crate::xml::{self, Spot, Tokenizer};

/// Hears of a document. Who watches nothing needs to take findings only; a `Vec` keeps them.
pub trait Observer {
    /// An element begins whose beginning and end are watched; the place is that of the `<` of its start tag.
    fn open(&mut self, watch: usize, at: Spot<'_, '_>) {
        let _ = (watch, at);
    }

    /// Tells, of an element watched as [`Text`](super::WatchKind::Text) that has just begun, whether its text is wanted.
    fn hears(&mut self, watch: usize) -> bool {
        let _ = watch;
        false
    }

    /// A piece of a text that is wanted: references read and line ends settled, and no character cut.
    fn text(&mut self, watch: usize, piece: &[u8]) {
        let _ = (watch, piece);
    }

    /// The text of an element whose value is watched, when it ends: references read and line ends settled, but white space
    /// as it is; not complete when it is longer than the limit. The range is that of the raw content.
    fn value(&mut self, watch: usize, text: &str, complete: bool, content: Range<u64>, at: Spot<'_, '_>) {
        let _ = (watch, text, complete, content, at);
    }

    /// An element ends whose beginning and end are watched, past the `>` of its end tag; not sound when a finding lies
    /// inside.
    fn close(&mut self, watch: usize, end: u64, sound: bool) {
        let _ = (watch, end, sound);
    }

    /// Something is wrong.
    fn finding(&mut self, finding: Finding);

    /// Tells whether it wants to hear no more: [`validate`](super::validate) asks now and then, and goes no further.
    fn has_enough(&self) -> bool {
        false
    }
}

impl Observer for Vec<Finding> {
    fn finding(&mut self, finding: Finding) {
        self.push(finding);
    }
}

/// What a document may ask of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Those of XML.
    pub xml: xml::Limits,
    /// Bytes of a value that must be kept to be judged. Strings without patterns and listed values, base64 and hexadecimal
    /// are not kept, and of lists without those and without references one word.
    pub value_bytes: usize,
    /// Bytes of a watched value's text.
    pub watched_bytes: usize,
    /// Keys, references to them and whatever else identity constraints keep at once; beyond it they are no longer judged.
    pub identity_entries: usize,
    /// Steps along the paths of identity constraints, beside 64 for each byte of the document; beyond it they are no
    /// longer judged.
    pub identity_steps: u64,
    /// IDs, and references to those not seen yet; beyond it they are no longer judged.
    pub references: usize,
    /// Bytes of the paths of references that wait for their ends, once for IDs and once for keys; findings about
    /// what is beyond it tell the path of an element around the reference.
    pub path_bytes: usize,
    /// Findings to tell of; more are only counted.
    pub findings: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            xml: xml::Limits::default(),
            value_bytes: 1 << 20,
            watched_bytes: 4 << 10,
            identity_entries: 1_000_000,
            identity_steps: 10_000_000,
            references: 1_000_000,
            path_bytes: 16 << 20,
            findings: 1_000_000,
        }
    }
}

/// Whether there is a point in more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More bytes may follow.
    Continue,
    /// A fault of XML was found; later bytes are not looked at.
    Stopped,
}

/// How a document ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Nothing was found.
    pub sound: bool,
    /// The root element ended, and no fault of XML was found.
    pub complete: bool,
    /// How many findings there were.
    pub findings: u64,
}

/// Judges one document.
#[derive(Debug)]
pub struct Validator<'p> {
    pub(super) tokenizer: Tokenizer,
    pub(super) judge: Judge<'p>,
    pub(super) stopped: bool,
    pub(super) limits: Limits,
}

impl<'p> Validator<'p> {
    /// A validator of one document.
    pub fn new(plan: &'p Plan, limits: Limits) -> Self {
        let tokenizer = Tokenizer::new(limits.xml.clone(), &plan.schema.namespaces);
        Self { tokenizer, judge: Judge::new(plan, &limits), stopped: false, limits }
    }

    /// Takes the next bytes.
    pub fn feed<O: Observer>(&mut self, bytes: &[u8], observer: &mut O) -> Progress {
        if self.stopped {
            return Progress::Stopped;
        }
        let mut sink = Judging { judge: &mut self.judge, observer };
        if let Err(fault) = self.tokenizer.feed(bytes, &mut sink) {
            sink.fault(*fault);
            self.stopped = true;
            return Progress::Stopped;
        }
        Progress::Continue
    }

    /// Tells that no more bytes come.
    pub fn finish<O: Observer>(&mut self, observer: &mut O) -> End {
        if !self.stopped {
            let mut sink = Judging { judge: &mut self.judge, observer };
            if let Err(fault) = self.tokenizer.finish(&mut sink) {
                sink.fault(*fault);
                self.stopped = true;
            }
        }
        let findings = self.judge.findings;
        End { sound: findings == 0, complete: !self.stopped, findings }
    }
}
