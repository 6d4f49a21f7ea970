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
    let concurrency = section.number("concurrency", 64, 1..=1_000);
    FlowConfig {
        concurrency: usize::try_from(concurrency).unwrap_or(usize::MAX),
        deliveries_per_minute: per_minute(section, "deliveries_per_minute", 0),
    }
}

/// Reads a most in any minute, of which 0 is any number.
pub(super) fn per_minute(section: &Section<'_>, key: &'static str, default: u64) -> Option<usize> {
    let most = usize::try_from(section.number(key, default, 0..=1_000_000)).unwrap_or(usize::MAX);
    (most > 0).then_some(most)
}
