//! What is asked for when a transfer is begun, and the rules it must keep.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Refusal, problem};
use crate::simulator::World;

/// A request to begin a transfer; what it does not know it refuses.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Initialize {
    pub(super) file_name: String,
    pub(super) resource_id: String,
    #[serde(default)]
    pub(super) senders_file_transfer_reference: String,
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    #[serde(default)]
    pub(super) property_list: BTreeMap<String, String>,
    pub(super) checksum: Option<String>,
    #[serde(default)]
    pub(super) disable_virus_scan: bool,
}

impl Initialize {
    /// The refusal, if it breaks a rule.
    pub(super) fn check(&self, world: &World) -> Result<(), Refusal> {
        let is_md5 = |text: &str| text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_property = |(key, value): (&String, &String)| fits(key, 1, 50) && fits(value, 0, 3_000);
        let is_right = fits(&self.file_name, 1, 255)
            && fits(&self.resource_id, 1, 255)
            && fits(&self.senders_file_transfer_reference, 1, 4_096)
            && number(&self.sender).is_some()
            && !self.recipients.is_empty()
            && self.recipients.iter().all(|recipient| number(recipient).is_some())
            && self.property_list.len() <= 10
            && self.property_list.iter().all(is_property)
            && self.checksum.as_deref().is_none_or(|checksum| checksum.is_empty() || is_md5(checksum));
        if !is_right {
            return Err(problem(400, 0));
        }
        if !world.options.resources.is_empty() && !world.options.resources.contains(&self.resource_id) {
            return Err(problem(403, 5));
        }
        let unknown = &world.options.unknown_recipients;
        let is_listed = |recipient: &String| !unknown.iter().any(|unknown| number(recipient) == Some(unknown));
        if self.recipients.iter().all(is_listed) { Ok(()) } else { Err(problem(400, 28)) }
    }
}

/// The number of an organisation, in either of the two ways to name it.
pub(super) fn number(party: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let number = match party.strip_prefix("urn:altinn:organization:identifier-no:") {
        Some(number) => number,
        None => party.split_once(':').filter(|(scheme, _)| scheme.len() == 4 && digits(scheme))?.1,
    };
    (number.len() == 9 && digits(number)).then_some(number)
}

fn fits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count())
}
