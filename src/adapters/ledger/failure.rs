//! What the database says, as what a caller can do about it.

use sqlx::error::ErrorKind;

use crate::ports::{AreaError, LedgerError};

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        if is_about_content(&error) { Self::Corrupt(error.to_string()) } else { Self::Unavailable(error.to_string()) }
    }
}

impl From<sqlx::Error> for AreaError {
    fn from(error: sqlx::Error) -> Self {
        Self::Ledger(error.into())
    }
}

/// A broken rule of a table or a value of the wrong type: the same call would fail again. SQLite's texts name tables and
/// columns, never values.
fn is_about_content(error: &sqlx::Error) -> bool {
    let broken_rule = error.as_database_error().is_some_and(|error| !matches!(error.kind(), ErrorKind::Other));
    broken_rule
        || matches!(
            error,
            sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::ColumnIndexOutOfBounds { .. }
                | sqlx::Error::Decode(_)
                | sqlx::Error::RowNotFound
        )
}
