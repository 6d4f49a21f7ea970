//! Whole documents judged as the pipeline judges them, and files in memory.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::PathBuf;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use sluse::formats;
use sluse::model::{
    Finding, FormatName, FormatRules, NewAttachment, NewItem, PartialAcceptance, ReceiptRules, RetryPolicy, Route,
    ServiceRow, ServiceTable,
};
use sluse::ports::Blob;
use sluse::validate::{Found, Judgement, Judging, Limits, judge};

/// What judging a document came to.
#[derive(Debug, PartialEq)]
pub(crate) struct Judged {
    /// Of the whole.
    pub(crate) judgement: Judgement,
    /// Its items.
    pub(crate) items: Vec<NewItem>,
    /// Attachments that stand behind them.
    pub(crate) attachments: Vec<NewAttachment>,
    /// What is wrong in it.
    pub(crate) findings: Vec<Finding>,
}

/// Judges a document by the routes of a directory.
pub(crate) fn judged(bytes: &[u8], routes: &[Route]) -> Judged {
    judged_by(bytes, &judging(bytes, routes), usize::MAX)
}

/// How [`judged`] judges.
pub(crate) fn judging<'a>(bytes: &[u8], routes: &'a [Route]) -> Judging<'a> {
    Judging { routes, partner: "ttd", shipment: "1", size_bytes: bytes.len() as u64, limits: Limits::default() }
}

/// Judges a document that is read in pieces of the given size.
pub(crate) fn judged_by(bytes: &[u8], judging: &Judging<'_>, piece: usize) -> Judged {
    judged_in(&mut Pieces { rest: bytes, sizes: vec![piece], next: 0 }, judging)
}

/// Judges what a reader gives.
pub(crate) fn judged_in(source: &mut dyn Read, judging: &Judging<'_>) -> Judged {
    let (mut items, mut attachments, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    let judgement = judge(source, judging, &mut |found| {
        match found {
            Found::Items(chunk) => {
                assert!((1..=1_024).contains(&chunk.len()));
                items.extend(chunk.into_rows());
            }
            Found::Attachments(chunk) => {
                assert!((1..=1_024).contains(&chunk.len()));
                attachments.extend(chunk);
            }
            Found::Findings(chunk) => {
                assert!((1..=1_024).contains(&chunk.len()));
                // Whoever keeps them may rely on the items being there.
                assert!(chunk.iter().all(|finding| finding.item.is_none_or(|item| item <= items.len() as u64)));
                findings.extend(chunk);
            }
        }
        Ok(())
    });
    Judged { judgement: judgement.unwrap(), items, attachments, findings }
}

/// A reader that gives pieces of the given sizes in turn.
pub(crate) struct Pieces<'a> {
    /// What has not been read.
    pub(crate) rest: &'a [u8],
    /// Sizes, used over and over.
    pub(crate) sizes: Vec<usize>,
    /// Which size comes next.
    pub(crate) next: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.next % self.sizes.len()].min(into.len()).min(self.rest.len());
        self.next += 1;
        let (piece, rest) = self.rest.split_at(size);
        into[..size].copy_from_slice(piece);
        self.rest = rest;
        Ok(size)
    }
}

/// A staged file in memory.
pub(crate) struct InMemory(pub(crate) Vec<u8>);

impl Blob for InMemory {
    fn size_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = self.0.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// The route the fixtures are written for: one sender, two services, one of them ignored.
pub(crate) fn prefill_route() -> Route {
    let row = ServiceRow {
        code: "MT0001".into(),
        edition: Some("12311".into()),
        app: None,
        message: None,
        transfer: None,
        schemas: Vec::new(),
    };
    let any_edition = ServiceRow {
        code: "MT0001".into(),
        edition: Some(String::new()),
        app: None,
        message: None,
        transfer: None,
        schemas: Vec::new(),
    };
    Route {
        name: "prefill".parse().unwrap(),
        partner: "ttd".parse().unwrap(),
        format: FormatName::Prefill,
        described: None,
        inbox: "inbox".into(),
        test: "test".into(),
        receipts: "receipts".into(),
        receipt_rules: ReceiptRules::default(),
        outbox: "outbox".into(),
        sender_name: Some("TTD".into()),
        max_file_bytes: 1 << 30,
        max_findings: 1_000,
        rules: FormatRules::default(),
        partial: PartialAcceptance::default(),
        services: ServiceTable { any: false, rows: vec![row, any_edition], ignored_codes: vec!["IGN0001".into()] },
        retry: RetryPolicy { first_wait_ms: 1, max_wait_ms: 1, give_up_after_ms: 1, settle_ms: 1 },
        concurrency: 1,
    }
}

/// Every fixture of a folder with its name, in order.
pub(crate) fn fixtures(folder: &str) -> Vec<(String, PathBuf)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let paths = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<(String, PathBuf)> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    found.sort();
    assert!(found.len() > 2, "{}: too few fixtures", dir.display());
    found
}

/// A judgement as a text to compare: the whole, then its items, then its findings.
pub(crate) fn rendered(judged: &Judged) -> String {
    let mut text = match judged.judgement.refusal {
        Some(code) => format!("refused {code}\n"),
        None => "passes\n".to_owned(),
    };
    for item in &judged.items {
        let kind = item.kind.as_str();
        let verdict = item.refused.map_or("ready".to_owned(), |code| format!("refused {code}"));
        let reference = item.senders_reference.chars().take(12).collect::<String>();
        writeln!(text, "item {} {kind} {}:{} {reference:?} {verdict}", item.number, item.line, item.column).unwrap();
    }
    for finding in &judged.findings {
        let place = finding.place.as_ref();
        let place = place.map_or("-".to_owned(), |place| format!("{}:{} {}", place.line, place.column, place.path));
        let item = finding.item.map_or(String::new(), |item| format!(" item {item}"));
        let rule = if finding.rule.is_empty() { String::new() } else { format!(" {}", finding.rule) };
        writeln!(text, "{} {place}{item}{rule}", finding.code).unwrap();
    }
    text
}

/// So many cases, the same ones every time.
pub(crate) fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig { rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// The format the fixtures are of.
pub(crate) fn prefill() -> &'static formats::Format {
    formats::FIRST
}
