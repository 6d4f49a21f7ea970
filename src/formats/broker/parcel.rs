//! What a receiver of transfers wants to know of a judged archive: who sends it, its properties, its only file.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use super::delivery::read;
use super::document::WATCHED_BYTES;
use super::end::{RECORD_BYTES, u16_at};
use super::manifest::{SCHEMA, plan};
use super::unpack::Unpacker;
use super::{Member, Property};
use crate::formats::{self, ReadItemError};
use crate::model::{Reportee, TransferTarget};
use crate::ports::Blob;
use crate::xsd::{Finding, Limits, Observer, Plan, Spot, Validator, Watch, WatchKind};

/// What the manifest says beyond its service and its reference.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Who sends it.
    pub sender: Reportee,
    /// PropertyList, in order.
    pub properties: Vec<Property>,
}

/// Shows no value of the document.
impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parcel")
    }
}

/// Reads the manifest of a judged archive again. Of properties that are too many only so many are held as tell.
pub fn parcel(blob: &dyn Blob, manifest: &Member) -> Result<Parcel, ReadItemError> {
    let mut heard = Heard::default();
    let mut validator = Validator::new(&PLAN, Limits { watched_bytes: WATCHED_BYTES, ..Limits::default() });
    let (mut unpacker, mut piece) = (Unpacker::new(manifest), vec![0; PIECE_BYTES]);
    loop {
        let count = unpacker.next(blob, &mut piece)?;
        if count == 0 {
            break;
        }
        validator.feed(piece.get(..count).unwrap_or_default(), &mut heard);
    }
    validator.finish(&mut heard);
    if heard.findings > 0 {
        return Err(ReadItemError::Changed("the manifest is another"));
    }
    let sender = formats::reportee(&heard.sender).map_err(|_| ReadItemError::Changed("its sender has another form"))?;
    Ok(Parcel { sender, properties: heard.properties })
}

/// The last part of the name of a file in a judged archive.
pub fn payload_name(blob: &dyn Blob, member: &Member) -> Result<String, ReadItemError> {
    let (mut fixed, mut name) = (Vec::new(), Vec::new());
    read(blob, &mut fixed, member.record.start, RECORD_BYTES as usize)?;
    read(blob, &mut name, member.record.start + RECORD_BYTES, usize::from(u16_at(&fixed, 28).unwrap_or_default()))?;
    let name = String::from_utf8(name).map_err(|_| ReadItemError::Changed("a name is no text"))?;
    Ok(name.rsplit('/').next().unwrap_or_default().to_owned())
}

#[derive(Default)]
struct Heard {
    sender: String,
    key: String,
    properties: Vec<Property>,
    findings: u64,
}

impl Observer for Heard {
    fn value(&mut self, watch: usize, text: &str, _complete: bool, _content: Range<u64>, _at: Spot<'_, '_>) {
        match watch {
            SENDER => self.sender = text.to_owned(),
            KEY => self.key = text.to_owned(),
            _ if self.properties.len() <= TransferTarget::MOST_PROPERTIES => {
                self.properties.push(Property { key: std::mem::take(&mut self.key), value: text.to_owned() });
            }
            _ => {}
        }
    }

    fn finding(&mut self, _finding: Finding) {
        self.findings += 1;
    }
}

const PIECE_BYTES: usize = 64 << 10;
const SENDER: usize = 0;
const KEY: usize = 1;
const WATCHES: [Watch; 3] = [
    Watch { path: "/BrokerServiceManifest/Reportee", kind: WatchKind::Value },
    Watch { path: "/BrokerServiceManifest/PropertyList/Property/PropertyKey", kind: WatchKind::Value },
    Watch { path: "/BrokerServiceManifest/PropertyList/Property/PropertyValue", kind: WatchKind::Value },
];

static PLAN: LazyLock<Plan> = LazyLock::new(|| plan("manifest-2015-06.xsd", SCHEMA, &WATCHES));
