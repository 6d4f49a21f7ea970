//! Bytes of small files, in the commit that takes them.

use sluse::model::{BlobId, NodeState, ScratchId, ShipmentId};
use sluse::ports::{AreaError, Close, NewUpload, Quota, SmallUpload};

use super::{Store, closing, partner, path, upload};

async fn bytes(store: &dyn Store, blob: BlobId) -> Option<Vec<u8>> {
    store.small().small_blob(blob).await.unwrap()
}

async fn safeguard(store: &dyn Store, scratch: ScratchId, blob: BlobId, bytes: &[u8]) -> Result<(), AreaError> {
    let small = SmallUpload { partner: partner("etat"), path: path("/inbox/a.xml"), scratch, blob };
    store.area().safeguard(&small, bytes.to_vec(), None).await
}

pub(super) async fn a_small_file_lies_where_its_row_does(store: Box<dyn Store>) {
    let (scratch, blob, id) = (ScratchId::new(), BlobId::new(), ShipmentId::new());
    store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap();
    let close = Close { claim: Some((id, false)), ..closing("/inbox/a.xml", scratch, blob) };
    store.area().close_small(&close, Some(b"bytes".to_vec()), None).await.unwrap();
    let store = store.reopen().await;
    assert_eq!(bytes(store.as_ref(), blob).await.as_deref(), Some(&b"bytes"[..]));
    let node = store.area().stat(&partner("etat"), &path("/inbox/a.xml")).await.unwrap().unwrap();
    assert_eq!((node.state, node.blob), (NodeState::Claimed, Some(blob)));
    assert_eq!(store.ledger().shipment(id).await.unwrap().unwrap().blob, blob);
    // Its upload has been replaced meanwhile: nothing of it is kept.
    let (other, late) = (ScratchId::new(), BlobId::new());
    store.area().begin(&upload("/inbox/a.xml", other)).await.unwrap();
    let late_close = closing("/inbox/a.xml", ScratchId::new(), late);
    let late_answer = store.area().close_small(&late_close, Some(b"late".to_vec()), None).await;
    assert!(matches!(late_answer, Err(AreaError::Superseded)));
    assert_eq!(bytes(store.as_ref(), late).await, None);
}

pub(super) async fn what_is_safeguarded_is_there_after_a_crash(store: Box<dyn Store>) {
    let (scratch, blob) = (ScratchId::new(), BlobId::new());
    store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap();
    for part in ["b", "bytes"] {
        safeguard(store.as_ref(), scratch, blob, part.as_bytes()).await.unwrap();
    }
    let foreign = safeguard(store.as_ref(), ScratchId::new(), BlobId::new(), b"x").await;
    assert!(matches!(foreign, Err(AreaError::Superseded)));
    let store = store.reopen().await;
    assert_eq!(bytes(store.as_ref(), blob).await.as_deref(), Some(&b"bytes"[..]));
    store.area().close_small(&closing("/inbox/a.xml", scratch, blob), None, None).await.unwrap();
    assert_eq!(bytes(store.as_ref(), blob).await.as_deref(), Some(&b"bytes"[..]));
}

pub(super) async fn a_file_that_grew_is_no_longer_kept_twice(store: Box<dyn Store>) {
    let (scratch, blob) = (ScratchId::new(), BlobId::new());
    store.area().begin(&upload("/inbox/a.xml", scratch)).await.unwrap();
    safeguard(store.as_ref(), scratch, blob, b"while it was small").await.unwrap();
    store.area().close(&closing("/inbox/a.xml", scratch, blob)).await.unwrap();
    assert_eq!(bytes(store.as_ref(), blob).await, None);
}

pub(super) async fn small_blobs_are_listed_and_removed(store: Box<dyn Store>) {
    let mut all = Vec::new();
    for number in 0..7 {
        let (name, scratch, blob) = (format!("/inbox/{number}.xml"), ScratchId::new(), BlobId::new());
        store.area().begin(&upload(&name, scratch)).await.unwrap();
        store.area().close_small(&closing(&name, scratch, blob), Some(vec![number]), None).await.unwrap();
        all.push(blob);
    }
    all.sort();
    let first = store.small().small_blobs(None, 3).await.unwrap();
    let rest = store.small().small_blobs(first.last().copied(), 100).await.unwrap();
    assert_eq!([first, rest].concat(), all);
    for _ in 0..2 {
        store.small().remove_small_blob(all[0]).await.unwrap();
    }
    assert_eq!(store.small().small_blobs(None, 100).await.unwrap(), all[1..]);
    assert_eq!(bytes(store.as_ref(), all[0]).await, None);
}

/// As one statement where nothing stands in its way, step by step where something does.
pub(super) async fn a_small_file_begins_and_ends_at_once(store: Box<dyn Store>) {
    let (scratch, blob, id) = (ScratchId::new(), BlobId::new(), ShipmentId::new());
    let begins = NewUpload { owner: Some("ola".to_owned()), ..upload("/inbox/a.xml", scratch) };
    let close = Close { claim: Some((id, true)), size_bytes: 5, ..closing("/inbox/a.xml", scratch, blob) };
    let put = async |close: &Close, begins: &NewUpload| {
        store.area().close_small(close, Some(b"bytes".to_vec()), Some(begins)).await
    };
    // The second time as after a lost answer.
    for _ in 0..2 {
        assert_eq!(put(&close, &begins).await.unwrap(), None);
    }
    let shipment = store.ledger().shipment(id).await.unwrap().unwrap();
    assert_eq!((shipment.blob, shipment.preflight, shipment.size_bytes), (blob, true, 5));
    let events = store.ledger().events(id).await.unwrap();
    assert_eq!(
        events.iter().map(|event| (&*event.what, &*event.detail)).collect::<Vec<_>>(),
        [("claimed", "rehearsal")]
    );
    let node = store.area().stat(&partner("etat"), &path("/inbox/a.xml")).await.unwrap().unwrap();
    assert_eq!((node.state, node.owner.as_deref(), node.shipment), (NodeState::Claimed, Some("ola"), Some(id)));
    // Another file of the name, which is claimed too.
    let (scratch, other) = (ScratchId::new(), ShipmentId::new());
    let again = Close { claim: Some((other, false)), ..closing("/inbox/a.xml", scratch, BlobId::new()) };
    assert_eq!(
        put(&again, &upload("/inbox/a.xml", scratch)).await.unwrap(),
        None,
        "its bytes are the first shipment's"
    );
    assert!(store.ledger().shipment(other).await.unwrap().is_some());
    // What may not begin leaves nothing.
    let (scratch, late) = (ScratchId::new(), BlobId::new());
    let exclusive = NewUpload { exclusive: true, ..upload("/inbox/a.xml", scratch) };
    let refused = put(&closing("/inbox/a.xml", scratch, late), &exclusive).await;
    assert!(matches!(refused, Err(AreaError::Exists)));
    let full = NewUpload { quota: Quota { bytes: u64::MAX, files: 1 }, ..upload("/inbox/b.xml", scratch) };
    let refused = put(&closing("/inbox/b.xml", scratch, late), &full).await;
    assert!(matches!(refused, Err(AreaError::QuotaFiles(1))));
    assert_eq!(bytes(store.as_ref(), late).await, None);
}
