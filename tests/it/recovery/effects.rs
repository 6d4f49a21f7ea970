//! What took effect at a receiver, counted item by item; panics when something did twice.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sluse::model::SoapVersion;

use crate::broker::addressee;
use crate::support::gateway::{Home, Receiver};
use crate::support::http_receiver::{Inbox, serve};
use crate::support::judged::judged;
use crate::support::soap_receiver::{Act, SoapInbox};
use crate::support::ssh_peers::{Kind, SshPeer};

/// Where items go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The simulator's apps.
    Altinn,
    /// The simulator's messages.
    Messages,
    /// The simulator's transfers.
    Broker,
    /// An HTTP receiver.
    Http,
    /// A SOAP receiver.
    Soap,
    /// A directory.
    Directory,
    /// An SFTP server.
    Sftp(Kind),
}

/// The receiver's view; it outlives the gateway's process.
pub(super) struct Effects {
    at: At,
    inbox: Inbox,
    soap: SoapInbox,
    server: Option<SshPeer>,
}

impl Effects {
    /// Those at the simulator.
    pub(super) fn of_simulator() -> Self {
        Self { at: At::Altinn, inbox: Inbox::default(), soap: soap(), server: None }
    }

    /// A receiver without any; `None` where it cannot be had on this machine.
    pub(super) async fn begin(at: At) -> Option<(Self, Receiver)> {
        let (inbox, soap) = (Inbox::default(), soap());
        let mut server = None;
        let receiver = match at {
            At::Altinn => Receiver::Altinn,
            At::Messages => Receiver::Messages,
            At::Broker => Receiver::Broker,
            At::Http => Receiver::Http(serve(inbox.clone()).await),
            At::Soap => Receiver::Soap(soap.serve().await),
            At::Directory => Receiver::Directory,
            At::Sftp(kind) => Receiver::Sftp(server.insert(SshPeer::start(kind)?).receiver()),
        };
        Some((Self { at, inbox, soap, server }, receiver))
    }

    /// Items that took effect, those of batches one by one.
    pub(super) fn count(&self, home: &Home) -> u64 {
        match self.at {
            At::Altinn => {
                let seen = home.simulator.effects();
                assert_eq!(seen.repeated, [], "items took effect twice\n{}", home.log());
                seen.total
            }
            At::Messages => {
                let seen = home.simulator.message_counts();
                assert_eq!(seen.repeated, 0, "messages were sent twice: {seen:?}\n{}", home.log());
                seen.total
            }
            At::Broker => {
                let seen = home.simulator.transfer_counts();
                assert_eq!(seen.uploaded, seen.uploaded_items, "files went twice: {seen:?}\n{}", home.log());
                // Only what was cut off in the middle of a piece, and is never shown to anybody, is begun anew.
                assert!(seen.begun <= seen.begun_items + seen.breaks, "begun twice: {seen:?}\n{}", home.log());
                seen.uploaded
            }
            At::Http => {
                let again = self.inbox.again.lock().unwrap();
                assert!(again.is_empty(), "sent again though it is there: {again:?}\n{}", home.log());
                let taken = self.inbox.taken.lock().unwrap();
                items(taken.values().map(|(_, body)| body.to_vec()))
            }
            At::Soap => {
                let taken = self.soap.taken.lock().unwrap();
                assert!(taken.values().any(|took| !took.attachments.is_empty()), "attachments go beside batches");
                items(taken.values().map(|took| took.batch.clone()))
            }
            At::Directory => files(&home.path("out")),
            At::Sftp(_) => files(&self.server.as_ref().unwrap().root()),
        }
    }
}

/// A SOAP receiver that meets every kind of trouble once.
fn soap() -> SoapInbox {
    let inbox = SoapInbox::new(SoapVersion::V11, true);
    inbox.script(&[Act::TakeAndLose, Act::Fault]);
    inbox
}

/// Counts what lies in a folder.
fn files(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names: Vec<_> = entries.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.')).collect();
    let received = names.iter().filter(|path| path.extension().unwrap() != "recipient");
    items(received.map(|path| fs::read(path).unwrap()))
}

/// Counts what was received: an archive for a recipient, or a valid batch of some items.
fn items(received: impl Iterator<Item = Vec<u8>>) -> u64 {
    let (mut seen, mut total) = (BTreeSet::new(), 0);
    let mut note = |name: String| {
        total += 1;
        assert!(seen.insert(name.clone()), "{name} was received twice");
    };
    for bytes in received {
        if bytes.starts_with(b"PK") {
            note(addressee(&bytes));
            continue;
        }
        let judged = judged(&bytes, &[]);
        assert_eq!((judged.judgement.refusal, judged.findings.len()), (None, 0));
        judged.items.into_iter().for_each(|item| note(item.senders_reference));
    }
    total
}
