//! A transfer as the platform wants it, and as it shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::LateEvent;
use crate::ports::Stand;

/// A transfer to be begun. Without `Debug`: nothing of it may be logged.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewTransfer {
    pub(super) file_name: String,
    pub(super) resource_id: String,
    pub(super) senders_file_transfer_reference: String,
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) property_list: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<String>,
    pub(super) disable_virus_scan: bool,
}

/// A transfer as the platform shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    #[serde(default)]
    senders_file_transfer_reference: Option<String>,
    #[serde(default)]
    pub(super) checksum: Option<String>,
    file_transfer_status: Status,
    #[serde(default)]
    file_transfer_status_changed: Option<Timestamp>,
    #[serde(default)]
    created: Option<Timestamp>,
    #[serde(default)]
    published: Option<Timestamp>,
    #[serde(default)]
    sender: Option<String>,
    #[serde(default)]
    recipients: Option<Vec<Recipient>>,
    #[serde(default)]
    file_transfer_status_history: Option<Vec<Change>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    #[serde(default)]
    recipient: Option<String>,
    #[serde(default)]
    current_recipient_file_transfer_status_code: Option<String>,
    #[serde(default)]
    current_recipient_file_transfer_status_changed: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    file_transfer_status: Status,
}

/// Where a transfer stands at the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Status {
    Initialized,
    UploadStarted,
    UploadProcessing,
    Published,
    Cancelled,
    AllConfirmedDownloaded,
    Purged,
    Failed,
    /// A word that nobody knew when this was written.
    #[serde(other)]
    Another,
}

/// What that means for the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing has been uploaded.
    Open,
    /// Something has, at this time last.
    Begun(Timestamp),
    /// The platform has all of it.
    Taken,
    /// It cannot be used any more, and nobody will ever see it: another may be begun.
    Void,
    /// The platform has all of it and will not bring it further.
    Refused,
    /// Nobody can tell.
    Unclear,
}

impl Overview {
    /// Where it stands; of a failed one that is told by its history, which only its details have.
    pub(super) fn stage(&self, now: Timestamp) -> Stage {
        match self.file_transfer_status {
            Status::Initialized => Stage::Open,
            Status::UploadStarted => Stage::Begun(self.file_transfer_status_changed.unwrap_or(now)),
            Status::UploadProcessing | Status::Published | Status::AllConfirmedDownloaded | Status::Purged => {
                Stage::Taken
            }
            Status::Cancelled => Stage::Refused,
            Status::Failed => match &self.file_transfer_status_history {
                Some(history) if !history.iter().any(Change::is_of_all_of_it) => Stage::Void,
                Some(_) => Stage::Refused,
                None => Stage::Unclear,
            },
            Status::Another => Stage::Unclear,
        }
    }

    /// Tells whether only its details can say where it stands.
    pub(super) fn needs_details(&self) -> bool {
        self.file_transfer_status == Status::Failed
    }

    /// Tells whether it is the transfer that was asked for: an item is known by who sends it under which reference to whom.
    pub(super) fn is(&self, asked: &NewTransfer) -> bool {
        let same = |one: Option<&str>, other: Option<&String>| one.map(number) == other.map(|other| number(other));
        let recipient = match self.recipients.as_deref().unwrap_or_default() {
            [only] => only.recipient.as_deref(),
            _ => None,
        };
        self.senders_file_transfer_reference.as_deref() == Some(asked.senders_file_transfer_reference.as_str())
            && same(self.sender.as_deref(), Some(&asked.sender))
            && recipient.is_some()
            && same(recipient, asked.recipients.first())
    }

    /// When it came to where it stands, by which lists are ordered.
    pub(super) fn changed(&self) -> Option<Timestamp> {
        self.file_transfer_status_changed.or(self.created)
    }

    /// What has happened to it, as far as anybody wants to know, and whether that is all.
    pub(super) fn stand(&self, wanted: &[LateEvent], now: Timestamp) -> Stand {
        let changed = self.file_transfer_status_changed.unwrap_or(now);
        let status = self.file_transfer_status;
        let mut events = Vec::new();
        let is_visible = matches!(status, Status::Published | Status::AllConfirmedDownloaded | Status::Purged);
        if self.published.is_some() || is_visible {
            events.push((LateEvent::Published, self.published.unwrap_or(changed)));
        }
        let downloaded = self.downloaded(now).or((status == Status::AllConfirmedDownloaded).then_some(changed));
        events.extend(downloaded.map(|at| (LateEvent::Downloaded, at)));
        if matches!(status, Status::Failed | Status::Cancelled) {
            events.push((LateEvent::PublishFailed, changed));
        }
        if status == Status::Purged && downloaded.is_none() {
            events.push((LateEvent::Expired, changed));
        }
        let is_over = downloaded.is_some() || matches!(status, Status::Failed | Status::Cancelled | Status::Purged);
        events.retain(|(event, _)| wanted.contains(event));
        Stand { events, is_over }
    }

    /// When all recipients, of whom ours have one, had confirmed that they have it.
    fn downloaded(&self, now: Timestamp) -> Option<Timestamp> {
        let recipients = self.recipients.as_deref().filter(|recipients| !recipients.is_empty())?;
        let confirmed = |recipient: &Recipient| {
            let code = recipient.current_recipient_file_transfer_status_code.as_deref();
            (code == Some("DownloadConfirmed"))
                .then(|| recipient.current_recipient_file_transfer_status_changed.unwrap_or(now))
        };
        recipients.iter().map(confirmed).collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

impl Change {
    /// The platform looked into the file, so it had all of it.
    fn is_of_all_of_it(&self) -> bool {
        matches!(self.file_transfer_status, Status::UploadProcessing | Status::Published)
    }
}

/// The ids in a list.
pub(super) type Ids = Vec<Uuid>;

/// An organisation as requests name it.
pub(super) fn urn(number: &str) -> String {
    format!("urn:altinn:organization:identifier-no:{number}")
}

/// The number in either of the two ways to name an organisation.
fn number(party: &str) -> &str {
    party.rsplit(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview(more: &str) -> Overview {
        let text = format!(
            r#"{{"fileTransferStatusChanged":"2026-12-01T06:00:00+01:00","sendersFileTransferReference":"S-1",
                "sender":"0192:910000004",{more}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn told(more: &str) -> (Vec<LateEvent>, bool) {
        let stand = overview(more).stand(&LateEvent::ALL, Timestamp::UNIX_EPOCH);
        (stand.events.into_iter().map(|(event, _)| event).collect(), stand.is_over)
    }

    #[test]
    fn each_status_is_a_stage_and_news_or_none() {
        use LateEvent::{Downloaded, Expired, PublishFailed, Published};
        let changed: Timestamp = "2026-12-01T05:00:00Z".parse().unwrap();
        let table: [(&str, Stage, &[LateEvent], bool); 9] = [
            ("Initialized", Stage::Open, &[], false),
            ("UploadStarted", Stage::Begun(changed), &[], false),
            ("UploadProcessing", Stage::Taken, &[], false),
            ("Published", Stage::Taken, &[Published], false),
            ("AllConfirmedDownloaded", Stage::Taken, &[Published, Downloaded], true),
            ("Purged", Stage::Taken, &[Published, Expired], true),
            ("Cancelled", Stage::Refused, &[PublishFailed], true),
            ("Failed", Stage::Unclear, &[PublishFailed], true),
            ("SomethingNew", Stage::Unclear, &[], false),
        ];
        for (status, stage, events, is_over) in table {
            let text = format!(r#""fileTransferStatus":"{status}""#);
            assert_eq!(overview(&text).stage(Timestamp::UNIX_EPOCH), stage, "{status}");
            assert_eq!(told(&text), (events.to_vec(), is_over), "{status}");
        }
    }

    #[test]
    fn what_was_uploaded_whole_before_it_failed_is_refused() {
        let failed = |history: &str| {
            let text = format!(r#""fileTransferStatus":"Failed","fileTransferStatusHistory":[{history}]"#);
            overview(&text).stage(Timestamp::UNIX_EPOCH)
        };
        let started = r#"{"fileTransferStatus":"UploadStarted"},{"fileTransferStatus":"Failed"}"#;
        assert_eq!(failed(started), Stage::Void);
        assert_eq!(failed(&format!(r#"{started},{{"fileTransferStatus":"UploadProcessing"}}"#)), Stage::Refused);
    }

    #[test]
    fn a_download_is_told_when_it_is_confirmed() {
        let with = |status: &str, code: &str| {
            told(&format!(
                r#""fileTransferStatus":"{status}","recipients":[{{"recipient":"0192:910000012",
                   "currentRecipientFileTransferStatusCode":"{code}"}}]"#
            ))
        };
        assert_eq!(with("Published", "DownloadStarted"), (vec![LateEvent::Published], false));
        let both = (vec![LateEvent::Published, LateEvent::Downloaded], true);
        assert_eq!(with("Published", "DownloadConfirmed"), both);
        assert_eq!(with("Purged", "DownloadConfirmed"), both);
        assert_eq!(with("Purged", "Initialized"), (vec![LateEvent::Published, LateEvent::Expired], true));
    }

    #[test]
    fn a_transfer_is_known_by_sender_reference_and_its_only_recipient() {
        let asked = NewTransfer {
            file_name: "a.zip".into(),
            resource_id: "r".into(),
            senders_file_transfer_reference: "S-1".into(),
            sender: urn("910000004"),
            recipients: vec![urn("910000012")],
            property_list: BTreeMap::new(),
            checksum: None,
            disable_virus_scan: false,
        };
        let with = |recipients: &str| {
            overview(&format!(r#""fileTransferStatus":"Initialized","recipients":[{recipients}]"#)).is(&asked)
        };
        let ours = r#"{"recipient":"urn:altinn:organization:identifier-no:910000012"}"#;
        assert!(with(ours) && with(r#"{"recipient":"0192:910000012"}"#));
        assert!(!with("") && !with(r#"{"recipient":"0192:910000020"}"#) && !with(&format!("{ours},{ours}")));
        let other = NewTransfer { senders_file_transfer_reference: "S-2".into(), ..asked.clone() };
        let text = format!(r#""fileTransferStatus":"Initialized","recipients":[{ours}]"#);
        assert!(!overview(&text).is(&other));
        assert!(!overview(&text).is(&NewTransfer { sender: urn("910000020"), ..asked }));
    }
}
