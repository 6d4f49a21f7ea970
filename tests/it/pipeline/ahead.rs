//! Judging while the upload arrives: however the bytes come, what is found is what is found in the staged file.

use std::ops::Range;

use sluse::model::{AreaPath, Finding, FindingGroup, NewItem, Shipment, Verdict};
use sluse::pipeline::{Ahead, rehearse};
use sluse::ports::{Arrival, Arrivals as _, Arriving, Scratch};

use super::*;

/// What a sender does, piece by piece.
enum Piece {
    /// Writes some of the file where it belongs.
    Right(Range<usize>),
    /// Writes something else there, to be put right later.
    Wrong(Range<usize>),
    /// Cuts or extends what is there.
    Resize(usize),
}

/// All that a receipt is made of.
#[derive(Debug, PartialEq)]
struct Told {
    verdict: Verdict,
    items: Vec<NewItem>,
    findings: Vec<Finding>,
    groups: Vec<FindingGroup>,
}

/// An upload as the SFTP server does it.
struct Sending {
    scratch_id: sluse::model::ScratchId,
    scratch: Arc<dyn Scratch>,
    arrival: Box<dyn Arrival>,
    blob: BlobId,
}

impl Rig {
    async fn begin_sending(&self) -> Sending {
        let scratch_id = self.house.blobs.create().await.unwrap();
        let scratch = self.house.blobs.scratch(scratch_id).await.unwrap();
        let (partner, blob) = ("ttd".parse().unwrap(), BlobId(scratch_id.0));
        let arriving = Arriving { partner, dir: "test".into(), blob, scratch: Arc::clone(&scratch), size_bytes: 0 };
        Sending { scratch_id, scratch, arrival: self.house.ahead.begins(arriving), blob }
    }

    /// Ends an upload and claims it as a rehearsal.
    async fn close(&self, mut sending: Sending, size_bytes: u64) -> ShipmentId {
        let (id, scratch, blob) = (sending.arrival.shipment(), sending.scratch_id, sending.blob);
        let (partner, now): (PartnerId, _) = ("ttd".parse().unwrap(), self.clock.now());
        let path: AreaPath = format!("/test/{id}.xml").parse().unwrap();
        let quota = Quota { bytes: u64::MAX, files: u64::MAX };
        let (of, at) = (partner.clone(), path.clone());
        let upload = NewUpload { partner: of, path: at, owner: None, scratch, exclusive: false, quota, now };
        self.area.begin(&upload).await.unwrap();
        sending.arrival.ended(size_bytes);
        self.house.blobs.seal(scratch, blob).await.unwrap();
        let close = Close { partner, path, scratch, blob, size_bytes, claim: Some((id, true)), now };
        self.area.close(&close).await.unwrap();
        sending.arrival.kept();
        id
    }

    async fn told(&self, id: ShipmentId) -> Told {
        let Shipment { verdict, .. } = rehearse(&self.house, id).await.unwrap();
        let (items, ledger) = (self.items(id).await, &self.house.ledger);
        Told {
            verdict: verdict.unwrap(),
            items: items.into_iter().map(|item| item.found).collect(),
            findings: ledger.findings(id, 0, 10_000).await.unwrap(),
            groups: ledger.finding_groups(id, 0, 10_000).await.unwrap(),
        }
    }
}

impl Sending {
    fn send(&mut self, file: &[u8], piece: &Piece) {
        match piece {
            Piece::Right(range) => self.write(range.start, &file[range.clone()]),
            Piece::Wrong(range) => self.write(range.start, &vec![b'<'; range.len()]),
            Piece::Resize(size) => {
                self.scratch.set_len(*size as u64).unwrap();
                self.arrival.resized(*size as u64);
            }
        }
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.scratch.write_at(offset as u64, bytes).unwrap();
        self.arrival.wrote(offset as u64, bytes.len() as u64);
    }
}

/// Some way to send the file, and whether all of it can be judged ahead.
fn way(file: &[u8], chance: &mut fastrand::Rng) -> (Vec<Piece>, bool) {
    let mut cuts: Vec<usize> = (0..chance.usize(1..200)).map(|_| chance.usize(..file.len())).collect();
    cuts.extend([0, file.len()]);
    cuts.sort_unstable();
    let mut pieces: Vec<Piece> = cuts.windows(2).map(|two| Piece::Right(two[0]..two[1])).collect();
    // As far out of order as requests under way can be, or wholly.
    let reach = [0, 3, 64, pieces.len()][chance.usize(..4)];
    for at in 0..pieces.len() {
        let other = (at + chance.usize(..=reach)).min(pieces.len() - 1);
        pieces.swap(at, other);
    }
    let changes = chance.bool();
    if changes {
        let (from, again) = (chance.usize(..file.len()), chance.usize(1..1_000));
        let range = from..file.len().min(from + again);
        let at = chance.usize(..pieces.len());
        pieces.insert(at, Piece::Wrong(range.clone()));
        pieces.insert(at, Piece::Resize(file.len() / 2));
        // Whatever was wrong or lost is put right at last.
        pieces.push(Piece::Resize(file.len() + 5));
        pieces.push(Piece::Right(0..file.len()));
        pieces.push(Piece::Resize(file.len()));
    }
    (pieces, !changes)
}

fn batch(seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = Options { errors: "3%".parse().unwrap(), ..Options::new(2_000, Profile::Small, seed) };
    generate::write(&options, &mut bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn however_a_file_arrives_the_same_is_found() {
    let rig = Rig::new().await;
    let file = batch(1);
    let plain = rig.begin_sending().await;
    plain.scratch.write_at(0, &file).unwrap();
    let plain = rig.close(plain, file.len() as u64).await;
    let expected = rig.told(plain).await;
    assert_eq!(expected.items.len(), 2_000);
    assert!(!expected.findings.is_empty());
    let (mut chance, mut ahead) = (fastrand::Rng::with_seed(7), 0);
    for round in 0..WAYS {
        let (pieces, in_peace) = way(&file, &mut chance);
        let mut sending = rig.begin_sending().await;
        pieces.iter().for_each(|piece| sending.send(&file, piece));
        let (id, blob) = (sending.arrival.shipment(), sending.blob);
        assert_eq!(rig.house.ahead.shipment_of(blob).is_some(), in_peace, "{round}");
        ahead += u32::from(in_peace);
        let closed = rig.close(sending, file.len() as u64).await;
        assert_eq!(rig.told(closed).await, expected, "{round}");
        assert_eq!((closed, rig.house.ahead.shipment_of(blob)), (id, None), "taken over");
    }
    assert!((1..WAYS).contains(&ahead), "both with and without are tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_off_leaves_nothing_and_a_resumed_one_is_followed_anew() {
    let rig = Rig::new().await;
    let file = batch(2);
    let half = file.len() / 2;
    let mut sending = rig.begin_sending().await;
    sending.write(0, &file[..half]);
    assert!(rig.house.ahead.shipment_of(sending.blob).is_some());
    let Sending { scratch_id, scratch, blob, arrival } = sending;
    drop(arrival);
    assert!(rig.house.ahead.shipment_of(blob).is_none());
    let partner = "ttd".parse().unwrap();
    let size_bytes = half as u64;
    let arriving = Arriving { partner, dir: "test".into(), blob, scratch: Arc::clone(&scratch), size_bytes };
    let mut resumed = Sending { scratch_id, scratch, blob, arrival: rig.house.ahead.begins(arriving) };
    resumed.write(half, &file[half..]);
    assert!(rig.house.ahead.shipment_of(blob).is_some());
    let id = rig.close(resumed, file.len() as u64).await;
    assert_eq!(rig.told(id).await.items.len(), 2_000);
    assert!(rig.house.ahead.shipment_of(blob).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn few_are_followed_at_once_and_only_what_may_be_a_batch() {
    let rig = Rig::new().await;
    let file = batch(3);
    let mut all = Vec::new();
    for _ in 0..5 {
        let mut sending = rig.begin_sending().await;
        sending.write(0, &file);
        all.push(sending);
    }
    let followed = |all: &[Sending]| all.iter().filter(|one| rig.house.ahead.shipment_of(one.blob).is_some()).count();
    assert_eq!(followed(&all), 2);
    all.clear();
    for first in ["PK\u{3}\u{4}", "no XML", "\u{feff}<a>", "   <a/>"] {
        let mut sending = rig.begin_sending().await;
        sending.write(0, first.as_bytes());
        sending.write(first.len(), &[b' '; 5_000]);
        all.push(sending);
    }
    assert_eq!(followed(&all), 2, "by its first four bytes");
    let nobody = Ahead::none();
    let mut sending = rig.begin_sending().await;
    let (partner, scratch) = ("ttd".parse().unwrap(), Arc::clone(&sending.scratch));
    let arriving = Arriving { partner, dir: "test".into(), blob: sending.blob, scratch, size_bytes: 0 };
    sending.arrival = nobody.begins(arriving);
    sending.write(0, &file);
    assert!(nobody.shipment_of(sending.blob).is_none());
    let id = rig.close(sending, file.len() as u64).await;
    assert_eq!(rig.told(id).await.items.len(), 2_000);
}

const WAYS: u32 = 12;
