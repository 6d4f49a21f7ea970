//! Rows of services whose archives go to Altinn 3.

use super::message;
use super::reader::Section;
use crate::model::{TransferContent, TransferTarget};

/// Reads what a service's row says of its archives.
pub(super) fn target(section: &Section<'_>) -> Option<TransferTarget> {
    let resource = message::resource(section);
    let content = match section.text("send").as_deref() {
        None | Some("archive") => TransferContent::Archive,
        Some("payload") => TransferContent::Payload,
        Some(_) => {
            section.fault("send", "must be \"archive\" or \"payload\"");
            TransferContent::default()
        }
    };
    let is_scanned = section.flag("virus_scan", true);
    Some(TransferTarget { resource: resource?, content, is_scanned })
}
