//! How fast a receiver may be given items.

use super::reader::Section;

/// The limits of one receiver, whichever routes lead to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowConfig {
    /// Deliveries under way at a time, at most: how many there are follows the receiver's pace.
    pub concurrency: usize,
    /// Deliveries begun in any minute; `None` for any number.
    pub deliveries_per_minute: Option<usize>,
}

/// Reads it from `[receiver.<name>]`.
pub(super) fn read(section: &Section<'_>) -> FlowConfig {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let per_minute = section.number("deliveries_per_minute", 0, 0..=1_000_000);
    FlowConfig {
        concurrency: number(section.number("concurrency", 64, 1..=1_000)),
        deliveries_per_minute: (per_minute > 0).then(|| number(per_minute)),
    }
}
