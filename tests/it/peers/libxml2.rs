//! libxml2, through xmllint: many documents in one run.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::Opinion;
use crate::needs::has;

/// xmllint with a folder to put documents in.
pub(crate) struct Libxml2 {
    folder: TempDir,
}

/// Documents of one run.
const RUN: usize = 400;

impl Libxml2 {
    /// Finds it, unless it is not here.
    pub(crate) fn find() -> Option<Self> {
        has("xmllint").then(|| Self { folder: tempfile::tempdir().expect("a temporary folder") })
    }

    /// Judges documents by a schema; [`Opinion::Refused`] for all when it refuses the schema.
    pub(crate) fn documents(&self, schema: &[u8], documents: &[Vec<u8>]) -> Vec<Opinion> {
        std::fs::write(self.folder.path().join("schema.xsd"), schema).expect("it is written");
        self.run(&["--stream", "--schema", "schema.xsd"], documents)
    }

    /// Parses documents, with namespaces and without a schema.
    pub(crate) fn well_formed(&self, documents: &[Vec<u8>]) -> Vec<Opinion> {
        self.run(&["--stream"], documents)
    }

    fn run(&self, options: &[&str], documents: &[Vec<u8>]) -> Vec<Opinion> {
        let names: Vec<String> = (0..documents.len()).map(|number| format!("{number}.xml")).collect();
        for (name, document) in names.iter().zip(documents) {
            std::fs::write(self.folder.path().join(name), document).expect("it is written");
        }
        names.chunks(RUN).flat_map(|names| run(self.folder.path(), options, names)).collect()
    }
}

fn run(folder: &Path, options: &[&str], names: &[String]) -> Vec<Opinion> {
    let mut command = Command::new("xmllint");
    let output = command.args(["--noout", "--nonet"]).args(options).args(names).current_dir(folder).output();
    let output = output.expect("xmllint runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let refused = said.contains("WXS schema schema.xsd failed to compile");
    let mut opinions = vec![Opinion::Accepted; names.len()];
    for line in said.lines() {
        if refused {
            opinions.fill(Opinion::Refused(line.to_owned()));
            break;
        }
        hear(line, names, &mut opinions);
    }
    opinions
}

/// A line such as `17.xml:3: parser error : …`, `17.xml:3: element v: Schemas validity error : …` or `17.xml : failed to parse`.
fn hear(line: &str, names: &[String], opinions: &mut [Opinion]) {
    let Some((name, rest)) = line.split_once(".xml") else { return };
    let Some(index) = names.iter().position(|other| other.strip_suffix(".xml") == Some(name)) else { return };
    let opinion = &mut opinions[index];
    let number =
        rest.strip_prefix(':').and_then(|rest| rest.split_once(':')).and_then(|(number, _)| number.parse().ok());
    let is_of_schema = rest.contains("Schemas validity error");
    let is_of_xml =
        ["parser error", "namespace error", "encoding error", "failed to parse"].iter().any(|sign| rest.contains(sign));
    match opinion {
        Opinion::Accepted if is_of_schema => {
            *opinion = Opinion::Invalid(BTreeSet::from_iter(number), rest.to_owned());
        }
        Opinion::Invalid(lines, _) if is_of_schema => lines.extend(number),
        Opinion::Accepted | Opinion::Invalid(..) if is_of_xml => {
            *opinion = Opinion::Refused(rest.to_owned());
        }
        Opinion::Accepted | Opinion::Invalid(..) | Opinion::Refused(_) => {}
    }
}
