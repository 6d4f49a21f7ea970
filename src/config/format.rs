//! `[format.<name>]`: formats of any schema, described by what their elements mean.

use std::sync::Arc;

use super::reader::Section;
use crate::formats;
use crate::model::{FormatName, GenericFormat, RouteName};

/// The described formats by name; `None` when something is wrong with one.
pub(super) type Described = Vec<(String, Option<Arc<GenericFormat>>)>;

/// Reads `[format.<name>]`.
pub(super) fn read(root: &Section<'_>) -> Described {
    root.named("format")
        .into_iter()
        .map(|(name, section)| (name.clone(), format(name, &section).map(Arc::new)))
        .collect()
}

fn format(name: String, section: &Section<'_>) -> Option<GenericFormat> {
    if let Err(error) = name.parse::<RouteName>() {
        section.fault_here(error.to_string());
    }
    if standard(&name).is_some() || STANDARD_TOO.contains(&name.as_str()) {
        section.fault_here("is the name of a standard format");
    }
    let schemas = section.paths("schema");
    if schemas.is_empty() {
        section.fault("schema", "must be a list of schema files");
    }
    let item = section.required("item");
    let description = GenericFormat {
        name,
        item: item.unwrap_or_default(),
        reference: section.text("reference"),
        reportee: section.text("reportee"),
        service_code: section.text("service_code"),
        service_edition: section.text("service_edition"),
        sender: section.text("sender"),
        shipment_reference: section.text("shipment_reference"),
        sequence_no: section.text("sequence_no"),
        previous_no: section.text("previous_no"),
        count: section.text("count"),
        may_be_empty: section.flag("may_be_empty", false),
        schemas,
    };
    // What is missing is told already.
    if description.item.is_empty() || description.schemas.is_empty() {
        return None;
    }
    match formats::describe(&description) {
        Ok(_) => Some(description),
        Err(faults) => {
            faults.into_iter().for_each(|fault| section.fault(fault.key, fault.text));
            None
        }
    }
}

/// The standard format of a word.
pub(super) fn standard(word: &str) -> Option<FormatName> {
    FormatName::ALL.into_iter().find(|format| format.as_str() == word)
}

/// Words that mean a format elsewhere.
const STANDARD_TOO: [&str; 2] = ["broker", "generic"];
