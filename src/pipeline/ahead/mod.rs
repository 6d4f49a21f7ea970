//! Judging ahead: large batches are judged while they arrive, so that little is left to do after CLOSE.
//!
//! A judge follows the scratch file of an upload: it reads what has come in order, waits for more, and stops when the
//! upload is cut off or something it has read is written anew. It never holds the upload up. What it finds waits in a short
//! queue; when that is full the judge waits, too, until the pipeline has the shipment and takes over, wherever the judge
//! stands. Nothing of it enters the ledger before, and whatever goes wrong, the staged file is judged as if none of this
//! were. Few are followed at once, so that memory stays flat.

mod coming;
mod in_order;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

use super::House;
use super::StepError;
use super::reading::{Case, keep_all};
use crate::blocking::{Blocking, Lost};
use crate::intake::Routes;
use crate::model::{BlobId, FormatName, PartnerId, Route, Shipment, ShipmentId};
use crate::ports::{Arrival, Arrivals, Arriving};
use crate::staging::{Course, Follower};
use crate::validate::{Found, JudgeError, Judgement};

use coming::Coming;

/// Files that are judged while they arrive; clones share them.
#[derive(Clone)]
pub struct Ahead {
    shared: Arc<Shared>,
}

struct Shared {
    routes: Arc<Routes>,
    door: Blocking,
    most: usize,
    from_bytes: u64,
    patience: Duration,
    followed: Mutex<Vec<Followed>>,
}

/// One file with its judge.
struct Followed {
    partner: PartnerId,
    dir: String,
    blob: BlobId,
    shipment: ShipmentId,
    course: Arc<Course>,
    /// When its upload ended.
    kept_at: Option<Instant>,
    found: Receiver<Found>,
    judged: JoinHandle<Result<Result<Judgement, JudgeError>, Lost>>,
}

impl Ahead {
    /// Follows at most so many files at once, each from the moment that so many bytes of it have come, until it stands still
    /// for so long.
    pub fn new(routes: Arc<Routes>, most: usize, from_bytes: u64, patience: Duration) -> Self {
        let followed = Mutex::new(Vec::new());
        Self { shared: Arc::new(Shared { routes, door: Blocking::new(most), most, from_bytes, patience, followed }) }
    }

    /// Follows none.
    pub fn none() -> Self {
        Self::new(Arc::default(), 0, u64::MAX, Duration::ZERO)
    }

    /// Begins to follow an upload, when there is room and it may be a batch.
    fn follow(&self, upload: &Arriving, shipment: ShipmentId) -> Option<Arc<Course>> {
        let routes = self.shared.routes.taking(&upload.partner, &upload.dir);
        if !may_be_batch(upload, &routes) || !self.has_room() {
            return None;
        }
        let course = Arc::new(Course::default());
        let (sender, found) = mpsc::channel(CHUNKS_WAITING);
        let mut follower = Follower::new(Arc::clone(&upload.scratch), Arc::clone(&course), self.shared.patience);
        let case = Case::arriving(&routes, upload.partner.clone(), shipment);
        let door = self.shared.door.clone();
        let judged = tokio::spawn(async move { door.run(move || case.judge(&mut follower, &sender)).await });
        let (partner, dir, blob) = (upload.partner.clone(), upload.dir.clone(), upload.blob);
        let kept_at = None;
        let followed = Followed { partner, dir, blob, shipment, course: Arc::clone(&course), kept_at, found, judged };
        self.locked().push(followed);
        Some(course)
    }

    /// Whether one more may be followed. Files that nobody claims give way.
    fn has_room(&self) -> bool {
        let mut followed = self.locked();
        followed.retain(|one| !one.course.is_cut());
        let old = |one: &Followed| one.kept_at.is_some_and(|kept_at| kept_at.elapsed() > KEPT_FOR);
        if followed.len() >= self.shared.most
            && let Some(at) = followed.iter().position(old)
        {
            drop(followed.remove(at));
        }
        followed.len() < self.shared.most
    }

    fn keep(&self, course: &Arc<Course>) {
        if let Some(one) = self.locked().iter_mut().find(|one| Arc::ptr_eq(&one.course, course)) {
            one.kept_at = Some(Instant::now());
        }
    }

    fn forget(&self, course: &Arc<Course>) {
        course.cut();
        self.locked().retain(|one| !Arc::ptr_eq(&one.course, course));
    }

    /// Takes over what was judged of a shipment ahead of its claim.
    fn take(&self, shipment: &Shipment) -> Option<Followed> {
        let mut followed = self.locked();
        let is_of = |one: &Followed| one.blob == shipment.blob && one.shipment == shipment.id;
        let one = followed.iter().position(is_of).map(|at| followed.swap_remove(at))?;
        // Another directory has other routes.
        let same = one.partner == shipment.partner && one.dir == shipment.path.dir;
        (same && one.course.size_bytes() == Some(shipment.size_bytes)).then_some(one)
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Followed>> {
        // Whole after every statement, so a panic elsewhere does not spoil it.
        self.shared.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrivals for Ahead {
    fn begins(&self, upload: Arriving) -> Box<dyn Arrival> {
        Box::new(Coming::new(self.clone(), upload))
    }

    fn shipment_of(&self, blob: BlobId) -> Option<ShipmentId> {
        self.locked().iter().find(|one| one.blob == blob).map(|one| one.shipment)
    }
}

/// Finishes what was judged ahead, items and findings going to the ledger; `None` when the staged file is to be judged from
/// its beginning.
pub(super) async fn finish(house: &House, shipment: &Shipment) -> Result<Option<Judgement>, StepError> {
    let Some(Followed { found, judged, .. }) = house.ahead.take(shipment) else { return Ok(None) };
    keep_all(house, shipment.id, found).await?;
    match judged.await {
        Ok(Ok(Ok(judgement))) => {
            tracing::info!(shipment = %shipment.id, "judged while it arrived");
            Ok(Some(judgement))
        }
        Ok(Ok(Err(error))) => {
            tracing::info!(shipment = %shipment.id, %error, "judging ahead came to nothing");
            house.ledger.restart_judging(shipment.id).await?;
            Ok(None)
        }
        Ok(Err(Lost)) | Err(_) => {
            tracing::error!(shipment = %shipment.id, "judging ahead was lost");
            house.ledger.restart_judging(shipment.id).await?;
            Ok(None)
        }
    }
}

/// Whether a route reads it in order, and it begins as XML does in any encoding. Blocks for a moment, on what has just
/// been written.
fn may_be_batch(upload: &Arriving, routes: &[Arc<Route>]) -> bool {
    let mut first = [0; 4];
    routes.iter().any(|route| route.format != FormatName::Broker)
        && upload.scratch.read_at(0, &mut first).is_ok_and(|read| read == first.len())
        && first.contains(&b'<')
}

/// Chunks of items that wait for their shipment, per file: some thousands of items.
const CHUNKS_WAITING: usize = 6;

/// How long a file's judge waits for its claim when others want the place.
const KEPT_FOR: Duration = Duration::from_secs(30);
