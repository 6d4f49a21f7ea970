//! The tree: what each call on a partner's files does to its rows.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::model::{AreaPath, BlobId, Fetch, Node, NodeState, PartnerId, ScratchId, ShipmentId};
use crate::ports::{Area, AreaError, Begun, Close, LedgerError, Look, NewUpload, Replaced, SmallUpload, Usage};

use super::brief::Brief;
use super::rows::{self, int, node_number, uuid};
use super::shipments::Claim;
use super::sql::area as sql;
use super::{SqliteLedger, shipments, small_blobs};

#[async_trait]
impl Area for SqliteLedger {
    async fn list(
        &self,
        partner: &PartnerId,
        dir: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Node>, AreaError> {
        let mut reader = self.reader().await?;
        // No name is empty, so the empty one comes before all.
        Ok(self::list(&mut reader, partner, dir, after.unwrap_or_default(), limit).await?)
    }

    async fn stat(&self, partner: &PartnerId, path: &AreaPath) -> Result<Option<Node>, AreaError> {
        let mut reader = self.reader().await?;
        Ok(self::stat(&mut reader, partner, path).await?)
    }

    async fn look(&self, partner: &PartnerId, path: &AreaPath) -> Result<Look, AreaError> {
        let (entry, usage) = entry_and_usage(&mut *self.reader().await?, partner, path).await?;
        Ok(Look { node: entry.map(Entry::into_node), usage })
    }

    async fn usage(&self, partner: &PartnerId) -> Result<Usage, AreaError> {
        let mut reader = self.reader().await?;
        Ok(usage(&mut reader, partner).await?)
    }

    async fn begin(&self, upload: &NewUpload) -> Result<Begun, AreaError> {
        let upload = upload.clone();
        // An upload that is lost with the machine's memory is begun anew; its CLOSE brings this to disk, too.
        self.write_lazily(move |connection| Box::pin(async move { begin(connection, &upload).await })).await
    }

    async fn pause(
        &self,
        partner: &PartnerId,
        path: &AreaPath,
        scratch: ScratchId,
        size_bytes: u64,
    ) -> Result<(), AreaError> {
        let (partner, path) = (partner.clone(), path.clone());
        self.write(move |connection| {
            Box::pin(async move {
                let old = uploading(connection, &partner, &path, scratch).await?;
                Ok(put(connection, &partner, &Entry { scratch_bytes: size_bytes, ..old }).await?)
            })
        })
        .await
    }

    async fn close(&self, close: &Close) -> Result<Option<BlobId>, AreaError> {
        let close = close.clone();
        self.write(move |connection| Box::pin(async move { close_sealed(connection, &close).await })).await
    }

    async fn close_small(
        &self,
        close: &Close,
        bytes: Option<Vec<u8>>,
        begins: Option<&NewUpload>,
    ) -> Result<Option<BlobId>, AreaError> {
        if let Some(brief) = Brief::closing(close, bytes.as_deref(), begins)
            && self.write_briefly(brief).await?
        {
            return Ok(None);
        }
        let (close, begins) = (close.clone(), begins.cloned());
        self.write(move |connection| Box::pin(close_small(connection, close, bytes, begins))).await
    }

    async fn safeguard(
        &self,
        small: &SmallUpload,
        bytes: Vec<u8>,
        begins: Option<&NewUpload>,
    ) -> Result<(), AreaError> {
        if let Some(begins) = begins
            && self.write_briefly(Brief::safeguarding(small, &bytes, begins)).await?
        {
            return Ok(());
        }
        let (small, begins) = (small.clone(), begins.cloned());
        self.write(move |connection| Box::pin(safeguard(connection, small, bytes, begins))).await
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
        let (partner, from, to) = (partner.clone(), from.clone(), to.clone());
        let renaming = Renaming { partner, from, to, replace, claim, now };
        self.write(move |connection| Box::pin(rename(connection, renaming))).await
    }

    async fn remove(&self, partner: &PartnerId, path: &AreaPath) -> Result<Node, AreaError> {
        let (partner, path) = (partner.clone(), path.clone());
        self.write(move |connection| Box::pin(async move { self::remove(connection, &partner, &path).await })).await
    }

    async fn fetched(&self, partner: &PartnerId, path: &AreaPath, user: &str, now: Timestamp) -> Result<(), AreaError> {
        let (partner, path, user) = (partner.clone(), path.clone(), user.to_owned());
        self.write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(sql::FETCHED).bind(partner.as_str()).bind(path.dir).bind(path.name).bind(user);
                query.bind(now.as_millisecond()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn fetches(&self, partner: &PartnerId, path: &AreaPath) -> Result<Vec<Fetch>, AreaError> {
        let mut reader = self.reader().await?;
        let query = sqlx::query(sql::FETCHES).bind(partner.as_str()).bind(path.dir.as_str()).bind(path.name.as_str());
        let rows = query.fetch_all(&mut *reader).await?;
        Ok(rows.iter().map(rows::fetch).collect::<Result<_, _>>()?)
    }

    async fn touch(&self, partner: &PartnerId, path: &AreaPath, modified: Timestamp) -> Result<(), AreaError> {
        let (partner, path) = (partner.clone(), path.clone());
        self.write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(sql::TOUCH).bind(partner.as_str()).bind(path.dir).bind(path.name);
                query.bind(modified.as_millisecond()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// A node with both of its sizes: what a quota counts.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) path: AreaPath,
    pub(super) state: NodeState,
    pub(super) size_bytes: u64,
    pub(super) scratch_bytes: u64,
    pub(super) modified: Timestamp,
    pub(super) blob: Option<BlobId>,
    pub(super) scratch: Option<ScratchId>,
    pub(super) shipment: Option<ShipmentId>,
    pub(super) owner: Option<String>,
}

impl Entry {
    fn from_row(row: &SqliteRow) -> Result<Self, LedgerError> {
        let Node { path, scratch_bytes, modified, state, blob, scratch, shipment, owner, .. } = rows::node(row)?;
        let size_bytes = rows::count(row, "size_bytes")?;
        Ok(Self { path, state, size_bytes, scratch_bytes, modified, blob, scratch, shipment, owner })
    }

    fn into_node(self) -> Node {
        let size_bytes = if self.blob.is_some() { self.size_bytes } else { self.scratch_bytes };
        let Self { path, state, scratch_bytes, modified, blob, scratch, shipment, owner, .. } = self;
        Node { path, size_bytes, scratch_bytes, modified, state, blob, scratch, shipment, owner }
    }

    pub(super) fn partial(path: AreaPath, scratch: ScratchId, now: Timestamp, owner: Option<String>) -> Self {
        Self {
            path,
            state: NodeState::Partial,
            size_bytes: 0,
            scratch_bytes: 0,
            modified: now,
            blob: None,
            scratch: Some(scratch),
            shipment: None,
            owner,
        }
    }

    /// What an upload leaves when it is closed.
    pub(super) fn closed(close: &Close, owner: Option<String>) -> Self {
        Self {
            path: close.path.clone(),
            state: if close.claim.is_some() { NodeState::Claimed } else { NodeState::Whole },
            size_bytes: close.size_bytes,
            scratch_bytes: 0,
            modified: close.now,
            blob: Some(close.blob),
            scratch: None,
            shipment: close.claim.map(|(id, _)| id),
            owner,
        }
    }

    fn held_bytes(&self) -> i64 {
        int(self.size_bytes.saturating_add(self.scratch_bytes))
    }
}

/// Files of a directory in order of name, after a given name.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    dir: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<Node>, LedgerError> {
    let query = sqlx::query(sql::LIST).bind(partner.as_str()).bind(dir).bind(after).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(rows::node).collect()
}

/// One file.
pub(super) async fn stat(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    path: &AreaPath,
) -> Result<Option<Node>, LedgerError> {
    Ok(entry(connection, partner, path).await?.map(Entry::into_node))
}

/// Takes an unclaimed file out of the tree.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    path: &AreaPath,
) -> Result<Node, AreaError> {
    let old = unclaimed(connection, partner, path).await?;
    drop_entry(connection, partner, path).await?;
    Ok(old.into_node())
}

async fn begin(connection: &mut SqliteConnection, upload: &NewUpload) -> Result<Begun, AreaError> {
    let NewUpload { partner, path, owner, scratch, exclusive, quota, now } = upload;
    let (old, held) = entry_and_usage(connection, partner, path).await?;
    if *exclusive && old.as_ref().is_some_and(|old| old.scratch != Some(*scratch)) {
        return Err(AreaError::Exists);
    }
    let new = match &old {
        Some(old) if old.scratch == Some(*scratch) => old.clone(),
        Some(old) if old.state == NodeState::Whole => {
            Entry { scratch: Some(*scratch), scratch_bytes: 0, ..old.clone() }
        }
        Some(_) | None => Entry::partial(path.clone(), *scratch, *now, owner.clone()),
    };
    let freed = old.as_ref().map_or(0, Entry::held_bytes) - new.held_bytes();
    let held_bytes = held.bytes.saturating_add_signed(-freed);
    // Who begins anew on a name adds no file.
    quota.admit(Usage { bytes: held_bytes, files: if old.is_some() { 0 } else { held.files } })?;
    put(connection, partner, &new).await?;
    Ok(Begun { former: old.and_then(|old| old.scratch).filter(|old| old != scratch), held_bytes })
}

async fn close_sealed(connection: &mut SqliteConnection, closing: &Close) -> Result<Option<BlobId>, AreaError> {
    // What was safeguarded of it when it was small.
    small_blobs::remove(connection, closing.blob).await?;
    close(connection, closing).await
}

async fn close_small(
    connection: &mut SqliteConnection,
    closing: Close,
    bytes: Option<Vec<u8>>,
    begins: Option<NewUpload>,
) -> Result<Option<BlobId>, AreaError> {
    if let Some(upload) = begins {
        let old = entry(connection, &closing.partner, &closing.path).await?;
        // The same call once more, after its answer was lost, finds what it closed.
        if old.is_none_or(|old| old.blob != Some(closing.blob)) {
            begin(connection, &upload).await?;
        }
    }
    if let Some(bytes) = bytes {
        small_blobs::put(connection, closing.blob, bytes).await?;
    }
    close(connection, &closing).await
}

async fn safeguard(
    connection: &mut SqliteConnection,
    small: SmallUpload,
    bytes: Vec<u8>,
    begins: Option<NewUpload>,
) -> Result<(), AreaError> {
    if let Some(upload) = begins {
        begin(connection, &upload).await?;
    }
    if small_blobs::safeguard(connection, &small, bytes).await? {
        return Ok(());
    }
    // Says why not.
    uploading(connection, &small.partner, &small.path, small.scratch).await.and(Err(AreaError::Superseded))
}

async fn close(connection: &mut SqliteConnection, close: &Close) -> Result<Option<BlobId>, AreaError> {
    let Close { partner, path, scratch, blob, size_bytes, claim, now } = close;
    let old = entry(connection, partner, path).await?.ok_or(AreaError::NotFound)?;
    if old.blob == Some(*blob) {
        // The same call once more, after its answer was lost.
        return if old.shipment == claim.map(|(id, _)| id) { Ok(None) } else { Err(AreaError::Superseded) };
    }
    if old.scratch != Some(*scratch) {
        return Err(AreaError::Superseded);
    }
    let new = Entry::closed(close, old.owner.clone());
    put(connection, partner, &new).await?;
    if let Some((id, preflight)) = *claim {
        let (partner, path) = (partner.clone(), path.clone());
        let claim = Claim { id, preflight, partner, path, blob: *blob, size_bytes: *size_bytes, now: *now };
        shipments::claim(connection, &claim).await?;
    }
    Ok(old.blob)
}

struct Renaming {
    partner: PartnerId,
    from: AreaPath,
    to: AreaPath,
    replace: bool,
    claim: Option<(ShipmentId, bool)>,
    now: Timestamp,
}

async fn rename(connection: &mut SqliteConnection, renaming: Renaming) -> Result<Replaced, AreaError> {
    let Renaming { partner, from, to, replace: may_replace, claim, now } = renaming;
    let old = unclaimed(connection, &partner, &from).await?;
    let target = entry(connection, &partner, &to).await?;
    if target.is_some() && !may_replace {
        return Err(AreaError::Exists);
    }
    if old.state == NodeState::Partial && claim.is_some() {
        return Err(AreaError::Incomplete);
    }
    let target = target.filter(|_| from != to);
    let new = moved(&old, &to, target.as_ref(), claim);
    drop_entry(connection, &partner, &old.path).await?;
    // An upload was about to replace the file that moved: it goes on under the old name.
    let stays = old.scratch.filter(|_| old.state == NodeState::Whole && from != to);
    let left = [old.scratch, target.as_ref().and_then(|target| target.scratch)];
    let scratch = left.into_iter().flatten().find(|id| ![stays, new.scratch].contains(&Some(*id)));
    if let Some(scratch) = stays {
        let partial =
            Entry { scratch_bytes: old.scratch_bytes, ..Entry::partial(from, scratch, old.modified, old.owner) };
        put(connection, &partner, &partial).await?;
    }
    put(connection, &partner, &new).await?;
    if let (Some((id, preflight)), Some(blob)) = (claim, new.blob) {
        let claim = Claim { id, preflight, partner, path: to, blob, size_bytes: new.size_bytes, now };
        shipments::claim(connection, &claim).await?;
    }
    // A claimed file's bytes are its shipment's.
    let blob = target.filter(|target| target.state == NodeState::Whole).and_then(|target| target.blob);
    Ok(Replaced { blob, scratch })
}

/// What stands at the new name. An upload in progress there goes on, unless the name is claimed now.
fn moved(old: &Entry, to: &AreaPath, target: Option<&Entry>, claim: Option<(ShipmentId, bool)>) -> Entry {
    let unfinished = target.filter(|_| claim.is_none()).map(|target| (target.scratch, target.scratch_bytes));
    let (state, (scratch, scratch_bytes)) = match (old.state, claim) {
        (NodeState::Partial, _) => (NodeState::Partial, (old.scratch, old.scratch_bytes)),
        (NodeState::Whole | NodeState::Claimed, None) => (NodeState::Whole, unfinished.unwrap_or_default()),
        (NodeState::Whole | NodeState::Claimed, Some(_)) => (NodeState::Claimed, (None, 0)),
    };
    Entry { path: to.clone(), state, scratch, scratch_bytes, shipment: claim.map(|(id, _)| id), ..old.clone() }
}

/// The entry whose upload in progress is the given one.
async fn uploading(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    path: &AreaPath,
    scratch: ScratchId,
) -> Result<Entry, AreaError> {
    let old = entry(connection, partner, path).await?.ok_or(AreaError::NotFound)?;
    if old.scratch == Some(scratch) { Ok(old) } else { Err(AreaError::Superseded) }
}

async fn unclaimed(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    path: &AreaPath,
) -> Result<Entry, AreaError> {
    let old = entry(connection, partner, path).await?.ok_or(AreaError::NotFound)?;
    if old.state == NodeState::Claimed { Err(AreaError::Claimed) } else { Ok(old) }
}

pub(super) async fn entry(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    path: &AreaPath,
) -> Result<Option<Entry>, LedgerError> {
    let query = sqlx::query(sql::NODE).bind(partner.as_str()).bind(path.dir.as_str()).bind(path.name.as_str());
    query.fetch_optional(connection).await?.map(|row| Entry::from_row(&row)).transpose()
}

async fn entry_and_usage(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    path: &AreaPath,
) -> Result<(Option<Entry>, Usage), LedgerError> {
    let query =
        sqlx::query(sql::NODE_AND_USAGE).bind(partner.as_str()).bind(path.dir.as_str()).bind(path.name.as_str());
    let row = query.fetch_one(connection).await?;
    let is_there = rows::cell::<Option<String>>(&row, "name")?.is_some();
    let entry = is_there.then(|| Entry::from_row(&row)).transpose()?;
    let holds = rows::cell::<Option<i64>>(&row, "files")?.is_some();
    Ok((entry, if holds { to_usage(&row)? } else { Usage::default() }))
}

/// Puts an entry where one of the same path stood, or none. The tables count what the partner holds.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    new: &Entry,
) -> Result<(), LedgerError> {
    sqlx::query(sql::PUT_NODE)
        .bind(partner.as_str())
        .bind(new.path.dir.as_str())
        .bind(new.path.name.as_str())
        .bind(node_number(new.state))
        .bind(int(new.size_bytes))
        .bind(int(new.scratch_bytes))
        .bind(new.modified.as_millisecond())
        .bind(new.blob.map(|id| uuid(&id.0)))
        .bind(new.scratch.map(|id| uuid(&id.0)))
        .bind(new.shipment.map(|id| uuid(&id.0)))
        .bind(new.owner.as_deref())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn drop_entry(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    path: &AreaPath,
) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::DROP_NODE).bind(partner.as_str()).bind(path.dir.as_str()).bind(path.name.as_str());
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn usage(connection: &mut SqliteConnection, partner: &PartnerId) -> Result<Usage, LedgerError> {
    let row = sqlx::query(sql::USAGE).bind(partner.as_str()).fetch_optional(connection).await?;
    row.as_ref().map_or(Ok(Usage::default()), to_usage)
}

fn to_usage(row: &SqliteRow) -> Result<Usage, LedgerError> {
    Ok(Usage { bytes: rows::count(row, "bytes")?, files: rows::count(row, "files")? })
}
