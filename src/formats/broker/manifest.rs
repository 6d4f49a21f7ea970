//! manifest.xml: which service, who sends, which files.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::Judging;
use super::Member;
use super::checksum::Checksum;
use super::document::{self, Document, Reader};
use super::name::{Name, NameKey};
use super::report::{Report, Stop};
use crate::codes;
use crate::formats;
use crate::model::{Code, Finding, Reportee, Service};
use crate::ports::Blob;
use crate::xsd::{self, Observer, Plan, Position, Schema, SchemaDocument, Spot, Watch, WatchKind};

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The service it is for.
    pub service: Service,
    /// The sender's own reference.
    pub senders_reference: String,
    /// Who sends.
    pub sender: Reportee,
    /// Files in FileList.
    pub files: u64,
    /// PropertyList, in order.
    pub properties: Vec<Property>,
}

/// An agreed property.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    /// PropertyKey.
    pub key: String,
    /// PropertyValue.
    pub value: String,
}

/// Shows no value of the document.
impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Property")
    }
}

/// A file that FileList names.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) key: NameKey,
    /// Position in the list, from 1.
    pub(super) nth: u64,
    pub(super) at: Position,
    pub(super) checksum: Given,
}

/// A checksum as far as the manifest gives one.
#[derive(Debug)]
pub(super) enum Given {
    Nothing,
    Unknown,
    Known(Checksum),
}

pub(super) fn document() -> Document {
    Document { name: "manifest.xml", plan: &PLAN }
}

/// The path of a listed file's child.
pub(super) fn file_path(nth: u64, child: &str) -> String {
    format!("{LIST}[{nth}]/{child}")
}

/// Reads the manifest; `None` when nothing can be sent by it.
pub(super) fn read(
    blob: &dyn Blob,
    member: &Member,
    judging: &Judging<'_>,
    report: &mut Report<'_>,
) -> Result<Option<(Manifest, Vec<Listed>)>, Stop> {
    let mut reading = Reading::new(judging);
    let complete = document::read(document(), (blob, member), judging, &mut reading, report)?;
    if reading.too_long {
        report.refuse(Finding::whole(codes::ZIP_LISTS_TOO_LONG, format!("more than {}", judging.limits.listed)))?;
        return Ok(None);
    }
    if !complete {
        return Ok(None);
    }
    let manifest = reading.manifest();
    reading.hand_over(report)?;
    Ok(manifest.map(|manifest| (manifest, reading.listed)))
}

/// A text and where it stands.
struct Seen {
    text: String,
    complete: bool,
    at: Position,
}

struct Reading<'j> {
    judging: &'j Judging<'j>,
    /// By watch.
    head: [Option<Seen>; HEAD],
    files: u64,
    file: Option<(Option<NameKey>, Position, Given)>,
    listed: Vec<Listed>,
    key: String,
    properties: Vec<Property>,
    too_long: bool,
    fault: Option<Code>,
    findings: Vec<Finding>,
}

impl<'j> Reading<'j> {
    fn new(judging: &'j Judging<'j>) -> Self {
        Self {
            judging,
            head: [const { None }; HEAD],
            files: 0,
            file: None,
            listed: Vec::new(),
            key: String::new(),
            properties: Vec::new(),
            too_long: false,
            fault: None,
            findings: Vec::new(),
        }
    }

    fn manifest(&mut self) -> Option<Manifest> {
        let code = self.required(CODE, codes::UNKNOWN_SERVICE)?;
        let edition = self.required(EDITION, codes::UNKNOWN_SERVICE)?;
        let reference = self.required(REFERENCE, codes::NO_REFERENCE)?;
        let sender = self.required(SENDER, codes::BAD_REPORTEE_FORM)?;
        let sender = match formats::reportee(&sender) {
            Ok(sender) => sender,
            Err(code) => {
                self.broken(SENDER, code, "");
                return None;
            }
        };
        Some(Manifest {
            service: Service { code, edition: plain_number(&edition) },
            senders_reference: reference,
            sender,
            files: self.files,
            properties: std::mem::take(&mut self.properties),
        })
    }

    /// A text of the head that must say something.
    fn required(&mut self, watch: usize, empty: Code) -> Option<String> {
        let seen = self.head.get(watch)?.as_ref()?;
        let text = seen.text.trim();
        if text.is_empty() {
            self.broken(watch, empty, "it is empty");
            return None;
        }
        if !seen.complete || text.chars().count() > REFERENCE_CHARACTERS {
            self.broken(watch, codes::REFERENCE_TOO_LONG, "");
            return None;
        }
        Some(text.to_owned())
    }

    fn broken(&mut self, watch: usize, code: Code, text: &str) {
        let at = self.head.get(watch).and_then(Option::as_ref).map(|seen| seen.at);
        let path = WATCHES.get(watch).map_or("", |watch| watch.path);
        let place = at.map(|at| document().place(at, path));
        let name = path.rsplit('/').next().unwrap_or_default();
        let text = if text.is_empty() { name.to_owned() } else { format!("{name}: {text}") };
        self.findings.push(Finding { code, place, item: None, rule: String::new(), text });
    }

    fn is_full(&mut self) -> bool {
        self.too_long |= self.listed.len().max(self.properties.len()) >= self.judging.limits.listed;
        self.too_long
    }
}

impl Observer for Reading<'_> {
    fn open(&mut self, watch: usize, mut at: Spot<'_, '_>) {
        let at = at.position();
        if watch == FILE {
            self.files += 1;
            self.file = Some((None, at, Given::Nothing));
        }
    }

    fn value(&mut self, watch: usize, text: &str, complete: bool, _content: Range<u64>, mut at: Spot<'_, '_>) {
        let at = at.position();
        match watch {
            FILE_NAME => {
                let name = Name::read(text.trim().as_bytes(), &self.judging.limits).ok().filter(|_| complete);
                if let Some(file) = &mut self.file {
                    (file.0, file.1) = (name.map(|name| name.key()), at);
                }
            }
            CHECKSUM => {
                if let Some(file) = self.file.as_mut().filter(|_| !text.trim().is_empty()) {
                    file.2 = Checksum::read(text).map_or(Given::Unknown, Given::Known);
                }
            }
            KEY => self.key = text.to_owned(),
            VALUE => {
                if !self.is_full() {
                    let key = std::mem::take(&mut self.key);
                    self.properties.push(Property { key, value: text.to_owned() });
                }
            }
            _ => {
                if let Some(slot) = self.head.get_mut(watch) {
                    *slot = Some(Seen { text: text.to_owned(), complete, at });
                }
            }
        }
    }

    fn close(&mut self, watch: usize, _end: u64, _sound: bool) {
        let Some((key, at, checksum)) = self.file.take_if(|_| watch == FILE) else { return };
        if !self.is_full() {
            // A name that no entry may have is one that no entry has.
            self.listed.push(Listed { key: key.unwrap_or_default(), nth: self.files, at, checksum });
        }
    }

    fn finding(&mut self, finding: xsd::Finding) {
        // Only faults of XML break no rule of the recommendation on schemas.
        if finding.rule.is_empty() {
            self.fault = Some((self.judging.code)(finding.kind));
        }
        self.findings.push(document().finding(finding, self.judging));
    }
}

impl Reader for Reading<'_> {
    fn fault(&self) -> Option<Code> {
        self.fault
    }

    fn hand_over(&mut self, report: &mut Report<'_>) -> Result<(), Stop> {
        self.findings.drain(..).try_for_each(|finding| report.refuse(finding))
    }
}

/// A whole number as services are listed: without a sign, blanks and leading zeros.
fn plain_number(text: &str) -> String {
    let digits = text.trim().trim_start_matches('+');
    let plain = digits.trim_start_matches('0');
    let zero = plain.is_empty() && !digits.is_empty();
    if zero { "0".to_owned() } else { plain.to_owned() }
}

/// The manifest's schema.
pub(super) const SCHEMA: &[u8] = include_bytes!("../../../schemas/broker/manifest-2015-06.xsd");
const CODE: usize = 0;
const EDITION: usize = 1;
const REFERENCE: usize = 2;
const SENDER: usize = 3;
/// So many watches are of the head.
const HEAD: usize = 4;
const FILE: usize = 4;
const FILE_NAME: usize = 5;
const CHECKSUM: usize = 6;
const KEY: usize = 7;
const VALUE: usize = 8;
const LIST: &str = "/BrokerServiceManifest/FileList/File";
const WATCHES: [Watch; 9] = [
    Watch { path: "/BrokerServiceManifest/ExternalServiceCode", kind: WatchKind::Value },
    Watch { path: "/BrokerServiceManifest/ExternalServiceEditionCode", kind: WatchKind::Value },
    Watch { path: "/BrokerServiceManifest/SendersReference", kind: WatchKind::Value },
    Watch { path: "/BrokerServiceManifest/Reportee", kind: WatchKind::Value },
    Watch { path: LIST, kind: WatchKind::Element },
    Watch { path: "/BrokerServiceManifest/FileList/File/FileName", kind: WatchKind::Value },
    Watch { path: "/BrokerServiceManifest/FileList/File/CheckSum", kind: WatchKind::Value },
    Watch { path: "/BrokerServiceManifest/PropertyList/Property/PropertyKey", kind: WatchKind::Value },
    Watch { path: "/BrokerServiceManifest/PropertyList/Property/PropertyValue", kind: WatchKind::Value },
];
/// What the ledger and every receipt hold of a reference.
const REFERENCE_CHARACTERS: usize = 256;

static PLAN: LazyLock<Plan> = LazyLock::new(|| plan("manifest-2015-06.xsd", SCHEMA, &WATCHES));

/// Compiles one of the two schemas.
pub(super) fn plan(name: &'static str, bytes: &[u8], watches: &[Watch]) -> Plan {
    let schema = Schema::compile(&[SchemaDocument { name, bytes }]);
    let schema = schema.expect("the schema is part of the program and compiled by its tests");
    Plan::new(Arc::new(schema), watches).expect("every path is an element of the schema, as the tests check")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_is_the_same_however_it_is_written() {
        for text in ["7", "007", "+7", " 7 "] {
            assert_eq!(plain_number(text), "7");
        }
        assert_eq!(plain_number("-1"), "-1");
        assert_eq!(plain_number("000"), "0");
    }
}
