//! What the files of a receipt are called: a template with placeholders.

use std::fmt::Write as _;
use std::str::FromStr;

use jiff::tz::TimeZone;

use super::{ReceiptKind, Shipment};

/// A checked template, such as `{name}.{id}.{kind}.{ext}`.
///
/// What can be in a name is the sender's own file name, our id, and words; nothing of the batch ever is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptNames(Vec<Part>);

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// A brace stands alone.
    #[error("a brace without its other one: placeholders are written as {{name}}")]
    Brace,
    /// There is no such placeholder.
    #[error(
        "there is no placeholder {{{0}}}; use {{name}}, {{stem}}, {{id}}, {{uuid}}, {{kind}}, {{number}}, {{partner}}, {{date}}, {{time}} or {{ext}}"
    )]
    Unknown(String),
    /// Two files would have one name.
    #[error("must hold {0}: otherwise two receipts would have one name")]
    NotUnique(&'static str),
    /// A placeholder stands twice, or the sender's file name does.
    #[error("holds a placeholder more than once")]
    Twice,
    /// The name must end as its kind of file does.
    #[error("must end with .{{ext}}")]
    End,
    /// Not a file name.
    #[error(
        "may hold letters, digits, '-', '_', '.', '+', '=' and blanks beside placeholders, and does not begin with a dot or blank"
    )]
    Characters,
    /// The fixed part is too long: each placeholder once, the longest takes no more than the rest of a name.
    #[error("is too long: at most {MOST_FIXED} bytes beside placeholders")]
    Long,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Name,
    Stem,
    Id,
    Uuid,
    Kind,
    Number,
    Partner,
    Date,
    Time,
    Ext,
}

impl Value {
    const ALL: [(&'static str, Self); 10] = [
        ("name", Self::Name),
        ("stem", Self::Stem),
        ("id", Self::Id),
        ("uuid", Self::Uuid),
        ("kind", Self::Kind),
        ("number", Self::Number),
        ("partner", Self::Partner),
        ("date", Self::Date),
        ("time", Self::Time),
        ("ext", Self::Ext),
    ];

    fn is_the_senders(self) -> bool {
        matches!(self, Self::Name | Self::Stem)
    }
}

impl Default for ReceiptNames {
    /// `{name}.{id}.{kind}.{ext}`.
    fn default() -> Self {
        let dot = || Part::Text(".".to_owned());
        let [name, id, kind, ext] = [Value::Name, Value::Id, Value::Kind, Value::Ext].map(Part::Value);
        Self(vec![name, dot(), id, dot(), kind, dot(), ext])
    }
}

impl FromStr for ReceiptNames {
    type Err = BadTemplate;

    fn from_str(template: &str) -> Result<Self, BadTemplate> {
        let names = Self(parts(template)?);
        names.check()?;
        Ok(names)
    }
}

impl ReceiptNames {
    /// The name of a shipment's file; at most 255 bytes, also with `.sig` behind it.
    pub fn name(&self, shipment: &Shipment, kind: ReceiptKind, ext: &str) -> String {
        let senders = |value: Value| match (value, shipment.path.name.rsplit_once('.')) {
            (Value::Stem, Some((stem, _))) if !stem.is_empty() => stem,
            _ => &shipment.path.name,
        };
        let write = |sender_bytes: usize| {
            let mut name = String::new();
            for part in &self.0 {
                match part {
                    Part::Text(text) => name.push_str(text),
                    Part::Value(value) if value.is_the_senders() => name.push_str(cut(senders(*value), sender_bytes)),
                    Part::Value(value) => self.push(&mut name, *value, shipment, kind, ext),
                }
            }
            name
        };
        write(MOST_BYTES.saturating_sub(write(0).len()))
    }

    fn push(&self, name: &mut String, value: Value, shipment: &Shipment, kind: ReceiptKind, ext: &str) {
        // Writing to a String cannot fail.
        let _ = match value {
            Value::Name | Value::Stem => Ok(()),
            Value::Id => write!(name, "{}", shipment.id.short()),
            Value::Uuid => write!(name, "{}", shipment.id),
            Value::Kind if kind.number() > 0 && !self.has(Value::Number) => {
                write!(name, "{}-{}", kind.as_str(), kind.number())
            }
            Value::Kind => write!(name, "{}", kind.as_str()),
            Value::Number => write!(name, "{}", kind.number()),
            Value::Partner => write!(name, "{}", shipment.partner),
            Value::Date => write!(name, "{}", shipment.claimed_at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d")),
            Value::Time => write!(name, "{}", shipment.claimed_at.to_zoned(TimeZone::UTC).strftime("%H%M%S")),
            Value::Ext => write!(name, "{ext}"),
        };
    }

    fn has(&self, value: Value) -> bool {
        self.0.contains(&Part::Value(value))
    }

    fn check(&self) -> Result<(), BadTemplate> {
        if !self.has(Value::Id) && !self.has(Value::Uuid) {
            return Err(BadTemplate::NotUnique("{id} or {uuid}"));
        }
        if !self.has(Value::Kind) {
            return Err(BadTemplate::NotUnique("{kind}"));
        }
        let ends_well = match self.0.as_slice() {
            [.., Part::Text(text), Part::Value(Value::Ext)] => text.ends_with('.'),
            _ => false,
        };
        if !ends_well {
            return Err(BadTemplate::End);
        }
        let senders = self.0.iter().filter(|part| matches!(part, Part::Value(value) if value.is_the_senders()));
        if senders.count() > 1 {
            return Err(BadTemplate::Twice);
        }
        self.check_texts()
    }

    fn check_texts(&self) -> Result<(), BadTemplate> {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | ' ');
        let mut bytes = 0;
        for (index, part) in self.0.iter().enumerate() {
            match part {
                Part::Text(text) if index == 0 && text.starts_with(['.', ' ']) => return Err(BadTemplate::Characters),
                Part::Text(text) if !text.chars().all(is_plain) => return Err(BadTemplate::Characters),
                Part::Text(text) => bytes += text.len(),
                Part::Value(_) => {}
            }
        }
        if bytes > MOST_FIXED { Err(BadTemplate::Long) } else { Ok(()) }
    }
}

fn parts(template: &str) -> Result<Vec<Part>, BadTemplate> {
    let (mut parts, mut rest) = (Vec::new(), template);
    while let Some((text, after)) = rest.split_once('{') {
        let (word, after) = after.split_once('}').ok_or(BadTemplate::Brace)?;
        let value = Value::ALL.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        let value = value.ok_or_else(|| BadTemplate::Unknown(word.to_owned()))?;
        if parts.contains(&Part::Value(value)) {
            return Err(BadTemplate::Twice);
        }
        parts.push(Part::Value(value));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    let is_whole = |part: &Part| !matches!(part, Part::Text(text) if text.contains(['{', '}']));
    if parts.iter().all(is_whole) { Ok(parts) } else { Err(BadTemplate::Brace) }
}

/// The front of a text, so many bytes at most.
fn cut(text: &str, most_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(most_bytes)).unwrap_or_default()
}

/// A directory entry has 255 bytes, and `.sig` may be added.
const MOST_BYTES: usize = 251;
/// Bytes of a template beside its placeholders.
const MOST_FIXED: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{AreaPath, BlobId, ShipmentId, Stage};

    fn shipment(name: &str) -> Shipment {
        Shipment {
            id: ShipmentId(uuid::Uuid::from_u128(0x0190_5d3e_7a00_7000_8000_0a1b_2c3d_4e5f)),
            partner: "ttd".parse().unwrap(),
            path: AreaPath { dir: "inbox".into(), name: name.into() },
            blob: BlobId(uuid::Uuid::nil()),
            size_bytes: 1,
            preflight: false,
            claimed_at: "2026-11-21T02:00:01.25Z".parse().unwrap(),
            stage: Stage::Claimed,
            verdict: None,
            receiver: None,
            share_of: None,
        }
    }

    #[test]
    fn the_default_is_what_its_text_says() {
        assert_eq!("{name}.{id}.{kind}.{ext}".parse(), Ok(ReceiptNames::default()));
        let name = |kind| ReceiptNames::default().name(&shipment("n.xml"), kind, "xml");
        assert_eq!(name(ReceiptKind::Final), "n.xml.0a1b2c3d4e5f.final.xml");
        assert_eq!(name(ReceiptKind::Supplement(2)), "n.xml.0a1b2c3d4e5f.supplement-2.xml");
    }

    #[test]
    fn every_placeholder_has_its_value() {
        let names: ReceiptNames =
            "kvittering {partner}_{stem}_{date}T{time}_{uuid}_{kind}-{number}.{ext}".parse().unwrap();
        assert_eq!(
            names.name(&shipment("natt.kjøring.xml"), ReceiptKind::Supplement(3), "html"),
            "kvittering ttd_natt.kjøring_2026-11-21T020001_01905d3e-7a00-7000-8000-0a1b2c3d4e5f_supplement-3.html"
        );
        assert_eq!(
            "{stem}{id}{kind}.{ext}".parse::<ReceiptNames>().unwrap().name(&shipment(".x"), ReceiptKind::Rest, "xml"),
            ".x0a1b2c3d4e5frest.xml"
        );
    }

    #[test]
    fn a_name_fits_a_directory_entry_whatever_the_senders_name() {
        let fixed = "x".repeat(MOST_FIXED - 1);
        for template in [
            "{name}.{id}.{kind}.{ext}",
            "{date}{stem}.{uuid}.{kind}.{number}.{ext}",
            &format!("{fixed}{{name}}{{id}}{{kind}}.{{ext}}"),
        ] {
            let names: ReceiptNames = template.parse().unwrap();
            let name = names.name(&shipment(&"æ".repeat(127)), ReceiptKind::Accepted, "xml");
            assert!((240..=251).contains(&name.len()) && name.ends_with(".xml"), "{name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_template_and_the_file_the_name_fits(
            template in "(\\{(name|stem|id|uuid|kind|number|partner|date|time|ext)\\}|[-a-zæ._ {}/]){0,8}\\.\\{ext\\}",
            file in "\\PC{1,80}".prop_map(|name| name.replace('/', "-")),
        ) {
            if let Ok(names) = template.parse::<ReceiptNames>() {
                let of = |kind| names.name(&shipment(&file), kind, "html");
                let (first, second) = (of(ReceiptKind::Supplement(u32::MAX)), of(ReceiptKind::Final));
                prop_assert!(first.len() <= MOST_BYTES && first != second, "{first}");
                prop_assert!(AreaPath::new("receipts", &first).is_ok(), "{first}");
            }
        }
    }

    #[test]
    fn bad_templates_are_refused() {
        let refusal = |template: &str| template.parse::<ReceiptNames>().unwrap_err();
        assert_eq!(refusal("{name}.{kind}.{ext}"), BadTemplate::NotUnique("{id} or {uuid}"));
        assert_eq!(refusal("{name}.{id}.{ext}"), BadTemplate::NotUnique("{kind}"));
        assert_eq!(refusal("{id}.{kind}.xml"), BadTemplate::End);
        assert_eq!(refusal("{id}.{kind}{ext}"), BadTemplate::End);
        assert_eq!(refusal("{id}.{kind}.{reportee}.{ext}"), BadTemplate::Unknown("reportee".into()));
        assert_eq!(refusal("{id}.{kind}.{ext"), BadTemplate::Brace);
        assert_eq!(refusal("{id}}.{kind}.{ext}"), BadTemplate::Brace);
        assert_eq!(refusal("{name}{stem}{id}.{kind}.{ext}"), BadTemplate::Twice);
        assert_eq!(refusal("a/{id}.{kind}.{ext}"), BadTemplate::Characters);
        assert_eq!(refusal(".{id}.{kind}.{ext}"), BadTemplate::Characters);
        assert_eq!(refusal(&format!("{}{{id}}{{kind}}.{{ext}}", "x".repeat(99))), BadTemplate::Long);
        assert_eq!(refusal(&"{uuid}".repeat(20)), BadTemplate::Twice);
    }
}
