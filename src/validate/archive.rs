//! Judges a broker ZIP as the gateway does: what the format says of it becomes items, findings and an envelope like a
//! batch's.

use std::io;

use jiff::civil::Date;

use super::grouping::Grouping;
use super::{Found, JudgeError, Judgement, Judging, kinds};
use crate::formats::broker::{self, Manifest};
use crate::model::{ByteRange, Envelope, FormatName, ItemKey, Part, PartKind, Route};
use crate::ports::{Blob, ReferenceUse};

/// Tells whether a file dropped where these routes take theirs is judged as an archive: where only broker routes do, or
/// when it begins as archives do.
pub fn is_archive(blob: &dyn Blob, routes: &[Route]) -> io::Result<bool> {
    let of_archives = routes.iter().filter(|route| route.format == FormatName::Broker).count();
    if of_archives == 0 || of_archives == routes.len() {
        return Ok(of_archives > 0);
    }
    let mut first = [0; MAGIC.len()];
    let mut filled = 0;
    while let Some(rest) = first.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match blob.read_at(filled as u64, rest) {
            Ok(0) => return Ok(false),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(first == *MAGIC)
}

/// Judges an archive by the broker routes among the given, and by the rights of a day.
pub fn judge_archive(
    blob: &dyn Blob,
    judging: &Judging<'_>,
    (rules, today): (&broker::Rules, Date),
    keep: &mut dyn FnMut(Found) -> io::Result<()>,
) -> Result<Judgement, JudgeError> {
    let of_archives = |route: &&Route| route.format == FormatName::Broker;
    let routes: Vec<Route> = judging.routes.iter().filter(of_archives).cloned().collect();
    let by = broker::Judging {
        partner: judging.partner,
        routes: &routes,
        limits: rules.limits,
        xml: judging.limits.xml.clone(),
        max_findings: judging.limits.max_findings,
        unknown_checksums: rules.unknown_checksums,
        rights: rules.rights.as_ref().map(|rights| (rights, today)),
        code: kinds::code,
        hash: true,
    };
    let mut grouping = Grouping::new(judging.limits.max_findings);
    let judged = broker::judge(blob, &by, &mut |found| match found {
        broker::Found::Items(items) => keep(Found::Items(items.into())),
        broker::Found::Findings(findings) => {
            findings.iter().for_each(|finding| grouping.add(finding));
            keep(Found::Findings(findings))
        }
        broker::Found::Unkept(findings) => {
            findings.iter().for_each(|finding| grouping.add(finding));
            Ok(())
        }
    });
    let judged = judged.map_err(|error| match error {
        broker::JudgeError::Unreadable(error) => JudgeError::Unreadable(error),
        broker::JudgeError::NotKept(error) => JudgeError::NotKept(error),
    })?;
    Ok(Judgement {
        refusal: judged.refusal,
        format: Some(FormatName::Broker),
        route: judged.route,
        sha256: judged.sha256,
        references: judged.manifest.iter().map(reference).collect(),
        envelope: judged.manifest.map(|manifest| Envelope {
            parts: vec![part(manifest)],
            archive: judged.contents,
            ..Envelope::default()
        }),
        findings_total: judged.findings_total,
        groups: grouping.into_groups(),
        items_total: judged.items_total,
        items_refused: judged.items_refused,
    })
}

/// The manifest's part: all of the archive.
fn part(manifest: Manifest) -> Part {
    Part {
        kind: PartKind::Batch,
        head: ByteRange::default(),
        reference: manifest.senders_reference,
        reference_end: 0,
        sequence_no: None,
        previous_no: None,
    }
}

/// The sender may be a person, whose number is not kept.
fn reference(manifest: &Manifest) -> ReferenceUse {
    ReferenceUse {
        part: PartKind::Batch,
        sender_name: ItemKey::derive(&["broker", "sender", manifest.sender.expose()]).to_string(),
        reference: manifest.senders_reference.clone(),
    }
}

/// How archives begin, empty ones and those in several parts too.
const MAGIC: &[u8; 2] = b"PK";
