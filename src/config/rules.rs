//! `[route.<name>.rules]`: how the format's rules beyond its schema are weighed.

use super::reader::Section;
use crate::model::{FormatRules, SequencePolicy, SequenceRules, SequenceScope, Strictness};

/// Reads the section; what is left out is refused, but for form data, which nobody looks into that names no schema of any.
pub(super) fn read(section: &Section<'_>, names_schemas: bool) -> FormatRules {
    let form_data = if names_schemas { Strictness::Refuse } else { Strictness::Off };
    FormatRules {
        counts: word(section, "counts", Strictness::ALL),
        check_digits: word(section, "check_digits", Strictness::ALL),
        validity: word(section, "validity", Strictness::ALL),
        attachments: word(section, "attachments", Strictness::ALL),
        parents: word(section, "parents", Strictness::ALL),
        form_data: if section.has("form_data") { word(section, "form_data", Strictness::ALL) } else { form_data },
        sequence: sequence(&section.section("sequence")),
        reference_days: section.optional_number("reference_days", 1..=36_500).and_then(|days| u32::try_from(days).ok()),
    }
}

fn sequence(section: &Section<'_>) -> SequenceRules {
    SequenceRules {
        is_off: !section.flag("check", true),
        scope: word(section, "scope", SequenceScope::ALL),
        gap: word(section, "gap", SequencePolicy::ALL),
        repeat: word(section, "repeat", Strictness::ALL),
        late: word(section, "late", Strictness::ALL),
        hold_ms: section.number("hold_ms", HOLD_MS, 1..=super::route::LONGEST_MS),
    }
}

/// One of some words; the first of them when it is left out.
pub(super) fn word<T: Copy + Default, const N: usize>(
    section: &Section<'_>,
    key: &'static str,
    known: [(&str, T); N],
) -> T {
    let Some(word) = section.text(key) else { return T::default() };
    let found = known.iter().find(|(name, _)| *name == word);
    if found.is_none() {
        let known: Vec<_> = known.iter().map(|(name, _)| format!("{name:?}")).collect();
        section.fault(key, format!("must be one of {}", known.join(", ")));
    }
    found.map(|(_, value)| *value).unwrap_or_default()
}

/// A week: what is missing that long is asked for on the telephone.
const HOLD_MS: u64 = 7 * 24 * 3_600_000;
