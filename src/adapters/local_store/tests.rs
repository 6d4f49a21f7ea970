use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{TryStreamExt as _, stream};

use super::*;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

struct Place {
    dir: tempfile::TempDir,
    store: LocalStore,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        let store = LocalStore::new(dir.path().join("in"));
        Self { dir, store }
    }

    fn put(&self, path: &str, bytes: &str) {
        fs::write(self.dir.path().join("in").join(path), bytes).unwrap();
    }

    async fn list(&self, depth: u32) -> Vec<String> {
        let seen: Vec<_> = self.store.list("", depth).await.unwrap().try_collect().await.unwrap();
        let mut paths: Vec<_> = seen.into_iter().map(|seen| seen.path).collect();
        paths.sort();
        paths
    }

    async fn read(&self, path: &str, offset: u64) -> Result<Vec<u8>, StoreError> {
        let pieces: Vec<Bytes> = self.store.read(path, offset).await?.try_collect().await.unwrap();
        Ok(pieces.concat())
    }
}

fn bytes(text: &'static str) -> BoxStream<'static, io::Result<Bytes>> {
    stream::iter([Ok(Bytes::from(text))]).boxed()
}

#[tokio::test]
async fn no_link_is_followed_and_none_is_seen() {
    let place = Place::new();
    fs::write(place.dir.path().join("secret"), "secret").unwrap();
    fs::create_dir(place.dir.path().join("elsewhere")).unwrap();
    fs::write(place.dir.path().join("elsewhere/a.xml"), "secret").unwrap();
    let inside = place.dir.path().join("in");
    symlink("../secret", inside.join("link.xml")).unwrap();
    symlink("../elsewhere", inside.join("dir")).unwrap();
    place.put("a.xml", "a");
    assert_eq!(place.list(3).await, ["a.xml"]);
    for path in ["link.xml", "dir/a.xml"] {
        assert_eq!(place.store.stat(path).await.unwrap(), None, "{path}");
        assert!(place.read(path, 0).await.is_err(), "{path}");
        assert!(place.store.write(path, 0, bytes("x")).await.is_err(), "{path}");
    }
    assert!(place.store.rename("a.xml", "dir/a.xml", true).await.is_err());
    for path in ["../secret", "in/../../secret", "/etc/passwd", "", ".", "a\0b"] {
        assert!(place.read(path, 0).await.is_err(), "{path:?}");
        assert!(place.store.remove(path).await.is_err() || !path.contains(".."), "{path:?}");
    }
    assert_eq!(fs::read(place.dir.path().join("secret")).unwrap(), b"secret");
    assert_eq!(fs::read(place.dir.path().join("elsewhere/a.xml")).unwrap(), b"secret");
    // A link itself may be taken away; what it leads to stays.
    place.store.remove("link.xml").await.unwrap();
    assert!(place.dir.path().join("secret").exists());
}

#[tokio::test]
async fn a_pipe_keeps_nobody_waiting() {
    let place = Place::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.dir.path().join("in/pipe.xml"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert!(place.list(0).await.is_empty());
    assert!(matches!(place.read("pipe.xml", 0).await, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn depth_says_how_far_a_listing_goes() {
    let place = Place::new();
    fs::create_dir_all(place.dir.path().join("in/one/two")).unwrap();
    for path in ["a.xml", "one/b.xml", "one/two/c.xml"] {
        place.put(path, "x");
    }
    assert_eq!(place.list(0).await, ["a.xml"]);
    assert_eq!(place.list(1).await, ["a.xml", "one/b.xml"]);
    assert_eq!(place.list(9).await, ["a.xml", "one/b.xml", "one/two/c.xml"]);
}

#[tokio::test]
async fn a_file_is_read_on_from_an_offset_and_written_on_too() {
    let place = Place::new();
    place.store.make_dir("receipts/new").await.unwrap();
    place.store.make_dir("receipts/new").await.unwrap();
    assert_eq!(place.store.write("receipts/new/r", 0, bytes("hello")).await.unwrap(), 5);
    assert_eq!(place.store.write("receipts/new/r", 3, bytes("p me")).await.unwrap(), 7);
    assert_eq!(place.read("receipts/new/r", 0).await.unwrap(), b"help me");
    assert_eq!(place.read("receipts/new/r", 5).await.unwrap(), b"me");
    assert!(matches!(place.read("receipts/new/r", 9).await, Err(StoreError::Nonsense(_))));
    assert_eq!(place.store.write("receipts/new/r", 0, bytes("x")).await.unwrap(), 1);
    assert_eq!(place.read("receipts/new/r", 0).await.unwrap(), b"x");
}

#[tokio::test]
async fn a_rename_never_replaces_unless_told() {
    let place = Place::new();
    place.put("a", "a");
    place.put("b", "b");
    assert!(matches!(place.store.rename("a", "b", false).await, Err(StoreError::Exists)));
    assert_eq!(place.list(0).await, ["a", "b"]);
    place.store.rename("a", "c", false).await.unwrap();
    place.store.rename("c", "b", true).await.unwrap();
    assert_eq!(place.read("b", 0).await.unwrap(), b"a");
    assert!(matches!(place.store.rename("gone", "d", false).await, Err(StoreError::NotFound)));
    place.store.remove("b").await.unwrap();
    place.store.remove("b").await.unwrap();
    assert!(place.list(0).await.is_empty());
}

#[tokio::test]
async fn a_name_that_is_no_utf_8_is_listed_and_read() {
    let place = Place::new();
    let name = OsString::from_vec(b"skjema \xe6\xf8\xe5.xml".to_vec());
    fs::write(place.dir.path().join("in").join(&name), "latin").unwrap();
    let paths = place.list(0).await;
    assert_eq!(paths.len(), 1);
    assert_eq!(place.read(&paths[0], 0).await.unwrap(), b"latin");
    place.store.remove(&paths[0]).await.unwrap();
    assert!(place.list(0).await.is_empty());
}

#[tokio::test]
async fn a_change_rings() {
    let place = Place::new();
    let bell = Arc::new(tokio::sync::Notify::new());
    let _watcher = Watcher::start(&place.dir.path().join("in"), false, Arc::clone(&bell)).unwrap();
    place.put("a.xml", "a");
    tokio::time::timeout(PATIENCE, bell.notified()).await.unwrap();
    assert!(Watcher::start(&place.dir.path().join("gone"), false, bell).is_err());
}

#[tokio::test]
async fn what_fails_of_one_file_is_not_the_directory_out_of_reach() {
    for errno in [Errno::IO, Errno::BUSY, Errno::STALE] {
        assert!(matches!(failure(errno.into()), StoreError::Failed(_)), "{errno}");
    }
    assert!(matches!(failure(Errno::NOTCONN.into()), StoreError::Unreachable(_)));
    let place = Place::new();
    place.put("a", "a");
    let long = "a".repeat(256);
    assert!(matches!(place.store.rename("a", &long, false).await, Err(StoreError::Failed(_))));
    // Opened and gone bad since: a directory in its place cannot be read.
    let mut bytes = files::bytes(fs::File::open(place.dir.path()).unwrap(), 0, Blocking::new(1));
    let error = bytes.next().await.unwrap().unwrap_err();
    assert!(error.downcast::<StoreError>().is_ok());
}

#[tokio::test]
async fn a_mount_that_hangs_keeps_few_threads() {
    let place = Place::new();
    let (end, hang) = std::sync::mpsc::channel::<()>();
    let (hang, begun) = (Arc::new(std::sync::Mutex::new(hang)), Arc::new(AtomicUsize::new(0)));
    let threads_begun = async || {
        while begun.load(Ordering::SeqCst) < THREADS {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for number in 0..4 * THREADS {
        if number == THREADS {
            tokio::time::timeout(PATIENCE, threads_begun()).await.expect("every thread is at work");
        }
        let (hang, begun) = (Arc::clone(&hang), Arc::clone(&begun));
        let call = place.store.on_disk(move |_| {
            begun.fetch_add(1, Ordering::SeqCst);
            let _ = hang.lock().unwrap().recv();
            Ok(())
        });
        // Who asked has left, and the thread has not.
        assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
    }
    assert_eq!(begun.load(Ordering::SeqCst), THREADS);
    drop(end);
    assert_eq!(place.store.stat("a").await.unwrap(), None);
}
