//! Bytes of small files.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use crate::model::BlobId;
use crate::ports::{LedgerError, SmallBlobs, SmallUpload};

use super::SqliteLedger;
use super::rows::{to_uuid, uuid};
use super::sql::area as sql;

#[async_trait]
impl SmallBlobs for SqliteLedger {
    async fn small_blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, LedgerError> {
        get(&mut *self.reader().await?, id).await
    }

    async fn remove_small_blob(&self, id: BlobId) -> Result<(), LedgerError> {
        // Looked for first: most of what is removed is not here, and a change costs a sync of the disk.
        let query = sqlx::query_scalar::<_, i64>(sql::HAS_SMALL_BLOB).bind(uuid(&id.0));
        if query.fetch_optional(&mut *self.reader().await?).await?.is_none() {
            return Ok(());
        }
        self.write(move |connection| Box::pin(remove(connection, id))).await
    }

    async fn small_blobs(&self, after: Option<BlobId>, limit: u32) -> Result<Vec<BlobId>, LedgerError> {
        let after = after.map(|id| uuid(&id.0)).unwrap_or_default();
        let query = sqlx::query_scalar(sql::SMALL_BLOBS).bind(after).bind(i64::from(limit));
        let ids: Vec<Vec<u8>> = query.fetch_all(&mut *self.reader().await?).await?;
        ids.into_iter().map(|id| Ok(BlobId(to_uuid(id)?))).collect()
    }
}

/// The bytes of one.
pub(super) async fn get(connection: &mut SqliteConnection, id: BlobId) -> Result<Option<Vec<u8>>, LedgerError> {
    Ok(sqlx::query_scalar(sql::SMALL_BLOB).bind(uuid(&id.0)).fetch_optional(connection).await?)
}

/// Keeps the bytes of one, in place of what was kept of it before.
pub(super) async fn put(connection: &mut SqliteConnection, id: BlobId, bytes: Vec<u8>) -> Result<(), LedgerError> {
    sqlx::query(sql::PUT_SMALL_BLOB).bind(uuid(&id.0)).bind(bytes).execute(connection).await?;
    Ok(())
}

/// Keeps the bytes that an upload has so far; `false` when it is not the one in progress at that path.
pub(super) async fn safeguard(
    connection: &mut SqliteConnection,
    small: &SmallUpload,
    bytes: Vec<u8>,
) -> Result<bool, LedgerError> {
    let SmallUpload { partner, path, scratch, blob } = small;
    let query = sqlx::query(sql::SAFEGUARD).bind(uuid(&blob.0)).bind(bytes).bind(partner.as_str());
    let query = query.bind(path.dir.as_str()).bind(path.name.as_str()).bind(uuid(&scratch.0));
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

pub(super) async fn remove(connection: &mut SqliteConnection, id: BlobId) -> Result<(), LedgerError> {
    sqlx::query(sql::REMOVE_SMALL_BLOB).bind(uuid(&id.0)).execute(connection).await?;
    Ok(())
}
