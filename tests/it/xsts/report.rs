//! Agreement in figures, and every disagreement by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::archive::{Expected, Group};
use super::outcome::{GroupOutcome, Outcome};

/// Agreement in percent that each figure must reach, what has been queried left out.
const LEAST: f64 = 99.5;

/// What a run says.
pub(super) struct Report {
    /// By contributor and what was asked.
    figures: BTreeMap<(String, &'static str), Figure>,
    disagreements: Vec<Disagreement>,
}

/// How many agree of how many.
#[derive(Default)]
struct Figure {
    agree: usize,
    all: usize,
    /// Those that do not, and have been queried.
    queried: usize,
}

struct Disagreement {
    /// `set/group`, and `/instance` where it is about one.
    case: String,
    document: String,
    expected: Expected,
    outcome: Outcome,
}

impl Report {
    pub(super) fn new(groups: &[Group], outcomes: &[GroupOutcome]) -> Self {
        let mut report = Self { figures: BTreeMap::new(), disagreements: Vec::new() };
        for (group, outcome) in groups.iter().zip(outcomes) {
            let case = format!("{}/{}", group.set, group.name);
            let documents = group.documents.join(" ");
            report.take(("schemas", case.clone()), &documents, (group.schema, group.queried), &outcome.schema);
            for (instance, outcome) in group.instances.iter().zip(&outcome.instances) {
                let case = format!("{case}/{}", instance.name);
                let expected = (instance.expected, instance.queried);
                report.take(("instances", case), &instance.document, expected, outcome);
            }
        }
        report
    }

    fn take(
        &mut self,
        (what, case): (&str, String),
        document: &str,
        (expected, queried): (Expected, bool),
        outcome: &Outcome,
    ) {
        let question = match (what, expected) {
            ("schemas", Expected::Valid) => "valid schemas accepted",
            ("schemas", Expected::Invalid) => "invalid schemas refused",
            (_, Expected::Valid) => "valid instances accepted",
            (_, Expected::Invalid) => "invalid instances refused",
            (_, Expected::Open) => "open cases without a panic",
        };
        let contributor = case.split("Meta").next().unwrap_or_default().to_owned();
        let figure = self.figures.entry((contributor, question)).or_default();
        figure.all += 1;
        if outcome.agrees(expected) {
            figure.agree += 1;
        } else {
            figure.queried += usize::from(queried);
            let (document, outcome) = (document.to_owned(), outcome.clone());
            self.disagreements.push(Disagreement { case, document, expected, outcome });
        }
    }

    /// Every disagreement on a line of its own.
    pub(super) fn list(&self) -> String {
        self.disagreements.iter().map(|disagreement| format!("{disagreement}\n")).collect()
    }

    /// Fails unless the figures are reached, and the document has them and exactly the differences that were found.
    pub(super) fn check(&self, document: &str) {
        for ((contributor, question), figure) in &self.figures {
            assert!(figure.unqueried() >= LEAST, "{contributor}: {question}: {:.2} %", figure.unqueried());
        }
        let known = known(document);
        let found: BTreeSet<&str> = self.disagreements.iter().map(|found| found.case.as_str()).collect();
        let news = self.disagreements.iter().filter(|found| !known.contains(found.case.as_str()));
        let news: String = news.map(|found| format!("{found}\n")).collect();
        assert!(news.is_empty(), "docs/xsd-conformance.md does not have\n{news}");
        let gone: Vec<_> = known.difference(&found).collect();
        assert!(gone.is_empty(), "docs/xsd-conformance.md has what is mended: {gone:?}");
        let table = self.to_string();
        assert!(document.contains(&table), "docs/xsd-conformance.md does not have the figures\n{table}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| part | question | agree | of | % | % without what is queried |\n|---|---|---:|---:|---:|---:|")?;
        self.figures.iter().try_for_each(|((contributor, question), figure)| {
            let Figure { agree, all, .. } = figure;
            let whole = percent(*agree, *all);
            writeln!(f, "| {contributor} | {question} | {agree} | {all} | {whole:.2} | {:.2} |", figure.unqueried())
        })
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, document, expected, outcome } = self;
        write!(f, "{case}\t{document}\texpected {expected:?}\t{outcome:?}")
    }
}

impl Figure {
    fn unqueried(&self) -> f64 {
        percent(self.agree, self.all - self.queried)
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// The differences that the document lists: the first column of its table of them, each with a reason in the last.
fn known(document: &str) -> BTreeSet<&str> {
    let section = document.split_once("## Remaining differences").map_or("", |(_, section)| section);
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.inspect(|(case, row)| {
        assert!(row.split('|').nth(3).is_some_and(|reason| reason.len() > 10), "{case} has no reason")
    })
    .map(|(case, _)| case)
    .collect()
}
