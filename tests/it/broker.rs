//! Broker ZIPs judged as the pipeline will judge them.

mod archives;
mod bombs;
mod chance;
mod contents;
mod delivery;
mod dropped;
mod generated;
mod huge;
mod transferred;

use std::io;

use sluse::formats::broker::{
    BrokerJudgement, Delivery, Found, Judging, Limits, UnknownChecksums, for_recipient, judge, party as party_of,
};
use sluse::model::{Code, Finding, NewItem};
use sluse::ports::Blob;
use sluse::{validate, xsd};

use crate::support::archive::{Archive, Entry};
use crate::support::judged::InMemory;

const NAMESPACE: &str = "http://schema.altinn.no/services/ServiceEngine/Broker/2015/06";
/// A sender and three recipients, one of them a person, all synthetic.
const SENDER: &str = "910000004";
const RECIPIENTS: [&str; 3] = ["910000012", "910000020", "14878510187"];

/// What judging an archive came to.
#[derive(Debug, PartialEq)]
struct Judged {
    judgement: BrokerJudgement,
    items: Vec<NewItem>,
    findings: Vec<Finding>,
}

impl Judged {
    fn codes(&self) -> Vec<&'static str> {
        self.findings.iter().map(|finding| finding.code.0).collect()
    }

    fn refusal(&self) -> Option<&'static str> {
        self.judgement.refusal.map(|Code(code)| code)
    }
}

fn judging() -> Judging<'static> {
    Judging {
        partner: "ttd",
        routes: &[],
        limits: Limits::default(),
        xml: xsd::Limits::default(),
        max_findings: 1_000,
        unknown_checksums: UnknownChecksums::Tell,
        rights: None,
        code: validate::code,
        hash: false,
    }
}

fn judged(bytes: &[u8]) -> Judged {
    judged_by(&InMemory(bytes.to_vec()), &judging())
}

fn judged_by(blob: &dyn Blob, judging: &Judging<'_>) -> Judged {
    let (mut items, mut findings) = (Vec::new(), Vec::new());
    let judgement = judge(blob, judging, &mut |found| {
        match found {
            Found::Items(chunk) => {
                assert!((1..=1_024).contains(&chunk.len()));
                items.extend(chunk);
            }
            Found::Findings(chunk) => {
                assert!((1..=1_024).contains(&chunk.len()));
                assert!(chunk.iter().all(|finding| finding.item.is_none_or(|item| item <= items.len() as u64)));
                findings.extend(chunk);
            }
            Found::Unkept(chunk) => assert!((1..=1_024).contains(&chunk.len())),
        }
        Ok(())
    });
    Judged { judgement: judgement.unwrap(), items, findings }
}

/// What a recipient gets.
fn delivered(bytes: &[u8], party: &str) -> Vec<u8> {
    let judged = judged(bytes);
    assert_eq!(judged.refusal(), None, "{:?}", judged.findings);
    let blob = InMemory(bytes.to_vec());
    written(&for_recipient(&blob, &judged.judgement.contents.unwrap(), party, None).unwrap(), &blob)
}

fn written(delivery: &Delivery, blob: &InMemory) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut pieces = delivery.pieces();
    loop {
        let piece = pieces.read(blob).unwrap();
        if piece.is_empty() {
            assert_eq!(whole.len() as u64, delivery.size_bytes());
            return whole;
        }
        whole.extend_from_slice(piece);
    }
}

/// Panics unless it is an archive for the party alone, and otherwise as the expected one, which has no list at all.
fn assert_delivery(bytes: &[u8], expected: &Archive, party: &str) {
    let again = judged(bytes);
    assert_eq!((again.refusal(), again.codes(), again.items.len()), (None, vec![], 1));
    let list = again.judgement.contents.unwrap().recipients;
    let named = party_of(&InMemory(bytes.to_vec()), &list, again.items[0].range).unwrap();
    assert_eq!(named.expose(), party);
    let (start, end) = (list.extent.start as usize, list.extent.end as usize);
    let without = expected.bytes();
    assert!(bytes[..start] == without[..start], "the entries are as they were");
    let directory = without.len() - expected.comment.len() - if expected.wide { 22 + 76 } else { 22 } - start;
    assert!(bytes[end..][..directory] == without[start..][..directory], "their records are as without the list");
    assert!(bytes.ends_with(&expected.comment));
}

/// Whom an archive is for, as its list says.
pub(crate) fn addressee(bytes: &[u8]) -> String {
    let judged = judged(bytes);
    let list = judged.judgement.contents.unwrap().recipients;
    party_of(&InMemory(bytes.to_vec()), &list, judged.items[0].range).unwrap().expose().to_owned()
}

/// A blob that gives a few bytes at a time.
struct Grudging(Vec<u8>, usize);

impl Blob for Grudging {
    fn size_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let count = rest.len().min(into.len()).min(self.1);
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

fn manifest(more: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BrokerServiceManifest xmlns=\"{NAMESPACE}\">\n\
         <ExternalServiceCode>4752</ExternalServiceCode>\n<ExternalServiceEditionCode>1</ExternalServiceEditionCode>\n\
         <SendersReference>S-1</SendersReference>\n<Reportee>{SENDER}</Reportee>\n{more}</BrokerServiceManifest>"
    )
}

fn recipients<'a>(parties: impl IntoIterator<Item = &'a str>) -> String {
    let parties: String = parties
        .into_iter()
        .map(|party| format!("<Recipient>\n<PartyNumber>{party}</PartyNumber>\n</Recipient>\n"))
        .collect();
    format!("<BrokerServiceRecipientList xmlns=\"{NAMESPACE}\">\n{parties}</BrokerServiceRecipientList>")
}

fn control_files() -> Vec<Entry> {
    vec![
        Entry::deflated("manifest.xml", manifest("").as_bytes()),
        Entry::deflated("recipients.xml", recipients(RECIPIENTS).as_bytes()),
    ]
}

/// The control files and others.
fn shipment(others: impl IntoIterator<Item = Entry>) -> Archive {
    Archive::of(control_files().into_iter().chain(others).collect::<Vec<_>>())
}
