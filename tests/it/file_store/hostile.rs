//! Servers that hang, lie and make things up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::stream::{StreamExt as _, TryStreamExt as _};
use sluse::adapters::sftp_client::SftpStore;
use sluse::ports::{FileStore, StoreError};

use super::conformance::{all, bytes, pieces};
use crate::support::gateway::PATIENCE;
use crate::support::scripted_ssh::{CONTENT, Hang, Scripted, WAIT, attributes, framed, names, sound, status, string};

/// Every call of the port, to be tried on a server that does not answer.
const CALLS: [&str; 7] = ["list", "stat", "read", "write", "rename", "remove", "make_dir"];

async fn call(store: &dyn FileStore, name: &str) -> Result<(), StoreError> {
    let inside = |error: std::io::Error| *error.into_inner().unwrap().downcast::<StoreError>().unwrap();
    match name {
        "list" => store.list("", 3).await?.try_collect::<Vec<_>>().await.map(drop),
        "stat" => store.stat("a").await.map(drop),
        "read" => store.read("a", 0).await?.try_collect::<Vec<_>>().await.map(drop).map_err(inside),
        "write" => store.write("a", 0, pieces(CONTENT, 5)).await.map(drop),
        "rename" => store.rename("a", "b", true).await,
        "remove" => store.remove("a").await,
        _ => store.make_dir("d").await,
    }
}

fn store(server: &Scripted) -> SftpStore {
    SftpStore::new(server.peer(), "", None)
}

/// One that soon finds that a server hangs.
fn hasty(server: &Scripted) -> SftpStore {
    SftpStore::new(server.hasty(), "", None)
}

/// Looks at the file until the server answers, since a busy machine may keep one that does not hang silent for a while.
async fn until_answered(store: &SftpStore, after: &str) {
    let begun = Instant::now();
    while let Err(error) = call(store, "stat").await {
        assert!(begun.elapsed() < PATIENCE, "after {after}: {error}");
    }
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Does what must end, however long it takes on a busy machine.
async fn ends<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_before_sftp_hangs_nobody() {
    let server = Scripted::start(sound).await;
    for hang in [Hang::Greeting, Hang::KeyExchange, Hang::Login, Hang::Channel, Hang::Subsystem] {
        server.change(|script| script.hang = Some(hang));
        let (store, before) = (hasty(&server), server.connections());
        let calls = (0..20).map(|number| call(&store, CALLS[number % CALLS.len()]));
        for result in ends(futures::future::join_all(calls)).await {
            assert!(matches!(result, Err(StoreError::Silent(WAIT))), "{hang:?}: {result:?}");
        }
        ends(until(|| server.connections() > before)).await;
        assert_eq!(server.connections() - before, 1, "{hang:?}: they waited for the same connection");
        server.change(|script| script.hang = None);
        until_answered(&store, &format!("{hang:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_in_any_request_hangs_nobody() {
    // INIT, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, OPENDIR, READDIR, REMOVE, MKDIR, STAT, RENAME.
    let kinds = [1, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 17, 18];
    let hung = Arc::new(AtomicU64::new(0));
    let at = Arc::clone(&hung);
    let server =
        Scripted::start(
            move |kind, id, body| {
                if u64::from(kind) == at.load(Ordering::SeqCst) { Vec::new() } else { sound(kind, id, body) }
            },
        )
        .await;
    for kind in kinds {
        hung.store(kind, Ordering::SeqCst);
        let stores: Vec<_> = CALLS.iter().map(|_| hasty(&server)).collect();
        let calls = CALLS.iter().zip(&stores).map(|(name, store)| call(store, name));
        let results = ends(futures::future::join_all(calls)).await;
        let silent = results.iter().filter(|result| matches!(result, Err(StoreError::Silent(WAIT)))).count();
        assert!(silent > 0 || kind == 4 || kind == 14 || kind == 18, "nothing met the silence at {kind}: {results:?}");
        hung.store(0, Ordering::SeqCst);
        for store in &stores {
            until_answered(store, &kind.to_string()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_not_kept_by_what_others_are_answered() {
    let server = Scripted::start(|kind, id, body| if kind == 13 { Vec::new() } else { sound(kind, id, body) }).await;
    let store = hasty(&server);
    let others = async {
        loop {
            let _ = call(&store, "stat").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let removed = async {
        tokio::select! {
            removed = call(&store, "remove") => removed,
            () = others => unreachable!(),
        }
    };
    let removed = ends(removed).await;
    assert!(matches!(removed, Err(StoreError::Silent(_))), "{removed:?}");
}

/// What a call comes to when one kind of request is answered so.
async fn with(
    answer: impl Fn(u8, u32) -> Option<Vec<u8>> + Send + Sync + 'static,
    name: &str,
) -> Result<(), StoreError> {
    let server = Scripted::start(move |kind, id, body| answer(kind, id).unwrap_or_else(|| sound(kind, id, body))).await;
    call(&store(&server), name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_that_lie_are_nonsense() {
    let size = |size: u64| move |kind: u8, id: u32| (kind == 8).then(|| framed(105, id, &told(Some(size))));
    let nonsense = |result| assert!(matches!(result, Err(StoreError::Nonsense(_))), "{result:?}");
    nonsense(with(size(CONTENT.len() as u64 + 1), "read").await);
    nonsense(with(size(1 << 40), "read").await);
    nonsense(with(size(CONTENT.len() as u64 - 1), "read").await);
    nonsense(with(size(0), "read").await);
    nonsense(with(|kind, id| (kind == 8).then(|| framed(105, id, &told(None))), "read").await);
    nonsense(with(|kind, id| (kind == 5).then(|| framed(103, id, &string(&[7; 100]))), "read").await);
    nonsense(with(|kind, id| (kind == 5).then(|| framed(103, id, &string(b""))), "read").await);
    nonsense(with(|kind, id| (kind == 17).then(|| framed(105, id, &told(Some(3)))), "write").await);
    nonsense(with(|kind, id| (kind == 7).then(|| framed(105, id, &told(None))), "stat").await);
}

fn told(size: Option<u64>) -> Vec<u8> {
    attributes(size, Some(0o100_644), Some(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_that_differs_is_nonsense_and_one_that_is_not_told_is_not() {
    let right = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, CONTENT).as_ref().to_vec();
    let answer = |hash: Vec<u8>| [string(b"check-file"), string(b"sha256"), hash].concat();
    for (hash, taken) in [(right.clone(), true), (vec![7; 32], false), (vec![7; 31], true)] {
        let reply = answer(hash);
        let server = Scripted::start(move |kind, id, body| match kind {
            1 => {
                let pair = [string(b"check-file"), string(b"")].concat();
                let mut version = (pair.len() as u32 + 5).to_be_bytes().to_vec();
                version.extend([&[2, 0, 0, 0, 3], &pair[..]].concat());
                version
            }
            200 => framed(201, id, &reply),
            _ => sound(kind, id, body),
        })
        .await;
        let result = call(&store(&server), "write").await;
        assert_eq!(result.is_ok(), taken, "{result:?}");
        assert!(taken || matches!(result, Err(StoreError::Nonsense(_))), "{result:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_cannot_be_end_the_connection() {
    type Bad = (&'static str, fn(u32) -> Vec<u8>);
    let bad: [Bad; 8] = [
        ("a giant length", |_| u32::MAX.to_be_bytes().to_vec()),
        ("a length above the limit", |_| (256 * 1024 + 1_u32).to_be_bytes().to_vec()),
        ("no length", |_| vec![0; 4]),
        ("a packet too short", |_| vec![0, 0, 0, 2, 101, 0]),
        ("another id", |id| status(id.wrapping_add(1000), 0)),
        ("the same reply twice", |id| [status(id, 0), status(id, 0)].concat()),
        ("an unknown kind", |id| framed(99, id, b"")),
        ("a count that lies", |id| framed(104, id, &u32::MAX.to_be_bytes())),
    ];
    for (what, answer) in bad {
        let server = Scripted::start(
            move |kind, id, body| {
                if kind == 12 || kind == 6 { answer(id) } else { sound(kind, id, body) }
            },
        )
        .await;
        for name in ["list", "write"] {
            let result = call(&store(&server), name).await;
            assert!(matches!(result, Err(StoreError::Nonsense(_))), "{what} in {name}: {result:?}");
        }
    }
    let old = with(|kind, _| (kind == 1).then(|| vec![0, 0, 0, 5, 2, 0, 0, 0, 2]), "stat").await;
    assert!(matches!(old, Err(StoreError::Nonsense(_))), "{old:?}");
    let not_sftp = with(|kind, _| (kind == 1).then(|| b"Welcome to the shell of this host".to_vec()), "stat").await;
    assert!(matches!(not_sftp, Err(StoreError::Nonsense(_))), "{not_sftp:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_that_only_says_so_is_nonsense() {
    // The file is always there under its old name, and never under its new one.
    let server = Scripted::start(|kind, id, body| match kind {
        7 if body.ends_with(b"b") => status(id, 2),
        _ => sound(kind, id, body),
    })
    .await;
    for replace in [false, true] {
        let renamed = store(&server).rename("a", "b", replace).await;
        assert!(matches!(renamed, Err(StoreError::Nonsense(_))), "{renamed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_would_overwrite_is_not_asked_to() {
    let renames = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&renames);
    let server = Scripted::start(move |kind, id, body| {
        seen.fetch_add(usize::from(kind == 18), Ordering::SeqCst);
        sound(kind, id, body)
    })
    .await;
    assert!(matches!(store(&server).rename("a", "b", false).await, Err(StoreError::Exists)));
    assert_eq!(renames.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_none_are_skipped_and_counted() {
    let odd: [&[u8]; 9] =
        [b"..", b".", b"../up", b"/etc/passwd", b"a/b", b"", b"nul\0", b"k\xe6re.xml", &[b'n'; 5_000]];
    let asked = Arc::new(AtomicU64::new(0));
    let server = Scripted::start(move |kind, id, body| match kind {
        12 if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            let mut all = odd.to_vec();
            all.extend([&b"good.xml"[..], b"..."]);
            names(id, &all)
        }
        _ => sound(kind, id, body),
    })
    .await;
    let store = store(&server);
    let seen: Vec<_> = store.list("", 5).await.unwrap().try_collect().await.unwrap();
    let told: Vec<_> = seen.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(told, ["k\u{10fee6}re.xml", "good.xml", "..."]);
    // The directory itself and the one above are no files that were missed.
    assert_eq!(store.skipped(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_listing_does_not_tell_is_asked_for() {
    let asked = Arc::new(AtomicU64::new(0));
    let server = Scripted::start(move |kind, id, body| match kind {
        12 if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            let entry = |name: &[u8], line: &[u8]| [string(name), string(line), attributes(None, None, None)].concat();
            let entries = [entry(b"by-line", b"-rw-r--r--"), entry(b"by-stat", b""), entry(b"nothing", b"")].concat();
            framed(104, id, &[3_u32.to_be_bytes().to_vec(), entries].concat())
        }
        7 if body.ends_with(b"nothing") => framed(105, id, &attributes(None, None, None)),
        7 if body.ends_with(b"by-line") => framed(105, id, &attributes(Some(4), None, Some(1))),
        _ => sound(kind, id, body),
    })
    .await;
    let store = store(&server);
    let mut seen: Vec<_> = store.list("", 0).await.unwrap().try_collect().await.unwrap();
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    let sizes: Vec<_> = seen.iter().map(|file| (file.path.as_str(), file.size_bytes)).collect();
    assert_eq!(sizes, [("by-line", 4), ("by-stat", CONTENT.len() as u64)]);
    assert_eq!(store.skipped(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_listings_end_and_can_be_left() {
    let endless = |kind, id| {
        (kind == 12).then(|| {
            let page: Vec<String> = (0..4_000).map(|number| format!("{id}-{number}")).collect();
            names(id, &page.iter().map(|name| name.as_bytes()).collect::<Vec<_>>())
        })
    };
    let result = with(endless, "list").await;
    assert!(matches!(result, Err(StoreError::Nonsense(_))), "{result:?}");
    let empty = with(|kind, id| (kind == 12).then(|| names(id, &[])), "list").await;
    assert!(matches!(empty, Err(StoreError::Nonsense(_))), "{empty:?}");

    let server =
        Scripted::start(move |kind, id, body| endless(kind, id).unwrap_or_else(|| sound(kind, id, body))).await;
    let store = store(&server);
    let some: Vec<_> = store.list("", 0).await.unwrap().take(10_000).collect().await;
    assert_eq!(some.len(), 10_000);
    call(&store, "stat").await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_in_which_it_is_again_is_gone_through_only_so_deep() {
    let server = Scripted::start(|kind, id, body| match kind {
        12 if id % 3 != 0 => {
            let entry = [string(b"again"), string(b""), attributes(Some(0), Some(0o040_755), Some(1))].concat();
            framed(104, id, &[1_u32.to_be_bytes().to_vec(), entry].concat())
        }
        _ => sound(kind, id, body),
    })
    .await;
    call(&store(&server), "list").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn short_answers_are_put_together_in_order() {
    let content = Arc::new(bytes(300_000));
    let served = Arc::clone(&content);
    let server = Scripted::start(move |kind, id, body| match kind {
        8 => framed(105, id, &told(Some(served.len() as u64))),
        5 => {
            let offset = u64::from_be_bytes(body[5..13].try_into().unwrap()) as usize;
            let length = u32::from_be_bytes(body[13..17].try_into().unwrap()) as usize;
            let rest = served.get(offset..).unwrap_or_default();
            let length = length.min(rest.len()).min(1 + id as usize * 7_919 % 20_000);
            if rest.is_empty() { status(id, 1) } else { framed(103, id, &string(&rest[..length])) }
        }
        _ => sound(kind, id, body),
    })
    .await;
    assert_eq!(all(&store(&server), "a", 0).await, *content);
    assert_eq!(all(&store(&server), "a", 12_345).await, content[12_345..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_serves_what_goes_on_side_by_side() {
    let server = Scripted::start(sound).await;
    let store = store(&server);
    let calls = (0..200).map(|number| call(&store, ["stat", "read", "write", "list"][number % 4]));
    for result in futures::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_nobody_uses_is_closed_and_made_again() {
    let server = Scripted::start(sound).await;
    let mut peer = server.peer();
    peer.waits.idle = Duration::from_millis(200);
    let store = SftpStore::new(peer, "", None);
    let open = store.read("a", 0).await.unwrap();
    // One, or more where the machine is so busy that the first was idle before it was used.
    let made = server.connections();
    tokio::time::sleep(Duration::from_millis(800)).await;
    let read: Vec<_> = open.try_collect().await.unwrap();
    assert_eq!(read.concat(), CONTENT, "one that is read slowly is in use");
    assert_eq!(server.connections(), made);
    ends(until(|| server.ended() == made)).await;
    call(&store, "stat").await.unwrap();
    assert!(server.connections() > made);
}
