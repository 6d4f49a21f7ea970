//! The tree, case by case.

use sluse::model::{AreaPath, BlobId, Node, NodeState, ScratchId, ShipmentId};
use sluse::ports::{AreaError, Close, NewUpload, Quota, Replaced, Usage};

use super::{ROOMY, Store, at, claim, closing, partner, path, upload};

async fn stat(store: &dyn Store, path_text: &str) -> Option<Node> {
    store.area().stat(&partner("etat"), &path(path_text)).await.unwrap()
}

/// Puts a whole file that is not claimed.
async fn put(store: &dyn Store, path_text: &str) -> BlobId {
    let (scratch, blob) = (ScratchId::new(), BlobId::new());
    store.area().begin(&upload(path_text, scratch)).await.unwrap();
    store.area().close(&closing(path_text, scratch, blob)).await.unwrap();
    blob
}

async fn rename(
    store: &dyn Store,
    from: &str,
    to: &str,
    replace: bool,
    claim: Option<ShipmentId>,
) -> Result<Replaced, AreaError> {
    let claim = claim.map(|id| (id, false));
    store.area().rename(&partner("etat"), &path(from), &path(to), replace, claim, at(9)).await
}

const NOTHING: Replaced = Replaced { blob: None, scratch: None };

macro_rules! assert_refused {
    ($result:expr, $error:pat) => {
        let result = $result;
        assert!(matches!(result, Err($error)), "{result:?}");
    };
}

pub(super) async fn a_file_is_partial_until_closed(store: Box<dyn Store>) {
    let (scratch, blob) = (ScratchId::new(), BlobId::new());
    assert_eq!(store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap().former, None);
    let partial = stat(store.as_ref(), "/inbox/a.xml").await.unwrap();
    assert_eq!((partial.state, partial.size_bytes, partial.modified), (NodeState::Partial, 0, at(0)));
    assert_eq!((partial.scratch, partial.blob), (Some(scratch), None));
    assert_eq!(store.area().close(&closing("/inbox/a.xml", scratch, blob)).await.unwrap(), None);
    let whole = stat(store.as_ref(), "/inbox/a.xml").await.unwrap();
    assert_eq!((whole.state, whole.size_bytes, whole.modified), (NodeState::Whole, 100, at(1)));
    assert_eq!((whole.scratch, whole.blob, whole.shipment), (None, Some(blob), None));
    let exclusive = NewUpload { exclusive: true, ..upload("/inbox/a.xml", ScratchId::new()) };
    assert_refused!(store.area().begin(&exclusive).await, AreaError::Exists);
}

pub(super) async fn a_cut_off_upload_is_resumed(store: Box<dyn Store>) {
    let (scratch, etat) = (ScratchId::new(), partner("etat"));
    store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap();
    store.area().pause(&etat, &path("/inbox/a.xml"), scratch, 60).await.unwrap();
    let store = store.reopen().await;
    assert_eq!(stat(store.as_ref(), "/inbox/a.xml").await.unwrap().size_bytes, 60);
    assert_eq!(store.area().usage(&etat).await.unwrap(), Usage { bytes: 60, files: 1 });
    assert_eq!(
        store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap().former,
        None,
        "its own is not discarded"
    );
    assert_eq!(stat(store.as_ref(), "/inbox/a.xml").await.unwrap().size_bytes, 60);
    store.area().close(&closing("/inbox/a.xml", scratch, BlobId::new())).await.unwrap();
    assert_eq!(store.area().usage(&etat).await.unwrap(), Usage { bytes: 100, files: 1 });
    assert_refused!(store.area().pause(&etat, &path("/inbox/a.xml"), scratch, 9).await, AreaError::Superseded);
    assert_refused!(store.area().pause(&etat, &path("/inbox/b.xml"), scratch, 9).await, AreaError::NotFound);
}

pub(super) async fn a_whole_file_stays_until_its_replacement_is_closed(store: Box<dyn Store>) {
    let old = put(store.as_ref(), "/inbox/.a").await;
    let scratch = ScratchId::new();
    assert_eq!(store.area().begin(&upload("/inbox/.a", scratch)).await.unwrap().former, None);
    let node = stat(store.as_ref(), "/inbox/.a").await.unwrap();
    assert_eq!((node.state, node.blob, node.scratch), (NodeState::Whole, Some(old), Some(scratch)));
    store.area().pause(&partner("etat"), &path("/inbox/.a"), scratch, 40).await.unwrap();
    assert_eq!(stat(store.as_ref(), "/inbox/.a").await.unwrap().size_bytes, 100);
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap().bytes, 140);
    let freed = store.area().close(&closing("/inbox/.a", scratch, BlobId::new())).await.unwrap();
    assert_eq!(freed, Some(old));
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap().bytes, 100);
}

pub(super) async fn a_claimed_file_gives_way_to_a_new_upload(store: Box<dyn Store>) {
    let first = claim(store.as_ref(), "/inbox/a.xml").await;
    let scratch = ScratchId::new();
    assert_eq!(store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap().former, None);
    let node = stat(store.as_ref(), "/inbox/a.xml").await.unwrap();
    assert_eq!((node.state, node.blob, node.shipment), (NodeState::Partial, None, None));
    let kept = store.ledger().shipment(first).await.unwrap().unwrap().blob;
    assert_eq!(store.ledger().referenced(&[kept], &[]).await.unwrap().0, [kept]);
    let second = Close { claim: Some((ShipmentId::new(), false)), ..closing("/inbox/a.xml", scratch, BlobId::new()) };
    assert_eq!(store.area().close(&second).await.unwrap(), None);
    assert_eq!(store.ledger().counts().await.unwrap().claimed, 2);
}

pub(super) async fn an_older_upload_is_superseded(store: Box<dyn Store>) {
    let (first, second) = (ScratchId::new(), ScratchId::new());
    store.area().begin(&upload("/inbox/a.xml", first)).await.unwrap();
    assert_eq!(store.area().begin(&upload("/inbox/a.xml", second)).await.unwrap().former, Some(first));
    let late = closing("/inbox/a.xml", first, BlobId::new());
    assert_refused!(store.area().close(&late).await, AreaError::Superseded);
    store.area().remove(&partner("etat"), &path("/inbox/a.xml")).await.unwrap();
    let gone = closing("/inbox/a.xml", second, BlobId::new());
    assert_refused!(store.area().close(&gone).await, AreaError::NotFound);
}

pub(super) async fn closing_again_changes_nothing(store: Box<dyn Store>) {
    let (scratch, id) = (ScratchId::new(), ShipmentId::new());
    store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap();
    let close = Close { claim: Some((id, false)), ..closing("/inbox/a.xml", scratch, BlobId::new()) };
    for _ in 0..2 {
        assert_eq!(store.area().close(&close).await.unwrap(), None);
    }
    let other = Close { claim: Some((ShipmentId::new(), false)), ..close };
    assert_refused!(store.area().close(&other).await, AreaError::Superseded);
    assert_eq!(store.ledger().counts().await.unwrap().claimed, 1);
    assert_eq!(store.ledger().events(id).await.unwrap().len(), 1);
}

pub(super) async fn renaming_moves_and_claims(store: Box<dyn Store>) {
    let blob = put(store.as_ref(), "/inbox/a.part").await;
    rename(store.as_ref(), "/inbox/a.part", "/inbox/b.part", false, None).await.unwrap();
    assert_eq!(stat(store.as_ref(), "/inbox/a.part").await, None);
    let moved = stat(store.as_ref(), "/inbox/b.part").await.unwrap();
    assert_eq!((moved.state, moved.blob, moved.modified), (NodeState::Whole, Some(blob), at(1)));
    let id = ShipmentId::new();
    rename(store.as_ref(), "/inbox/b.part", "/inbox/b.xml", false, Some(id)).await.unwrap();
    let claimed = stat(store.as_ref(), "/inbox/b.xml").await.unwrap();
    assert_eq!((claimed.state, claimed.shipment), (NodeState::Claimed, Some(id)));
    let shipment = store.ledger().shipment(id).await.unwrap().unwrap();
    assert_eq!((shipment.path, shipment.blob, shipment.size_bytes), (path("/inbox/b.xml"), blob, 100));
    assert_eq!(shipment.claimed_at, at(9));
    assert_refused!(rename(store.as_ref(), "/inbox/b.xml", "/inbox/c.xml", true, None).await, AreaError::Claimed);
    assert_refused!(rename(store.as_ref(), "/inbox/no", "/inbox/c.xml", true, None).await, AreaError::NotFound);
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap(), Usage { bytes: 100, files: 1 });
}

pub(super) async fn renaming_never_overwrites_unasked(store: Box<dyn Store>) {
    let (old, new) = (put(store.as_ref(), "/outbox/a").await, put(store.as_ref(), "/outbox/b").await);
    assert_refused!(rename(store.as_ref(), "/outbox/b", "/outbox/a", false, None).await, AreaError::Exists);
    assert_refused!(rename(store.as_ref(), "/outbox/b", "/outbox/b", false, None).await, AreaError::Exists);
    assert_eq!(rename(store.as_ref(), "/outbox/b", "/outbox/b", true, None).await.unwrap(), NOTHING);
    assert_eq!(rename(store.as_ref(), "/outbox/b", "/outbox/a", true, None).await.unwrap().blob, Some(old));
    assert_eq!(stat(store.as_ref(), "/outbox/a").await.unwrap().blob, Some(new));
    // Over a claimed file: its shipment keeps the bytes.
    let first = claim(store.as_ref(), "/inbox/a.xml").await;
    put(store.as_ref(), "/inbox/a.part").await;
    assert_refused!(rename(store.as_ref(), "/inbox/a.part", "/inbox/a.xml", false, None).await, AreaError::Exists);
    let second = ShipmentId::new();
    let freed = rename(store.as_ref(), "/inbox/a.part", "/inbox/a.xml", true, Some(second)).await.unwrap();
    assert_eq!(freed, NOTHING);
    assert!(store.ledger().shipment(first).await.unwrap().is_some());
    assert_eq!(stat(store.as_ref(), "/inbox/a.xml").await.unwrap().shipment, Some(second));
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap(), Usage { bytes: 200, files: 2 });
}

pub(super) async fn an_unfinished_file_is_never_claimed(store: Box<dyn Store>) {
    let scratch = ScratchId::new();
    store.area().begin(&upload("/inbox/a.part", scratch)).await.unwrap();
    let claiming = rename(store.as_ref(), "/inbox/a.part", "/inbox/a.xml", false, Some(ShipmentId::new())).await;
    assert_refused!(claiming, AreaError::Incomplete);
    rename(store.as_ref(), "/inbox/a.part", "/inbox/a.tmp", false, None).await.unwrap();
    let moved = stat(store.as_ref(), "/inbox/a.tmp").await.unwrap();
    assert_eq!((moved.state, moved.scratch), (NodeState::Partial, Some(scratch)));
    assert_eq!(store.ledger().counts().await.unwrap().claimed, 0);
}

pub(super) async fn an_upload_goes_on_when_its_file_moves(store: Box<dyn Store>) {
    let old = put(store.as_ref(), "/inbox/a.part").await;
    let scratch = ScratchId::new();
    store.area().begin(&upload("/inbox/a.part", scratch)).await.unwrap();
    rename(store.as_ref(), "/inbox/a.part", "/inbox/a.xml", false, Some(ShipmentId::new())).await.unwrap();
    let claimed = stat(store.as_ref(), "/inbox/a.xml").await.unwrap();
    assert_eq!((claimed.state, claimed.blob, claimed.scratch), (NodeState::Claimed, Some(old), None));
    let going_on = stat(store.as_ref(), "/inbox/a.part").await.unwrap();
    assert_eq!((going_on.state, going_on.blob, going_on.scratch), (NodeState::Partial, None, Some(scratch)));
    store.area().close(&closing("/inbox/a.part", scratch, BlobId::new())).await.unwrap();
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap(), Usage { bytes: 200, files: 2 });
}

pub(super) async fn an_upload_whose_name_is_taken_is_given_back(store: Box<dyn Store>) {
    put(store.as_ref(), "/inbox/a.part").await;
    let scratch = ScratchId::new();
    store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap();
    store.area().pause(&partner("etat"), &path("/inbox/a.xml"), scratch, 60).await.unwrap();
    let claim = Some(ShipmentId::new());
    let freed = rename(store.as_ref(), "/inbox/a.part", "/inbox/a.xml", true, claim).await.unwrap();
    assert_eq!(freed, Replaced { blob: None, scratch: Some(scratch) });
    // One that goes on under the new name, or under the old one, is not given back.
    let (old, scratch) = (put(store.as_ref(), "/inbox/c.part").await, ScratchId::new());
    store.area().begin(&upload("/inbox/c.part", scratch)).await.unwrap();
    put(store.as_ref(), "/inbox/b.part").await;
    let freed = rename(store.as_ref(), "/inbox/b.part", "/inbox/c.part", true, None).await.unwrap();
    assert_eq!(freed, Replaced { blob: Some(old), scratch: None });
    assert_eq!(rename(store.as_ref(), "/inbox/c.part", "/inbox/d.part", true, None).await.unwrap(), NOTHING);
    assert_eq!(stat(store.as_ref(), "/inbox/c.part").await.unwrap().scratch, Some(scratch));
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap(), Usage { bytes: 200, files: 3 });
}

pub(super) async fn removing_gives_the_bytes_back(store: Box<dyn Store>) {
    let blob = put(store.as_ref(), "/receipts/a").await;
    let etat = partner("etat");
    let removed = store.area().remove(&etat, &path("/receipts/a")).await.unwrap();
    assert_eq!((removed.blob, removed.size_bytes), (Some(blob), 100));
    assert_refused!(store.area().remove(&etat, &path("/receipts/a")).await, AreaError::NotFound);
    claim(store.as_ref(), "/inbox/a.xml").await;
    assert_refused!(store.area().remove(&etat, &path("/inbox/a.xml")).await, AreaError::Claimed);
    assert_eq!(store.area().usage(&etat).await.unwrap(), Usage { bytes: 100, files: 1 });
}

pub(super) async fn quotas_hold(store: Box<dyn Store>) {
    let tight = Quota { bytes: 200, files: 2 };
    let begin = |path_text: &str, quota| {
        let upload = NewUpload { quota, ..upload(path_text, ScratchId::new()) };
        let store = &store;
        async move { store.area().begin(&upload).await }
    };
    put(store.as_ref(), "/inbox/.a").await;
    begin("/inbox/.b", tight).await.unwrap();
    assert_refused!(begin("/inbox/.c", tight).await, AreaError::QuotaFiles(2));
    begin("/inbox/.b", tight).await.unwrap();
    put(store.as_ref(), "/inbox/.b").await;
    assert_refused!(begin("/inbox/.b", tight).await, AreaError::QuotaBytes(200));
    begin("/inbox/.b", ROOMY).await.unwrap();
    let partial = store.area().stat(&partner("etat"), &path("/inbox/.b")).await.unwrap().unwrap();
    assert!(partial.scratch.is_some());
}

pub(super) async fn touching_sets_the_time(store: Box<dyn Store>) {
    let etat = partner("etat");
    put(store.as_ref(), "/inbox/.a").await;
    claim(store.as_ref(), "/inbox/a.xml").await;
    for name in ["/inbox/.a", "/inbox/a.xml", "/inbox/gone"] {
        store.area().touch(&etat, &path(name), at(-500)).await.unwrap();
    }
    assert_eq!(stat(store.as_ref(), "/inbox/.a").await.unwrap().modified, at(-500));
    assert_eq!(stat(store.as_ref(), "/inbox/a.xml").await.unwrap().modified, at(1));
}

pub(super) async fn areas_are_apart(store: Box<dyn Store>) {
    put(store.as_ref(), "/inbox/.a").await;
    let other = partner("annen");
    assert_eq!(store.area().stat(&other, &path("/inbox/.a")).await.unwrap(), None);
    assert_eq!(store.area().list(&other, "inbox", None, 10).await.unwrap(), []);
    assert_eq!(store.area().list(&partner("etat"), "outbox", None, 10).await.unwrap(), []);
    assert_eq!(store.area().usage(&other).await.unwrap(), Usage::default());
    assert_refused!(store.area().remove(&other, &path("/inbox/.a")).await, AreaError::NotFound);
}

pub(super) async fn listing_pages_through_many(store: Box<dyn Store>) {
    let names: Vec<String> = (0..100_000).map(|number| format!("file-{number:06}.xml")).collect();
    for some in names.chunks(1_000) {
        let uploads: Vec<_> = some
            .iter()
            .map(|name| NewUpload { path: AreaPath::new("outbox", name).unwrap(), ..upload("/x/y", ScratchId::new()) })
            .collect();
        futures::future::try_join_all(uploads.iter().map(|upload| store.area().begin(upload))).await.unwrap();
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = store.area().list(&partner("etat"), "outbox", after.as_deref(), 500).await.unwrap();
        assert!(page.len() <= 500);
        let Some(last) = page.last() else { break };
        after = Some(last.path.name.clone());
        listed.extend(page.into_iter().map(|node| node.path.name));
    }
    assert_eq!(listed, names);
    assert_eq!(store.area().usage(&partner("etat")).await.unwrap().files, 100_000);
}
