//! Amended partners: read by the gateway, written beside it; every change leaves a row of who did what and why.

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, SqliteConnection};

use crate::model::{
    AddedPartner, AmendedLogin, Amendments, AreaPath, AuditRow, BlobId, LoginKey, Node, OwnedKey, PartnerId,
};
use crate::ports::{AreaError, LedgerError, Partners};

use super::orders::Said;
use super::sql::partners as texts;
use super::{SqliteLedger, area, rows, small_blobs};

#[async_trait]
impl Partners for SqliteLedger {
    async fn amended(&self) -> Result<u64, LedgerError> {
        let mut reader = self.reader().await?;
        let number: i64 = sqlx::query_scalar(texts::AMENDED).fetch_one(&mut *reader).await?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    async fn amendments(&self) -> Result<Amendments, LedgerError> {
        amendments(&mut *self.reader().await?).await
    }
}

/// What an operator changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A partner that has what another has.
    AddPartner(AddedPartner),
    /// A login.
    AddLogin(String),
    /// A login's key, new or with another last moment.
    SetKey(LoginKey),
    /// A login's password, as an Argon2id hash.
    SetPassword {
        /// User name.
        user: String,
        /// The hash.
        hash: String,
        /// Digest of the configuration's hash that it is put in place of.
        in_place_of: [u8; 32],
    },
    /// Nobody of the partner may log in.
    Disable,
    /// They may again.
    Enable,
}

/// Makes changes to a partner, all or none; `false` when one of them stood so before or is another's.
pub async fn amend(path: &Path, partner: &PartnerId, changes: &[Change], said: &Said) -> Result<bool, LedgerError> {
    super::change_beside(path, |made| *made, async |connection| make(connection, partner, changes, said).await).await
}

async fn make(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    changes: &[Change],
    said: &Said,
) -> Result<bool, LedgerError> {
    for change in changes {
        if !apply(connection, partner, change, said.now).await? {
            return Ok(false);
        }
        let (what, detail) = told(change);
        audit(connection, partner, what, &detail, said).await?;
    }
    Ok(true)
}

async fn apply(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    change: &Change,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let id = partner.as_str();
    if let Change::AddLogin(user) = change {
        let ended = sqlx::query(texts::END_KEYS_OF).bind(user).bind(id).bind(now.as_millisecond());
        ended.execute(&mut *connection).await?;
    }
    let query = match change {
        Change::AddPartner(added) => {
            let query = sqlx::query(texts::ADD_PARTNER).bind(id).bind(added.like.as_str());
            query.bind(added.addresses.join(" "))
        }
        Change::AddLogin(user) => sqlx::query(texts::ADD_LOGIN).bind(user).bind(id),
        Change::SetKey(key) => {
            let query = sqlx::query(texts::SET_KEY).bind(id).bind(&key.user).bind(&key.key).bind(&key.comment);
            query.bind(key.until.map(Timestamp::as_millisecond))
        }
        Change::SetPassword { user, hash, in_place_of } => {
            sqlx::query(texts::SET_PASSWORD).bind(user).bind(id).bind(hash).bind(in_place_of.as_slice())
        }
        Change::Disable => sqlx::query(texts::DISABLE).bind(id),
        Change::Enable => sqlx::query(texts::ENABLE).bind(id),
    };
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

/// What an audit row says of a change.
fn told(change: &Change) -> (&'static str, String) {
    match change {
        Change::AddPartner(added) => ("partner added", format!("like {}", added.like)),
        Change::AddLogin(user) => ("login added", user.clone()),
        Change::SetKey(LoginKey { user, key, until: None, .. }) => ("key added", format!("{user}: {key}")),
        Change::SetKey(LoginKey { user, key, until: Some(until), .. }) => {
            ("key given a last moment", format!("{user}: {key} until {until}"))
        }
        Change::SetPassword { user, .. } => ("password set", user.clone()),
        Change::Disable => ("partner disabled", String::new()),
        Change::Enable => ("partner enabled", String::new()),
    }
}

async fn audit(
    connection: &mut SqliteConnection,
    partner: &PartnerId,
    what: &str,
    detail: &str,
    said: &Said,
) -> Result<(), LedgerError> {
    let query = sqlx::query(texts::ADD_AUDIT).bind(said.now.as_millisecond()).bind(&said.who).bind(what);
    query.bind(partner.as_str()).bind(detail).bind(&said.reason).execute(connection).await?;
    Ok(())
}

/// Records that an operator reads a file.
pub async fn read_file(path: &Path, partner: &PartnerId, file: &AreaPath, said: &Said) -> Result<(), LedgerError> {
    let mut connection = super::beside(path).await?;
    audit(&mut connection, partner, "file read", &file.to_string(), said).await?;
    Ok(connection.close().await?)
}

/// Takes a file that is not claimed out of a partner's area; its bytes are the caller's to discard.
pub async fn remove_file(path: &Path, partner: &PartnerId, file: &AreaPath, said: &Said) -> Result<Node, AreaError> {
    let removing = async |connection: &mut SqliteConnection| {
        let removed = area::remove(connection, partner, file).await?;
        for small in [removed.blob, removed.scratch.map(|scratch| BlobId(scratch.0))].into_iter().flatten() {
            small_blobs::remove(connection, small).await?;
        }
        audit(connection, partner, "file removed", &file.to_string(), said).await?;
        Ok(removed)
    };
    super::change_beside(path, |_removed| true, removing).await
}

/// Everything that was said of partners.
pub(super) async fn amendments(connection: &mut SqliteConnection) -> Result<Amendments, LedgerError> {
    let partners = sqlx::query(texts::PARTNERS).fetch_all(&mut *connection).await?;
    let logins = sqlx::query(texts::LOGINS).fetch_all(&mut *connection).await?;
    let keys = sqlx::query(texts::LOGIN_KEYS).fetch_all(&mut *connection).await?;
    let disabled = sqlx::query(texts::DISABLED).fetch_all(&mut *connection).await?;
    Ok(Amendments {
        partners: partners.iter().map(added).collect::<Result<_, _>>()?,
        logins: logins.iter().map(login).collect::<Result<_, _>>()?,
        keys: keys.iter().map(key).collect::<Result<_, _>>()?,
        disabled: disabled.iter().map(|row| id(row, "id")).collect::<Result<_, _>>()?,
    })
}

/// The last things operators did, newest first.
pub(super) async fn audited(
    connection: &mut SqliteConnection,
    partner: Option<&PartnerId>,
    limit: u32,
) -> Result<Vec<AuditRow>, LedgerError> {
    let query = sqlx::query(texts::AUDIT).bind(partner.map(PartnerId::as_str)).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(audit_row).collect()
}

fn id(row: &SqliteRow, column: &str) -> Result<PartnerId, LedgerError> {
    rows::cell::<String>(row, column)?.parse().map_err(|_| rows::corrupt("a partner's name"))
}

fn added(row: &SqliteRow) -> Result<AddedPartner, LedgerError> {
    let addresses: String = rows::cell(row, "addresses")?;
    Ok(AddedPartner {
        id: id(row, "id")?,
        like: id(row, "pattern")?,
        addresses: addresses.split_whitespace().map(str::to_owned).collect(),
    })
}

fn login(row: &SqliteRow) -> Result<AmendedLogin, LedgerError> {
    let in_place_of: Option<Vec<u8>> = rows::cell(row, "in_place_of")?;
    let digest = |bytes: Vec<u8>| bytes.try_into().map_err(|_| rows::corrupt("a digest"));
    Ok(AmendedLogin {
        user: rows::cell(row, "user")?,
        partner: id(row, "partner")?,
        password_hash: rows::cell(row, "password_hash")?,
        is_added: rows::cell(row, "is_added")?,
        in_place_of: in_place_of.map(digest).transpose()?,
    })
}

fn key(row: &SqliteRow) -> Result<OwnedKey, LedgerError> {
    let until: Option<i64> = rows::cell(row, "until")?;
    let key = LoginKey {
        user: rows::cell(row, "user")?,
        key: rows::cell(row, "key")?,
        comment: rows::cell(row, "comment")?,
        until: until.map(rows::to_time).transpose()?,
    };
    Ok(OwnedKey { partner: id(row, "partner")?, key })
}

fn audit_row(row: &SqliteRow) -> Result<AuditRow, LedgerError> {
    Ok(AuditRow {
        at: rows::time(row, "at")?,
        who: rows::cell(row, "who")?,
        what: rows::cell(row, "what")?,
        partner: rows::cell(row, "partner")?,
        detail: rows::cell(row, "detail")?,
        reason: rows::cell(row, "reason")?,
    })
}
