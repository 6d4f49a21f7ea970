//! The suite as it lies in its archive: an index of groups, and the documents they name.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::needs::{reference, tell_skipped};

/// The archive, unpacked for as long as this lives.
pub(super) struct Archive {
    folder: TempDir,
}

/// A schema and the documents to judge by it.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) set: String,
    pub(super) name: String,
    /// The schema documents, by their path in the archive; they are one schema together.
    pub(super) documents: Vec<String>,
    pub(super) schema: Expected,
    /// The schema's outcome has been queried by somebody.
    pub(super) queried: bool,
    pub(super) instances: Vec<Instance>,
}

/// A document to judge.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) document: String,
    pub(super) expected: Expected,
    /// The outcome has been queried by somebody.
    pub(super) queried: bool,
}

/// What the suite says of a schema or a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Valid,
    Invalid,
    /// Nothing that binds us: it depends on what a processor chooses, or on the version.
    Open,
}

impl Archive {
    /// The archive, unless there is none here.
    pub(super) fn open() -> Option<Self> {
        let packed = reference()?.join("xsts.tar.gz");
        if !packed.is_file() {
            tell_skipped("the folder of reference files has no xsts.tar.gz");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let unpacked = Command::new("tar").arg("-xzf").arg(&packed).arg("-C").arg(folder.path()).status();
        assert!(unpacked.is_ok_and(|status| status.success()), "{} cannot be unpacked", packed.display());
        Some(Self { folder })
    }

    /// The folder that the paths of documents begin at.
    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn read(&self, document: &str) -> Vec<u8> {
        let path = self.root().join(document);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The groups in the order of the index, or those that the words of a filter choose.
    pub(super) fn groups(&self, filter: Option<&str>) -> Vec<Group> {
        let index: Value = serde_json::from_slice(&self.read("index.json")).expect("the index is JSON");
        let groups = array(&index).iter().map(group);
        groups.filter(|group| filter.is_none_or(|words| group.is_chosen(words))).collect()
    }
}

impl Group {
    fn is_chosen(&self, words: &str) -> bool {
        let name = format!("{}/{}", self.set, self.name);
        words.split_whitespace().any(|word| name.contains(word))
    }
}

fn group(value: &Value) -> Group {
    let schema = &value["schema"];
    let documents = schema["documents"].as_array().into_iter().flatten();
    let instances = array(&value["instances"]).iter().map(|instance| Instance {
        name: text(&instance["name"]),
        document: text(&instance["document"]),
        expected: expected(&instance["expected"]),
        queried: queried(&instance["status"]),
    });
    Group {
        set: text(&value["set"]),
        name: text(&value["group"]),
        documents: documents.map(text).collect(),
        schema: expected(&schema["expected"]),
        queried: queried(&schema["status"]),
        instances: instances.collect(),
    }
}

fn expected(value: &Value) -> Expected {
    match value.as_str() {
        Some("valid") => Expected::Valid,
        Some("invalid") => Expected::Invalid,
        _ => Expected::Open,
    }
}

fn queried(status: &Value) -> bool {
    status.as_str().is_some_and(|status| status == "queried" || status.starts_with("disputed"))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("the index holds an array here")
}

fn text(value: &Value) -> String {
    value.as_str().expect("the index holds a string here").to_owned()
}
