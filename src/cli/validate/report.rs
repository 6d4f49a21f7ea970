//! What is printed: findings to standard output, summaries to standard error; as JSON all to standard output.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

use super::Answer;
use super::json::{FileLine, FindingLine};
use super::progress::Progress;
use super::summary::Summary;
use crate::codes;
use crate::model::{Finding, Place};

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Text,
    Json,
    /// Nothing but what cannot be used.
    Quiet,
}

impl Style {
    pub(super) fn of(json: bool, quiet: bool) -> Self {
        match (json, quiet) {
            (true, _) => Self::Json,
            (false, true) => Self::Quiet,
            (false, false) => Self::Text,
        }
    }
}

/// Prints what is found.
pub(super) struct Report<'p> {
    style: Style,
    max_findings: u64,
    out: BufWriter<Screen<'p>>,
    /// Somebody reads along.
    prompt: bool,
    progress: &'p Progress,
    /// The file at hand.
    name: String,
    listed: u64,
    /// When what was listed was last handed over.
    handed_over: Option<Instant>,
}

/// A reader that is no person waits so long at most for what has been found.
const WAIT: Duration = Duration::from_millis(100);

impl<'p> Report<'p> {
    pub(super) fn new(style: Style, max_findings: u64, progress: &'p Progress) -> Self {
        let stdout = io::stdout();
        let prompt = stdout.is_terminal();
        let out = BufWriter::new(Screen { stdout, progress });
        Self { style, max_findings, out, prompt, progress, name: String::new(), listed: 0, handed_over: None }
    }

    pub(super) fn progress(&self) -> &'p Progress {
        self.progress
    }

    /// Most findings to list of one file.
    pub(super) fn max_findings(&self) -> u64 {
        self.max_findings
    }

    /// Tells whether one more finding may be listed.
    pub(super) fn has_room(&self) -> bool {
        self.listed < self.max_findings
    }

    /// Begins with a file.
    pub(super) fn begin(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        self.listed = 0;
    }

    /// What is known of a file that was not finished.
    pub(super) fn so_far(&self) -> Answer {
        if self.listed > 0 { Answer::Invalid } else { Answer::Valid }
    }

    /// Lists a finding.
    pub(super) fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.listed += 1;
        match self.style {
            Style::Text => self.text_line(finding)?,
            Style::Json => json_line(&mut self.out, &FindingLine::new(&self.name, finding))?,
            Style::Quiet => {}
        }
        if self.prompt || self.handed_over.is_none_or(|last| last.elapsed() >= WAIT) {
            self.handed_over = Some(Instant::now());
            self.out.flush()?;
        }
        Ok(())
    }

    /// Tells whether something of the file was listed and nobody reads what is printed any more. As long as nothing was,
    /// the exit code has still to be found.
    pub(super) fn is_unheard(&self) -> bool {
        const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        if self.listed == 0 || self.style == Style::Quiet {
            return false;
        }
        let stdout = io::stdout();
        let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
        let answer = poll(&mut asked, Some(&NOW));
        let [asked] = asked;
        answer.is_ok() && asked.revents().intersects(PollFlags::ERR | PollFlags::HUP)
    }

    /// Ends with a file that was judged.
    pub(super) fn conclude(&mut self, summary: &Summary) -> io::Result<Answer> {
        match self.style {
            Style::Text => {
                self.out.flush()?;
                self.say(&summary.text(self.listed));
            }
            Style::Json => json_line(&mut self.out, &FileLine::new(&self.name, summary, self.listed))?,
            Style::Quiet => {}
        }
        self.out.flush()?;
        self.progress.clear();
        Ok(summary.answer())
    }

    /// Ends with a file that could not be judged.
    pub(super) fn give_up(&mut self, error: &anyhow::Error) -> io::Result<Answer> {
        let text = format!("{error:#}");
        if self.style == Style::Json {
            json_line(&mut self.out, &FileLine::not_judged(&self.name, &text, self.listed))?;
        }
        self.out.flush()?;
        self.say(&format!("cannot be judged: {text}"));
        Ok(Answer::NotJudged)
    }

    fn say(&self, text: &str) {
        self.progress.clear();
        eprintln!("{}: {text}", self.name);
    }

    fn text_line(&mut self, finding: &Finding) -> io::Result<()> {
        let mut line = format!("{}:", self.name);
        // Writing to a String cannot fail.
        if let Some(Place { line: row, column, .. }) = &finding.place {
            let _ = write!(line, "{row}:{column}:");
        }
        let _ = write!(line, " {}: {}", finding.code, codes::explain(finding.code, &finding.text));
        if !finding.rule.is_empty() {
            let _ = write!(line, " ({})", finding.rule);
        }
        writeln!(self.out, "{line}")
    }
}

fn json_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Standard output, which may be the terminal that the progress stands on.
struct Screen<'p> {
    stdout: Stdout,
    progress: &'p Progress,
}

impl Write for Screen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.progress.clear();
        self.stdout.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}
