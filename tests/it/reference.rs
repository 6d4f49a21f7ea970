//! Our schemas against the published ones, where the reference folder is there.

mod mutants;
mod samples;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use sluse::xsd::{Files, Plan, SchemaLimits, differences};

use crate::needs::{has, reference};
use crate::schemas::{WRITTEN, Written, judged, plan};
use crate::support::judged::fixtures;

#[test]
fn our_schemas_differ_from_the_published_ones_as_listed_and_no_further() {
    let Some(reference) = reference() else { return };
    let mut compared = 0;
    for written in WRITTEN {
        for (published, listed) in written.published {
            let [ours, theirs] =
                [written.path(), published_at(&reference, published)].map(|path| path.display().to_string());
            let found = differences(&[ours.as_str()], &[theirs.as_str()], &Files, &SchemaLimits::default()).unwrap();
            let mut found: Vec<(String, &str)> =
                found.iter().map(|found| (below_the_root(&found.path), found.kind.as_str())).collect();
            found.sort();
            let mut listed: Vec<(String, &str)> =
                listed.iter().map(|(path, kind)| ((*path).to_owned(), *kind)).collect();
            listed.sort();
            assert_eq!(found, listed, "{} and {published}", written.name);
            compared += 1;
        }
    }
    let all = std::fs::read_dir(reference.join("altinn2/xsd")).unwrap().count();
    assert_eq!(compared, all, "a published schema is compared with none of ours");
}

#[test]
fn our_engine_says_the_same_by_our_schemas_and_by_the_published_ones() {
    let Some(reference) = reference() else { return };
    for written in WRITTEN {
        let Some(published) = newest(&reference, written) else { continue };
        let (ours, theirs) = (plan(&written.path()), plan(&published));
        let documents = documents(Some(&reference), written);
        let mut accepted = 0;
        for (name, document) in &documents {
            // All but the wording, in which global elements may come in another order.
            let said = |plan: &Plan| -> Vec<_> {
                judged(plan, document).into_iter().map(|found| (found.kind, found.rule, found.at, found.path)).collect()
            };
            let by_ours = said(&ours);
            assert_eq!(by_ours, said(&theirs), "{} by {}", name, published.display());
            accepted += usize::from(by_ours.is_empty());
        }
        // The documents must tell good from bad, or the comparison says nothing.
        let refused = documents.len() - accepted;
        assert!(accepted > 25 && refused > 100, "{}: {accepted} accepted, {refused} refused", written.name);
    }
}

#[test]
fn xmllint_says_the_same_by_our_schemas_and_by_the_published_ones() {
    if !has("xmllint") {
        return;
    }
    // Without the published schemas, and where there is none, our engine is still compared with xmllint.
    let reference = reference();
    for written in WRITTEN {
        let documents = documents(reference.as_deref(), written);
        let dir = tempfile::tempdir().unwrap();
        for (name, document) in &documents {
            std::fs::write(dir.path().join(name), document).unwrap();
        }
        let by_ours = xmllint(dir.path(), &written.path(), &documents);
        if let Some(published) = reference.as_deref().and_then(|reference| newest(reference, written)) {
            assert_eq!(by_ours, xmllint(dir.path(), &published, &documents), "{}", written.name);
        }
        let ours = plan(&written.path());
        let differ: Vec<&String> = documents
            .iter()
            .filter(|(name, document)| by_ours.get(*name) != Some(&judged(&ours, document).is_empty()))
            .map(|(name, _)| name)
            .filter(|name| !XMLLINT_DIFFERS.iter().any(|known| name.contains(known)))
            .collect();
        assert!(differ.is_empty(), "{}: xmllint and our engine differ on {differ:?}", written.name);
    }
}

/// Documents that xmllint judges otherwise.
const XMLLINT_DIFFERS: &[&str] = &[
    // It passes over characters that base64 does not have.
    "-AttachmentData-",
    "-Attachment-",
    "-Data-",
    "-EncryptedKey-",
    // It does not take the white space off a date.
    "white-space-around-values",
    // It does not take a plus sign before an unsigned number.
    "-DaysDelayed-value-22",
    // It takes any xsi:nil on elements that are not declared.
    "-p-attributes-5",
    "-b-attributes-5",
    // It reads it; we do not.
    "doctype",
];

fn published_at(reference: &Path, name: &str) -> PathBuf {
    reference.join(format!("altinn2/xsd/{name}.xsd"))
}

/// The published schema that ours is to agree with in full: the newest where there are several.
fn newest(reference: &Path, written: &Written) -> Option<PathBuf> {
    let (published, differences) = written.published.last()?;
    assert!(differences.is_empty(), "{}", written.name);
    Some(published_at(reference, published))
}

/// What follows the root element's name.
fn below_the_root(path: &str) -> String {
    let after_namespace = path.rsplit_once('}').map_or(path, |(_, rest)| rest).trim_start_matches('/');
    after_namespace.find('/').map_or(String::new(), |at| after_namespace[at..].to_owned())
}

/// Which of the documents xmllint accepts.
fn xmllint(dir: &Path, schema: &Path, documents: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, bool> {
    let names: Vec<&String> = documents.keys().collect();
    let mut verdicts: BTreeMap<String, bool> = documents.keys().map(|name| (name.clone(), false)).collect();
    for names in names.chunks(500) {
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(schema)
            .args(names)
            .current_dir(dir)
            .output()
            .unwrap();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            if let Some(name) = line.strip_suffix(" validates") {
                verdicts.insert(name.to_owned(), true);
            }
        }
    }
    assert!(verdicts.values().any(|accepted| *accepted), "xmllint accepted nothing");
    verdicts
}

/// Samples, fixtures, and mutants of the document that has everything.
fn documents(reference: Option<&Path>, written: &Written) -> BTreeMap<String, Vec<u8>> {
    let mut documents = BTreeMap::new();
    if written.name.starts_with("prefill/") {
        for folder in ["prefill/valid", "prefill/invalid"] {
            documents.extend(fixtures(folder).into_iter().map(|(name, path)| (name, std::fs::read(path).unwrap())));
        }
    }
    for (name, path) in reference.map(samples::files).unwrap_or_default() {
        documents.insert(format!("sample-{name}"), std::fs::read(path).unwrap());
    }
    let whole = written.whole();
    documents.insert("whole".to_owned(), whole.clone().into_bytes());
    documents.extend(mutants::of(&whole).into_iter().map(|(name, mutant)| (name, mutant.into_bytes())));
    documents
}
