//! Agreement in figures, and every disagreement by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::archive::{Expected, Group};
use super::outcome::{GroupOutcome, Outcome};

/// Agreement in percent that each figure must reach.
const LEAST: f64 = 0.0;

/// What a run says.
pub(super) struct Report {
    /// By contributor and what was asked, how many agree of how many.
    figures: BTreeMap<(String, &'static str), (usize, usize)>,
    disagreements: Vec<Disagreement>,
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
            report.take(("schemas", case.clone()), &documents, group.schema, &outcome.schema);
            for (instance, outcome) in group.instances.iter().zip(&outcome.instances) {
                let case = format!("{case}/{}", instance.name);
                report.take(("instances", case), &instance.document, instance.expected, outcome);
            }
        }
        report
    }

    fn take(&mut self, (what, case): (&str, String), document: &str, expected: Expected, outcome: &Outcome) {
        let question = match (what, expected) {
            ("schemas", Expected::Valid) => "valid schemas accepted",
            ("schemas", Expected::Invalid) => "invalid schemas refused",
            (_, Expected::Valid) => "valid instances accepted",
            (_, Expected::Invalid) => "invalid instances refused",
            (_, Expected::Open) => "open cases without a panic",
        };
        let contributor = case.split("Meta").next().unwrap_or_default().to_owned();
        let (agree, all) = self.figures.entry((contributor, question)).or_default();
        *all += 1;
        if outcome.agrees(expected) {
            *agree += 1;
        } else {
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
        for ((contributor, question), (agree, all)) in &self.figures {
            assert!(percent(*agree, *all) >= LEAST, "{contributor}: {question}: {agree} of {all}");
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
        writeln!(f, "| part | question | agree | of | % |\n|---|---|---:|---:|---:|")?;
        self.figures.iter().try_for_each(|((contributor, question), (agree, all))| {
            writeln!(f, "| {contributor} | {question} | {agree} | {all} | {:.2} |", percent(*agree, *all))
        })
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, document, expected, outcome } = self;
        write!(f, "{case}\t{document}\texpected {expected:?}\t{outcome:?}")
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
