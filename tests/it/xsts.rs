//! The W3C XML Schema Test Suite, where the reference folder has it.
//!
//! `cargo test --no-default-features --test it xsts` runs it without the gateway and prints the table.
//! `SLUSE_XSTS_LIST=file` writes every disagreement to a file; `SLUSE_XSTS_FILTER=words` runs only the groups whose
//! set or name holds one of the words, and then judges nothing by the whole.

mod archive;
mod hints;
mod outcome;
mod report;
mod run;

use archive::Archive;
use report::Report;

/// Where the differences that remain are written down, with their reasons.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/xsd-conformance.md");

#[test]
fn xsts_agrees_but_for_the_differences_written_down() {
    let Some(archive) = Archive::open() else { return };
    let filter = std::env::var("SLUSE_XSTS_FILTER").ok();
    let groups = archive.groups(filter.as_deref());
    let outcomes = run::run(&archive, &groups);
    let report = Report::new(&groups, &outcomes);
    eprintln!("{report}");
    if let Some(list) = std::env::var_os("SLUSE_XSTS_LIST") {
        std::fs::write(list, report.list()).expect("the list is written");
    }
    if filter.is_some() {
        return;
    }
    report.check(&std::fs::read_to_string(DOCUMENT).expect("the document is part of the repository"));
}
