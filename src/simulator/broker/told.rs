//! What becomes of transfers, told as events.

use jiff::Timestamp;
use uuid::Uuid;

use super::asked::number;
use crate::simulator::World;
use crate::simulator::events::Told;

impl World {
    /// Tells what a transfer has come to with its last step, and what comes of that by itself.
    pub(super) fn tell_step(&self, id: Uuid) {
        let step = self.desk().transfers.get(&id).map(|transfer| {
            let has_malware = transfer.stored.as_ref().is_some_and(|stored| stored.has_malware);
            (transfer.history.last().copied(), has_malware)
        });
        let Some((Some((status, at)), has_malware)) = step else { return };
        match status {
            "Initialized" => self.tell_parties(id, "filetransferinitialized", at),
            "Failed" => self.tell_parties(id, "uploadfailed", at),
            "UploadProcessing" => {
                self.tell_parties(id, "uploadprocessing", at);
                let scanned = at.checked_add(self.scan()).unwrap_or(Timestamp::MAX);
                self.tell_parties(id, if has_malware { "uploadfailed" } else { "published" }, scanned);
            }
            _ => {}
        }
    }

    /// Sets what has become of a transfer; `false` when there is none.
    pub(in crate::simulator) fn set_transfer_status(&self, id: Uuid, status: &str) -> bool {
        let is_there = self.desk().set_status(id, status);
        if is_there {
            self.events().forget_due(&id.to_string());
            let what: &[&str] = match status {
                "Published" => &["published"],
                "Failed" => &["uploadfailed"],
                "DownloadConfirmed" => &["downloadconfirmed", "allconfirmeddownloaded"],
                "AllConfirmedDownloaded" => &["allconfirmeddownloaded"],
                "Purged" => &["filepurged"],
                _ => &[],
            };
            what.iter().for_each(|what| self.tell_parties(id, what, Timestamp::now()));
        }
        is_there
    }

    /// Tells the sender, and of a file that can be fetched its recipients.
    fn tell_parties(&self, id: Uuid, what: &str, at: Timestamp) {
        let parties = self.desk().transfers.get(&id).map(|transfer| {
            let asked = &transfer.asked;
            (asked.resource_id.clone(), asked.sender.clone(), asked.recipients.clone())
        });
        let Some((resource, sender, recipients)) = parties else { return };
        let tell = |party: &str, role| {
            let subject = format!("urn:altinn:organization:identifier-no:{}", number(party).unwrap_or_default());
            self.tell_transfer(&Told { resource: &resource, id, subject: &subject, role }, what, at);
        };
        tell(&sender, "Sender");
        if what == "published" {
            recipients.iter().for_each(|recipient| tell(recipient, "Recipient"));
        }
    }
}
