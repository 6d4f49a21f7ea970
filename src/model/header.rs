//! Headers with places for what is sent.

use std::borrow::Cow;
use std::str::FromStr;

/// A header line that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no header such as `X-Reference: {{shipment_reference}}`, or is one that is sent anyway")]
pub struct BadHeader(pub String);

/// A header whose value has places in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderTemplate {
    name: String,
    value: String,
}

/// What may stand in braces.
const PLACES: [&str; 8] = [
    "shipment",
    "shipment_reference",
    "number",
    "key",
    "senders_reference",
    "receivers_reference",
    "service",
    "edition",
];

/// Headers that are not the configuration's to say.
const OWN: [&str; 7] = [
    "authorization",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "transfer-encoding",
    "x-sluse-signature",
];

impl FromStr for HeaderTemplate {
    type Err = BadHeader;

    /// Reads `Name: value`.
    fn from_str(line: &str) -> Result<Self, BadHeader> {
        let bad = || BadHeader(line.to_owned());
        let (name, value) = line.split_once(':').ok_or_else(bad)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let plain = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if !is_name || OWN.contains(&name.as_str()) || !plain || !places_are_known(value) {
            return Err(bad());
        }
        Ok(Self { name, value: value.to_owned() })
    }
}

impl HeaderTemplate {
    /// The header's name, in small letters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value with its places filled; what is not visible ASCII becomes `%` and hex. A place without filling is empty.
    pub fn filled<'f>(&self, filling: impl Fn(&str) -> Option<Cow<'f, str>>) -> String {
        let (mut out, mut rest) = (String::new(), self.value.as_str());
        while let Some((before, place, after)) = next_place(rest) {
            out.push_str(before);
            out.push_str(&visible(&filling(place).unwrap_or_default()));
            rest = after;
        }
        out + rest
    }
}

fn places_are_known(mut template: &str) -> bool {
    while let Some((before, place, after)) = next_place(template) {
        if before.contains('}') || !PLACES.contains(&place) {
            return false;
        }
        template = after;
    }
    !template.contains(['{', '}'])
}

fn next_place(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (place, after) = rest.split_once('}')?;
    Some((before, place, after))
}

/// Text as a header can carry it: what is not visible ASCII, and `%`, as `%` and hex.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_within_a_header() {
        assert_eq!(visible("2026 nr. 1\r\nX: %å"), "2026%20nr.%201%0D%0AX:%20%25%C3%A5");
    }

    #[test]
    fn places_are_filled_and_others_are_faults() {
        let header: HeaderTemplate = "X-Ref: a {key}/{number}.".parse().unwrap();
        assert_eq!(header.name(), "x-ref");
        assert_eq!(header.filled(|place| (place == "key").then_some("k 1".into())), "a k%201/.");
        for good in ["X-A: b", "X-A: {key} of {shipment}", "x-a:"] {
            assert!(good.parse::<HeaderTemplate>().is_ok(), "{good}");
        }
        for bad in
            ["X-A", "X A: b", ": b", "X-A: {keys}", "X-A: {key", "X-A: key}", "X-A: æ", "Authorization: x", "Host: x"]
        {
            assert!(bad.parse::<HeaderTemplate>().is_err(), "{bad}");
        }
    }
}
