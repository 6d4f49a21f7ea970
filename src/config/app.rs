//! Rows of services whose items go to Altinn 3 apps.

use super::message::word;
use super::reader::Section;
use crate::model::{AppTarget, DataTypeRow, FieldRow, FinishRules, LaterSets, Move, PrefillMode, PrefillRules};

/// Reads what a service's row says of its app.
pub(super) fn target(section: &Section<'_>, rows: &[Section<'_>]) -> Option<AppTarget> {
    let target = section.required("app");
    let attachment_type = section.text("attachment_type");
    let data_types: Vec<_> = rows.iter().filter_map(data_type).collect();
    if !section.has("data_type") {
        section.fault("data_type", "is missing: no form could be sent; add [[route.<name>.service.data_type]]");
    }
    let (prefill, finish) = (prefill(section, &data_types), finish(section));
    let target = target?;
    let is_segment = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    match target.split_once('/') {
        Some((org, app)) if is_segment(org) && is_segment(app) => {
            let (org, app) = (org.to_owned(), app.to_owned());
            Some(AppTarget { org, app, data_types, attachment_type, prefill, finish })
        }
        _ => {
            section.fault("app", "must be the owner and the app's name, such as \"ttd/my-app\"");
            None
        }
    }
}

/// Settings of a data type's row.
pub(super) const DATA_TYPE_KEYS: [&str; 4] = ["format_id", "format_version", "data_type", "schema"];

fn data_type(section: &Section<'_>) -> Option<DataTypeRow> {
    let format_id = section.required("format_id");
    let format_version = section.text("format_version");
    let data_type = section.required("data_type");
    let moves = section.list("move").iter().filter_map(one_move).collect();
    Some(DataTypeRow { format_id: format_id?, format_version, data_type: data_type?, moves })
}

/// `[[route.<name>.service.data_type.move]]`.
fn one_move(section: &Section<'_>) -> Option<Move> {
    let from = section.required_parsed("from");
    let to = section.parsed("to");
    if to.is_none() && !section.has("to") && !section.flag("leave_out", false) {
        section.fault("to", "is missing: give it, or leave_out = true");
    }
    Some(Move { from: from?, to })
}

fn finish(section: &Section<'_>) -> FinishRules {
    let rules = FinishRules {
        large_attachment_bytes: section.number("large_attachment_bytes", 10_000_000, 0..=2_000_000_000),
        drive_to: section.text("drive_to"),
        validates: section.flag("validate", false),
    };
    if rules.validates && rules.drive_to.is_none() {
        section.fault("validate", "says when an instance is driven on: give drive_to, too");
    }
    rules
}

fn prefill(section: &Section<'_>, data_types: &[DataTypeRow]) -> PrefillRules {
    let mode = match section.text("mode").as_deref() {
        None | Some("instantiate") => PrefillMode::Instantiate,
        Some("hold") => PrefillMode::Hold,
        Some("serve") => PrefillMode::Serve,
        Some(_) => {
            section.fault("mode", "must be \"instantiate\", \"hold\" or \"serve\"");
            PrefillMode::Instantiate
        }
    };
    let field_data_type = section.text("field_data_type");
    if let Some(data_type) = &field_data_type
        && !data_types.iter().any(|row| row.data_type == *data_type)
    {
        section.fault("field_data_type", format!("there is no data_type row for {data_type:?}"));
    }
    let rules = PrefillRules {
        mode,
        hides_early: !word(section, "early", ["hold", "hide"]),
        due_by_valid_to: !word(section, "due_before", ["none", "valid-to"]),
        swapped_periods: section.flag("swapped_periods", false),
        fields: section.list("field").iter().filter_map(field).collect(),
        field_data_type,
        later: later(section),
        deletes_unused: !word(section, "after_valid_to", ["keep", "delete"]),
    };
    if rules.mode != PrefillMode::Instantiate {
        let keys = [("later", rules.later != LaterSets::New), ("after_valid_to", rules.deletes_unused)];
        for (key, _) in keys.into_iter().filter(|(_, is_set)| *is_set) {
            section.fault(key, "is for form sets that become instances by themselves: mode = \"instantiate\"");
        }
    }
    rules
}

fn later(section: &Section<'_>) -> LaterSets {
    match section.text("later").as_deref() {
        None | Some("new") => LaterSets::New,
        Some("update") => LaterSets::Update,
        Some("update-or-refuse") => LaterSets::UpdateOrRefuse,
        Some(_) => {
            section.fault("later", "must be \"new\", \"update\" or \"update-or-refuse\"");
            LaterSets::New
        }
    }
}

/// `[[route.<name>.service.field]]`.
fn field(section: &Section<'_>) -> Option<FieldRow> {
    let (id, path) = (section.required("id"), section.required_parsed("path"));
    Some(FieldRow { id: id?, path: path? })
}
