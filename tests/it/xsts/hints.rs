//! Where a document says its schemas are: `xsi:schemaLocation` and `xsi:noNamespaceSchemaLocation`.

use std::path::Path;

use super::archive::{Archive, Group, Instance};

/// The schema documents that an instance names for namespaces the group's own documents are not of, by their paths.
///
/// The suite leaves it to processors whether they follow these; some of its groups make sense only if they do.
pub(super) fn of(archive: &Archive, group: &Group, instance: &Instance) -> Vec<String> {
    let text = |document: &str| String::from_utf8_lossy(&archive.read(document)).into_owned();
    let targets: Vec<String> = group.documents.iter().map(|document| target(&text(document))).collect();
    let document = text(&instance.document);
    let folder = Path::new(&instance.document).parent().unwrap_or(Path::new(""));
    let path = |location: &str| archive.root().join(folder).join(location);
    let new = hints(&document).into_iter().filter(|(namespace, _)| !targets.contains(namespace));
    new.map(|(_, location)| path(&location)).filter(|path| path.is_file()).map(shown).collect()
}

fn shown(path: std::path::PathBuf) -> String {
    path.to_string_lossy().into_owned()
}

fn target(schema: &str) -> String {
    values(schema, "targetNamespace").next().unwrap_or_default().to_owned()
}

/// Pairs of a namespace and a location.
fn hints(document: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = values(document, ":schemaLocation").flat_map(str::split_whitespace).collect();
    let with_namespace = words.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
    let without = values(document, ":noNamespaceSchemaLocation").map(|location| (String::new(), location.to_owned()));
    with_namespace.chain(without).collect()
}

/// What attributes whose names end so have, as it is written.
fn values<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(name).filter_map(move |(at, _)| {
        let rest = text[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest[1..].split(quote).next()
    })
}
