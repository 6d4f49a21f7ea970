//! `sluse validate`: judges files by a format or by any schema, without routes and without sending anything.

mod by_format;
mod by_schema;
mod fingerprint;
mod hints;
mod json;
mod member;
mod overflow;
mod progress;
mod repeats;
mod report;
mod source;
mod summary;
mod unpacking;

use std::io::{self, IsTerminal as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::schema;
use crate::model::FormatName;
use crate::xsd::{SchemaError, Sharing};
use by_schema::Schemas;
use progress::Progress;
use report::{Report, Style};
use source::Source;
use unpacking::UnpackLimits;

/// Exit code when a file is invalid.
const EXIT_INVALID: u8 = 1;

/// What to judge.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 all valid, 1 one is invalid, 2 a file or a schema cannot be used.")]
pub struct ValidateArgs {
    /// Judge by this schema (XSD 1.0) and what it includes and imports, instead of a format; several are one schema together
    #[arg(long, value_name = "A.xsd", conflicts_with = "format")]
    pub schema: Vec<PathBuf>,
    /// Also judge by the local schema files that a file's root tag names with xsi:schemaLocation
    #[arg(long, conflicts_with = "format")]
    pub schema_locations: bool,
    /// Format the files must be in [default: the one that each is in, by its root]
    #[arg(long, value_parser = super::generate::format)]
    pub format: Option<FormatName>,
    /// Most findings listed per file; all are counted
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub max_findings: u64,
    /// One JSON object per finding and per file
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
    /// Only the exit code tells; what cannot be used is still named on standard error
    #[arg(long, short)]
    pub quiet: bool,
    /// Largest size of a packed file when unpacked
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 30)]
    pub max_unpacked: u64,
    /// How many times larger than packed an unpacked file may be
    #[arg(long, value_name = "TIMES", default_value_t = 250)]
    pub max_ratio: u64,
    /// How many threads judge a plain file by a schema [default: one for each core]
    #[arg(long, value_name = "COUNT", conflicts_with = "format")]
    pub threads: Option<NonZeroUsize>,
    /// The files; `-` is standard input, `archive.zip!batch.xml` a member of an archive; gzip is recognised
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

/// Why a file has no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The file or its schema cannot be used; the next file may be.
    #[error("{0}")]
    Unusable(#[source] anyhow::Error),
    /// Nobody takes what is printed.
    #[error("standard output: {0}")]
    Unheard(#[source] io::Error),
}

/// By what files are judged.
enum Law {
    /// The format asked for; `None` for whichever a file is in.
    Format(Option<FormatName>),
    Schemas(Box<Schemas>),
}

/// Judges each file: findings to standard output, one per line; a summary per file to standard error.
pub(super) fn run(args: &ValidateArgs) -> anyhow::Result<ExitCode> {
    let mut law = match law(args) {
        Ok(law) => law,
        Err(error) => return Ok(schema::refuse(&error)),
    };
    let progress = Progress::new(!args.quiet && io::stderr().is_terminal());
    let style = Style::of(args.json, args.quiet);
    let mut report = Report::new(style, args.max_findings, &progress);
    let mut worst = Answer::Valid;
    for path in &args.files {
        match file(path, args, &mut law, &mut report) {
            Ok(answer) => worst = worst.max(answer),
            // A reader that has seen enough (`| head`) has also seen whether there was anything to find.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                worst = worst.max(report.so_far());
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(match worst {
        Answer::Valid => ExitCode::SUCCESS,
        Answer::Invalid => ExitCode::from(EXIT_INVALID),
        Answer::NotJudged => ExitCode::from(super::EXIT_UNUSABLE),
    })
}

fn law(args: &ValidateArgs) -> Result<Law, SchemaError> {
    if args.schema.is_empty() && !args.schema_locations {
        return Ok(Law::Format(args.format));
    }
    Ok(Law::Schemas(Box::new(Schemas::new(&args.schema, args.schema_locations, sharing(args))?)))
}

fn sharing(args: &ValidateArgs) -> Sharing {
    let mut sharing = Sharing::default();
    if let Some(threads) = args.threads {
        sharing.threads = threads.get();
    }
    sharing
}

fn file(path: &Path, args: &ValidateArgs, law: &mut Law, report: &mut Report<'_>) -> io::Result<Answer> {
    report.begin(&path.display().to_string());
    let limits = UnpackLimits { bytes: args.max_unpacked, ratio: args.max_ratio };
    let judged =
        Source::open(path, limits, report.progress()).map_err(Failure::Unusable).and_then(|mut source| match law {
            Law::Format(format) if *format == Some(FormatName::Broker) || format.is_none() && source.is_archive() => {
                by_format::judge_broker(&source.archive().map_err(Failure::Unusable)?, report)
            }
            Law::Format(format) => {
                by_format::judge_by(*format, &mut *source.bytes().map_err(Failure::Unusable)?, report)
            }
            Law::Schemas(schemas) => schemas.judge(path, &mut source, report),
        });
    match judged {
        Ok(summary) => report.conclude(&summary),
        Err(Failure::Unusable(error)) => report.give_up(&error),
        Err(Failure::Unheard(error)) => Err(error),
    }
}
