//! The receiver that pushes to SFTP servers, against servers of others.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use jiff::Timestamp;
use sluse::adapters::file_receiver::{FileReceiver, FileReceiverSettings};
use sluse::adapters::local_store::LocalStore;
use sluse::adapters::sftp_client::SftpStore;
use sluse::codes;
use sluse::ports::{Consignment, Content, DeliveryError, FileSeen, FileStore, Receiver, StoreError};

use super::conformance::conforms;
use super::setup::item;
use crate::file_store::conformance::bytes;
use crate::support::scripted_ssh::{Scripted, attributes, framed, sound, status, string};
use crate::support::ssh_peers::{Kind, SshPeer};

const KINDS: [Kind; 2] = [Kind::OpenSsh, Kind::ProFtpd];

fn settings(replace: bool) -> FileReceiverSettings {
    FileReceiverSettings { temporary: ".{name}.part".to_owned(), replace }
}

fn receiver(server: &SshPeer, replace: bool) -> FileReceiver {
    FileReceiver::new(Arc::new(SftpStore::new(server.peer(), &server.path_of_root(), None)), settings(replace))
}

fn item_of(number: u64, content: &[u8]) -> Consignment {
    Consignment { batch: Content::from_bytes(content.to_vec()), ..item(number) }
}

/// Everything in the server's folder, by name.
fn lies_there(server: &SshPeer) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(server.root())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_servers_keep_the_promises_of_a_receiver() {
    for server in KINDS.into_iter().filter_map(SshPeer::start) {
        conforms(&receiver(&server, false)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_name_is_left_alone_unless_it_is_to_be_replaced() {
    for server in KINDS.into_iter().filter_map(SshPeer::start) {
        let item = item_of(1, b"ours");
        let name = format!("{}.xml", item.key);
        fs::write(server.root().join(&name), "somebody else's").unwrap();
        let refused = receiver(&server, false).deliver(&item).await.unwrap_err();
        assert!(matches!(refused, DeliveryError::Refused { code } if code == codes::RECEIVER_CONFLICT), "{refused}");
        assert!(matches!(receiver(&server, false).look_up(&item).await, Err(DeliveryError::Unclear)));
        assert_eq!(lies_there(&server), [(name.clone(), b"somebody else's".to_vec())]);

        receiver(&server, true).deliver(&item).await.unwrap();
        assert_eq!(lies_there(&server), [(name.clone(), b"ours".to_vec())]);
        // Our own, from an attempt whose answer was lost.
        let again = receiver(&server, false).deliver(&item).await.unwrap();
        assert_eq!(receiver(&server, false).look_up(&item).await.unwrap(), Some(again));
        assert_eq!(lies_there(&server), [(name, b"ours".to_vec())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_it_takes_a_file_gets_the_rest_of_it_later() {
    for kind in KINDS {
        let Some(server) = SshPeer::start(kind) else { continue };
        let content = bytes(24 << 20);
        let server = Arc::new(Mutex::new(server));
        let killing = Arc::clone(&server);
        let all = content.clone();
        let ours = Content::new(move || {
            let killing = Arc::clone(&killing);
            let pieces: Vec<_> = all.chunks(1 << 20).map(Bytes::copy_from_slice).collect();
            let pieces = stream::iter(pieces.into_iter().enumerate()).map(move |(number, piece)| {
                if number == 20 {
                    killing.lock().unwrap().kill();
                }
                Ok(piece)
            });
            pieces.boxed()
        });
        let (peer, root) = {
            let server = server.lock().unwrap();
            (server.peer(), server.path_of_root())
        };
        let store = Arc::new(Recording::of(SftpStore::new(peer, &root, None)));
        let receiver = FileReceiver::new(store.clone(), settings(false));
        let broken = receiver.deliver(&Consignment { batch: ours, ..item(1) }).await.unwrap_err();
        assert!(matches!(broken, DeliveryError::Later { code, .. } if code == codes::UNREACHABLE), "{broken}");
        let down = receiver.deliver(&item_of(1, &content)).await.unwrap_err();
        assert!(matches!(down, DeliveryError::Later { code, .. } if code == codes::UNREACHABLE), "{down}");

        server.lock().unwrap().run();
        let delivered = receiver.deliver(&item_of(1, &content)).await.unwrap();
        let there = lies_there(&server.lock().unwrap());
        assert!(there == [(delivered.receivers_reference, content)], "{kind:?}: not what was sent");
        let offsets = store.offsets.lock().unwrap().clone();
        assert!(matches!(offsets[..], [0, resumed] if resumed > 1 << 20), "{kind:?}: {offsets:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_of_another_content_is_not_gone_on_from() {
    let Some(server) = SshPeer::start(Kind::OpenSsh) else { return };
    let content = bytes(3 << 20);
    let item = item_of(1, &content);
    let mut other = content[..2 << 20].to_vec();
    other[1_500_000] ^= 1;
    for left in [other, [&content[..], b"and more"].concat(), content[..1000].to_vec()] {
        fs::write(server.root().join(format!(".{}.xml.part", item.key)), left).unwrap();
        receiver(&server, true).deliver(&item).await.unwrap();
        assert!(lies_there(&server) == [(format!("{}.xml", item.key), content.clone())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_it_gives_a_file_gives_the_rest_of_it_later() {
    for kind in KINDS {
        let Some(mut server) = SshPeer::start(kind) else { continue };
        let content = bytes(24 << 20);
        fs::write(server.root().join("large"), &content).unwrap();
        let store = SftpStore::new(server.peer(), &server.path_of_root(), None);
        let mut got = Vec::new();
        let mut pieces = store.read("large", 0).await.unwrap();
        let broken = loop {
            match pieces.next().await.expect("it breaks before its end") {
                Ok(piece) => got.extend_from_slice(&piece),
                Err(error) => break error,
            }
            if got.len() > 2 << 20 {
                server.kill();
            }
        };
        assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset, "{broken}");
        assert!(pieces.next().await.is_none());
        assert!(matches!(store.stat("large").await, Err(StoreError::Unreachable(_))));
        server.run();
        let rest: Vec<_> = store.read("large", got.len() as u64).await.unwrap().collect().await;
        rest.into_iter().for_each(|piece| got.extend_from_slice(&piece.unwrap()));
        assert!(got == content, "{kind:?}: other bytes than the file's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_without_an_answer_is_unknown_and_looked_up() {
    // RENAME has its effect and then the line breaks, by a packet that none is as long as; the name is free before.
    let renamed = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&renamed);
    let server = Scripted::start(move |kind, id, body| match kind {
        7 if body.ends_with(b"xml") && !*seen.lock().unwrap() => status(id, 2),
        18 => {
            *seen.lock().unwrap() = true;
            vec![0xff; 8]
        }
        _ => sound(kind, id, body),
    })
    .await;
    let receiver = FileReceiver::new(Arc::new(SftpStore::new(server.peer(), "", None)), settings(false));
    let item = item_of(1, crate::support::scripted_ssh::CONTENT);
    let unknown = receiver.deliver(&item).await.unwrap_err();
    assert!(matches!(unknown, DeliveryError::Unknown { .. }), "{unknown}");
    let found = receiver.look_up(&item).await.unwrap().unwrap();
    assert_eq!(found.receivers_reference, format!("{}.xml", item.key));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_going_on_is_refused_a_file_is_written_anew_in_the_same_attempt() {
    let content = bytes(3 << 20);
    let all = content.len() as u64;
    let refusals: [fn() -> StoreError; 3] =
        [|| StoreError::Failed(8), || StoreError::Denied, || StoreError::Nonsense("a file without a size")];
    for (refusal, left, expected) in [
        (refusals[0], 2 << 20, vec![2 << 20, 0]),
        (refusals[1], 2 << 20, vec![2 << 20, 0]),
        (refusals[2], 2 << 20, vec![2 << 20, 0]),
        (refusals[0], all, vec![all]),
        (refusals[2], all, vec![all, 0]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Recording { refusal: Some(refusal), ..Recording::of(LocalStore::new(dir.path())) });
        let item = item_of(1, &content);
        fs::write(dir.path().join(format!(".{}.xml.part", item.key)), &content[..left as usize]).unwrap();
        let delivered = FileReceiver::new(store.clone(), settings(false)).deliver(&item).await.unwrap();
        assert!(fs::read(dir.path().join(delivered.receivers_reference)).unwrap() == content);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left over");
        assert_eq!(*store.offsets.lock().unwrap(), expected, "{}", refusal());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_written_and_not_read_is_written_anew() {
    let content = bytes(3 << 20);
    let unreadable: [fn() -> StoreError; 2] = [|| StoreError::Denied, || StoreError::NotFound];
    for refusal in unreadable {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Recording { unreadable: Some(refusal), ..Recording::of(LocalStore::new(dir.path())) });
        let item = item_of(1, &content);
        fs::write(dir.path().join(format!(".{}.xml.part", item.key)), &content[..2 << 20]).unwrap();
        let delivered = FileReceiver::new(store.clone(), settings(false)).deliver(&item).await.unwrap();
        assert!(fs::read(dir.path().join(delivered.receivers_reference)).unwrap() == content);
        assert_eq!(*store.offsets.lock().unwrap(), [0], "{}", refusal());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anothers_file_that_takes_the_name_at_the_last_moment_is_a_conflict() {
    for (theirs, is_ours) in [(&b"another's"[..], false), (b"ours", true)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let overtaken = move |name: &str| fs::write(path.join(name), theirs).unwrap();
        let store = Recording { overtaken: Some(Box::new(overtaken)), ..Recording::of(LocalStore::new(dir.path())) };
        let delivered = FileReceiver::new(Arc::new(store), settings(false)).deliver(&item_of(1, b"ours")).await;
        match delivered {
            Ok(_) => assert!(is_ours),
            Err(DeliveryError::Refused { code }) => assert!(!is_ours && code == codes::RECEIVER_CONFLICT),
            Err(error) => panic!("{error}"),
        }
        let name = format!("{}.xml", item(1).key);
        assert_eq!(fs::read(dir.path().join(name)).unwrap(), theirs);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_not_bring_to_disk_is_not_delivered() {
    let content: Arc<[u8]> = bytes(300_000).into();
    let (renamed, all) = (Arc::new(Mutex::new(false)), Arc::clone(&content));
    let seen = Arc::clone(&renamed);
    let server = Scripted::start(move |kind, id, body| match kind {
        1 => framed(2, 3, &[string(b"fsync@openssh.com"), string(b"1")].concat()),
        // All of it lies there under its temporary name.
        7 if body.ends_with(b"xml") => status(id, 2),
        7 | 8 | 17 => framed(105, id, &attributes(Some(all.len() as u64), Some(0o100_644), Some(1))),
        5 => {
            let offset = u64::from_be_bytes(body[5..13].try_into().unwrap()) as usize;
            let rest = all.get(offset..).unwrap_or_default();
            if rest.is_empty() { status(id, 1) } else { framed(103, id, &string(&rest[..rest.len().min(32_768)])) }
        }
        200 => status(id, 4),
        18 => {
            *seen.lock().unwrap() = true;
            status(id, 0)
        }
        _ => sound(kind, id, body),
    })
    .await;
    let receiver = FileReceiver::new(Arc::new(SftpStore::new(server.peer(), "", None)), settings(false));
    let error = receiver.deliver(&item_of(1, &content)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Later { code, .. } if code == codes::RECEIVER_FAULT), "{error}");
    assert!(!*renamed.lock().unwrap());
}

/// What happens to a name just before a file is to have it.
type Overtaken = Box<dyn Fn(&str) + Send + Sync>;

/// A store that remembers from where files were written, and may not let anybody go on with one, read one, or be first.
struct Recording {
    store: Box<dyn FileStore>,
    offsets: Mutex<Vec<u64>>,
    refusal: Option<fn() -> StoreError>,
    unreadable: Option<fn() -> StoreError>,
    overtaken: Option<Overtaken>,
}

impl Recording {
    fn of(store: impl FileStore + 'static) -> Self {
        Self { store: Box::new(store), offsets: Mutex::default(), refusal: None, unreadable: None, overtaken: None }
    }
}

#[async_trait]
impl FileStore for Recording {
    async fn list(
        &self,
        dir: &str,
        depth: u32,
    ) -> Result<BoxStream<'static, Result<FileSeen, StoreError>>, StoreError> {
        self.store.list(dir, depth).await
    }

    async fn stat(&self, path: &str) -> Result<Option<FileSeen>, StoreError> {
        self.store.stat(path).await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.now().await
    }

    async fn read(&self, path: &str, offset: u64) -> Result<BoxStream<'static, io::Result<Bytes>>, StoreError> {
        match self.unreadable {
            Some(refusal) => Err(refusal()),
            None => self.store.read(path, offset).await,
        }
    }

    async fn write(
        &self,
        path: &str,
        offset: u64,
        bytes: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<u64, StoreError> {
        self.offsets.lock().unwrap().push(offset);
        if let Some(refusal) = self.refusal.filter(|_| offset > 0) {
            return Err(refusal());
        }
        self.store.write(path, offset, bytes).await
    }

    async fn rename(&self, from: &str, to: &str, replace: bool) -> Result<(), StoreError> {
        if let Some(overtaken) = &self.overtaken {
            overtaken(to);
        }
        self.store.rename(from, to, replace).await
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.store.remove(path).await
    }

    async fn make_dir(&self, path: &str) -> Result<(), StoreError> {
        self.store.make_dir(path).await
    }
}
