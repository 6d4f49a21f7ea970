//! What every `FileStore` promises, run on each of them.
//!
//! A store is given with the local folder it shows, so that a test can lay and see files behind its back.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use sluse::ports::{FileStore, StoreError};

/// Runs all of it in a folder that is empty.
pub(crate) async fn conforms(store: &dyn FileStore, root: &Path) {
    lists_files_and_nothing_else(store, root).await;
    goes_as_deep_as_it_is_told(store, root).await;
    tells_of_one_file(store, root).await;
    reads_from_any_place(store, root).await;
    writes_and_goes_on(store, root).await;
    keeps_what_came_before_our_bytes_failed(store, root).await;
    renames_without_losing_anything(store, root).await;
    removes_what_is_there_and_what_is_not(store, root).await;
    makes_directories(store, root).await;
    leads_nowhere_else(store, root).await;
    tells_the_time_or_that_it_cannot(store).await;
}

/// Bytes as our side has them, in pieces.
pub(crate) fn pieces(bytes: &[u8], length: usize) -> BoxStream<'static, io::Result<Bytes>> {
    let pieces: Vec<_> = bytes.chunks(length.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}

/// Bytes that look like nothing else, the same for the same length.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// All the bytes of a file from an offset.
pub(crate) async fn all(store: &dyn FileStore, path: &str, offset: u64) -> Vec<u8> {
    let pieces: Vec<Bytes> = store.read(path, offset).await.unwrap().try_collect().await.unwrap();
    pieces.concat()
}

async fn names(store: &dyn FileStore, dir: &str, depth: u32) -> Vec<String> {
    let mut files: Vec<_> = store.list(dir, depth).await.unwrap().try_collect().await.unwrap();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.into_iter().map(|file| file.path).collect()
}

async fn lists_files_and_nothing_else(store: &dyn FileStore, root: &Path) {
    let dir = root.join("list");
    fs::create_dir(&dir).unwrap();
    assert_eq!(names(store, "list", 9).await, [""; 0]);
    assert!(matches!(store.list("nowhere", 0).await, Err(StoreError::NotFound)));

    let many: BTreeSet<String> = (0..1_234).map(|number| format!("list/{number}.xml")).collect();
    many.iter().for_each(|name| fs::write(root.join(name), name).unwrap());
    fs::create_dir(dir.join("below")).unwrap();
    std::os::unix::fs::symlink(root.join("list/1.xml"), dir.join("link")).unwrap();
    std::os::unix::fs::symlink(root, dir.join("loop")).unwrap();
    fs::write(dir.join(std::ffi::OsStr::from_bytes(b"k\xe6re.xml")), "latin").unwrap();
    for odd in ["æøå kjære.xml", ".hidden", "with blank", "semi;colon", "new\\line", "*"] {
        fs::write(dir.join(odd), odd).unwrap();
    }
    let mut seen = names(store, "list", 9).await;
    // A name that is no UTF-8 is spelled with characters that nobody uses.
    let spelled: Vec<_> = seen.extract_if(.., |name| name.chars().any(|c| c >= '\u{10fe00}')).collect();
    let [spelled] = &spelled[..] else { panic!("{spelled:?}") };
    assert_eq!(all(store, spelled, 0).await, b"latin");
    assert_eq!(store.stat(spelled).await.unwrap().unwrap().size_bytes, 5);
    let aside = format!("{spelled}.aside");
    store.rename(spelled, &aside, false).await.unwrap();
    assert!(dir.join(std::ffi::OsStr::from_bytes(b"k\xe6re.xml.aside")).exists());
    store.remove(&aside).await.unwrap();
    let odd: Vec<String> = seen.iter().filter(|name| !many.contains(*name)).cloned().collect();
    assert_eq!(
        odd,
        ["list/*", "list/.hidden", "list/new\\line", "list/semi;colon", "list/with blank", "list/æøå kjære.xml"]
    );
    seen.retain(|name| many.contains(name));
    assert_eq!(seen, many.into_iter().collect::<Vec<_>>());
}

async fn goes_as_deep_as_it_is_told(store: &dyn FileStore, root: &Path) {
    fs::create_dir_all(root.join("deep/a/b/c")).unwrap();
    for path in ["deep/0", "deep/a/1", "deep/a/b/2", "deep/a/b/c/3"] {
        fs::write(root.join(path), path).unwrap();
    }
    assert_eq!(names(store, "deep", 0).await, ["deep/0"]);
    assert_eq!(names(store, "deep", 2).await, ["deep/0", "deep/a/1", "deep/a/b/2"]);
    assert_eq!(names(store, "deep/a", 1).await, ["deep/a/1", "deep/a/b/2"]);
    let from_root = names(store, "", 9).await;
    assert!(from_root.contains(&"deep/a/b/c/3".to_owned()), "{from_root:?}");
}

async fn tells_of_one_file(store: &dyn FileStore, root: &Path) {
    fs::create_dir(root.join("stat")).unwrap();
    fs::write(root.join("stat/a"), bytes(12_345)).unwrap();
    let changed = fs::File::options().write(true).open(root.join("stat/a")).unwrap();
    changed.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
    std::os::unix::fs::symlink(root.join("stat/a"), root.join("stat/link")).unwrap();
    let seen = store.stat("stat/a").await.unwrap().unwrap();
    assert_eq!((seen.path.as_str(), seen.size_bytes), ("stat/a", 12_345));
    assert_eq!(seen.modified.as_second(), 1_700_000_000);
    let listed: Vec<_> = store.list("stat", 0).await.unwrap().try_collect().await.unwrap();
    assert_eq!(listed, [seen]);
    for nothing in ["stat/b", "stat", "stat/link", "nowhere/a"] {
        assert_eq!(store.stat(nothing).await.unwrap(), None, "{nothing}");
    }
}

async fn reads_from_any_place(store: &dyn FileStore, root: &Path) {
    for length in [0, 1, 32_767, 32_768, 32_769, 65_536, 5_000_001] {
        let content = bytes(length);
        fs::write(root.join("read"), &content).unwrap();
        for offset in [0, 1, length / 2, length.saturating_sub(1), length] {
            let read = all(store, "read", offset.min(length) as u64).await;
            assert_eq!(read, content[offset.min(length)..], "{length} from {offset}");
        }
    }
    assert!(matches!(store.read("nowhere", 0).await.err(), Some(StoreError::NotFound)));
    assert!(store.read("read", 5_000_002).await.is_err(), "it is shorter than that");
    // Who has seen enough leaves, and others go on.
    drop(store.read("read", 0).await.unwrap().next().await.unwrap().unwrap());
    let (one, two) = (all(store, "read", 0), all(store, "read", 7));
    let (one, two) = futures::join!(one, two);
    assert_eq!(one[7..], two);
}

async fn writes_and_goes_on(store: &dyn FileStore, root: &Path) {
    for (length, piece) in [(0, 1), (1, 1), (40_000, 7), (32_768, 32_768), (3_000_000, 100_000)] {
        let content = bytes(length);
        assert_eq!(store.write("write", 0, pieces(&content, piece)).await.unwrap(), length as u64);
        assert_eq!(fs::read(root.join("write")).unwrap(), content, "{length} in pieces of {piece}");
    }
    // Shorter than what was there.
    store.write("write", 0, pieces(b"short", 2)).await.unwrap();
    assert_eq!(fs::read(root.join("write")).unwrap(), b"short");
    assert_eq!(store.write("write", 5, pieces(b" and longer", 4)).await.unwrap(), 16);
    assert_eq!(fs::read(root.join("write")).unwrap(), b"short and longer");
    // What lay behind the place is gone.
    assert_eq!(store.write("write", 5, pieces(b"er", 4)).await.unwrap(), 7);
    assert_eq!(fs::read(root.join("write")).unwrap(), b"shorter");
    // There is no hole in a file.
    assert!(store.write("write", 100, pieces(b"x", 1)).await.is_err());
    assert!(store.write("nothing", 3, pieces(b"x", 1)).await.is_err());
    assert!(matches!(store.write("nowhere/a", 0, pieces(b"x", 1)).await, Err(StoreError::NotFound)));
}

async fn keeps_what_came_before_our_bytes_failed(store: &dyn FileStore, root: &Path) {
    let content = bytes(1_000_000);
    let broken = pieces(&content, 10_000).chain(stream::iter([Err(io::Error::other("gone"))])).boxed();
    assert!(matches!(store.write("half", 0, broken).await, Err(StoreError::Unreadable(_))));
    let kept = fs::read(root.join("half")).unwrap();
    assert_eq!(kept, content[..kept.len()]);
    let rest = pieces(&content[kept.len()..], 10_000);
    assert_eq!(store.write("half", kept.len() as u64, rest).await.unwrap(), 1_000_000);
    assert_eq!(fs::read(root.join("half")).unwrap(), content);
}

async fn renames_without_losing_anything(store: &dyn FileStore, root: &Path) {
    let lay = |name: &str, text: &str| fs::write(root.join(name), text).unwrap();
    let text = |name: &str| fs::read_to_string(root.join(name)).ok();
    fs::create_dir(root.join("to")).unwrap();
    lay("from", "new");
    store.rename("from", "to/free", false).await.unwrap();
    assert_eq!((text("from"), text("to/free").as_deref()), (None, Some("new")));

    lay("from", "newer");
    assert!(matches!(store.rename("from", "to/free", false).await, Err(StoreError::Exists)));
    assert!(matches!(store.rename("from", "to", true).await, Err(StoreError::Exists)), "a directory");
    assert_eq!((text("from").as_deref(), text("to/free").as_deref()), (Some("newer"), Some("new")));
    store.rename("from", "to/free", true).await.unwrap();
    assert_eq!((text("from"), text("to/free").as_deref()), (None, Some("newer")));
    assert_eq!(fs::read_dir(root.join("to")).unwrap().count(), 1, "nothing is left over");

    for replace in [false, true] {
        assert!(matches!(store.rename("from", "to/b", replace).await, Err(StoreError::NotFound)), "{replace}");
    }
    assert!(store.rename("to/free", "nowhere/a", false).await.is_err());
    assert_eq!(text("to/free").as_deref(), Some("newer"));
}

async fn removes_what_is_there_and_what_is_not(store: &dyn FileStore, root: &Path) {
    fs::write(root.join("gone"), "x").unwrap();
    store.remove("gone").await.unwrap();
    assert!(!root.join("gone").exists());
    store.remove("gone").await.unwrap();
    store.remove("nowhere/gone").await.unwrap();
}

async fn makes_directories(store: &dyn FileStore, root: &Path) {
    store.make_dir("made/of/several").await.unwrap();
    assert!(root.join("made/of/several").is_dir());
    store.make_dir("made/of/several").await.unwrap();
    store.make_dir("").await.unwrap();
    fs::write(root.join("made/file"), "x").unwrap();
    assert!(store.make_dir("made/file/below").await.is_err());
    assert_eq!(fs::read_to_string(root.join("made/file")).unwrap(), "x");
}

async fn leads_nowhere_else(store: &dyn FileStore, root: &Path) {
    let outside = root.parent().unwrap().join("outside");
    fs::write(&outside, "secret").unwrap();
    fs::write(root.join("inside"), "x").unwrap();
    for path in ["../outside", "to/../../outside", "/etc/passwd", "to//free", "", "."] {
        assert!(!matches!(store.stat(path).await, Ok(Some(_))), "{path:?}");
        assert!(store.read(path, 0).await.is_err(), "{path:?}");
        assert!(store.write(path, 0, pieces(b"x", 1)).await.is_err(), "{path:?}");
        assert!(store.rename("inside", path, true).await.is_err(), "{path:?}");
        assert!(store.remove(path).await.is_err(), "{path:?}");
    }
    assert!(store.list("..", 0).await.is_err());
    assert!(store.make_dir("../made").await.is_err());
    assert_eq!(fs::read_to_string(outside).unwrap(), "secret");
    assert_eq!(fs::read_to_string(root.join("inside")).unwrap(), "x");
}

async fn tells_the_time_or_that_it_cannot(store: &dyn FileStore) {
    if let Some(now) = store.now().await.unwrap() {
        let off = Timestamp::now().duration_since(now).abs();
        assert!(off.as_secs() < 60, "{off:?} from a clock that is this machine's");
    }
}
