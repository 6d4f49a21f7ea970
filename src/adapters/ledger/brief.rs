//! What most small files take, as one statement: each hand-over to SQLite's thread and back costs more than the statement.
//!
//! Where it does not fit, it does nothing and says so: the same is then done step by step, which also tells what was wrong.

use sqlx::SqliteConnection;
use sqlx::error::DatabaseError;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};

use crate::model::{BlobId, PartnerId, ScratchId, Stage};
use crate::ports::{Close, NewUpload, Quota, SmallUpload};

use super::area::Entry;
use super::rows::{int, node_number, stage_number, uuid};
use super::shipments::claimed_as;
use super::sql::area as sql;

/// One such change.
pub(super) struct Brief {
    partner: PartnerId,
    new: Entry,
    is_new: bool,
    former: ScratchId,
    blob: BlobId,
    bytes: Vec<u8>,
    quota: Quota,
    preflight: bool,
}

impl Brief {
    /// The end of an upload that replaces nothing: with `begins` of one that is not recorded, otherwise of one whose bytes
    /// are kept.
    pub(super) fn closing(close: &Close, bytes: Option<&[u8]>, begins: Option<&NewUpload>) -> Option<Self> {
        if bytes.is_some() != begins.is_some() {
            return None;
        }
        Some(Self {
            partner: close.partner.clone(),
            new: Entry::closed(close, begins.and_then(|upload| upload.owner.clone())),
            is_new: begins.is_some(),
            former: close.scratch,
            blob: close.blob,
            bytes: bytes.map(<[u8]>::to_vec).unwrap_or_default(),
            quota: begins.map_or(Quota { bytes: 0, files: 0 }, |upload| upload.quota),
            preflight: close.claim.is_some_and(|(_, preflight)| preflight),
        })
    }

    /// What a new upload has so far.
    pub(super) fn safeguarding(small: &SmallUpload, bytes: &[u8], begins: &NewUpload) -> Self {
        Self {
            partner: small.partner.clone(),
            new: Entry::partial(small.path.clone(), small.scratch, begins.now, begins.owner.clone()),
            is_new: true,
            former: small.scratch,
            blob: small.blob,
            bytes: bytes.to_vec(),
            quota: begins.quota,
            preflight: false,
        }
    }

    /// Does it; `false` when it does not fit and nothing was done.
    pub(super) async fn run(&self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        match self.query().execute(connection).await {
            Ok(_) => Ok(true),
            Err(error) if error.as_database_error().is_some_and(does_not_fit) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn query(&self) -> Query<'_, Sqlite, SqliteArguments> {
        sqlx::query(sql::STEP_OF_SMALL_UPLOAD)
            .bind(self.partner.as_str())
            .bind(self.new.path.dir.as_str())
            .bind(self.new.path.name.as_str())
            .bind(node_number(self.new.state))
            .bind(int(self.new.size_bytes))
            .bind(self.new.modified.as_millisecond())
            .bind(self.new.blob.map(|id| uuid(&id.0)))
            .bind(self.new.scratch.map(|id| uuid(&id.0)))
            .bind(self.new.shipment.map(|id| uuid(&id.0)))
            .bind(self.new.owner.as_deref())
            .bind(i64::from(self.is_new))
            .bind(uuid(&self.former.0))
            .bind(uuid(&self.blob.0))
            .bind(self.bytes.as_slice())
            .bind(int(self.quota.bytes))
            .bind(int(self.quota.files))
            .bind(i64::from(self.preflight))
            .bind(stage_number(Stage::Claimed))
            .bind(claimed_as(self.preflight))
    }
}

/// Refused by the view, or by a table whose rule it would break.
fn does_not_fit(error: &dyn DatabaseError) -> bool {
    error.is_unique_violation() || error.code().as_deref() == Some(SQLITE_CONSTRAINT_TRIGGER)
}

const SQLITE_CONSTRAINT_TRIGGER: &str = "1811";
