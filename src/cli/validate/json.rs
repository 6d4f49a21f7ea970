//! The JSON lines.

use serde::Serialize;

use super::Answer;
use super::summary::Summary;
use crate::codes;
use crate::model::Finding;

/// A finding as JSON; `docs/validate.md` promises its shape.
#[derive(Serialize)]
pub(super) struct FindingLine<'a> {
    r#type: &'static str,
    file: &'a str,
    line: Option<u64>,
    column: Option<u64>,
    offset: Option<u64>,
    path: Option<&'a str>,
    item: Option<u64>,
    code: &'static str,
    rule: Option<&'a str>,
    text: String,
}

impl<'a> FindingLine<'a> {
    pub(super) fn new(file: &'a str, finding: &'a Finding) -> Self {
        let place = finding.place.as_ref();
        Self {
            r#type: "finding",
            file,
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            offset: place.map(|place| place.offset),
            path: place.map(|place| place.path.as_str()).filter(|path| !path.is_empty()),
            item: finding.item,
            code: finding.code.0,
            rule: Some(finding.rule.as_str()).filter(|rule| !rule.is_empty()),
            text: codes::explain(finding.code, &finding.text),
        }
    }
}

/// A file's end as JSON; `docs/validate.md` promises its shape.
#[derive(Serialize)]
pub(super) struct FileLine<'a> {
    r#type: &'static str,
    file: &'a str,
    status: &'static str,
    findings: Option<u64>,
    listed: u64,
    items: Option<u64>,
    refused: Option<u64>,
    refusal: Option<&'static str>,
    sha256: Option<String>,
    error: Option<&'a str>,
}

impl<'a> FileLine<'a> {
    pub(super) fn new(file: &'a str, summary: &Summary, listed: u64) -> Self {
        let batch = summary.batch.as_ref();
        Self {
            r#type: "file",
            file,
            status: summary.answer().word(),
            findings: Some(summary.findings),
            listed,
            items: batch.map(|batch| batch.items),
            refused: batch.map(|batch| batch.refused),
            refusal: batch.and_then(|batch| batch.refusal).map(|code| code.0),
            sha256: batch.and_then(|batch| batch.sha256).map(hex),
            error: None,
        }
    }

    pub(super) fn not_judged(file: &'a str, error: &'a str, listed: u64) -> Self {
        Self {
            r#type: "file",
            file,
            status: Answer::NotJudged.word(),
            findings: None,
            listed,
            items: None,
            refused: None,
            refusal: None,
            sha256: None,
            error: Some(error),
        }
    }
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
