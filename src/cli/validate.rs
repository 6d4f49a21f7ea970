//! `sluse validate`: judges batches by their format alone, without routes and without sending anything.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{self, BufWriter, Read, StdoutLock, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::codes;
use crate::model::{Code, Finding, FormatName, ItemKey, NewItem, Place};
use crate::validate::{Found, Judgement, Judging, Limits, judge};

/// Exit code when a batch is invalid.
const EXIT_INVALID: u8 = 1;
/// Exit code when a batch could not be judged.
const EXIT_NOT_JUDGED: u8 = 2;

/// What to judge.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 all valid, 1 one is invalid, 2 one could not be judged.")]
pub struct ValidateArgs {
    /// Format the files must be in
    #[arg(long, value_parser = super::generate::format, default_value = "prefill")]
    pub format: FormatName,
    /// Most findings listed per file; all are counted
    #[arg(long, default_value_t = 1_000)]
    pub max_findings: u64,
    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Valid,
    Invalid,
    NotJudged,
}

/// Judges each file: findings to standard output, one per line; a summary per file to standard error.
pub(super) fn run(args: &ValidateArgs) -> anyhow::Result<ExitCode> {
    let mut worst = Answer::Valid;
    for path in &args.files {
        worst = worst.max(file(path, args));
    }
    Ok(match worst {
        Answer::Valid => ExitCode::SUCCESS,
        Answer::Invalid => ExitCode::from(EXIT_INVALID),
        Answer::NotJudged => ExitCode::from(EXIT_NOT_JUDGED),
    })
}

fn file(path: &Path, args: &ValidateArgs) -> Answer {
    let name = path.display().to_string();
    let judged = open(path).map_err(anyhow::Error::from).and_then(|(mut source, size_bytes)| {
        let mut listing = Listing::new(&name, args.max_findings);
        let limits = Limits { max_findings: args.max_findings, ..Limits::default() };
        let judging = Judging { routes: &[], partner: "", size_bytes, limits };
        let judgement = judge(&mut source, &judging, &mut |found| listing.keep(found))?;
        listing.finish()?;
        Ok((judgement, listing.repeated))
    });
    match judged {
        Ok((judgement, repeated)) => conclude(&name, &judgement, repeated, args.format),
        Err(error) => {
            eprintln!("{name}: cannot be judged: {error}");
            Answer::NotJudged
        }
    }
}

/// The bytes and how many there are; of standard input nobody knows, and the number serves a route's limit only.
fn open(path: &Path) -> io::Result<(Box<dyn Read>, u64)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), 0));
    }
    let file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    Ok((Box::new(file), size_bytes))
}

fn conclude(name: &str, judgement: &Judgement, repeated: u64, format: FormatName) -> Answer {
    let (items, refused) = (judgement.items_total, judgement.items_refused + repeated);
    let findings = judgement.findings_total + repeated;
    let other_format = judgement.format.is_some_and(|found| found != format);
    if judgement.refusal.is_none() && findings == 0 && refused == 0 && !other_format {
        eprintln!("{name}: valid; items: {items}");
        return Answer::Valid;
    }
    let whole = judgement.refusal.map_or_else(String::new, |code| format!(", the whole is refused: {code}"));
    let form = if other_format { format!(", not in the format {}", format.as_str()) } else { String::new() };
    eprintln!("{name}: invalid; findings: {findings}, items: {items}, refused: {refused}{whole}{form}");
    Answer::Invalid
}

/// Prints findings in the order of the file, and watches for references that repeat.
struct Listing<'a> {
    name: &'a str,
    out: BufWriter<StdoutLock<'static>>,
    /// In the gateway the ledger finds repeated references; here the keys seen so far do.
    keys: HashSet<ItemKey>,
    repeated: u64,
    /// Repeated items that wait for the findings before them: items are handed over first.
    waiting: VecDeque<(u64, u64, u64)>,
    max_findings: u64,
}

impl<'a> Listing<'a> {
    fn new(name: &'a str, max_findings: u64) -> Self {
        let out = BufWriter::new(io::stdout().lock());
        Self { name, out, keys: HashSet::new(), repeated: 0, waiting: VecDeque::new(), max_findings }
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
        if self.repeated <= self.max_findings {
            self.waiting.push_back((item.line, item.column, item.number));
        }
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let at = finding.place.as_ref().map(|Place { line, column, .. }| (*line, *column));
        if let Some(before) = at {
            self.repeats(before)?;
        }
        self.line(at, finding.code, &finding.text)
    }

    /// Prints the repeated items that stand before a place.
    fn repeats(&mut self, before: (u64, u64)) -> io::Result<()> {
        while let Some((line, column, number)) =
            self.waiting.pop_front_if(|(line, column, _)| (*line, *column) < before)
        {
            self.line(Some((line, column)), codes::REPEATED_ITEM, &format!("item {number}"))?;
        }
        Ok(())
    }

    fn line(&mut self, at: Option<(u64, u64)>, code: Code, text: &str) -> io::Result<()> {
        write!(self.out, "{}:", self.name)?;
        if let Some((line, column)) = at {
            write!(self.out, "{line}:{column}:")?;
        }
        writeln!(self.out, " {code}: {}", codes::explain(code, text))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.repeats((u64::MAX, u64::MAX))?;
        self.out.flush()
    }
}
