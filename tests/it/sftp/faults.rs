//! The ledger fails at CLOSE; the disk is full in the middle.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use sluse::adapters::blobs::{LocalBlobs, TieredBlobs};
use sluse::adapters::ledger::SqliteLedger;
use sluse::adapters::sftp_server::SftpLimits;
use sluse::model::{AreaPath, BlobId, Fetch, Node, NodeState, PartnerId, ScratchId, ShipmentId};
use sluse::ports::{
    Area, AreaError, Begun, Blob, Blobs, Close, LedgerError, Look, NewUpload, Replaced, Scratch, SmallUpload, Usage,
};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::support::sftp::{Gateway, ROOMY, refusal, store as store_of};

const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::TRUNCATE);

/// Holds up who reaches it first until another has looked at the name.
#[derive(Default)]
struct Gate {
    is_reached: AtomicBool,
    reached: Notify,
    looked: Notify,
}

impl Gate {
    async fn hold(&self) {
        if self.is_reached.swap(true, Ordering::SeqCst) {
            return;
        }
        self.reached.notify_one();
        // These tests have one thread: who has looked goes on as far as it can before this is woken.
        tokio::time::timeout(Duration::from_secs(60), self.looked.notified()).await.expect("somebody who looks");
    }

    fn look(&self) {
        if self.is_reached.load(Ordering::SeqCst) {
            self.looked.notify_one();
        }
    }
}

/// A ledger that cannot be reached when told so.
struct Moody {
    area: SqliteLedger,
    down: Arc<AtomicBool>,
    /// It does what a CLOSE asks, and the answer is lost.
    mute: Arc<AtomicBool>,
    /// Where a removal that is done waits with its answer.
    removal: Option<Arc<Gate>>,
    discarding: Option<Arc<Gate>>,
}

impl Moody {
    fn up(&self) -> Result<&SqliteLedger, AreaError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(LedgerError::Unavailable("as the test asked".to_owned()).into());
        }
        Ok(&self.area)
    }
}

#[async_trait]
impl Area for Moody {
    async fn list(&self, p: &PartnerId, dir: &str, after: Option<&str>, limit: u32) -> Result<Vec<Node>, AreaError> {
        self.up()?.list(p, dir, after, limit).await
    }
    async fn stat(&self, partner: &PartnerId, path: &AreaPath) -> Result<Option<Node>, AreaError> {
        let node = self.up()?.stat(partner, path).await?;
        [&self.removal, &self.discarding].into_iter().flatten().for_each(|gate| gate.look());
        Ok(node)
    }
    async fn look(&self, partner: &PartnerId, path: &AreaPath) -> Result<Look, AreaError> {
        self.up()?.look(partner, path).await
    }
    async fn usage(&self, partner: &PartnerId) -> Result<Usage, AreaError> {
        self.up()?.usage(partner).await
    }
    async fn begin(&self, upload: &NewUpload) -> Result<Begun, AreaError> {
        self.up()?.begin(upload).await
    }
    async fn pause(&self, p: &PartnerId, path: &AreaPath, scratch: ScratchId, size: u64) -> Result<(), AreaError> {
        self.up()?.pause(p, path, scratch, size).await
    }
    async fn close(&self, close: &Close) -> Result<Option<BlobId>, AreaError> {
        Area::close(self.up()?, close).await
    }
    async fn close_small(
        &self,
        close: &Close,
        bytes: Option<Vec<u8>>,
        begins: Option<&NewUpload>,
    ) -> Result<Option<BlobId>, AreaError> {
        let closed = self.up()?.close_small(close, bytes, begins).await?;
        if self.mute.load(Ordering::SeqCst) {
            return Err(LedgerError::Unavailable("as the test asked".to_owned()).into());
        }
        Ok(closed)
    }
    async fn safeguard(
        &self,
        small: &SmallUpload,
        bytes: Vec<u8>,
        begins: Option<&NewUpload>,
    ) -> Result<(), AreaError> {
        self.up()?.safeguard(small, bytes, begins).await
    }
    async fn rename(
        &self,
        partner: &PartnerId,
        from: &AreaPath,
        to: &AreaPath,
        replace: bool,
        claim: Option<(ShipmentId, bool)>,
        now: Timestamp,
    ) -> Result<Replaced, AreaError> {
        self.up()?.rename(partner, from, to, replace, claim, now).await
    }
    async fn remove(&self, partner: &PartnerId, path: &AreaPath) -> Result<Node, AreaError> {
        let node = self.up()?.remove(partner, path).await?;
        if let Some(removal) = &self.removal {
            removal.hold().await;
        }
        Ok(node)
    }
    async fn fetched(&self, p: &PartnerId, path: &AreaPath, user: &str, now: Timestamp) -> Result<(), AreaError> {
        self.up()?.fetched(p, path, user, now).await
    }
    async fn fetches(&self, partner: &PartnerId, path: &AreaPath) -> Result<Vec<Fetch>, AreaError> {
        self.up()?.fetches(partner, path).await
    }
    async fn touch(&self, partner: &PartnerId, path: &AreaPath, modified: Timestamp) -> Result<(), AreaError> {
        self.up()?.touch(partner, path, modified).await
    }
}

/// A store whose disk is full when told so.
struct Filling {
    blobs: Arc<dyn Blobs>,
    full: Arc<AtomicBool>,
    /// Where who threw a scratch file away waits when that is done.
    discarding: Option<Arc<Gate>>,
}

impl Filling {
    fn wrap(&self, scratch: Arc<dyn Scratch>) -> Arc<dyn Scratch> {
        Arc::new(FillingScratch { scratch, full: Arc::clone(&self.full) })
    }
}

struct FillingScratch {
    scratch: Arc<dyn Scratch>,
    full: Arc<AtomicBool>,
}

impl FillingScratch {
    fn room(&self) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Scratch for FillingScratch {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.room()?;
        self.scratch.write_at(offset, bytes)
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.scratch.read_at(offset, into)
    }
    fn set_len(&self, size_bytes: u64) -> io::Result<()> {
        self.room()?;
        self.scratch.set_len(size_bytes)
    }
    fn size_bytes(&self) -> io::Result<u64> {
        self.scratch.size_bytes()
    }
    fn sync(&self) -> io::Result<()> {
        self.scratch.sync()
    }
    fn in_memory(&self) -> Option<Vec<u8>> {
        self.scratch.in_memory()
    }
    fn stays_in_memory(&self, end: u64) -> bool {
        self.scratch.stays_in_memory(end)
    }
}

#[async_trait]
impl Blobs for Filling {
    async fn create(&self) -> io::Result<ScratchId> {
        self.blobs.create().await
    }
    async fn begin(&self) -> io::Result<(ScratchId, Arc<dyn Scratch>)> {
        let (id, scratch) = self.blobs.begin().await?;
        Ok((id, self.wrap(scratch)))
    }
    async fn scratch(&self, id: ScratchId) -> io::Result<Arc<dyn Scratch>> {
        Ok(self.wrap(self.blobs.scratch(id).await?))
    }
    async fn seal(&self, scratch: ScratchId, blob: BlobId) -> io::Result<()> {
        self.blobs.seal(scratch, blob).await
    }
    async fn open(&self, id: BlobId) -> io::Result<Arc<dyn Blob>> {
        self.blobs.open(id).await
    }
    async fn discard(&self, id: ScratchId) -> io::Result<()> {
        self.blobs.discard(id).await?;
        if let Some(discarding) = &self.discarding {
            discarding.hold().await;
        }
        Ok(())
    }
    async fn remove(&self, id: BlobId) -> io::Result<()> {
        self.blobs.remove(id).await
    }
    async fn inventory(&self) -> io::Result<(Vec<BlobId>, Vec<ScratchId>)> {
        self.blobs.inventory().await
    }
}

/// What can be asked of the stand-ins.
#[derive(Default)]
struct Faults {
    down: Arc<AtomicBool>,
    mute: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
    removal: Option<Arc<Gate>>,
    discarding: Option<Arc<Gate>>,
}

impl Faults {
    /// A server with both stand-ins, over a store that has a file of every upload.
    async fn over_files(&self) -> Gateway {
        let dir = tempfile::tempdir().unwrap();
        let files = LocalBlobs::open(&dir.path().join("bytes")).unwrap();
        self.over(dir, |_tiered| Arc::new(files)).await
    }

    /// One with the bytes as the program keeps them.
    async fn over_tiers(&self) -> Gateway {
        self.over(tempfile::tempdir().unwrap(), |tiered| Arc::new(tiered)).await
    }

    async fn over(&self, dir: TempDir, store: impl FnOnce(TieredBlobs) -> Arc<dyn Blobs>) -> Gateway {
        let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).await.unwrap();
        let (down, mute) = (Arc::clone(&self.down), Arc::clone(&self.mute));
        let (removal, discarding) = (self.removal.clone(), self.discarding.clone());
        let area = Moody { area: ledger.clone(), down, mute, removal, discarding: discarding.clone() };
        let blobs = store_of(&dir, &ledger);
        let store = Filling { blobs: store(blobs.clone()), full: Arc::clone(&self.full), discarding };
        let limits = SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() };
        Gateway::over(dir, ledger, blobs, (Arc::new(area), Arc::new(store)), limits, ROOMY).await
    }
}

#[tokio::test]
async fn a_close_the_ledger_did_not_take_is_no_success_and_can_be_resumed() {
    let faults = Faults::default();
    let gateway = faults.over_files().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"first half ".to_vec()).await.unwrap();
    faults.down.store(true, Ordering::SeqCst);
    let refused = refusal(client.sftp.close(handle).await.unwrap_err());
    assert_eq!(refused.0, StatusCode::Failure);
    assert!(!refused.1.contains("as the test asked"), "our own words stay in the log: {}", refused.1);
    faults.down.store(false, Ordering::SeqCst);
    let node = gateway.node("/inbox/a.xml").await.unwrap();
    assert_eq!((node.state, node.shipment), (NodeState::Partial, None));

    // The bytes were sealed before the ledger failed; the sender does not notice.
    assert_eq!(client.sftp.stat("/inbox/a.xml").await.unwrap().attrs.size, Some(11));
    let handle = client.open("/inbox/a.xml", OpenFlags::WRITE | OpenFlags::CREATE).await.unwrap();
    client.sftp.write(&*handle, 11, b"and second".to_vec()).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"first half and second");
    assert_eq!(gateway.blobs.inventory().await.unwrap(), (vec![shipment.blob], vec![]));
}

#[tokio::test]
async fn an_upload_that_begins_before_a_removal_is_answered_is_another_one() {
    let removal = Arc::new(Gate::default());
    let faults = Faults { removal: Some(Arc::clone(&removal)), ..Faults::default() };
    let gateway = faults.over_tiers().await;
    let (first, second, third) = (gateway.raw("etat").await, gateway.raw("etat").await, gateway.raw("etat").await);
    let old = first.open("/inbox/a.part", NEW).await.unwrap();
    first.sftp.write(&*old, 0, b"old".to_vec()).await.unwrap();
    let begins = async {
        removal.reached.notified().await;
        third.open("/inbox/a.part", NEW).await
    };
    let (gone, new) = tokio::join!(second.sftp.remove("/inbox/a.part"), begins);
    gone.unwrap();
    let new = new.unwrap();
    third.sftp.write(&*new, 0, b"another".to_vec()).await.unwrap();
    third.sftp.close(new).await.unwrap();
    refusal(first.sftp.close(old).await.unwrap_err());
    let node = gateway.node("/inbox/a.part").await.unwrap();
    assert_eq!((node.state, node.size_bytes), (NodeState::Whole, 7));
}

#[tokio::test]
async fn a_small_upload_the_ledger_never_heard_of_can_be_resumed() {
    let faults = Faults::default();
    let gateway = faults.over_tiers().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"first half ".to_vec()).await.unwrap();
    faults.down.store(true, Ordering::SeqCst);
    assert_eq!(refusal(client.sftp.close(handle).await.unwrap_err()).0, StatusCode::Failure);
    refusal(client.sftp.stat("/inbox/a.xml").await.unwrap_err());
    faults.down.store(false, Ordering::SeqCst);
    assert_eq!(client.sftp.stat("/inbox/a.xml").await.unwrap().attrs.size, Some(11));
    let handle = client.open("/inbox/a.xml", OpenFlags::WRITE | OpenFlags::CREATE).await.unwrap();
    client.sftp.write(&*handle, 11, b"and second".to_vec()).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"first half and second");
    assert_eq!(gateway.blobs.inventory().await.unwrap(), (vec![shipment.blob], vec![]));
}

#[tokio::test]
async fn a_close_that_was_done_and_not_answered_leaves_the_shipment_its_bytes() {
    let faults = Faults::default();
    let gateway = faults.over_tiers().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, b"whole".to_vec()).await.unwrap();
    // Whoever looks has it recorded.
    client.sftp.stat("/inbox/a.xml").await.unwrap();
    faults.mute.store(true, Ordering::SeqCst);
    assert_eq!(refusal(client.sftp.close(handle).await.unwrap_err()).0, StatusCode::Failure);
    let shipment = gateway.shipment("/inbox/a.xml").await.unwrap();
    assert_eq!(gateway.bytes(&shipment).await, b"whole");
}

#[tokio::test]
async fn what_an_upload_threw_away_is_not_brought_to_disk_by_who_follows() {
    let discarding = Arc::new(Gate::default());
    let faults = Faults { discarding: Some(Arc::clone(&discarding)), ..Faults::default() };
    let gateway = faults.over_tiers().await;
    let (first, second) = (gateway.raw("etat").await, gateway.raw("etat").await);
    first.put("/inbox/a.xml", b"first").await.unwrap();
    // Both open the file that is being processed, and send nothing.
    let opening = OpenFlags::WRITE | OpenFlags::CREATE;
    let old = first.open("/inbox/a.xml", opening).await.unwrap();
    let follows = async {
        discarding.reached.notified().await;
        second.open("/inbox/a.xml", opening).await
    };
    let (refused, new) = tokio::join!(first.sftp.close(old), follows);
    refusal(refused.unwrap_err());
    refusal(second.sftp.close(new.unwrap()).await.unwrap_err());
    let kept = gateway.shipment("/inbox/a.xml").await.unwrap().blob;
    assert_eq!(gateway.blobs.inventory().await.unwrap(), (vec![kept], vec![]));
}

#[tokio::test]
async fn a_full_disk_is_told_in_words_and_the_partial_is_kept() {
    let faults = Faults::default();
    let gateway = faults.over_files().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, vec![1; 1000]).await.unwrap();
    faults.full.store(true, Ordering::SeqCst);
    let refused = refusal(client.sftp.write(&*handle, 1000, vec![2; 1000]).await.unwrap_err());
    assert!(refused.1.contains("disk is full"), "{}", refused.1);
    faults.full.store(false, Ordering::SeqCst);
    // Room has come back, but a hole could be left: this handle is spent.
    client.sftp.write(&*handle, 2000, vec![3; 1000]).await.unwrap_err();
    assert!(refusal(client.sftp.close(handle).await.unwrap_err()).1.contains("disk is full"));
    assert_eq!(client.sftp.stat("/inbox/a.xml").await.unwrap().attrs.size, Some(1000));
    let handle = client.open("/inbox/a.xml", OpenFlags::WRITE).await.unwrap();
    client.sftp.write(&*handle, 1000, vec![2; 1000]).await.unwrap();
    client.sftp.close(handle).await.unwrap();
    assert_eq!(gateway.shipment("/inbox/a.xml").await.unwrap().size_bytes, 2000);
}

#[tokio::test]
async fn new_bytes_with_a_tail_of_old_ones_are_no_file() {
    let faults = Faults::default();
    let gateway = faults.over_files().await;
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", NEW).await.unwrap();
    client.sftp.write(&*handle, 0, vec![1; 1000]).await.unwrap();
    client.cut().await;
    gateway.paused_at("/inbox/a.xml", 1000).await;
    // As OpenSSH's `scp` sends a file that is shorter: it cuts at the end and does not look whether that was done.
    let client = gateway.raw("etat").await;
    let handle = client.open("/inbox/a.xml", OpenFlags::WRITE | OpenFlags::CREATE).await.unwrap();
    client.sftp.write(&*handle, 0, vec![2; 500]).await.unwrap();
    faults.full.store(true, Ordering::SeqCst);
    let cut = FileAttributes { size: Some(500), ..FileAttributes::empty() };
    refusal(client.sftp.fsetstat(&*handle, cut).await.unwrap_err());
    faults.full.store(false, Ordering::SeqCst);
    assert!(refusal(client.sftp.close(handle).await.unwrap_err()).1.contains("disk is full"));
    assert!(gateway.shipment("/inbox/a.xml").await.is_none());
}
