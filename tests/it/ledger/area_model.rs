//! Random calls on an area, against a plain model in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sluse::model::{AreaPath, BlobId, Node, NodeState, ReceiptForm, ReceiptKind, ScratchId, ShipmentId};
use sluse::ports::{AreaError, Close, NewUpload, PlacedReceipt, Quota, ReceiptFile, Replaced, SmallUpload, Usage};

use super::{Store, at, partner, path};

/// A call; names and uploads are given by index, so that calls meet.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Begin {
        name: usize,
        exclusive: bool,
    },
    Pause {
        name: usize,
        upload: usize,
        size_bytes: u64,
    },
    Close {
        name: usize,
        upload: usize,
        size_bytes: u64,
        claim: bool,
        small: bool,
    },
    /// An upload that begins with its end, or with what is safeguarded of it.
    Put {
        name: usize,
        exclusive: bool,
        size_bytes: u64,
        claim: bool,
    },
    Safeguard {
        name: usize,
        exclusive: bool,
    },
    Rename {
        from: usize,
        to: usize,
        replace: bool,
        claim: bool,
    },
    Remove {
        name: usize,
    },
    Touch {
        name: usize,
    },
    Finish {
        shipment: usize,
    },
}

pub(super) fn calls() -> impl Strategy<Value = Vec<Call>> {
    let (name, size_bytes, flag) = (0..NAMES.len(), 0..300_u64, any::<bool>());
    // 0 is the name's own upload, others are of another time or name.
    let upload = prop_oneof![4 => Just(0_usize), 1 => 1..5_usize];
    let call = prop_oneof![
        4 => (name.clone(), prop::bool::weighted(0.2)).prop_map(|(name, exclusive)| Call::Begin { name, exclusive }),
        1 => (name.clone(), upload.clone(), size_bytes.clone())
            .prop_map(|(name, upload, size_bytes)| Call::Pause { name, upload, size_bytes }),
        4 => (name.clone(), upload, size_bytes.clone(), flag, flag)
            .prop_map(|(name, upload, size_bytes, claim, small)| Call::Close { name, upload, size_bytes, claim, small }),
        3 => (name.clone(), prop::bool::weighted(0.2), size_bytes, flag)
            .prop_map(|(name, exclusive, size_bytes, claim)| Call::Put { name, exclusive, size_bytes, claim }),
        2 => (name.clone(), prop::bool::weighted(0.2)).prop_map(|(name, exclusive)| Call::Safeguard { name, exclusive }),
        3 => (name.clone(), name.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(from, to, replace, claim)| Call::Rename { from, to, replace, claim }),
        1 => name.clone().prop_map(|name| Call::Remove { name }),
        1 => name.prop_map(|name| Call::Touch { name }),
        2 => (0..6_usize).prop_map(|shipment| Call::Finish { shipment }),
    ];
    prop::collection::vec(call, 1..40)
}

/// Makes the calls on both and compares every answer and all that is there.
pub(super) async fn answers_as_the_model(store: &dyn Store, calls: Vec<Call>) {
    let mut model = Model::default();
    for (step, call) in calls.into_iter().enumerate() {
        let (now, label) = (step as i64 + 1, format!("{step}: {call:?}"));
        let answer = make(store, &mut model, call, now).await;
        assert_eq!(answer.0, answer.1, "{label}");
        let there = store.area().list(&partner("etat"), "inbox", None, 100).await.unwrap();
        assert_eq!(there, model.nodes(), "{label}");
        assert_eq!(store.area().usage(&partner("etat")).await.unwrap(), model.usage(), "{label}");
        for (id, blob, name) in &model.shipments {
            let shipment = store.ledger().shipment(*id).await.unwrap().unwrap();
            assert_eq!((shipment.blob, shipment.path), (*blob, place(*name)), "{label}");
        }
    }
}

/// An answer: the id of something to discard, or the kind of the refusal.
type Answer = Result<Option<uuid::Uuid>, &'static str>;

/// Makes one call on the store and on the model; returns both answers.
async fn make(store: &dyn Store, model: &mut Model, call: Call, now: i64) -> (Answer, Answer) {
    let (area, etat) = (store.area(), partner("etat"));
    match call {
        Call::Begin { name, exclusive } => {
            let scratch = ScratchId::new();
            let upload = NewUpload { exclusive, ..beginning(name, scratch, now) };
            let real = area.begin(&upload).await.map(|begun| begun.former.map(|id| id.0));
            (real.map_err(kind), model.begin(name, scratch, exclusive, now))
        }
        Call::Pause { name, upload, size_bytes } => {
            let scratch = model.upload(name, upload);
            let real = area.pause(&etat, &place(name), scratch, size_bytes).await.map(|()| None);
            (real.map_err(kind), model.pause(name, scratch, size_bytes))
        }
        Call::Close { name, upload, size_bytes, claim, small } => {
            let (scratch, blob, id) = (model.upload(name, upload), BlobId::new(), ShipmentId::new());
            let claim = claim.then_some((id, false));
            let close = Close { partner: etat, path: place(name), scratch, blob, size_bytes, claim, now: at(now) };
            let real = if small { area.close_small(&close, None, None).await } else { area.close(&close).await };
            (real.map(|old| old.map(|id| id.0)).map_err(kind), model.close(name, &close, now))
        }
        Call::Put { name, exclusive, size_bytes, claim } => {
            let (scratch, blob, path) = (ScratchId::new(), BlobId::new(), place(name));
            let upload = NewUpload { exclusive, ..beginning(name, scratch, now) };
            let claim = claim.then(|| (ShipmentId::new(), false));
            let close = Close { partner: etat, path, scratch, blob, size_bytes, claim, now: at(now) };
            let real = area.close_small(&close, Some(b"bytes".to_vec()), Some(&upload)).await;
            let kept = store.small().small_blob(blob).await.unwrap();
            assert_eq!(kept.is_some(), real.is_ok());
            let begun = model.begin(name, scratch, exclusive, now);
            (real.map(|old| old.map(|id| id.0)).map_err(kind), begun.and_then(|_| model.close(name, &close, now)))
        }
        Call::Safeguard { name, exclusive } => {
            let (partner, scratch, blob, path) = (etat, ScratchId::new(), BlobId::new(), place(name));
            let upload = NewUpload { exclusive, ..beginning(name, scratch, now) };
            let small = SmallUpload { partner, path, scratch, blob };
            let real = area.safeguard(&small, b"by".to_vec(), Some(&upload)).await;
            let kept = store.small().small_blob(blob).await.unwrap();
            assert_eq!(kept.is_some(), real.is_ok());
            (real.map(|()| None).map_err(kind), model.begin(name, scratch, exclusive, now).map(|_| None))
        }
        Call::Rename { from, to, replace, claim } => {
            let claim = claim.then(|| (ShipmentId::new(), true));
            let real = area.rename(&etat, &place(from), &place(to), replace, claim, at(now)).await;
            let model = model.rename(from, to, replace, claim.map(|(id, _)| id));
            let scratch = |replaced: &Replaced| replaced.scratch;
            assert_eq!(real.as_ref().ok().and_then(scratch), model.as_ref().ok().and_then(scratch));
            let blob = |replaced: Replaced| replaced.blob.map(|id| id.0);
            (real.map(blob).map_err(kind), model.map(blob))
        }
        Call::Remove { name } => {
            let real = area.remove(&etat, &place(name)).await.map(|node| node.blob.map(|id| id.0));
            (real.map_err(kind), model.remove(name))
        }
        Call::Touch { name } => {
            let real = area.touch(&etat, &place(name), at(-now)).await.map(|()| None);
            (real.map_err(kind), model.touch(name, -now))
        }
        Call::Finish { shipment } => {
            let Some((id, _, name)) = model.shipments.get(shipment).copied() else { return (Ok(None), Ok(None)) };
            let (dir, blob) = ("receipts".to_owned(), BlobId::new());
            let kind = ReceiptKind::Final;
            let form = ReceiptForm::Document;
            let file =
                ReceiptFile { form, name: format!("a.{}.final.xml", id.short()), blob, size_bytes: 7, sha256: [1; 32] };
            let (files, news, now) = (vec![file], Vec::new(), at(now));
            let receipt = PlacedReceipt { shipment: id, kind, partner: etat, dir, files, numbers: None, news, now };
            let placed = store.ledger().place_receipt(&receipt).await.unwrap().is_placed();
            let first = model.finish(id, name);
            (Ok(placed.then_some(id.0)), Ok(first.then_some(id.0)))
        }
    }
}

#[derive(Default)]
struct Model {
    files: BTreeMap<usize, File>,
    /// Every upload so far, by name.
    uploads: Vec<(usize, ScratchId)>,
    shipments: Vec<(ShipmentId, BlobId, usize)>,
    finished: Vec<ShipmentId>,
}

#[derive(Clone, Default)]
struct File {
    whole: Option<(BlobId, u64)>,
    upload: Option<(ScratchId, u64)>,
    shipment: Option<ShipmentId>,
    modified: i64,
}

impl Model {
    fn begin(&mut self, name: usize, scratch: ScratchId, exclusive: bool, now: i64) -> Answer {
        self.uploads.push((name, scratch));
        let old = self.files.get(&name);
        if exclusive && old.is_some() {
            return Err("exists");
        }
        if old.is_none() && self.usage().files >= QUOTA.files {
            return Err("files");
        }
        let stays = old.filter(|file| file.whole.is_some() && file.shipment.is_none()).cloned();
        let discarded = old.and_then(|file| file.upload).map(|(id, _)| id.0);
        let file = File { upload: Some((scratch, 0)), ..stays.unwrap_or(File { modified: now, ..File::default() }) };
        let before = self.files.insert(name, file);
        // Whatever the new upload holds comes on top of this.
        if self.usage().bytes >= QUOTA.bytes {
            before.map(|file| self.files.insert(name, file)).unwrap_or_else(|| self.files.remove(&name));
            return Err("bytes");
        }
        Ok(discarded)
    }

    fn pause(&mut self, name: usize, scratch: ScratchId, size_bytes: u64) -> Answer {
        let file = self.files.get_mut(&name).ok_or("not found")?;
        let upload = file.upload.as_mut().filter(|upload| upload.0 == scratch).ok_or("superseded")?;
        upload.1 = size_bytes;
        Ok(None)
    }

    fn close(&mut self, name: usize, close: &Close, now: i64) -> Answer {
        let file = self.files.get_mut(&name).ok_or("not found")?;
        file.upload.filter(|upload| upload.0 == close.scratch).ok_or("superseded")?;
        let (whole, shipment) = (Some((close.blob, close.size_bytes)), close.claim.map(|(id, _)| id));
        let old = std::mem::replace(file, File { whole, upload: None, shipment, modified: now });
        self.shipments.extend(shipment.map(|id| (id, close.blob, name)));
        Ok(old.whole.map(|(id, _)| id.0))
    }

    fn rename(
        &mut self,
        from: usize,
        to: usize,
        replace: bool,
        claim: Option<ShipmentId>,
    ) -> Result<Replaced, &'static str> {
        let old = self.unclaimed(from)?;
        if self.files.contains_key(&to) && !replace {
            return Err("exists");
        }
        if old.whole.is_none() && claim.is_some() {
            return Err("incomplete");
        }
        self.files.remove(&from);
        let target = self.files.remove(&to);
        let mut moved = File { shipment: claim, ..old.clone() };
        let mut ended: Vec<_> =
            [&target, &Some(old.clone())].into_iter().flatten().filter_map(|file| file.upload).collect();
        if old.whole.is_some() {
            moved.upload = target.as_ref().filter(|_| claim.is_none()).and_then(|target| target.upload);
            if from != to && old.upload.is_some() {
                self.files.insert(from, File { whole: None, shipment: None, ..old });
            }
        }
        self.shipments.extend(claim.zip(moved.whole).map(|(id, (blob, _))| (id, blob, to)));
        self.files.insert(to, moved);
        ended.retain(|ended| self.files.values().all(|file| file.upload != Some(*ended)));
        let blob = target.filter(|target| target.shipment.is_none()).and_then(|target| target.whole);
        Ok(Replaced { blob: blob.map(|(id, _)| id), scratch: ended.first().map(|(id, _)| *id) })
    }

    fn remove(&mut self, name: usize) -> Answer {
        let old = self.unclaimed(name)?;
        self.files.remove(&name);
        Ok(old.whole.map(|(id, _)| id.0))
    }

    fn touch(&mut self, name: usize, modified: i64) -> Answer {
        if let Some(file) = self.files.get_mut(&name).filter(|file| file.shipment.is_none()) {
            file.modified = modified;
        }
        Ok(None)
    }

    fn finish(&mut self, id: ShipmentId, name: usize) -> bool {
        if self.finished.contains(&id) {
            return false;
        }
        self.finished.push(id);
        if self.files.get(&name).is_some_and(|file| file.shipment == Some(id)) {
            self.files.remove(&name);
        }
        true
    }

    fn unclaimed(&self, name: usize) -> Result<File, &'static str> {
        let file = self.files.get(&name).ok_or("not found")?;
        if file.shipment.is_some() { Err("claimed") } else { Ok(file.clone()) }
    }

    /// The upload in progress of a name, or an older or unrelated one.
    fn upload(&self, name: usize, which: usize) -> ScratchId {
        let own = self.files.get(&name).and_then(|file| file.upload).map(|(id, _)| id).filter(|_| which == 0);
        own.or_else(|| self.uploads.iter().rev().nth(which).map(|(_, id)| *id)).unwrap_or_else(ScratchId::new)
    }

    fn nodes(&self) -> Vec<Node> {
        let node = |(name, file): (&usize, &File)| Node {
            path: place(*name),
            size_bytes: file.whole.map(|(_, size)| size).or(file.upload.map(|(_, size)| size)).unwrap_or_default(),
            scratch_bytes: file.upload.map(|(_, size)| size).unwrap_or_default(),
            modified: at(file.modified),
            state: match (file.whole, file.shipment) {
                (_, Some(_)) => NodeState::Claimed,
                (Some(_), None) => NodeState::Whole,
                (None, None) => NodeState::Partial,
            },
            blob: file.whole.map(|(id, _)| id),
            scratch: file.upload.map(|(id, _)| id),
            shipment: file.shipment,
            owner: None,
        };
        self.files.iter().map(node).collect()
    }

    fn usage(&self) -> Usage {
        let size = |file: &File| file.whole.map_or(0, |(_, size)| size) + file.upload.map_or(0, |(_, size)| size);
        let receipts = self.finished.len() as u64;
        let bytes = self.files.values().map(size).sum::<u64>() + receipts * 7;
        Usage { bytes, files: self.files.len() as u64 + receipts }
    }
}

fn beginning(name: usize, scratch: ScratchId, now: i64) -> NewUpload {
    let (partner, path) = (partner("etat"), place(name));
    NewUpload { partner, path, owner: None, scratch, exclusive: false, quota: QUOTA, now: at(now) }
}

fn place(name: usize) -> AreaPath {
    path(&format!("/inbox/{}", NAMES[name]))
}

fn kind(error: AreaError) -> &'static str {
    match error {
        AreaError::NotFound => "not found",
        AreaError::Exists => "exists",
        AreaError::Claimed => "claimed",
        AreaError::Superseded => "superseded",
        AreaError::Incomplete => "incomplete",
        AreaError::QuotaBytes(_) => "bytes",
        AreaError::QuotaFiles(_) => "files",
        AreaError::Ledger(_) => "ledger",
    }
}

/// In order of name.
const NAMES: [&str; 5] = ["a.part", "a.xml", "b.tmp", "b.xml", "c.xml"];
/// Tight enough to be met.
const QUOTA: Quota = Quota { bytes: 900, files: 7 };
