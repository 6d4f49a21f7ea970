//! The manifest as a receiver gets it: with the time at which it was sent, as the old platform wrote it.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;

use super::Member;
use super::manifest::{SCHEMA, plan};
use super::unpack::Unpacker;
use crate::formats::ReadItemError;
use crate::ports::Blob;
use crate::xml::{Encoding, preamble};
use crate::xsd::{Finding, Limits, Observer, Plan, Spot, Validator, Watch, WatchKind};

/// The manifest of a judged archive with another SentDate; `None` where it is too large to be held, or turns out so that
/// it would no longer be one.
pub(super) fn dated(blob: &dyn Blob, member: &Member, sent: &str) -> Result<Option<Vec<u8>>, ReadItemError> {
    if member.size_bytes > MOST_BYTES {
        return Ok(None);
    }
    let manifest = whole(blob, member)?;
    let places = places(&manifest);
    Ok(insert(&manifest, &places, sent).filter(|dated| self::places(dated).is_sound()))
}

fn whole(blob: &dyn Blob, member: &Member) -> Result<Vec<u8>, ReadItemError> {
    let (mut unpacker, mut whole, mut piece) = (Unpacker::new(member), Vec::new(), vec![0; PIECE_BYTES]);
    loop {
        let count = unpacker.next(blob, &mut piece)?;
        if count == 0 {
            return Ok(whole);
        }
        whole.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
}

/// Where the date stands, or would.
#[derive(Default)]
struct Places {
    /// Past the element before it.
    behind_reportee: Option<usize>,
    /// Its content.
    content: Option<Range<usize>>,
    findings: u64,
}

impl Places {
    fn is_sound(&self) -> bool {
        self.findings == 0 && self.content.is_some()
    }
}

fn places(manifest: &[u8]) -> Places {
    let mut places = Places::default();
    let mut validator = Validator::new(&PLAN, Limits::default());
    validator.feed(manifest, &mut places);
    validator.finish(&mut places);
    places
}

impl Observer for Places {
    fn value(&mut self, watch: usize, _text: &str, _complete: bool, content: Range<u64>, _at: Spot<'_, '_>) {
        let range = usize::try_from(content.start).ok().zip(usize::try_from(content.end).ok());
        if let Some((start, end)) = range.filter(|_| watch == SENT) {
            self.content = Some(start..end);
        }
    }

    fn close(&mut self, watch: usize, end: u64, _sound: bool) {
        if watch == REPORTEE {
            self.behind_reportee = usize::try_from(end).ok();
        }
    }

    fn finding(&mut self, _finding: Finding) {
        self.findings += 1;
    }
}

fn insert(manifest: &[u8], places: &Places, sent: &str) -> Option<Vec<u8>> {
    let encoding = preamble(manifest).ok()??.encoding;
    let write = |text: &str| written(text, encoding);
    if let Some(Range { start, end }) = places.content.clone() {
        return Some([manifest.get(..start)?, &write(sent), manifest.get(end..)?].concat());
    }
    let (before, behind) = manifest.split_at_checked(places.behind_reportee?)?;
    // The prefix of the element before it is its own, too.
    let tag = memmem::rfind(before, &write("</"))?;
    let name = before.get(tag + write("</").len()..)?;
    let prefix = name.get(..memmem::rfind(name, &write("Reportee"))?)?;
    let parts: [&[u8]; 9] = [
        before,
        &write("<"),
        prefix,
        &write("SentDate>"),
        &write(sent),
        &write("</"),
        prefix,
        &write("SentDate>"),
        behind,
    ];
    Some(parts.concat())
}

/// ASCII as the document's encoding has it.
fn written(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Encoding::Utf8 | Encoding::Ascii | Encoding::Latin1 | Encoding::Latin9 | Encoding::Windows1252 => {
            text.as_bytes().to_vec()
        }
    }
}

/// What is held of a manifest.
const MOST_BYTES: u64 = 1 << 20;
const PIECE_BYTES: usize = 64 << 10;
const REPORTEE: usize = 0;
const SENT: usize = 1;
const WATCHES: [Watch; 2] = [
    Watch { path: "/BrokerServiceManifest/Reportee", kind: WatchKind::Element },
    Watch { path: "/BrokerServiceManifest/SentDate", kind: WatchKind::Value },
];

static PLAN: LazyLock<Plan> = LazyLock::new(|| plan("manifest-2015-06.xsd", SCHEMA, &WATCHES));

#[cfg(test)]
mod tests {
    use super::*;

    const SENT_AT: &str = "2026-11-27T12:00:00Z";

    fn manifest(prefix: &str, date: &str) -> String {
        let xmlns =
            if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{}", prefix.trim_end_matches(':')) };
        format!(
            "<?xml version=\"1.0\"?>\r\n<~BrokerServiceManifest {xmlns}='http://schema.altinn.no/services/ServiceEngine/Broker/2015/06'>\
             <~ExternalServiceCode>A</~ExternalServiceCode><~ExternalServiceEditionCode>1</~ExternalServiceEditionCode>\
             <~SendersReference>Ø</~SendersReference><~Reportee>910000004</~Reportee >{date}</~BrokerServiceManifest>"
        )
        .replace("</~", &format!("</{prefix}"))
        .replace("<~", &format!("<{prefix}"))
    }

    #[test]
    fn the_date_is_put_in_or_replaced() {
        for prefix in ["", "b:"] {
            let date = |date: &str| format!("<~SentDate>{date}</~SentDate>");
            let expected = manifest(prefix, &date(SENT_AT));
            for before in [String::new(), date("2001-01-01T00:00:00"), date(" 2001-01-01T00:00:00+01:00 ")] {
                let text = manifest(prefix, &before);
                let dated = insert(text.as_bytes(), &places(text.as_bytes()), SENT_AT).unwrap();
                assert_eq!(String::from_utf8(dated).unwrap(), expected);
            }
        }
    }

    #[test]
    fn it_is_written_in_the_manifests_own_encoding() {
        let wide =
            |text: &str| "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        let text: Vec<u8> = wide(&manifest("", ""));
        let dated = insert(&text, &places(&text), SENT_AT).unwrap();
        let expected: Vec<u8> = wide(&manifest("", &format!("<SentDate>{SENT_AT}</SentDate>")));
        assert_eq!(dated, expected);
        assert!(places(&dated).is_sound());
    }

    #[test]
    fn what_is_no_manifest_gets_no_date() {
        for text in ["", "<a/>", "<BrokerServiceManifest><Reportee/>"] {
            let places = places(text.as_bytes());
            assert!(insert(text.as_bytes(), &places, SENT_AT).is_none_or(|dated| !super::places(&dated).is_sound()));
        }
    }
}
