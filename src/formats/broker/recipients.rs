//! recipients.xml: each recipient is an item. Its range is the content of its PartyNumber, in bytes of the unpacked list.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::civil::Date;

use super::document::{self, Document, Reader};
use super::manifest::{Manifest, plan};
use super::report::{Report, Stop};
use super::unpack::Unpacker;
use super::{Judging, Member};
use crate::codes;
use crate::formats::{self, Coding, Decoder, ReadItemError};
use crate::model::{ByteRange, Code, Denied, Finding, ItemKind, KeyStem, NewItem, Reportee, Sending, TransferTarget};
use crate::ports::Blob;
use crate::xml::{Transcoder, preamble};
use crate::xsd::{self, Observer, Plan, Position, Spot, Watch, WatchKind};

/// By which rules recipients are judged.
pub(super) struct Rules<'j> {
    pub(super) judging: &'j Judging<'j>,
    pub(super) manifest: &'j Manifest,
    /// The route ignores the service.
    pub(super) ignored: bool,
    /// Where it goes there are organisations only.
    pub(super) organisations: bool,
}

/// Reads the list and tells of each recipient.
pub(super) fn read(
    (blob, member): (&dyn Blob, &Member),
    rules: &Rules<'_>,
    report: &mut Report<'_>,
) -> Result<(), Stop> {
    let Rules { judging, manifest, .. } = *rules;
    let mut reading = Reading {
        rules,
        // Whether the sender may send at all has been told.
        sending: judging.rights.and_then(|(rights, today)| {
            let sending = rights.sender(&manifest.service, manifest.sender.expose(), today);
            Some((sending.ok()?, today))
        }),
        stem: stem(judging.partner, manifest),
        number: 0,
        open: None,
        closed: Vec::new(),
        fault: None,
        findings: Vec::new(),
    };
    document::read(document(), (blob, member), judging, &mut reading, report)?;
    // What was found in a recipient that does not end concerns the whole.
    let rest = reading.open.take().map(|open| open.findings).unwrap_or_default();
    rest.into_iter().try_for_each(|finding| report.refuse(finding))
}

/// The party of a judged recipient, read out of the archive again.
pub fn party(blob: &dyn Blob, member: &Member, range: ByteRange) -> Result<Reportee, ReadItemError> {
    let mut raw = Vec::new();
    let mut head = Vec::new();
    let mut unpacker = Unpacker::new(member);
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = 0;
    while at < range.end {
        let count = unpacker.next(blob, &mut piece)?;
        if count == 0 {
            return Err(ReadItemError::Changed("the list of recipients is shorter"));
        }
        let read = piece.get(..count).unwrap_or_default();
        if head.len() < HEAD_BYTES {
            head.extend_from_slice(read.get(..HEAD_BYTES - head.len()).unwrap_or(read));
        }
        let within = |place: u64| usize::try_from(place.saturating_sub(at)).unwrap_or(count).min(count);
        raw.extend_from_slice(read.get(within(range.start)..within(range.end)).unwrap_or_default());
        if raw.len() > PARTY_BYTES {
            return Err(ReadItemError::TooMuch("text"));
        }
        at += count as u64;
    }
    let mut text = Vec::new();
    let mut decoder = Decoder::new(Coding::Text);
    decoder.push(&in_utf8(&head, raw)?, &mut text)?;
    decoder.finish()?;
    let text = String::from_utf8(text).map_err(|_| ReadItemError::Changed("a party is no text"))?;
    formats::reportee(&text).map_err(|_| ReadItemError::Changed("a party has another form"))
}

/// Content in the document's encoding, which its first bytes tell.
fn in_utf8(head: &[u8], raw: Vec<u8>) -> Result<Vec<u8>, ReadItemError> {
    let Ok(Some(preamble)) = preamble(head) else { return Err(ReadItemError::Changed("it begins otherwise")) };
    if preamble.encoding.is_utf8() {
        return Ok(raw);
    }
    let mut transcoder = Transcoder::new(preamble.encoding);
    let mut raw = raw.as_slice();
    let mut text = Vec::new();
    while !raw.is_empty() {
        let (more, ended) = transcoder.next(&mut raw);
        text.extend_from_slice(more);
        ended.map_err(|_| ReadItemError::Changed("it is in another encoding"))?;
    }
    Ok(text)
}

fn document() -> Document {
    Document { name: "recipients.xml", plan: &PLAN }
}

/// What the keys of all recipients of a shipment have in common. Never change it: receivers would see old items as new.
fn stem(partner: &str, manifest: &Manifest) -> KeyStem {
    let Manifest { sender, senders_reference, .. } = manifest;
    KeyStem::new(&[partner, "broker", "BrokerService", sender.expose(), senders_reference, "recipient"])
}

struct Open {
    at: Position,
    /// What the party's text came to, with where it stands.
    party: Option<(Result<Reportee, Code>, ByteRange, Position)>,
    findings: Vec<Finding>,
}

struct Reading<'j> {
    rules: &'j Rules<'j>,
    sending: Option<(Sending<'j>, Date)>,
    stem: KeyStem,
    number: u64,
    open: Option<Open>,
    /// Recipients of this piece, with what is wrong in them.
    closed: Vec<(NewItem, Vec<Finding>)>,
    fault: Option<Code>,
    /// Outside of recipients.
    findings: Vec<Finding>,
}

impl Reading<'_> {
    fn close_recipient(&mut self, open: Open) {
        self.number += 1;
        let mut findings = open.findings;
        let own = self.own_finding(open.party.as_ref(), findings.is_empty());
        findings.extend(own);
        for finding in &mut findings {
            finding.item = Some(self.number);
        }
        let party = open.party.as_ref().and_then(|(party, ..)| party.as_ref().ok());
        let key = match party.filter(|_| findings.is_empty()) {
            Some(party) => self.stem.key(["fields", party.expose()]),
            None => self.stem.key(["number", &self.number.to_string()]),
        };
        let range = open.party.as_ref().map(|(_, range, _)| *range).unwrap_or_default();
        let ignored = self.rules.ignored.then_some(codes::IGNORED_SERVICE);
        let refused = findings.first().map(|finding| finding.code).or(ignored);
        let item = NewItem {
            number: self.number,
            part: 0,
            kind: ItemKind::Recipient,
            key,
            range,
            group: ByteRange::default(),
            line: open.at.line,
            column: open.at.column,
            senders_reference: self.rules.manifest.senders_reference.clone(),
            service: Some(self.rules.manifest.service.clone()),
            forms: 0,
            refused,
        };
        self.closed.push((item, findings));
    }

    fn own_finding(
        &self,
        party: Option<&(Result<Reportee, Code>, ByteRange, Position)>,
        sound: bool,
    ) -> Option<Finding> {
        let (party, _, at) = party.filter(|_| sound)?;
        let code = match party {
            Ok(party) => self.denied(party)?,
            Err(code) => *code,
        };
        let path = format!("{RECIPIENT}[{}]/PartyNumber", self.number);
        let place = Some(document().place(*at, &path));
        Some(Finding { code, place, item: None, rule: String::new(), text: String::new() })
    }

    fn denied(&self, party: &Reportee) -> Option<Code> {
        if self.rules.organisations && !TransferTarget::takes(party) {
            return Some(codes::ORGANISATIONS_ONLY);
        }
        let (sending, today) = self.sending?;
        sending.to(&self.rules.manifest.service, party.expose(), today).err().map(code)
    }
}

/// The code of a denial.
pub(super) fn code(denied: Denied) -> Code {
    match denied {
        Denied::Sender => codes::SENDER_NOT_AUTHORISED,
        Denied::Recipient => codes::RECIPIENT_NOT_AUTHORISED,
        Denied::Condition => codes::RECIPIENT_NOT_FOR_SENDER,
    }
}

impl Observer for Reading<'_> {
    fn open(&mut self, watch: usize, mut at: Spot<'_, '_>) {
        let at = at.position();
        if watch == RECIPIENT_WATCH {
            self.open = Some(Open { at, party: None, findings: Vec::new() });
        }
    }

    fn value(&mut self, _watch: usize, text: &str, complete: bool, content: Range<u64>, mut at: Spot<'_, '_>) {
        let at = at.position();
        let party = if complete { formats::reportee(text) } else { Err(codes::BAD_REPORTEE_FORM) };
        let party = party.and_then(|party| {
            // What takes more room than that is not read again.
            if content.end - content.start > PARTY_BYTES as u64 { Err(codes::BAD_REPORTEE_FORM) } else { Ok(party) }
        });
        if let Some(open) = &mut self.open {
            open.party = Some((party, ByteRange { start: content.start, end: content.end }, at));
        }
    }

    fn close(&mut self, watch: usize, _end: u64, _sound: bool) {
        if let Some(open) = self.open.take_if(|_| watch == RECIPIENT_WATCH) {
            self.close_recipient(open);
        }
    }

    fn finding(&mut self, finding: xsd::Finding) {
        // Only faults of XML break no rule of the recommendation on schemas.
        if finding.rule.is_empty() {
            self.fault = Some((self.rules.judging.code)(finding.kind));
        }
        let finding = document().finding(finding, self.rules.judging);
        match &mut self.open {
            // One recipient says no more than this many things.
            Some(open) if open.findings.len() < FINDINGS => open.findings.push(finding),
            Some(_) => {}
            None => self.findings.push(finding),
        }
    }
}

impl Reader for Reading<'_> {
    fn fault(&self) -> Option<Code> {
        self.fault
    }

    fn hand_over(&mut self, report: &mut Report<'_>) -> Result<(), Stop> {
        for (recipient, findings) in self.closed.drain(..) {
            report.item(recipient, findings)?;
        }
        self.findings.drain(..).try_for_each(|finding| report.refuse(finding))
    }
}

const SCHEMA: &[u8] = include_bytes!("../../../schemas/broker/recipients-2015-06.xsd");
const RECIPIENT: &str = "/BrokerServiceRecipientList/Recipient";
const RECIPIENT_WATCH: usize = 0;
const WATCHES: [Watch; 2] = [
    Watch { path: RECIPIENT, kind: WatchKind::Element },
    Watch { path: "/BrokerServiceRecipientList/Recipient/PartyNumber", kind: WatchKind::Value },
];
const FINDINGS: usize = 32;
const PIECE_BYTES: usize = 64 << 10;
/// Enough for any preamble.
const HEAD_BYTES: usize = 1 << 10;
/// What the content of a PartyNumber may take, comments and all.
const PARTY_BYTES: usize = 4 << 10;

static PLAN: LazyLock<Plan> = LazyLock::new(|| plan("recipients-2015-06.xsd", SCHEMA, &WATCHES));
